//! One connection of the device's side, from the proof of the code to its end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alongside_mode::{HostEvent, Side};
use alongside_panel::Frame;
use alongside_protocol::{
    AccessCode, RendezvousId, SessionId,
    ids::ModeId,
    reason::{EndReason, ModePhase, Party},
    units::Millis,
};
use alongside_session::{
    Cause, Limits, OperatorIdentity,
    device::{Config, CustomerAction, Event, Input, Output, Session},
};
use alongside_transport::{Connection, LegEvent, LegEvents};

use super::{Command, Device, DeviceError, DeviceEvent, camera::Camera};
use crate::{
    clock,
    meter::Meter,
    modes::ModeHost,
    ports::{Awake, PanelError},
    session_io::{self, FAREWELL},
    status::{Active, CodeRefusal, Link, Status},
    wire::{Incoming, Role, Wire},
};

/// How a connection ended.
pub(super) enum Driven {
    /// The code was not proved.
    Refused(CodeRefusal),
    /// A session took place.
    Ended { by: Party, reason: EndReason },
}

/// One connection being driven.
struct Drive<'a, C: Connection> {
    device: &'a mut Device,
    session: Session,
    wire: Wire<C>,
    modes: ModeHost,
    camera: Camera,
    active: Option<Active>,
    failed: Option<CodeRefusal>,
    ended: Option<(Party, EndReason)>,
}

impl Device {
    /// Drives a connection until the session on it is over. `leg` tells what the relay knows of the operator.
    pub(super) async fn drive<C: Connection>(
        &mut self,
        connection: C,
        mut leg: Option<(&mut LegEvents, RendezvousId)>,
        operator: OperatorIdentity,
        code: AccessCode,
    ) -> Driven {
        let now = clock::now();
        let info = self.panel.describe();
        let config = Config {
            serial: self.config.serial.clone(),
            model: self.config.model.clone(),
            panel: info.kind,
            size: info.size,
            operator,
            locale: "en".to_owned(),
            limits: Limits::default(),
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
        let mut drive = Drive {
            camera: Camera::new(Arc::clone(&self.panel)),
            device: self,
            session,
            wire: Wire::new(connection, Role::Accepts),
            modes: ModeHost::new(Side::Device, now),
            active: None,
            failed: None,
            ended: None,
        };
        while let Some(deadline) = drive.drain() {
            let metered = drive.active.is_some().then(|| meter.due());
            tokio::select! {
                // The customer's hand comes first: nothing that waits may delay a stop.
                biased;
                command = drive.device.commands.recv() => drive.on_command(command),
                incoming = drive.wire.next() => drive.on_incoming(incoming),
                event = session_io::next_leg_event(&mut leg) => drive.on_leg_event(event),
                taken = drive.camera.next() => drive.on_picture(taken),
                changed = paths.changed(), if drive.active.is_some() => if changed.is_err() {
                    meter = Meter::new(clock::now());
                },
                () = clock::sleep_until(metered) => {}
                () = clock::sleep_until(deadline) => drive.input(Input::Timeout),
            }
            if drive.active.is_some()
                && let Some(status) = meter.read(clock::now(), *paths.borrow_and_update())
            {
                drive.device.emit(DeviceEvent::Path(status));
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
                Output::WantFrame(freshness) => self.camera.want(freshness),
                Output::ModeEvent { seq, mode, event } => self.on_mode_event(seq, &mode, &event),
                Output::Event(event) => self.on_event(event),
                Output::Wait(_) if self.ended.is_some() || self.failed.is_some() => return None,
                Output::Wait(until) => return Some(until),
            }
        }
    }

    fn on_command(&mut self, command: Option<Command>) {
        match command {
            Some(Command::EnterCode { reply, .. }) => drop(reply.send(Err(DeviceError::Busy))),
            Some(Command::Exit { reply }) => {
                self.local(CustomerAction::Exit);
                let _ = reply.send(Ok(()));
            }
            Some(Command::StopKey(motion)) => self.local(CustomerAction::StopKey(motion)),
            Some(Command::Touched) => self.local(CustomerAction::Touched),
            Some(Command::Stop) | None => {
                // The next thing `run` hears of must be the same.
                self.device.commands.close();
                self.input(Input::Close(Cause::Shutdown));
            }
        }
    }

    fn on_incoming(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Frame(channel, frame) => self.input(Input::Message { channel, frame }),
            Incoming::Datagram(datagram) => self.input(Input::Datagram(datagram)),
            Incoming::Drained(channel) => self.input(Input::Room {
                channel,
                bytes: channel.max_body(),
            }),
            Incoming::Broken(error) => {
                tracing::warn!(error = %session_io::chain(&error), "the operator's side breaks the protocol");
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
                tracing::info!(how = ?gone.how, "the relay says that the operator is gone");
                self.input(Input::Disconnected);
            }
            LegEvent::Link(link) => self
                .device
                .emit(DeviceEvent::RelayLink(session_io::link(link))),
            LegEvent::Lost(lost) => tracing::warn!(error = %lost, "the relay is gone"),
            LegEvent::Closing => {
                tracing::warn!("the relay shuts down");
                self.input(Input::Close(Cause::RelayClosed));
            }
            _ => {}
        }
    }

    fn on_picture(&mut self, taken: Result<Arc<Frame>, PanelError>) {
        match taken {
            Ok(frame) => {
                self.input(Input::Frame {
                    frame,
                    captured_at: Millis::new(clock::unix_ms()),
                });
            }
            Err(error) => {
                tracing::error!(error = %session_io::chain(&error), "the panel cannot be captured");
                self.input(Input::Close(Cause::PanelFailed));
            }
        }
    }

    fn on_mode_event(&mut self, seq: u64, mode: &ModeId, event: &HostEvent) {
        match self.modes.on_event(clock::now(), mode, event) {
            Ok(effects) => self.input(Input::ModeEffects { seq, effects }),
            Err(error) => {
                tracing::warn!(error = %session_io::chain(&error), "mode failed");
                self.input(Input::ModeFailed { seq });
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::AttemptCharged => self.device.charge_entry(),
            Event::CodeFailed(failure) => self.failed = Some(failure.into()),
            Event::Connected { session, operator } => self.on_connected(session, operator),
            Event::Mode(state) => {
                self.update(|active| {
                    if state.phase == ModePhase::Refused {
                        active.refused = state.refusal;
                    } else if state.phase != ModePhase::Asked {
                        active.mode = state.mode.clone();
                        active.phase = state.phase;
                    }
                });
                self.device.emit(DeviceEvent::Mode(state));
            }
            Event::Annotate(annotation) => {
                self.device.panel.annotate(&annotation);
                self.device.emit(DeviceEvent::Annotation(annotation));
            }
            Event::Link(link) => {
                self.update(|active| active.link = link);
                self.device.emit(DeviceEvent::Link(link));
            }
            Event::IdleWarning { ends_in } => {
                self.update(|active| active.idle_ends_in = Some(ends_in))
            }
            Event::IdleOver => self.update(|active| active.idle_ends_in = None),
            Event::Notice(line) => tracing::info!(%line, "the mode says"),
            Event::Ended { by, reason } => self.on_ended(by, reason),
            _ => {}
        }
    }

    fn on_connected(&mut self, session: SessionId, operator: OperatorIdentity) {
        self.device.clear_entries();
        self.device.panel.hold_awake(Awake::Hold);
        let active = Active {
            session,
            operator: operator.clone(),
            mode: ModeId::user_guide(),
            phase: ModePhase::Active,
            link: Link::Ok,
            ask: None,
            refused: None,
            idle_ends_in: None,
        };
        self.active = Some(active.clone());
        self.device.show(&Status::Active(active));
        self.device
            .emit(DeviceEvent::Connected { session, operator });
    }

    fn on_ended(&mut self, by: Party, reason: EndReason) {
        self.ended = Some((by, reason));
        self.wire.drop_scope();
        if self.active.take().is_none() {
            return;
        }
        // The way out must not wait for the network: the panel shows the end before the goodbye is on its way.
        self.device
            .panel
            .annotate(&alongside_protocol::annotation::Annotation::Clear);
        self.device
            .panel
            .annotate(&alongside_protocol::annotation::Annotation::PointerGone);
        self.device.panel.hold_awake(Awake::Release);
        self.device.show(&Status::Ended { by, reason });
        self.device.emit(DeviceEvent::Ended { by, reason });
    }

    /// Changes what the customer is shown of the live session.
    fn update(&mut self, change: impl FnOnce(&mut Active)) {
        if let Some(active) = &mut self.active {
            change(active);
            let status = Status::Active(active.clone());
            self.device.show(&status);
        }
    }

    fn local(&mut self, action: CustomerAction) {
        self.input(Input::Local(action));
    }

    fn input(&mut self, input: Input) {
        session_io::log_error(self.session.handle_input(clock::now(), input));
    }

    async fn finish(self) -> Driven {
        let Self {
            wire,
            failed,
            ended,
            ..
        } = self;
        let patience = match ended {
            Some((Party::Customer | Party::Device | Party::Policy, _)) => FAREWELL,
            _ => Duration::from_millis(200),
        };
        wire.finish(
            patience,
            session_io::code_of(ended),
            session_io::reason_of(ended),
        )
        .await;
        match (failed, ended) {
            (Some(refusal), _) => Driven::Refused(refusal),
            (None, Some((by, reason))) => Driven::Ended { by, reason },
            (None, None) => Driven::Ended {
                by: Party::Network,
                reason: EndReason::PeerLost,
            },
        }
    }
}
