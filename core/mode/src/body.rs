//! Bodies of events and effects: how typed values become the bytes that cross the ABI, and back.

use std::fmt;

use alongside_protocol::label::Label;
use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

/// A line of text that a mode shows or records, made inert: at most 200 bytes, no control characters.
pub type Line = Label<200>;

/// Longest text that one event or effect types, in bytes (our choice: a long address fits, and a message stays
/// far below the mode channel's 4 KiB).
pub const MAX_TYPED_LEN: usize = 1_000;

/// Text that somebody types. Debug shows none of it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
pub struct TypedText(String);

impl TypedText {
    /// Takes a text; `None` if it is empty or longer than [`MAX_TYPED_LEN`].
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty() && text.len() <= MAX_TYPED_LEN).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Typed text can be a secret, so Debug shows none.
impl fmt::Debug for TypedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedText(..)")
    }
}

impl<'de> Deserialize<'de> for TypedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| serde::de::Error::custom("typed text is empty or too long"))
    }
}

/// Why bytes are not the event or effect that their kind says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError {
    /// No event or effect of this version has this kind: the other side is newer.
    UnknownKind(u32),
    /// The body ends early, runs on, or holds a value outside its bounds.
    Malformed {
        /// Kind of the event or effect.
        kind: u32,
    },
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind(kind) => write!(f, "unknown kind {kind}"),
            Self::Malformed { kind } => write!(f, "malformed body of kind {kind}"),
        }
    }
}

impl std::error::Error for BodyError {}

/// Appends the postcard encoding of `value` to `out`.
pub(crate) fn put<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    // postcard fails only when its output is full, and a Vec never is, or for types (untyped maps, sequences
    // of unknown length) that no body contains.
    if postcard::serialize_with_flavor(value, Appended(out)).is_err() {
        out.clear();
    }
}

/// A body that is being written.
struct Appended<'a>(&'a mut Vec<u8>);

impl Flavor for Appended<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        // A number is a byte or a few, for which a copy by call costs more than the bytes.
        if bytes.len() <= 4 {
            self.0.reserve(4);
            for byte in bytes {
                self.0.push(*byte);
            }
        } else {
            self.0.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Reads one `T` that fills `body` exactly.
pub(crate) fn get<T: DeserializeOwned>(kind: u32, body: &[u8]) -> Result<T, BodyError> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(BodyError::Malformed { kind }),
    }
}

/// A span of time as whole microseconds, the unit of every time in a body.
pub(crate) mod micros {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        span: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(to_micros(*span))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }

    /// Whole microseconds; the longest there is for a span of more than half a million years.
    pub(crate) fn to_micros(span: Duration) -> u64 {
        u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
    }
}
