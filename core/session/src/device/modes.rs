//! The mode that runs on the device: how it begins, what it hears, how it ends.

use alongside_mode::{Capabilities, HostEvent, Side, Start, StopReason};
use alongside_protocol::{
    control::ModeState,
    ids::ModeId,
    mode::ModeMessage,
    reason::{ModePhase, Refusal},
};

use super::{Active, Cx, Event, Output};
use crate::{Record, hosting::Running, ladder};

impl Active {
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
        self.points_until = None;
        cx.out.record(Record::ModeActivated {
            mode: mode.clone(),
            activation,
            granted,
        });
        self.grant.give(granted, self.granted_until());
        self.announce(cx, state(mode.clone(), activation, ModePhase::Active));
        let locale = cx.config.locale.clone();
        let protocol = self.protocol(cx, &mode).unwrap_or(1);
        let panel = cx.config.size;
        self.notify(
            cx,
            HostEvent::Start(Start {
                side: Side::Device,
                granted,
                protocol,
                panel,
                locale,
            }),
        );
    }

    /// The version of the halves' own protocol that both sides speak; `None` if there is none.
    pub(super) fn protocol(&self, cx: &Cx<'_>, mode: &ModeId) -> Option<u16> {
        match cx.config.modes.iter().find(|offer| offer.id == *mode) {
            Some(offer) => self.theirs.newest_common(mode, offer.peer),
            // The user guide, which every device and every operator has.
            None => Some(1),
        }
    }

    /// The mode is over; above the user guide, that takes its place.
    pub(super) fn finish_mode(&mut self, cx: &mut Cx<'_>, why: StopReason) {
        if self.raised.is_some() {
            self.drop_renewal(cx);
            self.lower(cx, why);
            return;
        }
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
        if self.raised.take().is_some() {
            self.drop_renewal(cx);
            self.wake(cx);
            self.activate(cx, ModeId::user_guide(), ladder::USER_GUIDE);
        }
    }

    pub(super) fn stop_mode(&mut self, cx: &mut Cx<'_>, why: StopReason) -> Option<(ModeId, u16)> {
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
        self.withdraw_settings(cx);
        self.grant.withdraw();
        self.let_go(cx.out);
        self.hand.forget_rest();
        self.hosting.end();
        self.uplink.clear_mode();
        self.wipe(cx.out);
    }

    /// Gives the mode that runs an event.
    ///
    /// Gives its number; none if no mode runs.
    pub(super) fn notify(&mut self, cx: &mut Cx<'_>, event: HostEvent) -> Option<u64> {
        let mode = self.hosting.running().map(|running| running.mode.clone())?;
        let seq = self.hosting.number();
        cx.out.push(Output::ModeEvent { seq, mode, event });
        Some(seq)
    }

    pub(super) fn announce(&mut self, cx: &mut Cx<'_>, state: ModeState) {
        self.tell(cx, state.clone());
        cx.out.event(Event::Mode(state));
    }
}

pub(super) fn state(mode: ModeId, activation: u16, phase: ModePhase) -> ModeState {
    ModeState {
        mode,
        activation,
        phase,
        refusal: None,
        expires_in_s: None,
    }
}

pub(super) fn refused(mode: ModeId, refusal: Refusal) -> ModeState {
    ModeState {
        refusal: Some(refusal),
        ..state(mode, 0, ModePhase::Refused)
    }
}
