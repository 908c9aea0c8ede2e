//! An operator's session, and a witness of everything it gives out.

use std::time::{Duration, Instant};

use alongside_mode::Capabilities;
use alongside_protocol::{frame::Frame, ids::ModeId};

use super::{
    Stage, Step,
    steps::EASY,
    world::{DEVICE, EXPORTER, OPERATOR, code, introduce},
};
use crate::{Binding, IssuedCode, Outbound, operator};

/// An operator's session, watched.
#[derive(Debug)]
pub struct OperatorWorld {
    now: Instant,
    session: operator::Session,
    events: u64,
    is_over: bool,
    pub(super) sent: Vec<Outbound>,
}

impl OperatorWorld {
    /// A session at `stage`.
    pub fn new(start: Instant, stage: Stage) -> Self {
        match stage {
            Stage::Proving => Self::unproved(start),
            Stage::Active => introduce(start).1,
        }
    }

    pub(super) fn unproved(start: Instant) -> Self {
        let issued = IssuedCode::new(code(), start + Duration::from_secs(600));
        let session = operator::Session::new(start, operator_config(), issued);
        let mut world = Self {
            now: start,
            session,
            events: 0,
            is_over: false,
            sent: Vec::new(),
        };
        let binding = Binding {
            exporter: EXPORTER,
            local: OPERATOR,
            peer: DEVICE,
        };
        world.give(operator::Input::Connected {
            binding,
            entropy: [5; 32],
        });
        world
    }

    /// Lets `step` happen; one that is not the operator's to take does nothing.
    pub fn apply(&mut self, step: Step) {
        let seq = |back| self.events.saturating_sub(1).saturating_sub(back);
        let input = match step {
            Step::Wait(time) => return self.wait(time),
            Step::Message {
                channel,
                kind,
                body,
            } => operator::Input::Message {
                channel,
                frame: Frame { kind, body },
            },
            Step::Datagram(bytes) => operator::Input::Datagram(bytes),
            Step::Effects { back, effects } => operator::Input::ModeEffects {
                seq: seq(back),
                effects,
            },
            Step::Failed { back } => operator::Input::ModeFailed { seq: seq(back) },
            Step::Picture { .. }
            | Step::Customer(_)
            | Step::Allow { .. }
            | Step::Refuse { .. }
            | Step::AdminId { .. }
            | Step::Settings { .. }
            | Step::Answer { .. } => return,
            Step::Room { channel, bytes } => operator::Input::Room { channel, bytes },
            Step::Operator(action) => operator::Input::Ask(action),
            Step::Close(cause) => operator::Input::Close(cause),
            Step::Disconnected => operator::Input::Disconnected,
        };
        self.give(input);
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.drain().filter(|at| *at <= until) {
            assert!(at >= self.now, "a deadline in the past is a busy loop");
            self.now = at;
            let _ = self.session.handle_input(at, operator::Input::Timeout);
        }
        self.now = until;
        self.give(operator::Input::Timeout);
    }

    pub(super) fn give(&mut self, input: operator::Input) {
        let _ = self.session.handle_input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) -> Option<Instant> {
        loop {
            let output = self.session.poll_output();
            if let operator::Output::Wait(until) = output {
                assert!(
                    !self.is_over || until.is_none(),
                    "it waits for something after its end"
                );
                return until;
            }
            assert!(!self.is_over, "after its end: {output:?}");
            match output {
                operator::Output::Send(outbound) => {
                    assert!(outbound.bytes.len() <= 4 + outbound.channel.max_body());
                    self.sent.push(outbound);
                }
                operator::Output::ModeEvent { seq, .. } => {
                    assert_eq!(seq, self.events, "events are numbered in order");
                    self.events += 1;
                }
                operator::Output::Event(operator::Event::Ended { .. }) => self.is_over = true,
                operator::Output::Record(_)
                | operator::Output::Event(_)
                | operator::Output::Wait(_) => {}
            }
        }
    }
}

fn operator_config() -> operator::Config {
    let known = |id, capabilities| operator::Known {
        id: ModeId::new(id).expect("a name"),
        capabilities,
        peer: alongside_mode::manifest::Span::new(1, 1).expect("a range"),
    };
    let touches = Capabilities::VIEW | Capabilities::ANNOTATE | Capabilities::INPUT;
    operator::Config {
        modes: vec![
            known(ModeId::OPERATOR_CONTROL, touches),
            known(EASY, touches),
        ],
        ..operator::Config::default()
    }
}
