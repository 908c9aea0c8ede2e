//! The device's proof of the code: the next frame, of exactly its kind, within 10 s each.

use std::time::Instant;

use alongside_protocol::{
    AccessCode, SessionId,
    control::{Control, HelloOperator},
    frame::{Channel, Frame},
    proof::{METHOD_CODE, PROOF_VERSION, Proof, ProofFailure},
};

use super::{Active, Cx, Event, Input, Output};
use crate::{
    Binding, Outbound, PROOF_DEADLINE, Record, SessionError,
    ending::{Ending, Stop},
    kdf::Entropy,
    proof::{DeviceProof, NotProved, Proved},
};

/// The proof under way.
pub(super) struct Proving {
    binding: Binding,
    entropy: Entropy,
    step: Step,
    has_proof: bool,
    deadline: Instant,
}

/// The frame that comes next.
enum Step {
    /// The operator's share. Holds the code until it is used, once.
    Share(AccessCode),
    /// The operator's tag.
    Tag(DeviceProof),
    /// The operator's hello.
    Hello(Proved),
    /// None: the proof failed, or the session has begun.
    Over,
}

/// The one who was refused is told that the secrets differ; only the code's issuer knows what is left of it.
const WRONG: ProofFailure = ProofFailure::Wrong { tries_left: 0 };

impl Proving {
    pub(super) fn new(now: Instant, binding: Binding, entropy: [u8; 32], code: AccessCode) -> Self {
        let entropy = Entropy::new(entropy);
        let deadline = now + PROOF_DEADLINE;
        Self {
            binding,
            entropy,
            step: Step::Share(code),
            has_proof: false,
            deadline,
        }
    }

    pub(super) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the operator has proved the code, and so may be told things.
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

    /// Takes an input; the session once the proof stands.
    pub(super) fn on_input(
        &mut self,
        cx: &mut Cx<'_>,
        input: Input,
    ) -> Result<Option<Box<Active>>, Stop> {
        match input {
            Input::Message {
                channel: Channel::Control,
                frame,
            } => self.on_frame(cx, &frame),
            Input::Message { frame, .. } => Err(Stop::out_of_turn(&frame)),
            Input::Datagram(_) => Err(SessionError::Unexpected { kind: 0 }.into()),
            Input::Room { .. } => Ok(None),
            Input::Connected { .. }
            | Input::Frame { .. }
            | Input::Timing { .. }
            | Input::ModeEffects { .. }
            | Input::ModeFailed { .. }
            | Input::Injected { .. }
            | Input::AdminId { .. }
            | Input::Settings { .. }
            | Input::Seal(_)
            | Input::Local(_)
            | Input::Close(_)
            | Input::Timeout
            | Input::Interrupted
            | Input::Disconnected => Err(SessionError::NotNow.into()),
        }
    }

    fn on_frame(&mut self, cx: &mut Cx<'_>, frame: &Frame) -> Result<Option<Box<Active>>, Stop> {
        self.deadline = cx.now + PROOF_DEADLINE;
        match std::mem::replace(&mut self.step, Step::Over) {
            Step::Share(code) => self.step = Step::Tag(self.on_share(cx, frame, &code)?),
            Step::Tag(run) => {
                let proved = on_tag(cx, frame, run)?;
                self.has_proof = true;
                self.step = Step::Hello(proved);
            }
            Step::Hello(proved) => return self.on_hello(cx, frame, proved).map(Some),
            Step::Over => return Err(Stop::out_of_turn(frame)),
        }
        Ok(None)
    }

    fn on_share(
        &self,
        cx: &mut Cx<'_>,
        frame: &Frame,
        code: &AccessCode,
    ) -> Result<DeviceProof, Stop> {
        let share = match Proof::from_frame(frame.kind, &frame.body)? {
            Proof::A {
                version: PROOF_VERSION,
                method: METHOD_CODE,
                share,
            } => share,
            Proof::A { .. } => return Err(refuse(cx, ProofFailure::Unsupported)),
            Proof::Fail(failure) => return Err(fail(cx, failure)),
            Proof::B { .. } | Proof::C { .. } | Proof::ResumeA { .. } | Proof::ResumeB { .. } => {
                return Err(Stop::out_of_turn(frame));
            }
        };
        // The tag that follows lets the other side test one guess, even if it then hangs up.
        cx.out.record(Record::AttemptCharged);
        cx.out.event(Event::AttemptCharged);
        let answer = DeviceProof::answer(&self.binding, code, &self.entropy, share);
        let (run, answer) = answer.map_err(|NotProved| refuse(cx, WRONG))?;
        send(cx, &answer);
        Ok(run)
    }

    fn on_hello(
        &self,
        cx: &mut Cx<'_>,
        frame: &Frame,
        proved: Proved,
    ) -> Result<Box<Active>, Stop> {
        match Control::from_frame(frame.kind, &frame.body)? {
            Control::HelloOperator(hello) => {
                Ok(begin(cx, proved, &self.binding, &self.entropy, hello))
            }
            Control::End(end) => Err(Ending::of_operator(end).into()),
            Control::HelloDevice(_)
            | Control::Check(_)
            | Control::ModeAsk(_)
            | Control::ModeState(_)
            | Control::IdleWarning(_)
            | Control::StillHere(_)
            | Control::Resumed(_)
            | Control::Countersigned(_)
            | _ => Err(Stop::out_of_turn(frame)),
        }
    }
}

fn on_tag(cx: &mut Cx<'_>, frame: &Frame, run: DeviceProof) -> Result<Proved, Stop> {
    match Proof::from_frame(frame.kind, &frame.body)? {
        Proof::C { tag } => run.check(tag).map_err(|NotProved| refuse(cx, WRONG)),
        Proof::Fail(failure) => Err(fail(cx, failure)),
        Proof::A { .. } | Proof::B { .. } | Proof::ResumeA { .. } | Proof::ResumeB { .. } => {
            Err(Stop::out_of_turn(frame))
        }
    }
}

/// The code is proved and the operator has said hello: the session begins with the user guide.
fn begin(
    cx: &mut Cx<'_>,
    proved: Proved,
    binding: &Binding,
    entropy: &Entropy,
    hello: HelloOperator,
) -> Box<Active> {
    let session = SessionId(*entropy.draw(b"alongside session id"));
    let epoch = u64::from_be_bytes(*entropy.draw(b"alongside panel epoch"));
    let mut operator = cx.config.operator.clone();
    operator.introduce(hello.name);
    cx.out.record(Record::SessionStarted {
        session,
        peer: binding.peer,
    });
    cx.out.event(Event::Connected { session, operator });
    Box::new(Active::begin(cx, proved, session, epoch))
}

fn send(cx: &mut Cx<'_>, proof: &Proof) {
    cx.out.push(Output::Send(Outbound::reliable(
        Channel::Control,
        proof.to_frame(),
    )));
}

/// We do not go on: says so to the other side, and ends.
fn refuse(cx: &mut Cx<'_>, failure: ProofFailure) -> Stop {
    send(cx, &Proof::Fail(failure));
    fail(cx, failure)
}

/// The proof failed.
fn fail(cx: &mut Cx<'_>, failure: ProofFailure) -> Stop {
    cx.out.record(Record::ProofFailed(failure));
    cx.out.event(Event::CodeFailed(failure));
    Ending::NOT_PROVED.into()
}
