//! A live session on the operator's side: the picture comes in, the operator's acts go out within their budget.

use std::time::{Duration, Instant};

use alongside_mode::{Capabilities, HostEvent, StopReason};
use alongside_panel::{
    Decoder, Frame as Picture, Profile,
    message::{ToDevice, Want},
};
use alongside_protocol::{
    PublicKey,
    control::{Control, HelloDevice, IdleWarning, ModeAsk, ModeState, StillHere},
    frame::{Channel, Frame},
    input::{PointerEvent, PointerPhase},
    mode::ModeMessage,
    units::PanelRect,
};

use super::{Cx, Event, Input, OperatorAction, Outbox, Output, proving::Early};
use crate::{
    Link, Outbound, Record, SessionError,
    ending::{Ending, Stop},
    hosting::Hosting,
    line::Line,
    liveness::Liveness,
    proof::Proved,
    resume::{Asked, Ratchet},
    spoken::Theirs,
    uplink::Uplink,
};

/// A live session.
pub(super) struct Active {
    pub(super) hello: HelloDevice,
    pub(super) hosting: Hosting,
    /// Number of the newest activation that the device has told of.
    pub(super) activation: u16,
    /// Messages of an activation that we have not been told of yet: streams are not ordered among each other.
    pub(super) early: Vec<ModeMessage>,
    pub(super) uplink: Uplink,
    /// What modes the device offers.
    pub(super) theirs: Theirs,
    /// Whether the device takes no input in the mode that runs, for a while.
    pub(super) is_paused: bool,
    /// The device's key.
    pub(super) peer: PublicKey,
    pub(super) line: Line<Asked>,
    pub(super) ratchet: Ratchet,
    /// The question to the customer that is open.
    pub(super) asked: Option<ModeState>,
    pub(super) liveness: Liveness,
    pub(super) decoder: Decoder,
}

impl Active {
    pub(super) fn begin(
        cx: &mut Cx<'_>,
        proved: Proved,
        peer: PublicKey,
        hello: HelloDevice,
    ) -> Self {
        cx.out.event(Event::Connected(hello.clone()));
        Self {
            peer,
            line: Line::Up,
            ratchet: Ratchet::new(hello.session, proved.into_secret()),
            asked: None,
            hello,
            hosting: Hosting::default(),
            activation: 0,
            early: Vec::new(),
            uplink: Uplink::new(cx.now),
            theirs: Theirs::default(),
            is_paused: false,
            liveness: Liveness::new(cx.now),
            decoder: Decoder::new(Profile::default()),
        }
    }

    /// Takes in what arrived before the device's hello.
    pub(super) fn catch_up(&mut self, cx: &mut Cx<'_>, early: Early) -> Result<(), Stop> {
        early
            .into_iter()
            .try_for_each(|(channel, frame)| self.on_message(cx, channel, &frame))
    }

    pub(super) fn picture(&self) -> Option<&Picture> {
        self.decoder.picture()
    }

    pub(super) fn on_input(&mut self, cx: &mut Cx<'_>, input: Input) -> Result<(), Stop> {
        match input {
            Input::Connected { binding, entropy } if !self.line.is_up() => {
                self.on_connected(cx, &binding, entropy)
            }
            Input::Message { channel, frame } if !self.line.is_up() => {
                self.on_answer(cx, channel, &frame)
            }
            // May be lost, so it is.
            Input::Datagram(_) if !self.line.is_up() => Ok(()),
            Input::Ask(_) if !self.line.is_up() => Err(SessionError::Interrupted.into()),
            Input::Message { channel, frame } => {
                self.heard(cx);
                self.on_message(cx, channel, &frame)
            }
            Input::Datagram(bytes) => {
                self.heard(cx);
                let message = ModeMessage::from_datagram(&bytes)?;
                self.on_mode_message(cx, message);
                Ok(())
            }
            Input::Room { channel, bytes } => {
                if channel == Channel::Mode {
                    self.uplink.set_room(bytes);
                }
                Ok(())
            }
            Input::Ask(action) => Ok(self.on_action(cx, action)?),
            Input::Countersigned(signed) => {
                if self.line.is_up() {
                    let frame = Control::from(signed).to_frame();
                    self.send(cx, Outbound::reliable(Channel::Control, frame));
                }
                Ok(())
            }
            Input::ModeEffects { seq, effects } => {
                self.on_effects(cx, seq, effects);
                Ok(())
            }
            Input::ModeFailed { seq } => {
                if self.hosting.counts(seq) {
                    self.fail_mode(cx);
                }
                Ok(())
            }
            Input::Connected { .. }
            | Input::Close(_)
            | Input::Timeout
            | Input::Interrupted
            | Input::Disconnected => Err(SessionError::NotNow.into()),
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_>, channel: Channel, frame: &Frame) -> Result<(), Stop> {
        match channel {
            Channel::Control => self.on_control(cx, frame),
            Channel::Mode => {
                let message = ModeMessage::from_frame(frame.kind, &frame.body)?;
                self.on_mode_message(cx, message);
                Ok(())
            }
            Channel::Panel => self.on_panel(cx, frame),
            Channel::Bulk => Err(Stop::out_of_turn(frame)),
        }
    }

    fn on_control(&mut self, cx: &mut Cx<'_>, frame: &Frame) -> Result<(), Stop> {
        match Control::from_frame(frame.kind, &frame.body)? {
            Control::Check(_) => {}
            Control::ModeState(state) => self.on_mode_state(cx, state),
            Control::Modes(modes) => {
                cx.out.event(Event::Offered(modes.modes.clone()));
                self.theirs = Theirs::said(modes);
            }
            Control::Seal(seal) => cx.out.event(Event::Seal(seal)),
            Control::IdleWarning(IdleWarning { ends_in_s: 0 }) => cx.out.event(Event::IdleOver),
            Control::IdleWarning(IdleWarning { ends_in_s }) => {
                let ends_in = Duration::from_secs(u64::from(ends_in_s));
                cx.out.event(Event::IdleWarning { ends_in });
            }
            // What follows says the same in full.
            Control::Resumed(_) => {}
            Control::End(end) => return Err(Ending::of_device(end).into()),
            Control::HelloDevice(_)
            | Control::HelloOperator(_)
            | Control::ModeAsk(_)
            | Control::StillHere(_)
            | Control::Countersigned(_)
            | _ => {
                return Err(Stop::out_of_turn(frame));
            }
        }
        Ok(())
    }

    /// Applies a step of the picture, and acknowledges it.
    fn on_panel(&mut self, cx: &mut Cx<'_>, frame: &Frame) -> Result<(), Stop> {
        let mut applied = self
            .decoder
            .apply(frame.kind, &frame.body)
            .map_err(SessionError::Picture)?;
        if let Some(reply) = applied.reply.take() {
            self.send(cx, Outbound::reliable(Channel::Panel, reply));
        }
        cx.out.event(Event::Panel(applied));
        Ok(())
    }

    fn on_action(&mut self, cx: &mut Cx<'_>, action: OperatorAction) -> Result<(), SessionError> {
        let wants = match &action {
            OperatorAction::Settings(_) => Capabilities::SETTINGS_READ,
            OperatorAction::Mode(_)
            | OperatorAction::Pointer(_)
            | OperatorAction::Key(_)
            | OperatorAction::Text(_)
            | OperatorAction::Draw(_)
            | OperatorAction::Console(_)
            | OperatorAction::Exact(_)
            | OperatorAction::StillHere
            | OperatorAction::End => Capabilities::NONE,
        };
        let event = match action {
            OperatorAction::Mode(mode) => return self.request(ModeAsk { mode }),
            OperatorAction::StillHere => return self.request(StillHere {}),
            OperatorAction::Exact(exactly) => {
                self.want(cx, exactly);
                return Ok(());
            }
            OperatorAction::Pointer(event) => HostEvent::Pointer(event),
            OperatorAction::Key(event) => HostEvent::Key(event),
            OperatorAction::Text(text) => HostEvent::Text(text),
            OperatorAction::Draw(annotation) => HostEvent::Draw(annotation),
            OperatorAction::Console(json) | OperatorAction::Settings(json) => {
                HostEvent::Console(json)
            }
            OperatorAction::End => return Err(SessionError::NotNow),
        };
        let Some(running) = self.hosting.running() else {
            return Err(SessionError::NotNow);
        };
        // A courtesy to the operator; what counts is decided on the device.
        let granted = cx.config.capabilities(&running.mode).unwrap_or_default();
        if !granted.contains(needs(&event) | wants) || (self.is_paused && is_input(granted, &event))
        {
            return Err(SessionError::NotAllowed);
        }
        if self.uplink.is_crowded() {
            return Err(SessionError::Congested);
        }
        self.notify(cx, event);
        Ok(())
    }

    /// Asks for a part of the picture; an empty one asks for nothing.
    fn want(&mut self, cx: &mut Cx<'_>, exactly: PanelRect) {
        if exactly.width > 0 && exactly.height > 0 {
            let want = ToDevice::Want(Want { exactly }).to_frame();
            self.send(cx, Outbound::reliable(Channel::Panel, want));
        }
    }

    fn request(&mut self, message: impl Into<Control>) -> Result<(), SessionError> {
        self.uplink
            .request(message.into().to_frame())
            .map_err(|_| SessionError::Congested)
    }

    pub(super) fn on_time(&mut self, cx: &mut Cx<'_>) -> Result<(), Stop> {
        if !self.line.is_up() {
            return self.wait_on_time(cx);
        }
        if self.liveness.is_lost(cx.now) {
            self.interrupt(cx);
            return Ok(());
        }
        if let Some(silent) = self.liveness.newly_missing(cx.now) {
            cx.out.record(Record::LinkMissing);
            cx.out.event(Event::Link(Link::Missing { silent }));
        }
        if let Some(check) = self.liveness.check(cx.now) {
            self.send(cx, check);
        }
        self.timers_on_time(cx);
        Ok(())
    }

    pub(super) fn timers_on_time(&mut self, cx: &mut Cx<'_>) {
        while let Some(id) = self
            .hosting
            .running_mut()
            .and_then(|running| running.due_timer(cx.now))
        {
            self.notify(cx, HostEvent::Timer(id));
        }
    }

    /// Sends what the budget allows now.
    pub(super) fn flush(&mut self, cx: &mut Cx<'_>) {
        if !self.line.is_up() {
            return;
        }
        while let Some(outbound) = self.uplink.pop(cx.now) {
            cx.out.push(Output::Send(outbound));
        }
    }

    /// The session ends. Gives the mode's last event, which the driver gets when everything that matters is done.
    pub(super) fn end(mut self: Box<Self>, out: &mut Outbox) -> Option<Output> {
        out.drop_scope();
        let (mode, activation) = self.hosting.running()?.id();
        let why = StopReason::SessionEnded;
        out.record(Record::ModeEnded {
            mode: mode.clone(),
            activation,
            why,
        });
        let seq = self.hosting.number();
        Some(Output::ModeEvent {
            seq,
            mode,
            event: HostEvent::Stop(why),
        })
    }

    pub(super) fn deadline(&self) -> Instant {
        let timer = self
            .hosting
            .running()
            .and_then(|running| running.next_timer());
        let uplink = self.uplink.deadline().filter(|_| self.line.is_up());
        let certain = self
            .line
            .deadline()
            .unwrap_or_else(|| self.liveness.deadline());
        [timer, uplink]
            .into_iter()
            .flatten()
            .fold(certain, Instant::min)
    }

    fn heard(&mut self, cx: &mut Cx<'_>) {
        if self.liveness.heard(cx.now) {
            cx.out.record(Record::LinkBack);
            cx.out.event(Event::Link(Link::Ok));
        }
    }

    /// Sends past the queue: checks and acknowledgements cannot wait.
    pub(super) fn send(&mut self, cx: &mut Cx<'_>, outbound: Outbound) {
        self.uplink.charge(cx.now, outbound.bytes.len());
        cx.out.push(Output::Send(outbound));
    }
}

/// Whether `event` presses something in a mode that may.
fn is_input(granted: Capabilities, event: &HostEvent) -> bool {
    let presses = |event: &PointerEvent| {
        matches!(
            event.phase,
            PointerPhase::Down | PointerPhase::Move | PointerPhase::Up
        )
    };
    match event {
        HostEvent::Key(_) | HostEvent::Text(_) => true,
        HostEvent::Pointer(event) => granted.contains(Capabilities::INPUT) && presses(event),
        HostEvent::Start(_)
        | HostEvent::Stop(_)
        | HostEvent::Peer(_)
        | HostEvent::Grant(_)
        | HostEvent::Draw(_)
        | HostEvent::Timer(_)
        | HostEvent::Console(_)
        | HostEvent::Link(_)
        | HostEvent::Settings(_) => false,
    }
}

/// What the mode must be allowed for an event to mean anything in it. A pointer may just point.
const fn needs(event: &HostEvent) -> Capabilities {
    match event {
        HostEvent::Key(_) | HostEvent::Text(_) => Capabilities::INPUT,
        HostEvent::Draw(_) => Capabilities::ANNOTATE,
        HostEvent::Start(_)
        | HostEvent::Stop(_)
        | HostEvent::Peer(_)
        | HostEvent::Grant(_)
        | HostEvent::Pointer(_)
        | HostEvent::Timer(_)
        | HostEvent::Console(_)
        | HostEvent::Link(_)
        | HostEvent::Settings(_) => Capabilities::NONE,
    }
}
