//! What the operator does, from the outside of its future.

use std::time::Duration;

use alongside_mode::TypedText;
use alongside_protocol::{
    PublicKey,
    annotation::Annotation,
    ids::ModeId,
    input::{KeyEvent, PointerEvent},
    label::Ticket,
    units::PanelRect,
};
use alongside_session::operator::OperatorAction;
use alongside_transport::LegError;
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use super::Screen;
use crate::Volume;

/// What to do next, for a running [`Operator`](crate::Operator). Clones act on the same operator.
#[derive(Clone, Debug)]
pub struct OperatorHandle {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) screen: Screen,
    pub(super) volume: Volume,
}

/// A code, as the operator reads it out.
#[derive(Debug)]
pub struct Code {
    /// The twelve digits; never log them.
    pub digits: Zeroizing<String>,
    /// Time until it expires.
    pub expires_in: Duration,
}

/// Why a command was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// No device is connected.
    #[error("no device is connected")]
    NotConnected,
    /// The connection is lost, and another one is being tried.
    #[error("the connection to the device is lost; it is being tried again")]
    Interrupted,
    /// The active mode does not allow it.
    #[error("the active mode does not allow this")]
    NotAllowed,
    /// A session is live; it must end before there is a new code.
    #[error("a session is live: end it first")]
    Busy,
    /// More is on its way to the device than the budget allows; try again in a moment.
    #[error("too much waits to be sent already: try again in a moment")]
    Congested,
    /// A code must live 120 to 3600 s.
    #[error("a code lives between 120 and 3600 seconds")]
    Ttl,
    /// The relay does not know this operator.
    #[error(
        "the relay does not know this operator: whoever runs it adds [operators.{key}] with a name to operators.toml in its state directory"
    )]
    Unknown {
        /// The operator's key.
        key: PublicKey,
    },
    /// Every number that was drawn for a code was in use lately.
    #[error("no number is free for a code: try again")]
    NoNameplate,
    /// The relay refused.
    #[error("the relay gives no code")]
    Relay(#[source] LegError),
    /// The operator no longer runs.
    #[error("the operator's side has stopped")]
    Stopped,
}

#[derive(Debug)]
pub(super) enum Command {
    Code {
        ttl: Duration,
        ticket: Option<Ticket>,
        reply: oneshot::Sender<Result<Code, OperatorError>>,
    },
    Act {
        /// Let in or refused as one.
        actions: Vec<OperatorAction>,
        reply: oneshot::Sender<Result<(), OperatorError>>,
    },
    End {
        reply: oneshot::Sender<Result<(), OperatorError>>,
    },
}

impl OperatorHandle {
    /// Asks the relay for a code, or makes one where there is none, that lives `ttl`, 120 to 3600 s. A code that is still open dies.
    ///
    /// # Errors
    ///
    /// [`OperatorError::Ttl`] outside the bounds, [`OperatorError::Busy`] in a session, [`OperatorError::Relay`] when
    /// the relay refuses, [`OperatorError::Stopped`] when nothing runs.
    pub async fn code(&self, ttl: Duration, ticket: Option<Ticket>) -> Result<Code, OperatorError> {
        if !(Duration::from_secs(120)..=Duration::from_secs(3600)).contains(&ttl) {
            return Err(OperatorError::Ttl);
        }
        self.send(|reply| Command::Code { ttl, ticket, reply })
            .await
    }

    /// Asks the customer for another mode.
    ///
    /// # Errors
    ///
    /// [`OperatorError::NotConnected`] outside a session.
    pub async fn mode(&self, mode: ModeId) -> Result<(), OperatorError> {
        self.act(OperatorAction::Mode(mode)).await
    }

    /// Moves the pointer over the panel; what it does there is up to the active mode.
    ///
    /// # Errors
    ///
    /// [`OperatorError::NotConnected`] outside a session, [`OperatorError::NotAllowed`] if the mode has no pointer.
    pub async fn pointer(&self, event: PointerEvent) -> Result<(), OperatorError> {
        self.act(OperatorAction::Pointer(event)).await
    }

    /// Presses or releases a key of the panel.
    ///
    /// # Errors
    ///
    /// As [`OperatorHandle::pointer`].
    pub async fn key(&self, event: KeyEvent) -> Result<(), OperatorError> {
        self.act(OperatorAction::Key(event)).await
    }

    /// Types text on the panel.
    ///
    /// # Errors
    ///
    /// As [`OperatorHandle::pointer`].
    pub async fn text(&self, text: TypedText) -> Result<(), OperatorError> {
        self.act(OperatorAction::Text(text)).await
    }

    /// Draws over the panel, or takes it back.
    ///
    /// # Errors
    ///
    /// As [`OperatorHandle::pointer`].
    pub async fn draw(&self, annotation: Annotation) -> Result<(), OperatorError> {
        self.act(OperatorAction::Draw(annotation)).await
    }

    /// Draws what takes several operations: all of them, with nothing between, or none.
    ///
    /// # Errors
    ///
    /// As [`OperatorHandle::pointer`].
    pub async fn draw_all(&self, annotations: Vec<Annotation>) -> Result<(), OperatorError> {
        let actions = annotations.into_iter().map(OperatorAction::Draw).collect();
        self.send(|reply| Command::Act { actions, reply }).await
    }

    /// Hands JSON from the active mode's part of the console to the mode; at most 16 KiB.
    ///
    /// # Errors
    ///
    /// [`OperatorError::NotConnected`] outside a session, [`OperatorError::NotAllowed`] if it is longer.
    pub async fn console(&self, json: Vec<u8>) -> Result<(), OperatorError> {
        if json.len() > alongside_mode::effect::MAX_CONSOLE_LEN {
            return Err(OperatorError::NotAllowed);
        }
        self.act(OperatorAction::Console(json)).await
    }

    /// Asks for a part of the picture exactly, before anything else. Where it is exact already nothing happens.
    ///
    /// # Errors
    ///
    /// [`OperatorError::NotConnected`] outside a session.
    pub async fn exact(&self, part: PanelRect) -> Result<(), OperatorError> {
        self.act(OperatorAction::Exact(part)).await
    }

    /// Asks the device for its settings, or to change some. What comes of it is told as
    /// [`OperatorEvent::Settings`](crate::OperatorEvent::Settings).
    ///
    /// # Errors
    ///
    /// [`OperatorError::NotConnected`] outside a session, [`OperatorError::NotAllowed`] outside of a mode that reads
    /// settings.
    #[cfg(feature = "builtin-modes")]
    pub async fn settings(&self, ask: &super::SettingsAsk) -> Result<(), OperatorError> {
        let json = serde_json::to_vec(ask).unwrap_or_default();
        self.act(OperatorAction::Settings(json)).await
    }

    /// Says that the operator is still there, after [`OperatorEvent::IdleWarning`](crate::OperatorEvent::IdleWarning).
    ///
    /// # Errors
    ///
    /// [`OperatorError::NotConnected`] outside a session.
    pub async fn still_here(&self) -> Result<(), OperatorError> {
        self.act(OperatorAction::StillHere).await
    }

    /// Ends the session, or the operator where none is live.
    ///
    /// # Errors
    ///
    /// [`OperatorError::Stopped`] when nothing runs any more.
    pub async fn end(&self) -> Result<(), OperatorError> {
        self.send(|reply| Command::End { reply }).await
    }

    /// The picture as it was last applied.
    pub const fn screen(&self) -> &Screen {
        &self.screen
    }

    /// How much the two sides have told each other.
    pub const fn volume(&self) -> &Volume {
        &self.volume
    }

    async fn act(&self, action: OperatorAction) -> Result<(), OperatorError> {
        let actions = vec![action];
        self.send(|reply| Command::Act { actions, reply }).await
    }

    async fn send<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, OperatorError>>) -> Command,
    ) -> Result<T, OperatorError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(command(reply))
            .await
            .map_err(|_| OperatorError::Stopped)?;
        answer.await.map_err(|_| OperatorError::Stopped)?
    }
}
