//! The device's side without a connection: nothing of the operator's happens, and whoever comes in its place proves that
//! it is in the session.

use std::time::Instant;

use alongside_mode::{Capabilities, StopReason};
use alongside_panel::Position;
use alongside_protocol::{
    control::{Control, Resumed},
    frame::{Channel, Frame},
    ids::ModeId,
    proof::{Proof, ProofFailure},
    reason::Refusal,
};

use super::{Active, Cx, Event};
use crate::{
    Binding, Link, Outbound, Record, SessionError,
    ending::{Ending, Stop},
    hosting::Running,
    kdf::Entropy,
    ladder,
    line::Line,
    liveness::Liveness,
    proof::NotProved,
    resume::Ask,
};

/// Somebody who has come in the operator's place.
pub(super) enum Comer {
    /// Has still to prove to be in the session.
    Unproved {
        binding: Binding,
        entropy: Box<Entropy>,
    },
    /// Has, and has been answered; has still to show that it got the answer.
    Answered,
}

impl Active {
    /// Whether the operator may say anything on the connection that there is now.
    pub(super) const fn admits(&self) -> bool {
        match &self.line {
            Line::Up => true,
            Line::Down(down) => match &down.coming {
                Some(coming) => matches!(coming.proof, Comer::Answered),
                None => false,
            },
        }
    }

    /// The connection is gone. What the operator holds is let go of, and what nobody has answered is a no.
    pub(super) fn interrupt(&mut self, cx: &mut Cx<'_>) {
        if !self.line.is_up() {
            self.turn_away(cx);
            return;
        }
        self.let_go(cx.out);
        self.refuse_ask(cx, Refusal::Interrupted);
        self.uplink.clear();
        self.liveness.lose();
        cx.out.mute();
        let granted = self.granted();
        self.line = Line::lost(cx.now, granted);
        cx.out.record(Record::Interrupted);
        self.tell_lost(cx);
    }

    /// Whoever has come goes again; whether there was anybody to go.
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

    /// Somebody has come; TLS says that it holds the operator's key.
    pub(super) fn on_connected(
        &mut self,
        now: Instant,
        binding: Binding,
        entropy: [u8; 32],
    ) -> Result<(), Stop> {
        let Some(down) = self.line.down() else {
            return Err(SessionError::NotNow.into());
        };
        let entropy = Box::new(Entropy::new(entropy));
        down.come(now, Comer::Unproved { binding, entropy });
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
        let lowers = down.lowers_at.take_if(|at| *at <= cx.now).is_some();
        let is_stalled = down.is_stalled(cx.now);
        if lowers && self.raised.is_some() {
            self.lower(cx, StopReason::Withdrawn);
        }
        if is_stalled {
            self.turn_away(cx);
        }
        self.consent_on_time(cx);
        self.hand_on_time(cx);
        self.timers_on_time(cx);
        Ok(())
    }

    /// Exactly the next frame, or whoever sent it goes again.
    pub(super) fn on_comers_message(
        &mut self,
        cx: &mut Cx<'_>,
        channel: Channel,
        frame: &Frame,
    ) -> Result<(), Stop> {
        let Some(coming) = self.line.down().and_then(|down| down.coming.as_mut()) else {
            // Of a connection that is given up.
            return Ok(());
        };
        match &coming.proof {
            Comer::Unproved { binding, entropy } if channel == Channel::Control => {
                let Proof::ResumeA {
                    session,
                    epoch,
                    nonce,
                    tag,
                } = Proof::from_frame(frame.kind, &frame.body)?
                else {
                    return Err(Stop::out_of_turn(frame));
                };
                let ask = Ask {
                    session,
                    epoch,
                    nonce,
                    tag,
                };
                match self.ratchet.answer(binding, entropy, ask) {
                    Ok(answer) => {
                        coming.proof = Comer::Answered;
                        send(cx, &answer);
                    }
                    Err(NotProved) => {
                        send(cx, &Proof::Fail(ProofFailure::Wrong { tries_left: 0 }));
                        self.turn_away(cx);
                    }
                }
                Ok(())
            }
            Comer::Unproved { .. } => Err(Stop::out_of_turn(frame)),
            Comer::Answered if channel == Channel::Control => {
                match Control::from_frame(frame.kind, &frame.body)? {
                    Control::Resumed(theirs) => {
                        self.go_on(cx, &theirs);
                        Ok(())
                    }
                    Control::End(end) => Err(Ending::of_operator(end).into()),
                    Control::HelloDevice(_)
                    | Control::HelloOperator(_)
                    | Control::Check(_)
                    | Control::ModeAsk(_)
                    | Control::ModeState(_)
                    | Control::IdleWarning(_)
                    | Control::StillHere(_)
                    | _ => Err(Stop::out_of_turn(frame)),
                }
            }
            // Overtook the word that makes it count.
            Comer::Answered => Ok(()),
        }
    }

    /// The session goes on. Both halves of the mode that runs begin anew, because what was between them is lost.
    fn go_on(&mut self, cx: &mut Cx<'_>, theirs: &Resumed) {
        self.ratchet.confirm();
        self.line = Line::Up;
        self.liveness = Liveness::new(cx.now);
        cx.out.unmute();
        cx.out.record(Record::WentOn {
            epoch: self.ratchet.epoch(),
        });
        cx.out.event(Event::Link(Link::Ok));
        if self.idle.acted(cx.now) {
            self.warn(cx, std::time::Duration::ZERO);
        }
        let at = theirs.picture.map(|(epoch, seq)| Position { epoch, seq });
        let is_here = self.picture.resume(cx.now, at);
        let ours = self.hosting.running().map(Running::id);
        self.tell(
            cx,
            Resumed {
                mode: ours.clone(),
                granted: self.granted().bits(),
                picture: theirs.picture.filter(|_| is_here),
            },
        );
        self.begin_anew(cx, ours, theirs);
    }

    /// What both sides take for granted goes on, and whatever only one of them does is over.
    fn begin_anew(&mut self, cx: &mut Cx<'_>, ours: Option<(ModeId, u16)>, theirs: &Resumed) {
        let Some((mode, activation)) = ours else {
            return;
        };
        if theirs.mode.as_ref() != Some(&(mode.clone(), activation)) && self.raised.is_some() {
            self.lower(cx, StopReason::Withdrawn);
            return;
        }
        let granted = self.granted();
        self.stop_mode(cx, StopReason::Replaced);
        self.activate(cx, mode, granted);
    }

    /// What the mode that runs may do.
    fn granted(&self) -> Capabilities {
        self.raised
            .map_or(ladder::USER_GUIDE, |raised| raised.granted)
    }
}

fn send(cx: &mut Cx<'_>, proof: &Proof) {
    cx.out
        .answer(Outbound::reliable(Channel::Control, proof.to_frame()));
}
