//! What fuzzers and property tests run: a session of either side, with anything at all happening to it.
//!
//! Both drive the same [`Step`]s through the same worlds, which panic where a promise is broken: nothing is drawn,
//! shown, touched or sent of the panel outside a grant, no grant comes but from the customer, nothing happens without
//! its record before it, and nothing at all after the end.

mod device;
mod model;
mod operator;
mod steps;
mod world;

use std::time::Instant;

pub use device::DeviceWorld;
#[cfg(test)]
pub(crate) use device::device_config;
pub use operator::OperatorWorld;
pub use steps::Step;
pub use world::Stage;

/// A device's session to which `data` happens. `start` is any instant.
pub fn device(start: Instant, data: &[u8]) {
    let (stage, steps) = steps::decode(data);
    let mut world = DeviceWorld::new(start, stage);
    steps.into_iter().for_each(|step| world.apply(step));
}

/// An operator's session to which `data` happens. `start` is any instant.
pub fn operator(start: Instant, data: &[u8]) {
    let (stage, steps) = steps::decode(data);
    let mut world = OperatorWorld::new(start, stage);
    steps.into_iter().for_each(|step| world.apply(step));
}
