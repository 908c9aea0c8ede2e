//! What a mode may do, as a set, and which half of a mode somebody is.

use std::{
    fmt,
    ops::{BitAnd, BitOr},
};

use serde::{Deserialize, Serialize};

/// A set of things that a mode may do.
///
/// A mode asks for capabilities in its [manifest](crate::Manifest). What it holds at a moment is what the manifest
/// asks for, the device's owner allows and the customer has agreed to, all three at that moment.
///
/// Bits that this version has no name for are kept, so that a set survives a journey through an older host; they
/// allow nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Capabilities(u32);

/// Every capability with its name in a manifest, in bit order.
const NAMED: [(Capabilities, &str); 6] = [
    (Capabilities::VIEW, "view"),
    (Capabilities::ANNOTATE, "annotate"),
    (Capabilities::INPUT, "input"),
    (Capabilities::SETTINGS_READ, "settings.read"),
    (Capabilities::SETTINGS_WRITE, "settings.write"),
    (Capabilities::SILENT, "silent"),
];

impl Capabilities {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The operator sees the panel while the mode runs.
    pub const VIEW: Self = Self(1);
    /// Draw over the panel.
    pub const ANNOTATE: Self = Self(1 << 1);
    /// Point, type and press keys on the panel as if a hand had done it.
    pub const INPUT: Self = Self(1 << 2);
    /// Read the device's settings.
    pub const SETTINGS_READ: Self = Self(1 << 3);
    /// Change the device's settings.
    pub const SETTINGS_WRITE: Self = Self(1 << 4);
    /// Run without a notice on the panel. Never the mode's own choice: the owner's policy has to name the mode.
    pub const SILENT: Self = Self(1 << 5);

    /// The set with these bits, as they cross the ABI.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits, as they cross the ABI.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of `other` is in the set; true of the empty set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set with `other` added.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set with `other` taken out.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What both sets have.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The capability that a manifest calls `name`.
    pub fn named(name: &str) -> Option<Self> {
        NAMED
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(capability, _)| *capability)
    }

    /// Names of what is in the set, in bit order; a bit without a name is left out.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMED
            .iter()
            .filter(move |(capability, _)| self.contains(*capability))
            .map(|(_, name)| *name)
    }
}

impl BitOr for Capabilities {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

impl BitAnd for Capabilities {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.and(other)
    }
}

/// The names, joined by ` + `; `nothing` for the empty set.
impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for name in self.names() {
            write!(f, "{between}{name}")?;
            between = " + ";
        }
        if between.is_empty() {
            f.write_str("nothing")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Capabilities({self})")
    }
}

/// Which half of a mode: the one beside the panel, or the one beside the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// Runs on the device.
    Device,
    /// Runs with the operator.
    Operator,
}

impl Side {
    /// The number that crosses the ABI.
    pub const fn number(self) -> u32 {
        match self {
            Self::Device => 0,
            Self::Operator => 1,
        }
    }

    /// The side that crossed the ABI as `number`.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Device),
            1 => Some(Self::Operator),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_capability_is_found_by_its_name() {
        for (capability, name) in NAMED {
            assert_eq!(Capabilities::named(name), Some(capability));
            assert_eq!(capability.to_string(), name);
        }
        assert_eq!(Capabilities::named("root"), None);
    }

    #[test]
    fn a_set_shows_its_names_and_hides_unknown_bits() {
        let set = Capabilities::VIEW | Capabilities::ANNOTATE | Capabilities::from_bits(1 << 31);
        assert_eq!(set.to_string(), "view + annotate");
        assert_eq!(Capabilities::NONE.to_string(), "nothing");
        assert_eq!(set.bits(), 0x8000_0003);
    }

    #[test]
    fn contains_means_all_of_it() {
        let held = Capabilities::VIEW;
        assert!(held.contains(Capabilities::NONE));
        assert!(!held.contains(Capabilities::VIEW | Capabilities::ANNOTATE));
        assert!((held & Capabilities::ANNOTATE).is_empty());
    }
}
