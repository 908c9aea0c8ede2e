//! Packets for the relay itself, on their way from the forwarder to the control connections.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::BytesMut;
use quinn::udp::EcnCodepoint;

/// Packets that wait to be read; what comes beyond is lost, as in a kernel.
const MAX: usize = 4096;

/// And those of them that are from addresses that are no leg's, so that a flood leaves room for the legs.
const MAX_OF_STRANGERS: usize = 1024;

/// A packet for the relay itself.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) from: SocketAddr,
    /// Address of this host that it came to.
    pub(crate) local: Option<IpAddr>,
    pub(crate) ecn: Option<EcnCodepoint>,
    pub(crate) bytes: BytesMut,
}

/// Who sent a packet for the relay itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// Somebody at the address of a leg.
    Leg,
    /// Anybody else.
    Stranger,
}

/// The packets that wait.
#[derive(Debug, Default)]
pub(crate) struct OwnQueue(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    packets: VecDeque<Own>,
    reader: Option<Waker>,
}

impl OwnQueue {
    pub(super) fn push(&self, sender: Sender, own: Own) {
        let mut inner = self.inner();
        let max = match sender {
            Sender::Leg => MAX,
            Sender::Stranger => MAX_OF_STRANGERS,
        };
        if inner.packets.len() >= max {
            return;
        }
        inner.packets.push_back(own);
        let reader = inner.reader.take();
        drop(inner);
        reader.into_iter().for_each(Waker::wake);
    }

    /// Takes all that wait, in their order, by exchanging them for the empty `packets`.
    pub(crate) fn poll_take(&self, cx: &Context<'_>, packets: &mut VecDeque<Own>) -> Poll<()> {
        let mut inner = self.inner();
        if inner.packets.is_empty() {
            inner.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        std::mem::swap(&mut inner.packets, packets);
        Poll::Ready(())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_strangers_leaves_room_for_legs() {
        let queue = OwnQueue::default();
        let own = |byte: u8| Own {
            from: ([192, 0, 2, byte], 443).into(),
            local: None,
            ecn: None,
            bytes: BytesMut::from(&[byte][..]),
        };
        (0..2 * MAX).for_each(|_| queue.push(Sender::Stranger, own(1)));
        queue.push(Sender::Leg, own(2));
        let mut packets = VecDeque::new();
        let cx = Context::from_waker(Waker::noop());
        assert!(queue.poll_take(&cx, &mut packets).is_ready());
        assert_eq!(packets.len(), MAX_OF_STRANGERS + 1);
        assert_eq!(packets.back().map(|own| &own.bytes[..]), Some(&[2][..]));
        packets.clear();
        assert!(queue.poll_take(&cx, &mut packets).is_pending());
    }
}
