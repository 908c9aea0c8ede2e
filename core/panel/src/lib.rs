//! The picture of a panel, exactly, over a narrow link.
//!
//! An [`Encoder`] on the device remembers what the operator shows, and turns the newest [`Frame`] into one
//! [`Step`] towards it: a message with the pixels of at most 96 tiles, of at most 16 KiB. A [`Decoder`] on the operator's side
//! applies it and answers with an acknowledgement. No picture is ever queued: while the link is busy the panel may
//! change as often as it likes, and the next step goes to what it shows then. The [bucket](pacing::Bucket) says when a
//! step may be sent.
//!
//! ```
//! use alongside_panel::{Decoder, Encoder, Frame, Profile};
//! use alongside_protocol::{PanelSize, frame::HEADER_LEN, units::Millis};
//!
//! let size = PanelSize::new(320, 240).expect("within bounds");
//! let mut device = Encoder::new(size, 0x5eed, Profile::default());
//! let mut operator = Decoder::new(Profile::default());
//!
//! let picture = Frame::new(size, vec![0x0033_6699; size.pixels()]).expect("as many pixels as the size says");
//! while let Some(step) = device.step(&picture, Millis::new(1_700_000_000_000)) {
//!     let (header, body) = step.frame.split_at(HEADER_LEN); // what a frame reader does
//!     let applied = operator.apply(header[3], body)?;
//!     if let Some(reply) = applied.reply {
//!         device.handle(reply[3], &reply[HEADER_LEN..])?;
//!     }
//! }
//! assert_eq!(operator.picture(), Some(&picture));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The device trusts the operator's side with two messages of a few bytes; the operator's side trusts the device with
//! nothing: whatever bytes arrive, a [`Decoder`] answers with a value or an error, in bounded memory. [`format`](mod@format)
//! has the bytes.
//!
//! Inside, what moved and what was shown before is told first, by reference. A seam parts that from *how* new tiles
//! become bytes: the entropy stage is negotiated ([`Entropy`]), keeps its own state, and can be replaced without
//! touching the rest. The crate is pure: no socket,
//! clock, thread or random source.
#![forbid(unsafe_code)]

mod bits;
mod cache;
mod coder;
mod decoder;
mod encoder;
mod frame;
mod front;
pub mod fuzzing;
mod looks;
pub mod message;
mod mixing;
mod moves;
pub mod pacing;
mod profile;
mod sender;
mod sent;
mod stage;
mod terms;
pub mod tiles;

#[doc = include_str!("format.md")]
pub mod format {}

pub use decoder::{Applied, Decoder, MAX_PIXELS, PanelError, What};
pub use encoder::{Encoder, Step};
pub use frame::Frame;
pub use profile::{Entropy, Profile};
pub use sender::Sender;
pub use sent::{Position, RESUMABLE, Resumed};
pub use terms::{Lifts, Progress, Refines, Sameness, Terms};
