//! Where a device's settings live: in files that other programs read, or, for the demo's machine, in one of its own.

pub mod file;
pub mod mfd;
