//! Legs that come over streams: each has an address of its own that no network has, so that routing treats them
//! like all others.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use quinn::udp::Transmit;
use tokio::sync::Notify;

/// First eight bytes of a stream's address: a prefix of unique local addresses (RFC 4193).
const PREFIX: u64 = 0xfd61_7463_7000_0000;

const PORT: u16 = 443;

/// Handshakes that one stream may begin: a leg needs one, and another when it lost the first.
const MAX_HANDSHAKES: u32 = 4;

/// Takes the packets for one stream.
pub(crate) trait Outlet: fmt::Debug + Send + Sync {
    /// Takes a packet, which is written with the next flush; `false` if there is no room for it.
    fn push(&self, packet: &[u8]) -> bool;

    /// Writes what has been taken.
    fn flush(&self);
}

/// The streams that are open.
#[derive(Debug, Default)]
pub(crate) struct Streams(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    open: HashMap<SocketAddr, Stream>,
    /// Those that have taken packets since the last flush.
    unflushed: Vec<Arc<dyn Outlet>>,
}

#[derive(Debug)]
struct Stream {
    outlet: Arc<dyn Outlet>,
    from: SocketAddr,
    handshakes: u32,
    /// Told when a leg is known to use the stream.
    in_use: Arc<Notify>,
}

impl Streams {
    /// Whether `address` is a stream's, open or not. Nobody on a network can have it.
    pub(crate) fn is_one(address: SocketAddr) -> bool {
        match address.ip() {
            IpAddr::V4(_) => false,
            IpAddr::V6(ip) => ip.to_bits() >> 64 == u128::from(PREFIX),
        }
    }

    /// Takes a stream that came from `from`; the address that it has from now on, and who tells that a leg is known
    /// to use it.
    pub(crate) fn open(
        &self,
        from: SocketAddr,
        outlet: Arc<dyn Outlet>,
    ) -> (SocketAddr, Arc<Notify>) {
        let mut inner = self.inner();
        inner.next = inner.next.wrapping_add(1);
        let bits = (u128::from(PREFIX) << 64) | u128::from(inner.next);
        let address = SocketAddr::new(Ipv6Addr::from_bits(bits).into(), PORT);
        let stream = Stream {
            outlet,
            from,
            handshakes: 0,
            in_use: Arc::default(),
        };
        let in_use = Arc::clone(&stream.in_use);
        inner.open.insert(address, stream);
        (address, in_use)
    }

    /// A leg that is known uses the stream.
    pub(crate) fn use_by_leg(&self, address: SocketAddr) {
        if let Some(stream) = self.inner().open.get(&address) {
            stream.in_use.notify_one();
        }
    }

    /// A stream is over.
    pub(crate) fn close(&self, address: SocketAddr) {
        self.inner().open.remove(&address);
    }

    /// Where `address` is on the network: itself, unless it is a stream's.
    pub(crate) fn origin(&self, address: SocketAddr) -> SocketAddr {
        let inner = self.inner();
        inner
            .open
            .get(&address)
            .map_or(address, |stream| stream.from)
    }

    /// Whether a stream may begin another handshake.
    pub(crate) fn may_shake_hands(&self, address: SocketAddr) -> bool {
        let mut inner = self.inner();
        let Some(stream) = inner.open.get_mut(&address) else {
            return false;
        };
        stream.handshakes = stream.handshakes.saturating_add(1);
        stream.handshakes <= MAX_HANDSHAKES
    }

    /// Hands the stream that `transmit` is for its packets, to be written with the next flush; how many were lost since it
    /// had no room.
    pub(super) fn send(&self, transmit: &Transmit<'_>) -> u64 {
        let outlet = {
            let inner = self.inner();
            let stream = inner.open.get(&transmit.destination);
            stream.map(|stream| Arc::clone(&stream.outlet))
        };
        let size = transmit.segment_size.unwrap_or(transmit.contents.len());
        let packets = transmit.contents.chunks(size.max(1));
        let lost = packets
            .filter(|packet| !outlet.as_ref().is_some_and(|outlet| outlet.push(packet)))
            .count();
        // Only now, or another task's flush could come between and find nothing to write.
        if let Some(outlet) = outlet {
            let unflushed = &mut self.inner().unflushed;
            if !unflushed
                .last()
                .is_some_and(|last| Arc::ptr_eq(last, &outlet))
            {
                unflushed.push(outlet);
            }
        }
        u64::try_from(lost).unwrap_or(u64::MAX)
    }

    /// Has everything written that streams were handed.
    pub(super) fn flush(&self) {
        let unflushed = std::mem::take(&mut self.inner().unflushed);
        unflushed.iter().for_each(|outlet| outlet.flush());
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
