//! What the device half of a mode wants done, and the one way in which it gets done.
//!
//! Every effect passes [`Active::on_effect`]. What the customer sees is released by a function that takes a
//! [`Permit`], and its record goes out before it.

use std::time::Duration;

use alongside_mode::{Capabilities, Effect, Line, StopReason};
use alongside_protocol::{annotation::Annotation, reason::ModePhase};

use super::{
    Active, Cx, Event, Outbox,
    consent::{Sleep, seconds},
    hand::Answered,
    modes::state,
};
use crate::{
    Act, Limits, Record, SessionError,
    action::Action,
    ending::Stop,
    grant::{Denial, Permit},
    hosting::Running,
};

/// Time for which one record stands for its like (our choice: a hand that moves 60 times a second, or a hostile one that
/// tries 10,000 times, must not fill the store).
const RUN: Duration = Duration::from_secs(1);

impl Active {
    /// What the mode answered to event `seq`.
    pub(super) fn on_effects(&mut self, cx: &mut Cx<'_>, seq: u64, effects: Vec<Effect>) {
        for effect in effects {
            let act = Act::of(&effect);
            // Asked anew for each: an effect may have ended the mode.
            let done = if self.hosting.counts(seq) {
                self.on_effect(cx, effect)
            } else {
                Err(Denial::Stale)
            };
            if let Err(why) = done {
                self.deny(cx, act, why);
            }
        }
    }

    /// Leaves a record of what does not happen; one for its like within a second.
    fn deny(&mut self, cx: &mut Cx<'_>, act: Act, why: Denial) {
        let is_run = self
            .denied
            .is_some_and(|(was, how, until)| (was, how) == (act, why) && cx.now < until);
        if !is_run {
            self.denied = Some((act, why, cx.now + RUN));
            cx.out.record(Record::Denied { act, why });
        }
    }

    fn on_effect(&mut self, cx: &mut Cx<'_>, effect: Effect) -> Result<(), Denial> {
        let permit = self.grant.permit(cx.now, effect.needs())?;
        let running = self.hosting.running_mut().ok_or(Denial::NoGrant)?;
        let activation = running.activation;
        match effect {
            Effect::Annotate(annotation) => {
                self.has_drawn |= is_drawing(&annotation);
                let is_run = is_pointing(&annotation)
                    && self.points_until.is_some_and(|until| cx.now < until);
                if !is_run {
                    self.points_until = is_pointing(&annotation).then(|| cx.now + RUN);
                    let act = Act::Annotate;
                    cx.out.record(Record::Released { activation, act });
                }
                annotate(&permit, cx, annotation);
                Ok(())
            }
            Effect::Notice(_) if self.sleep != Sleep::Awake => Err(Denial::OutOfScope),
            Effect::Notice(line) => {
                notice(&permit, cx, activation, line);
                Ok(())
            }
            Effect::Peer { delivery, body } => {
                let message = running.seal(delivery, body)?;
                self.uplink.send(&message)
            }
            Effect::SetTimer { id, after } => running.set_timer(cx.now, id, after),
            Effect::Audit(line) => {
                cx.out.record(Record::ModeSays(line));
                Ok(())
            }
            Effect::Finish(_) => {
                self.finish_mode(cx, StopReason::Finished);
                Ok(())
            }
            Effect::Pointer(event) => self.act(cx, activation, Action::Pointer(event)),
            Effect::Key(event) => self.act(cx, activation, Action::Key(event)),
            Effect::Text(text) => self.act(cx, activation, Action::Text(text)),
            Effect::Settings(call) => self.on_settings(cx, activation, call),
            // The console is the operator half's.
            Effect::Console(_) => Err(Denial::OutOfScope),
        }
    }

    /// The operator's hand on the panel: with the customer's permit, and while no hand but theirs may be there.
    fn act(&mut self, cx: &mut Cx<'_>, activation: u16, action: Action) -> Result<(), Denial> {
        let permit = self.grant.permit(cx.now, Capabilities::INPUT)?;
        if self.asking.is_some() {
            return Err(Denial::Asking);
        }
        if self.is_masked {
            return Err(Denial::Masked);
        }
        if self.liveness.is_missing() {
            return Err(Denial::LinkMissing);
        }
        if self.hand.is_resting() {
            return Err(Denial::Paused);
        }
        let (now, size) = (cx.now, cx.config.size);
        if let Action::Pointer(event) = &action {
            self.picture.touched(now, event.at);
        }
        self.hand
            .act(&permit, now, cx.out, activation, size, action)
    }

    /// The panel's answer to an action.
    pub(super) fn on_injected(&mut self, cx: &mut Cx<'_>, n: u64, done: bool) -> Result<(), Stop> {
        let answered = self.hand.answered(n).ok_or(SessionError::NotNow)?;
        if answered == Answered::Deed || !done {
            cx.out.record(Record::Performed { n, done });
        }
        Ok(())
    }

    /// The customer's hand is on the panel, and the operator's off it for a while.
    pub(super) fn pause(&mut self, cx: &mut Cx<'_>) {
        let has_hand = self.grant.permit(cx.now, Capabilities::INPUT).is_ok();
        if !has_hand || self.asking.is_some() {
            return;
        }
        let was_resting = self.hand.is_resting();
        let is_news = self.hand.rest(cx.now);
        if !was_resting {
            self.let_go(cx.out);
            cx.out.record(Record::Paused);
        }
        if is_news && let Some((mode, activation)) = self.hosting.running().map(Running::id) {
            let mut state = state(mode, activation, ModePhase::Paused);
            state.expires_in_s = Some(seconds(Limits::PAUSE));
            self.announce(cx, state);
        }
    }

    /// The customer's hand has been off the panel for long enough.
    pub(super) fn hand_on_time(&mut self, cx: &mut Cx<'_>) {
        if self.hand.has_rested(cx.now) {
            cx.out.record(Record::Resumed);
            if let Some((mode, activation)) = self.hosting.running().map(Running::id) {
                self.announce(cx, state(mode, activation, ModePhase::Active));
            }
        }
    }

    /// The operator lets go of everything on the panel; that needs nobody's permission.
    pub(super) fn let_go(&mut self, out: &mut Outbox) {
        let activation = self
            .hosting
            .running()
            .map_or(0, |running| running.activation);
        self.hand.let_go(out, activation);
    }

    /// Takes back whatever was drawn in this session; that needs nobody's permission.
    pub(super) fn wipe(&mut self, out: &mut Outbox) {
        if self.has_drawn {
            out.event(Event::Annotate(Annotation::Clear));
            out.event(Event::Annotate(Annotation::PointerGone));
        }
    }
}

fn annotate(_permit: &Permit<'_>, cx: &mut Cx<'_>, annotation: Annotation) {
    cx.out.event(Event::Annotate(annotation));
}

fn notice(_permit: &Permit<'_>, cx: &mut Cx<'_>, activation: u16, line: Line) {
    cx.out.record(Record::Released {
        activation,
        act: Act::Notice,
    });
    cx.out.event(Event::Notice(line));
}

const fn is_pointing(annotation: &Annotation) -> bool {
    matches!(annotation, Annotation::Pointer { .. })
}

/// Whether something stands on the panel after `annotation` that did not before.
const fn is_drawing(annotation: &Annotation) -> bool {
    match annotation {
        Annotation::Pointer { .. } | Annotation::Stroke(_) => true,
        Annotation::PointerGone | Annotation::Undo(_) | Annotation::Clear => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use alongside_mode::Capabilities;
    use alongside_protocol::{PanelPoint, SessionId, units::Color};

    use super::*;
    use crate::{device::outbox::Outbox, fuzzing::device_config, proof::Proved};

    #[expect(clippy::disallowed_methods, reason = "an instant to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    /// What comes of a pointer that the running mode wants drawn at `now`, after `change` to a fresh session.
    fn point(now: Instant, change: impl FnOnce(&mut Active)) -> Result<(), Denial> {
        let (config, mut out) = (device_config(), Outbox::default());
        let mut cx = Cx {
            now,
            config: &config,
            out: &mut out,
        };
        let mut active = Active::begin(&mut cx, Proved::for_test(), SessionId([0; 16]), 0);
        change(&mut active);
        let at = PanelPoint::from_pixels(1, 1);
        let color = Color::rgb(255, 0, 0);
        active.on_effect(&mut cx, Effect::Annotate(Annotation::Pointer { at, color }))
    }

    #[test]
    fn a_mode_that_still_runs_can_do_nothing_without_a_live_grant() {
        let now = start();
        assert_eq!(point(now, |_| ()), Ok(()));
        assert_eq!(
            point(now, |active| active.grant.withdraw()),
            Err(Denial::NoGrant)
        );
        let later = now + Duration::from_secs(1);
        assert_eq!(
            point(now, |active| active.grant.give(Capabilities::VIEW, later)),
            Err(Denial::OutOfScope)
        );
        assert_eq!(
            point(now, |active| active.grant.give(Capabilities::ANNOTATE, now)),
            Err(Denial::Expired)
        );
    }
}
