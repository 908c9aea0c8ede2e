//! Two quinn endpoints, control and end to end, over one UDP socket and one stream, told apart by their tokens.
//!
//! Both see the other side at one address that does not exist, whatever way the packets take: quinn tells
//! connections apart by their IDs, and the IDs say where packets go. So the way can change under a connection
//! without its knowing.

use std::{
    collections::VecDeque,
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll, Wake, Waker, ready},
};

use alongside_protocol::LegToken;
use quinn::{
    AsyncUdpSocket, UdpPoller,
    udp::{RecvMeta, Transmit},
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{pulse::Pulse, websocket::PacketQueue};
use crate::path::{Incoming, Outgoing, PathKind, PathTable, StreamKind, Way, relay::RelayWays};

mod direct;
mod poller;
mod signs;
pub(crate) mod split;
#[cfg(test)]
mod tests;

/// Port of the addresses at which quinn sees others; any will do.
const VIRTUAL_PORT: u16 = 443;

/// Token in the place of a peer's, in the address at which quinn sees the relay.
const RELAY: LegToken = LegToken([0; 8]);

/// Packets that quinn sends at once at most; the stream must have room for all of them.
const BURST: usize = 10;

/// Receive buffers that wait for the other endpoint to be polled; beyond them packets are dropped, as a kernel
/// does.
const MAX_WAITING: usize = 256;

/// What is under both endpoints.
#[derive(Debug)]
pub(crate) struct SharedSocket {
    io: Arc<dyn AsyncUdpSocket>,
    own: LegToken,
    /// Where `io` is bound.
    local: SocketAddr,
    /// Where quinn believes the peers to be.
    virtual_address: SocketAddr,
    table: Mutex<PathTable>,
    /// Packets for the stream to the relay, while there is one.
    stream: Mutex<Option<Arc<PacketQueue>>>,
    /// Peers to whom there may be a direct way.
    direct: Mutex<direct::Peers>,
    /// Counts what came that may change a direct way.
    direct_changed: watch::Sender<u64>,
    /// A direct way is in doubt: is the relay there?
    sign_wanted: Notify,
    /// A session has begun to send through the relay.
    busy: Notify,
    /// UDP to the relay passes: it answered the probe.
    probe_answered: Notify,
    waiting: [Mutex<VecDeque<Waiting>>; 2],
    /// Shared with the socket below, which knows one waker only.
    tasks: Arc<Tasks>,
    tasks_waker: Waker,
    /// The way that UDP makes room for until it is heard itself.
    rival: OnceLock<Pulse>,
    /// What a packet to the relay and its answer take.
    line: Mutex<signs::Line>,
}

/// Packets of one endpoint that the other received.
#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    meta: RecvMeta,
}

/// One of the two endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Control,
    EndToEnd,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Control => Self::EndToEnd,
            Self::EndToEnd => Self::Control,
        }
    }
}

impl SharedSocket {
    /// Shares `io` for the leg that holds `own` and talks to the relay at `relay`.
    pub(crate) fn new(
        io: Arc<dyn AsyncUdpSocket>,
        own: LegToken,
        relay: SocketAddr,
    ) -> io::Result<Arc<Self>> {
        let local = io.local_addr()?;
        let relay = as_socket_wants(relay, local);
        let tasks = Arc::new(Tasks::default());
        Ok(Arc::new(Self {
            io,
            own,
            local,
            virtual_address: SocketAddr::new(virtual_ip(own).into(), VIRTUAL_PORT),
            table: Mutex::new(PathTable::new(own, relay, Instant::now().into_std())),
            stream: Mutex::default(),
            direct: Mutex::default(),
            direct_changed: watch::Sender::new(0),
            sign_wanted: Notify::new(),
            busy: Notify::new(),
            probe_answered: Notify::new(),
            waiting: Default::default(),
            tasks_waker: Waker::from(Arc::clone(&tasks)),
            tasks,
            rival: OnceLock::new(),
            line: Mutex::default(),
        }))
    }

    /// The socket of the control endpoint.
    pub(crate) fn control(self: &Arc<Self>) -> Arc<dyn AsyncUdpSocket> {
        Arc::new(Facade {
            shared: Arc::clone(self),
            side: Side::Control,
        })
    }

    /// The socket of the end-to-end endpoint.
    pub(crate) fn end_to_end(self: &Arc<Self>) -> Arc<dyn AsyncUdpSocket> {
        Arc::new(Facade {
            shared: Arc::clone(self),
            side: Side::EndToEnd,
        })
    }

    /// The address at which to dial any peer.
    pub(crate) fn peer_address(&self) -> SocketAddr {
        self.virtual_address
    }

    /// Lets packets go to `peer`.
    pub(crate) fn add_peer(&self, peer: LegToken) {
        self.table().add_peer(peer);
    }

    /// Whether the relay's address is known: a proxy finds it without us.
    pub(crate) fn knows_relay(&self) -> bool {
        self.table().knows_relay()
    }

    /// The address at which to dial the relay.
    pub(crate) fn relay_address() -> SocketAddr {
        SocketAddr::new(virtual_ip(RELAY).into(), VIRTUAL_PORT)
    }

    /// Makes packets take `ways`.
    pub(crate) fn set_ways(&self, ways: RelayWays) {
        self.table().set_ways(ways);
        self.stream().iter().for_each(|queue| queue.wake_senders());
    }

    /// How the way of session packets is shown.
    pub(crate) fn kind(&self) -> PathKind {
        self.table().kind()
    }

    /// From now on `queue` leads to the relay.
    pub(crate) fn set_stream(&self, kind: StreamKind, queue: &Arc<PacketQueue>) {
        self.table().set_stream(Some(kind));
        let before = self.stream_slot().replace(Arc::clone(queue));
        before.iter().for_each(|queue| queue.close());
    }

    /// There is no stream to the relay any more.
    pub(crate) fn drop_stream(&self) {
        self.table().set_stream(None);
        let before = self.stream_slot().take();
        before.iter().for_each(|queue| queue.close());
    }

    /// Takes a packet that came over the stream.
    pub(crate) fn deliver(&self, packet: &[u8]) {
        let side = match self
            .table()
            .incoming_stream(Instant::now().into_std(), packet)
        {
            Incoming::EndToEnd => Side::EndToEnd,
            Incoming::Control => Side::Control,
            Incoming::ProbeAnswer | Incoming::Foreign => return,
        };
        let mut meta = RecvMeta::default();
        (meta.len, meta.stride) = (packet.len(), packet.len());
        if self.keep(side, packet, meta) {
            self.tasks.wake_one(side);
        }
    }

    fn table(&self) -> MutexGuard<'_, PathTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stream_slot(&self) -> MutexGuard<'_, Option<Arc<PacketQueue>>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stream(&self) -> Option<Arc<PacketQueue>> {
        self.stream_slot().clone()
    }

    fn waiting(&self, side: Side) -> MutexGuard<'_, VecDeque<Waiting>> {
        let [control, end_to_end] = &self.waiting;
        let queue = match side {
            Side::Control => control,
            Side::EndToEnd => end_to_end,
        };
        queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send_control(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let way = self.table().control();
        if matches!(way, Some(Way::RelayUdp(_))) && self.makes_room() {
            return Ok(());
        }
        match way {
            Some(way) => self.send(way, transmit.contents, transmit),
            None => Ok(()),
        }
    }

    fn send_end_to_end(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let size = transmit
            .segment_size
            .unwrap_or(transmit.contents.len())
            .max(1);
        let first = transmit.contents.get(..size).unwrap_or(transmit.contents);
        match self.send_direct(first, transmit) {
            direct::Sent::All(sent) => return sent,
            direct::Sent::Copy | direct::Sent::Nothing => {}
        }
        let mut table = self.table();
        let outgoing = table.outgoing(first);
        if matches!(outgoing, Outgoing::Send(_) | Outgoing::Both(..)) {
            let packets = transmit.contents.len().div_ceil(size);
            if table.note_sent(Instant::now().into_std(), packets) {
                self.busy.notify_one();
            }
        }
        match outgoing {
            Outgoing::Send(way) => {
                drop(table);
                self.send(way, transmit.contents, transmit)
            }
            Outgoing::Both(first, second) => {
                drop(table);
                let sent = self.send(first, transmit.contents, transmit);
                if sent.is_ok() {
                    let _spare = self.send(second, transmit.contents, transmit);
                }
                sent
            }
            Outgoing::Reset => {
                let (way, peers) = (table.sessions(), table.peers().to_vec());
                drop(table);
                way.map_or(Ok(()), |way| self.send_reset(way, &peers, transmit))
            }
            Outgoing::Drop => Ok(()),
        }
    }

    /// quinn does not say whom a stateless reset is for, so every peer gets one. Its token is in the last 16
    /// bytes and the rest is padding, so the first may say where it goes; only the right peer knows the token.
    fn send_reset(&self, way: Way, peers: &[LegToken], transmit: &Transmit<'_>) -> io::Result<()> {
        for peer in peers {
            let mut packet = transmit.contents.to_vec();
            let Some(place) = packet.get_mut(1..=peer.0.len()) else {
                return Ok(());
            };
            place.copy_from_slice(&peer.0);
            self.send(way, &packet, transmit)?;
        }
        Ok(())
    }

    fn send(&self, way: Way, contents: &[u8], transmit: &Transmit<'_>) -> io::Result<()> {
        match way {
            Way::RelayUdp(destination) | Way::Direct(destination) => self.io.try_send(&Transmit {
                destination,
                ecn: transmit.ecn,
                contents,
                segment_size: transmit.segment_size,
                src_ip: None,
            }),
            Way::RelayStream(_) => {
                let Some(queue) = self.stream() else {
                    return Ok(());
                };
                if !queue.has_room(BURST) {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                let size = transmit.segment_size.unwrap_or(contents.len()).max(1);
                for packet in contents.chunks(size) {
                    queue.push(packet);
                }
                Ok(())
            }
        }
    }

    /// The queue that `side`'s packets wait in, if they take the stream first.
    fn queue_of(&self, side: Side) -> Option<Arc<PacketQueue>> {
        let way = match side {
            Side::Control => self.table().control(),
            Side::EndToEnd => self.table().sessions(),
        };
        match way {
            Some(Way::RelayStream(_)) => self.stream(),
            Some(Way::RelayUdp(_) | Way::Direct(_)) | None => None,
        }
    }

    fn poll_recv(
        &self,
        side: Side,
        cx: &Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        // Before looking: what the other endpoint hands over from now on wakes us.
        self.tasks.set(side, cx.waker());
        let taken = self.take_waiting(side, buffers, metas);
        if taken > 0 {
            return Poll::Ready(Ok(taken));
        }
        let received = ready!(self.io.poll_recv(
            &mut Context::from_waker(&self.tasks_waker),
            buffers,
            metas
        ))?;
        let now = Instant::now().into_std();
        let mut handed_over = false;
        for (buffer, meta) in buffers.iter_mut().zip(metas.iter_mut()).take(received) {
            handed_over |= self.sort(side, now, buffer, meta);
        }
        if handed_over {
            self.tasks.wake_one(side.other());
        }
        // Buffers that were all the other's have length 0 now: quinn skips them, but counts the work.
        Poll::Ready(Ok(received))
    }

    /// Leaves in `buffer` what is `side`'s, and keeps the rest for the other; whether there was any.
    fn sort(
        &self,
        side: Side,
        now: std::time::Instant,
        buffer: &mut [u8],
        meta: &mut RecvMeta,
    ) -> bool {
        let mut handed_over = false;
        let source = *meta;
        let mut table = self.table();
        let classify = |packet: &[u8]| match table.incoming(now, source.addr, packet) {
            Incoming::Foreign if self.take_probe(now, Some(source.addr), packet) => None,
            Incoming::Foreign if self.is_direct(now, source.addr, packet) => Some(Side::EndToEnd),
            Incoming::EndToEnd if self.take_probe(now, None, packet) => None,
            Incoming::Foreign => None,
            Incoming::ProbeAnswer => {
                self.probe_answered.notify_one();
                None
            }
            Incoming::Control => Some(Side::Control),
            Incoming::EndToEnd => Some(Side::EndToEnd),
        };
        let other = side.other();
        meta.len = split::split(
            buffer,
            source.len,
            source.stride,
            classify,
            side,
            |packets| {
                let meta = RecvMeta {
                    len: packets.len(),
                    ..source
                };
                handed_over |= self.keep(other, packets, meta);
            },
        );
        *meta = self.seen_by(side, *meta);
        handed_over
    }

    /// Keeps packets until `side` is polled; whether there was room.
    fn keep(&self, side: Side, packets: &[u8], meta: RecvMeta) -> bool {
        let mut queue = self.waiting(side);
        let has_room = queue.len() < MAX_WAITING;
        if has_room {
            queue.push_back(Waiting {
                bytes: packets.to_vec(),
                meta: self.seen_by(side, meta),
            });
        }
        has_room
    }

    fn seen_by(&self, side: Side, meta: RecvMeta) -> RecvMeta {
        let addr = match side {
            Side::Control => Self::relay_address(),
            Side::EndToEnd => self.virtual_address,
        };
        RecvMeta {
            addr,
            dst_ip: None,
            ..meta
        }
    }

    fn take_waiting(
        &self,
        side: Side,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> usize {
        let mut queue = self.waiting(side);
        let mut taken = 0;
        for (buffer, meta) in buffers.iter_mut().zip(metas.iter_mut()) {
            let Some(waiting) = queue.pop_front() else {
                break;
            };
            *meta = waiting.meta;
            match buffer.get_mut(..waiting.bytes.len()) {
                Some(place) => place.copy_from_slice(&waiting.bytes),
                None => meta.len = 0, // both endpoints have the same buffers, so this does not happen
            }
            taken += 1;
        }
        taken
    }
}

/// A unique local address (RFC 4193) that nothing on the network has.
fn virtual_ip(token: LegToken) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets[..2].copy_from_slice(&[0xfd, 0x61]);
    octets[8..].copy_from_slice(&token.0);
    octets.into()
}

/// `address` in the family of a socket bound to `local`.
fn as_socket_wants(address: SocketAddr, local: SocketAddr) -> SocketAddr {
    match (local.ip(), address.ip()) {
        (IpAddr::V6(_), IpAddr::V4(ip)) => {
            SocketAddr::new(ip.to_ipv6_mapped().into(), address.port())
        }
        (IpAddr::V4(_), IpAddr::V6(_)) => {
            SocketAddr::new(address.ip().to_canonical(), address.port())
        }
        (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => address,
    }
}

impl Drop for SharedSocket {
    fn drop(&mut self) {
        self.drop_stream();
    }
}

/// The tasks that drive the two endpoints. The socket below remembers one waker, so it gets one that wakes both:
/// whichever runs first sorts for the other, and neither depends on the other being alive.
#[derive(Debug, Default)]
struct Tasks([Mutex<Option<Waker>>; 2]);

impl Tasks {
    fn set(&self, side: Side, waker: &Waker) {
        let mut slot = self.slot(side);
        if !slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }

    fn wake_one(&self, side: Side) {
        let waker = self.slot(side).take();
        waker.into_iter().for_each(Waker::wake);
    }

    fn slot(&self, side: Side) -> MutexGuard<'_, Option<Waker>> {
        let [control, end_to_end] = &self.0;
        let slot = match side {
            Side::Control => control,
            Side::EndToEnd => end_to_end,
        };
        slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Tasks {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_one(Side::Control);
        self.wake_one(Side::EndToEnd);
    }
}

/// The socket as one endpoint sees it.
#[derive(Debug)]
struct Facade {
    shared: Arc<SharedSocket>,
    side: Side,
}

impl AsyncUdpSocket for Facade {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        let below = Arc::clone(&self.shared.io).create_io_poller();
        Box::pin(poller::Poller::new(self, below))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        match self.side {
            Side::Control => self.shared.send_control(transmit),
            Side::EndToEnd => self.shared.send_end_to_end(transmit),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.shared.poll_recv(self.side, cx, buffers, metas)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        // quinn dials IPv6 addresses only from a socket that has one.
        Ok(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), VIRTUAL_PORT))
    }

    fn max_transmit_segments(&self) -> usize {
        self.shared.io.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.shared.io.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.shared.io.may_fragment()
    }
}
