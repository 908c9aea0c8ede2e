//! What a step towards a picture has to keep to.

use std::time::Duration;

use alongside_protocol::units::PanelRect;

/// What may be sent, and what of it matters most. The default sends everything exactly, at most 16 KiB at a time.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Bytes after which a message is long enough (default: no bound but that of a message).
    pub enough: usize,
    /// Most bytes that dear tiles, such as those of photographs, may cost together and still come exactly at once
    /// (default: any number, so that nothing ever comes softly).
    pub dear: usize,
    /// The same for all other tiles (default: any number).
    pub cheap: usize,
    /// How coarse soft tiles are, 1 to 255 (default 44).
    pub coarseness: u8,
    /// Whether tiles that are shown softly may be made exact (default: yes).
    pub refines: Refines,
    /// Milliseconds from one picture of an animation to the next (default 0: every one is shown).
    pub animation: u64,
    /// Bytes after which a message is long enough that shows the next picture of an animation, if more than of any other
    /// (default 0).
    pub animated: usize,
    /// Milliseconds from one message to the next while much of the picture keeps changing, as when a list is scrolled
    /// (default 0: it is sent as it comes).
    pub rest: u64,
    /// Where the panel was touched last, in pixels: tiles near it come first.
    pub touch: Option<(u16, u16)>,
    /// Whether animations near the touch are shown as they come (default: no).
    pub lifts: Lifts,
    /// What is to be exact before anything else.
    pub first: Option<PanelRect>,
    /// Whether the picture is the one of the step before (default: not known).
    pub sameness: Sameness,
    /// Time since any start by a clock that never goes back, which animations and checks are paced by: the one that
    /// pictures are dated by may be set meanwhile (default: that one).
    pub now: Option<Duration>,
}

/// Whether soft tiles may be made exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refines {
    /// They may.
    Yes,
    /// Only where it is asked for.
    OnlyFirst,
}

/// Which animations are not held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifts {
    /// None.
    Nothing,
    /// Those near the last touch.
    NearTouch,
}

/// Whether a picture is the one of the step before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sameness {
    /// It is.
    Same,
    /// It may be another.
    Unknown,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            enough: usize::MAX,
            dear: usize::MAX,
            cheap: usize::MAX,
            coarseness: 44,
            refines: Refines::Yes,
            animation: 0,
            animated: 0,
            rest: 0,
            touch: None,
            lifts: Lifts::Nothing,
            first: None,
            sameness: Sameness::Unknown,
            now: None,
        }
    }
}

/// How far an encoder is with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The operator shows it exactly, once everything has arrived.
    Exact,
    /// It has everything, some of it softly.
    Visible,
    /// More is to be sent.
    Partial,
    /// More is to be sent, but only of animations, and not before so many milliseconds have passed.
    Held(u64),
}
