//! What the customer holds to end a session, whatever the screen shows.

use std::{fmt, str::FromStr};

use alongside::protocol::input::KeyName;

/// The stop key, or what stands for it on a device that has none.
#[derive(Clone, PartialEq, Eq)]
pub enum StopKey {
    /// A key, by its name.
    Key(KeyName),
    /// A finger in a corner of the screen.
    Corner(Corner),
}

/// A corner of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Corner {
    /// Top left.
    TopLeft,
    /// Top right.
    TopRight,
    /// Bottom left.
    BottomLeft,
    /// Bottom right.
    BottomRight,
}

/// Side of a corner in pixels (our choice: a finger's breadth on a panel of 10 inches).
const SIDE: i32 = 64;

impl Corner {
    /// Every corner.
    pub const ALL: [Self; 4] = [
        Self::TopLeft,
        Self::TopRight,
        Self::BottomLeft,
        Self::BottomRight,
    ];

    /// The word used in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TopLeft => "corner-top-left",
            Self::TopRight => "corner-top-right",
            Self::BottomLeft => "corner-bottom-left",
            Self::BottomRight => "corner-bottom-right",
        }
    }

    /// Whether the pixel (`x`, `y`) of a screen of `width` by `height` pixels lies in it.
    pub const fn holds(self, (x, y): (i32, i32), (width, height): (i32, i32)) -> bool {
        let (left, right) = (x < SIDE, x >= width - SIDE);
        let (top, bottom) = (y < SIDE, y >= height - SIDE);
        match self {
            Self::TopLeft => left && top,
            Self::TopRight => right && top,
            Self::BottomLeft => left && bottom,
            Self::BottomRight => right && bottom,
        }
    }
}

/// The `#` of the panel's keys.
impl Default for StopKey {
    fn default() -> Self {
        #[expect(clippy::unwrap_used, reason = "a single plain character")]
        let hash = KeyName::new("#").unwrap();
        Self::Key(hash)
    }
}

impl FromStr for StopKey {
    type Err = alongside::protocol::label::LabelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Corner::ALL
            .into_iter()
            .find(|corner| corner.as_str() == text)
        {
            Some(corner) => Ok(Self::Corner(corner)),
            None => KeyName::new(text).map(Self::Key),
        }
    }
}

impl fmt::Display for StopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(key) => key.as_str(),
            Self::Corner(corner) => corner.as_str(),
        })
    }
}

/// Which key it is stands on the panel for everybody to read.
impl fmt::Debug for StopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StopKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_names_a_key_or_a_corner() {
        for text in ["#", "Stop", "Pause", "corner-bottom-right"] {
            let stop: StopKey = text.parse().expect("a stop key");
            assert_eq!(stop.to_string(), text);
        }
        assert_eq!(
            "corner-top-left".parse(),
            Ok(StopKey::Corner(Corner::TopLeft))
        );
        assert!("".parse::<StopKey>().is_err());
    }

    #[test]
    fn no_place_lies_in_two_corners() {
        let screen = (800, 480);
        for at in [(0, 0), (799, 0), (0, 479), (799, 479), (63, 63), (64, 64)] {
            let in_corners = Corner::ALL.iter().filter(|c| c.holds(at, screen)).count();
            assert_eq!(in_corners, usize::from(at != (64, 64)), "{at:?}");
        }
    }
}
