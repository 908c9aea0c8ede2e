//! Which way a packet takes, and where one came from: a pure table, asked by the socket for every packet.
//!
//! The table knows the ways to the relay, over UDP and over a stream. [`relay`] decides which of them packets
//! take, the table keeps to it.

use std::{
    fmt,
    net::SocketAddr,
    time::{Duration, Instant},
};

use alongside_protocol::{LegToken, cid};

mod closed;
pub mod direct;
pub mod relay;

pub use closed::ClosedWay;

use relay::{Hop, RelayWays};

/// The kinds of way, as people and records know them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathKind {
    /// No way at the moment; packets are dropped and sent again later.
    #[default]
    None,
    /// UDP from peer to peer.
    Direct,
    /// UDP through the relay.
    RelayQuic,
    /// TLS to the relay.
    RelayTls,
    /// TLS to the relay through an HTTP proxy.
    RelayProxy,
}

impl PathKind {
    /// Word for records and the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Direct => "direct",
            Self::RelayQuic => "relay-quic",
            Self::RelayTls => "relay-tls",
            Self::RelayProxy => "relay-proxy",
        }
    }
}

impl fmt::Display for PathKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One way that a packet can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Way {
    /// As a UDP datagram to the relay, which forwards it by its connection ID.
    RelayUdp(SocketAddr),
    /// Straight to the peer.
    Direct(SocketAddr),
    /// As a message on the stream to the relay, which forwards it likewise.
    RelayStream(StreamKind),
}

/// How the stream to the relay was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamKind {
    /// TLS to the relay.
    Tls,
    /// TLS to the relay, through an HTTP proxy.
    Proxy,
}

impl Way {
    /// How the way is shown.
    pub const fn kind(self) -> PathKind {
        match self {
            Self::RelayUdp(_) => PathKind::RelayQuic,
            Self::Direct(_) => PathKind::Direct,
            Self::RelayStream(StreamKind::Tls) => PathKind::RelayTls,
            Self::RelayStream(StreamKind::Proxy) => PathKind::RelayProxy,
        }
    }
}

/// What to do with a packet of an end-to-end connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Send it this way.
    Send(Way),
    /// Send it both ways, as nobody knows which of them carries; the other side takes the first that comes.
    Both(Way, Way),
    /// It is a stateless reset (RFC 9000, section 10.3), made of random bytes: whoever of the peers it is
    /// for must be written into it.
    Reset,
    /// Nobody we know; drop it.
    Drop,
}

/// Whose a received packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// An end-to-end connection's.
    EndToEnd,
    /// The control connection's.
    Control,
    /// The relay's answer to the probe: packets pass.
    ProbeAnswer,
    /// Nobody's: it did not come from where we sent to.
    Foreign,
}

/// Peers that are remembered; a leg has one at a time, the others are for the last words of earlier ones.
pub const MAX_PEERS: usize = 8;

/// Silence of the relay after which people are told that the leg is missing: three accessible checks.
pub const MISSING_AFTER: Duration = Duration::from_secs(15);

/// Packets sent within [`BUSY`] that make a session busy. An idle one sends its accessible checks, which are fewer.
const BUSY_PACKETS: usize = 5;

/// How long traffic counts.
const BUSY: Duration = Duration::from_secs(2);

/// When the last packets of a session were sent, the oldest of them next to be overwritten.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SentLately {
    at: [Option<Instant>; BUSY_PACKETS],
    next: usize,
}

impl SentLately {
    pub(crate) fn note(&mut self, now: Instant, packets: usize) {
        for _ in 0..packets.min(BUSY_PACKETS) {
            if let Some(slot) = self.at.get_mut(self.next) {
                *slot = Some(now);
            }
            self.next = (self.next + 1) % BUSY_PACKETS;
        }
    }

    pub(crate) fn is_busy(&self, now: Instant) -> bool {
        let oldest = self.at.get(self.next).copied().flatten();
        oldest.is_some_and(|at| now.saturating_duration_since(at) < BUSY)
    }
}

/// The ways of one leg and of the peers behind it.
#[derive(Debug)]
pub struct PathTable {
    own: LegToken,
    /// Where the relay takes UDP.
    udp: SocketAddr,
    stream: Option<StreamKind>,
    ways: RelayWays,
    /// When anything came from the relay, and when over UDP.
    heard: Instant,
    heard_udp: Instant,
    has_heard_udp: bool,
    sent: SentLately,
    /// Connection ID of the probe that is out.
    probe: Option<LegToken>,
    /// Newest last.
    peers: Vec<LegToken>,
}

impl PathTable {
    /// A table for the leg that holds `own`, with the relay at `relay` over UDP as the only way.
    pub fn new(own: LegToken, relay: SocketAddr, now: Instant) -> Self {
        Self {
            own,
            udp: relay,
            stream: None,
            ways: RelayWays::all(Hop::Udp),
            heard: now,
            heard_udp: now,
            has_heard_udp: false,
            sent: SentLately::default(),
            probe: None,
            peers: Vec::new(),
        }
    }

    /// Lets packets go to `peer`; forgets the oldest of more than [`MAX_PEERS`].
    pub fn add_peer(&mut self, peer: LegToken) {
        self.peers.retain(|known| *known != peer);
        self.peers.push(peer);
        if self.peers.len() > MAX_PEERS {
            self.peers.remove(0);
        }
    }

    /// The peers that packets may go to, newest last.
    pub fn peers(&self) -> &[LegToken] {
        &self.peers
    }

    /// Whether the relay has an address for UDP.
    pub fn knows_relay(&self) -> bool {
        !self.udp.ip().is_unspecified()
    }

    /// There is a stream to the relay, or none any more.
    pub fn set_stream(&mut self, stream: Option<StreamKind>) {
        self.stream = stream;
    }

    /// Makes packets take these ways to the relay.
    pub fn set_ways(&mut self, ways: RelayWays) {
        self.ways = ways;
    }

    /// Whether the first choice of session packets is there, and how it is shown.
    pub fn kind(&self) -> PathKind {
        self.way(self.ways.sessions)
            .map_or(PathKind::None, Way::kind)
    }

    /// The way that the control connection's packets take.
    pub fn control(&self) -> Option<Way> {
        self.way(self.ways.control)
    }

    /// The way that session packets take, if there is one.
    pub fn sessions(&self) -> Option<Way> {
        self.way(self.ways.sessions)
    }

    fn way(&self, hop: Hop) -> Option<Way> {
        match hop {
            Hop::Udp => Some(Way::RelayUdp(self.udp)),
            Hop::Stream => self.stream.map(Way::RelayStream),
        }
    }

    /// What becomes of a packet that an end-to-end connection wants to send.
    pub fn outgoing(&self, packet: &[u8]) -> Outgoing {
        let other = self
            .ways
            .doubled
            .then(|| self.way(self.ways.sessions.other()));
        let ways = (self.way(self.ways.sessions), other.flatten());
        match cid::destination(packet) {
            Some(token) if self.peers.contains(&token) => match ways {
                (Some(first), Some(second)) => Outgoing::Both(first, second),
                (Some(only), None) | (None, Some(only)) => Outgoing::Send(only),
                (None, None) => Outgoing::Drop,
            },
            Some(_) if is_short_header(packet) => Outgoing::Reset,
            Some(_) | None => Outgoing::Drop,
        }
    }

    /// Takes note that `packets` of a session were sent; whether the session has become busy with them.
    pub fn note_sent(&mut self, now: Instant, packets: usize) -> bool {
        let was_busy = self.sent.is_busy(now);
        self.sent.note(now, packets);
        !was_busy && self.sent.is_busy(now)
    }

    /// Whose packet came over UDP from `source`; takes note that its way lives.
    pub fn incoming(&mut self, now: Instant, source: SocketAddr, packet: &[u8]) -> Incoming {
        if canonical(self.udp) != canonical(source) {
            return Incoming::Foreign;
        }
        if self.probe.is_some() && version_negotiation_for(packet) == self.probe {
            return Incoming::ProbeAnswer;
        }
        self.heard_udp = self.heard_udp.max(now);
        self.has_heard_udp = true;
        self.incoming_from_relay(now, packet)
    }

    /// Whose packet came over the stream.
    pub fn incoming_stream(&mut self, now: Instant, packet: &[u8]) -> Incoming {
        self.incoming_from_relay(now, packet)
    }

    fn incoming_from_relay(&mut self, now: Instant, packet: &[u8]) -> Incoming {
        self.heard = self.heard.max(now);
        if cid::destination(packet) == Some(self.own) {
            Incoming::EndToEnd
        } else {
            Incoming::Control
        }
    }

    /// A packet for the relay that any QUIC server answers without keeping anything of it (RFC 9000,
    /// section 6.1), and where to send it: `id` must be fresh random bytes.
    pub fn probe(&mut self, id: LegToken) -> (SocketAddr, Vec<u8>) {
        self.probe = Some(id);
        (self.udp, probe_packet(id))
    }

    /// Whether anything has come from the relay over UDP.
    pub const fn has_heard_udp(&self) -> bool {
        self.has_heard_udp
    }

    /// How long nothing at all came from the relay.
    pub fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard)
    }

    /// What a decision about the ways needs to know.
    pub fn observed(&self, now: Instant) -> relay::Observed {
        relay::Observed {
            heard_udp: self.heard_udp,
            is_busy: self.sent.is_busy(now),
            is_wanted: false,
        }
    }
}

/// Least length of a packet that a server answers with the versions it knows.
const PROBE_LEN: usize = 1200;

/// A version that nobody will ever speak (RFC 9000, section 15).
const NO_VERSION: [u8; 4] = [0x2a, 0x3a, 0x4a, 0x5a];

fn probe_packet(id: LegToken) -> Vec<u8> {
    let mut packet = vec![0xc0];
    packet.extend_from_slice(&NO_VERSION);
    // Destination and source, both ours: the answer swaps them.
    for _ in 0..2 {
        packet.push(8);
        packet.extend_from_slice(&id.0);
    }
    packet.resize(PROBE_LEN, 0);
    packet
}

/// The destination of a Version Negotiation packet (RFC 9000, section 17.2.1).
fn version_negotiation_for(packet: &[u8]) -> Option<LegToken> {
    let is_negotiation = !is_short_header(packet) && packet.get(1..5) == Some(&[0; 4]);
    let id = packet
        .get(6..14)
        .filter(|_| is_negotiation && packet.get(5) == Some(&8))?;
    id.first_chunk().copied().map(LegToken)
}

/// RFC 8999, section 5.2.
fn is_short_header(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first & 0x80 == 0)
}

/// An IPv4 address is the same whether a dual-stack socket shows it as IPv6 or not.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: LegToken = LegToken(*b"our own!");
    const PEER: LegToken = LegToken(*b"the peer");

    fn table() -> (PathTable, SocketAddr, Instant) {
        let (relay, now) = (
            "192.0.2.1:443".parse().unwrap(),
            tokio::time::Instant::now().into_std(),
        );
        (PathTable::new(OWN, relay, now), relay, now)
    }

    fn short(token: LegToken) -> Vec<u8> {
        [&[0x41], token.0.as_slice(), &[7; 30]].concat()
    }

    fn long(token: LegToken) -> Vec<u8> {
        [&[0xc3, 0, 0, 0, 1, 16], token.0.as_slice(), &[7; 30]].concat()
    }

    #[test]
    fn packets_go_to_known_peers_only() {
        let (mut table, relay, _) = table();
        assert_eq!(table.outgoing(&long(PEER)), Outgoing::Drop);
        table.add_peer(PEER);
        assert_eq!(
            table.outgoing(&long(PEER)),
            Outgoing::Send(Way::RelayUdp(relay))
        );
        assert_eq!(
            table.outgoing(&short(PEER)),
            Outgoing::Send(Way::RelayUdp(relay))
        );
        assert_eq!(
            table.outgoing(&long(LegToken(*b"somebody"))),
            Outgoing::Drop
        );
        assert_eq!(
            table.outgoing(&short(LegToken(*b"\x9c\x01random"))),
            Outgoing::Reset
        );
        assert_eq!(table.outgoing(&[]), Outgoing::Drop);
    }

    #[test]
    fn the_oldest_peer_is_forgotten() {
        let (mut table, ..) = table();
        table.add_peer(PEER);
        for n in 0..MAX_PEERS {
            table.add_peer(LegToken([n as u8; 8]));
        }
        assert_eq!(table.peers().len(), MAX_PEERS);
        assert_eq!(table.outgoing(&long(PEER)), Outgoing::Drop);
    }

    #[test]
    fn packets_are_told_apart_by_token_and_taken_from_the_relay_alone() {
        let (mut table, relay, now) = table();
        assert_eq!(table.incoming(now, relay, &short(OWN)), Incoming::EndToEnd);
        assert_eq!(table.incoming(now, relay, &long(OWN)), Incoming::EndToEnd);
        assert_eq!(table.incoming(now, relay, &short(PEER)), Incoming::Control);
        assert_eq!(table.incoming(now, relay, &[]), Incoming::Control);
        let mapped = "[::ffff:192.0.2.1]:443".parse().unwrap();
        assert_eq!(table.incoming(now, mapped, &short(OWN)), Incoming::EndToEnd);
        for stranger in ["192.0.2.1:444", "192.0.2.2:443", "[fd61::1]:443"] {
            assert_eq!(
                table.incoming(now, stranger.parse().unwrap(), &long(OWN)),
                Incoming::Foreign
            );
        }
    }

    #[test]
    fn silence_ends_with_the_relays_next_packet_and_nobody_elses() {
        let (mut table, relay, start) = table();
        let later = start + Duration::from_secs(16);
        table.incoming(later, "198.51.100.1:443".parse().unwrap(), &short(OWN));
        assert!(table.silence(later) > MISSING_AFTER);
        table.incoming(later, relay, &short(OWN));
        assert_eq!(table.silence(later), Duration::ZERO);
    }

    #[test]
    fn packets_take_the_ways_that_were_decided_and_the_other_one_as_well_in_doubt() {
        let (mut table, relay, _) = table();
        table.add_peer(PEER);
        let (udp, tls) = (Way::RelayUdp(relay), Way::RelayStream(StreamKind::Tls));
        let doubled = RelayWays {
            doubled: true,
            ..RelayWays::all(Hop::Stream)
        };
        table.set_ways(doubled);
        assert_eq!(table.outgoing(&short(PEER)), Outgoing::Send(udp));
        assert_eq!(table.kind(), PathKind::None);
        table.set_stream(Some(StreamKind::Tls));
        assert_eq!(table.outgoing(&short(PEER)), Outgoing::Both(tls, udp));
        table.set_ways(RelayWays::all(Hop::Stream));
        assert_eq!(table.outgoing(&short(PEER)), Outgoing::Send(tls));
        assert_eq!(
            (table.kind(), table.control()),
            (PathKind::RelayTls, Some(tls))
        );
        table.set_stream(None);
        assert_eq!(table.outgoing(&short(PEER)), Outgoing::Drop);
    }

    #[test]
    fn only_the_answer_to_the_probe_that_is_out_counts() {
        let (mut table, relay, now) = table();
        let id = LegToken(*b"probe id");
        let answer = |id: LegToken| [&[0xf1, 0, 0, 0, 0, 8], &id.0[..], &[8], &[7; 12]].concat();
        assert_eq!(table.incoming(now, relay, &answer(id)), Incoming::Control);
        let (to, packet) = table.probe(id);
        assert_eq!((to, packet.len()), (relay, 1200));
        let later = now + Duration::from_secs(1);
        assert_eq!(
            table.incoming(later, relay, &answer(id)),
            Incoming::ProbeAnswer
        );
        assert_eq!(
            table.observed(later).heard_udp,
            now,
            "a probe is no sign of the leg's life"
        );
        let other = answer(LegToken(*b"other id"));
        assert_eq!(table.incoming(now, relay, &other), Incoming::Control);
    }

    #[test]
    fn a_session_is_busy_while_it_sends_more_than_checks() {
        let (mut table, _, start) = table();
        for check in 0..20 {
            let now = start + Duration::from_secs(check) * 5;
            table.note_sent(now, 2);
            assert!(!table.observed(now).is_busy);
        }
        let now = start + Duration::from_secs(200);
        table.note_sent(now, 5);
        assert!(table.observed(now + Duration::from_millis(1999)).is_busy);
        assert!(!table.observed(now + Duration::from_secs(2)).is_busy);
    }

    #[test]
    fn kinds_have_the_words_that_people_know() {
        let kinds = [
            PathKind::None,
            PathKind::Direct,
            PathKind::RelayQuic,
            PathKind::RelayTls,
            PathKind::RelayProxy,
        ];
        assert_eq!(
            kinds.map(PathKind::as_str),
            ["none", "direct", "relay-quic", "relay-tls", "relay-proxy"]
        );
    }
}
