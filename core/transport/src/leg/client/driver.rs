//! Keeps a leg alive: asks and answers on the control stream, checks that the relay is there.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
    time::Duration,
};

use alongside_protocol::relay::{
    Allocate, Allocated, Claim, FromRelay, LegCheck, Prepare, Release, ReleaseReason, ToRelay,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval, interval_at, sleep, timeout},
};

use super::{
    FAREWELL, LegError, LegEvent, LegLost, LinkState,
    connect::{Reader, Writer},
};
use crate::{
    connection::{Lost, close_code},
    leg::shared_socket::SharedSocket,
    path::{MISSING_AFTER, PathKind},
};

mod ways;

pub(super) use ways::{Sign, Ways};

/// Questions whether the relay is there that may stand unanswered before no more are asked between the accessible
/// checks: they all arrive at once after an outage, and a relay cuts off who says 40 things at once.
const MAX_UNANSWERED: u32 = 16;

/// Pause between two accessible checks of the leg.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// How often silence is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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
    pub(super) connection: quinn::Connection,
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    pub(super) socket: Arc<SharedSocket>,
    pub(super) events: mpsc::Sender<LegEvent>,
    pub(super) lost: Arc<OnceLock<LegLost>>,
    pub(super) ways: Ways,
}

pub(super) struct Driver {
    parts: Parts,
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
            parts,
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
                self.say_goodbye().await;
                LegLost::ClosedHere
            }
            Err(why) => why,
        };
        tracing::debug!(%why, "the leg is over");
        // No event comes any more; whoever waits for one learns why.
        let events = std::mem::replace(&mut self.parts.events, mpsc::channel(1).0);
        let code = match why {
            LegLost::Protocol => close_code::PROTOCOL,
            LegLost::ClosedHere | LegLost::Connection(_) => close_code::DONE,
        };
        self.parts.connection.close(code.into(), b"");
        self.parts.ways.way.send_replace(PathKind::None);
        let _first = self.parts.lost.set(why);
        drop((closing, events));
        // The farewells of both endpoints still have to go out.
        sleep(FAREWELL).await;
        self.parts.ways.end(&self.parts.socket);
    }

    /// Closing a connection drops what has not arrived, and a release is worth waiting for.
    async fn say_goodbye(&mut self) {
        let acknowledged = async {
            self.parts.writer.finish().await.ok()?;
            self.parts.writer.stream().stopped().await.ok()
        };
        let _unheard = timeout(FAREWELL, acknowledged).await;
    }

    /// Who waits for the end, if somebody does, or why the leg is over.
    async fn drive(
        &mut self,
        requests: &mut mpsc::Receiver<Request>,
    ) -> Result<Option<oneshot::Sender<()>>, LegLost> {
        let mut checks = interval_at(Instant::now() + CHECK_EVERY, CHECK_EVERY);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                request = requests.recv() => match request {
                    Some(Request::Release(release)) => self.send(release.into()).await?,
                    Some(Request::Close(done)) => return Ok(Some(done)),
                    Some(Request::Ask(question)) => self.queue.push_back(question),
                    None => return Ok(None),
                },
                message = self.parts.reader.next() => match message {
                    Ok(Some(message)) => self.on_message(message).await?,
                    Ok(None) => return Err(self.end_of_stream().await),
                    Err(error) => return Err(LegLost::of_stream(&error, &self.parts.connection)),
                },
                _ = checks.tick() => self.check().await?,
                _ = looks.tick() => self.look()?,
                () = self.parts.ways.next(&self.parts.socket) => {}
            }
            let rtt = self.parts.connection.rtt();
            let sign = self.parts.ways.act(&self.parts.socket, rtt);
            if sign == Sign::Wanted && self.checks.wrapping_sub(self.answered) < MAX_UNANSWERED {
                self.check().await?;
            }
            self.ask_next().await?;
        }
    }

    async fn check(&mut self) -> Result<(), LegLost> {
        self.checks = self.checks.wrapping_add(1);
        self.send(LegCheck { n: self.checks }.into()).await?;
        self.parts.ways.asked();
        Ok(())
    }

    async fn ask_next(&mut self) -> Result<(), LegLost> {
        while self.pending.is_none() {
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
            FromRelay::PeerGone(gone) => self.tell(LegEvent::PeerGone(gone)),
            FromRelay::Closing(_) => self.tell(LegEvent::Closing),
            // Whatever the relay sends shows that it is there; the socket has noted it.
            FromRelay::Check(check) => {
                self.answered = check.n;
                Ok(())
            }
            FromRelay::Challenge(_) | FromRelay::Welcome(_) => Err(LegLost::Protocol),
            _ => Err(LegLost::Protocol),
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

    /// Tells whether the relay can be heard, when that changes.
    fn look(&mut self) -> Result<(), LegLost> {
        let silent = self.parts.socket.silence();
        let is_missing = silent >= MISSING_AFTER;
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
        match self.parts.events.try_send(event) {
            // Nobody listens: then nobody minds.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err(LegLost::Protocol),
        }
    }

    async fn send(&mut self, message: ToRelay) -> Result<(), LegLost> {
        match timeout(WRITE_STALL, self.parts.writer.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(LegLost::of_stream(&error, &self.parts.connection)),
            Err(_) => Err(LegLost::Connection(Lost::Silent)),
        }
    }

    /// The relay finished the stream: a moment later comes the reason.
    async fn end_of_stream(&self) -> LegLost {
        match timeout(LOOK_EVERY, self.parts.connection.closed()).await {
            Ok(reason) => reason.into(),
            Err(_) => LegLost::Protocol,
        }
    }
}
