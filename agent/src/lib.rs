//! The agent as a library: what the binary `alongside-agent` is made of, for its tests and examples.
#![forbid(unsafe_code)]

pub mod admin_id;
pub mod api;
pub mod assist;
pub mod audit;
pub mod cli;
pub mod config;
pub mod convert;
#[cfg(feature = "demo")]
pub mod demo;
pub mod device;
pub mod doctor;
pub mod exit;
pub mod fan;
pub mod forget;
pub mod harden;
pub mod log;
pub mod mode;
pub mod obstacle;
pub mod pages;
pub mod panel;
pub mod policy;
pub mod preferences;
pub mod settings;
pub mod signal;
pub mod snapshot;
pub mod stdio;
pub mod text;
