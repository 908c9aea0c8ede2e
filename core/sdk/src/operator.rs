//! The operator's side: asks the relay for a code, and helps whoever types it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use alongside_mode::TypedText;
use alongside_panel::Frame;
use alongside_protocol::{
    AccessCode, RendezvousId,
    annotation::Annotation,
    code::CodeSecret,
    control::{HelloDevice, ModeState},
    ids::ModeId,
    input::{KeyEvent, PointerEvent},
    label::{Name, Ticket},
    reason::{EndReason, Party},
    relay::{self, Release, ReleaseReason, Role},
    units::PanelRect,
};
use alongside_session::{IssuedCode, operator::OperatorAction};
use alongside_transport::{
    ConnectError, DialError, Identity, Leg, LegError, LegEvent, LegEvents, LegLost, Lost,
};
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use crate::{Relay, clock, meter::PathStatus, session_io, status::Link};

mod drive;

/// Commands that may wait before the callers have to.
const COMMANDS: usize = 256;

/// Who the operator is and which relay introduces them.
#[derive(Clone, Debug)]
pub struct OperatorConfig {
    /// The relay.
    pub relay: Relay,
    /// The operator's long-term key, which the relay's `operators.toml` names.
    pub identity: Arc<Identity>,
    /// The name given to customers; they see it as unverified unless the relay confirms another.
    pub name: Option<Name>,
}

/// One operator, ready to run.
///
/// [`Operator::run`] is one future; it starts no task and no thread of its own.
#[derive(Debug)]
pub struct Operator {
    config: OperatorConfig,
    commands: mpsc::Receiver<Command>,
    events: mpsc::UnboundedSender<OperatorEvent>,
    screen: Screen,
}

/// What to do next, for a running [`Operator`]. Clones act on the same operator.
#[derive(Clone, Debug)]
pub struct OperatorHandle {
    commands: mpsc::Sender<Command>,
    screen: Screen,
}

/// What happens, in order.
pub type OperatorEvents = mpsc::UnboundedReceiver<OperatorEvent>;

/// One thing that happened on the operator's side.
#[derive(Debug)]
#[non_exhaustive]
pub enum OperatorEvent {
    /// The relay knows this operator; codes can be had.
    Ready,
    /// Somebody typed the code, and its secret part wrong.
    CodeWrong {
        /// Attempts the code has left.
        tries_left: u8,
    },
    /// The code was tried too often and is dead.
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
    /// The active mode has something for its part of the console: JSON.
    Console(Vec<u8>),
    /// How packets travel.
    Path(PathStatus),
    /// Whether the device can be reached.
    Link(Link),
    /// Whether the relay can be reached.
    RelayLink(Link),
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
    /// Where it changed.
    pub damage: Vec<PanelRect>,
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
    /// The relay refused.
    #[error("the relay gives no code")]
    Relay(#[source] LegError),
    /// The operator no longer runs.
    #[error("the operator's side has stopped")]
    Stopped,
}

/// When [`Operator::run`] comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After the first session, or when a code was tried too often.
    FirstSession,
    /// When every handle is gone, or one [ends](OperatorHandle::end) it outside of a session.
    Stopped,
}

/// Why [`Operator::run`] ended.
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
    /// Every handle is gone, or one said [`OperatorHandle::end`] while no session was live.
    Stopped,
    /// The relay is gone.
    RelayLost(LegLost),
}

#[derive(Debug)]
enum Command {
    Code {
        ttl: Duration,
        ticket: Option<Ticket>,
        reply: oneshot::Sender<Result<Code, OperatorError>>,
    },
    Act {
        action: OperatorAction,
        reply: oneshot::Sender<Result<(), OperatorError>>,
    },
    End {
        reply: oneshot::Sender<Result<(), OperatorError>>,
    },
}

/// The picture of the panel as it was last applied, shared with whoever shows it.
#[derive(Clone, Debug, Default)]
pub struct Screen(Arc<Mutex<Option<Shown>>>);

/// A picture and what is known of it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The picture.
    pub frame: Frame,
    /// Count of the last message applied.
    pub number: u64,
    /// Whether it equals the device's picture at the time of that message.
    pub exact: bool,
}

impl Screen {
    /// Looks at the picture; `None` before the first message. Keep it short: the session waits meanwhile.
    pub fn with<T>(&self, look: impl FnOnce(Option<&Shown>) -> T) -> T {
        look(self.lock().as_ref())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Shown>> {
        // A poisoned lock means that a reader panicked; the picture itself is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, picture: &Frame, update: &PanelUpdate) {
        let mut shown = self.lock();
        match shown
            .as_mut()
            .filter(|shown| shown.frame.size() == picture.size())
        {
            Some(shown) => {
                for rect in &update.damage {
                    shown.frame.copy_rect(picture, *rect);
                }
                shown.number = update.frame;
                shown.exact = update.exact;
            }
            None => {
                *shown = Some(Shown {
                    frame: picture.clone(),
                    number: update.frame,
                    exact: update.exact,
                })
            }
        }
    }
}

impl OperatorHandle {
    /// Asks the relay for a code that lives `ttl`, 120 to 3600 s. A code that is still open dies.
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

    /// Says that the operator is still there, after [`OperatorEvent::IdleWarning`].
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

    async fn act(&self, action: OperatorAction) -> Result<(), OperatorError> {
        self.send(|reply| Command::Act { action, reply }).await
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

/// A code that is out, and where it leads.
#[derive(Debug)]
struct Issued {
    rendezvous: RendezvousId,
    code: IssuedCode,
}

impl Operator {
    /// An operator, its handle and its events.
    pub fn new(config: OperatorConfig) -> (Self, OperatorHandle, OperatorEvents) {
        let (sender, commands) = mpsc::channel(COMMANDS);
        let (events, receiver) = mpsc::unbounded_channel();
        let screen = Screen::default();
        let handle = OperatorHandle {
            commands: sender,
            screen: screen.clone(),
        };
        (
            Self {
                config,
                commands,
                events,
                screen,
            },
            handle,
            receiver,
        )
    }

    /// Connects to the relay and serves commands.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] if there is no way to the relay, or it does not let this operator in.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the connections; the other sides notice within 15 s.
    pub async fn run(mut self, until: Until) -> Result<OperatorEnd, ConnectError> {
        let config = self
            .config
            .relay
            .leg(Role::Operator, Arc::clone(&self.config.identity));
        let (leg, mut leg_events) = Leg::connect(config).await?;
        self.tell(OperatorEvent::Ready);
        let end = self.serve(&leg, &mut leg_events, until).await;
        leg.close().await;
        Ok(end)
    }

    async fn serve(&mut self, leg: &Leg, leg_events: &mut LegEvents, until: Until) -> OperatorEnd {
        let mut issued: Option<Issued> = None;
        loop {
            let expiry = issued.as_ref().map(|issued| issued.code.expires_at());
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Code { ttl, ticket, reply }) => {
                        if let Some(old) = issued.take() {
                            leg.release(Release { rendezvous: old.rendezvous, reason: ReleaseReason::CodeDead });
                        }
                        let answer = allocate(leg, ttl, ticket).await.map(|(fresh, code)| {
                            issued = Some(fresh);
                            code
                        });
                        let _ = reply.send(answer);
                    }
                    Some(Command::Act { reply, .. }) => drop(reply.send(Err(OperatorError::NotConnected))),
                    Some(Command::End { reply }) => {
                        let _ = reply.send(Ok(()));
                        return OperatorEnd::Stopped;
                    }
                    None => return OperatorEnd::Stopped,
                },
                event = leg_events.next() => match event {
                    LegEvent::Peer(peer) => {
                        let Some(code) = issued.take().filter(|issued| issued.rendezvous == peer.rendezvous) else {
                            continue;
                        };
                        match self.meet(leg, leg_events, &peer, code).await {
                            Met::Again(again) => issued = Some(again),
                            Met::Burnt | Met::Session { .. } if until == Until::Stopped => {}
                            Met::Burnt => return OperatorEnd::CodeBurnt,
                            Met::Session { by, reason } => return OperatorEnd::Session { by, reason },
                        }
                    }
                    LegEvent::Link(link) => self.tell(OperatorEvent::RelayLink(session_io::link(link))),
                    LegEvent::Lost(lost) => return OperatorEnd::RelayLost(lost),
                    LegEvent::Closing => return OperatorEnd::RelayLost(LegLost::Connection(Lost::closed_by_peer(0, "the relay shuts down"))),
                    _ => {}
                },
                () = clock::sleep_until(expiry) => {
                    if let Some(old) = issued.take() {
                        leg.release(Release { rendezvous: old.rendezvous, reason: ReleaseReason::CodeDead });
                        self.tell(OperatorEvent::CodeExpired);
                    }
                }
            }
        }
    }

    /// Dials the device that claimed the code, and helps it if it proves the code.
    async fn meet(
        &mut self,
        leg: &Leg,
        leg_events: &mut LegEvents,
        peer: &relay::Peer,
        issued: Issued,
    ) -> Met {
        let Issued { rendezvous, code } = issued;
        let release = |reason| leg.release(Release { rendezvous, reason });
        let connection = match leg.dial(peer).await {
            Ok(connection) => connection,
            Err(error) => {
                release(ReleaseReason::WrongCode);
                self.tell(OperatorEvent::DialFailed(error));
                return Met::Again(Issued { rendezvous, code });
            }
        };
        match self
            .drive(connection, Some((leg_events, rendezvous)), code)
            .await
        {
            drive::Driven::NotProved(Some(code)) => {
                release(ReleaseReason::WrongCode);
                Met::Again(Issued { rendezvous, code })
            }
            drive::Driven::NotProved(None) => {
                release(ReleaseReason::CodeDead);
                Met::Burnt
            }
            drive::Driven::Ended { by, reason } => {
                release(ReleaseReason::SessionEnded);
                Met::Session { by, reason }
            }
        }
    }

    fn tell(&self, event: OperatorEvent) {
        // Nobody has to listen.
        let _ = self.events.send(event);
    }
}

/// How a meeting with a device went.
enum Met {
    Again(Issued),
    Burnt,
    Session { by: Party, reason: EndReason },
}

/// A nameplate from the relay, a secret of our own.
async fn allocate(
    leg: &Leg,
    ttl: Duration,
    ticket: Option<Ticket>,
) -> Result<(Issued, Code), OperatorError> {
    let allocated = leg
        .allocate(ttl, ticket)
        .await
        .map_err(OperatorError::Relay)?;
    let secret = loop {
        let mut entropy = Zeroizing::new([0; 48]);
        crate::random::fill(entropy.as_mut_slice());
        if let Some(secret) = CodeSecret::draw(entropy.as_slice()) {
            break secret;
        }
    };
    let code = AccessCode::new(allocated.nameplate, secret);
    let expires_in = Duration::from_secs(allocated.expires_in_s.into());
    let shown = Code {
        digits: Zeroizing::new(code.reveal()),
        expires_in,
    };
    let code = IssuedCode::new(code, clock::now() + expires_in);
    Ok((
        Issued {
            rendezvous: allocated.rendezvous,
            code,
        },
        shown,
    ))
}
