//! What the two sides of a picture stream agree on.

/// How changed tiles become bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Entropy {
    /// E0: packed tiles through one zstd stream for the whole epoch.
    #[default]
    Zstd,
}

impl Entropy {
    /// Number on the wire.
    pub(crate) const fn id(self) -> u8 {
        match self {
            Self::Zstd => 0,
        }
    }

    pub(crate) const fn from_id(id: u8) -> Option<Self> {
        match id {
            0 => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// What a picture stream uses, and so how much memory it takes on either side.
///
/// An encoder is given the most it may use, a decoder the most it accepts. The decoder's answer to an OPEN that
/// wants more is a RESET that carries its own profile, and the encoder opens again within both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    entropy: Entropy,
    window_log: u8,
}

impl Profile {
    /// Smallest window: 128 KiB, one block of zstd.
    pub const MIN_WINDOW_LOG: u8 = 17;
    /// Largest window: 8 MiB, which is also the most that every zstd decoder takes (RFC 8878, section 3.1.1.1.2).
    pub const MAX_WINDOW_LOG: u8 = 23;

    /// A profile whose zstd window is `1 << window_log` bytes; `None` outside 17 to 23.
    pub const fn new(entropy: Entropy, window_log: u8) -> Option<Self> {
        if window_log < Self::MIN_WINDOW_LOG || window_log > Self::MAX_WINDOW_LOG {
            return None;
        }
        Some(Self {
            entropy,
            window_log,
        })
    }

    /// The entropy stage.
    pub const fn entropy(self) -> Entropy {
        self.entropy
    }

    /// Base 2 logarithm of the zstd window in bytes.
    pub const fn window_log(self) -> u8 {
        self.window_log
    }

    /// The most that fits into both profiles.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self {
            entropy: self.entropy,
            window_log: self.window_log.min(other.window_log),
        }
    }

    /// Whether a decoder that accepts `max` accepts this.
    pub fn fits(self, max: Self) -> bool {
        self.entropy == max.entropy && self.window_log <= max.window_log
    }
}

impl Default for Profile {
    /// E0 with the largest window.
    fn default() -> Self {
        Self {
            entropy: Entropy::Zstd,
            window_log: Self::MAX_WINDOW_LOG,
        }
    }
}
