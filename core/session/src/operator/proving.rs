//! The operator's proof of the code, and the device's hello.

use std::time::Instant;

use alongside_protocol::{
    control::{Control, HelloOperator},
    frame::{Channel, Frame},
    proof::{KIND_FAIL, Proof, ProofFailure},
};

use super::{Active, Cx, Event, Input, Output};
use crate::{
    Binding, IssuedCode, Outbound, PROOF_DEADLINE, Record, SessionError,
    ending::{Ending, Stop},
    kdf::Entropy,
    proof::{NotProved, OperatorProof, Proved},
    spoken,
};

/// Most bytes of messages that may arrive before the device's hello: its streams are not ordered among each other,
/// and the picture may begin before the hello that was sent first gets through.
const MAX_EARLY: usize = 64 * 1024;

/// Messages that came before their time, in order.
pub(super) type Early = Vec<(Channel, Frame)>;

/// The proof under way.
pub(super) struct Proving {
    peer: alongside_protocol::PublicKey,
    step: Step,
    has_proof: bool,
    early: Early,
    early_bytes: usize,
    deadline: Instant,
}

/// The frame that comes next.
enum Step {
    /// The device's share and tag.
    Answer(OperatorProof),
    /// The device's hello.
    Hello(Proved),
    /// None: the proof failed, or the session has begun.
    Over,
}

impl Proving {
    /// Sends our share.
    pub(super) fn begin(
        cx: &mut Cx<'_>,
        issued: &IssuedCode,
        binding: &Binding,
        entropy: [u8; 32],
    ) -> Result<Self, Stop> {
        check_live(cx, issued)?;
        let (run, first) = OperatorProof::begin(binding, issued.code(), &Entropy::new(entropy));
        send(cx, first.to_frame());
        let deadline = cx.now + PROOF_DEADLINE;
        let step = Step::Answer(run);
        Ok(Self {
            peer: binding.peer,
            step,
            has_proof: false,
            early: Vec::new(),
            early_bytes: 0,
            deadline,
        })
    }

    pub(super) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the device has proved the code, and so may be told things.
    pub(super) const fn has_proof(&self) -> bool {
        self.has_proof
    }

    pub(super) fn on_time(&self, now: Instant) -> Result<(), Stop> {
        if now >= self.deadline {
            Err(Ending::LOST.into())
        } else {
            Ok(())
        }
    }

    /// Takes an input; the session, and what came too early for it, once the device has said hello.
    pub(super) fn on_input(
        &mut self,
        cx: &mut Cx<'_>,
        issued: &mut IssuedCode,
        input: Input,
    ) -> Result<Option<(Box<Active>, Early)>, Stop> {
        match input {
            Input::Message {
                channel: Channel::Control,
                frame,
            } => self.on_frame(cx, issued, &frame),
            Input::Message {
                channel: channel @ (Channel::Panel | Channel::Mode),
                frame,
            } if self.has_proof => {
                self.keep(channel, frame)?;
                Ok(None)
            }
            Input::Message { frame, .. } => Err(Stop::out_of_turn(&frame)),
            // May be lost, so it is.
            Input::Datagram(_) if self.has_proof => Ok(None),
            Input::Datagram(_) => Err(SessionError::Unexpected { kind: 0 }.into()),
            Input::Room { .. } => Ok(None),
            Input::Connected { .. }
            | Input::Countersigned(_)
            | Input::Ask(_)
            | Input::ModeEffects { .. }
            | Input::ModeFailed { .. }
            | Input::Close(_)
            | Input::Timeout
            | Input::Interrupted
            | Input::Disconnected => Err(SessionError::NotNow.into()),
        }
    }

    fn on_frame(
        &mut self,
        cx: &mut Cx<'_>,
        issued: &mut IssuedCode,
        frame: &Frame,
    ) -> Result<Option<(Box<Active>, Early)>, Stop> {
        self.deadline = cx.now + PROOF_DEADLINE;
        match std::mem::replace(&mut self.step, Step::Over) {
            Step::Answer(run) => {
                let proved = on_answer(cx, issued, frame, run)?;
                self.has_proof = true;
                self.step = Step::Hello(proved);
                Ok(None)
            }
            Step::Hello(proved) => self.on_hello(cx, frame, proved).map(Some),
            Step::Over => Err(Stop::out_of_turn(frame)),
        }
    }

    fn on_hello(
        &mut self,
        cx: &mut Cx<'_>,
        frame: &Frame,
        proved: Proved,
    ) -> Result<(Box<Active>, Early), Stop> {
        if frame.kind == KIND_FAIL {
            return match Proof::from_frame(frame.kind, &frame.body)? {
                Proof::Fail(failure) => Err(fail(cx, failure)),
                Proof::A { .. }
                | Proof::B { .. }
                | Proof::C { .. }
                | Proof::ResumeA { .. }
                | Proof::ResumeB { .. } => Err(Stop::out_of_turn(frame)),
            };
        }
        match Control::from_frame(frame.kind, &frame.body)? {
            Control::HelloDevice(hello) => {
                cx.out.record(Record::SessionStarted {
                    session: hello.session,
                    peer: self.peer,
                });
                let active = Active::begin(cx, proved, self.peer, hello);
                Ok((Box::new(active), std::mem::take(&mut self.early)))
            }
            Control::End(end) => Err(Ending::of_device(end).into()),
            Control::HelloOperator(_)
            | Control::Check(_)
            | Control::ModeAsk(_)
            | Control::ModeState(_)
            | Control::IdleWarning(_)
            | Control::StillHere(_)
            | Control::Resumed(_)
            | Control::Seal(_)
            | _ => Err(Stop::out_of_turn(frame)),
        }
    }

    fn keep(&mut self, channel: Channel, frame: Frame) -> Result<(), Stop> {
        self.early_bytes += alongside_protocol::frame::HEADER_LEN + frame.body.len();
        if self.early_bytes > MAX_EARLY {
            return Err(Stop::out_of_turn(&frame));
        }
        self.early.push((channel, frame));
        Ok(())
    }
}

fn on_answer(
    cx: &mut Cx<'_>,
    issued: &mut IssuedCode,
    frame: &Frame,
    run: OperatorProof,
) -> Result<Proved, Stop> {
    let (share, tag) = match Proof::from_frame(frame.kind, &frame.body)? {
        Proof::B { share, tag } => (share, tag),
        Proof::Fail(failure) => return Err(fail(cx, failure)),
        Proof::A { .. } | Proof::C { .. } | Proof::ResumeA { .. } | Proof::ResumeB { .. } => {
            return Err(Stop::out_of_turn(frame));
        }
    };
    check_live(cx, issued)?;
    // Charged before it is looked at: what we do next tells the other side whether it guessed right.
    let tries_left = issued.charge();
    cx.out.record(Record::AttemptCharged);
    cx.out.event(Event::AttemptCharged { tries_left });
    match run.check(share, tag) {
        Ok((proved, ours)) => {
            send(cx, ours.to_frame());
            let name = cx.config.name.clone();
            send(cx, Control::from(HelloOperator { name }).to_frame());
            let ours = cx.config.modes.iter().map(|known| (&known.id, known.peer));
            if let Some(modes) = spoken::announce(ours) {
                send(cx, modes.to_frame());
            }
            Ok(proved)
        }
        Err(NotProved) if tries_left == 0 => Err(refuse(cx, ProofFailure::Burnt)),
        Err(NotProved) => Err(refuse(cx, ProofFailure::Wrong { tries_left })),
    }
}

fn check_live(cx: &mut Cx<'_>, issued: &IssuedCode) -> Result<(), Stop> {
    if issued.is_live(cx.now) {
        return Ok(());
    }
    let failure = if issued.tries_left() == 0 {
        ProofFailure::Burnt
    } else {
        ProofFailure::Expired
    };
    Err(refuse(cx, failure))
}

fn send(cx: &mut Cx<'_>, frame: Vec<u8>) {
    cx.out
        .push(Output::Send(Outbound::reliable(Channel::Control, frame)));
}

/// We do not go on: says so to the other side, and ends.
fn refuse(cx: &mut Cx<'_>, failure: ProofFailure) -> Stop {
    send(cx, Proof::Fail(failure).to_frame());
    fail(cx, failure)
}

/// The proof failed.
fn fail(cx: &mut Cx<'_>, failure: ProofFailure) -> Stop {
    cx.out.record(Record::ProofFailed(failure));
    cx.out.event(Event::CodeFailed(failure));
    Ending::NOT_PROVED.into()
}
