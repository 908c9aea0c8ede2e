//! What the two halves of a mode tell each other, as the session carries it.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::wire::messages;

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// The activation that the sender was in.
    pub activation: u16,
    /// The mode's own bytes.
    #[serde(serialize_with = "put_bytes", deserialize_with = "get_bytes::<_, MAX_PEER_LEN>")]
    pub body: Bytes,
}

/// Bytes from the other half that a newer message makes worthless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// The activation that the sender was in.
    pub activation: u16,
    /// Counts up; an older one than the last seen is dropped.
    pub n: u32,
    /// The mode's own bytes.
    #[serde(serialize_with = "put_bytes", deserialize_with = "get_bytes::<_, MAX_LATEST_LEN>")]
    pub body: Bytes,
}

impl ModeMessage {
    /// Encodes as a datagram: the channel's id, the type byte, the body.
    pub fn to_datagram(&self) -> Vec<u8> {
        let frame = self.to_frame();
        let mut out = Vec::with_capacity(frame.len());
        out.push(crate::frame::Channel::Mode.id());
        // A frame is three bytes of length, then type and body.
        out.extend_from_slice(frame.get(3..).unwrap_or(&[]));
        out
    }

    /// Reads a datagram.
    ///
    /// # Errors
    ///
    /// [`DecodeError`](crate::wire::DecodeError) if it is not of the mode channel or not a mode message.
    pub fn from_datagram(bytes: &[u8]) -> Result<Self, crate::wire::DecodeError> {
        match bytes {
            [channel, kind, body @ ..] if *channel == crate::frame::Channel::Mode.id() => Self::from_frame(*kind, body),
            [other, ..] => Err(crate::wire::DecodeError::UnknownType(*other)),
            [] => Err(crate::wire::DecodeError::Malformed { kind: 0 }),
        }
    }
}

fn put_bytes<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

fn get_bytes<'de, D: Deserializer<'de>, const MAX: usize>(deserializer: D) -> Result<Bytes, D::Error> {
    let bytes = Vec::<u8>::deserialize(deserializer)?;
    if bytes.len() > MAX {
        return Err(serde::de::Error::custom("mode message too long"));
    }
    Ok(bytes.into())
}
