//! The operator control mode: the operator touches the panel and presses its keys, and the customer watches.
//!
//! The [operator half](AtOperator) stamps each input with its time and sends it in order; where the pointer merely hovers,
//! only the newest counts. The [device half](AtDevice) asks the session to do it, shows the customer where the operator's
//! hand is, and drops what took longer than [`TOO_OLD`] to arrive: what was meant for a picture that is long gone is
//! never done. It lets go of what is pressed where the letting go comes too late.
//!
//! Whether anything is done at all is the session's to say, at each single input.
//!
//! # Messages to the console
//!
//! | message | meaning |
//! | --- | --- |
//! | `{"input": "late"}` | input took too long to arrive and was dropped |
//! | `{"input": "refused"}` | the customer does not allow input now |
//!
//! Each is told once until input gets through again.
#![forbid(unsafe_code)]

use alongside_mode::{Mode, abi};

mod age;
mod device;
mod message;
mod operator;
mod ripples;

pub use age::TOO_OLD;
pub use device::{AtDevice, POINTER_REST};
pub use message::{Input, Problem, ToDevice, ToOperator};
pub use operator::AtOperator;
pub use ripples::{HAND, RIPPLE};

/// The operator control mode.
#[derive(Debug)]
pub struct OperatorControl;

impl Mode for OperatorControl {
    const MANIFEST: &'static str = include_str!("../mode.json");
    type ToOperator = ToOperator;
    type ToDevice = ToDevice;
    type Device = AtDevice;
    type Operator = AtOperator;
}

/// The mode's table, for a host that links it in.
pub static MODULE: abi::Module = alongside_mode::module::<OperatorControl>();
