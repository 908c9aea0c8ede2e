//! The direct ways: what the socket does for them.

use std::{
    io,
    net::SocketAddr,
    sync::{MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alongside_protocol::{LegToken, cid};
use quinn::udp::Transmit;
use tokio::sync::watch;

use super::{SharedSocket, as_socket_wants};
use crate::{
    leg::probe::{Probe, ProbeKeys, Replays, is_sendable},
    path::{
        Outgoing, SentLately, Way,
        direct::{Direct, MAX_CANDIDATES, Route, Size},
    },
};

/// Addresses of one peer that packets are taken from.
const MAX_SOURCES: usize = MAX_CANDIDATES;

/// Pauses in milliseconds before our candidates are told again: once as the peer may not have its keys yet, and
/// then as packets get lost.
const TELL: [u64; 5] = [0, 40, 200, 600, 1500];

/// All peers to whom there may be a direct way; in truth one at a time.
#[derive(Debug, Default)]
pub(super) struct Peers(Vec<Peer>);

#[derive(Debug)]
struct Peer {
    keys: ProbeKeys,
    /// `None` until the peer is admitted.
    direct: Option<Direct>,
    /// Candidates that it has told before.
    early: Vec<SocketAddr>,
    sent: SentLately,
    replays: Replays,
    /// Where its probes came from.
    sources: Vec<SocketAddr>,
    candidates: Vec<SocketAddr>,
    told: usize,
    next_tell: Option<Instant>,
}

/// What became of a packet that might go direct.
pub(super) enum Sent {
    /// It went direct, or could not.
    All(io::Result<()>),
    /// A copy went direct.
    Copy,
    /// There is no direct way.
    Nothing,
}

impl SharedSocket {
    /// Knows the peer of `keys`, and sends it nothing before it is [admitted](SharedSocket::admit_direct): it may be
    /// anybody. This side's own addresses are `candidates`.
    pub(crate) fn add_direct(&self, keys: ProbeKeys, candidates: Vec<SocketAddr>) {
        let mut peers = self.peers();
        peers.0.retain(|peer| peer.keys.peer() != keys.peer());
        peers.0.push(Peer {
            keys,
            direct: None,
            early: Vec::new(),
            sent: SentLately::default(),
            replays: Replays::default(),
            sources: Vec::new(),
            candidates,
            told: 0,
            next_tell: None,
        });
    }

    /// Tells `peer` our candidates and looks for a direct way to it. It is `half_way` away.
    pub(crate) fn admit_direct(&self, now: Instant, half_way: Duration, peer: LegToken) {
        let mut peers = self.peers();
        if let Some(known) = peers.0.iter_mut().find(|known| known.keys.peer() == peer) {
            known.admit(now, half_way);
        }
    }

    /// Packets to `peer` go through the relay again.
    pub(crate) fn remove_direct(&self, peer: LegToken) {
        self.peers().0.retain(|known| known.keys.peer() != peer);
    }

    /// Which way packets take to `peer`.
    pub(crate) fn route(&self, peer: LegToken) -> Route {
        let peers = self.peers();
        let known = peers.0.iter().find(|known| known.keys.peer() == peer);
        known.map_or(Route::Relay, Peer::route)
    }

    /// Does what is due for `peer`; when it is to be called again, or `None` if the peer is not admitted.
    pub(crate) fn tend_direct(&self, now: Instant, peer: LegToken) -> Option<Instant> {
        let mut peers = self.peers();
        let known = peers.0.iter_mut().find(|known| known.keys.peer() == peer)?;
        let is_busy = known.sent.is_busy(now);
        let direct = known.direct.as_mut()?;
        direct.handle_timeout(now, is_busy);
        let mut packets = Vec::new();
        while let Some(ping) = direct.poll_ping() {
            let probe = Probe::Ping { n: ping.n };
            let packet = match ping.size {
                Size::Small => known.keys.seal(&probe),
                Size::Full => known.keys.seal_full(&probe),
            };
            packets.push((ping.to, packet));
        }
        let due = direct.deadline();
        let tell = known.tell(now);
        let deadline = known.next_tell.into_iter().chain([due]).min();
        drop(peers);
        for (to, packet) in packets {
            self.send_probe(to, &packet);
        }
        if let Some(packet) = tell {
            self.send_by_relay(&packet);
        }
        deadline
    }

    /// Whether a direct way is in doubt.
    pub(super) fn has_doubt(&self) -> bool {
        let peers = self.peers();
        let mut routes = peers.0.iter().map(Peer::route);
        routes.any(|route| matches!(route, Route::Both(_)))
    }

    /// The relay is silent: direct ways are looked for as if the search had just begun.
    pub(crate) fn hurry_direct(&self, now: Instant) {
        for peer in &mut self.peers().0 {
            if let Some(direct) = &mut peer.direct {
                direct.hurry(now);
            }
        }
        self.direct_changed
            .send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    /// Changes whenever something came that may change a direct way.
    pub(crate) fn direct_changes(&self) -> watch::Receiver<u64> {
        self.direct_changed.subscribe()
    }

    /// Has the relay asked for a sign of life, which also shows it where this side is now.
    pub(crate) fn want_sign(&self) {
        self.sign_wanted.notify_one();
    }

    /// Waits until somebody wants one.
    pub(crate) async fn sign_wanted(&self) {
        self.sign_wanted.notified().await;
    }

    /// This side's own addresses, as its socket knows them.
    pub(crate) fn local_candidates(&self) -> Vec<SocketAddr> {
        let local = self.local;
        if !local.ip().is_unspecified() {
            return vec![local];
        }
        let relay = match self.table().control() {
            Some(Way::RelayUdp(relay)) => relay,
            Some(Way::Direct(_) | Way::RelayStream(_)) | None => return Vec::new(),
        };
        // Which of this machine's addresses leads there; nothing is sent.
        let ask = || {
            let socket = std::net::UdpSocket::bind(SocketAddr::new(local.ip(), 0))?;
            socket.connect(relay)?;
            io::Result::Ok(socket.local_addr()?.ip().to_canonical())
        };
        ask()
            .map(|ip| SocketAddr::new(ip, local.port()))
            .into_iter()
            .collect()
    }

    pub(super) fn send_direct(&self, first: &[u8], transmit: &Transmit<'_>) -> Sent {
        let Some(token) = cid::destination(first) else {
            return Sent::Nothing;
        };
        let now = tokio::time::Instant::now().into_std();
        let mut peers = self.peers();
        let Some(peer) = peers.0.iter_mut().find(|peer| peer.keys.peer() == token) else {
            return Sent::Nothing;
        };
        let packets = transmit.contents.len().div_ceil(first.len().max(1));
        peer.sent.note(now, packets);
        let route = peer.route();
        drop(peers);
        match route {
            Route::Relay => Sent::Nothing,
            Route::Direct(to) => {
                let way = Way::Direct(as_socket_wants(to, self.local));
                Sent::All(self.send(way, transmit.contents, transmit))
            }
            Route::Both(to) => {
                let way = Way::Direct(as_socket_wants(to, self.local));
                let _copy = self.send(way, transmit.contents, transmit);
                Sent::Copy
            }
        }
    }

    /// Takes a probe that came from `source`, or through the relay; whether it was one.
    pub(super) fn take_probe(
        &self,
        now: Instant,
        source: Option<SocketAddr>,
        packet: &[u8],
    ) -> bool {
        let mut peers = self.peers();
        let opened = peers.0.iter_mut().find_map(|peer| {
            let probe = peer.keys.open(packet)?;
            Some((peer, probe))
        });
        let Some((peer, probe)) = opened else {
            return false;
        };
        let answer = peer.answer(now, source, probe, |address| self.reachable(address));
        drop(peers);
        if let (Some(packet), Some(source)) = (answer, source) {
            self.send_probe(source, &packet);
        }
        self.direct_changed
            .send_modify(|changes| *changes = changes.wrapping_add(1));
        true
    }

    /// Whether a packet from `source` is the peer's, come the direct way.
    pub(super) fn is_direct(&self, now: Instant, source: SocketAddr, packet: &[u8]) -> bool {
        let mut peers = self.peers();
        let source = canonical(source);
        let Some(peer) = peers
            .0
            .iter_mut()
            .find(|peer| peer.sources.contains(&source))
        else {
            return false;
        };
        let is_ours = cid::destination(packet) == Some(self.own);
        if is_ours && let Some(direct) = &mut peer.direct {
            direct.handle_heard(now, source);
        }
        is_ours
    }

    /// A candidate as our socket can send to it; `None` if it cannot, or must not.
    fn reachable(&self, address: SocketAddr) -> Option<SocketAddr> {
        let is_of_our_family = self.local.is_ipv6() || address.is_ipv4();
        (is_of_our_family && is_sendable(address)).then_some(address)
    }

    fn send_probe(&self, to: SocketAddr, packet: &[u8]) {
        let transmit = Transmit {
            destination: as_socket_wants(to, self.local),
            ecn: None,
            contents: packet,
            segment_size: None,
            src_ip: None,
        };
        // A full socket loses it like a full router; there will be another.
        let _lost = self.io.try_send(&transmit);
    }

    fn send_by_relay(&self, packet: &[u8]) {
        let transmit = Transmit {
            destination: self.virtual_address,
            ecn: None,
            contents: packet,
            segment_size: None,
            src_ip: None,
        };
        let outgoing = self.table().outgoing(packet);
        if let Outgoing::Send(way) | Outgoing::Both(way, _) = outgoing {
            let _lost = self.send(way, packet, &transmit);
        }
    }

    fn peers(&self) -> MutexGuard<'_, Peers> {
        self.direct.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer {
    fn route(&self) -> Route {
        self.direct.as_ref().map_or(Route::Relay, Direct::route)
    }

    /// Begins. Both sides do at the same moment, whichever admits the other first: whoever has heard nothing yet
    /// hears the other's candidates half a round trip after the other told them, and whoever has waits for as long.
    /// A translator that takes unasked packets for its own would give our port away to a probe that comes before our
    /// first.
    fn admit(&mut self, now: Instant, half_way: Duration) {
        if self.direct.is_some() {
            return;
        }
        let early = std::mem::take(&mut self.early);
        let start = if early.is_empty() {
            now
        } else {
            now + half_way
        };
        let mut direct = Direct::new(start);
        for candidate in early {
            direct.add_candidate(now, candidate);
        }
        self.direct = Some(direct);
        self.next_tell = Some(now);
    }

    /// What to answer to who said `probe`.
    fn answer(
        &mut self,
        now: Instant,
        source: Option<SocketAddr>,
        probe: Probe,
        reachable: impl Fn(SocketAddr) -> Option<SocketAddr>,
    ) -> Option<Vec<u8>> {
        let Some(direct) = &mut self.direct else {
            // The peer may have admitted us before we do it, so what it tells is kept. Nothing else counts.
            if let Probe::Candidates { list, .. } = probe {
                let list = list.into_iter().filter_map(reachable);
                self.early = list.take(MAX_CANDIDATES).collect();
            }
            return None;
        };
        match probe {
            Probe::Ping { n } => {
                let source = canonical(source?);
                if !self.replays.is_new(n) {
                    return None;
                }
                direct.handle_ping(now, source);
                self.note_source(source);
                Some(self.keys.seal(&Probe::Pong { n, seen: source }))
            }
            Probe::Pong { n, .. } => {
                let source = canonical(source?);
                direct.handle_pong(now, n);
                self.note_source(source);
                None
            }
            Probe::Candidates { list, .. } => {
                for candidate in list.into_iter().filter_map(reachable) {
                    direct.add_candidate(now, candidate);
                }
                None
            }
        }
    }

    fn note_source(&mut self, source: SocketAddr) {
        if self.sources.contains(&source) {
            return;
        }
        if self.sources.len() >= MAX_SOURCES {
            self.sources.remove(0);
        }
        self.sources.push(source);
    }

    /// A packet with our candidates, when it is time to tell them.
    fn tell(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.next_tell.filter(|at| *at <= now)?;
        self.told = self.told.saturating_add(1);
        let pause = TELL.get(self.told).copied().map(Duration::from_millis);
        self.next_tell = pause.map(|pause| now + pause);
        let n = u32::try_from(self.told).unwrap_or(u32::MAX);
        let list = self.candidates.clone();
        Some(self.keys.seal(&Probe::Candidates { n, list }))
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
