//! Failed claims of everybody together: whether somebody is spraying guesses from many addresses.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::config::Limits;

/// Open while there are too many failures.
#[derive(Debug)]
pub(super) struct Breaker {
    most: usize,
    window: Duration,
    /// The last failures, at most as many as make it open.
    failures: VecDeque<Instant>,
}

impl Breaker {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            most: usize::try_from(limits.breaker_failed_claims).unwrap_or(usize::MAX),
            window: limits.breaker_window(),
            failures: VecDeque::new(),
        }
    }

    /// One more failure, whoever it was.
    pub(super) fn record(&mut self, now: Instant) {
        if self.failures.len() >= self.most {
            self.failures.pop_front();
        }
        self.failures.push_back(now);
    }

    /// Whether there were too many of late.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        let oldest = self.failures.front();
        self.failures.len() >= self.most
            && oldest.is_some_and(|&at| now.saturating_duration_since(at) < self.window)
    }
}
