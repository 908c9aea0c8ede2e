//! What two Alongside processes must agree on, and nothing else.
//!
//! Units and ids as types, the [access code](code), [input events](input), [annotations](annotation), [settings](setting), the
//! [frame] that every reliable stream is cut into, the messages that
//! [prove the code](proof), [run a session](control), [carry a mode](mode) and
//! [talk to the relay](relay), and the [layout of connection IDs](cid) by which the relay
//! forwards packets that it cannot read.
//!
//! The crate is pure: no socket, clock, thread or random source. Every decoder is total: whatever
//! bytes arrive, it answers with a value or a [`DecodeError`](wire::DecodeError), never a panic, and
//! allocates no more than a small multiple of the bytes it was given.
#![forbid(unsafe_code)]

pub mod annotation;
pub mod cid;
pub mod code;
pub mod control;
pub mod frame;
pub mod fuzzing;
pub mod ids;
pub mod input;
pub mod label;
pub mod mode;
pub mod obstacle;
pub mod proof;
pub mod reason;
pub mod relay;
pub mod setting;
pub mod units;
pub mod wire;

pub use bytes::Bytes;
pub use code::AccessCode;
pub use ids::{LegToken, Nameplate, PublicKey, RendezvousId, Serial, SessionId};
pub use units::{Kbps, PanelPoint, PanelSize};
