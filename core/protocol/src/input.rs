//! Pointer, pen and key events, in panel coordinates.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    label::{Label, LabelError},
    units::{PanelPoint, Pressure},
};

/// What a pointer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PointerPhase {
    /// Moves without touching.
    Hover,
    /// Touches down.
    Down,
    /// Moves while touching.
    Move,
    /// Lifts.
    Up,
    /// Leaves the panel.
    Leave,
}

/// Buttons that are held: 1 left, 2 right, 4 middle, added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Buttons(u8);

impl Buttons {
    /// No button.
    pub const NONE: Self = Self(0);
    /// The left button, which is also a finger or a pen's tip.
    pub const LEFT: Self = Self(1);

    /// Buttons from their bits; `None` if a bit above 4 is set.
    pub const fn new(bits: u8) -> Option<Self> {
        if bits > 7 { None } else { Some(Self(bits)) }
    }

    /// The bits.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Buttons {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u8::deserialize(deserializer)?)
            .ok_or_else(|| serde::de::Error::custom("unknown pointer button"))
    }
}

/// One event of the operator's pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PointerEvent {
    /// Where, in panel coordinates.
    pub at: PanelPoint,
    /// What it does.
    pub phase: PointerPhase,
    /// Buttons held after the event.
    pub buttons: Buttons,
    /// How hard; full where it is not measured.
    pub pressure: Pressure,
}

/// Name of a key: `0`-`9`, `*`, `#`, `Start`, `Stop`, `Clear`, `Reset`, or an X keysym name. At most 32 bytes.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyName(Label<32>);

impl KeyName {
    /// Checks a key's name.
    ///
    /// # Errors
    ///
    /// [`LabelError`] if it is empty, longer than 32 bytes or holds a control character.
    pub fn new(name: &str) -> Result<Self, LabelError> {
        Label::new(name).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Keys can be part of a secret, so Debug shows none.
impl std::fmt::Debug for KeyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyName(..)")
    }
}

/// Whether a key goes down or up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyMotion {
    /// Pressed.
    Down,
    /// Released.
    Up,
}

/// One event of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyEvent {
    /// Which key.
    pub key: KeyName,
    /// Down or up.
    pub motion: KeyMotion,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_three_buttons() {
        assert_eq!(Buttons::new(7).map(Buttons::bits), Some(7));
        assert_eq!(Buttons::new(8), None);
        assert!(
            postcard::from_bytes::<Buttons>(&[8]).is_err(),
            "from the network"
        );
    }

    #[test]
    fn a_key_does_not_show_in_debug() {
        let key = KeyName::new("7").expect("key");
        assert_eq!(key.as_str(), "7");
        let event = KeyEvent {
            key,
            motion: KeyMotion::Down,
        };
        assert_eq!(
            format!("{event:?}"),
            "KeyEvent { key: KeyName(..), motion: Down }"
        );
    }
}
