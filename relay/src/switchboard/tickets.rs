//! Tickets of pairings: sealed when two legs meet, recognised by every later process with the same state.

use std::{
    fmt,
    time::{Duration, Instant},
};

use alongside_protocol::relay::PairingTicket;
use aws_lc_rs::hmac;

/// How long a ticket is worth something: as long as a session may last at most.
const WORTH: Duration = Duration::from_secs(24 * 3600);

/// Makes tickets and recognises them.
pub struct Tickets {
    key: hmac::Key,
    /// One instant by both clocks.
    at: Instant,
    since_1970: Duration,
}

impl Tickets {
    /// Tickets sealed with `key`, which derives from the relay's state; it is `since_1970` at `now`.
    pub fn new(key: &[u8; 32], now: Instant, since_1970: Duration) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            at: now,
            since_1970,
        }
    }

    /// Dates the ticket and seals it.
    pub(super) fn seal(&self, started: Instant, mut ticket: PairingTicket) -> PairingTicket {
        ticket.started = self.unix(started);
        ticket.expires = ticket.started.saturating_add(WORTH.as_secs());
        let tag = hmac::sign(&self.key, &ticket.sealed());
        if let Some(tag) = tag.as_ref().first_chunk() {
            ticket.seal = *tag;
        }
        ticket
    }

    /// Whether this relay, or an earlier process of it, has sealed the ticket.
    pub(super) fn is_ours(&self, ticket: &PairingTicket) -> bool {
        hmac::verify(&self.key, &ticket.sealed(), &ticket.seal).is_ok()
    }

    pub(super) fn is_over(&self, now: Instant, ticket: &PairingTicket) -> bool {
        self.unix(now) >= ticket.expires
    }

    /// When the meeting of a ticket began, by this process's clock.
    pub(super) fn started(&self, now: Instant, ticket: &PairingTicket) -> Instant {
        let ago = Duration::from_secs(self.unix(now).saturating_sub(ticket.started));
        now.checked_sub(ago).unwrap_or(now)
    }

    fn unix(&self, at: Instant) -> u64 {
        let since = at.checked_duration_since(self.at);
        let before = self.at.saturating_duration_since(at);
        let passed = since.map_or_else(
            || self.since_1970.saturating_sub(before),
            |since| self.since_1970.saturating_add(since),
        );
        passed.as_secs()
    }
}

/// Shows none of the key.
impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tickets(..)")
    }
}
