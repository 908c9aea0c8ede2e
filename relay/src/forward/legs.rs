//! What the forwarder knows of legs: where they are, with whom they are paired, what went between them.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use alongside_protocol::LegToken;

use super::Traffic;
use crate::bucket::Bucket;

/// Most that may go to an unproven address for each byte that came from it (as RFC 9000, section 8.1).
const AMPLIFICATION: u64 = 3;

/// Bytes that may go to an unproven address before anything more came from it: about a second of a session at its
/// greatest rate, so that a picture does not stall when its viewer moves. Whoever copies a leg's packets to make
/// it look moved can point that much at somebody else, once until the leg has proved where it is.
const FIRST_CREDIT: u64 = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct Legs {
    pub(super) by_token: HashMap<LegToken, Leg>,
    /// How many legs are at an address.
    pub(super) addresses: HashMap<SocketAddr, u32>,
}

#[derive(Debug)]
pub(super) struct Leg {
    pub(super) at: Place,
    pub(super) peer: Option<Peer>,
}

/// The one leg that a leg is paired with, in place, so that a packet costs one look-up.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) token: LegToken,
    pub(super) at: Place,
    /// What goes from the peer to the leg.
    pub(super) lane: Arc<Lane>,
}

/// Where a leg is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) address: SocketAddr,
    /// Address of this host that the leg talks to.
    pub(super) local: Option<IpAddr>,
    /// What may still go to the address; `None` once the leg has proved that it is there.
    pub(super) credit: Option<Arc<AtomicU64>>,
}

/// One direction of a meeting.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) bytes: AtomicU64,
    pub(super) rate: Mutex<Bucket>,
}

/// Both directions of a meeting, for its access line.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(super) to_device: Arc<Lane>,
    pub(super) to_operator: Arc<Lane>,
}

impl Legs {
    pub(super) fn arrive_at(&mut self, address: SocketAddr) {
        let count = self.addresses.entry(address).or_insert(0);
        *count = count.saturating_add(1);
    }

    pub(super) fn leave_address(&mut self, token: LegToken) {
        let Some(address) = self.by_token.get(&token).map(|leg| leg.at.address) else {
            return;
        };
        if let Some(count) = self.addresses.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.addresses.remove(&address);
            }
        }
    }

    /// Brings the copy of `token`'s place up to date that its peer has.
    pub(super) fn tell_peer(&mut self, token: LegToken, place: &Place) {
        let Some(other) = self
            .by_token
            .get(&token)
            .and_then(|leg| Some(leg.peer.as_ref()?.token))
        else {
            return;
        };
        let copy = self
            .by_token
            .get_mut(&other)
            .and_then(|leg| leg.peer.as_mut());
        if let Some(copy) = copy.filter(|peer| peer.token == token) {
            copy.at = place.clone();
        }
    }

    /// Takes the peer away from both sides.
    pub(super) fn part(&mut self, token: LegToken) {
        let Some(peer) = self
            .by_token
            .get_mut(&token)
            .and_then(|leg| leg.peer.take())
        else {
            return;
        };
        if let Some(other) = self.by_token.get_mut(&peer.token)
            && other.peer.as_ref().is_some_and(|back| back.token == token)
        {
            other.peer = None;
        }
    }
}

impl Place {
    /// What an address that is not proved yet starts with.
    pub(super) fn first_credit() -> Arc<AtomicU64> {
        Arc::new(AtomicU64::new(FIRST_CREDIT))
    }

    /// Notes what came from here.
    pub(super) fn earn(&self, bytes: u64) {
        if let Some(credit) = &self.credit {
            credit.fetch_add(bytes.saturating_mul(AMPLIFICATION), Relaxed);
        }
    }

    /// Whether so much may go here.
    pub(super) fn spend(&self, bytes: u64) -> bool {
        let Some(credit) = &self.credit else {
            return true;
        };
        credit
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes))
            .is_ok()
    }
}

impl Lane {
    /// Counts `bytes`, unless they are too many.
    pub(super) fn take(&self, now: Instant, bytes: u64) -> bool {
        let fits = self
            .rate
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(now, bytes);
        if fits {
            self.bytes.fetch_add(bytes, Relaxed);
        }
        fits
    }
}

impl Meter {
    /// What went through so far.
    pub(crate) fn read(&self) -> Traffic {
        Traffic {
            to_device: self.to_device.bytes.load(Relaxed),
            to_operator: self.to_operator.bytes.load(Relaxed),
        }
    }
}
