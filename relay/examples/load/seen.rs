//! What arrived, and how long it took.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Where in a packet its send time is: behind the connection ID.
pub(crate) const STAMP_AT: usize = 16;

/// Delays of the packets that were sent while it counted.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    start: Instant,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    window: (u64, u64),
    delays_us: Vec<u32>,
}

impl Seen {
    pub(crate) fn new() -> Self {
        Self {
            start: tokio::time::Instant::now().into_std(),
            inner: Arc::default(),
        }
    }

    /// Nanoseconds since the beginning.
    pub(crate) fn clock(&self) -> u64 {
        let now = tokio::time::Instant::now().into_std();
        u64::try_from(now.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Counts what is sent from `from` to `to` on the clock.
    pub(crate) fn count(&self, from: u64, to: u64, expected: usize) {
        let mut inner = self.inner();
        inner.window = (from, to);
        inner.delays_us.reserve(expected);
    }

    /// Writes the time `now` into a packet.
    pub(crate) fn stamp(packet: &mut [u8], now: u64) {
        if let Some(place) = packet.get_mut(STAMP_AT..STAMP_AT + 8) {
            place.copy_from_slice(&now.to_le_bytes());
        }
    }

    /// Notes a packet that arrived.
    pub(crate) fn take(&self, packet: &[u8]) {
        let stamp = packet.get(STAMP_AT..).and_then(<[u8]>::first_chunk::<8>);
        let Some(sent) = stamp.map(|stamp| u64::from_le_bytes(*stamp)) else {
            return;
        };
        let took = Duration::from_nanos(self.clock().saturating_sub(sent));
        let mut inner = self.inner();
        if (inner.window.0..inner.window.1).contains(&sent) {
            inner
                .delays_us
                .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        }
    }

    /// Number of packets, and their delays at 50, 90, 99 and 100 % in microseconds.
    pub(crate) fn result(&self) -> (usize, [u32; 4]) {
        let mut inner = self.inner();
        inner.delays_us.sort_unstable();
        let sorted = &inner.delays_us;
        let at = |share: f64| {
            let last = sorted.len().saturating_sub(1) as f64;
            sorted
                .get((last * share).round() as usize)
                .copied()
                .unwrap_or(u32::MAX)
        };
        (sorted.len(), [at(0.5), at(0.9), at(0.99), at(1.0)])
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
