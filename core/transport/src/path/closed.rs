//! Ways that are closed to this side, and why: for people, who may have them opened.

use alongside_protocol::obstacle::Obstacle;

use super::PathKind;

/// One way that is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedWay {
    /// Which.
    pub kind: PathKind,
    /// Why.
    pub why: Obstacle,
}
