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
    /// Most home routers: [`Nat::Of`] with [`Dependence::Nothing`] and [`Dependence::AddressAndPort`].
    Cone,
    /// [`Nat::Of`] with [`Dependence::AddressAndPort`] twice.
    Symmetric,
    /// Any of the nine kinds of sections 4.1 and 5.
    Of {
        /// What a packet's outer port depends on, beside where it comes from.
        mapping: Dependence,
        /// What it depends on, beside the outer port, whether a packet is let in.
        filtering: Dependence,
    },
}

/// What a translator looks at of the other side, as RFC 4787 calls it: endpoint-independent, address-dependent, address
/// and port-dependent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependence {
    /// At nothing: all others are alike.
    Nothing,
    /// At the address.
    Address,
    /// At address and port.
    AddressAndPort,
}

impl Dependence {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Nothing, Self::Address, Self::AddressAndPort];

    fn key(self, other: SocketAddr) -> Option<SocketAddr> {
        match self {
            Self::Nothing => None,
            Self::Address => Some(SocketAddr::new(other.ip(), 0)),
            Self::AddressAndPort => Some(other),
        }
    }
}

impl Nat {
    /// None, and the nine kinds that there are.
    pub fn all() -> impl Iterator<Item = Self> {
        let pairs = Dependence::ALL.into_iter().flat_map(|mapping| {
            let of = move |filtering| Self::Of { mapping, filtering };
            Dependence::ALL.into_iter().map(of)
        });
        std::iter::once(Self::None).chain(pairs)
    }

    /// Mapping and filtering, if it translates.
    fn behaviour(self) -> Option<(Dependence, Dependence)> {
        match self {
            Self::None => None,
            Self::Cone => Some((Dependence::Nothing, Dependence::AddressAndPort)),
            Self::Symmetric => Some((Dependence::AddressAndPort, Dependence::AddressAndPort)),
            Self::Of { mapping, filtering } => Some((mapping, filtering)),
        }
    }

    /// Whether peers behind these two can reach each other once each knows where the relay sees the other: each probes
    /// that address, and answers where a probe comes from.
    pub fn lets_through(self, other: Self) -> bool {
        let (Some(ours), Some(theirs)) = (self.behaviour(), other.behaviour()) else {
            return true;
        };
        // Whose port for the peer is the one that the relay saw.
        let is_known = |(mapping, _): (Dependence, Dependence)| mapping == Dependence::Nothing;
        let lets_in =
            |(_, filtering): (Dependence, Dependence)| filtering != Dependence::AddressAndPort;
        match (is_known(ours), is_known(theirs)) {
            (true, true) => true,
            (true, false) => lets_in(ours),
            (false, true) => lets_in(theirs),
            (false, false) => false,
        }
    }
}

/// First outer port.
const FIRST_PORT: u16 = 20_000;

#[derive(Debug)]
pub(super) struct Translator {
    nat: Nat,
    /// Outer port of an inner port, for one destination where that matters.
    outer: BTreeMap<(u16, Option<SocketAddr>), u16>,
    inner: BTreeMap<u16, u16>,
    /// Who may write to an outer port, as far as the filter looks at them.
    allowed: BTreeSet<(u16, Option<SocketAddr>)>,
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
        match self.nat.behaviour() {
            None => outer,
            Some(_) => Ipv4Addr::new(10, 0, 0, 1).into(),
        }
    }

    /// The port that a packet to `to` from the inner port seems to come from.
    pub(super) fn outgoing(&mut self, port: u16, to: SocketAddr) -> u16 {
        let Some((mapping, filtering)) = self.nat.behaviour() else {
            return port;
        };
        let next = &mut self.next;
        let outer = *self
            .outer
            .entry((port, mapping.key(to)))
            .or_insert_with(|| {
                *next += 1;
                *next
            });
        self.inner.insert(outer, port);
        self.allowed.insert((outer, filtering.key(to)));
        outer
    }

    /// The inner port of a packet to the outer one; `None` if it is not let in.
    pub(super) fn incoming(&self, port: u16, from: SocketAddr) -> Option<u16> {
        let Some((_, filtering)) = self.nat.behaviour() else {
            return Some(port);
        };
        let is_let_in = self.allowed.contains(&(port, filtering.key(from)));
        self.inner.get(&port).copied().filter(|_| is_let_in)
    }

    pub(super) fn forget(&mut self) {
        self.outer.clear();
        self.inner.clear();
        self.allowed.clear();
    }
}
