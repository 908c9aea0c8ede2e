//! The relay: introduces device and operator, forwards what cannot go direct, reads none of it.
//!
//! [`Relay::start`] runs one; the binary does little more. Inside, the [`switchboard`] decides who may talk to
//! whom and is pure, [`forward`] moves packets between two legs that it paired, and everything else is the shell
//! around them.
//!
//! ```no_run
//! use alongside_relay::{Config, Relay, Socket, StateDir};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let mut config = Config::default();
//! config.danger_port = Some(0); // a lab: any free port
//! let relay = Relay::start(&config, StateDir::open("state")?, Socket::Bind)?;
//! println!("legs may come to {}", relay.udp());
//! relay.shutdown().await;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod access;
mod bucket;
pub mod certificate;
mod clock;
pub mod config;
pub mod forward;
pub mod fuzzing;
pub mod operators;
mod random;
pub mod server;
pub mod source;
pub mod state;
pub mod switchboard;
#[cfg(test)]
mod testing;

pub use config::Config;
pub use server::{Relay, Running, Socket, StartError};
pub use state::StateDir;
