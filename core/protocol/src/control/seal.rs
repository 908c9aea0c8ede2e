//! A record of the device's audit on its way to the operator, and the operator's signature for it.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    relay::Signature,
    wire::{get_bytes, put_bytes},
};

/// Longest line of an audit that is countersigned, in bytes (our choice: what is sent has 300 at most).
pub const MAX_LINE: usize = 1_024;

/// A record of the device's audit that the operator is to countersign.
///
/// The line and the hash before it give the record's own hash, so whoever countersigns knows what it says and that it
/// stands after everything before it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The record's place in the device's audit.
    pub index: u64,
    /// Hash of the record before it.
    pub previous: [u8; 32],
    /// What the record says, as it stands in the audit up to its hash; at most [`MAX_LINE`] bytes.
    #[serde(
        serialize_with = "put_bytes",
        deserialize_with = "get_bytes::<_, MAX_LINE>"
    )]
    pub line: Bytes,
    /// The device's signature for the record.
    pub signature: Signature,
}

/// The operator's signature for a record of the device's audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Countersigned {
    /// The record's place in the device's audit.
    pub index: u64,
    /// The operator's signature for it.
    pub signature: Signature,
}

/// Shows the line's length only.
impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({}, {} bytes)", self.index, self.line.len())
    }
}
