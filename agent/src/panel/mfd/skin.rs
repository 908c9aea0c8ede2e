//! The panel as a layer over a screen that other programs draw: only what belongs to Remote Assistance, in islands.

use std::sync::Arc;

use alongside::{
    Frame,
    ports::Action,
    protocol::{PanelSize, input::KeyMotion, units::PanelRect},
};

use super::{Mfd, Place, Preferences, Rect, Target, assistance::Stage, banner::Act};
use crate::panel::CustomerAction;

/// What the panel is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skin {
    /// The multifunction printer, whose whole screen it draws.
    Machine,
    /// A screen of other programs, over which it draws what it has to say.
    Overlay,
}

/// Most pixels that a page takes on a screen of other programs: the size that the pages were drawn for.
pub(super) const SHEET: (i32, i32) = (1024, 600);

/// Where the banner stands on a screen of other programs; the customer can put it out of the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Edge {
    #[default]
    Top,
    Bottom,
}

impl Edge {
    /// `h` pixels of `rect` at this edge, and what is left.
    pub(super) const fn cut(self, rect: Rect, h: i32) -> (Rect, Rect) {
        match self {
            Self::Top => rect.cut_top(h, 0),
            Self::Bottom => rect.cut_bottom(h, 0),
        }
    }

    pub(super) const fn other(self) -> Self {
        match self {
            Self::Top => Self::Bottom,
            Self::Bottom => Self::Top,
        }
    }
}

impl Skin {
    /// Where one comes to who goes to `place`.
    pub(super) const fn place(self, place: Place) -> Place {
        match (self, place) {
            (Self::Machine, _) => place,
            (
                Self::Overlay,
                Place::Home
                | Place::Notice
                | Place::Entry
                | Place::Session
                | Place::Remote
                | Place::RemoteId
                | Place::RemoteEdit
                | Place::RemoteTest
                | Place::RemoteSessions,
            ) => place,
            (
                Self::Overlay,
                Place::Copy | Place::Scan | Place::Address | Place::Jobs | Place::Settings,
            ) => Place::Home,
        }
    }
}

/// What is to lie over the screen of other programs now.
#[derive(Clone, Debug)]
pub struct Scene {
    /// A picture as large as the screen; only what lies in the islands counts.
    pub frame: Arc<Frame>,
    /// The parts of the screen that it covers.
    pub islands: Vec<Rect>,
    /// What of it the operator must not see.
    pub masked: Vec<PanelRect>,
    /// Whether the customer types something here that no other program may get.
    pub wants_keys: bool,
}

/// A key of a keyboard that the device has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// A character.
    Letter(char),
    /// Takes back the last character.
    Erase,
    /// Takes back all.
    Clear,
    /// On with what was typed.
    Confirm,
    /// Away without it.
    Cancel,
}

/// Keys can be part of a secret, so Debug shows none.
impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed(..)")
    }
}

impl Mfd {
    /// A layer over a screen of `size`.
    pub fn overlay(size: PanelSize, preferences: Preferences) -> Self {
        Self::wearing(Skin::Overlay, size, preferences)
    }

    /// What lies over the screen now.
    pub fn scene(&mut self) -> Scene {
        let frame = self.render();
        Scene {
            frame,
            masked: self.masked(),
            islands: self.islands.clone(),
            wants_keys: self.wants_keys(),
        }
    }

    /// A key of the device's keyboard, while [`Scene::wants_keys`] says so.
    pub fn type_key(&mut self, typed: Typed) {
        if !self.wants_keys() {
            return;
        }
        self.touched(super::Hand::Customers);
        self.is_stale = true;
        let (now, is_asked) = (self.now, self.ask().is_some());
        if let Some(pad) = self.pad() {
            match typed {
                Typed::Letter(letter) => pad.letter(letter, now),
                Typed::Erase => pad.erase(),
                Typed::Clear => pad.clear(),
                Typed::Confirm => self.act(Target::ConfirmId),
                Typed::Cancel if is_asked => self.act(Target::Refuse),
                Typed::Cancel => self.leave_pad(),
            }
            return;
        }
        if is_asked {
            if let Typed::Cancel = typed {
                self.act(Target::Refuse);
            }
            return;
        }
        if self.is_editing() {
            self.act(match typed {
                Typed::Letter(letter) => Target::EditLetter(letter),
                Typed::Erase => Target::EditErase,
                Typed::Clear => {
                    if let Some(edit) = &mut self.edit {
                        edit.clear();
                    }
                    return;
                }
                Typed::Confirm => Target::EditKeep,
                Typed::Cancel => Target::Go(Place::Remote),
            });
            return;
        }
        let entry = &mut self.assistance.entry;
        match typed {
            Typed::Letter(letter) => {
                if let Some(digit) = letter.to_digit(10) {
                    entry.digit(digit as u8);
                }
            }
            Typed::Erase => entry.erase(),
            Typed::Clear => entry.clear(),
            Typed::Confirm => self.act(Target::Connect),
            Typed::Cancel => self.go(Place::Home),
        }
    }

    /// What stands for the stop key is held, or no longer.
    pub fn stop_key(&mut self, motion: KeyMotion) {
        self.stop_moved(motion);
    }

    /// The customer used the screen where this layer shows nothing.
    pub fn used_elsewhere(&mut self) {
        let is_told = matches!(
            self.actions.last(),
            Some(CustomerAction::Touched | CustomerAction::Elsewhere)
        );
        if self.assistance.is_live() && !is_told {
            self.actions.push(CustomerAction::Elsewhere);
        }
    }

    /// Whether an operator's hand may be on the screen at all: in a session, and not while the customer is asked or types
    /// something that is theirs.
    pub(super) fn admits(&self) -> bool {
        let is_the_customers =
            self.place.is_administrators() || self.place == Place::Entry || self.ask().is_some();
        self.assistance.is_live() && !is_the_customers
    }

    /// Tells the customer what the operator did elsewhere on the screen.
    pub(super) fn acted(&mut self, action: &Action) {
        let act = match action {
            Action::Key(event) if event.motion == KeyMotion::Down => {
                Act::Pressed(event.key.clone())
            }
            Action::Text(_) => Act::Typed,
            Action::Key(_) | Action::Pointer(_) => return,
        };
        self.assistance.acted(act, self.now);
        self.is_stale = true;
    }

    fn wants_keys(&mut self) -> bool {
        let is_entry = self.place == Place::Entry && *self.assistance.stage() == Stage::Idle;
        (is_entry && !self.assistance.has_ended()) || self.is_editing() || self.pad().is_some()
    }

    /// Whether a setting of the way to the service is being typed, and nothing stands before it.
    fn is_editing(&self) -> bool {
        let is_free = !self.assistance.has_ended() && self.ask().is_none();
        self.place == Place::RemoteEdit && is_free
    }
}
