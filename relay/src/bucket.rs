//! A rate with a burst, in one instant of state.

use std::time::{Duration, Instant};

const NANOS_PER_S: u128 = 1_000_000_000;

/// Lets through `per_s` items a second for long, and `burst` items at once (the generic cell rate algorithm of
/// ITU-T I.371).
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    per: Duration,
    items: u64,
    depth: Duration,
    /// When everything let through so far will have been earned; `None` before the first.
    earned_at: Option<Instant>,
}

impl Bucket {
    /// `items` in every `per`, and `burst` at once.
    pub(crate) fn new(items: u64, per: Duration, burst: u64) -> Self {
        let items = items.max(1);
        let mut bucket = Self {
            per,
            items,
            depth: Duration::ZERO,
            earned_at: None,
        };
        bucket.depth = bucket.time_to_earn(burst);
        bucket
    }

    /// Lets `n` items through, or none of them.
    pub(crate) fn take(&mut self, now: Instant, n: u64) -> bool {
        let from = self.earned_at.map_or(now, |at| at.max(now));
        let Some(until) = from.checked_add(self.time_to_earn(n)) else {
            return false;
        };
        let fits = until.saturating_duration_since(now) <= self.depth;
        if fits {
            self.earned_at = Some(until);
        }
        fits
    }

    /// Takes back that `n` items were let through.
    pub(crate) fn give_back(&mut self, n: u64) {
        self.earned_at = self
            .earned_at
            .and_then(|at| at.checked_sub(self.time_to_earn(n)));
    }

    /// Whether the bucket is as good as new.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.earned_at.is_none_or(|at| at <= now)
    }

    fn time_to_earn(&self, n: u64) -> Duration {
        let nanos = self
            .per
            .as_nanos()
            .saturating_mul(n.into())
            .checked_div(self.items.into())
            .unwrap_or(u128::MAX);
        Duration::from_nanos(u64::try_from(nanos.min(100_000 * NANOS_PER_S)).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        #[expect(clippy::disallowed_methods, reason = "some instant to count from")]
        let start = Instant::now();
        let mut bucket = Bucket::new(20, Duration::from_secs(1), 40);
        assert_eq!((0..100).filter(|_| bucket.take(start, 1)).count(), 40);
        let later = start + Duration::from_secs(1);
        assert!(!bucket.is_full(later));
        assert_eq!((0..100).filter(|_| bucket.take(later, 1)).count(), 20);
        bucket.give_back(5);
        assert_eq!((0..100).filter(|_| bucket.take(later, 1)).count(), 5);
        assert!(bucket.is_full(later + Duration::from_secs(2)));
        assert!(
            !bucket.take(later + Duration::from_secs(10), 41),
            "more than the burst never passes"
        );
    }

    #[test]
    fn bytes_at_gigabits_are_not_rounded_away() {
        #[expect(clippy::disallowed_methods, reason = "some instant to count from")]
        let start = Instant::now();
        let mut bucket = Bucket::new(1_250_000_000, Duration::from_secs(1), 65_000);
        assert!(bucket.take(start, 65_000));
        assert!(!bucket.take(start, 1_000));
        assert!(bucket.take(start + Duration::from_micros(1), 1_000));
    }
}
