//! What an operator does on the panel under a grant, and what stays pressed after it.

use alongside_mode::TypedText;
use alongside_protocol::{
    PanelPoint,
    input::{Buttons, KeyEvent, KeyMotion, KeyName, PointerEvent, PointerPhase},
    units::Pressure,
};

/// One thing that an operator does on the panel.
///
/// Debug shows no key and no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A pointer event. [`PointerPhase::Leave`] lets go of whatever is held, and is no press where the panel can tell.
    Pointer(PointerEvent),
    /// A key event.
    Key(KeyEvent),
    /// Text, as if it were typed.
    Text(TypedText),
}

/// What kind of thing an [`Action`] is, for the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deed {
    /// The pointer moves. One record stands for the moves that follow it within a second.
    Motion,
    /// The pointer presses.
    Press,
    /// The pointer lets go.
    Lift,
    /// A key goes down.
    KeyDown,
    /// A key goes up.
    KeyUp,
    /// Text is typed.
    Text,
}

impl Deed {
    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Motion => "motion",
            Self::Press => "press",
            Self::Lift => "lift",
            Self::KeyDown => "key-down",
            Self::KeyUp => "key-up",
            Self::Text => "text",
        }
    }
}

/// What is pressed on the panel.
#[derive(Debug, Default)]
pub(crate) struct Held {
    keys: Vec<KeyName>,
    pointer: Option<PanelPoint>,
}

impl Held {
    pub(crate) const fn is_pointer_down(&self) -> bool {
        self.pointer.is_some()
    }

    pub(crate) fn is_key_down(&self, key: &KeyName) -> bool {
        self.keys.contains(key)
    }

    pub(crate) const fn keys(&self) -> usize {
        self.keys.len()
    }

    /// Follows an action.
    pub(crate) fn follow(&mut self, action: &Action) {
        match action {
            Action::Pointer(event) => self.pointer(event),
            Action::Key(event) => {
                self.keys.retain(|key| *key != event.key);
                if event.motion == KeyMotion::Down {
                    self.keys.push(event.key.clone());
                }
            }
            Action::Text(_) => {}
        }
    }

    fn pointer(&mut self, event: &PointerEvent) {
        match event.phase {
            PointerPhase::Down => self.pointer = Some(event.at),
            PointerPhase::Move | PointerPhase::Hover => {
                if let Some(at) = &mut self.pointer {
                    *at = event.at;
                }
            }
            // Another button may still be down.
            PointerPhase::Up if event.buttons != Buttons::NONE => {}
            PointerPhase::Up | PointerPhase::Leave => self.pointer = None,
        }
    }

    /// The actions that let go of everything.
    pub(crate) fn let_go(&mut self) -> Vec<Action> {
        let pointer = self.pointer.take().map(|at| {
            Action::Pointer(PointerEvent {
                at,
                phase: PointerPhase::Leave,
                buttons: Buttons::NONE,
                pressure: Pressure::FULL,
            })
        });
        let keys = self.keys.drain(..).map(|key| {
            Action::Key(KeyEvent {
                key,
                motion: KeyMotion::Up,
            })
        });
        pointer.into_iter().chain(keys).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(phase: PointerPhase, buttons: Buttons) -> Action {
        Action::Pointer(PointerEvent {
            at: PanelPoint::from_pixels(3, 4),
            phase,
            buttons,
            pressure: Pressure::FULL,
        })
    }

    fn key(name: &str, motion: KeyMotion) -> Action {
        let key = KeyName::new(name).expect("a key");
        Action::Key(KeyEvent { key, motion })
    }

    #[test]
    fn whatever_went_down_and_not_up_is_let_go_once() {
        let mut held = Held::default();
        held.follow(&key("5", KeyMotion::Down));
        held.follow(&key("#", KeyMotion::Down));
        held.follow(&key("#", KeyMotion::Down));
        held.follow(&key("5", KeyMotion::Up));
        held.follow(&pointer(PointerPhase::Down, Buttons::LEFT));
        assert_eq!(
            held.let_go(),
            [
                pointer(PointerPhase::Leave, Buttons::NONE),
                key("#", KeyMotion::Up)
            ]
        );
        assert_eq!(held.let_go(), []);
    }

    #[test]
    fn the_pointer_is_down_until_its_last_button_is_up() {
        let mut held = Held::default();
        held.follow(&pointer(PointerPhase::Down, Buttons::new(3).expect("two")));
        held.follow(&pointer(PointerPhase::Up, Buttons::LEFT));
        assert!(held.is_pointer_down());
        held.follow(&pointer(PointerPhase::Up, Buttons::NONE));
        assert!(!held.is_pointer_down());
    }
}
