//! The relay: introduces device and operator, forwards what cannot go direct, reads none of it.
#![forbid(unsafe_code)]

pub mod config;
pub mod operators;
pub mod source;
pub mod state;
pub mod switchboard;

#[cfg(test)]
mod testing;
