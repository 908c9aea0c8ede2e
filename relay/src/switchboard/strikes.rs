//! Failed claims, by where they came from.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    time::{Duration, Instant},
};

use super::breaker::Breaker;
use crate::{
    config::{Limits, seconds},
    source::Source,
};

/// Remembers failed claims and makes their sources wait.
///
/// From the allowed number of failures on, each further one blocks the source, twice as long as the one before. While many
/// sources fail, the first failure does.
#[derive(Debug)]
pub(super) struct Strikes {
    allowed: usize,
    window: Duration,
    first_wait: Duration,
    longest_wait: Duration,
    capacity: usize,
    breaker: Breaker,
    by_source: HashMap<Source, Record>,
    /// Oldest failure first: who is forgotten when memory is full.
    by_age: BTreeSet<(Instant, Source)>,
}

#[derive(Debug)]
struct Record {
    /// The last failures, at most as many as are allowed.
    failures: VecDeque<Instant>,
    last: Instant,
    wait: Duration,
    blocked_until: Instant,
}

impl Strikes {
    pub(super) fn new(limits: &Limits) -> Self {
        let count = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            allowed: count(limits.failed_claims),
            window: limits.failed_claims_window(),
            first_wait: seconds(limits.penalty_min_s),
            longest_wait: seconds(limits.penalty_max_s),
            capacity: count(limits.tracked_sources),
            breaker: Breaker::new(limits),
            by_source: HashMap::new(),
            by_age: BTreeSet::new(),
        }
    }

    /// How long `source` must still wait, if at all.
    pub(super) fn wait(&self, now: Instant, source: Source) -> Option<Duration> {
        let until = self.by_source.get(&source)?.blocked_until;
        let left = until.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Whether `more` failures of `source` would make it wait.
    pub(super) fn would_wait(&self, now: Instant, source: Source, more: usize) -> bool {
        let failures = self.by_source.get(&source).map(|record| &record.failures);
        let recent = failures.into_iter().flatten();
        let recent = recent.filter(|&&at| now.saturating_duration_since(at) < self.window);
        more > 0 && recent.count().saturating_add(more) >= self.allowed_at(now)
    }

    /// Whether so many fail that somebody seems to be spraying guesses.
    pub(super) fn is_alarmed(&self, now: Instant) -> bool {
        self.breaker.is_open(now)
    }

    /// Failures of one source from which on it has to wait.
    fn allowed_at(&self, now: Instant) -> usize {
        if self.breaker.is_open(now) {
            1
        } else {
            self.allowed
        }
    }

    /// One more failure of `source`.
    pub(super) fn record(&mut self, now: Instant, source: Source) {
        self.forget_old(now);
        self.breaker.record(now);
        let allowed = self.allowed_at(now);
        let fresh = || Record {
            failures: VecDeque::new(),
            last: now,
            wait: Duration::ZERO,
            blocked_until: now,
        };
        let record = self.by_source.entry(source).or_insert_with(fresh);
        self.by_age.remove(&(record.last, source));
        self.by_age.insert((now, source));
        record.last = now;
        let window = self.window;
        record
            .failures
            .retain(|&at| now.saturating_duration_since(at) < window);
        record.failures.push_back(now);
        // A wait that was served is forgiven after a window without a failure, not before: else the long waits
        // would outlast the failures that led to them.
        let in_penalty =
            !record.wait.is_zero() && now.saturating_duration_since(record.blocked_until) < window;
        if record.failures.len() >= allowed || in_penalty {
            if record.failures.len() > self.allowed {
                record.failures.pop_front();
            }
            let longer = if in_penalty {
                record.wait.saturating_mul(2)
            } else {
                self.first_wait
            };
            record.wait = longer.min(self.longest_wait);
            record.blocked_until = now + record.wait;
        } else {
            record.wait = Duration::ZERO;
        }
    }

    /// Sources remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_source.len()
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some(&(last, source)) = self.by_age.first() {
            let lapsed = now.saturating_duration_since(last)
                >= self.window.saturating_add(self.longest_wait);
            if !lapsed && self.by_age.len() < self.capacity {
                break;
            }
            self.by_age.pop_first();
            self.by_source.remove(&source);
        }
    }
}
