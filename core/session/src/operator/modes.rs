//! The operator's half of the mode that the device has begun.

use alongside_mode::{Effect, HostEvent, Side, Start, StopReason};
use alongside_protocol::{control::ModeState, ids::ModeId, mode::ModeMessage, reason::ModePhase};

use super::{Active, Cx, Event, Output};
use crate::{
    Act, Record,
    grant::Denial,
    hosting::{Running, activation_of},
};

/// Most messages of a mode that may arrive before the word that it is active.
const MAX_EARLY: usize = 16;

impl Active {
    pub(super) fn on_mode_message(&mut self, cx: &mut Cx<'_>, message: ModeMessage) {
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

    pub(super) fn on_mode_state(&mut self, cx: &mut Cx<'_>, state: ModeState) {
        cx.out.event(Event::Mode(state.clone()));
        self.asked = (state.phase == ModePhase::Asked).then(|| state.clone());
        let is_ours = |running: &Running| running.activation == state.activation;
        let is_running = self.hosting.running().is_some_and(is_ours);
        match state.phase {
            ModePhase::Active => self.on_active(cx, state.mode, state.activation),
            ModePhase::Ended if is_running => drop(self.stop_mode(cx, StopReason::Finished)),
            // The customer's hand is on the panel, or their eyes on a question: ours stays off it.
            ModePhase::Paused | ModePhase::Asked if is_running => self.is_paused = true,
            ModePhase::Ended | ModePhase::Asked | ModePhase::Paused | ModePhase::Refused | _ => {}
        }
    }

    /// The device has begun a mode: our half of it begins too.
    fn on_active(&mut self, cx: &mut Cx<'_>, mode: ModeId, activation: u16) {
        self.is_paused = false;
        if self
            .hosting
            .running()
            .is_some_and(|running| running.activation == activation)
        {
            return;
        }
        self.stop_mode(cx, StopReason::Replaced);
        self.activation = activation;
        let Some(granted) = cx.config.capabilities(&mode) else {
            return;
        };
        cx.out.record(Record::ModeActivated {
            mode: mode.clone(),
            activation,
            granted,
        });
        let known = cx.config.modes.iter().find(|known| known.id == mode);
        let common = known.and_then(|known| self.theirs.newest_common(&mode, known.peer));
        // The device has refused a mode that has none in common; the user guide has one.
        let protocol = common.unwrap_or(1);
        self.hosting.begin(mode, activation);
        let locale = cx.config.locale.clone();
        let panel = self.hello.size;
        self.notify(
            cx,
            HostEvent::Start(Start {
                side: Side::Operator,
                granted,
                protocol,
                panel,
                locale,
            }),
        );
        for message in std::mem::take(&mut self.early) {
            self.on_mode_message(cx, message);
        }
    }

    pub(super) fn on_effects(&mut self, cx: &mut Cx<'_>, seq: u64, effects: Vec<Effect>) {
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
            | Effect::Notice(_)
            | Effect::Settings(_) => Err(Denial::OutOfScope),
        }
    }

    /// Our half is done. The device's half goes on until the mode is asked for again.
    fn leave_mode(&mut self, cx: &mut Cx<'_>, why: StopReason) {
        if let Some((mode, activation)) = self.stop_mode(cx, why) {
            cx.out.event(Event::Mode(ended(mode, activation)));
        }
    }

    /// Our half broke down: it hears nothing more, not even its end.
    pub(super) fn fail_mode(&mut self, cx: &mut Cx<'_>) {
        let Some((mode, activation)) = self.hosting.running().map(Running::id) else {
            return;
        };
        self.hosting.end();
        self.uplink.clear_mode();
        cx.out.record(Record::ModeFailed { mode: mode.clone() });
        cx.out.event(Event::Mode(ended(mode, activation)));
    }

    fn stop_mode(&mut self, cx: &mut Cx<'_>, why: StopReason) -> Option<(ModeId, u16)> {
        let (mode, activation) = self.hosting.running()?.id();
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
    pub(super) fn notify(&mut self, cx: &mut Cx<'_>, event: HostEvent) {
        let Some(mode) = self.hosting.running().map(|running| running.mode.clone()) else {
            return;
        };
        let seq = self.hosting.number();
        cx.out.push(Output::ModeEvent { seq, mode, event });
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
