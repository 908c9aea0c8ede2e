//! One connection of the operator's side, from the proof of the code to its end.

use std::time::{Duration, Instant};

use alongside_mode::{HostEvent, Side};
use alongside_protocol::{
    RendezvousId,
    frame::{Channel, HEADER_LEN},
    ids::ModeId,
    proof::ProofFailure,
    reason::{EndReason, Party},
};
use alongside_session::{
    Cause, IssuedCode, SessionError,
    operator::{Config, Event, Input, OperatorAction, Output, Session},
};
use alongside_transport::{Connection, LegEvent, LegEvents};

use super::{Command, Operator, OperatorError, OperatorEvent, PanelUpdate};
use crate::{
    clock,
    meter::Meter,
    modes::ModeHost,
    session_io::{self, FAREWELL},
    wire::{Incoming, Role, Wire},
};

/// How a connection ended.
pub(super) enum Driven {
    /// The code was not proved; here it is again, unless it is dead.
    NotProved(Option<IssuedCode>),
    /// A session took place.
    Ended { by: Party, reason: EndReason },
}

/// One connection being driven.
struct Drive<'a, C: Connection> {
    operator: &'a mut Operator,
    session: Session,
    wire: Wire<C>,
    modes: ModeHost,
    connected: bool,
    ended: Option<(Party, EndReason)>,
    /// Size of the message of the picture that is being applied.
    panel_bytes: usize,
}

impl Operator {
    /// Drives a connection until the session on it is over. `leg` tells what the relay knows of the device.
    pub(super) async fn drive<C: Connection>(
        &mut self,
        connection: C,
        mut leg: Option<(&mut LegEvents, RendezvousId)>,
        code: IssuedCode,
    ) -> Driven {
        let now = clock::now();
        let config = Config {
            name: self.config.name.clone(),
            locale: "en".to_owned(),
        };
        let mut session = Session::new(now, config, code);
        let binding = session_io::binding(&connection);
        session_io::log_error(session.handle_input(
            now,
            Input::Connected {
                binding,
                entropy: crate::random::bytes(),
            },
        ));
        let mut paths = connection.path();
        let mut meter = Meter::new(now);
        let wire = Wire::new(connection, Role::Opens);
        let mut drive = Drive {
            operator: self,
            session,
            wire,
            modes: ModeHost::new(Side::Operator, now),
            connected: false,
            ended: None,
            panel_bytes: 0,
        };
        while let Some(deadline) = drive.drain() {
            let metered = drive.connected.then(|| meter.due());
            tokio::select! {
                biased;
                command = drive.operator.commands.recv() => drive.on_command(command),
                incoming = drive.wire.next() => drive.on_incoming(incoming),
                event = session_io::next_leg_event(&mut leg) => drive.on_leg_event(event),
                changed = paths.changed(), if drive.connected => if changed.is_err() {
                    meter = Meter::new(clock::now());
                },
                () = clock::sleep_until(metered) => {}
                () = clock::sleep_until(deadline) => drive.input(Input::Timeout),
            }
            if drive.connected
                && let Some(status) = meter.read(clock::now(), *paths.borrow_and_update())
            {
                drive.operator.tell(OperatorEvent::Path(status));
            }
        }
        drive.finish().await
    }
}

impl<C: Connection> Drive<'_, C> {
    /// Carries out what the session wants. Gives its next deadline, or `None` once it is over.
    fn drain(&mut self) -> Option<Option<Instant>> {
        loop {
            match self.session.poll_output() {
                Output::Record(record) => tracing::info!(target: "alongside::record", ?record),
                Output::Send(outbound) => session_io::send(&mut self.wire, outbound),
                Output::ModeEvent { seq, mode, event } => self.on_mode_event(seq, &mode, &event),
                Output::Event(event) => self.on_event(event),
                Output::Wait(_) if self.ended.is_some() => return None,
                Output::Wait(until) => return Some(until),
            }
        }
    }

    fn on_command(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Code { reply, .. }) => drop(reply.send(Err(OperatorError::Busy))),
            Some(Command::Act { reply, .. }) if !self.connected => {
                drop(reply.send(Err(OperatorError::NotConnected)))
            }
            Some(Command::Act { action, reply }) => {
                let taken = self.session.handle_input(clock::now(), Input::Ask(action));
                let _ = reply.send(taken.map_err(|error| match error {
                    SessionError::NotAllowed => OperatorError::NotAllowed,
                    SessionError::Congested => OperatorError::Congested,
                    _ => OperatorError::NotConnected,
                }));
            }
            Some(Command::End { reply }) => {
                self.input(Input::Ask(OperatorAction::End));
                let _ = reply.send(Ok(()));
            }
            None => self.input(Input::Ask(OperatorAction::End)),
        }
    }

    fn on_incoming(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Frame(channel, frame) => {
                if channel == Channel::Panel {
                    self.panel_bytes = HEADER_LEN + frame.body.len();
                }
                self.input(Input::Message { channel, frame });
            }
            Incoming::Datagram(datagram) => self.input(Input::Datagram(datagram)),
            Incoming::Drained(channel) => self.input(Input::Room {
                channel,
                bytes: channel.max_body(),
            }),
            Incoming::Broken(error) => {
                tracing::warn!(error = %session_io::chain(&error), "the device breaks the protocol");
                self.input(Input::Disconnected);
            }
            Incoming::Lost(lost) => {
                tracing::info!(error = %lost, "connection lost");
                self.input(Input::Disconnected);
            }
        }
    }

    fn on_leg_event(&mut self, event: LegEvent) {
        match event {
            LegEvent::PeerGone(gone) => {
                tracing::info!(how = ?gone.how, "the relay says that the device is gone");
                self.input(Input::Disconnected);
            }
            LegEvent::Link(link) => self
                .operator
                .tell(OperatorEvent::RelayLink(session_io::link(link))),
            LegEvent::Lost(lost) => tracing::warn!(error = %lost, "the relay is gone"),
            LegEvent::Closing => {
                tracing::warn!("the relay shuts down");
                self.input(Input::Close(Cause::RelayClosed));
            }
            _ => {}
        }
    }

    fn on_mode_event(&mut self, seq: u64, mode: &ModeId, event: &HostEvent) {
        let now = clock::now();
        match self.modes.on_event(now, mode, event) {
            Ok(effects) => self.input(Input::ModeEffects { seq, effects }),
            Err(error) => {
                tracing::warn!(error = %session_io::chain(&error), "mode failed");
                self.input(Input::ModeFailed { seq });
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        let told = match event {
            Event::AttemptCharged { .. } => return,
            Event::CodeFailed(failure) => match failure {
                ProofFailure::Wrong { tries_left } => OperatorEvent::CodeWrong { tries_left },
                ProofFailure::Burnt => OperatorEvent::CodeBurnt,
                ProofFailure::Expired => OperatorEvent::CodeExpired,
                ProofFailure::Unsupported => OperatorEvent::Incompatible,
            },
            Event::Connected(hello) => {
                self.connected = true;
                self.wire.open(&[Channel::Mode, Channel::Panel]);
                OperatorEvent::Connected(hello)
            }
            Event::Mode(state) => OperatorEvent::Mode(state),
            Event::Panel(applied) => {
                let update = PanelUpdate {
                    frame: applied.seq,
                    bytes: std::mem::take(&mut self.panel_bytes),
                    captured_at: applied.captured_at.as_u64(),
                    exact: applied.exact,
                    damage: applied.damage,
                };
                if let Some(picture) = self.session.picture() {
                    self.operator.screen.update(picture, &update);
                }
                OperatorEvent::Panel(update)
            }
            Event::Console(json) => OperatorEvent::Console(json),
            Event::Link(link) => OperatorEvent::Link(link),
            Event::IdleWarning { ends_in } => OperatorEvent::IdleWarning { ends_in },
            Event::IdleOver => OperatorEvent::IdleOver,
            Event::Ended { by, reason } => {
                self.ended = Some((by, reason));
                self.wire.drop_scope();
                // A connection on which nothing was proved was no session.
                if !self.connected {
                    return;
                }
                OperatorEvent::Ended { by, reason }
            }
            _ => return,
        };
        self.operator.tell(told);
    }

    fn input(&mut self, input: Input) {
        session_io::log_error(self.session.handle_input(clock::now(), input));
    }

    async fn finish(self) -> Driven {
        let Self {
            session,
            wire,
            connected,
            ended,
            ..
        } = self;
        let patience = match ended {
            Some((Party::Operator, _)) => FAREWELL,
            _ => Duration::from_millis(200),
        };
        wire.finish(
            patience,
            session_io::code_of(ended),
            session_io::reason_of(ended),
        )
        .await;
        match ended {
            Some((by, reason)) if connected => Driven::Ended { by, reason },
            _ => Driven::NotProved(session.into_issued()),
        }
    }
}
