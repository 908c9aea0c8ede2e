//! How a session comes to its end.

use alongside_protocol::{
    control::{Control, End},
    frame::{Channel, Frame},
    reason::{EndReason, Party},
    wire::DecodeError,
};

use crate::{Outbound, SessionError};

/// Why the embedder closes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The program was told to stop.
    Shutdown,
    /// The panel can no longer be captured.
    PanelFailed,
    /// A record could not be made durable.
    RecordFailed,
    /// The relay closed the meeting.
    RelayClosed,
    /// The other side broke the protocol below the messages that a session sees.
    PeerFault,
}

/// A session's end, decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) by: Party,
    pub(crate) reason: EndReason,
    pub(crate) farewell: Farewell,
}

/// Whether the other side is still told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    /// It is told, if it has proved the code.
    Say,
    /// It knows already, or cannot be reached.
    Skip,
}

/// Why an input was not followed to its end.
pub(crate) enum Stop {
    /// The session is over.
    Ending(Ending),
    /// The input was wrong.
    Fault(SessionError),
}

impl Ending {
    /// Ends here, and the other side is told.
    pub(crate) const fn ours(by: Party, reason: EndReason) -> Self {
        Self {
            by,
            reason,
            farewell: Farewell::Say,
        }
    }

    /// The path is gone.
    pub(crate) const LOST: Self = Self {
        by: Party::Network,
        reason: EndReason::PeerLost,
        farewell: Farewell::Skip,
    };

    /// The code was not proved.
    pub(crate) const NOT_PROVED: Self = Self {
        by: Party::Policy,
        reason: EndReason::CodeNotProved,
        farewell: Farewell::Skip,
    };

    /// What the operator's side says. It cannot speak for the customer or the device.
    pub(crate) const fn of_operator(end: End) -> Self {
        match end.by {
            Party::Customer | Party::Device => Self::theirs(Party::Operator, EndReason::PeerClosed),
            Party::Operator | Party::Policy | Party::Network | Party::Relay | _ => {
                Self::theirs(end.by, end.reason)
            }
        }
    }

    /// What the device's side says. It cannot speak for the operator.
    pub(crate) const fn of_device(end: End) -> Self {
        match end.by {
            Party::Operator => Self::theirs(Party::Device, EndReason::PeerClosed),
            Party::Customer | Party::Policy | Party::Network | Party::Relay | Party::Device | _ => {
                Self::theirs(end.by, end.reason)
            }
        }
    }

    const fn theirs(by: Party, reason: EndReason) -> Self {
        Self {
            by,
            reason,
            farewell: Farewell::Skip,
        }
    }

    /// What the embedder of `side` decides.
    pub(crate) const fn caused(cause: Cause, side: Party) -> Self {
        match cause {
            Cause::Shutdown => Self::ours(side, EndReason::Shutdown),
            Cause::PanelFailed => Self::ours(side, EndReason::PanelFailed),
            Cause::RecordFailed => Self::ours(side, EndReason::RecordFailed),
            Cause::RelayClosed => Self::ours(Party::Relay, EndReason::RelayClosed),
            Cause::PeerFault => Self::ours(Party::Policy, EndReason::Protocol),
        }
    }

    /// The last message.
    pub(crate) fn farewell(&self) -> Outbound {
        let end = End {
            by: self.by,
            reason: self.reason,
        };
        Outbound::reliable(Channel::Control, Control::from(end).to_frame())
    }
}

impl Stop {
    /// The other side sent `frame` when nothing of its kind was due.
    pub(crate) const fn out_of_turn(frame: &Frame) -> Self {
        Self::Fault(SessionError::Unexpected { kind: frame.kind })
    }
}

impl From<Ending> for Stop {
    fn from(ending: Ending) -> Self {
        Self::Ending(ending)
    }
}

impl From<SessionError> for Stop {
    fn from(error: SessionError) -> Self {
        Self::Fault(error)
    }
}

impl From<DecodeError> for Stop {
    fn from(error: DecodeError) -> Self {
        Self::Fault(error.into())
    }
}
