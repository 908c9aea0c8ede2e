//! The operator's side without a connection: nothing goes out, and whoever answers in the device's place proves that it is
//! in the session.

use alongside_protocol::{
    control::{Control, ModeState, Resumed},
    frame::{Channel, Frame},
    proof::Proof,
    reason::{ModePhase, Refusal},
};

use super::{Active, Cx, Event};
use crate::{
    Binding, Link, Outbound, Record, SessionError,
    ending::{Ending, Stop},
    hosting::Running,
    kdf::Entropy,
    line::Line,
    liveness::Liveness,
    proof::NotProved,
};

impl Active {
    /// Whether the device may say anything on the connection that there is now.
    pub(super) const fn admits(&self) -> bool {
        self.line.is_up()
    }

    /// The connection is gone. What nobody has answered is a no.
    pub(super) fn interrupt(&mut self, cx: &mut Cx<'_>) {
        if !self.line.is_up() {
            self.turn_away(cx);
            return;
        }
        let mode = self.hosting.running().map(|running| &running.mode);
        let granted = mode.and_then(|mode| cx.config.capabilities(mode));
        self.line = Line::lost(cx.now, granted.unwrap_or_default());
        self.uplink.clear();
        self.early.clear();
        self.liveness.lose();
        cx.out.mute();
        cx.out.record(Record::Interrupted);
        if let Some(asked) = self.asked.take() {
            cx.out.event(Event::Mode(ModeState {
                activation: 0,
                phase: ModePhase::Refused,
                refusal: Some(Refusal::Interrupted),
                expires_in_s: None,
                ..asked
            }));
        }
        self.tell_lost(cx);
    }

    /// Whoever has answered goes again; whether there was anybody to go.
    pub(super) fn turn_away(&mut self, cx: &mut Cx<'_>) -> bool {
        let Some(down) = self.line.down() else {
            return false;
        };
        if down.coming.take().is_some() {
            cx.out.record(Record::ResumeRefused);
            self.tell_lost(cx);
        }
        true
    }

    fn tell_lost(&mut self, cx: &mut Cx<'_>) {
        if let Some(down) = self.line.down() {
            let ends_in = down.ends_in(cx.now);
            cx.out.event(Event::Link(Link::Lost { ends_in }));
        }
    }

    /// There is a connection to somebody who holds the device's key: asks it to go on.
    pub(super) fn on_connected(
        &mut self,
        cx: &mut Cx<'_>,
        binding: &Binding,
        entropy: [u8; 32],
    ) -> Result<(), Stop> {
        if binding.peer != self.peer {
            return Err(SessionError::OtherKey.into());
        }
        let Some(down) = self.line.down() else {
            return Err(SessionError::NotNow.into());
        };
        let (asked, ask) = self.ratchet.ask(binding, &Entropy::new(entropy));
        down.come(cx.now, asked);
        cx.out
            .ask(Outbound::reliable(Channel::Control, ask.to_frame()));
        Ok(())
    }

    /// What is due while there is no connection.
    pub(super) fn wait_on_time(&mut self, cx: &mut Cx<'_>) -> Result<(), Stop> {
        let Some(down) = self.line.down() else {
            return Ok(());
        };
        if cx.now >= down.ends_at {
            return Err(Ending::LOST.into());
        }
        // What becomes of the mode is the device's matter.
        down.lowers_at.take_if(|at| *at <= cx.now);
        if down.is_stalled(cx.now) {
            self.turn_away(cx);
        }
        self.timers_on_time(cx);
        Ok(())
    }

    /// The device's answer, or whoever sent it goes again.
    pub(super) fn on_answer(
        &mut self,
        cx: &mut Cx<'_>,
        channel: Channel,
        frame: &Frame,
    ) -> Result<(), Stop> {
        let Some(coming) = self.line.down().and_then(|down| down.coming.as_mut()) else {
            // Of a connection that is given up.
            return Ok(());
        };
        if channel != Channel::Control {
            return Err(Stop::out_of_turn(frame));
        }
        match Proof::from_frame(frame.kind, &frame.body)? {
            Proof::ResumeB { nonce, tag } => {
                match self.ratchet.check(&coming.proof, nonce, tag) {
                    Ok(()) => self.go_on(cx),
                    Err(NotProved) => drop(self.turn_away(cx)),
                }
                Ok(())
            }
            Proof::Fail(_) => {
                self.turn_away(cx);
                Ok(())
            }
            Proof::A { .. } | Proof::B { .. } | Proof::C { .. } | Proof::ResumeA { .. } => {
                Err(Stop::out_of_turn(frame))
            }
        }
    }

    /// The session goes on. The device says in which mode, and our half of it begins anew with that word.
    fn go_on(&mut self, cx: &mut Cx<'_>) {
        self.line = Line::Up;
        self.liveness = Liveness::new(cx.now);
        cx.out.unmute();
        cx.out.record(Record::WentOn {
            epoch: self.ratchet.epoch(),
        });
        let mode = self.hosting.running().map(Running::id);
        let granted = (mode.as_ref()).and_then(|(mode, _)| cx.config.capabilities(mode));
        let position = self.decoder.position();
        let resumed = Control::from(Resumed {
            mode,
            granted: granted.unwrap_or_default().bits(),
            picture: position.map(|at| (at.epoch, at.seq)),
        });
        self.send(cx, Outbound::reliable(Channel::Control, resumed.to_frame()));
        cx.out.event(Event::Link(Link::Ok));
    }
}
