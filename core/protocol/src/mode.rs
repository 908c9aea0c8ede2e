//! What the two halves of a mode tell each other, as the session carries it.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    frame::{Channel, HEADER_LEN},
    wire::{DecodeError, get_bytes, messages, put_bytes},
};

messages! {
    /// A message of the mode channel, reliable or as a datagram.
    pub enum ModeMessage {
        /// Either way, in order: bytes of the mode's own.
        0x20 => Peer(Peer),
        /// Either way, newest wins: sent as a datagram, may be lost.
        0x21 => Latest(Latest),
    }
}

/// Longest message between the halves of a mode, in bytes: what fits into the mode channel's 4 KiB with its header.
pub const MAX_PEER_LEN: usize = 4_000;

/// Longest latest-wins message, in bytes: what fits into one datagram of the smallest path (1,200-byte packets).
pub const MAX_LATEST_LEN: usize = 1_000;

/// Bytes from the other half of the active mode.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// The activation that the sender was in.
    pub activation: u16,
    /// The mode's own bytes.
    #[serde(
        serialize_with = "put_bytes",
        deserialize_with = "get_bytes::<_, MAX_PEER_LEN>"
    )]
    pub body: Bytes,
}

/// Bytes from the other half that a newer message makes worthless.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// The activation that the sender was in.
    pub activation: u16,
    /// Counts up; an older one than the last seen is dropped.
    pub n: u32,
    /// The mode's own bytes.
    #[serde(
        serialize_with = "put_bytes",
        deserialize_with = "get_bytes::<_, MAX_LATEST_LEN>"
    )]
    pub body: Bytes,
}

/// Shows the length, never the bytes: a mode's messages hold keys.
impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Peer(activation {}, {} bytes)",
            self.activation,
            self.body.len()
        )
    }
}

/// Shows the length, never the bytes: a mode's messages hold keys.
impl fmt::Debug for Latest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Latest(activation {}, n {}, {} bytes)",
            self.activation,
            self.n,
            self.body.len()
        )
    }
}

impl ModeMessage {
    /// Encodes as a datagram: the channel's id, the type byte, the body.
    pub fn to_datagram(&self) -> Vec<u8> {
        // The frame without its three bytes of length, with the channel in front.
        let frame = self.to_frame();
        let typed = frame.get(HEADER_LEN - 1..).unwrap_or(&[]);
        [&[Channel::Mode.id()], typed].concat()
    }

    /// Reads a datagram.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if it is not of the mode channel or not a mode message.
    pub fn from_datagram(bytes: &[u8]) -> Result<Self, DecodeError> {
        match *bytes {
            [channel, kind, ref body @ ..] if channel == Channel::Mode.id() => {
                Self::from_frame(kind, body)
            }
            [channel, _, ..] => Err(DecodeError::UnknownType(channel)),
            [_] | [] => Err(DecodeError::Malformed { kind: 0 }),
        }
    }
}
