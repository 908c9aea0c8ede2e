//! What both worlds have in common: one code, one connection, and an honest introduction.

use std::time::Instant;

use alongside_protocol::{
    AccessCode, Nameplate, PublicKey,
    code::CodeSecret,
    frame::{Frame, FrameReader},
};

use super::{DeviceWorld, OperatorWorld};
use crate::{Outbound, device, operator};

/// How far a session has come when things begin to happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The connection stands, nothing is proved.
    Proving,
    /// The code is proved and the user guide runs.
    Active,
}

pub(super) const OPERATOR: PublicKey = PublicKey([1; 32]);
pub(super) const DEVICE: PublicKey = PublicKey([2; 32]);
pub(super) const EXPORTER: [u8; 48] = [3; 48];

/// Both sides after an honest proof.
pub(super) fn introduce(start: Instant) -> (DeviceWorld, OperatorWorld) {
    let mut device = DeviceWorld::unproved(start);
    let mut operator = OperatorWorld::unproved(start);
    while !device.sent.is_empty() || !operator.sent.is_empty() {
        for outbound in std::mem::take(&mut operator.sent) {
            device.give(device::Input::Message {
                channel: outbound.channel,
                frame: cut(&outbound),
            });
        }
        for outbound in std::mem::take(&mut device.sent) {
            operator.give(operator::Input::Message {
                channel: outbound.channel,
                frame: cut(&outbound),
            });
        }
    }
    (device, operator)
}

pub(super) fn cut(outbound: &Outbound) -> Frame {
    let mut reader = FrameReader::for_channel(outbound.channel);
    reader.push(&outbound.bytes);
    reader
        .next_frame()
        .ok()
        .flatten()
        .expect("a session sends whole frames within their cap")
}

pub(super) fn code() -> AccessCode {
    let nameplate = Nameplate::new(81).expect("a nameplate");
    AccessCode::new(nameplate, CodeSecret::draw(&[7; 48]).expect("enough bytes"))
}
