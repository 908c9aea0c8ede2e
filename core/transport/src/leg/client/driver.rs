//! Keeps a leg alive: asks and answers on the control stream, checks that the relay is there.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
    time::Duration,
};

use alongside_protocol::relay::{
    Allocate, Allocated, Claim, Departure, FromRelay, LegCheck, PairingTicket, PeerGone, Prepare,
    Refused, RelayRefusal, Release, ReleaseReason, ToRelay,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};

use super::{
    FAREWELL, LegError, LegEvent, LegLost, LinkState,
    connect::{Member, Registrar},
};
use crate::{
    connection::{Lost, close_code},
    leg::shared_socket::SharedSocket,
    path::{MISSING_AFTER, PathKind},
};

mod line;
mod ways;

use line::{Line, News};
pub(super) use ways::{Sign, Ways};

/// Questions whether the relay is there that may stand unanswered before no more are asked between the accessible
/// checks: they all arrive at once after an outage, and a relay cuts off who says 40 things at once.
const MAX_UNANSWERED: u32 = 16;

/// Pause between two accessible checks of the leg.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// How often it is looked whether a silent relay is heard again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Timers are no finer.
const LEAST_PAUSE: Duration = Duration::from_millis(1);

/// Longest that the relay may let a control message wait for room.
const WRITE_STALL: Duration = Duration::from_secs(10);

/// What callers want of a leg.
#[derive(Debug)]
pub(super) enum Request {
    Ask(Question),
    Release(Release),
    /// End the leg; answered by dropping the sender once the relay has heard everything.
    Close(oneshot::Sender<()>),
}

/// A request that the relay answers, and who waits for the answer.
#[derive(Debug)]
pub(super) enum Question {
    Allocate(Allocate, oneshot::Sender<Result<Allocated, LegError>>),
    Claim(Claim, oneshot::Sender<Result<Prepare, LegError>>),
}

/// What the relay has been asked and not answered yet.
#[derive(Debug)]
enum Pending {
    Allocated(oneshot::Sender<Result<Allocated, LegError>>),
    Prepare(oneshot::Sender<Result<Prepare, LegError>>),
}

pub(super) struct Parts {
    pub(super) registrar: Registrar,
    pub(super) member: Member,
    pub(super) socket: Arc<SharedSocket>,
    pub(super) events: mpsc::Sender<LegEvent>,
    pub(super) lost: Arc<OnceLock<LegLost>>,
    pub(super) ways: Ways,
}

pub(super) struct Driver {
    line: Line,
    socket: Arc<SharedSocket>,
    events: mpsc::Sender<LegEvent>,
    lost: Arc<OnceLock<LegLost>>,
    ways: Ways,
    rtt: Duration,
    /// What to show a relay that has forgotten the meeting that this leg is in.
    ticket: Option<PairingTicket>,
    /// Whether the other leg of that meeting is lost: the relay then takes it for over.
    is_alone: bool,
    /// The relay answers one request at a time; the others wait here.
    queue: VecDeque<Question>,
    pending: Option<Pending>,
    checks: u32,
    /// Number of the last check that the relay has answered.
    answered: u32,
    link: LinkState,
}

impl Driver {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            line: Line::new(parts.registrar, parts.member),
            socket: parts.socket,
            events: parts.events,
            lost: parts.lost,
            ways: parts.ways,
            rtt: Duration::ZERO,
            ticket: None,
            is_alone: false,
            queue: VecDeque::new(),
            pending: None,
            checks: 0,
            answered: 0,
            link: LinkState::Ok,
        }
    }

    /// Runs until the leg is over, and says why.
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut closing = None;
        let why = match self.drive(&mut requests).await {
            Ok(close) => {
                closing = close;
                self.line.say_goodbye().await;
                LegLost::ClosedHere
            }
            Err(why) => why,
        };
        tracing::debug!(%why, "the leg is over");
        // No event comes any more; whoever waits for one learns why.
        let events = std::mem::replace(&mut self.events, mpsc::channel(1).0);
        let code = match why {
            LegLost::Protocol => close_code::PROTOCOL,
            LegLost::ClosedHere | LegLost::Connection(_) => close_code::DONE,
        };
        self.line.close(code);
        self.ways.way.send_replace(PathKind::None);
        let _first = self.lost.set(why);
        drop((closing, events));
        // The farewells of both endpoints still have to go out.
        sleep(FAREWELL).await;
        self.ways.end(&self.socket);
    }

    /// Who waits for the end, if somebody does, or why the leg is over.
    async fn drive(
        &mut self,
        requests: &mut mpsc::Receiver<Request>,
    ) -> Result<Option<oneshot::Sender<()>>, LegLost> {
        let mut checks = interval_at(Instant::now() + CHECK_EVERY, CHECK_EVERY);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next_look = self.next_look();
            let done = tokio::select! {
                request = requests.recv() => match request {
                    Some(Request::Release(release)) => self.release(release).await,
                    Some(Request::Close(done)) => return Ok(Some(done)),
                    Some(Request::Ask(question)) => {
                        self.queue.push_back(question);
                        Ok(())
                    }
                    None => return Ok(None),
                },
                news = self.line.next() => self.on_news(news).await,
                _ = checks.tick() => self.check().await,
                () = sleep(next_look) => self.look(),
                () = self.ways.next(&self.socket) => Ok(()),
            };
            self.hold_on(done)?;
            if let Some(connection) = self.line.connection() {
                self.rtt = connection.rtt();
            }
            let sign = self.ways.act(&self.socket, self.rtt);
            if sign == Sign::Wanted && self.checks.wrapping_sub(self.answered) < MAX_UNANSWERED {
                let done = self.check().await;
                self.hold_on(done)?;
            }
            let done = self.ask_next().await;
            self.hold_on(done)?;
        }
    }

    /// Goes on after the loss of the connection, if there is a meeting to come back to: the relay may only have been
    /// restarted, and the session may live without it.
    fn hold_on(&mut self, done: Result<(), LegLost>) -> Result<(), LegLost> {
        let Err(why) = done else {
            return Ok(());
        };
        if self.ticket.is_none() || !may_come_back(&why) {
            return Err(why);
        }
        tracing::info!(%why, "the relay is gone; trying to come back");
        self.fail_pending();
        self.line.search();
        // The relay has been asked something, as far as the ways there are concerned.
        self.ways.asked();
        self.answered = self.checks;
        Ok(())
    }

    fn fail_pending(&mut self) {
        match self.pending.take() {
            Some(Pending::Allocated(reply)) => drop(reply.send(Err(LegError::NoAnswer))),
            Some(Pending::Prepare(reply)) => drop(reply.send(Err(LegError::NoAnswer))),
            None => {}
        }
    }

    async fn on_news(&mut self, news: News) -> Result<(), LegLost> {
        match news {
            News::Message(message) => self.on_message(message).await,
            News::Broke(why) => Err(why),
            News::Back => {
                tracing::info!("the relay knows this leg again");
                self.show_ticket().await
            }
            News::NotBack(error) if error.is_retryable() => {
                tracing::debug!(%error, "no way back to the relay yet");
                self.ways.asked();
                Ok(())
            }
            News::NotBack(error) => {
                tracing::warn!(%error, "the relay does not let this leg in again");
                self.ticket = None;
                Err(LegLost::Connection(Lost::Broken))
            }
        }
    }

    async fn show_ticket(&mut self) -> Result<(), LegLost> {
        match self.ticket.clone() {
            Some(ticket) => self.send(ToRelay::Rejoin(ticket)).await,
            None => Ok(()),
        }
    }

    async fn release(&mut self, release: Release) -> Result<(), LegLost> {
        self.ticket
            .take_if(|ticket| ticket.rendezvous.is_same_code(release.rendezvous));
        self.send(release.into()).await
    }

    async fn check(&mut self) -> Result<(), LegLost> {
        if !self.line.is_up() {
            return Ok(());
        }
        self.checks = self.checks.wrapping_add(1);
        self.send(LegCheck { n: self.checks }.into()).await?;
        self.ways.asked();
        Ok(())
    }

    async fn ask_next(&mut self) -> Result<(), LegLost> {
        while self.line.is_up() && self.pending.is_none() {
            let Some(question) = self.queue.pop_front() else {
                break;
            };
            match question {
                Question::Allocate(_, reply) if reply.is_closed() => {}
                Question::Claim(_, reply) if reply.is_closed() => {}
                Question::Allocate(allocate, reply) => {
                    self.pending = Some(Pending::Allocated(reply));
                    self.send(allocate.into()).await?;
                }
                Question::Claim(claim, reply) => {
                    self.pending = Some(Pending::Prepare(reply));
                    self.send(claim.into()).await?;
                }
            }
        }
        Ok(())
    }

    async fn on_message(&mut self, message: FromRelay) -> Result<(), LegLost> {
        match message {
            FromRelay::Allocated(allocated) => self.on_allocated(allocated).await,
            FromRelay::Prepare(prepare) => self.on_prepare(prepare).await,
            FromRelay::Refused(Refused {
                reason: RelayRefusal::BadTicket | RelayRefusal::TicketExpired,
                ..
            }) => self.on_ticket_refused(),
            FromRelay::Refused(refused) => {
                let no = LegError::Refused {
                    refusal: refused.reason,
                    retry_after_s: refused.retry_after_s,
                };
                match self.pending.take() {
                    Some(Pending::Allocated(reply)) => drop(reply.send(Err(no))),
                    Some(Pending::Prepare(reply)) => drop(reply.send(Err(no))),
                    None => return Err(LegLost::Protocol),
                }
                Ok(())
            }
            FromRelay::Peer(peer) => self.tell(LegEvent::Peer(peer)),
            FromRelay::PeerGone(gone) => self.on_peer_gone(gone).await,
            FromRelay::Paired(ticket) => {
                let rendezvous = ticket.rendezvous;
                let before = self.ticket.replace(ticket);
                self.is_alone = false;
                if before.is_some_and(|before| before.rendezvous == rendezvous) {
                    tracing::info!(?rendezvous, "the relay forwards again");
                    return self.tell(LegEvent::Rejoined(rendezvous));
                }
                Ok(())
            }
            FromRelay::Closing(_) => self.on_closing(),
            // Whatever the relay sends shows that it is there; the socket has noted it.
            FromRelay::Check(check) => {
                self.answered = check.n;
                Ok(())
            }
            FromRelay::Challenge(_) | FromRelay::Welcome(_) => Err(LegLost::Protocol),
            _ => Err(LegLost::Protocol),
        }
    }

    /// The relay shuts down. Whoever is in a meeting leaves at once, so that it need not wait, and comes back when it
    /// does, or when another takes its place.
    fn on_closing(&mut self) -> Result<(), LegLost> {
        self.tell(LegEvent::Closing)?;
        if self.ticket.is_none() {
            return Ok(());
        }
        let why = Lost::closed_by_peer(close_code::SHUTDOWN, "the relay shuts down");
        Err(LegLost::Connection(why))
    }

    /// The relay does not take the meeting up again: for the session that is its end, as far as the relay goes.
    fn on_ticket_refused(&mut self) -> Result<(), LegLost> {
        let Some(ticket) = self.ticket.take() else {
            return Ok(());
        };
        tracing::warn!(rendezvous = ?ticket.rendezvous, "the relay does not take the ticket");
        self.tell(LegEvent::PeerGone(PeerGone {
            rendezvous: ticket.rendezvous,
            how: Departure::Relay,
        }))
    }

    async fn on_peer_gone(&mut self, gone: PeerGone) -> Result<(), LegLost> {
        let is_ours = |ticket: &PairingTicket| ticket.rendezvous.is_same_code(gone.rendezvous);
        let is_ours = self.ticket.as_ref().is_some_and(is_ours);
        if is_ours && self.is_alone && gone.how == Departure::Relay {
            // The time of the code is over, which nobody needs any more; or the operator may not go on, and then the
            // relay says so of the ticket.
            return self.show_ticket().await;
        }
        self.tell(LegEvent::PeerGone(gone))?;
        match gone.how {
            // It may come back, and then both have to want it.
            Departure::LegLost if is_ours => {
                self.is_alone = true;
                self.show_ticket().await
            }
            Departure::LegLost => Ok(()),
            Departure::Released(_) | Departure::Relay => {
                if is_ours {
                    self.ticket = None;
                }
                Ok(())
            }
        }
    }

    async fn on_allocated(&mut self, allocated: Allocated) -> Result<(), LegLost> {
        let Some(Pending::Allocated(reply)) = self.pending.take() else {
            return Err(LegLost::Protocol);
        };
        let rendezvous = allocated.rendezvous;
        if reply.send(Ok(allocated)).is_err() {
            // The caller has gone, so nobody would ever use the code.
            return self
                .send(
                    Release {
                        rendezvous,
                        reason: ReleaseReason::CodeDead,
                    }
                    .into(),
                )
                .await;
        }
        Ok(())
    }

    async fn on_prepare(&mut self, prepare: Prepare) -> Result<(), LegLost> {
        let Some(Pending::Prepare(reply)) = self.pending.take() else {
            return Err(LegLost::Protocol);
        };
        let rendezvous = prepare.rendezvous;
        if reply.send(Ok(prepare)).is_err() {
            return self
                .send(
                    Release {
                        rendezvous,
                        reason: ReleaseReason::WrongCode,
                    }
                    .into(),
                )
                .await;
        }
        Ok(())
    }

    /// How long the silence of the relay need not be looked at.
    fn next_look(&self) -> Duration {
        match self.link {
            LinkState::Ok => MISSING_AFTER
                .saturating_sub(self.socket.silence())
                .max(LEAST_PAUSE),
            LinkState::Missing { .. } => LOOK_EVERY,
        }
    }

    /// Tells whether the relay can be heard, when that changes.
    fn look(&mut self) -> Result<(), LegLost> {
        let silent = self.socket.silence();
        let is_missing = silent >= MISSING_AFTER;
        if is_missing {
            self.socket.hurry_direct(Instant::now().into_std());
        }
        let was_missing = matches!(self.link, LinkState::Missing { .. });
        if is_missing == was_missing {
            return Ok(());
        }
        self.link = if is_missing {
            LinkState::Missing { silent }
        } else {
            LinkState::Ok
        };
        self.tell(LegEvent::Link(self.link))
    }

    fn tell(&self, event: LegEvent) -> Result<(), LegLost> {
        match self.events.try_send(event) {
            // Nobody listens: then nobody minds.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err(LegLost::Protocol),
        }
    }

    async fn send(&mut self, message: ToRelay) -> Result<(), LegLost> {
        self.line.send(message).await
    }
}

/// Whether the relay may let the leg in again on another connection.
fn may_come_back(why: &LegLost) -> bool {
    match why {
        LegLost::Connection(Lost::ClosedByPeer { code, .. }) => {
            !matches!(*code, close_code::REPLACED | close_code::PROTOCOL)
        }
        LegLost::Connection(_) => true,
        LegLost::ClosedHere | LegLost::Protocol => false,
    }
}
