//! The picture codec of Alongside: frames, and the messages that carry their changes.
#![forbid(unsafe_code)]

mod bits;
mod decoder;
mod encoder;
mod frame;
pub mod message;
pub mod pacing;
mod profile;
mod stage;
pub mod tiles;

pub use decoder::{Applied, Decoder, MAX_PIXELS, PanelError, What};
pub use encoder::{Encoder, Step};
pub use frame::Frame;
pub use profile::{Entropy, Profile};
