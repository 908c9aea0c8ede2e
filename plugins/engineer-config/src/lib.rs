//! The engineer config mode: the operator reads and changes the device's settings, and the customer allows each change.
//!
//! The [operator half](AtOperator) takes [`Ask`]s from the console, sends them in pieces that fit into a message, and puts
//! the answers together as [`Tell`]s. The [device half](AtDevice) asks the session, which has the last word: it asks the
//! customer, writes the record, and takes a change back that nobody confirms.
//!
//! The operator half confirms by itself, [`SETTLE`] after it has heard that a change is made: a change that cuts the
//! operator off is never confirmed, and so taken back.
#![forbid(unsafe_code)]

use std::time::Duration;

use alongside_mode::{Mode, abi};

mod console;
mod device;
mod message;
mod operator;

pub use console::{Ask, Surface, Tell};
pub use device::AtDevice;
pub use message::{ToDevice, ToOperator};
pub use operator::AtOperator;

/// How long a change has to be in force before the operator half confirms it (our choice: a network setting that cuts the
/// line has done so by then).
pub const SETTLE: Duration = Duration::from_secs(2);

/// The engineer config mode.
#[derive(Debug)]
pub struct EngineerConfig;

impl Mode for EngineerConfig {
    const MANIFEST: &'static str = include_str!("../mode.json");
    type ToOperator = ToOperator;
    type ToDevice = ToDevice;
    type Device = AtDevice;
    type Operator = AtOperator;
}

/// The mode's table, for a host that links it in.
pub static MODULE: abi::Module = alongside_mode::module::<EngineerConfig>();
