//! What a mode's author writes: two state machines in safe Rust.

use std::{borrow::Cow, error::Error, fmt, time::Duration};

use alongside_protocol::{
    annotation::Annotation,
    input::{KeyEvent, PointerEvent},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    body::{BodyError, TypedText, get},
    event::{Grant, HostEvent, LinkReport, Start, StopReason, kind},
    settings::SettingsAnswer,
};

mod effects;
mod module;
mod panics;

pub use effects::{Effects, Granted, Refused};
pub use module::module;

/// A session mode: its manifest, and the two halves that talk to each other.
///
/// `ToOperator` and `ToDevice` are the mode's own protocol. The compiler sees to it that what one half sends is what
/// the other one hears.
pub trait Mode: 'static {
    /// The text of `mode.json`: `include_str!("../mode.json")`.
    const MANIFEST: &'static str;
    /// What the device half tells the operator half.
    type ToOperator: Serialize + DeserializeOwned;
    /// What the operator half tells the device half.
    type ToDevice: Serialize + DeserializeOwned;
    /// The half beside the panel.
    type Device: Half<Sends = Self::ToOperator, Hears = Self::ToDevice>;
    /// The half beside the operator.
    type Operator: Half<Sends = Self::ToDevice, Hears = Self::ToOperator>;
}

/// One half of a mode, implemented on its state. `Default` is the state before [`Event::Start`].
///
/// A half is a function of its state and its events. It has no clock but `at`, no random source, no file and no
/// socket, so the same events always give the same effects, in a session as in a test.
pub trait Half: Default + Send + 'static {
    /// What it tells the other half.
    type Sends: Serialize;
    /// What it hears from the other half.
    type Hears: DeserializeOwned;

    /// Reacts to one event.
    ///
    /// `at` is the time since the session began; it never goes back. Take at most 5 ms, and never wait.
    ///
    /// # Errors
    ///
    /// [`GiveUp`] ends the mode, and the effects of this call do not take place. The session goes on.
    fn on_event(
        &mut self,
        at: Duration,
        event: Event<Self::Hears>,
        fx: &mut Effects<'_, Self::Sends>,
    ) -> Result<(), GiveUp>;
}

/// What a half is told. New kinds may come: a half ignores what it does not know.
#[non_exhaustive]
pub enum Event<H> {
    /// The mode begins. First event.
    Start(Start),
    /// The mode is over. Last event. The session takes back what the mode drew; what is asked for now may come too late.
    Stop(StopReason),
    /// From the other half.
    Peer(H),
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
    /// Operator half: from the mode's part of the console.
    Console(serde_json::Value),
    /// How the path between the two sides does.
    Link(LinkReport),
    /// Device half: a part of the answer to [`Effects::settings`].
    Settings(SettingsAnswer),
    /// A kind that this version does not know: the host is newer.
    Unknown(u32),
}

impl<H: DeserializeOwned> Event<H> {
    /// Reads an event as it crossed the ABI.
    fn decode(kind: u32, body: &[u8]) -> Result<Self, BodyError> {
        // As they are: what would be copied on the way is read where it lies.
        match kind {
            kind::PEER => return get(kind, body).map(Self::Peer),
            kind::CONSOLE => {
                let read = serde_json::from_slice(body);
                return read
                    .map(Self::Console)
                    .map_err(|_| BodyError::Malformed { kind });
            }
            _ => {}
        }
        let event = match HostEvent::decode(kind, body) {
            Ok(event) => event,
            Err(BodyError::UnknownKind(kind)) => return Ok(Self::Unknown(kind)),
            Err(malformed @ BodyError::Malformed { .. }) => return Err(malformed),
        };
        Ok(match event {
            HostEvent::Start(start) => Self::Start(start),
            HostEvent::Stop(reason) => Self::Stop(reason),
            HostEvent::Peer(bytes) => Self::Peer(get(kind, &bytes)?),
            HostEvent::Grant(grant) => Self::Grant(grant),
            HostEvent::Pointer(event) => Self::Pointer(event),
            HostEvent::Key(event) => Self::Key(event),
            HostEvent::Text(text) => Self::Text(text),
            HostEvent::Draw(annotation) => Self::Draw(annotation),
            HostEvent::Timer(id) => Self::Timer(id),
            HostEvent::Console(json) => {
                let value = serde_json::from_slice(&json).map_err(|_| BodyError::Malformed {
                    kind: kind::CONSOLE,
                })?;
                Self::Console(value)
            }
            HostEvent::Link(report) => Self::Link(report),
            HostEvent::Settings(answer) => Self::Settings(answer),
        })
    }
}

/// Names the event and shows no content: it may hold what somebody typed.
impl<H> fmt::Debug for Event<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start(_) => "Start(..)",
            Self::Stop(_) => "Stop(..)",
            Self::Peer(_) => "Peer(..)",
            Self::Grant(_) => "Grant(..)",
            Self::Pointer(_) => "Pointer(..)",
            Self::Key(_) => "Key(..)",
            Self::Text(_) => "Text(..)",
            Self::Draw(_) => "Draw(..)",
            Self::Timer(_) => "Timer(..)",
            Self::Console(_) => "Console(..)",
            Self::Link(_) => "Link(..)",
            Self::Settings(_) => "Settings(..)",
            Self::Unknown(_) => "Unknown(..)",
        })
    }
}

/// The mode cannot go on. The session does, without it.
///
/// Any error turns into one, so `?` works in [`Half::on_event`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiveUp(Cow<'static, str>);

impl GiveUp {
    /// Gives up for a reason that a person can read.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }

    /// The reason.
    pub fn reason(&self) -> &str {
        &self.0
    }
}

impl<E: Error> From<E> for GiveUp {
    fn from(error: E) -> Self {
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            reason.push_str(": ");
            reason.push_str(&error.to_string());
            source = error.source();
        }
        Self(reason.into())
    }
}
