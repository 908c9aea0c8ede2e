//! What the device half of a mode wants done, and the one way in which it gets done.
//!
//! Every effect passes [`Active::on_effect`]. What the customer sees is released by a function that takes a
//! [`Permit`], and its record goes out before it.

use alongside_mode::{Effect, Line, StopReason};
use alongside_protocol::annotation::Annotation;

use super::{Active, Cx, Event};
use crate::{
    Act, Record,
    grant::{Denial, Permit},
};

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
                cx.out.record(Record::Denied { act, why });
            }
        }
    }

    fn on_effect(&mut self, cx: &mut Cx<'_>, effect: Effect) -> Result<(), Denial> {
        let permit = self.grant.permit(cx.now, effect.needs())?;
        let running = self.hosting.running_mut().ok_or(Denial::NoGrant)?;
        let activation = running.activation;
        match effect {
            Effect::Annotate(annotation) => {
                self.has_drawn |= is_drawing(&annotation);
                annotate(&permit, cx, activation, annotation);
                Ok(())
            }
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
            // No rung of the ladder grants these, and the console is the operator half's.
            Effect::Pointer(_) | Effect::Key(_) | Effect::Text(_) | Effect::Console(_) => {
                Err(Denial::OutOfScope)
            }
        }
    }

    /// Takes back whatever was drawn in this session; that needs nobody's permission.
    pub(super) fn wipe(&mut self, out: &mut super::Outbox) {
        if self.has_drawn {
            out.event(Event::Annotate(Annotation::Clear));
            out.event(Event::Annotate(Annotation::PointerGone));
        }
    }
}

fn annotate(_permit: &Permit<'_>, cx: &mut Cx<'_>, activation: u16, annotation: Annotation) {
    cx.out.record(Record::Released {
        activation,
        act: Act::Annotate,
    });
    cx.out.event(Event::Annotate(annotation));
}

fn notice(_permit: &Permit<'_>, cx: &mut Cx<'_>, activation: u16, line: Line) {
    cx.out.record(Record::Released {
        activation,
        act: Act::Notice,
    });
    cx.out.event(Event::Notice(line));
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
