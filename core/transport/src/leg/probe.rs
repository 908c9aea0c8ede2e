//! What two peers say to each other beside their connection, to find the direct way: sealed packets of at most
//! 64 bytes, keyed by the connection, so that the relay can neither read nor forge them.
//!
//! A probe looks to the relay like any packet of the session, and takes the same ways:
//! `0x40 | token [8] | mark [4] | nonce [12] | sealed (kind u8 | number u32 | ...) | tag [16]`.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use alongside_protocol::{LegToken, cid, relay::Role};
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{path::direct::MAX_CANDIDATES, random::random};

/// Label of the keys' exporter (RFC 8446, section 7.5).
const EXPORTER: &[u8] = b"EXPORTER-alongside-probe-1";

/// Both keys and both marks.
const EXPORTED: usize = 2 * (32 + MARK);

const MARK: usize = 4;
const TAG: usize = 16;
const HEAD: usize = 1 + cid::TOKEN_LEN + MARK;

/// Length of a full-size probe: that of a packet.
const FULL: usize = 1200;

/// An address on the wire: IPv6, or IPv4 mapped into it, and the port.
const ADDRESS: usize = 18;

/// One thing said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// Answer this, wherever it came from.
    Ping { n: u32 },
    /// The answer to ping `n`, which was seen to come from there.
    Pong { n: u32, seen: SocketAddr },
    /// Where the sender may be reached.
    Candidates { n: u32, list: Vec<SocketAddr> },
}

/// The keys of one connection, from one side.
pub(crate) struct ProbeKeys {
    peer: LegToken,
    seal: LessSafeKey,
    open: LessSafeKey,
    mark_out: [u8; MARK],
    mark_in: [u8; MARK],
}

impl ProbeKeys {
    /// The keys that `connection` gives the side that plays `role`; `None` if it is over.
    pub(crate) fn of(connection: &quinn::Connection, role: Role, peer: LegToken) -> Option<Self> {
        let mut exported = [0; EXPORTED];
        connection
            .export_keying_material(&mut exported, EXPORTER, b"")
            .ok()?;
        Self::from_exported(&exported, role, peer)
    }

    pub(crate) fn from_exported(
        exported: &[u8; EXPORTED],
        role: Role,
        peer: LegToken,
    ) -> Option<Self> {
        let (operator, device) = exported.split_at(EXPORTED / 2);
        let (ours, theirs) = match role {
            Role::Operator => (operator, device),
            Role::Device => (device, operator),
        };
        let key = |bytes: &[u8]| {
            let key = UnboundKey::new(&CHACHA20_POLY1305, bytes.get(MARK..)?).ok()?;
            Some(LessSafeKey::new(key))
        };
        Some(Self {
            peer,
            seal: key(ours)?,
            open: key(theirs)?,
            mark_out: *ours.first_chunk()?,
            mark_in: *theirs.first_chunk()?,
        })
    }

    /// Whose connection this is.
    pub(crate) fn peer(&self) -> LegToken {
        self.peer
    }

    /// A packet that says `probe`.
    pub(crate) fn seal(&self, probe: &Probe) -> Vec<u8> {
        self.seal_padded(probe.encode())
    }

    /// The same as large as a packet can be.
    pub(crate) fn seal_full(&self, probe: &Probe) -> Vec<u8> {
        let mut body = probe.encode();
        body.resize(FULL - HEAD - NONCE_LEN - TAG, 0);
        self.seal_padded(body)
    }

    fn seal_padded(&self, mut body: Vec<u8>) -> Vec<u8> {
        let mut packet = vec![0x40];
        packet.extend_from_slice(&self.peer.0);
        packet.extend_from_slice(&self.mark_out);
        let nonce = random::<NONCE_LEN>();
        packet.extend_from_slice(&nonce);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let sealed = self
            .seal
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut body);
        if sealed.is_err() {
            unreachable!("a packet is shorter than the cipher's limit")
        }
        packet.append(&mut body);
        packet
    }

    /// What a packet says, if it is a probe of the peer's.
    pub(crate) fn open(&self, packet: &[u8]) -> Option<Probe> {
        let mark = packet.get(HEAD - MARK..HEAD)?;
        if packet.first() != Some(&0x40) || mark != self.mark_in {
            return None;
        }
        let (nonce, sealed) = packet.get(HEAD..)?.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let body = self
            .open
            .open_in_place(nonce, Aad::empty(), &mut sealed)
            .ok()?;
        Probe::decode(body)
    }
}

impl fmt::Debug for ProbeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProbeKeys")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl Probe {
    fn encode(&self) -> Vec<u8> {
        let (kind, n, addresses): (u8, u32, &[SocketAddr]) = match self {
            Self::Ping { n } => (1, *n, &[]),
            Self::Pong { n, seen } => (2, *n, std::slice::from_ref(seen)),
            Self::Candidates { n, list } => (3, *n, list),
        };
        let mut body = vec![kind];
        body.extend_from_slice(&n.to_be_bytes());
        for address in addresses.iter().take(MAX_CANDIDATES) {
            let ip = match address.ip() {
                IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                IpAddr::V6(ip) => ip,
            };
            body.extend_from_slice(&ip.octets());
            body.extend_from_slice(&address.port().to_be_bytes());
        }
        body
    }

    /// Pings may be padded; everything else is as long as it must be.
    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        let (kind, rest) = body.split_first()?;
        let (n, rest) = rest.split_first_chunk::<4>()?;
        let n = u32::from_be_bytes(*n);
        match (kind, rest.len()) {
            (1, _) => Some(Self::Ping { n }),
            (2, ADDRESS) => Some(Self::Pong {
                n,
                seen: address(rest)?,
            }),
            (3, len) if len % ADDRESS == 0 && len / ADDRESS <= MAX_CANDIDATES => {
                let list = rest.chunks(ADDRESS).map(address).collect::<Option<_>>()?;
                Some(Self::Candidates { n, list })
            }
            _ => None,
        }
    }
}

fn address(bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = bytes.split_first_chunk::<16>()?;
    let ip = Ipv6Addr::from(*ip).to_canonical();
    Some(SocketAddr::new(
        ip,
        u16::from_be_bytes(*port.first_chunk()?),
    ))
}

/// Whether packets may be sent to `address` because a peer said so: not to this machine itself unless that is
/// where it is, not to many at once, not to nobody.
pub(crate) fn is_sendable(address: SocketAddr) -> bool {
    let ip = address.ip();
    let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !is_broadcast
}

/// Numbers that came: each counts once, and only if it is not far behind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Replays {
    highest: u32,
    seen: u64,
}

impl Replays {
    /// Whether `n` is new; takes note of it.
    pub(crate) fn is_new(&mut self, n: u32) -> bool {
        if n > self.highest {
            let ahead = n - self.highest;
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = n;
            return true;
        }
        let Some(bit) = 1_u64.checked_shl(self.highest - n) else {
            return false;
        };
        let is_new = self.seen & bit == 0;
        self.seen |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use alongside_protocol::fuzzing::mutations;

    use super::*;

    const OPERATOR: LegToken = LegToken(*b"operator");
    const DEVICE: LegToken = LegToken(*b"a device");

    fn keys() -> (ProbeKeys, ProbeKeys) {
        let exported: [u8; EXPORTED] = std::array::from_fn(|n| n as u8);
        (
            ProbeKeys::from_exported(&exported, Role::Operator, DEVICE).unwrap(),
            ProbeKeys::from_exported(&exported, Role::Device, OPERATOR).unwrap(),
        )
    }

    fn probes() -> Vec<Probe> {
        let v4 = "192.0.2.1:4000".parse().unwrap();
        let v6 = "[2001:db8::1]:443".parse().unwrap();
        vec![
            Probe::Ping { n: 1 },
            Probe::Pong { n: 2, seen: v4 },
            Probe::Candidates {
                n: 3,
                list: vec![v4, v6],
            },
            Probe::Candidates { n: 3, list: vec![] },
        ]
    }

    #[test]
    fn probes_arrive_and_the_small_ones_are_at_most_64_bytes() {
        let (operator, device) = keys();
        for probe in probes() {
            let packet = operator.seal(&probe);
            assert_eq!(cid::destination(&packet), Some(DEVICE));
            assert_eq!(device.open(&packet), Some(probe.clone()));
            if !matches!(probe, Probe::Candidates { .. }) {
                assert!(packet.len() <= 64, "{} bytes", packet.len());
            }
        }
        let full = device.seal_full(&Probe::Ping { n: 7 });
        assert_eq!(full.len(), 1200);
        assert_eq!(operator.open(&full), Some(Probe::Ping { n: 7 }));
    }

    #[test]
    fn forged_reflected_and_damaged_probes_are_none() {
        let (operator, device) = keys();
        let packet = operator.seal(&Probe::Ping { n: 1 });
        assert_eq!(operator.open(&packet), None, "reflected");
        let stranger = ProbeKeys::from_exported(&[9; EXPORTED], Role::Device, OPERATOR).unwrap();
        assert_eq!(stranger.open(&packet), None);
        for at in 9..packet.len() {
            let mut damaged = packet.clone();
            damaged[at] ^= 1;
            assert_eq!(device.open(&damaged), None, "byte {at}");
        }
        for len in 0..packet.len() {
            assert_eq!(device.open(&packet[..len]), None, "{len} bytes");
        }
    }

    #[test]
    fn no_mutation_of_what_was_said_does_harm() {
        let bodies: Vec<Vec<u8>> = probes().iter().map(Probe::encode).collect();
        let seeds: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        mutations(&seeds, 10_000, crate::fuzzing::probe);
    }

    #[test]
    fn each_number_counts_once() {
        let mut replays = Replays::default();
        assert!(replays.is_new(5) && !replays.is_new(5));
        assert!(replays.is_new(3) && !replays.is_new(3));
        assert!(replays.is_new(100) && !replays.is_new(5) && replays.is_new(40));
        assert!(!replays.is_new(36), "too far behind");
    }

    #[test]
    fn nobody_can_make_us_send_to_many_or_to_nobody() {
        for address in [
            "0.0.0.0:1",
            "224.0.0.1:1",
            "255.255.255.255:1",
            "192.0.2.1:0",
            "[ff02::1]:1",
            "[::]:1",
        ] {
            assert!(!is_sendable(address.parse().unwrap()), "{address}");
        }
        assert!(is_sendable("10.0.0.1:1".parse().unwrap()));
    }
}
