//! How many wrong IDs there were, and how long the next one has to wait.

use std::time::Duration;

use super::UNTIL_RESET;
use crate::clock::BootTime;

/// Wrong IDs that cost no wait yet.
const FREE: u8 = 3;
/// Wrong IDs in a row after which none is looked at until the owner sets a new one.
const LOCKED_AT: u8 = 10;
/// Wait after the last free one; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// Bytes of the persisted form.
const SAVED_LEN: usize = 2 + 16 + 8;
/// First byte of the persisted form.
const SAVED_VERSION: u8 = 1;

/// Counts wrong IDs: three free, then 30 s, twice as long with each, and none any more after ten.
///
/// Waits are measured in the time of the boot that they began in, which nobody can set. A wait that outlives its boot
/// begins again with the next, whole: turning the machine off does not shorten it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Guard {
    wrong: u8,
    waits_until: Option<BootTime>,
}

impl Guard {
    /// Lets a wait of an earlier boot begin again; answers whether it did, and the guard is to be kept.
    pub(super) fn anchor(&mut self, now: BootTime) -> bool {
        let is_of_another_boot = self.waits_until.is_some_and(|until| until.boot != now.boot);
        if is_of_another_boot {
            self.wait_from(now);
        }
        is_of_another_boot
    }

    /// Time until the next ID is looked at.
    pub(super) fn wait(&self, now: BootTime) -> Duration {
        if self.wrong >= LOCKED_AT {
            return UNTIL_RESET;
        }
        self.waits_until.map_or(Duration::ZERO, |until| {
            until.since.saturating_sub(now.since)
        })
    }

    /// Counts an ID as wrong. Keep the guard before looking at the ID.
    pub(super) fn charge(&mut self, now: BootTime) {
        self.wrong = self.wrong.saturating_add(1);
        self.wait_from(now);
    }

    /// Wrong IDs that still cost no wait.
    pub(super) const fn free_left(&self) -> u8 {
        FREE.saturating_sub(self.wrong)
    }

    fn wait_from(&mut self, now: BootTime) {
        let wait = self.whole_wait();
        self.waits_until = (!wait.is_zero()).then(|| BootTime {
            since: now.since + wait,
            ..now
        });
    }

    fn whole_wait(&self) -> Duration {
        match self.wrong.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(doublings) => (FIRST_WAIT * (1 << doublings.min(7))).min(LONGEST_WAIT),
        }
    }

    /// Version, wrong IDs, the boot in which a wait ends, and when in milliseconds; zeros without a wait.
    pub(super) fn to_bytes(self) -> [u8; SAVED_LEN] {
        let (boot, until) = self.waits_until.map_or(([0; 16], 0), |until| {
            let millis = u64::try_from(until.since.as_millis()).unwrap_or(u64::MAX);
            (until.boot, millis)
        });
        let mut out = [0; SAVED_LEN];
        let bytes = [SAVED_VERSION, self.wrong]
            .into_iter()
            .chain(boot)
            .chain(until.to_be_bytes());
        out.iter_mut()
            .zip(bytes)
            .for_each(|(slot, byte)| *slot = byte);
        out
    }

    /// Reads the persisted form; `None` for anything else.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SAVED_LEN] = bytes.try_into().ok()?;
        let (&[version, wrong], rest) = bytes.split_first_chunk::<2>()?;
        let (&boot, until) = rest.split_first_chunk::<16>()?;
        let until = u64::from_be_bytes(until.try_into().ok()?);
        let waits_until = (until > 0).then(|| BootTime {
            boot,
            since: Duration::from_millis(until),
        });
        // A wait that is missing where there must be one has been tampered with, or torn.
        let guard = Self { wrong, waits_until };
        let is_whole = waits_until.is_some() != guard.whole_wait().is_zero();
        (version == SAVED_VERSION && is_whole).then_some(guard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(boot: u8, secs: u64) -> BootTime {
        BootTime {
            boot: [boot; 16],
            since: Duration::from_secs(secs),
        }
    }

    #[test]
    fn three_are_free_then_waits_double_and_the_tenth_locks() {
        let mut guard = Guard::default();
        let mut now = at(1, 5);
        let mut waits = Vec::new();
        for _ in 0..10 {
            assert_eq!(guard.wait(now), Duration::ZERO);
            guard.charge(now);
            waits.push(guard.wait(now).as_secs());
            now.since += guard.wait(now).min(LONGEST_WAIT);
        }
        let forever = UNTIL_RESET.as_secs();
        assert_eq!(waits, [0, 0, 30, 60, 120, 240, 480, 960, 1920, forever]);
        now.since += UNTIL_RESET;
        assert_eq!(guard.wait(now), UNTIL_RESET, "no time opens it");
        assert_eq!(guard.wait(at(2, 0)), UNTIL_RESET, "no boot either");
    }

    #[test]
    fn a_wait_goes_on_over_a_restart_of_the_process_and_begins_again_with_a_boot() {
        let mut guard = Guard::default();
        (0..4).for_each(|_| guard.charge(at(1, 100)));
        let mut again = Guard::from_bytes(&guard.to_bytes()).expect("kept");
        assert!(!again.anchor(at(1, 140)));
        assert_eq!(again.wait(at(1, 140)), Duration::from_secs(20));
        assert!(again.anchor(at(2, 3)), "another boot");
        assert_eq!(again.wait(at(2, 3)), Duration::from_secs(60));
        assert_eq!(again.wait(at(2, 63)), Duration::ZERO);
    }

    #[test]
    fn what_is_kept_is_read_again_and_nothing_else() {
        let mut guard = Guard::default();
        for _ in 0..12 {
            let saved = guard.to_bytes();
            assert_eq!(Guard::from_bytes(&saved), Some(guard));
            for len in 0..SAVED_LEN {
                assert_eq!(Guard::from_bytes(&saved[..len]), None);
            }
            guard.charge(at(9, 1));
        }
        let mut no_wait = guard.to_bytes();
        no_wait[18..].fill(0);
        assert_eq!(Guard::from_bytes(&no_wait), None);
    }
}
