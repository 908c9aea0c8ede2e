//! What the host tells a half of a mode.

use std::{fmt, time::Duration};

use alongside_protocol::{
    Bytes, Kbps, PanelSize,
    annotation::Annotation,
    input::{KeyEvent, PointerEvent},
};
use serde::{Deserialize, Serialize};

use crate::{
    body::{BodyError, TypedText, get, micros, put},
    capability::{Capabilities, Side},
    settings::SettingsAnswer,
};

/// Numbers of the events; only ever added to.
pub mod kind {
    /// [`HostEvent::Start`](super::HostEvent::Start).
    pub const START: u32 = 1;
    /// [`HostEvent::Stop`](super::HostEvent::Stop).
    pub const STOP: u32 = 2;
    /// [`HostEvent::Peer`](super::HostEvent::Peer): the body is the other half's bytes as they are.
    pub const PEER: u32 = 3;
    /// [`HostEvent::Grant`](super::HostEvent::Grant).
    pub const GRANT: u32 = 4;
    /// [`HostEvent::Pointer`](super::HostEvent::Pointer).
    pub const POINTER: u32 = 5;
    /// [`HostEvent::Key`](super::HostEvent::Key).
    pub const KEY: u32 = 6;
    /// [`HostEvent::Text`](super::HostEvent::Text).
    pub const TEXT: u32 = 7;
    /// [`HostEvent::Draw`](super::HostEvent::Draw).
    pub const DRAW: u32 = 8;
    /// [`HostEvent::Timer`](super::HostEvent::Timer).
    pub const TIMER: u32 = 9;
    /// [`HostEvent::Console`](super::HostEvent::Console): the body is JSON as it is.
    pub const CONSOLE: u32 = 10;
    /// [`HostEvent::Link`](super::HostEvent::Link).
    pub const LINK: u32 = 11;
    /// [`HostEvent::Settings`](super::HostEvent::Settings).
    pub const SETTINGS: u32 = 12;
}

/// One event, as session and SDK pass it around. A mode's author meets it as [`Event`](crate::Event).
///
/// Debug shows no typed text, no key's name, and of bytes that a mode made itself only how many there are.
#[derive(Clone, PartialEq, Eq)]
pub enum HostEvent {
    /// The mode begins. First event of an instance.
    Start(Start),
    /// The mode is over. Last event of an instance.
    Stop(StopReason),
    /// Bytes from the other half.
    Peer(Bytes),
    /// What the mode may do has changed.
    Grant(Grant),
    /// Operator half: the operator's pointer over the panel's picture.
    Pointer(PointerEvent),
    /// Operator half: a key of the operator's.
    Key(KeyEvent),
    /// Operator half: the operator typed this.
    Text(TypedText),
    /// Operator half: the operator drew this.
    Draw(Annotation),
    /// A timer that this half set has run down.
    Timer(u32),
    /// Operator half: JSON from the mode's part of the console.
    Console(Vec<u8>),
    /// How the path between the two sides does.
    Link(LinkReport),
    /// Device half: a part of the answer to a request about settings.
    Settings(SettingsAnswer),
}

/// What a half is told first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Which half this is.
    pub side: Side,
    /// What the mode may do from now on.
    pub granted: Capabilities,
    /// Version of the halves' own protocol, chosen from what both offer.
    pub protocol: u16,
    /// Size of the panel; fixed for the life of the session.
    pub panel: PanelSize,
    /// Language of the person on this side, such as `de` or `zh-Hant-TW` (BCP 47).
    pub locale: String,
}

/// Why a mode is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StopReason {
    /// The operator left the mode.
    Left,
    /// Another mode takes its place.
    Replaced,
    /// The customer, or the owner's policy, took the permission back.
    Withdrawn,
    /// The mode finished by itself, on this side or the other.
    Finished,
    /// The other half failed.
    PeerFailed,
    /// The session is over.
    SessionEnded,
}

/// What a mode may do has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// Everything that it may do from now on.
    pub granted: Capabilities,
}

/// How the path between the two sides does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkReport {
    /// Time that a packet takes there and back.
    #[serde(with = "micros")]
    pub rtt: Duration,
    /// What this side sends now, everything counted.
    pub sending: Kbps,
    /// What this side may send.
    pub budget: Kbps,
}

impl HostEvent {
    /// Number of this kind of event; see [`kind`].
    pub const fn kind(&self) -> u32 {
        match self {
            Self::Start(_) => kind::START,
            Self::Stop(_) => kind::STOP,
            Self::Peer(_) => kind::PEER,
            Self::Grant(_) => kind::GRANT,
            Self::Pointer(_) => kind::POINTER,
            Self::Key(_) => kind::KEY,
            Self::Text(_) => kind::TEXT,
            Self::Draw(_) => kind::DRAW,
            Self::Timer(_) => kind::TIMER,
            Self::Console(_) => kind::CONSOLE,
            Self::Link(_) => kind::LINK,
            Self::Settings(_) => kind::SETTINGS,
        }
    }

    /// Appends the body that goes with [`HostEvent::kind`] to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Start(start) => put(start, out),
            Self::Stop(reason) => put(reason, out),
            Self::Peer(bytes) => out.extend_from_slice(bytes),
            Self::Grant(grant) => put(grant, out),
            Self::Pointer(event) => put(event, out),
            Self::Key(event) => put(event, out),
            Self::Text(text) => put(text, out),
            Self::Draw(annotation) => put(annotation, out),
            Self::Timer(id) => put(id, out),
            Self::Console(json) => out.extend_from_slice(json),
            Self::Link(report) => put(report, out),
            Self::Settings(answer) => put(answer, out),
        }
    }

    /// Reads an event.
    ///
    /// # Errors
    ///
    /// [`BodyError`] for a kind that this version does not know, and for a body that is truncated, has bytes left
    /// over or holds a value outside its bounds.
    pub fn decode(kind: u32, body: &[u8]) -> Result<Self, BodyError> {
        Ok(match kind {
            kind::START => Self::Start(get(kind, body)?),
            kind::STOP => Self::Stop(get(kind, body)?),
            kind::PEER => Self::Peer(Bytes::copy_from_slice(body)),
            kind::GRANT => Self::Grant(get(kind, body)?),
            kind::POINTER => Self::Pointer(get(kind, body)?),
            kind::KEY => Self::Key(get(kind, body)?),
            kind::TEXT => Self::Text(get(kind, body)?),
            kind::DRAW => Self::Draw(get(kind, body)?),
            kind::TIMER => Self::Timer(get(kind, body)?),
            kind::CONSOLE => Self::Console(body.to_vec()),
            kind::LINK => Self::Link(get(kind, body)?),
            kind::SETTINGS => Self::Settings(get(kind, body)?),
            unknown => return Err(BodyError::UnknownKind(unknown)),
        })
    }
}

impl fmt::Debug for HostEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(start) => f.debug_tuple("Start").field(start).finish(),
            Self::Stop(reason) => f.debug_tuple("Stop").field(reason).finish(),
            Self::Peer(bytes) => write!(f, "Peer({} bytes)", bytes.len()),
            Self::Grant(grant) => f.debug_tuple("Grant").field(grant).finish(),
            Self::Pointer(event) => f.debug_tuple("Pointer").field(event).finish(),
            Self::Key(event) => f.debug_tuple("Key").field(event).finish(),
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::Draw(annotation) => f.debug_tuple("Draw").field(annotation).finish(),
            Self::Timer(id) => f.debug_tuple("Timer").field(id).finish(),
            Self::Console(json) => write!(f, "Console({} bytes)", json.len()),
            Self::Link(report) => f.debug_tuple("Link").field(report).finish(),
            Self::Settings(answer) => f.debug_tuple("Settings").field(answer).finish(),
        }
    }
}

#[cfg(test)]
mod tests;
