//! What a device tells its embedder.

use alongside_protocol::{
    SessionId,
    annotation::Annotation,
    control::ModeState,
    reason::{EndReason, Party},
};
use alongside_session::{Action, OperatorIdentity};
use tokio::sync::mpsc;

use crate::{
    meter::PathStatus,
    status::{Ask, CodeRefusal, Link},
};

/// What happens, in order.
///
/// Up to 1024 wait to be read; beyond, the newest are lost.
pub type DeviceEvents = mpsc::Receiver<DeviceEvent>;

/// One thing that happened on the device's side.
#[derive(Debug)]
#[non_exhaustive]
pub enum DeviceEvent {
    /// A code did not lead to a session.
    CodeRefused(CodeRefusal),
    /// A session is live.
    Connected {
        /// Its id.
        session: SessionId,
        /// Who is connected.
        operator: OperatorIdentity,
    },
    /// A mode changed its state.
    Mode(ModeState),
    /// The customer is asked.
    Asked(Ask),
    /// The panel was told to draw this.
    Annotation(Annotation),
    /// The panel was told to do this for the operator.
    Injected {
        /// Counts up from 1 in a session.
        n: u64,
        /// What it was.
        action: Action,
        /// Whether the panel did it.
        ok: bool,
    },
    /// How packets travel.
    Path(PathStatus),
    /// Whether the operator can be reached.
    Link(Link),
    /// Whether the relay can be reached.
    RelayLink(Link),
    /// The session is over. Last event of a session.
    Ended {
        /// Who ended it.
        by: Party,
        /// Why.
        reason: EndReason,
    },
}

/// When [`Device::run`](crate::Device::run) comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After the first code that was tried, whether it led to a session or not.
    FirstCode,
    /// When every handle is gone, or one was told to [stop](crate::DeviceHandle::stop).
    Stopped,
}

/// How [`Device::run`](crate::Device::run) ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceEnd {
    /// A session took place and is over.
    Session {
        /// Who ended it.
        by: Party,
        /// Why.
        reason: EndReason,
    },
    /// The code did not lead to a session.
    Refused(CodeRefusal),
    /// Told to stop, or nobody is left to tell.
    Stopped,
}
