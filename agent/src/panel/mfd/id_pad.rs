//! The system administrator's ID while it is being typed.

use std::{fmt, time::Duration};

use alongside::{device::AdminIdEntry, ports::AdminVerdict};
use zeroize::Zeroizing;

use crate::text::{Page, Text, Words};

/// Which keys the pad shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Keys {
    /// Ten digits.
    #[default]
    Digits,
    /// Letters, for IDs that have some.
    Letters,
}

/// What has been typed of an ID. Shows nothing of it in `Debug`, and its memory is wiped.
pub(super) struct IdPad {
    typed: Zeroizing<String>,
    keys: Keys,
    upper: bool,
    is_checking: bool,
    /// What came of the last one, and when.
    told: Option<(AdminVerdict, Duration)>,
}

impl Default for IdPad {
    fn default() -> Self {
        Self {
            // All it may ever hold: growing would leave a copy behind.
            typed: Zeroizing::new(String::with_capacity(AdminIdEntry::MAX_LEN)),
            keys: Keys::default(),
            upper: false,
            is_checking: false,
            told: None,
        }
    }
}

impl fmt::Debug for IdPad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdPad").finish_non_exhaustive()
    }
}

impl IdPad {
    /// Types a character, unless an ID is being checked or has to wait.
    pub(super) fn letter(&mut self, letter: char, now: Duration) {
        if self.is_open(now) && letter.is_ascii() && self.typed.len() < AdminIdEntry::MAX_LEN {
            self.typed.push(letter);
            self.upper = false;
            self.told = None;
        }
    }

    pub(super) fn erase(&mut self) {
        self.typed.pop();
    }

    pub(super) fn clear(&mut self) {
        self.typed = Self::default().typed;
    }

    pub(super) const fn turn(&mut self) {
        self.keys = match self.keys {
            Keys::Digits => Keys::Letters,
            Keys::Letters => Keys::Digits,
        };
    }

    pub(super) const fn shift(&mut self) {
        self.upper = !self.upper;
    }

    pub(super) const fn keys(&self) -> Keys {
        self.keys
    }

    pub(super) const fn is_upper(&self) -> bool {
        self.upper
    }

    /// Characters typed so far.
    pub(super) fn len(&self) -> usize {
        self.typed.len()
    }

    /// Whether an ID can be typed now.
    pub(super) fn is_open(&self, now: Duration) -> bool {
        !self.is_checking && !self.is_waiting(now)
    }

    /// Whether a wait is running.
    pub(super) fn is_waiting(&self, now: Duration) -> bool {
        self.told.is_some_and(|(verdict, since)| match verdict {
            AdminVerdict::Wrong { wait, .. } | AdminVerdict::Locked { wait } => {
                now.saturating_sub(since) < wait
            }
            AdminVerdict::Ok | AdminVerdict::Unavailable => false,
        })
    }

    /// Whether there is something to check, and it may be.
    pub(super) fn can_confirm(&self, now: Duration) -> bool {
        self.is_open(now) && !self.typed.is_empty()
    }

    /// Hands the ID out to be checked, and forgets it.
    pub(super) fn confirm(&mut self, now: Duration) -> Option<AdminIdEntry> {
        if !self.can_confirm(now) {
            return None;
        }
        let typed = std::mem::take(self).typed;
        self.is_checking = true;
        AdminIdEntry::new(typed)
    }

    /// Hands the ID out without a check, and forgets it.
    pub(super) fn take(&mut self, now: Duration) -> Option<AdminIdEntry> {
        if !self.can_confirm(now) {
            return None;
        }
        let taken = std::mem::take(self);
        self.keys = taken.keys;
        AdminIdEntry::new(taken.typed)
    }

    /// Whether nothing has been typed and nothing said.
    pub(super) fn is_untouched(&self) -> bool {
        self.typed.is_empty() && !self.is_checking && self.told.is_none()
    }

    /// Whether an ID is out to be checked.
    pub(super) const fn is_checking(&self) -> bool {
        self.is_checking
    }

    /// Takes what came of the check.
    pub(super) fn told(&mut self, verdict: AdminVerdict, now: Duration) {
        self.is_checking = false;
        self.told = Some((verdict, now));
    }

    /// What to say below the field, and whether it is bad news.
    pub(super) fn message(&self, text: Text, now: Duration) -> (Words, bool) {
        if self.is_checking {
            return (text.say(Page::AdminChecking), false);
        }
        match self.told {
            None | Some((AdminVerdict::Ok, _)) => (text.say(Page::AdminHint), false),
            Some((verdict, since)) => {
                let ago = now.saturating_sub(since);
                (text.admin_verdict(verdict, ago), true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn typed(id: &str) -> IdPad {
        let mut pad = IdPad::default();
        id.chars().for_each(|c| pad.letter(c, secs(0)));
        pad
    }

    #[test]
    fn an_id_goes_out_once_and_nothing_of_it_stays() {
        let mut pad = typed("4829173x");
        pad.erase();
        pad.letter('6', secs(0));
        assert!(pad.confirm(secs(0)).is_some());
        assert_eq!(pad.len(), 0);
        pad.letter('1', secs(0));
        assert!(pad.confirm(secs(0)).is_none(), "one check at a time");
    }

    #[test]
    fn nothing_can_be_typed_while_a_wait_runs() {
        let mut pad = typed("48291736");
        let _checked = pad.confirm(secs(1));
        let wait = secs(30);
        pad.told(
            AdminVerdict::Wrong {
                tries_left: 0,
                wait,
            },
            secs(2),
        );
        pad.letter('4', secs(31));
        assert_eq!((pad.len(), pad.is_waiting(secs(31))), (0, true));
        pad.letter('4', secs(32));
        assert_eq!((pad.len(), pad.is_waiting(secs(32))), (1, false));
    }

    #[test]
    fn debug_shows_no_character_and_none_is_copied() {
        let mut pad = typed("48291736");
        let shown = format!("{pad:?}");
        assert!(!shown.contains(|c: char| c.is_ascii_digit()), "{shown}");
        let before = pad.typed.as_ptr();
        (0..100).for_each(|_| pad.letter('7', secs(0)));
        assert_eq!(
            (pad.len(), pad.typed.as_ptr()),
            (AdminIdEntry::MAX_LEN, before)
        );
    }
}
