//! The end of a session in which nobody acts.

use std::time::{Duration, Instant};

use crate::Limits;

/// Counts the time since the operator last did something.
#[derive(Debug)]
pub(crate) struct Idle {
    after: Duration,
    acted_at: Instant,
    is_warned: bool,
}

/// What the passing of time has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdleStep {
    /// Both sides are to be asked.
    Warn,
    /// Nobody answered.
    End,
}

impl Idle {
    pub(crate) const fn new(now: Instant, limits: &Limits) -> Self {
        Self {
            after: limits.idle(),
            acted_at: now,
            is_warned: false,
        }
    }

    /// Somebody acted; whether that takes a warning back.
    pub(crate) const fn acted(&mut self, now: Instant) -> bool {
        self.acted_at = now;
        std::mem::replace(&mut self.is_warned, false)
    }

    pub(crate) const fn is_warned(&self) -> bool {
        self.is_warned
    }

    /// What is due at `now`.
    pub(crate) fn step(&mut self, now: Instant) -> Option<IdleStep> {
        if now < self.deadline() {
            return None;
        }
        if std::mem::replace(&mut self.is_warned, true) {
            Some(IdleStep::End)
        } else {
            Some(IdleStep::Warn)
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        let warning = if self.is_warned {
            Limits::IDLE_WARNING
        } else {
            Duration::ZERO
        };
        self.acted_at + self.after + warning
    }
}
