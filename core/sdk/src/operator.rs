//! The operator's side: asks the relay for a code, and helps whoever types it.

use std::{sync::Arc, time::Duration};

use alongside_protocol::{
    label::Name,
    reason::{EndReason, Party},
    relay::{self, Release, ReleaseReason, Role},
};
use alongside_transport::{ConnectError, Identity, Leg, LegEvent, LegEvents, LegLost, Lost};
use tokio::sync::mpsc;

use crate::{Relay, clock, session_io};

mod drive;
mod event;
mod handle;
mod issue;
mod screen;

pub use event::{OperatorEnd, OperatorEvent, OperatorEvents, PanelUpdate, Until};
use handle::Command;
pub use handle::{Code, OperatorError, OperatorHandle};
use issue::{Issued, allocate};
pub use screen::{Screen, Shown};

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
