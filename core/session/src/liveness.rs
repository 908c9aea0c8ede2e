//! The accessible check between the two sides, and what its silence means.

use std::time::{Duration, Instant};

use alongside_protocol::{
    control::{Check, Control},
    frame::Channel,
};

use crate::Outbound;

/// Time between two checks.
pub const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Silence after which the other side counts as missing: two checks lost and a third late.
pub const MISSING_AFTER: Duration = Duration::from_secs(15);
/// Silence after which the session ends (our choice, and the idle time of the connection below).
pub const LOST_AFTER: Duration = Duration::from_secs(60);

/// Whether the other side can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It was heard from lately.
    Ok,
    /// Nothing came for this long.
    Missing {
        /// How long.
        silent: Duration,
    },
    /// There is no connection any more, and another is being tried.
    Lost {
        /// Time until the session ends if none comes about.
        ends_in: Duration,
    },
}

/// Sends checks and listens for life; whatever arrives counts as life.
#[derive(Debug)]
pub(crate) struct Liveness {
    heard_at: Instant,
    is_missing: bool,
    next_check: Instant,
    sent: u32,
}

impl Liveness {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            heard_at: now,
            is_missing: false,
            next_check: now + CHECK_INTERVAL,
            sent: 0,
        }
    }

    /// Something arrived; whether the other side had been missing.
    pub(crate) const fn heard(&mut self, now: Instant) -> bool {
        self.heard_at = now;
        std::mem::replace(&mut self.is_missing, false)
    }

    /// The check that is due, if one is.
    pub(crate) fn check(&mut self, now: Instant) -> Option<Outbound> {
        if now < self.next_check {
            return None;
        }
        self.next_check += CHECK_INTERVAL;
        if self.next_check <= now {
            // The machine slept: one check is enough.
            self.next_check = now + CHECK_INTERVAL;
        }
        self.sent = self.sent.wrapping_add(1);
        Some(Outbound::reliable(
            Channel::Control,
            Control::from(Check { n: self.sent }).to_frame(),
        ))
    }

    /// How long the other side has been silent, once that is news.
    pub(crate) fn newly_missing(&mut self, now: Instant) -> Option<Duration> {
        let silent = now.saturating_duration_since(self.heard_at);
        if self.is_missing || silent < MISSING_AFTER {
            return None;
        }
        self.is_missing = true;
        Some(silent)
    }

    /// There is no connection to hear anything on.
    pub(crate) const fn lose(&mut self) {
        self.is_missing = true;
    }

    pub(crate) const fn is_missing(&self) -> bool {
        self.is_missing
    }

    /// Whether the silence ends the session.
    pub(crate) fn is_lost(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.heard_at) >= LOST_AFTER
    }

    pub(crate) fn deadline(&self) -> Instant {
        let silence = if self.is_missing {
            LOST_AFTER
        } else {
            MISSING_AFTER
        };
        self.next_check.min(self.heard_at + silence)
    }
}
