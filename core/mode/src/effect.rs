//! What a half of a mode asks the host to do.

use std::{fmt, time::Duration};

use alongside_protocol::{
    Bytes,
    annotation::Annotation,
    input::{KeyEvent, PointerEvent},
    mode::{MAX_LATEST_LEN, MAX_PEER_LEN},
};
use serde::{Deserialize, Serialize};

use crate::{
    body::{BodyError, Line, TypedText, get, micros, put},
    capability::{Capabilities, Side},
    settings::SettingsCall,
};

/// Numbers of the effects; only ever added to.
pub mod kind {
    /// [`Effect::Peer`](super::Effect::Peer): the body is one byte of delivery, then bytes as they are.
    pub const PEER: u32 = 1;
    /// [`Effect::Annotate`](super::Effect::Annotate).
    pub const ANNOTATE: u32 = 2;
    /// [`Effect::Pointer`](super::Effect::Pointer).
    pub const POINTER: u32 = 3;
    /// [`Effect::Key`](super::Effect::Key).
    pub const KEY: u32 = 4;
    /// [`Effect::Text`](super::Effect::Text).
    pub const TEXT: u32 = 5;
    /// [`Effect::SetTimer`](super::Effect::SetTimer).
    pub const SET_TIMER: u32 = 6;
    /// [`Effect::Console`](super::Effect::Console): the body is JSON as it is.
    pub const CONSOLE: u32 = 7;
    /// [`Effect::Notice`](super::Effect::Notice).
    pub const NOTICE: u32 = 8;
    /// [`Effect::Audit`](super::Effect::Audit).
    pub const AUDIT: u32 = 9;
    /// [`Effect::Finish`](super::Effect::Finish).
    pub const FINISH: u32 = 10;
    /// [`Effect::Settings`](super::Effect::Settings): what settings there are.
    pub const SETTINGS_SCHEMA: u32 = 11;
    /// [`Effect::Settings`](super::Effect::Settings): what they are set to.
    pub const SETTINGS_READ: u32 = 12;
    /// [`Effect::Settings`](super::Effect::Settings): change some.
    pub const SETTINGS_PROPOSE: u32 = 13;
    /// [`Effect::Settings`](super::Effect::Settings): take the last change back.
    pub const SETTINGS_UNDO: u32 = 14;
    /// [`Effect::Settings`](super::Effect::Settings): the change that waits stays.
    pub const SETTINGS_CONFIRM: u32 = 15;
}

/// Longest message to the console, in bytes of JSON (our choice: state, not pictures).
pub const MAX_CONSOLE_LEN: usize = 16 * 1024;

/// How a message travels to the other half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// All of them, in order.
    Reliable,
    /// The newest; an older one may be lost, and never arrives after a newer one.
    Latest,
}

/// One effect, as session and SDK pass it around. A mode's author asks for it through
/// [`Effects`](crate::Effects).
///
/// Debug shows no typed text, no key's name, and of bytes that a mode made itself only how many there are.
#[derive(Clone, PartialEq, Eq)]
pub enum Effect {
    /// Tell the other half.
    Peer {
        /// How the message travels.
        delivery: Delivery,
        /// The mode's own bytes: at most [`MAX_PEER_LEN`], or [`MAX_LATEST_LEN`] if only the newest counts.
        body: Bytes,
    },
    /// Device half: draw over the panel, or take back.
    Annotate(Annotation),
    /// Device half: point on the panel as if a hand had.
    Pointer(PointerEvent),
    /// Device half: press or release a key of the panel.
    Key(KeyEvent),
    /// Device half: type on the panel.
    Text(TypedText),
    /// Come back with [`HostEvent::Timer`](crate::HostEvent::Timer). A timer of the same id is replaced.
    SetTimer {
        /// The half's own name for the timer.
        id: u32,
        /// How long from now; zero takes the timer back.
        after: Duration,
    },
    /// Operator half: JSON for the mode's part of the console, at most [`MAX_CONSOLE_LEN`].
    Console(Vec<u8>),
    /// Device half: show this to the customer, as the mode's words.
    Notice(Line),
    /// Write this into the session's record.
    Audit(Line),
    /// The mode is done.
    Finish(Line),
    /// Device half: read the device's settings, or change them.
    Settings(SettingsCall),
}

#[derive(Serialize, Deserialize)]
struct TimerBody {
    id: u32,
    #[serde(with = "micros")]
    after: Duration,
}

impl Effect {
    /// What a mode has to hold for the host to do this.
    ///
    /// Taking back what was drawn needs nothing, so that a mode that loses its permission can still clean up.
    pub const fn needs(&self) -> Capabilities {
        match self {
            Self::Annotate(Annotation::Pointer { .. } | Annotation::Stroke(_)) => {
                Capabilities::ANNOTATE
            }
            Self::Annotate(Annotation::PointerGone | Annotation::Undo(_) | Annotation::Clear) => {
                Capabilities::NONE
            }
            Self::Pointer(_) | Self::Key(_) | Self::Text(_) => Capabilities::INPUT,
            Self::Settings(call) => call.needs(),
            Self::Peer { .. }
            | Self::SetTimer { .. }
            | Self::Console(_)
            | Self::Notice(_)
            | Self::Audit(_)
            | Self::Finish(_) => Capabilities::NONE,
        }
    }

    /// The only side that has this effect; `None` if both have.
    pub const fn side(&self) -> Option<Side> {
        match self {
            Self::Annotate(_)
            | Self::Pointer(_)
            | Self::Key(_)
            | Self::Text(_)
            | Self::Notice(_)
            | Self::Settings(_) => Some(Side::Device),
            Self::Console(_) => Some(Side::Operator),
            Self::Peer { .. } | Self::SetTimer { .. } | Self::Audit(_) | Self::Finish(_) => None,
        }
    }

    /// Number of this kind of effect; see [`kind`].
    pub const fn kind(&self) -> u32 {
        match self {
            Self::Peer { .. } => kind::PEER,
            Self::Annotate(_) => kind::ANNOTATE,
            Self::Pointer(_) => kind::POINTER,
            Self::Key(_) => kind::KEY,
            Self::Text(_) => kind::TEXT,
            Self::SetTimer { .. } => kind::SET_TIMER,
            Self::Console(_) => kind::CONSOLE,
            Self::Notice(_) => kind::NOTICE,
            Self::Audit(_) => kind::AUDIT,
            Self::Finish(_) => kind::FINISH,
            Self::Settings(call) => call.kind(),
        }
    }

    /// Appends the body that goes with [`Effect::kind`] to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Peer { delivery, body } => {
                out.push(delivery.byte());
                out.extend_from_slice(body);
            }
            Self::Annotate(annotation) => put(annotation, out),
            Self::Pointer(event) => put(event, out),
            Self::Key(event) => put(event, out),
            Self::Text(text) => put(text, out),
            Self::SetTimer { id, after } => put(
                &TimerBody {
                    id: *id,
                    after: *after,
                },
                out,
            ),
            Self::Console(json) => out.extend_from_slice(json),
            Self::Notice(line) | Self::Audit(line) | Self::Finish(line) => put(line, out),
            Self::Settings(call) => call.encode(out),
        }
    }

    /// Reads an effect.
    ///
    /// # Errors
    ///
    /// [`BodyError`] for a kind that this version does not know, and for a body that is truncated, has bytes left
    /// over, is longer than its kind allows or holds a value outside its bounds.
    pub fn decode(kind: u32, body: &[u8]) -> Result<Self, BodyError> {
        Ok(match kind {
            kind::PEER => get_peer(body)?,
            kind::ANNOTATE => Self::Annotate(get(kind, body)?),
            kind::POINTER => Self::Pointer(get(kind, body)?),
            kind::KEY => Self::Key(get(kind, body)?),
            kind::TEXT => Self::Text(get(kind, body)?),
            kind::SET_TIMER => {
                let TimerBody { id, after } = get(kind, body)?;
                Self::SetTimer { id, after }
            }
            kind::CONSOLE if body.len() > MAX_CONSOLE_LEN => {
                return Err(BodyError::Malformed { kind });
            }
            kind::CONSOLE => Self::Console(body.to_vec()),
            kind::NOTICE => Self::Notice(get(kind, body)?),
            kind::AUDIT => Self::Audit(get(kind, body)?),
            kind::FINISH => Self::Finish(get(kind, body)?),
            kind => Self::Settings(SettingsCall::decode(kind, body)?),
        })
    }
}

impl Delivery {
    /// First byte of a message's body.
    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Reliable => 0,
            Self::Latest => 1,
        }
    }

    /// Longest message that travels this way, in bytes.
    pub const fn max_len(self) -> usize {
        match self {
            Self::Reliable => MAX_PEER_LEN,
            Self::Latest => MAX_LATEST_LEN,
        }
    }
}

fn get_peer(body: &[u8]) -> Result<Effect, BodyError> {
    let malformed = BodyError::Malformed { kind: kind::PEER };
    let (delivery, body) = match body {
        [0, rest @ ..] => (Delivery::Reliable, rest),
        [1, rest @ ..] => (Delivery::Latest, rest),
        _ => return Err(malformed),
    };
    if body.len() > delivery.max_len() {
        return Err(malformed);
    }
    Ok(Effect::Peer {
        delivery,
        body: Bytes::copy_from_slice(body),
    })
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer { delivery, body } => write!(f, "Peer({delivery:?}, {} bytes)", body.len()),
            Self::Annotate(annotation) => f.debug_tuple("Annotate").field(annotation).finish(),
            Self::Pointer(event) => f.debug_tuple("Pointer").field(event).finish(),
            Self::Key(event) => f.debug_tuple("Key").field(event).finish(),
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::SetTimer { id, after } => f
                .debug_struct("SetTimer")
                .field("id", id)
                .field("after", after)
                .finish(),
            Self::Console(json) => write!(f, "Console({} bytes)", json.len()),
            Self::Notice(line) => f.debug_tuple("Notice").field(line).finish(),
            Self::Audit(line) => f.debug_tuple("Audit").field(line).finish(),
            Self::Finish(line) => f.debug_tuple("Finish").field(line).finish(),
            Self::Settings(call) => f.debug_tuple("Settings").field(call).finish(),
        }
    }
}

#[cfg(test)]
mod tests;
