//! The guard on the device's keypad: too many wrong codes lock it for a while.

use std::{collections::VecDeque, fmt, time::Duration};

/// Failed entries within [`WINDOW`] that lock the keypad.
pub const ENTRIES: usize = 5;
/// Time within which they count.
pub const WINDOW: Duration = Duration::from_secs(10 * 60);
/// First lock; each further one is twice as long.
pub const FIRST_LOCK: Duration = Duration::from_secs(60);
/// Longest lock.
pub const LONGEST_LOCK: Duration = Duration::from_secs(60 * 60);
/// Time without a failed entry after which locks begin at the first again (our choice).
const FORGIVEN_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The first moment that is one in the persisted form, in which none is zero.
const EARLIEST: Duration = Duration::from_millis(1);

/// Bytes of the persisted form.
pub const SAVED_LEN: usize = 2 + 8 + 8 * ENTRIES;
/// First byte of the persisted form.
const SAVED_VERSION: u8 = 1;

/// Locks code entry on a device: five failed entries within ten minutes lock it for 1, then 2, 4 .. 60 minutes.
///
/// An entry is [charged](EntryGuard::charge) when its proof begins to tell the other side anything, and
/// [cleared](EntryGuard::proved) by success; whatever breaks off in between has failed. Times are since the Unix
/// epoch, because a lock outlives the process. A clock that was set back lengthens no lock.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct EntryGuard {
    /// Failed entries since the last lock, oldest first.
    failures: VecDeque<Duration>,
    locks: u8,
    locked_until: Duration,
}

/// Code entry is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Time until the next entry.
    pub wait: Duration,
}

impl EntryGuard {
    /// A guard that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a code may be entered at `now`.
    ///
    /// # Errors
    ///
    /// [`Locked`] with the time to wait.
    pub fn check(&mut self, now: Duration) -> Result<(), Locked> {
        self.locked_until = self
            .locked_until
            .min(now.saturating_add(self.lock_length()));
        let wait = self.locked_until.saturating_sub(now);
        if wait.is_zero() {
            Ok(())
        } else {
            Err(Locked { wait })
        }
    }

    /// Counts an entry as failed until [`EntryGuard::proved`] says otherwise. Save the guard before going on.
    pub fn charge(&mut self, now: Duration) {
        let last = self
            .failures
            .back()
            .map_or(self.locked_until, |last| self.locked_until.max(*last));
        if now.saturating_sub(last) >= FORGIVEN_AFTER {
            self.locks = 0;
        }
        // A clock that was set back, or that begins at 1970 with each start, forgives nothing: what it has yet to come to
        // has just been.
        self.failures.iter_mut().for_each(|at| *at = (*at).min(now));
        self.failures.retain(|at| now - *at < WINDOW);
        self.failures.push_back(now.max(EARLIEST));
        if self.failures.len() >= ENTRIES {
            self.failures.clear();
            self.locks = self.locks.saturating_add(1);
            self.locked_until = now.saturating_add(self.lock_length());
        }
    }

    /// The entry that was charged last led to a session: everything is forgiven.
    pub fn proved(&mut self) {
        *self = Self::new();
    }

    /// Length of the current lock.
    fn lock_length(&self) -> Duration {
        let doublings = u32::from(self.locks.saturating_sub(1)).min(6);
        if self.locks == 0 {
            Duration::ZERO
        } else {
            (FIRST_LOCK * (1 << doublings)).min(LONGEST_LOCK)
        }
    }

    /// The form that survives a restart: version, locks, end of the lock, then the failures, each in milliseconds
    /// since the Unix epoch, zero for none.
    pub fn to_bytes(&self) -> [u8; SAVED_LEN] {
        let mut out = [0; SAVED_LEN];
        let times = std::iter::once(&self.locked_until).chain(&self.failures);
        let bytes = [SAVED_VERSION, self.locks]
            .into_iter()
            .chain(times.flat_map(|time| millis(*time).to_be_bytes()));
        out.iter_mut()
            .zip(bytes)
            .for_each(|(slot, byte)| *slot = byte);
        out
    }

    /// Reads the persisted form; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SAVED_LEN] = bytes.try_into().ok()?;
        let (&[version, locks], times) = bytes.split_first_chunk::<2>()?;
        if version != SAVED_VERSION {
            return None;
        }
        let mut times = times
            .chunks_exact(8)
            .filter_map(|chunk| chunk.try_into().ok().map(u64::from_be_bytes));
        let locked_until = Duration::from_millis(times.next()?);
        let failures = times
            .filter(|at| *at > 0)
            .map(Duration::from_millis)
            .collect();
        Some(Self {
            failures,
            locks,
            locked_until,
        })
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "code entry is locked for {} s",
            self.wait.as_secs().max(1)
        )
    }
}

impl std::error::Error for Locked {}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const START: Duration = Duration::from_secs(1_700_000_000);

    fn fail_five(guard: &mut EntryGuard, now: Duration) -> Duration {
        for _ in 0..ENTRIES {
            assert_eq!(guard.check(now), Ok(()));
            guard.charge(now);
        }
        guard.check(now).expect_err("locked").wait
    }

    #[test]
    fn five_failures_in_ten_minutes_lock_for_one_two_four_up_to_sixty_minutes() {
        let mut guard = EntryGuard::new();
        let mut now = START;
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let wait = fail_five(&mut guard, now);
            assert_eq!(wait, minutes * MINUTE);
            assert!(guard.check(now + wait - Duration::from_millis(1)).is_err());
            now += wait;
            assert_eq!(guard.check(now), Ok(()));
        }
    }

    #[test]
    fn failures_further_apart_than_ten_minutes_do_not_lock() {
        let mut guard = EntryGuard::new();
        for n in 0..50 {
            guard.charge(START + n * 3 * MINUTE);
            assert_eq!(guard.check(START + n * 3 * MINUTE), Ok(()));
        }
    }

    #[test]
    fn a_proved_code_forgives_everything() {
        let mut guard = EntryGuard::new();
        fail_five(&mut guard, START);
        guard.charge(START + MINUTE);
        guard.proved();
        assert_eq!(guard, EntryGuard::new());
    }

    #[test]
    fn a_lock_survives_a_restart() {
        let mut guard = EntryGuard::new();
        fail_five(&mut guard, START);
        guard.charge(START + MINUTE);
        let saved = guard.to_bytes();
        assert_eq!(EntryGuard::from_bytes(&saved), Some(guard));
        for len in 0..SAVED_LEN {
            assert_eq!(EntryGuard::from_bytes(&saved[..len]), None);
        }
        assert_eq!(EntryGuard::from_bytes(&[7; SAVED_LEN]), None);
    }

    #[test]
    fn a_clock_set_back_lengthens_no_lock() {
        let mut guard = EntryGuard::new();
        fail_five(&mut guard, START);
        let back = START - 1_000 * MINUTE;
        assert_eq!(guard.check(back), Err(Locked { wait: MINUTE }));
        assert_eq!(guard.check(back + MINUTE), Ok(()));
    }

    #[test]
    fn a_clock_that_begins_at_1970_with_each_start_forgives_nothing() {
        let mut guard = EntryGuard::new();
        for _ in 1..ENTRIES {
            assert_eq!(guard.check(MINUTE), Ok(()));
            guard.charge(MINUTE);
            let saved = guard.to_bytes();
            guard = EntryGuard::from_bytes(&saved).expect("saved");
        }
        // Again from the beginning, and at its very first moment.
        assert_eq!(guard.check(Duration::ZERO), Ok(()));
        guard.charge(Duration::ZERO);
        assert_eq!(guard.check(Duration::ZERO), Err(Locked { wait: MINUTE }));
        guard = EntryGuard::from_bytes(&guard.to_bytes()).expect("saved");
        assert_eq!(guard.check(Duration::ZERO), Err(Locked { wait: MINUTE }));
    }

    #[test]
    fn a_failure_at_the_first_moment_of_1970_survives_a_restart() {
        let mut guard = EntryGuard::new();
        guard.charge(Duration::ZERO);
        assert_eq!(EntryGuard::from_bytes(&guard.to_bytes()), Some(guard));
    }

    #[test]
    fn in_2099_the_lock_is_as_long_as_ever() {
        let mut guard = EntryGuard::new();
        let now = Duration::from_secs(4_102_358_400);
        assert_eq!(fail_five(&mut guard, now), MINUTE);
        guard = EntryGuard::from_bytes(&guard.to_bytes()).expect("saved");
        assert_eq!(guard.check(now + MINUTE), Ok(()));
    }

    #[test]
    fn a_day_without_failures_begins_again_at_the_first_lock() {
        let mut guard = EntryGuard::new();
        assert_eq!(fail_five(&mut guard, START), MINUTE);
        assert_eq!(fail_five(&mut guard, START + MINUTE), 2 * MINUTE);
        assert_eq!(fail_five(&mut guard, START + MINUTE * 60 * 25), MINUTE);
    }
}
