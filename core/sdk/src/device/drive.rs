//! One connection of the device's side, from the proof of the code to its end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alongside_mode::{Effect, HostEvent, Side};
use alongside_protocol::{
    AccessCode, RendezvousId,
    ids::ModeId,
    input::KeyMotion,
    reason::{EndReason, Party},
    units::Millis,
};
use alongside_session::{
    Cause, Limits, OperatorIdentity, Record,
    device::{Config, CustomerAction, Event, Input, Output, Session},
};
use alongside_transport::{Connection, LegEvent, LegEvents, Lost};

use super::{
    Command, Device, DeviceError, DeviceEvent,
    asking::{self, Check},
    board::Board,
    camera::Camera,
    changes::{self, Changes},
    hand::Left,
    refusal,
};
use crate::{
    audit::{
        AuditError, What,
        journal::{Journal, PATIENCE},
        seal::Unsigned,
    },
    clock,
    meter::Meter,
    modes::{Answer, ModeError, ModeHost},
    ports::{Capture, PanelError},
    search::{self, Search},
    session_io::{self, FAREWELL, LegNews},
    status::CodeRefusal,
    wire::{Incoming, Role, Wire},
};

mod countersign;
mod events;

/// How often it is looked whether the stop key has been held for long enough while a record is being written.
const STOP_LOOK: Duration = Duration::from_millis(50);

/// How a connection ended.
pub(super) enum Driven {
    /// The code was not proved.
    Refused(CodeRefusal),
    /// The customer, or the embedder, broke the proof off.
    Left(Left),
    /// A session took place.
    Ended { by: Party, reason: EndReason },
}

/// One connection being driven.
pub(super) struct Drive<'a, C: Connection> {
    pub(super) device: &'a mut Device,
    pub(super) session: Session,
    wire: Wire<C>,
    search: Search<C>,
    pub(super) journal: Journal,
    /// Records that the operator has not countersigned yet.
    unsigned: Unsigned,
    modes: ModeHost,
    pub(super) camera: Camera,
    pub(super) check: Option<Check>,
    pub(super) changes: Changes,
    /// What the customer is shown, while a session is live.
    board: Option<Board>,
    /// Whether a session was ever live.
    was_live: bool,
    refused: Option<CodeRefusal>,
    lost: Option<Lost>,
    ended: Option<(Party, EndReason)>,
}

impl Device {
    /// Drives a connection until the session on it is over. `leg` tells what the relay knows of the operator.
    pub(super) async fn drive<C: Connection>(
        &mut self,
        connection: C,
        mut leg: Option<(&mut LegEvents, RendezvousId)>,
        search: Search<C>,
        operator: OperatorIdentity,
        code: AccessCode,
    ) -> Driven {
        let shelf = self.modes.shelf().await;
        let now = clock::now();
        let info = self.panel.describe();
        let offers = shelf.offers(self.means(now, &operator));
        self.customer.offers(&shelf.names());
        let config = Config {
            serial: self.config.serial.clone(),
            model: self.config.model.clone(),
            panel: info.kind,
            size: info.size,
            operator,
            locale: self.customer.locale(),
            limits: Limits::default(),
            modes: offers,
            has_admin_id: self.admin_id.as_ref().is_some_and(|id| id.is_set()),
        };
        let binding = session_io::binding(&connection);
        let mut meter = Meter::of(now, &connection);
        let journal =
            Journal::new(Some(Arc::clone(&self.audit))).countersigned_by(config.operator.key);
        let unsigned = Unsigned::new(self.identity.public_key(), config.operator.key);
        let volume = self.volume.clone();
        let mut drive = Drive {
            camera: Camera::new(Arc::clone(&self.panel)),
            check: None,
            changes: Changes::default(),
            device: self,
            session: Session::new(now, config, code),
            wire: Wire::new(connection, Role::Accepts).counting_into(volume),
            search,
            journal,
            unsigned,
            modes: ModeHost::new(Side::Device, now, shelf),
            board: None,
            was_live: false,
            refused: None,
            lost: None,
            ended: None,
        };
        drive.input(Input::Connected {
            binding,
            entropy: crate::random::bytes(),
        });
        if drive.device.hand.holds_stop_key() {
            drive.local(CustomerAction::StopKey(KeyMotion::Down));
        }
        while let Some(deadline) = drive.drain().await {
            let is_live = drive.board.is_some();
            let counts = drive.board.as_ref().and_then(Board::due);
            tokio::select! {
                // The customer's hand comes first: nothing that waits may delay a stop. Strangers come last, so that
                // a flood of theirs keeps nothing else waiting.
                biased;
                command = drive.device.hand.next() => drive.on_command(command).await,
                verdict = asking::verdict(&mut drive.check) => drive.on_verdict(verdict).await,
                (call, news) = drive.changes.read() => drive.input(Input::Settings { call, news }),
                event = changes::next(&mut drive.device.desk) => drive.on_desk(event),
                taken = drive.camera.next() => drive.on_picture(taken),
                status = meter.next(), if is_live => drive.device.emit(DeviceEvent::Path(status)),
                () = clock::sleep_until(counts) => drive.update(Board::tick),
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
    pub(super) async fn drain(&mut self) -> Option<Option<Instant>> {
        loop {
            match self.session.poll_output() {
                Output::Record(record) => self.record(record).await,
                Output::Send(outbound) => session_io::send(&mut self.wire, outbound),
                Output::WantFrame(freshness) => self.camera.want(freshness),
                Output::ModeEvent { seq, mode, event } => self.on_mode_event(seq, &mode, &event),
                // Durable before the answer that lets the other side test a guess.
                Output::Event(Event::AttemptCharged) => {
                    if let Err(refusal) = self.device.charge_entry().await {
                        self.refused = Some(refusal);
                        self.input(Input::Close(Cause::RecordFailed));
                    }
                }
                Output::Event(Event::Connected { session, operator }) => {
                    self.journal.note(What::Operator(operator.clone()));
                    self.on_connected(session, operator);
                    // Whoever has ended it must not wait for a disk.
                    if !self.session.is_over() {
                        self.device.clear_entries().await;
                    }
                }
                Output::Event(Event::Countersigned(signed)) => {
                    if self.on_countersigned(&signed) {
                        self.keep().await;
                    }
                }
                Output::Event(event) => self.on_event(event),
                Output::Wait(_) if self.ended.is_some() => return None,
                Output::Wait(until) => return Some(until),
            }
        }
    }

    /// Makes this record, and those of all that follows, durable before any of it happens.
    ///
    /// The customer's hand is heard meanwhile, so that a disk that hangs keeps nobody in a session. At the end nothing
    /// waits for a record: it follows in [`Drive::finish`].
    async fn record(&mut self, record: Record) {
        self.journal.record(record);
        for record in self.session.take_records() {
            self.journal.record(record);
        }
        self.keep().await;
    }

    /// Makes durable what the journal has, and asks the operator to countersign what of it is to be.
    async fn keep(&mut self) {
        let fails_at = clock::now() + PATIENCE;
        while !self.session.is_over() {
            let holds = self.device.hand.holds_stop_key();
            let looks_at = holds.then(|| clock::now() + STOP_LOOK);
            tokio::select! {
                biased;
                kept = self.journal.flush() => match kept {
                    Ok(()) => return self.ask_to_countersign(),
                    Err(error) => self.on_record_failed(&error),
                },
                // What it drains, if it does, is the end.
                command = self.device.hand.next() => Box::pin(self.on_command(command)).await,
                () = clock::sleep_until(looks_at) => if self.session.is_stopping(clock::now()) {
                    self.input(Input::Timeout);
                },
                () = clock::sleep_until(Some(fails_at)) => self.on_record_failed(&AuditError::Stalled),
            }
        }
    }

    fn on_record_failed(&mut self, error: &AuditError) {
        tracing::error!(error = %session_io::chain(error), "the audit cannot be kept");
        self.input(Input::Close(Cause::RecordFailed));
    }

    async fn on_command(&mut self, command: Command) {
        match command {
            Command::EnterCode { reply, .. } => drop(reply.send(Err(DeviceError::Busy))),
            Command::Exit { reply } => {
                self.local(CustomerAction::Exit);
                self.drain().await;
                let _ = reply.send(Ok(()));
            }
            Command::StopKey(motion) => self.local(CustomerAction::StopKey(motion)),
            Command::Touched => self.local(CustomerAction::Touched),
            Command::Allow { id, reply } => self.on_allow(id, reply),
            Command::Refuse { reply } => self.on_refuse(reply),
            Command::DialogKey => self.on_dialog_key(),
            Command::TakeBack => self.local(CustomerAction::TakeBack),
            Command::Stop => self.input(Input::Close(Cause::Shutdown)),
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

    /// Somebody has come, who still has to prove to be in the session.
    fn on_connection(&mut self, connection: C) {
        let binding = session_io::binding(&connection);
        let volume = self.device.volume.clone();
        self.wire = Wire::new(connection, Role::Accepts).counting_into(volume);
        self.lost = None;
        self.input(Input::Connected {
            binding,
            entropy: crate::random::bytes(),
        });
    }

    fn on_incoming(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Frame(channel, frame) => self.input(Input::Message { channel, frame }),
            Incoming::Datagram(datagram) => self.input(Input::Datagram(datagram)),
            Incoming::Drained(channel) => self.input(Input::Room {
                channel,
                bytes: channel.max_body(),
            }),
            Incoming::Broken(error) if self.session.is_interrupted() => {
                tracing::warn!(error = %session_io::chain(&error), "who came in the operator's place breaks the protocol");
                self.input(Input::Interrupted);
            }
            Incoming::Broken(error) => {
                tracing::warn!(error = %session_io::chain(&error), "the operator's side breaks the protocol");
                self.input(Input::Close(Cause::PeerFault));
            }
            Incoming::Lost(lost) => {
                tracing::info!(error = %lost, "connection lost");
                let goes_on = self.session.is_interrupted() || search::may_go_on(&lost);
                self.lost = Some(lost);
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
            LegNews::Link(link) => self.device.emit(DeviceEvent::RelayLink(link)),
            LegNews::PeerLost => self.input(Input::Disconnected),
            LegNews::RelayClosed => self.input(Input::Close(Cause::RelayClosed)),
            LegNews::Nothing => {}
        }
    }

    fn on_picture(&mut self, taken: Result<Capture, PanelError>) {
        match taken {
            Ok(Capture { frame, masked }) => {
                let begin = clock::now();
                self.input(Input::Frame {
                    frame,
                    masked,
                    captured_at: Millis::new(clock::unix_ms()),
                });
                let encode = clock::now().saturating_duration_since(begin);
                self.input(Input::Timing {
                    capture: self.camera.took(),
                    encode,
                });
            }
            Err(error) => {
                tracing::error!(error = %session_io::chain(&error), "the panel cannot be captured");
                self.input(Input::Close(Cause::PanelFailed));
            }
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

    /// Changes what the customer is shown of the live session.
    pub(super) fn update(&mut self, change: impl FnOnce(&mut Board, Instant)) {
        if let Some(board) = &mut self.board {
            let now = clock::now();
            change(board, now);
            self.device.show(&board.show(now));
        }
    }

    pub(super) fn local(&mut self, action: CustomerAction) {
        self.input(Input::Local(action));
    }

    pub(super) fn input(&mut self, input: Input) {
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
        let driven = match (self.ended, self.refused) {
            (Some((by, reason)), _) if self.was_live => Driven::Ended { by, reason },
            (_, Some(refusal)) => Driven::Refused(refusal),
            (Some((Party::Customer, _)), None) => Driven::Left(Left::GivenUp),
            (Some((_, EndReason::Shutdown)), None) => Driven::Left(Left::Stopped),
            (ended, None) => {
                let reason = ended.map(|(_, reason)| reason);
                Driven::Refused(refusal::of_unproved(reason, self.lost.as_ref()))
            }
        };
        let (code, words) = (
            session_io::code_of(self.ended),
            session_io::reason_of(self.ended),
        );
        self.device.history = self.was_live.then(|| self.journal.take_history());
        let (rest, ()) = tokio::join!(
            self.journal.flush_in_time(),
            self.wire.finish(patience, code, words)
        );
        if let Err(error) = kept.and(rest) {
            tracing::error!(error = %session_io::chain(&error), "the end of the session is not in the audit");
        }
        driven
    }

    /// Whether nothing reaches the other side any more.
    fn is_unreachable(&self) -> bool {
        self.lost.is_some()
            || self.search.is_on()
            || matches!(self.ended, Some((Party::Network, _)))
    }
}
