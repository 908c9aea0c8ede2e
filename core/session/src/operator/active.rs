//! A live session on the operator's side: the picture comes in, the operator's acts go out within their budget.

use std::time::{Duration, Instant};

use alongside_mode::{Capabilities, Effect, HostEvent, Side, Start, StopReason};
use alongside_panel::{Decoder, Frame as Picture, Profile};
use alongside_protocol::{
    control::{Control, HelloDevice, IdleWarning, ModeAsk, ModeState, StillHere},
    frame::{Channel, Frame},
    ids::ModeId,
    mode::ModeMessage,
    reason::ModePhase,
};

use super::{Cx, Event, Input, OperatorAction, Outbox, Output, proving::Early};
use crate::{
    Act, Link, Outbound, Record, SessionError,
    ending::{Ending, Stop},
    grant::Denial,
    hosting::{Hosting, Running, activation_of},
    ladder,
    liveness::Liveness,
    proof::Proved,
    uplink::Uplink,
};

/// Version of the halves' own protocol that both sides speak; each mode has one so far.
const PEER_PROTOCOL: u16 = 1;
/// Most messages of a mode that may arrive before the word that it is active.
const MAX_EARLY: usize = 16;

/// A live session.
pub(super) struct Active {
    hello: HelloDevice,
    hosting: Hosting,
    /// Number of the newest activation that the device has told of.
    activation: u16,
    /// Messages of an activation that we have not been told of yet: streams are not ordered among each other.
    early: Vec<ModeMessage>,
    uplink: Uplink,
    liveness: Liveness,
    decoder: Decoder,
}

impl Active {
    pub(super) fn begin(cx: &mut Cx<'_>, _proved: Proved, hello: HelloDevice) -> Self {
        cx.out.event(Event::Connected(hello.clone()));
        Self {
            hello,
            hosting: Hosting::default(),
            activation: 0,
            early: Vec::new(),
            uplink: Uplink::new(cx.now),
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
            Input::Connected { .. } | Input::Close(_) | Input::Timeout | Input::Disconnected => {
                Err(SessionError::NotNow.into())
            }
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
            Control::IdleWarning(IdleWarning { ends_in_s: 0 }) => cx.out.event(Event::IdleOver),
            Control::IdleWarning(IdleWarning { ends_in_s }) => {
                let ends_in = Duration::from_secs(u64::from(ends_in_s));
                cx.out.event(Event::IdleWarning { ends_in });
            }
            Control::End(end) => return Err(Ending::of_device(end).into()),
            Control::HelloDevice(_)
            | Control::HelloOperator(_)
            | Control::ModeAsk(_)
            | Control::StillHere(_)
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

    fn on_mode_message(&mut self, cx: &mut Cx<'_>, message: ModeMessage) {
        let is_ahead = activation_of(&message).is_some_and(|n| is_after(n, self.activation));
        if is_ahead {
            if self.early.len() < MAX_EARLY {
                self.early.push(message);
            }
            return;
        }
        if let Some(body) = self
            .hosting
            .running_mut()
            .and_then(|running| running.open(message))
        {
            self.notify(cx, HostEvent::Peer(body));
        }
    }

    fn on_mode_state(&mut self, cx: &mut Cx<'_>, state: ModeState) {
        cx.out.event(Event::Mode(state.clone()));
        match state.phase {
            ModePhase::Active => self.on_active(cx, state.mode, state.activation),
            ModePhase::Ended => {
                let is_ours = |running: &Running| running.activation == state.activation;
                if self.hosting.running().is_some_and(is_ours) {
                    self.stop_mode(cx, StopReason::Finished);
                }
            }
            ModePhase::Asked | ModePhase::Paused | ModePhase::Refused | _ => {}
        }
    }

    /// The device has begun a mode: our half of it begins too.
    fn on_active(&mut self, cx: &mut Cx<'_>, mode: ModeId, activation: u16) {
        if self
            .hosting
            .running()
            .is_some_and(|running| running.activation == activation)
        {
            return;
        }
        self.stop_mode(cx, StopReason::Replaced);
        self.activation = activation;
        let Some(granted) = ladder::granted(&mode) else {
            return;
        };
        cx.out.record(Record::ModeActivated {
            mode: mode.clone(),
            activation,
            granted,
        });
        self.hosting.begin(mode, activation);
        let locale = cx.config.locale.clone();
        let panel = self.hello.size;
        self.notify(
            cx,
            HostEvent::Start(Start {
                side: Side::Operator,
                granted,
                protocol: PEER_PROTOCOL,
                panel,
                locale,
            }),
        );
        for message in std::mem::take(&mut self.early) {
            self.on_mode_message(cx, message);
        }
    }

    fn on_action(&mut self, cx: &mut Cx<'_>, action: OperatorAction) -> Result<(), SessionError> {
        let event = match action {
            OperatorAction::Mode(mode) => return self.request(ModeAsk { mode }),
            OperatorAction::StillHere => return self.request(StillHere {}),
            OperatorAction::Pointer(event) => HostEvent::Pointer(event),
            OperatorAction::Key(event) => HostEvent::Key(event),
            OperatorAction::Text(text) => HostEvent::Text(text),
            OperatorAction::Draw(annotation) => HostEvent::Draw(annotation),
            OperatorAction::Console(json) => HostEvent::Console(json),
            OperatorAction::End => return Err(SessionError::NotNow),
        };
        let Some(running) = self.hosting.running() else {
            return Err(SessionError::NotNow);
        };
        // A courtesy to the operator; what counts is decided on the device.
        if !ladder::granted(&running.mode).is_some_and(|granted| granted.contains(needs(&event))) {
            return Err(SessionError::NotAllowed);
        }
        if self.uplink.is_crowded() {
            return Err(SessionError::Congested);
        }
        self.notify(cx, event);
        Ok(())
    }

    fn request(&mut self, message: impl Into<Control>) -> Result<(), SessionError> {
        self.uplink
            .request(message.into().to_frame())
            .map_err(|_| SessionError::Congested)
    }

    fn on_effects(&mut self, cx: &mut Cx<'_>, seq: u64, effects: Vec<Effect>) {
        for effect in effects {
            let act = Act::of(&effect);
            let done = if self.hosting.counts(seq) {
                self.on_effect(cx, effect)
            } else {
                Err(Denial::Stale)
            };
            if let Err(why) = done {
                cx.out.record(Record::Denied { act, why });
            }
        }
    }

    fn on_effect(&mut self, cx: &mut Cx<'_>, effect: Effect) -> Result<(), Denial> {
        let running = self.hosting.running_mut().ok_or(Denial::NoGrant)?;
        match effect {
            Effect::Peer { delivery, body } => {
                let message = running.seal(delivery, body)?;
                self.uplink.send(&message)
            }
            Effect::SetTimer { id, after } => running.set_timer(cx.now, id, after),
            Effect::Console(json) => {
                cx.out.event(Event::Console(json));
                Ok(())
            }
            Effect::Audit(line) => {
                cx.out.record(Record::ModeSays(line));
                Ok(())
            }
            Effect::Finish(_) => {
                self.leave_mode(cx, StopReason::Finished);
                Ok(())
            }
            // The panel and its customer are the device half's.
            Effect::Annotate(_)
            | Effect::Pointer(_)
            | Effect::Key(_)
            | Effect::Text(_)
            | Effect::Notice(_) => Err(Denial::OutOfScope),
        }
    }

    pub(super) fn on_time(&mut self, cx: &mut Cx<'_>) -> Result<(), Stop> {
        if self.liveness.is_lost(cx.now) {
            return Err(Ending::LOST.into());
        }
        if let Some(silent) = self.liveness.newly_missing(cx.now) {
            cx.out.record(Record::LinkMissing);
            cx.out.event(Event::Link(Link::Missing { silent }));
        }
        if let Some(check) = self.liveness.check(cx.now) {
            self.send(cx, check);
        }
        while let Some(id) = self
            .hosting
            .running_mut()
            .and_then(|running| running.due_timer(cx.now))
        {
            self.notify(cx, HostEvent::Timer(id));
        }
        Ok(())
    }

    /// Sends what the budget allows now.
    pub(super) fn flush(&mut self, cx: &mut Cx<'_>) {
        while let Some(outbound) = self.uplink.pop(cx.now) {
            cx.out.push(Output::Send(outbound));
        }
    }

    /// The session ends. Gives the mode's last event, which the driver gets when everything that matters is done.
    pub(super) fn end(mut self: Box<Self>, out: &mut Outbox) -> Option<Output> {
        out.drop_scope();
        let running = self.hosting.running()?;
        let (mode, activation) = (running.mode.clone(), running.activation);
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
        [timer, self.uplink.deadline()]
            .into_iter()
            .flatten()
            .fold(self.liveness.deadline(), Instant::min)
    }

    /// Our half is done. The device's half goes on until the mode is asked for again.
    fn leave_mode(&mut self, cx: &mut Cx<'_>, why: StopReason) {
        if let Some((mode, activation)) = self.stop_mode(cx, why) {
            cx.out.event(Event::Mode(ended(mode, activation)));
        }
    }

    /// Our half broke down: it hears nothing more, not even its end.
    fn fail_mode(&mut self, cx: &mut Cx<'_>) {
        let Some(running) = self.hosting.running() else {
            return;
        };
        let (mode, activation) = (running.mode.clone(), running.activation);
        self.hosting.end();
        self.uplink.clear_mode();
        cx.out.record(Record::ModeFailed { mode: mode.clone() });
        cx.out.event(Event::Mode(ended(mode, activation)));
    }

    fn stop_mode(&mut self, cx: &mut Cx<'_>, why: StopReason) -> Option<(ModeId, u16)> {
        let running = self.hosting.running()?;
        let (mode, activation) = (running.mode.clone(), running.activation);
        cx.out.record(Record::ModeEnded {
            mode: mode.clone(),
            activation,
            why,
        });
        self.notify(cx, HostEvent::Stop(why));
        self.hosting.end();
        self.uplink.clear_mode();
        Some((mode, activation))
    }

    /// Gives the mode that runs an event.
    fn notify(&mut self, cx: &mut Cx<'_>, event: HostEvent) {
        let Some(mode) = self.hosting.running().map(|running| running.mode.clone()) else {
            return;
        };
        let seq = self.hosting.number();
        cx.out.push(Output::ModeEvent { seq, mode, event });
    }

    fn heard(&mut self, cx: &mut Cx<'_>) {
        if self.liveness.heard(cx.now) {
            cx.out.record(Record::LinkBack);
            cx.out.event(Event::Link(Link::Ok));
        }
    }

    /// Sends past the queue: checks and acknowledgements cannot wait.
    fn send(&mut self, cx: &mut Cx<'_>, outbound: Outbound) {
        self.uplink.charge(cx.now, outbound.bytes.len());
        cx.out.push(Output::Send(outbound));
    }
}

/// Whether activation `n` comes after `known`; numbers wrap.
const fn is_after(n: u16, known: u16) -> bool {
    let ahead = n.wrapping_sub(known);
    ahead != 0 && ahead < 1 << 15
}

fn ended(mode: ModeId, activation: u16) -> ModeState {
    ModeState {
        mode,
        activation,
        phase: ModePhase::Ended,
        refusal: None,
        expires_in_s: None,
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
        | HostEvent::Link(_) => Capabilities::NONE,
    }
}
