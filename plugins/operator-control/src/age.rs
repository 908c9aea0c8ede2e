//! How old an input is when it arrives, without a clock that both sides share.

use std::time::Duration;

/// Age from which an input is dropped: the operator has seen two seconds of other pictures since.
pub const TOO_OLD: Duration = Duration::from_secs(2);

/// How fast two clocks may drift apart: 200 µs a second, four times what a cheap quartz does (our choice).
const DRIFT: u64 = 5_000;

/// Estimates ages: whatever arrived fastest was on time, and the rest is as much older as it came later.
#[derive(Debug, Default)]
pub(crate) struct Ages {
    fastest: Option<Fastest>,
}

#[derive(Debug)]
struct Fastest {
    /// Arrival minus departure in microseconds, by two clocks that know nothing of each other.
    offset: i128,
    seen: Duration,
}

impl Ages {
    /// Takes note of a message, and tells how old it is.
    pub(crate) fn arrived(&mut self, now: Duration, sent: u64) -> Duration {
        let offset = micros(now) - i128::from(sent);
        let floor = self.fastest.as_ref().map_or(offset, |fastest| {
            let passed = now.saturating_sub(fastest.seen);
            fastest.offset + micros(passed) / i128::from(DRIFT)
        });
        let floor = floor.min(offset);
        self.fastest = Some(Fastest {
            offset: floor,
            seen: now,
        });
        Duration::from_micros(u64::try_from(offset - floor).unwrap_or(u64::MAX))
    }
}

fn micros(span: Duration) -> i128 {
    i128::try_from(span.as_micros()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000;

    #[test]
    fn what_comes_later_than_the_fastest_is_that_much_older() {
        let mut ages = Ages::default();
        let ms = Duration::from_millis;
        assert_eq!(ages.arrived(ms(900), 5_000 * MS), ms(0));
        assert_eq!(
            ages.arrived(ms(1_000), 5_050 * MS),
            ms(50) - Duration::from_micros(20)
        );
        assert_eq!(ages.arrived(ms(1_010), 5_150 * MS), ms(0), "faster yet");
    }

    #[test]
    fn clocks_that_drift_apart_make_nothing_old_in_a_day() {
        let mut ages = Ages::default();
        for second in 0..86_400_u64 {
            // The operator's clock runs slow by 100 µs a second.
            let now = Duration::from_secs(second);
            let age = ages.arrived(now, second * 999_900);
            assert!(age < Duration::from_millis(1), "{age:?} after {second} s");
        }
    }

    #[test]
    fn no_stamp_overflows() {
        let mut ages = Ages::default();
        ages.arrived(Duration::MAX, 0);
        ages.arrived(Duration::ZERO, u64::MAX);
        assert!(ages.arrived(Duration::MAX, 0) > TOO_OLD);
    }
}
