//! What the person at a device does, from the outside of its future.

use alongside_protocol::{AccessCode, input::KeyMotion};
use tokio::sync::{mpsc, oneshot};

use crate::status::CodeRefusal;

/// What the person at a running [`Device`] does. Clones act on the same device.
#[derive(Clone, Debug)]
pub struct DeviceHandle {
    pub(super) commands: mpsc::Sender<Command>,
}

/// Why a command was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The code did not get as far as the operator.
    #[error("the code was not accepted")]
    Code(CodeRefusal),
    /// A code is being tried, or a session is live.
    #[error("a code is being tried or a session is live")]
    Busy,
    /// The customer gave the code up before the relay had answered.
    #[error("the customer gave the code up")]
    GivenUp,
    /// No session is live.
    #[error("no session is live")]
    NotConnected,
    /// Nobody asked anything.
    #[error("nothing was asked")]
    NotAsked,
    /// The device no longer runs.
    #[error("the device has stopped")]
    Stopped,
}

/// Where the answer to a command goes.
pub(super) type Reply = oneshot::Sender<Result<(), DeviceError>>;

#[derive(Debug)]
pub(super) enum Command {
    EnterCode { code: AccessCode, reply: Reply },
    Exit { reply: Reply },
    StopKey(KeyMotion),
    Touched,
    Stop,
}

impl DeviceHandle {
    /// Tries a code. Comes back once the relay knows it: then the operator's side connects and proves it.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Code`] with the reason, [`DeviceError::Busy`] while another code is tried or a session lives,
    /// [`DeviceError::GivenUp`] if the customer leaves before the relay has answered.
    pub async fn enter_code(&self, code: AccessCode) -> Result<(), DeviceError> {
        self.ask(|reply| Command::EnterCode { code, reply }).await
    }

    /// The customer pressed EXIT: ends the session, or gives up the code that is being tried.
    ///
    /// # Errors
    ///
    /// [`DeviceError::NotConnected`] if there is neither.
    pub async fn exit(&self) -> Result<(), DeviceError> {
        self.ask(|reply| Command::Exit { reply }).await
    }

    /// The stop key went down or up; held for 5 s it ends the session.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Stopped`] when nothing runs.
    pub async fn stop_key(&self, motion: KeyMotion) -> Result<(), DeviceError> {
        self.tell(Command::StopKey(motion)).await
    }

    /// A hand touched the panel.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Stopped`] when nothing runs.
    pub async fn touched(&self) -> Result<(), DeviceError> {
        self.tell(Command::Touched).await
    }

    /// Ends the session, if any, and then [`Device::run`].
    ///
    /// # Errors
    ///
    /// [`DeviceError::Stopped`] when nothing runs.
    pub async fn stop(&self) -> Result<(), DeviceError> {
        self.tell(Command::Stop).await
    }

    async fn tell(&self, command: Command) -> Result<(), DeviceError> {
        self.commands
            .send(command)
            .await
            .map_err(|_| DeviceError::Stopped)
    }

    async fn ask(&self, command: impl FnOnce(Reply) -> Command) -> Result<(), DeviceError> {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply)).await?;
        answer.await.map_err(|_| DeviceError::Stopped)?
    }
}
