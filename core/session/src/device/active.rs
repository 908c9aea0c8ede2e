//! A live session on the device: one mode at a time, the picture, and the limits.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant},
};

use alongside_mode::{Capabilities, HostEvent, StopReason};
use alongside_protocol::{
    SessionId,
    control::{Control, HelloDevice, IdleWarning},
    frame::{Channel, Frame},
    ids::ModeId,
    mode::ModeMessage,
    reason::{EndReason, Party},
    units::{Millis, PanelRect},
};

use super::{
    CustomerAction, Cx, Event, Input, Outbox, Output,
    ask::Asking,
    consent::{Raised, Sleep},
    hand::Hand,
    picture::{Picture, View},
    resuming::Comer,
    settings::Settings,
};
use crate::{
    Act, Limits, Link, Outbound, Record, SessionError,
    ending::{Ending, Stop},
    grant::{Denial, Grant},
    hosting::Hosting,
    idle::{Idle, IdleStep},
    ladder,
    line::Line,
    liveness::Liveness,
    mask,
    proof::Proved,
    resume::Ratchet,
    spoken::{self, Theirs},
    uplink::Uplink,
};

/// A live session.
pub(super) struct Active {
    pub(super) grant: Grant,
    pub(super) hosting: Hosting,
    pub(super) uplink: Uplink,
    /// Whether anything was ever drawn over the panel.
    pub(super) has_drawn: bool,
    /// What is granted above the user guide, if anything.
    pub(super) raised: Option<Raised>,
    /// The open question to the customer.
    pub(super) asking: Option<Asking>,
    pub(super) asks: u32,
    pub(super) sleep: Sleep,
    pub(super) hand: Hand,
    /// Whether the panel shows something that the operator must not see.
    pub(super) is_masked: bool,
    /// Whether all of the last picture was covered, as an ID might have been typed on the panel.
    is_covered: bool,
    pub(super) denied: Option<(Act, Denial, Instant)>,
    pub(super) settings: Settings,
    pub(super) points_until: Option<Instant>,
    pub(super) picture: Picture,
    pub(super) line: Line<Comer>,
    pub(super) ratchet: Ratchet,
    pub(super) liveness: Liveness,
    pub(super) idle: Idle,
    pub(super) ends_at: Instant,
    pub(super) next_ask: Instant,
    /// What modes the operator's side has.
    pub(super) theirs: Theirs,
}

impl Active {
    /// Says hello and begins with the user guide, to which the customer consented by typing the code.
    pub(super) fn begin(cx: &mut Cx<'_>, proved: Proved, session: SessionId, epoch: u64) -> Self {
        let config = cx.config;
        let mut active = Self {
            grant: Grant::none(),
            hosting: Hosting::default(),
            uplink: Uplink::of_device(cx.now),
            has_drawn: false,
            raised: None,
            asking: None,
            asks: 0,
            sleep: Sleep::Awake,
            hand: Hand::default(),
            is_masked: false,
            is_covered: false,
            denied: None,
            settings: Settings::new(),
            points_until: None,
            picture: Picture::new(cx.now, config.size, epoch),
            line: Line::Up,
            ratchet: Ratchet::new(session, proved.into_secret()),
            liveness: Liveness::new(cx.now),
            idle: Idle::new(cx.now, &config.limits),
            ends_at: cx.now + config.limits.cap(),
            next_ask: cx.now,
            theirs: Theirs::default(),
        };
        let hello = HelloDevice {
            session,
            serial: config.serial.clone(),
            model: config.model.clone(),
            panel: config.panel.clone(),
            size: config.size,
        };
        active.tell(cx, Control::from(hello));
        let ours = config.modes.iter().map(|offer| (&offer.id, offer.peer));
        if let Some(modes) = spoken::announce(ours) {
            active.tell(cx, modes);
        }
        active.activate(cx, ModeId::user_guide(), ladder::USER_GUIDE);
        active
    }

    pub(super) fn on_input(&mut self, cx: &mut Cx<'_>, input: Input) -> Result<(), Stop> {
        match input {
            Input::Message { channel, frame } if !self.line.is_up() => {
                self.on_comers_message(cx, channel, &frame)
            }
            // May be lost, so it is.
            Input::Datagram(_) if !self.line.is_up() => Ok(()),
            Input::Frame { .. } if !self.line.is_up() => {
                self.picture.decline();
                Ok(())
            }
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
                match channel {
                    Channel::Panel => self.picture.set_room(bytes),
                    Channel::Mode => self.uplink.set_room(bytes),
                    Channel::Control | Channel::Bulk => {}
                }
                Ok(())
            }
            Input::Frame {
                frame,
                masked,
                captured_at,
            } => {
                if frame.size() != cx.config.size {
                    return Err(Ending::ours(Party::Device, EndReason::PanelFailed).into());
                }
                self.on_frame(cx, &frame, &masked, captured_at);
                Ok(())
            }
            Input::Timing { capture, encode } => {
                if let Ok(permit) = self.grant.permit(cx.now, Capabilities::VIEW)
                    && let Some(timing) = self.picture.time(cx.now, &permit, capture, encode)
                {
                    cx.out.push(Output::Send(timing));
                }
                Ok(())
            }
            Input::Injected { n, ok } => self.on_injected(cx, n, ok),
            Input::AdminId { ask, verdict } => {
                self.on_admin_id(cx, ask, verdict);
                Ok(())
            }
            Input::Local(action) => Ok(self.on_local(cx, action)?),
            Input::Settings { call, news } => {
                self.on_settings_news(cx, call, news);
                Ok(())
            }
            Input::Seal(seal) => {
                if self.line.is_up() {
                    self.tell(cx, seal);
                }
                Ok(())
            }
            Input::ModeEffects { seq, effects } => {
                self.fed(seq);
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

    /// Covers what the operator must not see, before anything else looks at the picture.
    fn on_frame(
        &mut self,
        cx: &mut Cx<'_>,
        frame: &Arc<alongside_panel::Frame>,
        masked: &[PanelRect],
        captured_at: Millis,
    ) {
        if !masked.is_empty() && !self.is_masked {
            self.let_go(cx.out);
        }
        self.is_masked = !masked.is_empty();
        let everything = [PanelRect {
            x: 0,
            y: 0,
            width: frame.size().width(),
            height: frame.size().height(),
        }];
        // A panel that does not say where an ID is typed shows nothing while one may be.
        self.is_covered = masked.is_empty() && self.wants_admin_id();
        let masked = if self.is_covered { &everything } else { masked };
        let covered = mask::cover(frame, masked);
        let view = match &covered {
            Cow::Borrowed(_) => View::Whole(frame),
            Cow::Owned(covered) => View::Masked(covered),
        };
        match self.grant.permit(cx.now, Capabilities::VIEW) {
            Ok(permit) => {
                if let Some(step) = self.picture.step(cx.now, &permit, &view, captured_at) {
                    cx.out.push(Output::Send(step));
                }
            }
            Err(_) => self.picture.decline(),
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
            Channel::Panel => Ok(self.picture.on_message(cx.now, frame.kind, &frame.body)?),
            Channel::Bulk => Err(Stop::out_of_turn(frame)),
        }
    }

    fn on_control(&mut self, cx: &mut Cx<'_>, frame: &Frame) -> Result<(), Stop> {
        match Control::from_frame(frame.kind, &frame.body)? {
            Control::Check(_) => {}
            Control::StillHere(_) => self.acted(cx),
            Control::Modes(modes) => self.theirs = Theirs::said(modes),
            Control::Countersigned(signed) => cx.out.event(Event::Countersigned(signed)),
            Control::ModeAsk(ask) => {
                self.acted(cx);
                self.on_ask(cx, ask.mode);
            }
            Control::End(end) => return Err(Ending::of_operator(end).into()),
            Control::HelloDevice(_)
            | Control::HelloOperator(_)
            | Control::ModeState(_)
            | Control::IdleWarning(_)
            | Control::Resumed(_)
            | Control::Seal(_)
            | _ => return Err(Stop::out_of_turn(frame)),
        }
        Ok(())
    }

    fn on_local(&mut self, cx: &mut Cx<'_>, action: CustomerAction) -> Result<(), SessionError> {
        match action {
            CustomerAction::Touched => self.on_touch(cx),
            CustomerAction::Allow(id) => return self.on_allow(cx, id),
            CustomerAction::Refuse(id) => return self.on_refuse(cx, id),
            CustomerAction::DialogKey => return self.on_dialog_key(cx.now),
            CustomerAction::TakeBack => self.take_back(cx),
            CustomerAction::Exit | CustomerAction::StopKey(_) => return Err(SessionError::NotNow),
        }
        Ok(())
    }

    /// The customer touched the panel.
    fn on_touch(&mut self, cx: &mut Cx<'_>) {
        if self.idle.is_warned() {
            self.acted(cx);
        }
        self.rouse(cx);
        self.pause(cx);
    }

    /// What is due by now, the gravest first.
    pub(super) fn on_time(&mut self, cx: &mut Cx<'_>) -> Result<(), Stop> {
        if cx.now >= self.ends_at {
            return Err(Ending::ours(Party::Policy, EndReason::SessionCap).into());
        }
        if !self.line.is_up() {
            return self.wait_on_time(cx);
        }
        if self.liveness.is_lost(cx.now) {
            self.interrupt(cx);
            return Ok(());
        }
        match self.idle.step(cx.now) {
            Some(IdleStep::End) => return Err(Ending::ours(Party::Policy, EndReason::Idle).into()),
            Some(IdleStep::Warn) => self.warn(cx, Limits::IDLE_WARNING),
            None => {}
        }
        if let Some(silent) = self.liveness.newly_missing(cx.now) {
            self.let_go(cx.out);
            cx.out.record(Record::LinkMissing);
            cx.out.event(Event::Link(Link::Missing { silent }));
        }
        self.consent_on_time(cx);
        self.hand_on_time(cx);
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

    /// Sends what the budgets allow now, and asks for a picture if one could be sent.
    pub(super) fn flush(&mut self, cx: &mut Cx<'_>) {
        if !self.line.is_up() {
            return;
        }
        self.feed(cx);
        while let Some(outbound) = self.uplink.pop(cx.now) {
            cx.out.push(Output::Send(outbound));
        }
        if self.is_covered && !self.wants_admin_id() {
            self.is_covered = false;
            self.picture.renew();
        }
        if self.grant.permit(cx.now, Capabilities::VIEW).is_ok()
            && let Some(freshness) = self.picture.wish(cx.now)
        {
            cx.out.push(Output::WantFrame(freshness));
        }
    }

    /// The session ends: the grant is gone, what was on its way is dropped, and what was drawn is taken back.
    ///
    /// Gives the mode's last event, which the driver gets when everything that matters is done.
    pub(super) fn end(mut self: Box<Self>, out: &mut Outbox) -> Option<Output> {
        self.grant.withdraw();
        out.drop_scope();
        self.end_settings(out);
        self.let_go(out);
        self.wipe(out);
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

    pub(super) fn deadline(&self, now: Instant) -> Instant {
        let picture = self
            .grant
            .permit(now, Capabilities::VIEW)
            .ok()
            .and_then(|_permit| self.picture.deadline());
        let timer = self
            .hosting
            .running()
            .and_then(|running| running.next_timer());
        let certain = match self.line.deadline() {
            Some(line) => self.ends_at.min(line),
            None => self
                .ends_at
                .min(self.liveness.deadline())
                .min(self.idle.deadline()),
        };
        let sending = [self.uplink.deadline(), picture];
        let sending = sending.map(|at| at.filter(|_| self.line.is_up()));
        [
            timer,
            sending[0],
            sending[1],
            self.consent_deadline(),
            self.hand.deadline(),
        ]
        .into_iter()
        .flatten()
        .fold(certain, Instant::min)
    }

    pub(super) fn acted(&mut self, cx: &mut Cx<'_>) {
        if self.idle.acted(cx.now) {
            self.warn(cx, Duration::ZERO);
        }
    }

    /// Tells both sides that the session ends in this time, or, at zero, that it does not.
    pub(super) fn warn(&mut self, cx: &mut Cx<'_>, ends_in: Duration) {
        let ends_in_s = u16::try_from(ends_in.as_secs()).unwrap_or(u16::MAX);
        self.tell(cx, IdleWarning { ends_in_s });
        cx.out.event(if ends_in.is_zero() {
            Event::IdleOver
        } else {
            Event::IdleWarning { ends_in }
        });
    }

    fn heard(&mut self, cx: &mut Cx<'_>) {
        if self.liveness.heard(cx.now) {
            cx.out.record(Record::LinkBack);
            cx.out.event(Event::Link(Link::Ok));
        }
    }

    pub(super) fn tell(&mut self, cx: &mut Cx<'_>, message: impl Into<Control>) {
        self.send(
            cx,
            Outbound::reliable(Channel::Control, message.into().to_frame()),
        );
    }

    fn send(&mut self, cx: &mut Cx<'_>, outbound: Outbound) {
        self.uplink.charge(cx.now, outbound.bytes.len());
        cx.out.push(Output::Send(outbound));
    }
}
