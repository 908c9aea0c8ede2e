//! What goes into the operator's side of a session and what comes out.

use std::{
    fmt,
    time::{Duration, Instant},
};

use alongside_mode::{Capabilities, Effect, HostEvent, TypedText, manifest::Span};
use alongside_panel::Applied;
use alongside_protocol::{
    Bytes,
    annotation::Annotation,
    control::{Countersigned, HelloDevice, ModeState, Seal, Spoken},
    frame::{Channel, Frame},
    ids::ModeId,
    input::{KeyEvent, PointerEvent},
    label::Name,
    proof::ProofFailure,
    reason::{EndReason, Party},
    units::PanelRect,
};

use crate::{Binding, Cause, Link, Outbound, Record, ladder};

/// What an operator says of itself.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The name to give; the device shows it as unverified unless a relay confirms one.
    pub name: Option<Name>,
    /// Language of the operator (BCP 47).
    pub locale: String,
    /// The modes whose operator's half is here, beside the user guide.
    pub modes: Vec<Known>,
}

/// A mode whose operator's half is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which mode.
    pub id: ModeId,
    /// What it wants to do, by its manifest. What it may do is decided on the device.
    pub capabilities: Capabilities,
    /// Versions of the halves' own protocol that the operator's half speaks.
    pub peer: Span,
}

impl Config {
    /// What `mode` wants to do; `None` if its operator's half is not here.
    pub(crate) fn capabilities(&self, mode: &ModeId) -> Option<Capabilities> {
        if ladder::is_user_guide(mode) {
            return Some(ladder::USER_GUIDE);
        }
        let known = self.modes.iter().find(|known| known.id == *mode)?;
        Some(known.capabilities)
    }
}

/// What happened to the operator's side.
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
    /// This side's signature for a [record](Event::Seal) of the device's, once what it is about is durable here. Of no
    /// use while there is no connection: the device asks again.
    Countersigned(Countersigned),
    /// The operator did something.
    Ask(OperatorAction),
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
    /// The embedder closes the session.
    Close(Cause),
    /// The instant that [`Output::Wait`] named has come.
    Timeout,
    /// The connection broke, and another may come in its place: the session waits for it.
    Interrupted,
    /// The connection is gone, and with it the session.
    Disconnected,
}

/// What the operator does.
///
/// Debug shows no key, no text and no JSON.
#[derive(Clone, PartialEq, Eq)]
pub enum OperatorAction {
    /// Ask for a mode.
    Mode(ModeId),
    /// Move the pointer over the picture.
    Pointer(PointerEvent),
    /// Press or release a key.
    Key(KeyEvent),
    /// Type.
    Text(TypedText),
    /// Draw over the picture.
    Draw(Annotation),
    /// JSON from the mode's part of the console.
    Console(Vec<u8>),
    /// Show this part of the picture exactly before anything else.
    Exact(PanelRect),
    /// The same, to a mode that may read settings.
    Settings(Vec<u8>),
    /// Answer the idle warning.
    StillHere,
    /// End the session.
    End,
}

/// What the driver must do, in the order given.
#[derive(Debug)]
pub enum Output {
    /// Make this durable before polling again.
    Record(Record),
    /// Hand this to the connection.
    Send(Outbound),
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
///
/// Debug shows no JSON.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// An attempt at the code is charged.
    AttemptCharged {
        /// Failed proofs that the code still survives.
        tries_left: u8,
    },
    /// The code did not lead to a session; [`Event::Ended`] follows.
    CodeFailed(ProofFailure),
    /// The code is proved and the session live.
    Connected(HelloDevice),
    /// How a mode stands.
    Mode(ModeState),
    /// The picture changed; see [`Session::picture`](super::Session::picture). The reply is on its way already.
    Panel(Applied),
    /// The modes that the device offers beside the user guide.
    Offered(Vec<Spoken>),
    /// A record of the device's audit that this side is to countersign. Nobody has looked at it.
    Seal(Seal),
    /// JSON for the mode's part of the console.
    Console(Vec<u8>),
    /// Whether the device can be reached.
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

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { binding, .. } => write!(f, "Connected({binding:?})"),
            Self::Message { channel, frame } => {
                write!(f, "Message({channel:?}, {:#04x})", frame.kind)
            }
            Self::Datagram(bytes) => write!(f, "Datagram({} bytes)", bytes.len()),
            Self::Room { channel, bytes } => write!(f, "Room({channel:?}, {bytes})"),
            Self::Countersigned(signed) => write!(f, "Countersigned({})", signed.index),
            Self::Ask(action) => write!(f, "Ask({action:?})"),
            Self::ModeEffects { seq, effects } => write!(f, "ModeEffects({seq}, {effects:?})"),
            Self::ModeFailed { seq } => write!(f, "ModeFailed({seq})"),
            Self::Close(cause) => write!(f, "Close({cause:?})"),
            Self::Timeout => f.write_str("Timeout"),
            Self::Interrupted => f.write_str("Interrupted"),
            Self::Disconnected => f.write_str("Disconnected"),
        }
    }
}

impl fmt::Debug for OperatorAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode(mode) => write!(f, "Mode({mode})"),
            Self::Pointer(_) => f.write_str("Pointer"),
            Self::Key(_) => f.write_str("Key"),
            Self::Text(_) => f.write_str("Text"),
            Self::Draw(_) => f.write_str("Draw"),
            Self::Console(json) => write!(f, "Console({} bytes)", json.len()),
            Self::Exact(_) => f.write_str("Exact"),
            Self::Settings(json) => write!(f, "Settings({} bytes)", json.len()),
            Self::StillHere => f.write_str("StillHere"),
            Self::End => f.write_str("End"),
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AttemptCharged { tries_left } => {
                write!(f, "AttemptCharged {{ tries_left: {tries_left} }}")
            }
            Self::CodeFailed(failure) => write!(f, "CodeFailed({failure:?})"),
            Self::Connected(hello) => write!(f, "Connected({hello:?})"),
            Self::Mode(state) => write!(f, "Mode({state:?})"),
            Self::Panel(applied) => write!(f, "Panel({applied:?})"),
            Self::Offered(modes) => write!(f, "Offered({modes:?})"),
            Self::Seal(seal) => write!(f, "{seal:?}"),
            Self::Console(json) => write!(f, "Console({} bytes)", json.len()),
            Self::Link(link) => write!(f, "Link({link:?})"),
            Self::IdleWarning { ends_in } => write!(f, "IdleWarning {{ ends_in: {ends_in:?} }}"),
            Self::IdleOver => f.write_str("IdleOver"),
            Self::Ended { by, reason } => write!(f, "Ended {{ by: {by:?}, reason: {reason:?} }}"),
        }
    }
}
