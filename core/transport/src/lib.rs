//! Carries a session: one end-to-end QUIC connection, and the leg to the relay that it goes through.
//!
//! The crate knows neither session nor mode. [`leg`] is what stands between one process and the relay and is
//! used by both ends of it.
#![forbid(unsafe_code)]

pub mod congestion;
pub mod identity;
pub mod leg;
mod random;

pub use identity::Identity;
pub use leg::tls::Trust;
