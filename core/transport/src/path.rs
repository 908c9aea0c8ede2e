//! Which way a packet takes, and where one came from: a pure table, asked by the socket for every packet.
//!
//! The table knows the ways to a peer in order of preference. It holds the relay over UDP; the others, direct
//! UDP, TLS and TLS through a proxy, are further entries of [`Way`] with the same two questions to answer:
//! does this source belong to it, and does it carry packets now.

use std::{
    fmt,
    net::SocketAddr,
    time::{Duration, Instant},
};

use alongside_protocol::{LegToken, cid};

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
}

impl Way {
    /// How the way is shown.
    pub const fn kind(self) -> PathKind {
        match self {
            Self::RelayUdp(_) => PathKind::RelayQuic,
        }
    }

    /// Whether a datagram from `source` came this way.
    fn brings(self, source: SocketAddr) -> bool {
        match self {
            Self::RelayUdp(relay) => canonical(relay) == canonical(source),
        }
    }
}

/// What to do with a packet of an end-to-end connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Send it this way.
    Send(Way),
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
    /// Nobody's: it did not come from where we sent to.
    Foreign,
}

/// Peers that are remembered; a leg has one at a time, the others are for the last words of earlier ones.
pub const MAX_PEERS: usize = 8;

/// Silence of the relay after which people are told that the leg is missing: three accessible checks.
pub const MISSING_AFTER: Duration = Duration::from_secs(15);

/// The ways of one leg and of the peers behind it.
#[derive(Debug)]
pub struct PathTable {
    own: LegToken,
    relay: Way,
    heard: Instant,
    /// Newest last.
    peers: Vec<LegToken>,
}

impl PathTable {
    /// A table for the leg that holds `own`, with the relay at `relay` as the only way.
    pub fn new(own: LegToken, relay: SocketAddr, now: Instant) -> Self {
        Self {
            own,
            relay: Way::RelayUdp(relay),
            heard: now,
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

    /// The way to any peer now.
    pub fn way(&self) -> Way {
        self.relay
    }

    /// What becomes of a packet that an end-to-end connection wants to send.
    pub fn outgoing(&self, packet: &[u8]) -> Outgoing {
        match cid::destination(packet) {
            Some(token) if self.peers.contains(&token) => Outgoing::Send(self.relay),
            Some(_) if is_short_header(packet) => Outgoing::Reset,
            Some(_) | None => Outgoing::Drop,
        }
    }

    /// Whose packet came from `source`; takes note that its way lives.
    pub fn incoming(&mut self, now: Instant, source: SocketAddr, packet: &[u8]) -> Incoming {
        if !self.relay.brings(source) {
            return Incoming::Foreign;
        }
        self.heard = self.heard.max(now);
        if cid::destination(packet) == Some(self.own) {
            Incoming::EndToEnd
        } else {
            Incoming::Control
        }
    }

    /// How long nothing at all came from the relay.
    pub fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard)
    }
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
