//! What a device may do, kept by somebody who sees only what goes in and what comes out.

use std::time::{Duration, Instant};

use alongside_mode::Capabilities;
use alongside_protocol::{
    annotation::Annotation,
    ids::ModeId,
    input::{KeyMotion, KeyName, PointerPhase},
    reason::ModePhase,
};

use crate::{
    Act, Action, Deed, Limits, Link, Record,
    device::{AdminVerdict, Ask, AskId, Banner, CustomerAction, Event, Input, SettingsAct, View},
};

/// Time for which one record stands for its like.
const RUN: Duration = Duration::from_secs(1);

/// The reference.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// What the records say is granted now.
    granted: Option<Capabilities>,
    ask: Option<Open>,
    /// The last mode that the customer has allowed, and when, until another one begins.
    allowed: Option<(ModeId, Instant)>,
    paused_until: Option<Instant>,
    is_masked: bool,
    is_missing: bool,
    is_hidden: bool,
    is_unseen: bool,
    keys: Vec<KeyName>,
    is_pointer_down: bool,
    /// The record just before.
    released: Option<Act>,
    pointing_until: Option<Instant>,
    input: Option<(u64, Deed, Instant)>,
    pub(super) injected: u64,
    pub(super) last_ask: u32,
    pub(super) last_call: u64,
    /// Whether the customer has just allowed the open question about settings.
    may_change: bool,
    /// The record just before, if it is about settings.
    settings: Option<&'static str>,
    recorded: Option<&'static str>,
    pub(super) is_over: bool,
}

#[derive(Debug)]
struct Open {
    ask: Ask,
    is_verified: bool,
    since: Instant,
}

impl Model {
    pub(super) fn may(&self, needs: Capabilities) -> bool {
        self.granted.is_some_and(|granted| granted.contains(needs))
    }

    /// Something is about to go in.
    pub(super) fn on_input(&mut self, now: Instant, input: &Input) {
        match input {
            Input::Local(CustomerAction::Allow(id)) => self.on_allow(now, *id),
            Input::Local(CustomerAction::Touched) => {
                if self.may(Capabilities::INPUT) && self.ask.is_none() {
                    self.paused_until = Some(now + Limits::PAUSE);
                }
            }
            Input::AdminId { ask, verdict } => {
                if let Some(open) = self.ask.as_mut().filter(|open| open.ask.id == *ask) {
                    open.is_verified = *verdict == AdminVerdict::Ok;
                }
            }
            Input::Frame { masked, .. } => self.is_masked = !masked.is_empty(),
            Input::Connected { .. }
            | Input::Message { .. }
            | Input::Datagram(_)
            | Input::Room { .. }
            | Input::ModeEffects { .. }
            | Input::ModeFailed { .. }
            | Input::Timing { .. }
            | Input::Injected { .. }
            | Input::Settings { .. }
            | Input::Seal(_)
            | Input::Local(_)
            | Input::Close(_)
            | Input::Timeout
            | Input::Interrupted
            | Input::Disconnected => {}
        }
    }

    fn on_allow(&mut self, now: Instant, id: AskId) {
        let Some(open) = self.ask.as_ref().filter(|open| open.ask.id == id) else {
            return;
        };
        if open.ask.differences.is_some() {
            self.may_change = true;
            return;
        }
        if open.is_verified || !open.ask.wants_admin_id {
            self.allowed = Some((open.ask.mode.clone(), now));
        }
    }

    pub(super) fn on_record(&mut self, now: Instant, record: &Record) {
        self.released = None;
        self.settings = None;
        match record {
            Record::ModeActivated { mode, granted, .. } => self.on_activated(mode, *granted),
            Record::ModeEnded { .. } | Record::ModeFailed { .. } | Record::SessionEnded { .. } => {
                self.granted = None;
                self.paused_until = None;
                self.pointing_until = None;
            }
            Record::Released { act, .. } => {
                self.released = Some(*act);
                self.pointing_until = (*act == Act::Annotate).then(|| now + RUN);
            }
            Record::Input { n, deed, .. } => {
                assert!(*n > self.injected, "actions are numbered in order");
                self.input = Some((*n, *deed, now));
            }
            Record::SettingsRead { .. } => self.settings = Some("read"),
            Record::SettingsProposed { .. } | Record::SettingsUndo { .. } => {
                self.settings = Some("change");
            }
            Record::SettingSet { .. } => self.settings = Some("set"),
            Record::SettingsConfirm { .. } => self.settings = Some("confirm"),
            Record::SettingsAllowed { by_policy, .. } => {
                let may = if *by_policy {
                    self.may(Capabilities::SILENT)
                } else {
                    std::mem::take(&mut self.may_change)
                };
                assert!(may, "a change that nobody has allowed");
                self.settings = Some("set");
            }
            Record::SettingsAsked { .. }
            | Record::SettingsStage { .. }
            | Record::AttemptCharged
            | Record::ProofFailed(_)
            | Record::SessionStarted { .. }
            | Record::ModeAsked { .. }
            | Record::AdminId(_)
            | Record::ModeAllowed { .. }
            | Record::ModeRefused { .. }
            | Record::Performed { .. }
            | Record::Paused
            | Record::Resumed
            | Record::Denied { .. }
            | Record::ModeSays(_)
            | Record::LinkMissing
            | Record::LinkBack
            | Record::Interrupted
            | Record::WentOn { .. }
            | Record::ResumeRefused => {}
        }
    }

    /// Whatever reaches further than sight and ink was allowed by the customer, and for this mode.
    fn on_activated(&mut self, mode: &ModeId, granted: Capabilities) {
        if self
            .allowed
            .as_ref()
            .is_some_and(|(allowed, _)| allowed != mode)
        {
            self.allowed = None;
        }
        if granted.contains(Capabilities::INPUT) {
            assert!(self.allowed.is_some(), "{mode} that nobody allowed");
        }
        self.granted = Some(granted);
    }

    pub(super) fn on_event(&mut self, now: Instant, event: &Event) {
        let released = self.released.take();
        self.recorded = self.settings.take();
        match event {
            Event::Annotate(annotation) => self.on_annotate(now, annotation, released),
            Event::Notice(_) => {
                assert_eq!(released, Some(Act::Notice), "shown without its record");
                assert!(!self.is_hidden, "shown in sleep");
            }
            Event::Asked(ask) => {
                assert!(self.ask.is_none(), "two questions at a time");
                assert!(!self.is_hidden, "asked in sleep, and nobody says who asks");
                self.last_ask = ask.id.0;
                self.ask = Some(Open {
                    ask: ask.clone(),
                    is_verified: false,
                    since: now,
                });
            }
            Event::AskOver(id) => {
                let open = self.ask.take();
                let since = open.as_ref().map(|open| open.since);
                assert_eq!(open.map(|open| open.ask.id), Some(*id));
                assert!(since.is_some_and(|since| now <= since + Limits::ASK_LONGEST));
            }
            Event::AdminIdNeeded(id) => {
                let open = self.ask.as_ref().map(|open| open.ask.id);
                assert_eq!(open, Some(*id));
            }
            Event::Mode(state) => {
                if state.phase == ModePhase::Active
                    && self.paused_until.is_some_and(|until| now >= until)
                {
                    self.paused_until = None;
                }
            }
            Event::Inject { n, action } => self.on_inject(now, *n, action),
            Event::Settings { call, act } => self.on_settings(*call, act),
            Event::View(view) => {
                let is_hidden = *view == View::Service;
                assert_ne!(self.is_unseen, is_hidden, "told twice");
                self.is_unseen = is_hidden;
            }
            Event::Banner(banner) => {
                let is_hidden = *banner == Banner::Hidden;
                assert_ne!(self.is_hidden, is_hidden, "told twice");
                self.is_hidden = is_hidden;
            }
            Event::Link(link) => self.is_missing = *link != Link::Ok,
            Event::Ended { .. } => {
                self.is_over = true;
                assert!(
                    self.keys.is_empty() && !self.is_pointer_down,
                    "something stays pressed"
                );
            }
            Event::AttemptCharged
            | Event::CodeFailed(_)
            | Event::Connected { .. }
            | Event::Countersigned(_)
            | Event::IdleWarning { .. }
            | Event::IdleOver => {}
        }
    }

    /// Nothing is read, and nothing changed, without a grant and without its record.
    fn on_settings(&mut self, call: u64, act: &SettingsAct) {
        self.last_call = self.last_call.max(call);
        let (needs, record) = match act {
            // These take nothing but away.
            SettingsAct::Refuse | SettingsAct::Withdraw => return,
            SettingsAct::Schema | SettingsAct::Read(_) => (Capabilities::SETTINGS_READ, "read"),
            SettingsAct::Propose { .. } | SettingsAct::Undo => {
                (Capabilities::SETTINGS_WRITE, "change")
            }
            SettingsAct::Allow => (Capabilities::SETTINGS_WRITE, "set"),
            SettingsAct::Confirm => (Capabilities::SETTINGS_WRITE, "confirm"),
        };
        assert!(self.may(needs), "settings without a grant");
        let is_run = record == "read";
        assert!(
            is_run || self.recorded == Some(record),
            "settings without their record: {act:?}"
        );
    }

    fn on_annotate(&mut self, now: Instant, annotation: &Annotation, released: Option<Act>) {
        let is_pointer = match annotation {
            Annotation::Pointer { .. } => true,
            Annotation::Stroke(_) => false,
            Annotation::PointerGone | Annotation::Undo(_) | Annotation::Clear => return,
        };
        assert!(self.may(Capabilities::ANNOTATE), "drawn without a grant");
        let is_run = is_pointer && self.pointing_until.is_some_and(|until| now < until);
        assert!(
            released == Some(Act::Annotate) || is_run,
            "drawn without its record"
        );
    }

    fn on_inject(&mut self, now: Instant, n: u64, action: &Action) {
        assert!(n > self.injected, "actions are numbered in order");
        self.injected = n;
        let is_motion = matches!(action, Action::Pointer(event) if !matches!(event.phase, PointerPhase::Down | PointerPhase::Up));
        let is_recorded = self.input.is_some_and(|(recorded, deed, at)| {
            recorded == n || (is_motion && deed == Deed::Motion && now < at + RUN)
        });
        assert!(is_recorded, "touched without its record: {n} {action:?}");
        if self.lets_go(action) {
            return;
        }
        assert!(self.may(Capabilities::INPUT), "touched without a grant");
        assert!(self.ask.is_none(), "touched while a question is open");
        assert!(!self.is_masked, "touched under a mask");
        assert!(!self.is_missing, "touched by nobody who can be reached");
        assert!(
            self.paused_until.is_none_or(|until| now >= until),
            "touched under the customer's hand"
        );
        let allowed_at = self.allowed.as_ref().map(|(_, at)| *at);
        assert!(
            allowed_at.is_some_and(|at| now <= at + Limits::CONTROL + Limits::ASK_LONGEST),
            "touched long after the customer's word"
        );
    }

    /// Whether an action only lets go of what is pressed; keeps track of what is.
    fn lets_go(&mut self, action: &Action) -> bool {
        match action {
            Action::Key(event) => {
                let was_down = self.keys.contains(&event.key);
                self.keys.retain(|key| *key != event.key);
                if event.motion == KeyMotion::Down {
                    self.keys.push(event.key.clone());
                    return false;
                }
                assert!(was_down, "a key goes up that is not down");
                true
            }
            Action::Pointer(event) => match event.phase {
                PointerPhase::Down => {
                    self.is_pointer_down = true;
                    false
                }
                PointerPhase::Up if event.buttons.bits() == 0 => {
                    self.is_pointer_down = false;
                    false
                }
                PointerPhase::Leave => std::mem::take(&mut self.is_pointer_down),
                PointerPhase::Hover | PointerPhase::Move | PointerPhase::Up => false,
            },
            Action::Text(_) => false,
        }
    }
}
