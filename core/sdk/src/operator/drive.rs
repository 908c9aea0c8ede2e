//! One connection of the operator's side, from the proof of the code to its end.

use std::time::{Duration, Instant};

use alongside_mode::{Effect, HostEvent, Side};
use alongside_panel::{Applied, What as Did};
use alongside_protocol::{
    RendezvousId,
    frame::{Channel, HEADER_LEN},
    ids::ModeId,
    proof::ProofFailure,
    reason::{EndReason, Party},
};
use alongside_session::{
    Cause, IssuedCode, Record, SessionError,
    operator::{Config, Event, Input, OperatorAction, Output, Session},
};
use alongside_transport::{Connection, LegEvent, LegEvents, PathReport};
use tokio::sync::watch;

mod countersign;

use super::{Command, Operator, OperatorError, OperatorEvent, PanelUpdate, latency::LatencyMeter};
use crate::{
    audit::{What, journal::Journal, seal::Countersigner},
    clock,
    meter::Meter,
    modes::{Answer, ModeError, ModeHost},
    search::{self, Search},
    session_io::{self, FAREWELL, LegNews},
    status::Link,
    wire::{Incoming, Role, Wire},
};

/// How a connection ended.
pub(super) enum Driven {
    /// The code was not proved; here it is again.
    NotProved(IssuedCode),
    /// The code was not proved, for the last time.
    Burnt,
    /// The code's time ran out before it was proved.
    Expired,
    /// The operator broke the proof off.
    GivenUp,
    /// The code was proved, and what came of it is over.
    Ended { by: Party, reason: EndReason },
}

/// One connection being driven.
struct Drive<'a, C: Connection> {
    operator: &'a mut Operator,
    session: Session,
    wire: Wire<C>,
    search: Search<C>,
    journal: Journal,
    countersigner: Countersigner,
    modes: ModeHost,
    connected: bool,
    is_burnt: bool,
    is_lost: bool,
    ended: Option<(Party, EndReason)>,
    /// Size of the message of the picture that is being applied.
    panel_bytes: usize,
    /// When it came.
    panel_at: Instant,
    latency: LatencyMeter,
    paths: watch::Receiver<PathReport>,
    #[cfg(feature = "builtin-modes")]
    pieces: super::told::Pieces,
}

impl Operator {
    /// Drives a connection until the session on it is over. `leg` tells what the relay knows of the device.
    pub(super) async fn drive<C: Connection>(
        &mut self,
        connection: C,
        mut leg: Option<(&mut LegEvents, RendezvousId)>,
        search: Search<C>,
        code: IssuedCode,
    ) -> Driven {
        let shelf = self.modes.shelf().await;
        let now = clock::now();
        let config = Config {
            name: self.config.name.clone(),
            locale: self.locale.clone(),
            modes: shelf.known(),
        };
        let binding = session_io::binding(&connection);
        let paths = connection.path();
        let mut meter = Meter::of(now, &connection);
        let journal = Journal::new(self.audit.clone());
        let volume = self.volume.clone();
        let mut drive = Drive {
            operator: self,
            session: Session::new(now, config, code),
            wire: Wire::new(connection, Role::Opens).counting_into(volume),
            search,
            journal,
            countersigner: Countersigner::new(binding.peer),
            modes: ModeHost::new(Side::Operator, now, shelf),
            connected: false,
            is_burnt: false,
            is_lost: false,
            ended: None,
            panel_bytes: 0,
            panel_at: now,
            latency: LatencyMeter::default(),
            paths,
            #[cfg(feature = "builtin-modes")]
            pieces: super::told::Pieces::default(),
        };
        drive.input(Input::Connected {
            binding,
            entropy: crate::random::bytes(),
        });
        while let Some(deadline) = drive.drain().await {
            tokio::select! {
                // Our own side comes first: a flood of the device's keeps nothing else waiting.
                biased;
                command = drive.operator.desk.next() => drive.on_command(command).await,
                status = meter.next(), if drive.connected => drive.operator.tell(OperatorEvent::Path(status)),
                () = clock::sleep_until(deadline) => drive.input(Input::Timeout),
                (seq, answered) = drive.modes.next() => drive.on_mode_answer(seq, answered),
                connection = drive.search.next() => {
                    meter = Meter::of(clock::now(), &connection);
                    drive.on_connection(connection);
                }
                incoming = drive.wire.next(), if !drive.search.is_on() => drive.on_incoming(incoming),
                // After what came through the relay before it.
                event = session_io::next_leg_event(&mut leg) => drive.on_leg_event(event, meter.is_direct()),
            }
            // A peer that always has something ready must not keep the runtime's thread.
            tokio::task::consume_budget().await;
        }
        drive.finish().await
    }
}

impl<C: Connection> Drive<'_, C> {
    /// Carries out what the session wants. Gives its next deadline, or `None` once it is over.
    async fn drain(&mut self) -> Option<Option<Instant>> {
        loop {
            match self.session.poll_output() {
                Output::Record(record) => self.record(record).await,
                Output::Send(outbound) => session_io::send(&mut self.wire, outbound),
                Output::ModeEvent { seq, mode, event } => self.on_mode_event(seq, &mode, &event),
                Output::Event(Event::Seal(seal)) => self.on_seal(seal).await,
                Output::Event(event) => self.on_event(event),
                Output::Wait(_) if self.ended.is_some() => return None,
                Output::Wait(until) => return Some(until),
            }
        }
    }

    /// Makes this record, and those of all that follows, durable before any of it happens. At the end nothing waits for
    /// it: see [`Drive::finish`].
    async fn record(&mut self, record: Record) {
        self.journal.record(record);
        for record in self.session.take_records() {
            self.journal.record(record);
        }
        if !self.session.is_over() {
            self.keep().await;
        }
    }

    /// Makes durable what the journal has; whether it is.
    async fn keep(&mut self) -> bool {
        let kept = self.journal.flush_in_time().await;
        if let Err(error) = &kept {
            tracing::error!(error = %session_io::chain(error), "the audit cannot be kept");
            self.input(Input::Close(Cause::RecordFailed));
        }
        kept.is_ok()
    }

    async fn on_command(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Code { reply, .. }) => drop(reply.send(Err(OperatorError::Busy))),
            Some(Command::Act { reply, .. }) if !self.connected => {
                drop(reply.send(Err(OperatorError::NotConnected)))
            }
            Some(Command::Act { actions, reply }) => {
                // Nothing is sent before all are in, so what holds for the first holds for the others.
                let now = clock::now();
                for action in &actions {
                    if let OperatorAction::Mode(mode) = action {
                        self.countersigner.want(mode);
                    }
                }
                let taken = actions
                    .into_iter()
                    .try_for_each(|action| self.session.handle_input(now, Input::Ask(action)));
                let _ = reply.send(taken.map_err(|error| match error {
                    SessionError::NotAllowed => OperatorError::NotAllowed,
                    SessionError::Congested => OperatorError::Congested,
                    SessionError::Interrupted => OperatorError::Interrupted,
                    SessionError::Decode(_)
                    | SessionError::Unexpected { .. }
                    | SessionError::Picture(_)
                    | SessionError::OtherKey
                    | SessionError::NotNow
                    | _ => OperatorError::NotConnected,
                }));
            }
            Some(Command::End { reply }) => {
                self.input(Input::Ask(OperatorAction::End));
                self.drain().await;
                let _ = reply.send(Ok(()));
            }
            None => self.input(Input::Ask(OperatorAction::End)),
        }
    }

    /// The connection is lost, and the session waits for another.
    fn on_lost(&mut self) {
        if !self.search.is_possible() {
            return self.input(Input::Disconnected);
        }
        self.wire.abandon();
        self.search.begin();
    }

    /// Somebody answers, who still has to prove to be in the session.
    fn on_connection(&mut self, connection: C) {
        let binding = session_io::binding(&connection);
        let volume = self.operator.volume.clone();
        self.wire = Wire::new(connection, Role::Opens).counting_into(volume);
        self.is_lost = false;
        self.input(Input::Connected {
            binding,
            entropy: crate::random::bytes(),
        });
    }

    fn on_incoming(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Frame(channel, frame) => {
                if channel == Channel::Panel {
                    self.panel_bytes = HEADER_LEN + frame.body.len();
                    self.panel_at = clock::now();
                }
                self.input(Input::Message { channel, frame });
            }
            Incoming::Datagram(datagram) => self.input(Input::Datagram(datagram)),
            Incoming::Drained(channel) => self.input(Input::Room {
                channel,
                bytes: channel.max_body(),
            }),
            Incoming::Broken(error) if self.session.is_interrupted() => {
                tracing::warn!(error = %session_io::chain(&error), "who answers in the device's place breaks the protocol");
                self.input(Input::Interrupted);
            }
            Incoming::Broken(error) => {
                tracing::warn!(error = %session_io::chain(&error), "the device breaks the protocol");
                self.input(Input::Close(Cause::PeerFault));
            }
            Incoming::Lost(lost) => {
                tracing::info!(error = %lost, "connection lost");
                self.is_lost = true;
                let goes_on = self.session.is_interrupted() || search::may_go_on(&lost);
                self.input(if goes_on {
                    Input::Interrupted
                } else {
                    Input::Disconnected
                });
            }
        }
    }

    fn on_leg_event(&mut self, event: LegEvent, is_direct: bool) {
        match session_io::leg_news(event, is_direct) {
            LegNews::Link(link) => self.operator.tell(OperatorEvent::RelayLink(link)),
            LegNews::PeerLost => self.input(Input::Disconnected),
            LegNews::RelayClosed => self.input(Input::Close(Cause::RelayClosed)),
            LegNews::Nothing => {}
        }
    }

    fn on_mode_event(&mut self, seq: u64, mode: &ModeId, event: &HostEvent) {
        match self.modes.on_event(clock::now(), seq, mode, event) {
            Ok(Answer::Effects(effects)) => self.on_mode_answer(seq, Ok(effects)),
            // It comes when it comes; what is withdrawn meanwhile does not count any more.
            Ok(Answer::Later) => {}
            Err(error) => self.on_mode_answer(seq, Err(error)),
        }
    }

    fn on_mode_answer(&mut self, seq: u64, answered: Result<Vec<Effect>, ModeError>) {
        match answered {
            Ok(effects) => self.input(Input::ModeEffects { seq, effects }),
            Err(error) => {
                tracing::warn!(error = %session_io::chain(&error), "mode failed");
                self.input(Input::ModeFailed { seq });
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        let told = match event {
            // The driver countersigns before it goes on.
            Event::AttemptCharged { .. } | Event::Seal(_) => return,
            Event::CodeFailed(failure) => match failure {
                ProofFailure::Wrong { tries_left } => OperatorEvent::CodeWrong { tries_left },
                ProofFailure::Burnt => {
                    self.is_burnt = true;
                    OperatorEvent::CodeBurnt
                }
                // Told once the connection is over.
                ProofFailure::Expired => return,
                ProofFailure::Unsupported => OperatorEvent::Incompatible,
            },
            Event::Connected(hello) => {
                self.journal.note(What::Device {
                    serial: hello.serial.clone(),
                    model: hello.model.clone(),
                });
                self.countersigner.begin(hello.session);
                self.connected = true;
                self.operator.screen.clear();
                self.wire.open(&[Channel::Mode, Channel::Panel]);
                OperatorEvent::Connected(hello)
            }
            Event::Mode(state) => {
                #[cfg(feature = "builtin-modes")]
                if state.phase == alongside_protocol::reason::ModePhase::Active {
                    self.pieces.forget();
                }
                OperatorEvent::Mode(state)
            }
            Event::Panel(applied) => match self.on_panel(applied) {
                Some(event) => event,
                None => return,
            },
            Event::Offered(offered) => OperatorEvent::Offered(self.modes.offered(&offered)),
            Event::Console(json) => {
                #[cfg(feature = "builtin-modes")]
                if let Some(told) = self.pieces.take(&json) {
                    self.operator.tell(OperatorEvent::Settings(told));
                }
                OperatorEvent::Console(json)
            }
            Event::Link(link) => {
                match link {
                    Link::Lost { .. } => self.on_lost(),
                    Link::Ok => {
                        self.search.settle();
                        self.wire.open(&[Channel::Mode, Channel::Panel]);
                    }
                    Link::Missing { .. } => {}
                }
                OperatorEvent::Link(link)
            }
            Event::IdleWarning { ends_in } => OperatorEvent::IdleWarning { ends_in },
            Event::IdleOver => OperatorEvent::IdleOver,
            Event::Ended { by, reason } => {
                self.ended = Some((by, reason));
                self.wire.drop_scope();
                // A connection on which nothing was proved was no session.
                if !self.session.is_proved() {
                    return;
                }
                OperatorEvent::Ended { by, reason }
            }
            _ => return,
        };
        self.operator.tell(told);
    }

    fn on_panel(&mut self, applied: Applied) -> Option<OperatorEvent> {
        let captured_at = applied.captured_at.as_u64();
        if let Did::Timed(timing) = applied.what {
            let rtt = self.paths.borrow().rtt;
            return self.latency.timed(timing, rtt).map(OperatorEvent::Latency);
        }
        if applied.what == Did::Updated {
            let decode = clock::now().saturating_duration_since(self.panel_at);
            self.latency.arrived(captured_at, clock::unix_ms(), decode);
        }
        let update = PanelUpdate {
            frame: applied.seq,
            bytes: std::mem::take(&mut self.panel_bytes),
            captured_at,
            exact: applied.exact,
            visible: applied.visible,
            soft: applied.soft,
            damage: applied.damage,
        };
        if let Some(picture) = self.session.picture() {
            self.operator.screen.update(picture, &update);
        }
        Some(OperatorEvent::Panel(update))
    }

    fn input(&mut self, input: Input) {
        session_io::log_error(self.session.handle_input(clock::now(), input));
        if self.session.admits() {
            self.wire.admit();
        }
    }

    async fn finish(mut self) -> Driven {
        let until = clock::now() + FAREWELL;
        let kept = self.keep_end(until).await;
        let patience = if self.wire.has_last_word() && !self.is_unreachable() {
            until.saturating_duration_since(clock::now())
        } else {
            Duration::ZERO
        };
        let (code, words) = (
            session_io::code_of(self.ended),
            session_io::reason_of(self.ended),
        );
        let (rest, ()) = tokio::join!(
            self.journal.flush_in_time(),
            self.wire.finish(patience, code, words)
        );
        if let Err(error) = kept.and(rest) {
            tracing::error!(error = %session_io::chain(&error), "the end of the session is not in the audit");
        }
        match self.ended {
            Some((by, reason)) if self.session.is_proved() => Driven::Ended { by, reason },
            Some((Party::Operator, EndReason::OperatorEnded)) => Driven::GivenUp,
            Some(_) | None if self.is_burnt => Driven::Burnt,
            Some(_) | None => self
                .session
                .into_issued()
                .map_or(Driven::Expired, Driven::NotProved),
        }
    }

    /// Whether nothing reaches the other side any more.
    fn is_unreachable(&self) -> bool {
        self.is_lost || self.search.is_on() || matches!(self.ended, Some((Party::Network, _)))
    }
}
