//! The mode that runs on the device: how it begins, what it hears, how it ends.

use std::time::Duration;

use alongside_mode::{Capabilities, HostEvent, Side, Start, StopReason};
use alongside_protocol::{
    control::ModeState,
    ids::ModeId,
    mode::ModeMessage,
    reason::{ModePhase, Refusal},
};

use super::{Active, Cx, Event, Output};
use crate::{
    Record,
    hosting::Running,
    ladder::{self, Answer},
};

/// Version of the halves' own protocol that both sides speak; each mode has one so far.
const PEER_PROTOCOL: u16 = 1;
/// Shortest time between two asks that are looked at (our choice: each leaves a record).
const ASK_INTERVAL: Duration = Duration::from_secs(1);

impl Active {
    pub(super) fn on_ask(&mut self, cx: &mut Cx<'_>, mode: ModeId) {
        if cx.now < self.next_ask {
            self.tell(cx, refused(mode, Refusal::Busy));
            return;
        }
        self.next_ask = cx.now + ASK_INTERVAL;
        match ladder::answer(&mode) {
            Answer::Activate(capabilities) => {
                self.stop_mode(cx, StopReason::Replaced);
                self.activate(cx, mode, capabilities);
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

    /// Bytes of the operator half; dropped unless the mode that sent them is the one that runs.
    pub(super) fn on_mode_message(&mut self, cx: &mut Cx<'_>, message: ModeMessage) {
        let Some(body) = self
            .hosting
            .running_mut()
            .and_then(|running| running.open(message))
        else {
            return;
        };
        self.acted(cx);
        self.notify(cx, HostEvent::Peer(body));
    }

    pub(super) fn activate(&mut self, cx: &mut Cx<'_>, mode: ModeId, granted: Capabilities) {
        let activation = self.hosting.next_activation();
        self.hosting.begin(mode.clone(), activation);
        cx.out.record(Record::ModeActivated {
            mode: mode.clone(),
            activation,
            granted,
        });
        self.grant.give(granted, self.ends_at);
        self.announce(cx, state(mode, activation, ModePhase::Active));
        let locale = cx.config.locale.clone();
        let panel = cx.config.size;
        self.notify(
            cx,
            HostEvent::Start(Start {
                side: Side::Device,
                granted,
                protocol: PEER_PROTOCOL,
                panel,
                locale,
            }),
        );
    }

    /// The mode is over and no other takes its place.
    pub(super) fn finish_mode(&mut self, cx: &mut Cx<'_>, why: StopReason) {
        if let Some((mode, activation)) = self.stop_mode(cx, why) {
            self.announce(cx, state(mode, activation, ModePhase::Ended));
        }
    }

    /// The mode's half broke down: it hears nothing more, not even its end.
    pub(super) fn fail_mode(&mut self, cx: &mut Cx<'_>) {
        let Some((mode, activation)) = self.hosting.running().map(Running::id) else {
            return;
        };
        cx.out.record(Record::ModeFailed { mode: mode.clone() });
        self.withdraw(cx);
        self.announce(cx, state(mode, activation, ModePhase::Ended));
    }

    fn stop_mode(&mut self, cx: &mut Cx<'_>, why: StopReason) -> Option<(ModeId, u16)> {
        let (mode, activation) = self.hosting.running()?.id();
        cx.out.record(Record::ModeEnded {
            mode: mode.clone(),
            activation,
            why,
        });
        self.notify(cx, HostEvent::Stop(why));
        self.withdraw(cx);
        Some((mode, activation))
    }

    /// Nothing is granted any more, nothing that was asked for counts, and nothing stays drawn.
    fn withdraw(&mut self, cx: &mut Cx<'_>) {
        self.grant.withdraw();
        self.hosting.end();
        self.uplink.clear_mode();
        self.wipe(cx.out);
    }

    /// Gives the mode that runs an event.
    pub(super) fn notify(&mut self, cx: &mut Cx<'_>, event: HostEvent) {
        let Some(mode) = self.hosting.running().map(|running| running.mode.clone()) else {
            return;
        };
        let seq = self.hosting.number();
        cx.out.push(Output::ModeEvent { seq, mode, event });
    }

    fn announce(&mut self, cx: &mut Cx<'_>, state: ModeState) {
        self.tell(cx, state.clone());
        cx.out.event(Event::Mode(state));
    }
}

fn state(mode: ModeId, activation: u16, phase: ModePhase) -> ModeState {
    ModeState {
        mode,
        activation,
        phase,
        refusal: None,
        expires_in_s: None,
    }
}

fn refused(mode: ModeId, refusal: Refusal) -> ModeState {
    ModeState {
        refusal: Some(refusal),
        ..state(mode, 0, ModePhase::Refused)
    }
}
