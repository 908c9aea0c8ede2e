//! Turning messages into bytes and back, totally.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

/// Why bytes from the network are not the message they claim to be.
///
/// Always the sender's fault; the receiver closes the stream that carried them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// No message of this channel has this type byte.
    UnknownType(u8),
    /// The body ends early, runs on, or holds a value outside its bounds.
    Malformed {
        /// Type byte of the frame.
        kind: u8,
    },
    /// The body is longer than its channel allows.
    TooLong {
        /// Length the frame announces, in bytes.
        got: usize,
        /// Most that the channel carries, in bytes.
        max: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType(kind) => write!(f, "unknown message type {kind:#04x}"),
            Self::Malformed { kind } => write!(f, "malformed body of message type {kind:#04x}"),
            Self::TooLong { got, max } => {
                write!(f, "message of {got} bytes where at most {max} are allowed")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// The postcard encoding of `value`.
pub(crate) fn to_body<T: Serialize>(value: &T) -> Vec<u8> {
    // postcard fails only when its output is full, and a Vec never is, or for types (untyped
    // maps, unsized sequences) that no message of this crate contains.
    postcard::to_extend(value, Vec::new()).unwrap_or_default()
}

/// Reads one `T` that fills `body` exactly.
pub(crate) fn from_body<T: DeserializeOwned>(kind: u8, body: &[u8]) -> Result<T, DecodeError> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(DecodeError::Malformed { kind }),
    }
}

/// For `serialize_with`: bytes as they are.
pub(crate) fn put_bytes<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// For `deserialize_with`: at most `MAX` bytes.
pub(crate) fn get_bytes<'de, D: Deserializer<'de>, const MAX: usize>(
    deserializer: D,
) -> Result<Bytes, D::Error> {
    let bytes = Vec::<u8>::deserialize(deserializer)?;
    if bytes.len() > MAX {
        return Err(serde::de::Error::custom("more bytes than there may be"));
    }
    Ok(bytes.into())
}

/// Defines the messages of one channel: an enum whose variants have a fixed type byte each.
macro_rules! messages {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $kind:literal => $variant:ident($body:ty),)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name { $($(#[$vmeta])* $variant($body),)* }

        impl $name {
            /// Type bytes of this channel, in order.
            pub const KINDS: &'static [u8] = &[$($kind),*];

            /// Type byte that goes into the frame.
            pub fn kind(&self) -> u8 {
                match self { $(Self::$variant(_) => $kind,)* }
            }

            /// Encodes the message as one whole frame.
            pub fn to_frame(&self) -> Vec<u8> {
                let body = match self { $(Self::$variant(inner) => $crate::wire::to_body(inner),)* };
                $crate::frame::to_frame(self.kind(), &body)
            }

            /// Reads the message that a frame carried.
            ///
            /// # Errors
            ///
            /// [`DecodeError`](crate::wire::DecodeError) for an unknown type byte, or for a body that is
            /// truncated, has bytes left over or holds a value outside its bounds.
            pub fn from_frame(kind: u8, body: &[u8]) -> Result<Self, $crate::wire::DecodeError> {
                match kind {
                    $($kind => $crate::wire::from_body::<$body>(kind, body).map(Self::$variant),)*
                    other => Err($crate::wire::DecodeError::UnknownType(other)),
                }
            }
        }

        $(impl From<$body> for $name {
            fn from(body: $body) -> Self { Self::$variant(body) }
        })*
    };
}
pub(crate) use messages;
