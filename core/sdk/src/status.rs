//! How a device's side of things stands, for showing to the customer.

use std::{sync::Arc, time::Duration};

use alongside_protocol::{
    code::CodeError,
    ids::{ModeId, SessionId},
    label::Label,
    proof::ProofFailure,
    reason::{EndReason, ModePhase, Party, Refusal},
    setting::Difference,
};

pub use alongside_protocol::obstacle::{Contact, Obstacle, ObstacleKind};
pub use alongside_session::{Link, OperatorIdentity, device::Banner};

/// How things stand on the device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Nobody is connected and no code is being tried.
    Idle,
    /// The code's nameplate is being looked up at the relay.
    Claiming,
    /// The relay knows the operator; the end-to-end connection is being made and the code proved.
    Connecting {
        /// Who invites the device.
        operator: OperatorIdentity,
    },
    /// The code did not lead to a session; the customer may type again.
    CodeRefused(CodeRefusal),
    /// A session is live.
    Active(Active),
    /// The session is over.
    Ended {
        /// Who ended it.
        by: Party,
        /// Why.
        reason: EndReason,
    },
}

/// A live session as the customer is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    /// The session's id.
    pub session: SessionId,
    /// Who is connected.
    pub operator: OperatorIdentity,
    /// What the operator may do now.
    pub mode: ModeId,
    /// How that mode stands.
    pub phase: ModePhase,
    /// Whether the operator can be reached.
    pub link: Link,
    /// An open question to the customer.
    pub ask: Option<Ask>,
    /// The answer to the last question, for a few seconds.
    pub refused: Option<Refusal>,
    /// Whether the panel shows that somebody is connected, and the way out.
    pub banner: Banner,
    /// Set while the session is about to end because nobody acts.
    pub idle_ends_in: Option<Duration>,
}

/// What people call a mode.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModeName {
    /// Which mode.
    pub id: ModeId,
    /// Its name, in the words of whoever made it.
    pub name: Label<64>,
}

impl ModeName {
    /// The mode `id` is called `name`.
    pub fn new(id: ModeId, name: Label<64>) -> Self {
        Self { id, name }
    }
}

/// A question to the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The mode that the operator wants, or wants to stay in.
    pub mode: ModeId,
    /// Whether the mode runs already and goes on if the customer allows it.
    pub is_renewal: bool,
    /// Whether the system administrator's ID must be entered as well.
    pub wants_admin_id: bool,
    /// Time left; silence is a no.
    pub expires_in: Duration,
    /// What would change, if the question is about settings: whoever answers has to see all of it.
    pub differences: Option<Arc<[Difference]>>,
}

/// Why a code did not lead to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeRefusal {
    /// It is no code; nothing was sent and no attempt spent.
    Malformed(CodeError),
    /// The relay knows no such code.
    Unknown,
    /// Its time is over.
    Expired,
    /// The secret part is wrong.
    Wrong {
        /// Attempts the code has left.
        tries_left: u8,
    },
    /// It was tried too often and is dead.
    Burnt,
    /// Too many wrong codes were entered on this device.
    EntryLocked {
        /// Time until the next try.
        wait: Duration,
    },
    /// There is no way to the relay, or no operator behind it.
    NoConnection(ConnectProblem),
    /// Neither the count of wrong codes nor a record can be kept on this device's disk, so no code is tried.
    RecordFailed,
}

impl From<ProofFailure> for CodeRefusal {
    fn from(failure: ProofFailure) -> Self {
        match failure {
            ProofFailure::Wrong { tries_left } => Self::Wrong { tries_left },
            ProofFailure::Burnt => Self::Burnt,
            ProofFailure::Expired => Self::Expired,
            ProofFailure::Unsupported => Self::NoConnection(ConnectProblem::Incompatible),
        }
    }
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectProblem {
    /// There is no way to the relay.
    NoWay(Obstacle),
    /// The operator's side did not answer in time.
    OperatorUnreachable,
    /// Nobody answers at the address at which the operator's side should listen.
    NobodyListens,
    /// The two programs do not speak the same version.
    Incompatible,
}

impl ConnectProblem {
    /// The error code of the command line.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoWay(obstacle) => obstacle.kind.code(),
            Self::OperatorUnreachable | Self::NobodyListens => "operator-unreachable",
            Self::Incompatible => "incompatible",
        }
    }
}

impl From<ObstacleKind> for ConnectProblem {
    fn from(kind: ObstacleKind) -> Self {
        Self::NoWay(kind.into())
    }
}
