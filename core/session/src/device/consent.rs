//! Up and down the ladder: the customer is asked, answers or stays silent, and can take everything back.

use std::time::{Duration, Instant};

use alongside_mode::{Capabilities, StopReason};
use alongside_protocol::{
    control::ModeState,
    ids::ModeId,
    reason::{ModePhase, Refusal},
};

use super::{
    Active, AdminVerdict, Banner, Cx, Event, View,
    ask::{AskId, AskStep, Asking},
    modes::{refused, state},
    settings::{self, By},
};
use crate::{
    Limits, Record, SessionError,
    hosting::Running,
    ladder::{self, Answer},
};

/// Shortest time between two asks that are refused unseen (our choice: each leaves a record).
const ASK_INTERVAL: Duration = Duration::from_secs(1);

/// A rung above the user guide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raised {
    pub(super) granted: Capabilities,
    pub(super) renewal: Renewal,
}

/// What becomes of a grant in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// It lasts as long as the session.
    Never,
    /// The customer is asked again then.
    Asks(Instant),
    /// The owner's word is over then.
    Lapses(Instant),
}

/// Whether the panel shows that somebody is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sleep {
    Awake,
    /// Nothing is shown.
    Asleep,
    /// A hand on the panel has brought up who is connected, for a while.
    Roused(Instant),
}

impl Active {
    /// The operator asks for a mode.
    pub(super) fn on_ask(&mut self, cx: &mut Cx<'_>, mode: ModeId) {
        if self.raised.is_some() && ladder::is_user_guide(&mode) {
            // Down needs nobody, and waits for nobody.
            self.drop_renewal(cx);
            self.lower(cx, StopReason::Replaced);
            return;
        }
        if self.asking.is_some() || cx.now < self.next_ask {
            self.tell(cx, refused(mode, Refusal::Busy));
            return;
        }
        self.next_ask = cx.now + ASK_INTERVAL;
        if self.runs(&mode)
            && let Some(raised) = self.raised
        {
            // Granted already: it starts over, and the grant's time goes on.
            self.stop_mode(cx, StopReason::Replaced);
            self.activate(cx, mode, raised.granted);
            return;
        }
        if self.protocol(cx, &mode).is_none() {
            let refusal = Refusal::Versions;
            cx.out.record(Record::ModeRefused {
                mode: mode.clone(),
                refusal,
            });
            self.tell(cx, refused(mode, refusal));
            return;
        }
        match ladder::answer(cx.now, cx.config, &mode) {
            Answer::Activate(granted) if ladder::is_user_guide(&mode) => {
                self.stop_mode(cx, StopReason::Replaced);
                self.activate(cx, mode, granted);
            }
            Answer::Activate(granted) => self.raise(cx, mode, granted, Renewal::Never),
            Answer::Sleep { granted, lapses } => {
                let renewal = lapses.map_or(Renewal::Never, Renewal::Lapses);
                self.raise(cx, mode, granted, renewal);
                self.fall_asleep(cx);
            }
            Answer::Ask {
                granted,
                wants_admin_id,
            } => {
                let id = self.next_ask_id();
                self.put(cx, Asking::new(cx.now, id, mode, granted, wants_admin_id));
            }
            Answer::Refuse(refusal) => {
                cx.out.record(Record::ModeRefused {
                    mode: mode.clone(),
                    refusal,
                });
                self.tell(cx, refused(mode, refusal));
            }
        }
    }

    /// The customer allows what question `id` is about.
    pub(super) fn on_allow(&mut self, cx: &mut Cx<'_>, id: AskId) -> Result<(), SessionError> {
        let Some(asking) = self.asking.take_if(|asking| asking.id == id) else {
            return Err(SessionError::NotNow);
        };
        if !asking.may_be_allowed() {
            self.asking = Some(asking);
            cx.out.event(Event::AdminIdNeeded(id));
            return Ok(());
        }
        cx.out.event(Event::AskOver(id));
        if asking.is_about_settings() {
            self.allow_change(cx, By::Customer);
            return Ok(());
        }
        cx.out.record(Record::ModeAllowed {
            mode: asking.mode.clone(),
            with_admin_id: asking.wants_admin_id,
        });
        self.next_ask = cx.now;
        if asking.is_renewal {
            self.renew(cx, asking.mode);
        } else {
            let renewal = Renewal::Asks(cx.now + Limits::CONTROL);
            self.raise(cx, asking.mode, asking.granted, renewal);
        }
        Ok(())
    }

    /// The customer does not allow what question `id` is about.
    pub(super) fn on_refuse(&mut self, cx: &mut Cx<'_>, id: AskId) -> Result<(), SessionError> {
        if self.asking.as_ref().is_none_or(|asking| asking.id != id) {
            return Err(SessionError::NotNow);
        }
        self.next_ask = cx.now;
        self.refuse_ask(cx, Refusal::Customer);
        Ok(())
    }

    /// The customer is at the dialog.
    pub(super) fn on_dialog_key(&mut self, now: Instant) -> Result<(), SessionError> {
        let asking = self.asking.as_mut().ok_or(SessionError::NotNow)?;
        asking.stirred(now);
        Ok(())
    }

    /// The administrator's ID for question `id` has been checked. One that comes too late is nobody's.
    pub(super) fn on_admin_id(&mut self, cx: &mut Cx<'_>, id: AskId, verdict: AdminVerdict) {
        let wanted = |asking: &&mut Asking| asking.id == id && asking.wants_admin_id;
        let Some(asking) = self.asking.as_mut().filter(wanted) else {
            return;
        };
        cx.out.record(Record::AdminId(verdict));
        match verdict {
            AdminVerdict::Ok => asking.is_verified = true,
            AdminVerdict::Wrong { .. } => asking.is_verified = false,
            // It may be tried again before the question is over.
            AdminVerdict::Locked { wait } if asking.outlasts(cx.now, wait) => {}
            AdminVerdict::Locked { .. } => self.refuse_ask(cx, Refusal::Locked),
            AdminVerdict::Unavailable => self.refuse_ask(cx, Refusal::NoAdminId),
        }
    }

    /// The customer takes back whatever is more than the user guide; an open question is a no.
    pub(super) fn take_back(&mut self, cx: &mut Cx<'_>) {
        if self.asking.is_some() {
            self.refuse_ask(cx, Refusal::Customer);
        }
        if self.raised.is_some() {
            self.lower(cx, StopReason::Withdrawn);
        }
    }

    /// A hand on the panel brings up who is connected.
    pub(super) fn rouse(&mut self, cx: &mut Cx<'_>) {
        let until = cx.now + Limits::ROUSED;
        match self.sleep {
            Sleep::Awake => {}
            Sleep::Asleep => {
                self.sleep = Sleep::Roused(until);
                cx.out.event(Event::Banner(Banner::Shown));
            }
            Sleep::Roused(_) => self.sleep = Sleep::Roused(until),
        }
    }

    /// What of questions, grants and sleep is due by now.
    pub(super) fn consent_on_time(&mut self, cx: &mut Cx<'_>) {
        match self.asking.as_mut().and_then(|asking| asking.step(cx.now)) {
            Some(AskStep::Expire) => self.refuse_ask(cx, Refusal::Timeout),
            Some(AskStep::Tell(left)) => self.tell_ask(cx, left),
            None => {}
        }
        if let Some(at) = self.renewal_due().filter(|at| *at <= cx.now) {
            if self.line.is_up() {
                self.ask_again(cx, at);
            } else {
                // Nobody is there to go on.
                self.lower(cx, StopReason::Withdrawn);
            }
        }
        if let Sleep::Roused(until) = self.sleep
            && until <= cx.now
        {
            if self.asking.is_some() {
                self.sleep = Sleep::Roused(cx.now + Limits::ROUSED);
            } else {
                self.fall_asleep(cx);
            }
        }
    }

    pub(super) fn consent_deadline(&self) -> Option<Instant> {
        let roused = match self.sleep {
            Sleep::Roused(until) => Some(until),
            Sleep::Awake | Sleep::Asleep => None,
        };
        [
            self.asking.as_ref().map(Asking::deadline),
            self.renewal_due(),
            roused,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Until when what runs is granted: a little beyond the question that renews it, so that no other part of this
    /// crate has to work for a grant to end.
    pub(super) fn granted_until(&self) -> Instant {
        match self.raised.map(|raised| raised.renewal) {
            None | Some(Renewal::Never) => self.ends_at,
            Some(Renewal::Asks(at)) => self.ends_at.min(at + Limits::ASK_LONGEST),
            Some(Renewal::Lapses(at)) => self.ends_at.min(at),
        }
    }

    /// Up: `mode` takes the place of what runs.
    fn raise(&mut self, cx: &mut Cx<'_>, mode: ModeId, granted: Capabilities, renewal: Renewal) {
        self.leave(cx, StopReason::Replaced);
        self.raised = Some(Raised { granted, renewal });
        self.activate(cx, mode, granted);
    }

    /// Down: the user guide takes the place of what runs.
    pub(super) fn lower(&mut self, cx: &mut Cx<'_>, why: StopReason) {
        self.leave(cx, why);
        self.activate(cx, ModeId::user_guide(), ladder::USER_GUIDE);
    }

    fn leave(&mut self, cx: &mut Cx<'_>, why: StopReason) {
        let left = self.stop_mode(cx, why);
        if self.raised.take().is_some()
            && let Some((mode, activation)) = left
        {
            self.announce(cx, state(mode, activation, ModePhase::Ended));
        }
        self.wake(cx);
    }

    /// A mode that is not granted any more cannot be asked about, and hides nothing.
    pub(super) fn wake(&mut self, cx: &mut Cx<'_>) {
        let sleep = std::mem::replace(&mut self.sleep, Sleep::Awake);
        if sleep == Sleep::Asleep {
            cx.out.event(Event::Banner(Banner::Shown));
        }
        if sleep != Sleep::Awake {
            cx.out.event(Event::View(View::Panel));
        }
    }

    fn fall_asleep(&mut self, cx: &mut Cx<'_>) {
        if self.sleep == Sleep::Awake {
            cx.out.event(Event::View(View::Service));
        }
        self.sleep = Sleep::Asleep;
        cx.out.event(Event::Banner(Banner::Hidden));
    }

    fn renew(&mut self, cx: &mut Cx<'_>, mode: ModeId) {
        let Some(raised) = &mut self.raised else {
            return;
        };
        raised.renewal = Renewal::Asks(cx.now + Limits::CONTROL);
        let granted = raised.granted;
        self.grant.give(granted, self.granted_until());
        if let Some((_, activation)) = self.hosting.running().map(Running::id) {
            self.announce(cx, state(mode, activation, ModePhase::Active));
        }
    }

    /// When the customer has to be asked again, unless they are being asked.
    fn renewal_due(&self) -> Option<Instant> {
        let renew_at = match self.raised?.renewal {
            Renewal::Never => return None,
            Renewal::Lapses(at) => return Some(at),
            Renewal::Asks(at) => at,
        };
        match &self.asking {
            None => Some(renew_at),
            Some(asking) if asking.is_renewal => None,
            // One question at a time. The grant ends by itself if this one is never answered.
            Some(_) => Some(self.granted_until()),
        }
    }

    fn ask_again(&mut self, cx: &mut Cx<'_>, due: Instant) {
        let Some((mode, _)) = self.hosting.running().map(Running::id) else {
            return;
        };
        let lapses = |raised: Raised| matches!(raised.renewal, Renewal::Lapses(_));
        let is_over = self.raised.is_some_and(lapses);
        if is_over || self.asking.is_some() || cx.now >= due + Limits::ASK_LONGEST {
            // The grant is over: the machine slept, or another question took too long.
            self.lower(cx, StopReason::Withdrawn);
            return;
        }
        let granted = self
            .raised
            .map_or(Capabilities::NONE, |raised| raised.granted);
        let id = self.next_ask_id();
        self.put(cx, Asking::renewal(cx.now, id, mode, granted));
    }

    /// Puts the question. While it is open the operator's hand is off the panel.
    pub(super) fn put(&mut self, cx: &mut Cx<'_>, asking: Asking) {
        self.let_go(cx.out);
        if !asking.is_about_settings() {
            cx.out.record(Record::ModeAsked {
                mode: asking.mode.clone(),
                wants_admin_id: asking.wants_admin_id,
            });
        }
        self.rouse(cx);
        let ask = asking.put(cx.now);
        let left = ask.expires_in;
        cx.out.event(Event::Asked(ask));
        self.asking = Some(asking);
        self.tell_ask(cx, left);
    }

    fn tell_ask(&mut self, cx: &mut Cx<'_>, left: Duration) {
        let Some(asking) = &self.asking else {
            return;
        };
        if asking.is_about_settings() {
            self.tell_change_asked(left);
            return;
        }
        let activation = if asking.is_renewal {
            self.hosting
                .running()
                .map_or(0, |running| running.activation)
        } else {
            0
        };
        let state = ModeState {
            expires_in_s: Some(seconds(left)),
            ..state(asking.mode.clone(), activation, ModePhase::Asked)
        };
        self.announce(cx, state);
    }

    /// The open question is a no.
    pub(super) fn refuse_ask(&mut self, cx: &mut Cx<'_>, refusal: Refusal) {
        let Some(asking) = self.asking.take() else {
            return;
        };
        cx.out.event(Event::AskOver(asking.id));
        if asking.is_about_settings() {
            self.refuse_change(cx, settings::refusal(refusal));
            return;
        }
        cx.out.record(Record::ModeRefused {
            mode: asking.mode.clone(),
            refusal,
        });
        self.announce(cx, refused(asking.mode, refusal));
        if asking.is_renewal {
            self.lower(cx, StopReason::Withdrawn);
        }
    }

    /// A question about a mode that ends needs no answer.
    pub(super) fn drop_renewal(&mut self, cx: &mut Cx<'_>) {
        if let Some(asking) = self.asking.take_if(|asking| asking.is_renewal) {
            cx.out.event(Event::AskOver(asking.id));
        }
    }

    /// Whether an ID is being typed on the panel, or may be.
    pub(super) fn wants_admin_id(&self) -> bool {
        self.asking
            .as_ref()
            .is_some_and(|asking| asking.wants_admin_id)
    }

    fn runs(&self, mode: &ModeId) -> bool {
        self.hosting
            .running()
            .is_some_and(|running| running.mode == *mode)
    }

    pub(super) const fn next_ask_id(&mut self) -> AskId {
        self.asks = self.asks.wrapping_add(1);
        AskId(self.asks)
    }
}

/// Whole seconds, rounded up.
pub(super) fn seconds(left: Duration) -> u16 {
    u16::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(u16::MAX)
}
