//! What the two sides of a picture stream agree on.

/// How changed tiles become bytes. The order is that of what they ask of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Entropy {
    /// E0: packed tiles through one zstd stream for the whole epoch.
    Zstd,
    /// E1: adaptive models of pixels, in front of an arithmetic coder.
    #[default]
    Model,
}

impl Entropy {
    /// Number on the wire.
    pub(crate) const fn id(self) -> u8 {
        match self {
            Self::Zstd => 0,
            Self::Model => 1,
        }
    }

    pub(crate) const fn from_id(id: u8) -> Option<Self> {
        match id {
            0 => Some(Self::Zstd),
            1 => Some(Self::Model),
            _ => None,
        }
    }
}

/// What a picture stream uses, and so how much memory it takes on either side.
///
/// An encoder is given the most it may use, a decoder the most it accepts: one that accepts E1 accepts E0. The
/// decoder's answer to an OPEN that wants more is a RESET that carries its own profile, and the encoder opens again
/// within both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    entropy: Entropy,
    window_log: u8,
    table_log: u8,
    cache_log: u8,
}

impl Profile {
    /// Smallest window of E0: 128 KiB, one block of zstd.
    pub const MIN_WINDOW_LOG: u8 = 17;
    /// Largest window: 8 MiB, which is also the most that every zstd decoder takes (RFC 8878, section 3.1.1.1.2).
    pub const MAX_WINDOW_LOG: u8 = 23;
    /// Smallest tables of E1: 8,192 entries each, 0.3 MB in all.
    pub const MIN_TABLE_LOG: u8 = 13;
    /// Largest tables of E1: 65,536 entries each, 2.4 MB in all.
    pub const MAX_TABLE_LOG: u8 = 16;
    /// Smallest tile cache, if there is one: 256 tiles.
    pub const MIN_CACHE_LOG: u8 = 8;
    /// Largest tile cache: 32,768 tiles, 1 MB on the device and 35 MB on the operator's side.
    pub const MAX_CACHE_LOG: u8 = 15;

    /// For a device of little memory (less than 6 MB with a panel of 1024x600): E1 with the smallest tables, 8,192 tiles.
    pub const SMALL: Self = Self {
        entropy: Entropy::Model,
        window_log: Self::MIN_WINDOW_LOG,
        table_log: Self::MIN_TABLE_LOG,
        cache_log: 13,
    };

    /// A profile with the largest window, tables and tile cache.
    pub const fn new(entropy: Entropy) -> Self {
        Self {
            entropy,
            window_log: Self::MAX_WINDOW_LOG,
            table_log: Self::MAX_TABLE_LOG,
            cache_log: Self::MAX_CACHE_LOG,
        }
    }

    /// Sets the window of E0 to `1 << log` bytes; `None` outside 17 to 23.
    pub const fn with_window_log(mut self, log: u8) -> Option<Self> {
        self.window_log = log;
        self.checked()
    }

    /// Sets the tables of E1 to `1 << log` entries; `None` outside 13 to 16.
    pub const fn with_table_log(mut self, log: u8) -> Option<Self> {
        self.table_log = log;
        self.checked()
    }

    /// Sets the tile cache to `1 << log` tiles, or to none with 0; `None` if it is neither 0 nor 8 to 15.
    pub const fn with_cache_log(mut self, log: u8) -> Option<Self> {
        self.cache_log = log;
        self.checked()
    }

    const fn checked(self) -> Option<Self> {
        let window =
            self.window_log >= Self::MIN_WINDOW_LOG && self.window_log <= Self::MAX_WINDOW_LOG;
        let table = self.table_log >= Self::MIN_TABLE_LOG && self.table_log <= Self::MAX_TABLE_LOG;
        let cache = self.cache_log == 0
            || self.cache_log >= Self::MIN_CACHE_LOG && self.cache_log <= Self::MAX_CACHE_LOG;
        if window && table && cache {
            Some(self)
        } else {
            None
        }
    }

    /// The entropy stage.
    pub const fn entropy(self) -> Entropy {
        self.entropy
    }

    /// Base 2 logarithm of the zstd window in bytes.
    pub const fn window_log(self) -> u8 {
        self.window_log
    }

    /// Base 2 logarithm of the number of entries in a table of E1.
    pub const fn table_log(self) -> u8 {
        self.table_log
    }

    /// Base 2 logarithm of the number of tiles in the cache; 0 if there is none.
    pub const fn cache_log(self) -> u8 {
        self.cache_log
    }

    pub(crate) const fn to_bytes(self) -> [u8; 4] {
        [
            self.entropy.id(),
            self.window_log,
            self.table_log,
            self.cache_log,
        ]
    }

    pub(crate) fn from_bytes([entropy, window_log, table_log, cache_log]: [u8; 4]) -> Option<Self> {
        Self {
            entropy: Entropy::from_id(entropy)?,
            window_log,
            table_log,
            cache_log,
        }
        .checked()
    }

    /// The most that fits into both profiles.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self {
            entropy: self.entropy.min(other.entropy),
            window_log: self.window_log.min(other.window_log),
            table_log: self.table_log.min(other.table_log),
            cache_log: self.cache_log.min(other.cache_log),
        }
    }

    /// Whether a decoder that accepts `max` accepts this.
    pub fn fits(self, max: Self) -> bool {
        self.within(max) == self
    }
}

impl Default for Profile {
    /// E1 with the largest tables and tile cache.
    fn default() -> Self {
        Self::new(Entropy::Model)
    }
}
