//! What an operator's side tells its embedder.

use std::{net::SocketAddr, time::Duration};

use alongside_protocol::{
    control::{HelloDevice, ModeState},
    ids::ModeId,
    label::Label,
    reason::{EndReason, Party},
    units::PanelRect,
};
use alongside_session::IssuedCode;
use alongside_transport::{DialError, LegLost};
use tokio::sync::mpsc;

use crate::{meter::PathStatus, status::Link};

/// What happens, in order.
///
/// Up to 4096 wait to be read; beyond, the newest are lost.
pub type OperatorEvents = mpsc::Receiver<OperatorEvent>;

/// One thing that happened on the operator's side.
#[derive(Debug)]
#[non_exhaustive]
pub enum OperatorEvent {
    /// Devices that are told this address can come: there is no relay.
    Listening(SocketAddr),
    /// The relay knows this operator, or this side listens; codes can be had.
    Ready,
    /// Somebody typed the code, and its secret part wrong.
    CodeWrong {
        /// Attempts the code has left.
        tries_left: u8,
    },
    /// The code was tried too often, or the relay gave it up, and is dead.
    CodeBurnt,
    /// The code's time ran out unused.
    CodeExpired,
    /// The device's program does not speak this version.
    Incompatible,
    /// Somebody typed the code, but no connection came about; the code lives on.
    DialFailed(DialError),
    /// A device has proved the code.
    Connected(HelloDevice),
    /// A mode changed its state.
    Mode(ModeState),
    /// The picture moved on.
    Panel(PanelUpdate),
    /// The modes that the device offers beside the user guide, of those whose operator's half is here.
    Offered(Vec<Mode>),
    /// What there is to tell of the device's settings. A schema and values come whole.
    #[cfg(feature = "builtin-modes")]
    Settings(super::SettingsTold),
    /// The active mode has something for its part of the console: JSON.
    Console(Vec<u8>),
    /// How long the picture takes from the panel to this side; at most once a second, while it changes.
    Latency(Latency),
    /// How packets travel.
    Path(PathStatus),
    /// Whether the device can be reached.
    Link(Link),
    /// Whether the relay can be reached.
    RelayLink(Link),
    /// The relay is gone, and with it a code that nobody has used. It is looked for until it is there again, which
    /// [`OperatorEvent::Ready`] tells.
    RelayGone(LegLost),
    /// Nobody has acted for a while; the session ends then.
    IdleWarning {
        /// Time left.
        ends_in: Duration,
    },
    /// Somebody acted; the session goes on.
    IdleOver,
    /// The session is over. Last event of a session.
    Ended {
        /// Who ended it.
        by: Party,
        /// Why.
        reason: EndReason,
    },
}

/// A mode that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mode {
    /// Which mode.
    pub id: ModeId,
    /// What people call it.
    pub name: Label<64>,
    /// Whose word it takes.
    pub asks: Asks,
    /// Its part of the console, if it was loaded from a package and has one.
    pub panel: Option<ConsolePanel>,
}

/// Whose word a mode takes, as far as the operator's copy of it tells. The device decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Asks {
    /// Nobody's any more: the code was enough.
    Code,
    /// The customer's.
    Customer,
    /// The customer's, with the system administrator's ID.
    Administrator,
    /// That of the owner's policy; nobody at the panel is asked.
    Policy,
}

/// A mode's part of the console.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsolePanel {
    /// The custom element that the script defines.
    pub element: Label<64>,
    /// An ES module without imports. Nobody has judged what it does: give it a frame of an origin of its own.
    pub script: String,
}

impl ConsolePanel {
    /// The element that `script` defines.
    pub fn new(element: Label<64>, script: impl Into<String>) -> Self {
        Self {
            element,
            script: script.into(),
        }
    }
}

/// One step of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelUpdate {
    /// Counts the messages of the picture.
    pub frame: u64,
    /// Size of the message, in bytes.
    pub bytes: usize,
    /// When the device took the picture, by its clock: Unix milliseconds.
    pub captured_at: u64,
    /// Whether the picture now equals the device's at that time.
    pub exact: bool,
    /// Whether all of it is at least nearly so.
    pub visible: bool,
    /// Where it is only nearly so.
    pub soft: Vec<PanelRect>,
    /// Where it changed.
    pub damage: Vec<PanelRect>,
}

/// How long the parts of the way take, for one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// The device takes the picture.
    pub capture: Duration,
    /// It finds out what changed, and codes it.
    pub encode: Duration,
    /// The message travels: half the round trip, and what it took longer than the quickest so far.
    pub network: Duration,
    /// It is applied here.
    pub decode: Duration,
}

/// When [`Operator::run`](crate::Operator::run) comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After the first session, when a code was tried too often, or when the relay knows no such operator.
    FirstSession,
    /// When every handle is gone, or one [ends](crate::OperatorHandle::end) it outside of a session.
    Stopped,
}

/// Why [`Operator::run`](crate::Operator::run) ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum OperatorEnd {
    /// A session took place and is over.
    Session {
        /// Who ended it.
        by: Party,
        /// Why.
        reason: EndReason,
    },
    /// A code was tried too often and is dead.
    CodeBurnt,
    /// The relay does not know this operator and gives no codes.
    Unknown,
    /// A device came over [`Operator::run_over`](super::Operator::run_over) and did not prove the code; here it is for
    /// the next.
    NotProved(IssuedCode),
    /// The code's time ran out before it was proved, over [`Operator::run_over`](super::Operator::run_over).
    CodeExpired,
    /// Every handle is gone, or one said [`OperatorHandle::end`](crate::OperatorHandle::end) while no session was live.
    Stopped,
    /// The relay is gone.
    RelayLost(LegLost),
}
