//! The device's settings: what a mode asks of them, the customer's word on each change, and the record before it.
//!
//! The only way to them is [`Settings::call`], which takes a [`Permit`]. A change goes to the device only to be looked at;
//! it is made by [`SettingsAct::Allow`], which follows the customer's answer to the question about this very change, or
//! in sleep the owner's policy. When the grant ends, so does the change.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use alongside_mode::{
    Capabilities, HostEvent, MAX_PART_LEN, SettingsAnswer, SettingsCall, SettingsPart, SettingsWish,
};
use alongside_protocol::{
    reason::Refusal,
    setting::{
        ChangeRefusal, ChangeStage, Difference, SettingChange, SettingPath, SettingsVersion, Shown,
        Words, pieces,
    },
};

use super::{
    Active, Cx, Event, Outbox,
    ask::Asking,
    consent::{Sleep, seconds},
};
use crate::{
    Record,
    grant::{Denial, Permit},
    hosting::Running,
};

/// Most readings that wait for their answer.
const MAX_READINGS: usize = 4;
/// Most parts of answers that wait, when another reading is asked for (our choice: about 2 MB).
const MAX_PARTS: usize = 512;
/// Time for which one record stands for the readings that follow it.
const READING: Duration = Duration::from_secs(1);
/// Most changes that an operator proposes within [`CROWD`] (our choice: each leaves a record).
const MAX_CHANGES: usize = 30;
/// Time in which changes are counted.
const CROWD: Duration = Duration::from_secs(10);

/// What is to be done with the device's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsAct {
    /// Tell what settings there are.
    Schema,
    /// Tell what they are set to: a group, or all.
    Read(Option<SettingPath>),
    /// Look at this change, and come back with [`SettingsNews::Ask`] before anything is changed.
    Propose {
        /// What the operator saw.
        if_version: Option<SettingsVersion>,
        /// The changes.
        changes: Vec<SettingChange>,
    },
    /// Look at what takes the last change back, likewise.
    Undo,
    /// The change is allowed: make it.
    Allow,
    /// The change is not allowed.
    Refuse,
    /// The change stays.
    Confirm,
    /// Nobody may change anything any more: what is not confirmed is taken back.
    Withdraw,
}

/// What the device says about its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsNews {
    /// What settings there are, as JSON.
    Schema(Vec<u8>),
    /// What they are set to.
    Values {
        /// The version of all of them.
        version: SettingsVersion,
        /// Path and value, without secrets.
        values: Vec<(SettingPath, Shown)>,
    },
    /// They cannot be told.
    Failed(Words),
    /// The change can be made; this is what it would change.
    Ask {
        /// The device's own number for it.
        change: u64,
        /// What would change.
        differences: Vec<Difference>,
    },
    /// How the change stands.
    Stage(ChangeStage),
}

/// What a session knows of the settings.
#[derive(Debug)]
pub(super) struct Settings {
    calls: u64,
    readings: Vec<Reading>,
    change: Option<Change>,
    /// What the mode is still to be told.
    parts: VecDeque<SettingsAnswer>,
    /// The event with the last part, until the mode has answered to it.
    told: Option<u64>,
    read_until: Option<Instant>,
    /// When the last changes were proposed.
    proposed: VecDeque<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    call: u64,
    request: u32,
}

/// The change under way.
#[derive(Debug)]
struct Change {
    call: u64,
    request: u32,
    activation: u16,
    /// The device's number for it, once there is one.
    number: u64,
    /// Which settings it changes.
    paths: Vec<SettingPath>,
    step: Step,
    /// Why it was refused, as far as the session knows better than the device.
    refusal: Option<ChangeRefusal>,
}

/// Whose word allows a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The customer's, to a question about this change.
    Customer,
    /// The owner's, in sleep.
    Policy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The device looks at it.
    Looking,
    /// The customer does.
    Asking,
    /// It is being made, or refused.
    Decided,
    /// It is made and waits to be confirmed.
    Applied,
    /// The operator has confirmed it, or nobody may any more.
    Over,
}

impl Settings {
    pub(super) const fn new() -> Self {
        Self {
            calls: 0,
            readings: Vec::new(),
            change: None,
            parts: VecDeque::new(),
            told: None,
            read_until: None,
            proposed: VecDeque::new(),
        }
    }

    /// Puts a call to the device: its record first.
    fn call(
        &mut self,
        _permit: &Permit<'_>,
        now: Instant,
        out: &mut Outbox,
        activation: u16,
        call: SettingsCall,
    ) -> Result<(), Denial> {
        let request = call.request;
        match call.wants {
            SettingsWish::Schema => self.read(now, out, activation, request, SettingsAct::Schema),
            SettingsWish::Read(group) => {
                self.read(now, out, activation, request, SettingsAct::Read(group))
            }
            SettingsWish::Propose {
                if_version,
                changes,
            } => {
                let count = u16::try_from(changes.len()).unwrap_or(u16::MAX);
                let act = SettingsAct::Propose {
                    if_version,
                    changes,
                };
                out.record(Record::SettingsProposed { activation, count });
                self.begin(now, out, activation, request, act);
                Ok(())
            }
            SettingsWish::Undo => {
                out.record(Record::SettingsUndo { activation });
                self.begin(now, out, activation, request, SettingsAct::Undo);
                Ok(())
            }
            SettingsWish::Confirm => self.confirm(out, request),
        }
    }

    fn read(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        activation: u16,
        request: u32,
        act: SettingsAct,
    ) -> Result<(), Denial> {
        if self.readings.len() == MAX_READINGS || self.parts.len() > MAX_PARTS {
            if self.parts.len() <= 2 * MAX_PARTS {
                let words = Words::new("too many questions about settings at once");
                self.answer(request, SettingsPart::Failed(words));
            }
            return Err(Denial::OverLimit);
        }
        if self.read_until.is_none_or(|until| now >= until) {
            self.read_until = Some(now + READING);
            out.record(Record::SettingsRead { activation });
        }
        let call = self.number();
        self.readings.push(Reading { call, request });
        out.event(Event::Settings { call, act });
        Ok(())
    }

    fn begin(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        activation: u16,
        request: u32,
        act: SettingsAct,
    ) {
        self.proposed.push_back(now);
        let call = self.number();
        self.change = Some(Change {
            call,
            request,
            activation,
            number: 0,
            paths: Vec::new(),
            step: Step::Looking,
            refusal: None,
        });
        out.event(Event::Settings { call, act });
    }

    fn confirm(&mut self, out: &mut Outbox, request: u32) -> Result<(), Denial> {
        let waits =
            |change: &&mut Change| change.request == request && change.step == Step::Applied;
        let Some(change) = self.change.as_mut().filter(waits) else {
            return Err(Denial::NotHeld);
        };
        change.step = Step::Over;
        out.record(Record::SettingsConfirm {
            change: change.number,
        });
        out.event(Event::Settings {
            call: change.call,
            act: SettingsAct::Confirm,
        });
        Ok(())
    }

    /// Whether the next change should wait.
    fn is_crowded(&mut self, now: Instant) -> bool {
        self.proposed.retain(|at| now < *at + CROWD);
        self.proposed.len() >= MAX_CHANGES
    }

    const fn number(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }

    fn answer(&mut self, request: u32, part: SettingsPart) {
        self.parts.push_back(SettingsAnswer { request, part });
    }

    /// Takes in what was read, in parts that fit into a message each.
    fn on_reading(&mut self, call: u64, news: SettingsNews) {
        let at = self
            .readings
            .iter()
            .position(|reading| reading.call == call);
        let Some(at) = at else {
            return;
        };
        let Reading { request, .. } = self.readings.remove(at);
        match news {
            SettingsNews::Schema(json) => {
                let count = json.len().div_ceil(MAX_PART_LEN).max(1);
                for n in 0..count {
                    let piece = json.chunks(MAX_PART_LEN).nth(n).unwrap_or_default();
                    let (json, is_last) = (piece.to_vec(), n + 1 == count);
                    self.answer(request, SettingsPart::Schema { json, is_last });
                }
            }
            SettingsNews::Values { version, values } => {
                let pieces = pieces(values, MAX_PART_LEN - 32);
                let count = pieces.len();
                for (n, values) in pieces.into_iter().enumerate() {
                    let is_last = n + 1 == count;
                    let part = SettingsPart::Values {
                        version,
                        values,
                        is_last,
                    };
                    self.answer(request, part);
                }
            }
            SettingsNews::Failed(words) => self.answer(request, SettingsPart::Failed(words)),
            SettingsNews::Ask { .. } | SettingsNews::Stage(_) => {}
        }
    }

    /// The mode that asked is over: it is told nothing more, and what is not confirmed is taken back.
    fn withdraw(&mut self, out: &mut Outbox) {
        self.readings.clear();
        self.parts.clear();
        self.told = None;
        if let Some(change) = &mut self.change {
            out.drop_settings();
            change.step = Step::Over;
            out.event(Event::Settings {
                call: change.call,
                act: SettingsAct::Withdraw,
            });
        }
    }
}

impl Active {
    /// What a mode wants of the settings: with the customer's permit, and each change with their word.
    pub(super) fn on_settings(
        &mut self,
        cx: &mut Cx<'_>,
        activation: u16,
        call: SettingsCall,
    ) -> Result<(), Denial> {
        let permit = self.grant.permit(cx.now, call.needs())?;
        let is_change = match call.wants {
            SettingsWish::Propose { .. } | SettingsWish::Undo => true,
            SettingsWish::Schema | SettingsWish::Read(_) | SettingsWish::Confirm => false,
        };
        if is_change {
            if self.liveness.is_missing() {
                return Err(Denial::LinkMissing);
            }
            let is_busy = self.settings.change.is_some() || self.asking.is_some();
            if is_busy || self.settings.is_crowded(cx.now) {
                let busy = ChangeStage::Refused(ChangeRefusal::Busy);
                self.settings
                    .answer(call.request, SettingsPart::Stage(busy));
                return Ok(());
            }
        }
        self.settings
            .call(&permit, cx.now, cx.out, activation, call)
    }

    /// What the device says about its settings.
    pub(super) fn on_settings_news(&mut self, cx: &mut Cx<'_>, call: u64, news: SettingsNews) {
        let is_change = self
            .settings
            .change
            .as_ref()
            .is_some_and(|change| change.call == call);
        match news {
            SettingsNews::Ask {
                change,
                differences,
            } if is_change => self.on_differences(cx, change, differences),
            SettingsNews::Stage(stage) if is_change => self.on_stage(cx, stage),
            news @ (SettingsNews::Schema(_)
            | SettingsNews::Values { .. }
            | SettingsNews::Failed(_)
            | SettingsNews::Ask { .. }
            | SettingsNews::Stage(_)) => self.settings.on_reading(call, news),
        }
    }

    /// The change can be made: now it is the customer's to say.
    fn on_differences(&mut self, cx: &mut Cx<'_>, number: u64, differences: Vec<Difference>) {
        let Some(mode) = self.hosting.running().map(|running| running.mode.clone()) else {
            return;
        };
        let may = self
            .grant
            .permit(cx.now, Capabilities::SETTINGS_WRITE)
            .is_ok();
        let Some(change) = self
            .settings
            .change
            .as_mut()
            .filter(|change| may && change.step == Step::Looking)
        else {
            return;
        };
        change.number = number;
        change.paths = differences.iter().map(|one| one.path.clone()).collect();
        if self.sleep != Sleep::Awake {
            self.allow_change(cx, By::Policy);
        } else if self.asking.is_some() {
            self.refuse_change(cx, ChangeRefusal::Busy);
        } else {
            change.step = Step::Asking;
            let id = self.next_ask_id();
            cx.out.record(Record::SettingsAsked { change: number });
            self.put(cx, Asking::settings(cx.now, id, mode, differences));
        }
    }

    /// The customer, or in sleep the owner, allows the change: the record of each setting goes before it.
    pub(super) fn allow_change(&mut self, cx: &mut Cx<'_>, by: By) {
        let may = self
            .grant
            .permit(cx.now, Capabilities::SETTINGS_WRITE)
            .is_ok();
        let open = |change: &&mut Change| matches!(change.step, Step::Looking | Step::Asking);
        let Some(change) = self
            .settings
            .change
            .as_mut()
            .filter(|change| may && open(change))
        else {
            return;
        };
        change.step = Step::Decided;
        let number = change.number;
        cx.out.record(Record::SettingsAllowed {
            change: number,
            by_policy: by == By::Policy,
        });
        for path in std::mem::take(&mut change.paths) {
            cx.out.record(Record::SettingSet {
                change: number,
                path,
            });
        }
        cx.out.event(Event::Settings {
            call: change.call,
            act: SettingsAct::Allow,
        });
    }

    pub(super) fn refuse_change(&mut self, cx: &mut Cx<'_>, why: ChangeRefusal) {
        let Some(change) = &mut self.settings.change else {
            return;
        };
        change.step = Step::Decided;
        change.refusal = Some(why);
        cx.out.event(Event::Settings {
            call: change.call,
            act: SettingsAct::Refuse,
        });
    }

    /// The customer has more time than was told before.
    pub(super) fn tell_change_asked(&mut self, left: Duration) {
        let stage = ChangeStage::Asked {
            expires_in_s: seconds(left),
        };
        if let Some(change) = &self.settings.change {
            let request = change.request;
            self.settings.answer(request, SettingsPart::Stage(stage));
        }
    }

    fn on_stage(&mut self, cx: &mut Cx<'_>, stage: ChangeStage) {
        let running = self
            .hosting
            .running()
            .map(|running: &Running| running.activation);
        let Some(change) = &mut self.settings.change else {
            return;
        };
        let stage = match (stage, change.refusal) {
            // Told when the question was put.
            (ChangeStage::Asked { .. }, _) => return,
            (ChangeStage::Refused(_), Some(why)) => ChangeStage::Refused(why),
            (stage, _) => stage.fitted(MAX_PART_LEN - 32),
        };
        if change.step == Step::Decided && matches!(stage, ChangeStage::Applied { .. }) {
            change.step = Step::Applied;
        }
        cx.out.record(Record::SettingsStage {
            change: change.number,
            stage: stage.as_str(),
            why: stage.why(),
        });
        let request = change.request;
        let is_told = running == Some(change.activation);
        if stage.is_final() {
            self.settings.change = None;
        }
        if is_told {
            self.settings.answer(request, SettingsPart::Stage(stage));
        }
    }

    /// The mode ends: nobody is asked for it, and nothing more is changed.
    pub(super) fn withdraw_settings(&mut self, cx: &mut Cx<'_>) {
        if self.asking.as_ref().is_some_and(Asking::is_about_settings) {
            self.refuse_ask(cx, Refusal::Policy);
        }
        self.settings.withdraw(cx.out);
    }

    /// The session ends.
    pub(super) fn end_settings(&mut self, out: &mut Outbox) {
        self.settings.withdraw(out);
    }

    /// Tells the mode the next part, once it has answered to the last and there is room for it.
    pub(super) fn feed(&mut self, cx: &mut Cx<'_>) {
        if self.settings.told.is_some() || self.uplink.is_crowded() {
            return;
        }
        if let Some(answer) = self.settings.parts.pop_front() {
            self.settings.told = self.notify(cx, HostEvent::Settings(answer));
        }
    }

    /// The mode has answered to event `seq`.
    pub(super) fn fed(&mut self, seq: u64) {
        self.settings.told.take_if(|told| *told <= seq);
    }
}

/// What the record says of an open question that ends.
pub(super) const fn refusal(refusal: Refusal) -> ChangeRefusal {
    match refusal {
        Refusal::Customer => ChangeRefusal::Customer,
        Refusal::Timeout => ChangeRefusal::Timeout,
        Refusal::Busy => ChangeRefusal::Busy,
        Refusal::NoAdminId | Refusal::Locked | Refusal::Policy | _ => ChangeRefusal::Withdrawn,
    }
}
