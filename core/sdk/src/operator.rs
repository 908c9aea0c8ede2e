//! The operator's side: asks the relay for a code, and helps whoever types it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

#[cfg(feature = "builtin-modes")]
pub use alongside_engineer_config::{Ask as SettingsAsk, Surface, Tell as SettingsTold};
use alongside_protocol::{
    label::{Name, Ticket},
    reason::{EndReason, Party},
    relay::{Peer, PeerGone, ReleaseReason, Role},
};
pub use alongside_session::IssuedCode;
use alongside_transport::{
    ConnectError, Connection, DialError, Identity, Leg, LegEvent, LegEvents, LegLost, Lost,
    QuicConnection, connection::close_code,
};
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::{
    Relay, Volume, audit::AuditStore, clock, modes::Modes, random, search::Search, session_io,
};

mod alone;
mod desk;
mod drive;
mod event;
mod handle;
mod issue;
mod latency;
mod plates;
mod screen;
#[cfg(feature = "builtin-modes")]
mod told;

use desk::{Desk, Ended};
use drive::Driven;
pub use event::{
    Asks, ConsolePanel, Latency, Mode, OperatorEnd, OperatorEvent, OperatorEvents, PanelUpdate,
    Until,
};
use handle::Command;
pub use handle::{Code, OperatorError, OperatorHandle};
use issue::Issued;
pub use screen::{Screen, Shown};

/// Pause before a relay that is gone is looked for; it doubles, up to the longest.
const COME_BACK: Duration = Duration::from_secs(1);
const LONGEST_COME_BACK: Duration = Duration::from_secs(30);

/// What a dial has, when a connection is lost, before the next one: its repetitions grow rare. Of four in a row the last
/// ones have longer, as a handshake over 20 kbit/s takes four seconds and more.
const REDIALS: [Duration; 4] = [
    Duration::from_secs(4),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
];

/// Pause before another dial when one failed at once.
const REDIAL_PAUSE: Duration = Duration::from_millis(500);

/// Commands that may wait before the callers have to.
const COMMANDS: usize = 256;

/// Events that may wait to be read; the newest are dropped beyond, so that nobody has to read them.
const EVENTS: usize = 4096;

/// Who the operator is and which relay introduces them.
#[derive(Clone, Debug)]
pub struct OperatorConfig {
    /// The relay, or [none](Relay::none).
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
    audit: Option<Arc<dyn AuditStore>>,
    modes: Modes,
    locale: String,
    listens_on: Option<SocketAddr>,
    desk: Desk,
    events: mpsc::Sender<OperatorEvent>,
    screen: Screen,
    volume: Volume,
}

/// How a meeting with a device went.
enum Met {
    /// It came to nothing; the code lives on.
    Again(Issued),
    /// The code was tried too often.
    Burnt,
    /// The code's time ran out meanwhile.
    Expired,
    Session {
        by: Party,
        reason: EndReason,
    },
    /// The operator ended it before there was a session.
    Ended,
}

impl Operator {
    /// An operator, its handle and its events.
    pub fn new(config: OperatorConfig) -> (Self, OperatorHandle, OperatorEvents) {
        let (sender, commands) = mpsc::channel(COMMANDS);
        let (events, receiver) = mpsc::channel(EVENTS);
        let screen = Screen::default();
        let volume = Volume::default();
        let handle = OperatorHandle {
            commands: sender,
            screen: screen.clone(),
            volume: volume.clone(),
        };
        let operator = Self {
            config,
            audit: None,
            modes: Modes::built_in(),
            locale: "en".to_owned(),
            listens_on: None,
            desk: Desk::new(commands),
            events,
            screen,
            volume,
        };
        (operator, handle, receiver)
    }

    /// Keeps the records of its sessions in `audit`. Without one they are only traced.
    #[must_use]
    pub fn with_audit(mut self, audit: Arc<dyn AuditStore>) -> Self {
        self.audit = Some(audit);
        self
    }

    /// Has the operator's halves of these modes and not of the built-in ones alone.
    #[must_use]
    pub fn with_modes(mut self, modes: Modes) -> Self {
        self.modes = modes;
        self
    }

    /// Tells the operator's halves of modes that the operator speaks this language, such as `de` or `zh-TW` (BCP 47).
    /// Without, it is English.
    #[must_use]
    pub fn with_locale(mut self, locale: &str) -> Self {
        self.locale = locale.to_owned();
        self
    }

    /// Asks no relay for codes: waits for devices on this address, with port 0 on any free one, and gives codes out by
    /// itself. They live, fail and burn as a relay's do. [`OperatorEvent::Listening`] tells the address, which the
    /// device has to be [told](crate::Device::calling) beside the code.
    #[must_use]
    pub const fn listening_on(mut self, at: SocketAddr) -> Self {
        self.listens_on = Some(at);
        self
    }

    /// Connects to the relay, or listens, and serves commands.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] if there is no way to the relay, or it does not let this operator in; or if nobody can listen
    /// there.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the connections; the other sides notice within 15 s.
    pub async fn run(mut self, until: Until) -> Result<OperatorEnd, ConnectError> {
        if let Some(at) = self.listens_on {
            return self.run_alone(at, until).await;
        }
        let identity = Arc::clone(&self.config.identity);
        let connect = self.config.relay.connect(Role::Operator, identity);
        let Ok(connected) = self.desk.unless_ended(connect).await else {
            return Ok(OperatorEnd::Stopped);
        };
        let (mut leg, mut leg_events) = connected?;
        loop {
            self.tell(OperatorEvent::Ready);
            let end = self.serve(&leg, &mut leg_events, until).await;
            leg.close().await;
            let lost = match (end, until) {
                (OperatorEnd::RelayLost(lost), Until::Stopped) => lost,
                (end, _) => return Ok(end),
            };
            self.tell(OperatorEvent::RelayGone(lost));
            let Some(connected) = self.come_back().await? else {
                return Ok(OperatorEnd::Stopped);
            };
            (leg, leg_events) = connected;
        }
    }

    /// Looks for the relay until it is there again, or this side is ended.
    async fn come_back(&mut self) -> Result<Option<(Leg, LegEvents)>, ConnectError> {
        let mut pause = COME_BACK;
        loop {
            // Not all at once, where many lost the same relay.
            let [part] = random::bytes().map(u32::from);
            let wait = clock::now() + pause / 2 + pause * part / 510;
            let identity = Arc::clone(&self.config.identity);
            let relay = self.config.relay.clone();
            let connect = async {
                clock::sleep_until(Some(wait)).await;
                relay.connect(Role::Operator, identity).await
            };
            match self.desk.unless_ended(connect).await {
                Ok(Ok(connected)) => return Ok(Some(connected)),
                Ok(Err(error)) if error.is_retryable() => {
                    tracing::debug!(error = %session_io::chain(&error), "the relay is not back yet");
                }
                Ok(Err(error)) => return Err(error),
                Err(Ended) => return Ok(None),
            }
            pause = (pause * 2).min(LONGEST_COME_BACK);
        }
    }

    /// Helps one device over a connection of the embedder's own, instead of going through a relay.
    ///
    /// The connection must be one that this side has dialled: it opens the streams.
    ///
    /// # Cancel safety
    ///
    /// As [`Operator::run`].
    pub async fn run_over<C: Connection>(mut self, connection: C, code: IssuedCode) -> OperatorEnd {
        match self.drive(connection, None, Search::nowhere(), code).await {
            Driven::NotProved(code) => OperatorEnd::NotProved(code),
            Driven::Burnt => OperatorEnd::CodeBurnt,
            Driven::Expired => {
                self.tell(OperatorEvent::CodeExpired);
                OperatorEnd::CodeExpired
            }
            Driven::GivenUp => OperatorEnd::Stopped,
            Driven::Ended { by, reason } => OperatorEnd::Session { by, reason },
        }
    }

    async fn serve(&mut self, leg: &Leg, leg_events: &mut LegEvents, until: Until) -> OperatorEnd {
        let mut issued: Option<Issued> = None;
        loop {
            let expiry = issued.as_ref().map(|issued| issued.code.expires_at());
            tokio::select! {
                biased;
                command = self.desk.next() => match command {
                    Some(Command::Code { ttl, ticket, reply }) => {
                        if let Some(old) = issued.take() {
                            old.withdraw(leg);
                        }
                        match self.issue(leg, ttl, ticket).await {
                            Ok(Ok((fresh, code))) => {
                                issued = Some(fresh);
                                let _ = reply.send(Ok(code));
                            }
                            Ok(Err(error)) => {
                                let is_unknown = matches!(error, OperatorError::Unknown { .. });
                                let _ = reply.send(Err(error));
                                if is_unknown && until == Until::FirstSession {
                                    return OperatorEnd::Unknown;
                                }
                            }
                            Err(Ended) => return OperatorEnd::Stopped,
                        }
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
                        // A device may still come for a code that is no more.
                        let Some(code) = issued.take_if(|issued| issued.rendezvous.is_same_code(peer.rendezvous)) else {
                            continue;
                        };
                        match self.meet(leg, leg_events, &peer, code).await {
                            Met::Again(again) => issued = Some(again),
                            Met::Expired => self.tell(OperatorEvent::CodeExpired),
                            Met::Ended => return OperatorEnd::Stopped,
                            Met::Burnt | Met::Session { .. } if until == Until::Stopped => {}
                            Met::Burnt => return OperatorEnd::CodeBurnt,
                            Met::Session { by, reason } => return OperatorEnd::Session { by, reason },
                        }
                    }
                    LegEvent::PeerGone(gone) => {
                        if let Some(dead) = issued.take_if(|issued| issued.dies_with(&gone)) {
                            if clock::now() >= dead.code.expires_at() {
                                self.tell(OperatorEvent::CodeExpired);
                                continue;
                            }
                            self.tell(OperatorEvent::CodeBurnt);
                            if until == Until::FirstSession {
                                return OperatorEnd::CodeBurnt;
                            }
                        }
                    }
                    LegEvent::Link(link) => self.tell(OperatorEvent::RelayLink(session_io::link(link))),
                    LegEvent::Lost(lost) => {
                        if issued.is_some() {
                            self.tell(OperatorEvent::CodeExpired);
                        }
                        return OperatorEnd::RelayLost(lost);
                    }
                    LegEvent::Closing => {
                        if issued.is_some() {
                            self.tell(OperatorEvent::CodeExpired);
                        }
                        let why = Lost::closed_by_peer(close_code::SHUTDOWN, "the relay shuts down");
                        return OperatorEnd::RelayLost(LegLost::Connection(why));
                    }
                    LegEvent::Rejoined(_) | _ => {}
                },
                () = clock::sleep_until(expiry) => {
                    if let Some(old) = issued.take() {
                        old.withdraw(leg);
                        self.tell(OperatorEvent::CodeExpired);
                    }
                }
            }
        }
    }

    async fn issue(
        &mut self,
        leg: &Leg,
        ttl: Duration,
        ticket: Option<Ticket>,
    ) -> Result<Result<(Issued, Code), OperatorError>, Ended> {
        let key = self.config.identity.public_key();
        self.desk
            .unless_ended(issue::allocate(leg, key, ttl, ticket))
            .await
    }

    /// Dials the device that claimed the code, and helps it if it proves the code.
    async fn meet(
        &mut self,
        leg: &Leg,
        leg_events: &mut LegEvents,
        peer: &Peer,
        issued: Issued,
    ) -> Met {
        let dial = async {
            tokio::select! {
                dialled = leg.dial(peer) => dialled,
                () = gone(leg_events, peer) => Err(DialError::Silent),
            }
        };
        let connection = match self.desk.unless_ended(dial).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => {
                issue::release(leg, peer.rendezvous, ReleaseReason::WrongCode);
                self.tell(OperatorEvent::DialFailed(error));
                return Met::Again(issued);
            }
            Err(Ended) => {
                issued.withdraw(leg);
                return Met::Ended;
            }
        };
        let Issued { rendezvous, code } = issued;
        let driven = self
            .drive(
                connection,
                Some((leg_events, peer.rendezvous)),
                search(leg, peer),
                code,
            )
            .await;
        let (reason, met) = match driven {
            Driven::NotProved(code) => (
                ReleaseReason::WrongCode,
                Met::Again(Issued { rendezvous, code }),
            ),
            Driven::Burnt => (ReleaseReason::CodeDead, Met::Burnt),
            Driven::Expired => (ReleaseReason::CodeDead, Met::Expired),
            Driven::Ended { by, reason } => {
                (ReleaseReason::SessionEnded, Met::Session { by, reason })
            }
            Driven::GivenUp => (ReleaseReason::CodeDead, Met::Ended),
        };
        issue::release(leg, peer.rendezvous, reason);
        met
    }

    fn tell(&self, event: OperatorEvent) {
        // Nobody has to listen.
        if let Err(TrySendError::Full(event)) = self.events.try_send(event) {
            tracing::warn!(?event, "events are not read: one is lost");
        }
    }
}

/// The search for further connections to the same device, in the same meeting.
fn search(leg: &Leg, peer: &Peer) -> Search<QuicConnection> {
    let (leg, peer) = (leg.clone(), peer.clone());
    Search::with(move || {
        let (leg, peer) = (leg.clone(), peer.clone());
        Box::pin(async move {
            for patience in REDIALS.into_iter().cycle() {
                match tokio::time::timeout(patience, leg.dial(&peer)).await {
                    Ok(Ok(connection)) => return connection,
                    Ok(Err(error)) => {
                        tracing::debug!(error = %session_io::chain(&error), "the device cannot be reached yet");
                        clock::sleep_until(Some(clock::now() + REDIAL_PAUSE)).await;
                    }
                    Err(_) => {}
                }
            }
            unreachable!("a cycle has no end")
        })
    })
}

/// Resolves when the relay says that the device of a meeting has left it.
async fn gone(events: &mut LegEvents, peer: &Peer) {
    loop {
        match events.next().await {
            LegEvent::PeerGone(PeerGone { rendezvous, .. }) if rendezvous == peer.rendezvous => {
                return;
            }
            // The dial itself finds out.
            LegEvent::Lost(_) => std::future::pending().await,
            LegEvent::PeerGone(_)
            | LegEvent::Peer(_)
            | LegEvent::Link(_)
            | LegEvent::Closing
            | _ => {}
        }
    }
}
