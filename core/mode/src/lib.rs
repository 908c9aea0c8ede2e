//! Write a session mode for Alongside.
#![deny(unsafe_op_in_unsafe_fn)]

pub mod abi;
mod body;
mod capability;
pub mod effect;
pub mod event;
pub mod manifest;

pub use body::{BodyError, Line, MAX_TYPED_LEN, TypedText};
pub use capability::{Capabilities, Side};
pub use effect::{Delivery, Effect};
pub use event::{Grant, HostEvent, LinkReport, Start, StopReason};
pub use manifest::{Manifest, ManifestError};
