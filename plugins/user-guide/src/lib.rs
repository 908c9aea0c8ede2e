//! The user guide mode: the operator points and draws on the panel's picture, and the customer acts.
//!
//! Nothing of the operator's touches the device. Their pointer and strokes stand over the panel as vectors in panel
//! coordinates, until they are taken back, the pointer has rested for [3 seconds](POINTER_REST), or the mode ends.
//!
//! The [device half](AtDevice) is the one that decides: it checks what comes, [bounds](MAX_POINTS) what stands, draws,
//! and tells the operator half what [is shown now](Shown). The [operator half](AtOperator) numbers the strokes and
//! passes that on to the console, which so can draw what the device confirms and not what it hopes for.
//!
//! # Messages to and from the console
//!
//! What the operator does arrives as pointer and draw events. Besides, the console may choose the pointer's colour
//! with `{"pointer": {"color": "#rrggbb"}}`. It is told, with the numbers that it gave the strokes itself:
//!
//! | message | the panel |
//! | --- | --- |
//! | `{"shown": {"stroke": {"id": 7, "points": 130, "done": false}}}` | shows stroke 7 with 130 points |
//! | `{"shown": {"gone": {"id": 7}}}` | has taken stroke 7 back: undone, or the oldest of too many |
//! | `{"shown": "cleared"}` | shows no stroke and no pointer |
//! | `{"shown": {"pointer": true}}` | shows the pointer; `false`: no longer |
//! | `{"shown": "refused"}` | does not draw, because the customer does not allow it now |
#![forbid(unsafe_code)]

use alongside_mode::{Mode, abi};

mod device;
mod drawing;
mod message;
mod operator;

pub use device::{AtDevice, POINTER_REST};
pub use drawing::{MAX_POINTS, MAX_STROKE_POINTS, STROKE_COSTS};
pub use message::{Shown, ToDevice, ToOperator};
pub use operator::{AtOperator, POINTER_COLOR};

/// The user guide mode.
#[derive(Debug)]
pub struct UserGuide;

impl Mode for UserGuide {
    const MANIFEST: &'static str = include_str!("../mode.json");
    type ToOperator = ToOperator;
    type ToDevice = ToDevice;
    type Device = AtDevice;
    type Operator = AtOperator;
}

/// The mode's table, for a host that links it in.
pub static MODULE: abi::Module = alongside_mode::module::<UserGuide>();
