//! Address translation in front of a simulated host.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// How a host's addresses are translated (RFC 4787).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nat {
    /// Not at all.
    None,
    /// One outer port for all destinations (endpoint-independent mapping); only who was written to may answer
    /// (address and port-dependent filtering).
    Cone,
    /// An outer port for each destination (address and port-dependent mapping), filtered as above.
    Symmetric,
}

/// First outer port.
const FIRST_PORT: u16 = 20_000;

#[derive(Debug)]
pub(super) struct Translator {
    nat: Nat,
    /// Outer port of an inner port, for one destination where that matters.
    outer: BTreeMap<(u16, Option<SocketAddr>), u16>,
    inner: BTreeMap<u16, u16>,
    /// Who may write to an outer port.
    allowed: BTreeSet<(u16, SocketAddr)>,
    next: u16,
}

impl Translator {
    pub(super) fn new(nat: Nat) -> Self {
        Self {
            nat,
            outer: BTreeMap::new(),
            inner: BTreeMap::new(),
            allowed: BTreeSet::new(),
            next: FIRST_PORT,
        }
    }

    /// The address that the host itself sees.
    pub(super) fn inner_address(&self, outer: IpAddr) -> IpAddr {
        match self.nat {
            Nat::None => outer,
            Nat::Cone | Nat::Symmetric => Ipv4Addr::new(10, 0, 0, 1).into(),
        }
    }

    /// The port that a packet to `to` from the inner port seems to come from.
    pub(super) fn outgoing(&mut self, port: u16, to: SocketAddr) -> u16 {
        let key = match self.nat {
            Nat::None => return port,
            Nat::Cone => (port, None),
            Nat::Symmetric => (port, Some(to)),
        };
        let next = &mut self.next;
        let outer = *self.outer.entry(key).or_insert_with(|| {
            *next += 1;
            *next
        });
        self.inner.insert(outer, port);
        self.allowed.insert((outer, to));
        outer
    }

    /// The inner port of a packet to the outer one; `None` if it is not let in.
    pub(super) fn incoming(&self, port: u16, from: SocketAddr) -> Option<u16> {
        match self.nat {
            Nat::None => Some(port),
            Nat::Cone | Nat::Symmetric if self.allowed.contains(&(port, from)) => {
                self.inner.get(&port).copied()
            }
            Nat::Cone | Nat::Symmetric => None,
        }
    }

    pub(super) fn forget(&mut self) {
        self.outer.clear();
        self.inner.clear();
        self.allowed.clear();
    }
}
