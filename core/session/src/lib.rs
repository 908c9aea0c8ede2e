//! The session state machine of both sides.
#![forbid(unsafe_code)]

mod binding;
mod kdf;
mod lv;
mod pake;
mod proof;

pub use binding::Binding;
