//! What the two halves tell each other: version 1 of the mode's own protocol.

use std::time::Duration;

use alongside_mode::{
    TypedText,
    protocol::input::{KeyEvent, PointerEvent},
};
use serde::{Deserialize, Serialize};

/// From the operator half to the device half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToDevice {
    /// The operator half's time of it, in microseconds since its session began.
    pub sent: u64,
    /// What the operator did; nothing but the time where it is `None`.
    pub input: Option<Input>,
}

/// What the operator did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// Something with the pointer.
    Pointer(PointerEvent),
    /// Something with a key.
    Key(KeyEvent),
    /// Text.
    Text(TypedText),
}

/// From the device half to the operator half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToOperator {
    /// Input is not done.
    Problem(Problem),
}

/// Why input is not done; also its form in JSON for the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// It took too long to arrive.
    Late,
    /// The customer does not allow it now.
    Refused,
}

impl ToDevice {
    /// Stamps an input.
    pub(crate) fn new(at: Duration, input: Option<Input>) -> Self {
        Self {
            sent: u64::try_from(at.as_micros()).unwrap_or(u64::MAX),
            input,
        }
    }
}
