//! The hard keys beside the screen.

use std::fmt;

use alongside::protocol::input::KeyName;

/// A hard key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum HardKey {
    /// `0` to `9`.
    Digit(u8),
    /// `*`.
    Star,
    /// `#`, the stop key.
    Hash,
    /// Starts what the screen shows.
    Start,
    /// Stops the running job.
    Stop,
    /// Takes back what was typed.
    Clear,
    /// Back to the beginning.
    Reset,
}

impl HardKey {
    /// The key of this name; `None` if the panel has no such key.
    pub fn from_name(name: &KeyName) -> Option<Self> {
        match name.as_str() {
            "*" => Some(Self::Star),
            "#" => Some(Self::Hash),
            "Start" => Some(Self::Start),
            "Stop" => Some(Self::Stop),
            "Clear" => Some(Self::Clear),
            "Reset" => Some(Self::Reset),
            digit => match digit.as_bytes() {
                [digit @ b'0'..=b'9'] => Some(Self::Digit(digit - b'0')),
                _ => None,
            },
        }
    }
}

/// Keys can be part of a secret, so Debug shows none.
impl fmt::Debug for HardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HardKey(..)")
    }
}
