//! What goes into the device's side of a session and what comes out.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use alongside_mode::{Effect, HostEvent, Line};
use alongside_panel::Frame as Picture;
use alongside_protocol::{
    Bytes, PanelSize, Serial, SessionId,
    annotation::Annotation,
    control::{Countersigned, ModeState, Seal},
    frame::{Channel, Frame},
    ids::ModeId,
    input::KeyMotion,
    label::Label,
    proof::ProofFailure,
    reason::{EndReason, Party},
    units::{Millis, PanelRect},
};

use super::{AdminVerdict, Ask, AskId, Freshness, SettingsAct, SettingsNews};
use crate::{Action, Binding, Cause, Limits, Link, Offer, OperatorIdentity, Outbound, Record};

/// What a device says of itself, and whom it expects.
#[derive(Clone, Debug)]
pub struct Config {
    /// The device's serial number.
    pub serial: Serial,
    /// What kind of device it is, in the maker's words.
    pub model: Label<64>,
    /// Kind of panel, such as `mfd`.
    pub panel: Label<16>,
    /// Size of the panel; fixed for the session.
    pub size: PanelSize,
    /// Who invites, as the relay says. A peer with another key is refused.
    pub operator: OperatorIdentity,
    /// Language of the customer (BCP 47).
    pub locale: String,
    /// Time limits.
    pub limits: Limits,
    /// What this device offers beside the user guide, which every device has.
    pub modes: Vec<Offer>,
    /// Whether there is a system administrator's ID to check against. Without one, a mode that wants it is refused.
    pub has_admin_id: bool,
}

/// What happened to the device's side.
///
/// Debug shows neither entropy nor what a message holds.
pub enum Input {
    /// The end-to-end connection stands. `entropy` is fresh from the operating system and used for nothing else.
    Connected {
        /// The connection.
        binding: Binding,
        /// 32 random bytes.
        entropy: [u8; 32],
    },
    /// A whole frame arrived on the stream of `channel`.
    Message {
        /// Which stream.
        channel: Channel,
        /// The frame.
        frame: Frame,
    },
    /// A datagram arrived.
    Datagram(Bytes),
    /// The stream of `channel` takes this many bytes now; without any word it takes everything.
    Room {
        /// Which stream.
        channel: Channel,
        /// Bytes that it takes without queueing.
        bytes: usize,
    },
    /// The picture that [`Output::WantFrame`] asked for.
    Frame {
        /// The newest picture.
        frame: Arc<Picture>,
        /// What of it the operator must not see. Nothing in there is compared, hashed or coded.
        masked: Vec<PanelRect>,
        /// When it was captured.
        captured_at: Millis,
    },
    /// How long the picture handed in last took; told after it, for the operator to read.
    Timing {
        /// To take it.
        capture: Duration,
        /// To find out what changed and to code it.
        encode: Duration,
    },
    /// What the mode's half answered to event `seq`.
    ModeEffects {
        /// Number of the event.
        seq: u64,
        /// What the half wants done, in order.
        effects: Vec<Effect>,
    },
    /// The mode's half broke down at event `seq`.
    ModeFailed {
        /// Number of the event.
        seq: u64,
    },
    /// The panel has performed an [action](Event::Inject), or could not.
    Injected {
        /// Number of the action.
        n: u64,
        /// Whether it did.
        ok: bool,
    },
    /// The system administrator's ID that was entered for a question has been checked.
    AdminId {
        /// Which question.
        ask: AskId,
        /// How the check went.
        verdict: AdminVerdict,
    },
    /// The device says this about its settings.
    Settings {
        /// The [call](Event::Settings) that it answers.
        call: u64,
        /// What it says.
        news: SettingsNews,
    },
    /// A record is durable that the operator is to countersign. Of no use while there is no connection: to be handed in
    /// again once the session goes on.
    Seal(Seal),
    /// The customer did something.
    Local(CustomerAction),
    /// The embedder closes the session.
    Close(Cause),
    /// The instant that [`Output::Wait`] named has come.
    Timeout,
    /// The connection broke, and another may come in its place: the session waits for it.
    Interrupted,
    /// The connection is gone, and with it the session.
    Disconnected,
}

/// What the customer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomerAction {
    /// EXIT: the session ends at once.
    Exit,
    /// The stop key moved; held for 5 s it ends the session.
    StopKey(KeyMotion),
    /// The panel was touched. An operator's gesture ends at once, and their hand stays off the panel for a while;
    /// what a silent mode hides comes up; and a session about to end because nobody acts goes on.
    Touched,
    /// Allow what this question is about.
    Allow(AskId),
    /// Do not allow it.
    Refuse(AskId),
    /// A key or a touch in the dialog of the open question: its time starts again.
    DialogKey,
    /// Back to the user guide at once. An open question is answered with no.
    TakeBack,
}

/// What the driver must do, in the order given.
#[derive(Debug)]
pub enum Output {
    /// Make this durable before polling again.
    Record(Record),
    /// Hand this to the connection.
    Send(Outbound),
    /// Hand in the newest picture of the panel.
    WantFrame(Freshness),
    /// Give this to the half of the mode, and its answer back as [`Input::ModeEffects`].
    ModeEvent {
        /// Number of the event.
        seq: u64,
        /// Which mode.
        mode: ModeId,
        /// The event.
        event: HostEvent,
    },
    /// Tell the embedder.
    Event(Event),
    /// Drained: come back with input, or at this instant.
    Wait(Option<Instant>),
}

/// What the embedder is told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// An attempt at the code is charged: count the entry as failed, durably, until [`Event::Connected`].
    AttemptCharged,
    /// The code did not lead to a session; [`Event::Ended`] follows.
    CodeFailed(ProofFailure),
    /// The code is proved and the session live.
    Connected {
        /// The session's id on both sides.
        session: SessionId,
        /// Who is connected.
        operator: OperatorIdentity,
    },
    /// How a mode stands.
    Mode(ModeState),
    /// Ask the customer this.
    Asked(Ask),
    /// Nobody answered yet, and the answer would count: the administrator's ID is missing.
    AdminIdNeeded(AskId),
    /// The question is answered, or nobody did in time.
    AskOver(AskId),
    /// Do this on the panel, and hand in [`Input::Injected`].
    Inject {
        /// Number of the action in this session, from 1.
        n: u64,
        /// What to do.
        action: Action,
    },
    /// Do this with the device's settings. Its answers come as [`Input::Settings`] with the same number.
    Settings {
        /// The session's number for it; all that is about one change has the same.
        call: u64,
        /// What to do.
        act: SettingsAct,
    },
    /// What the operator may look at from now on. The panel until told otherwise.
    View(View),
    /// Whether the panel shows that somebody is connected, and EXIT. Shown until told otherwise.
    Banner(Banner),
    /// Draw this over the panel, or take it back.
    Annotate(Annotation),
    /// Show this to the customer, as the mode's words.
    Notice(Line),
    /// The operator's signature for a record, as it says. Nobody has looked whether it is.
    Countersigned(Countersigned),
    /// Whether the operator can be reached.
    Link(Link),
    /// Nobody acts; the session ends after this time unless somebody does.
    IdleWarning {
        /// Time left.
        ends_in: Duration,
    },
    /// Somebody acted, the session goes on.
    IdleOver,
    /// The session is over. Last event.
    Ended {
        /// Who ended it.
        by: Party,
        /// Why.
        reason: EndReason,
    },
}

/// What an operator may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// The panel, as the customer sees it.
    Panel,
    /// In sleep: the device's service surface, if it has one, and nothing of the panel.
    Service,
}

/// Whether the panel shows that somebody is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Banner {
    /// Who is connected and the way out are on the panel.
    Shown,
    /// A mode runs that the owner's policy allows unseen: nothing is on the panel until it is touched.
    Hidden,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { binding, .. } => write!(f, "Connected({binding:?})"),
            Self::Message { channel, frame } => {
                write!(f, "Message({channel:?}, {:#04x})", frame.kind)
            }
            Self::Datagram(bytes) => write!(f, "Datagram({} bytes)", bytes.len()),
            Self::Room { channel, bytes } => write!(f, "Room({channel:?}, {bytes})"),
            Self::Frame { .. } => f.write_str("Frame"),
            Self::Timing { capture, encode } => write!(f, "Timing({capture:?}, {encode:?})"),
            Self::Injected { n, ok } => write!(f, "Injected({n}, {ok})"),
            Self::AdminId { ask, verdict } => write!(f, "AdminId({ask}, {verdict:?})"),
            Self::Settings { call, .. } => write!(f, "Settings({call})"),
            Self::Seal(seal) => write!(f, "{seal:?}"),
            Self::ModeEffects { seq, effects } => write!(f, "ModeEffects({seq}, {effects:?})"),
            Self::ModeFailed { seq } => write!(f, "ModeFailed({seq})"),
            Self::Local(action) => write!(f, "Local({action:?})"),
            Self::Close(cause) => write!(f, "Close({cause:?})"),
            Self::Timeout => f.write_str("Timeout"),
            Self::Interrupted => f.write_str("Interrupted"),
            Self::Disconnected => f.write_str("Disconnected"),
        }
    }
}
