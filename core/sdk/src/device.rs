//! The device's side: takes the code that a customer types, and lets the operator behind it help.

use std::{sync::Arc, time::Duration};

use alongside_protocol::{
    AccessCode, Serial, SessionId,
    annotation::Annotation,
    control::ModeState,
    input::KeyMotion,
    label::Label,
    reason::{EndReason, Party},
    relay::{OperatorCard, Release, ReleaseReason, Role},
};
use alongside_session::{EntryGuard, OperatorIdentity, entry::Locked};
use alongside_transport::{Identity, Leg, LegEvents};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Relay, clock,
    compartment::{Compartment, CompartmentError},
    meter::PathStatus,
    ports::{Customer, Panel},
    status::{CodeRefusal, Link, Status},
};

mod drive;
mod refusal;

/// Commands that may wait before the callers have to.
const COMMANDS: usize = 256;

/// How long the operator's side may take to connect once the relay has introduced the two.
///
/// The operator dials at once, so this covers a slow path's handshake with its retransmissions (our choice).
const DIAL_PATIENCE: Duration = Duration::from_secs(15);

/// What a device is and which relay it asks.
#[derive(Clone, Debug)]
pub struct DeviceConfig {
    /// The relay.
    pub relay: Relay,
    /// The device's serial number, which the operator and the relay's records show.
    pub serial: Serial,
    /// What kind of device it is, in the maker's words.
    pub model: Label<64>,
    /// The folder that keeps the device's key and its count of wrong codes.
    pub compartment: Compartment,
}

/// One device, ready to run.
///
/// [`Device::run`] is one future; it starts no task and no thread, except that captures of the panel run where tokio
/// runs blocking work.
#[derive(Debug)]
pub struct Device {
    config: DeviceConfig,
    identity: Arc<Identity>,
    guard: EntryGuard,
    panel: Arc<dyn Panel>,
    customer: Arc<dyn Customer>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::UnboundedSender<DeviceEvent>,
}

/// What the person at a running [`Device`] does. Clones act on the same device.
#[derive(Clone, Debug)]
pub struct DeviceHandle {
    commands: mpsc::Sender<Command>,
}

/// What happens, in order.
pub type DeviceEvents = mpsc::UnboundedReceiver<DeviceEvent>;

/// One thing that happened on the device's side.
#[derive(Debug)]
#[non_exhaustive]
pub enum DeviceEvent {
    /// A code did not lead to a session.
    CodeRefused(CodeRefusal),
    /// A session is live.
    Connected {
        /// Its id.
        session: SessionId,
        /// Who is connected.
        operator: OperatorIdentity,
    },
    /// A mode changed its state.
    Mode(ModeState),
    /// The panel was told to draw this.
    Annotation(Annotation),
    /// How packets travel.
    Path(PathStatus),
    /// Whether the operator can be reached.
    Link(Link),
    /// Whether the relay can be reached.
    RelayLink(Link),
    /// The session is over. Last event of a session.
    Ended {
        /// Who ended it.
        by: Party,
        /// Why.
        reason: EndReason,
    },
}

/// When [`Device::run`] comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After the first code that was tried, whether it led to a session or not.
    FirstCode,
    /// When every handle is gone, or one was told to [stop](DeviceHandle::stop).
    Stopped,
}

/// How [`Device::run`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceEnd {
    /// A session took place and is over.
    Session {
        /// Who ended it.
        by: Party,
        /// Why.
        reason: EndReason,
    },
    /// The code did not lead to a session.
    Refused(CodeRefusal),
    /// Told to stop, or nobody is left to tell.
    Stopped,
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

#[derive(Debug)]
enum Command {
    EnterCode {
        code: AccessCode,
        reply: oneshot::Sender<Result<(), DeviceError>>,
    },
    Exit {
        reply: oneshot::Sender<Result<(), DeviceError>>,
    },
    StopKey(KeyMotion),
    Touched,
    Stop,
}

impl DeviceHandle {
    /// Tries a code. Comes back once the relay knows it: then the operator's side connects and proves it.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Code`] with the reason, [`DeviceError::Busy`] while another code is tried or a session lives.
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

    async fn ask(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<(), DeviceError>>) -> Command,
    ) -> Result<(), DeviceError> {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply)).await?;
        answer.await.map_err(|_| DeviceError::Stopped)?
    }
}

/// A way to the relay that outlives one wrong code.
struct Way {
    leg: Leg,
    events: LegEvents,
}

/// How trying a code went.
enum Tried {
    Session {
        by: Party,
        reason: EndReason,
    },
    Refused(CodeRefusal),
    /// The customer gave it up.
    GivenUp,
    Stopped,
}

impl Device {
    /// A device with its panel and the person in front of it, a handle for what that person does, and its events.
    ///
    /// # Errors
    ///
    /// [`CompartmentError`] if the device's key cannot be read or made.
    pub fn new(
        config: DeviceConfig,
        panel: Arc<dyn Panel>,
        customer: Arc<dyn Customer>,
    ) -> Result<(Self, DeviceHandle, DeviceEvents), CompartmentError> {
        let identity = config.compartment.identity()?;
        let guard = config.compartment.entry_guard()?;
        let (sender, commands) = mpsc::channel(COMMANDS);
        let (events, receiver) = mpsc::unbounded_channel();
        let device = Self {
            config,
            identity,
            guard,
            panel,
            customer,
            commands,
            events,
        };
        Ok((device, DeviceHandle { commands: sender }, receiver))
    }

    /// Waits for codes and serves their sessions.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends a live session without a goodbye; the operator notices within 15 s.
    pub async fn run(mut self, until: Until) -> DeviceEnd {
        let mut way = None;
        self.show(&Status::Idle);
        let end = loop {
            let Some(command) = self.commands.recv().await else {
                break DeviceEnd::Stopped;
            };
            let (code, reply) = match command {
                Command::EnterCode { code, reply } => (code, reply),
                Command::Exit { reply } => {
                    let _ = reply.send(Err(DeviceError::NotConnected));
                    continue;
                }
                Command::StopKey(_) | Command::Touched => continue,
                Command::Stop => break DeviceEnd::Stopped,
            };
            let end = match self.try_code(&mut way, code, reply).await {
                Tried::Session { by, reason } => {
                    way = None;
                    DeviceEnd::Session { by, reason }
                }
                Tried::Refused(refusal) => {
                    self.show(&Status::CodeRefused(refusal.clone()));
                    self.emit(DeviceEvent::CodeRefused(refusal.clone()));
                    DeviceEnd::Refused(refusal)
                }
                Tried::GivenUp => {
                    self.show(&Status::Idle);
                    continue;
                }
                Tried::Stopped => break DeviceEnd::Stopped,
            };
            if until == Until::FirstCode {
                break end;
            }
        };
        if let Some(Way { leg, .. }) = way {
            leg.close().await;
        }
        end
    }

    /// Tries one code: relay, introduction, connection, proof, session.
    async fn try_code(
        &mut self,
        way: &mut Option<Way>,
        code: AccessCode,
        reply: oneshot::Sender<Result<(), DeviceError>>,
    ) -> Tried {
        if let Err(Locked { wait }) = self.guard.check(clock::since_epoch()) {
            return Self::refuse(reply, CodeRefusal::EntryLocked { wait });
        }
        self.show(&Status::Claiming);
        let introduced = {
            let introduce = introduce(&self.config, &self.identity, way, &code);
            tokio::pin!(introduce);
            loop {
                tokio::select! {
                    introduced = &mut introduce => break introduced,
                    command = self.commands.recv() => if let Some(left) = leaves(command) {
                        let _ = reply.send(Err(DeviceError::Busy));
                        return left;
                    },
                }
            }
        };
        let prepare = match introduced {
            Ok(prepare) => prepare,
            Err(refusal) => {
                if refusal::counts_as_wrong_entry(&refusal) {
                    self.charge_entry();
                }
                return Self::refuse(reply, refusal);
            }
        };
        let _ = reply.send(Ok(()));
        // The leg is there: the introduction came through it.
        let Some(Way { leg, events }) = way.as_mut() else {
            return Tried::GivenUp;
        };
        let operator = identity(&prepare.operator, leg.welcome().relay.clone());
        self.customer.show(&Status::Connecting {
            operator: operator.clone(),
        });
        let rendezvous = prepare.rendezvous;
        let release = |reason| leg.release(Release { rendezvous, reason });
        let accepted = {
            let accept = tokio::time::timeout(DIAL_PATIENCE, leg.accept(&prepare));
            tokio::pin!(accept);
            loop {
                tokio::select! {
                    accepted = &mut accept => break accepted,
                    command = self.commands.recv() => if let Some(left) = leaves(command) {
                        release(ReleaseReason::SessionEnded);
                        return left;
                    },
                }
            }
        };
        let connection = match accepted {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => {
                tracing::info!(error = %crate::session_io::chain(&error), "no connection with the operator");
                release(ReleaseReason::WrongCode);
                return Tried::Refused(CodeRefusal::NoConnection(refusal::of_dial(&error)));
            }
            Err(_) => {
                release(ReleaseReason::WrongCode);
                return Tried::Refused(CodeRefusal::NoConnection(
                    crate::status::ConnectProblem::OperatorUnreachable,
                ));
            }
        };
        let driven = self
            .drive(connection, Some((events, rendezvous)), operator, code)
            .await;
        match driven {
            drive::Driven::Ended { by, reason } => {
                release(ReleaseReason::SessionEnded);
                Tried::Session { by, reason }
            }
            drive::Driven::Refused(refusal) => {
                release(ReleaseReason::WrongCode);
                Tried::Refused(refusal)
            }
        }
    }

    fn refuse(reply: oneshot::Sender<Result<(), DeviceError>>, refusal: CodeRefusal) -> Tried {
        let _ = reply.send(Err(DeviceError::Code(refusal.clone())));
        Tried::Refused(refusal)
    }

    /// Counts an entry as wrong until its code is proved.
    fn charge_entry(&mut self) {
        self.guard.charge(clock::since_epoch());
        self.keep_guard();
    }

    /// The last entry was right after all.
    fn clear_entries(&mut self) {
        self.guard.proved();
        self.keep_guard();
    }

    fn keep_guard(&self) {
        if let Err(error) = self.config.compartment.keep_entry_guard(&self.guard) {
            tracing::error!(error = %crate::session_io::chain(&error), "the count of wrong codes is not kept over a restart");
        }
    }

    fn show(&self, status: &Status) {
        self.customer.show(status);
    }

    fn emit(&self, event: DeviceEvent) {
        // Nobody has to listen.
        let _ = self.events.send(event);
    }
}

/// Goes to the relay, unless a way is there already, and claims the code's nameplate.
async fn introduce(
    config: &DeviceConfig,
    identity: &Arc<Identity>,
    way: &mut Option<Way>,
    code: &AccessCode,
) -> Result<alongside_protocol::relay::Prepare, CodeRefusal> {
    if way.as_ref().is_none_or(|way| way.leg.is_over()) {
        let (leg, events) = Leg::connect(config.relay.leg(Role::Device, Arc::clone(identity)))
            .await
            .map_err(|error| {
                tracing::warn!(error = %crate::session_io::chain(&error), "no way to the relay");
                CodeRefusal::NoConnection(refusal::of_connect(&error))
            })?;
        *way = Some(Way { leg, events });
    }
    let Some(Way { leg, .. }) = way.as_ref() else {
        return Err(CodeRefusal::Unknown);
    };
    leg.claim(code.nameplate(), config.serial.clone())
        .await
        .map_err(|error| refusal::of_claim(&error))
}

/// Whether a command means that the customer no longer wants to try the code.
fn leaves(command: Option<Command>) -> Option<Tried> {
    match command {
        Some(Command::Exit { reply }) => {
            let _ = reply.send(Ok(()));
            Some(Tried::GivenUp)
        }
        Some(Command::EnterCode { reply, .. }) => {
            let _ = reply.send(Err(DeviceError::Busy));
            None
        }
        Some(Command::StopKey(_) | Command::Touched) => None,
        Some(Command::Stop) | None => Some(Tried::Stopped),
    }
}

/// The operator as the relay introduces them.
fn identity(card: &OperatorCard, relay: Label<255>) -> OperatorIdentity {
    OperatorIdentity {
        key: card.key,
        name: card.name.clone(),
        organisation: card.organisation.clone(),
        confirmed_by: card.name.is_some().then_some(relay),
    }
}
