//! What the person at a device does, from the outside of its future.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use alongside_protocol::{AccessCode, input::KeyMotion};
use tokio::sync::{mpsc, oneshot, watch};
use zeroize::Zeroizing;

use crate::{Relay, Volume, status::CodeRefusal};

/// What the person at a running [`Device`](crate::Device) does. Clones act on the same device.
#[derive(Clone, Debug)]
pub struct DeviceHandle {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) relay: Arc<watch::Sender<Relay>>,
    pub(super) volume: Volume,
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
    /// The question wants the system administrator's ID as well.
    #[error("the system administrator's ID is needed as well")]
    AdminIdNeeded,
    /// The system administrator's ID is wrong; the question stays open.
    #[error("the system administrator's ID is wrong")]
    AdminIdWrong {
        /// Tries until the next wait is longer.
        tries_left: u8,
        /// Time until the next try.
        wait: Duration,
    },
    /// Too many system administrator's IDs were wrong. If the question cannot stay open for so long, it is a no.
    #[error("too many wrong system administrator's IDs were entered")]
    AdminIdLocked {
        /// Time until one is looked at again.
        wait: Duration,
    },
    /// The system administrator's ID cannot be checked now; the question is answered with no.
    #[error("the system administrator's ID cannot be checked now")]
    AdminIdUnavailable,
    /// The device no longer runs.
    #[error("the device has stopped")]
    Stopped,
}

/// Where the answer to a command goes.
pub(super) type Reply = oneshot::Sender<Result<(), DeviceError>>;

#[derive(Debug)]
pub(super) enum Command {
    EnterCode {
        code: AccessCode,
        /// Where the operator's side listens, if that is known with the code alone.
        at: Option<SocketAddr>,
        reply: Reply,
    },
    Exit {
        reply: Reply,
    },
    Allow {
        id: Option<AdminIdEntry>,
        reply: Reply,
    },
    Refuse {
        reply: Reply,
    },
    StopKey(KeyMotion),
    Touched,
    DialogKey,
    TakeBack,
    Stop,
}

/// A system administrator's ID as it was entered. Debug shows none of it, and its memory is wiped.
#[derive(Clone)]
pub struct AdminIdEntry(Zeroizing<String>);

impl AdminIdEntry {
    /// Longest ID, in bytes (our choice: far beyond what anybody types on a panel).
    pub const MAX_LEN: usize = 64;

    /// Takes an ID; `None` if it is empty or longer than [`AdminIdEntry::MAX_LEN`].
    pub fn new(id: Zeroizing<String>) -> Option<Self> {
        (!id.is_empty() && id.len() <= Self::MAX_LEN).then_some(Self(id))
    }

    /// What was entered, to be checked and nothing else.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AdminIdEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminIdEntry(..)")
    }
}

impl DeviceHandle {
    /// Tries a code. Comes back once the relay knows it: then the operator's side connects and proves it.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Code`] with the reason, [`DeviceError::Busy`] while another code is tried or a session lives,
    /// [`DeviceError::GivenUp`] if the customer leaves before the relay has answered.
    pub async fn enter_code(&self, code: AccessCode) -> Result<(), DeviceError> {
        let at = None;
        self.ask(|reply| Command::EnterCode { code, at, reply })
            .await
    }

    /// Tries a code without a relay, at the address at which the operator's side
    /// [listens](crate::Operator::listening_on). Comes back once that side knows the code.
    ///
    /// # Errors
    ///
    /// As [`DeviceHandle::enter_code`].
    pub async fn enter_code_at(
        &self,
        code: AccessCode,
        operator: SocketAddr,
    ) -> Result<(), DeviceError> {
        let at = Some(operator);
        self.ask(|reply| Command::EnterCode { code, at, reply })
            .await
    }

    /// The customer pressed EXIT: ends the session, or gives up the code that is being tried.
    ///
    /// # Errors
    ///
    /// [`DeviceError::NotConnected`] if there is neither.
    pub async fn exit(&self) -> Result<(), DeviceError> {
        self.ask(|reply| Command::Exit { reply }).await
    }

    /// The customer allows what they are asked, with the system administrator's ID where it is wanted. Comes back once
    /// the ID is checked.
    ///
    /// # Errors
    ///
    /// [`DeviceError::NotAsked`] if nothing is asked, or no longer; [`DeviceError::AdminIdNeeded`] and
    /// [`DeviceError::AdminIdWrong`] leave the question open, [`DeviceError::AdminIdUnavailable`] is a no, and
    /// [`DeviceError::AdminIdLocked`] is one if the wait is longer than a question can be open; [`DeviceError::Busy`] while another ID is being checked.
    pub async fn allow(&self, id: Option<AdminIdEntry>) -> Result<(), DeviceError> {
        self.ask(|reply| Command::Allow { id, reply }).await
    }

    /// The customer does not allow what they are asked.
    ///
    /// # Errors
    ///
    /// [`DeviceError::NotAsked`] if nothing is asked.
    pub async fn refuse(&self) -> Result<(), DeviceError> {
        self.ask(|reply| Command::Refuse { reply }).await
    }

    /// A key or a touch in the dialog of the question: its time starts again.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Stopped`] when nothing runs.
    pub async fn dialog_key(&self) -> Result<(), DeviceError> {
        self.tell(Command::DialogKey).await
    }

    /// The customer takes back what they allowed: the user guide goes on at once.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Stopped`] when nothing runs.
    pub async fn take_back(&self) -> Result<(), DeviceError> {
        self.tell(Command::TakeBack).await
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

    /// Ends the session, if any, and then [`Device::run`](crate::Device::run).
    ///
    /// # Errors
    ///
    /// [`DeviceError::Stopped`] when nothing runs.
    pub async fn stop(&self) -> Result<(), DeviceError> {
        self.tell(Command::Stop).await
    }

    /// Asks `relay` from the next code on. A session that is live goes on as it is.
    pub fn use_relay(&self, relay: Relay) {
        self.relay.send_replace(relay);
    }

    /// How much the two sides have told each other.
    pub const fn volume(&self) -> &Volume {
        &self.volume
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
