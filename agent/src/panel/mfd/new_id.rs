//! A new administrator's ID while it is being typed: first the one that counts, where there is one, then the new one twice.

use std::{fmt, time::Duration};

use alongside::{
    admin_id::weakness,
    device::AdminIdEntry,
    ports::{AdminChange, AdminVerdict, Weakness},
};

use super::id_pad::IdPad;
use crate::{
    panel::CustomerAction,
    text::{Page, Text, Words},
};

/// What is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Typing {
    /// The first ID that this device has.
    First,
    /// The one that counts now.
    Old,
    /// The one that shall count.
    New,
    /// The same once more.
    Again,
}

/// What is to be said of what was typed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Weak(Weakness),
    Differ,
    Failed,
}

/// All of it. Shows nothing of an ID in `Debug`; entries and pad wipe their memory.
pub(super) struct NewId {
    typing: Typing,
    pub(super) pad: IdPad,
    old: Option<AdminIdEntry>,
    new: Option<AdminIdEntry>,
    said: Option<Said>,
}

impl fmt::Debug for NewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewId").finish_non_exhaustive()
    }
}

impl NewId {
    /// The first one.
    pub(super) fn first() -> Self {
        Self::of(Typing::First)
    }

    /// Another in the place of one that is typed before.
    pub(super) fn change() -> Self {
        Self::of(Typing::Old)
    }

    fn of(typing: Typing) -> Self {
        Self {
            typing,
            pad: IdPad::default(),
            old: None,
            new: None,
            said: None,
        }
    }

    /// Whether nothing has been typed into it yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.pad.is_untouched() && self.old.is_none() && self.new.is_none()
    }

    /// On with what is typed; answers what somebody else has to look at.
    pub(super) fn confirm(&mut self, now: Duration) -> Option<CustomerAction> {
        self.said = None;
        match self.typing {
            Typing::Old => {
                let old = self.pad.confirm(now)?;
                self.old = Some(old.clone());
                Some(CustomerAction::CheckId(old))
            }
            Typing::First | Typing::New => {
                let new = self.pad.take(now)?;
                match weakness(new.as_str()) {
                    Some(weakness) => self.said = Some(Said::Weak(weakness)),
                    None => {
                        self.new = Some(new);
                        self.typing = Typing::Again;
                    }
                }
                None
            }
            Typing::Again => {
                let again = self.pad.confirm(now)?;
                let new = self.new.take()?;
                if again.as_str() != new.as_str() {
                    self.begin_again(Said::Differ);
                    return None;
                }
                let old = self.old.clone();
                Some(CustomerAction::ChangeId { old, new })
            }
        }
    }

    /// Takes what came of the ID that counts.
    pub(super) fn checked(&mut self, verdict: AdminVerdict, now: Duration) {
        if self.typing != Typing::Old {
            return;
        }
        if verdict == AdminVerdict::Ok {
            self.pad = IdPad::default();
            self.typing = Typing::New;
        } else {
            self.old = None;
            self.pad.told(verdict, now);
        }
    }

    /// Takes what came of the change; answers whether it is made.
    pub(super) fn changed(&mut self, change: AdminChange, now: Duration) -> bool {
        match change {
            AdminChange::Done => return true,
            AdminChange::Old(verdict) => {
                *self = Self::change();
                self.pad.told(verdict, now);
            }
            AdminChange::Weak(weakness) => self.begin_again(Said::Weak(weakness)),
            AdminChange::Failed | _ => self.begin_again(Said::Failed),
        }
        false
    }

    fn begin_again(&mut self, said: Said) {
        self.pad = IdPad::default();
        self.new = None;
        self.said = Some(said);
        self.typing = if self.old.is_some() {
            Typing::New
        } else {
            Typing::First
        };
    }

    /// What is to be typed.
    pub(super) fn what(&self, text: Text) -> Words {
        text.say(match self.typing {
            Typing::First => Page::NewIdFirst,
            Typing::Old => Page::NewIdOld,
            Typing::New => Page::NewIdNew,
            Typing::Again => Page::NewIdAgain,
        })
    }

    /// What to say below the field, and whether it is bad news.
    pub(super) fn message(&self, text: Text, now: Duration) -> (Words, bool) {
        if let Some(said) = self.said {
            let id = match said {
                Said::Weak(Weakness::TooShort) => Page::NewIdShort,
                Said::Weak(Weakness::TooLong) => Page::NewIdLong,
                Said::Weak(Weakness::Unprintable) => Page::NewIdSign,
                Said::Weak(_) => Page::NewIdCommon,
                Said::Differ => Page::NewIdDiffer,
                Said::Failed => Page::NewIdFailed,
            };
            return (text.say(id), true);
        }
        match self.typing {
            Typing::Old => self.pad.message(text, now),
            Typing::Again if self.pad.is_checking() => (text.say(Page::NewIdSaving), false),
            Typing::First | Typing::New | Typing::Again => (text.say(Page::NewIdRule), false),
        }
    }

    /// The word on the button that goes on.
    pub(super) const fn go_on(&self) -> Page {
        match self.typing {
            Typing::Again => Page::Keep,
            Typing::First | Typing::Old | Typing::New => Page::Next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn enter(ids: &mut NewId, id: &str) -> Option<CustomerAction> {
        ids.pad.clear();
        id.chars().for_each(|c| ids.pad.letter(c, NOW));
        ids.confirm(NOW)
    }

    #[test]
    fn the_first_id_goes_out_once_it_was_typed_twice() {
        let mut ids = NewId::first();
        assert!(enter(&mut ids, "12345678").is_none());
        assert_eq!(ids.said, Some(Said::Weak(Weakness::TooCommon)));
        assert!(enter(&mut ids, "48291736").is_none());
        assert!(enter(&mut ids, "48291735").is_none());
        assert_eq!((ids.said, ids.typing), (Some(Said::Differ), Typing::First));
        assert!(enter(&mut ids, "48291736").is_none());
        let action = enter(&mut ids, "48291736");
        let Some(CustomerAction::ChangeId { old: None, new }) = action else {
            panic!("{action:?}");
        };
        assert_eq!(new.as_str(), "48291736");
        assert!(!ids.changed(AdminChange::Failed, NOW));
        assert_eq!(ids.typing, Typing::First);
    }

    #[test]
    fn another_id_needs_the_one_that_counts() {
        let mut ids = NewId::change();
        let action = enter(&mut ids, "1");
        assert!(matches!(action, Some(CustomerAction::CheckId(_))));
        let wrong = AdminVerdict::Wrong {
            tries_left: 0,
            wait: Duration::from_secs(30),
        };
        ids.checked(wrong, NOW);
        assert_eq!(ids.typing, Typing::Old);
        assert!(enter(&mut ids, "48291736").is_none(), "a wait is running");
        let later = Duration::from_secs(30);
        "48291736".chars().for_each(|c| ids.pad.letter(c, later));
        assert!(ids.confirm(later).is_some());
        ids.checked(AdminVerdict::Ok, later);
        for _ in 0..2 {
            "59201847".chars().for_each(|c| ids.pad.letter(c, later));
            let action = ids.confirm(later);
            if let Some(CustomerAction::ChangeId { old, new }) = action {
                assert_eq!(old.expect("the old one").as_str(), "48291736");
                assert_eq!(new.as_str(), "59201847");
                assert!(ids.changed(AdminChange::Done, later));
                return;
            }
        }
        panic!("nothing came of it");
    }

    #[test]
    fn debug_shows_no_character() {
        let mut ids = NewId::first();
        assert!(enter(&mut ids, "48291736").is_none());
        let shown = format!("{ids:?}");
        assert!(!shown.contains(|c: char| c.is_ascii_digit()), "{shown}");
    }
}
