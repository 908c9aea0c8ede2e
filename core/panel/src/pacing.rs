//! How fast the picture may be sent.

use std::time::{Duration, Instant};

use alongside_protocol::Kbps;

/// A token bucket that one message may overdraw.
///
/// Something may be sent whenever the bucket is [open](Self::is_open), that is not empty, however much is in it: a
/// message is never held back for its size, and what it overdraws is waited for after it. So any window of time `t`
/// holds less than `rate * t + depth + one message`.
#[derive(Clone, Debug)]
pub struct Bucket {
    rate: Kbps,
    depth: i64,
    /// Thousandths of a bit; below zero while in debt. In this unit 1 kbit/s fills 1 in 1 us, exactly.
    level: i64,
    /// The instant up to which `level` has been filled.
    at: Instant,
}

/// Units of `level` in a byte.
const BYTE: i64 = 8_000;

impl Bucket {
    /// Refill of the panel channel: with the debt of one message it stays below 380 kbps over any 10 s.
    pub const PANEL_RATE: Kbps = Kbps::new(360);

    /// Depth of the panel channel's bucket (our choice: the picture waits no longer than this behind itself).
    pub const PANEL_DEPTH: Duration = Duration::from_millis(60);

    /// A full bucket that refills at `rate` and holds what `rate` fills in `depth`.
    pub fn new(now: Instant, rate: Kbps, depth: Duration) -> Self {
        let depth = filled(rate, depth);
        Self {
            rate,
            depth,
            level: depth,
            at: now,
        }
    }

    /// Whether a message may be sent at `now`. `now` may repeat but never goes back.
    pub fn is_open(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.level > 0
    }

    /// Takes out a message of `bytes` that is sent at `now`.
    pub fn take(&mut self, now: Instant, bytes: usize) {
        self.fill(now);
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.level = self.level.saturating_sub(bytes.saturating_mul(BYTE));
    }

    /// When the bucket opens if nothing else is taken; in the past if it is open, `None` if that is too far away
    /// to say.
    pub fn opens_at(&self) -> Option<Instant> {
        if self.level > 0 {
            return Some(self.at);
        }
        let missing = u64::try_from(1_i64.saturating_sub(self.level)).ok()?;
        let rate = u64::from(self.rate.as_u32());
        if rate == 0 {
            return None;
        }
        self.at
            .checked_add(Duration::from_micros(missing.div_ceil(rate)))
    }

    /// Bytes that may be sent now before the bucket is in debt.
    pub fn available(&mut self, now: Instant) -> usize {
        self.fill(now);
        usize::try_from(self.level.max(0) / BYTE).unwrap_or(usize::MAX)
    }

    fn fill(&mut self, now: Instant) {
        let whole = now.saturating_duration_since(self.at).as_micros();
        let whole = Duration::from_micros(u64::try_from(whole).unwrap_or(u64::MAX));
        self.level = self
            .level
            .saturating_add(filled(self.rate, whole))
            .min(self.depth);
        // Only whole microseconds are used up, so that asking often loses nothing.
        self.at += whole;
    }
}

fn filled(rate: Kbps, time: Duration) -> i64 {
    i64::try_from(u128::from(rate.as_u32()) * time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::MAX_MESSAGE;

    #[expect(clippy::disallowed_methods, reason = "an instant to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    fn panel(now: Instant) -> Bucket {
        Bucket::new(now, Bucket::PANEL_RATE, Bucket::PANEL_DEPTH)
    }

    /// Sends as soon as the bucket allows, messages of the sizes that `size` gives, for a minute, in steps of
    /// `tick`; returns (when, bytes).
    fn greedy(tick: Duration, mut size: impl FnMut(usize) -> usize) -> Vec<(Duration, usize)> {
        let start = start();
        let mut bucket = panel(start);
        let mut sent = Vec::new();
        let mut at = Duration::ZERO;
        while at < Duration::from_secs(60) {
            while bucket.is_open(start + at) {
                let bytes = size(sent.len());
                bucket.take(start + at, bytes);
                sent.push((at, bytes));
            }
            at += tick;
        }
        sent
    }

    fn most_in(window: Duration, sent: &[(Duration, usize)]) -> usize {
        let from = |first: usize| {
            let begin = sent[first].0;
            sent[first..]
                .iter()
                .take_while(|(at, _)| *at < begin + window)
                .map(|(_, bytes)| bytes)
                .sum()
        };
        (0..sent.len()).map(from).max().unwrap()
    }

    #[test]
    fn no_ten_seconds_hold_475_000_bytes() {
        let ten = Duration::from_secs(10);
        let mut noise = 1_u32;
        let mut any = |_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            1 + noise as usize % MAX_MESSAGE
        };
        for tick in [
            Duration::from_micros(333),
            Duration::from_millis(1),
            Duration::from_millis(33),
        ] {
            for sent in [
                greedy(tick, |_| MAX_MESSAGE),
                greedy(tick, |_| 100),
                greedy(tick, &mut any),
            ] {
                let most = most_in(ten, &sent);
                assert!(most < 475_000, "{most} bytes");
                // And it gives what it has: all of the rate but the last tick's.
                let least = if tick < Duration::from_millis(30) {
                    445_000
                } else {
                    400_000
                };
                assert!(most > least, "{most} bytes");
            }
        }
    }

    #[test]
    fn a_large_message_after_a_pause_is_paid_back() {
        let start = start();
        let mut bucket = panel(start);
        let later = start + Duration::from_secs(3600);
        assert_eq!(
            bucket.available(later),
            2_700,
            "60 ms at 360 kbps, however long the pause"
        );
        bucket.take(later, MAX_MESSAGE);
        let opens = bucket.opens_at().unwrap();
        // (16384 - 2700) bytes at 45 bytes a millisecond.
        assert_eq!(opens - later, Duration::from_micros(304_089));
        assert!(!bucket.is_open(opens - Duration::from_micros(1)));
        assert!(bucket.is_open(opens));
    }

    #[test]
    fn asking_often_loses_nothing() {
        let start = start();
        let mut bucket = panel(start);
        bucket.take(start, 2_700 + 450);
        let mut at = start;
        while at < start + Duration::from_millis(10) {
            assert!(!bucket.is_open(at));
            at += Duration::from_nanos(700);
        }
        assert!(bucket.is_open(start + Duration::from_micros(10_001)));
    }

    #[test]
    fn no_rate_never_opens_again() {
        let start = start();
        let mut bucket = Bucket::new(start, Kbps::new(0), Bucket::PANEL_DEPTH);
        assert!(!bucket.is_open(start + Duration::from_secs(1)));
        assert_eq!(bucket.opens_at(), None);
    }
}
