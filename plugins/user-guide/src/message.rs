//! What the two halves tell each other: version 1 of the mode's own protocol.

use alongside_mode::protocol::{
    PanelPoint,
    annotation::{Stroke, StrokeId},
    units::Color,
};
use serde::{Deserialize, Serialize};

/// From the operator half to the device half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToDevice {
    /// The pointer is here now. Only the newest counts, so it may be lost.
    Pointer {
        /// Counts up from 1, together with [`ToDevice::PointerGone`], which travels another way.
        n: u32,
        /// Where, in panel coordinates.
        at: PanelPoint,
        /// Its colour.
        color: Color,
    },
    /// The pointer has left the picture.
    PointerGone {
        /// Counts up from 1, together with [`ToDevice::Pointer`].
        n: u32,
    },
    /// Begins a stroke, or adds to it. Numbers go up from 1 and are used once.
    Stroke(Stroke),
    /// Takes back the newest stroke, or the one named.
    Undo(Option<StrokeId>),
    /// Takes back everything.
    Clear,
}

/// From the device half to the operator half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToOperator {
    /// What is shown has changed.
    Shown(Shown),
}

/// One change of what stands over the panel; also its form in JSON for the console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// A stroke stands with so many points.
    Stroke {
        /// Which stroke.
        id: StrokeId,
        /// All of its points.
        points: u32,
        /// Whether it is whole.
        done: bool,
    },
    /// A stroke has been taken back.
    Gone {
        /// Which stroke.
        id: StrokeId,
    },
    /// No stroke stands, and no pointer.
    Cleared,
    /// Whether the pointer is shown.
    Pointer(bool),
    /// The customer does not allow drawing now.
    Refused,
}
