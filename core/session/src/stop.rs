//! The stop key: held long enough, it ends everything.

use std::time::{Duration, Instant};

use alongside_protocol::input::KeyMotion;

/// How long the customer holds the stop key.
pub const STOP_HOLD: Duration = Duration::from_secs(5);

/// Watches the stop key. Needs neither a session nor a network.
#[derive(Debug, Default)]
pub(crate) struct StopKey {
    stops_at: Option<Instant>,
}

impl StopKey {
    /// The key moved. A key that repeats while it is held does not start again.
    pub(crate) fn moved(&mut self, now: Instant, motion: KeyMotion) {
        self.stops_at = match motion {
            KeyMotion::Down => self.stops_at.or(Some(now + STOP_HOLD)),
            KeyMotion::Up => None,
        };
    }

    /// Whether it has been held long enough.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.stops_at.is_some_and(|at| now >= at)
    }

    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.stops_at
    }
}
