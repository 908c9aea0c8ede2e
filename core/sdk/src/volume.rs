//! How much the two sides have told each other.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use alongside_protocol::frame::Channel;

/// Bytes of the session's messages since the side was made, by channel; clones count the same.
///
/// What lies below is left out: encryption, QUIC and the way. A [`PathStatus`](crate::PathStatus) counts that too.
#[derive(Clone, Debug, Default)]
pub struct Volume(Arc<[Counters; Channel::ALL.len()]>);

#[derive(Debug, Default)]
struct Counters {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Volume {
    /// Bytes that this side has sent on `channel`, as far as they are with the transport or about to be.
    pub fn sent(&self, channel: Channel) -> u64 {
        self.of(channel).sent.load(Ordering::Relaxed)
    }

    /// Bytes that have come in on `channel`.
    pub fn received(&self, channel: Channel) -> u64 {
        self.of(channel).received.load(Ordering::Relaxed)
    }

    pub(crate) fn count_sent(&self, channel: Channel, bytes: usize) {
        add(&self.of(channel).sent, bytes);
    }

    pub(crate) fn count_received(&self, channel: Channel, bytes: usize) {
        add(&self.of(channel).received, bytes);
    }

    fn of(&self, channel: Channel) -> &Counters {
        let [control, mode, panel, bulk] = &*self.0;
        match channel {
            Channel::Control => control,
            Channel::Mode => mode,
            Channel::Panel => panel,
            Channel::Bulk => bulk,
        }
    }
}

fn add(counter: &AtomicU64, bytes: usize) {
    counter.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
}
