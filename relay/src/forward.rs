//! Forwards QUIC packets verbatim between paired legs, by the token in their destination connection ID.
//!
//! Nothing here decrypts, answers or keeps a packet: one comes in, at most one goes out, as long as its source is
//! the very address of the leg that is paired with the one it wants to go to.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use alongside_protocol::LegToken;

use crate::{bucket::Bucket, config::Limits};

mod join;
mod legs;
mod own;
mod rest;
mod route;
mod socket;
mod streams;

pub(crate) use legs::Meter;
pub(crate) use own::Own;
pub(crate) use rest::Rest;
pub(crate) use socket::ForwardingSocket;
pub(crate) use streams::{Outlet, Streams};

use legs::{Lane, Leg, Legs, Peer, Place};

/// Who is where, and who is paired with whom.
#[derive(Debug)]
pub struct Table {
    own: LegToken,
    limits: Limits,
    legs: RwLock<Legs>,
    counters: Counters,
}

/// Bytes forwarded in a meeting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From the operator to the device.
    pub to_device: u64,
    /// From the device to the operator.
    pub to_operator: u64,
}

/// What the forwarder has done so far, in packets where nothing else is said.
#[derive(Debug, Default)]
struct Counters {
    forwarded: AtomicU64,
    forwarded_bytes: AtomicU64,
    own: AtomicU64,
    unknown: AtomicU64,
    denied: AtomicU64,
    over_rate: AtomicU64,
    unproven: AtomicU64,
    full: AtomicU64,
}

/// A look at the forwarder's counters, in packets where nothing else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForwardStats {
    /// Sent on.
    pub forwarded: u64,
    /// Bytes sent on.
    pub forwarded_bytes: u64,
    /// For the relay itself.
    pub own: u64,
    /// With a token that nobody has.
    pub unknown: u64,
    /// For a leg that is not paired with the sender.
    pub denied: u64,
    /// Above the meeting's rate.
    pub over_rate: u64,
    /// For a leg whose new address is not proved.
    pub unproven: u64,
    /// Lost because the socket was full.
    pub full: u64,
}

impl Table {
    /// A table without legs, of a relay whose own connection IDs start with `own`.
    pub fn new(own: LegToken, limits: &Limits) -> Self {
        Self {
            own,
            limits: limits.clone(),
            legs: RwLock::default(),
            counters: Counters::default(),
        }
    }

    /// Puts a leg into the table, or where it is now.
    pub(crate) fn insert(&self, token: LegToken, address: SocketAddr, local: Option<IpAddr>) {
        let mut legs = self.write();
        let place = Place {
            address,
            local,
            credit: None,
        };
        legs.leave_address(token);
        legs.arrive_at(address);
        match legs.by_token.get_mut(&token) {
            Some(leg) => leg.at = place.clone(),
            None => {
                legs.by_token.insert(
                    token,
                    Leg {
                        at: place.clone(),
                        peer: None,
                    },
                );
            }
        }
        legs.tell_peer(token, &place);
    }

    /// Notes that a leg moved. Packets from the new address are good at once; the new address gets a first credit
    /// and three times what comes from it until [`Table::prove`], for a copied packet with somebody else's address as its
    /// source looks just like a move. Returns whether it is somewhere else than before.
    pub(crate) fn move_to(
        &self,
        token: LegToken,
        address: SocketAddr,
        local: Option<IpAddr>,
    ) -> bool {
        let mut legs = self.write();
        let credit = match legs.by_token.get(&token) {
            Some(leg) if leg.at.address != address => leg.at.credit.clone(),
            Some(_) | None => return false,
        };
        // Moving to and fro does not earn a new first credit.
        let credit = credit.unwrap_or_else(Place::first_credit);
        let place = Place {
            address,
            local,
            credit: Some(credit),
        };
        legs.leave_address(token);
        legs.arrive_at(address);
        if let Some(leg) = legs.by_token.get_mut(&token) {
            leg.at = place.clone();
        }
        legs.tell_peer(token, &place);
        true
    }

    /// The leg is where the table says: it answered there.
    pub(crate) fn prove(&self, token: LegToken, address: SocketAddr) {
        let mut legs = self.write();
        let Some(leg) = legs
            .by_token
            .get_mut(&token)
            .filter(|leg| leg.at.address == address)
        else {
            return;
        };
        leg.at.credit = None;
        let place = leg.at.clone();
        legs.tell_peer(token, &place);
    }

    /// Forgets a leg.
    pub(crate) fn remove(&self, token: LegToken) {
        let mut legs = self.write();
        legs.leave_address(token);
        legs.part(token);
        legs.by_token.remove(&token);
    }

    /// From now on the two may send to each other. `None` if one of them is not there.
    pub(crate) fn pair(&self, operator: LegToken, device: LegToken) -> Option<Meter> {
        let mut legs = self.write();
        let operator_at = legs.by_token.get(&operator)?.at.clone();
        let device_at = legs.by_token.get(&device)?.at.clone();
        let meter = Meter {
            to_device: self.lane(),
            to_operator: self.lane(),
        };
        let to_device = Peer {
            token: operator,
            at: operator_at,
            lane: Arc::clone(&meter.to_device),
        };
        let to_operator = Peer {
            token: device,
            at: device_at,
            lane: Arc::clone(&meter.to_operator),
        };
        for (token, peer) in [(device, to_device), (operator, to_operator)] {
            legs.part(token);
            if let Some(leg) = legs.by_token.get_mut(&token) {
                leg.peer = Some(peer);
            }
        }
        Some(meter)
    }

    /// From now on a leg may send to nobody.
    pub(crate) fn part(&self, token: LegToken) {
        self.write().part(token);
    }

    /// Whether a leg is at `address`.
    pub(crate) fn is_leg_at(&self, address: SocketAddr) -> bool {
        self.read().addresses.contains_key(&address)
    }

    /// The counters.
    pub fn stats(&self) -> ForwardStats {
        let counters = &self.counters;
        ForwardStats {
            forwarded: counters.forwarded.load(Relaxed),
            forwarded_bytes: counters.forwarded_bytes.load(Relaxed),
            own: counters.own.load(Relaxed),
            unknown: counters.unknown.load(Relaxed),
            denied: counters.denied.load(Relaxed),
            over_rate: counters.over_rate.load(Relaxed),
            unproven: counters.unproven.load(Relaxed),
            full: counters.full.load(Relaxed),
        }
    }

    /// Routes one buffer and counts: bytes sent on and bytes kept, together.
    pub(crate) fn route_for_fuzzing(
        &self,
        now: Instant,
        meta: &quinn::udp::RecvMeta,
        buffer: &mut [u8],
    ) -> usize {
        let mut sent = 0_usize;
        let kept = self.route(&self.read(), now, meta, buffer, 8, |transmit| {
            sent = sent.saturating_add(transmit.contents.len());
            Ok(())
        });
        sent.saturating_add(kept)
    }

    fn lane(&self) -> Arc<Lane> {
        let bytes_per_s = u64::from(self.limits.meeting_kbps).saturating_mul(125);
        let burst = u64::from(self.limits.meeting_burst_bytes);
        let rate = Mutex::new(Bucket::new(bytes_per_s, Duration::from_secs(1), burst));
        Arc::new(Lane {
            bytes: AtomicU64::new(0),
            rate,
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, Legs> {
        self.legs.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Legs> {
        self.legs.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
