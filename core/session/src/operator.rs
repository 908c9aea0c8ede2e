//! The operator's side of a session.
//!
//! ```text
//! Waiting --Connected--> Proving --code proved, device said hello--> Active --> Ended
//! ```
//!
//! It sees and asks; what happens on the panel is decided on the device.

mod active;
mod io;
mod modes;
mod outbox;
mod proving;
mod resuming;

use std::{fmt, time::Instant};

use alongside_panel::Frame as Picture;
use alongside_protocol::reason::{EndReason, Party};

use crate::{
    IssuedCode, Record, SessionError,
    ending::{Ending, Farewell, Stop},
};

use active::Active;
pub use io::{Config, Event, Input, Known, OperatorAction, Output};
use outbox::Outbox;
use proving::Proving;

/// The operator's side of one session: one proof of an issued code.
pub struct Session {
    now: Instant,
    config: Config,
    issued: IssuedCode,
    is_proved: bool,
    state: State,
    out: Outbox,
}

enum State {
    Waiting,
    Proving(Box<Proving>),
    Active(Box<Active>),
    Ended,
}

/// What all states work with.
struct Cx<'a> {
    now: Instant,
    config: &'a Config,
    out: &'a mut Outbox,
}

impl Session {
    /// A session for a device that claims the nameplate of `issued`.
    pub fn new(now: Instant, config: Config, issued: IssuedCode) -> Self {
        Self {
            now,
            config,
            issued,
            is_proved: false,
            state: State::Waiting,
            out: Outbox::default(),
        }
    }

    /// Advances the session; `now` may repeat but never goes back.
    ///
    /// Whatever was due before `now` happens first. Inputs after the end are ignored.
    ///
    /// # Errors
    ///
    /// See [`SessionError`]: fails when the other side breaks the protocol, and the session is then over, or when
    /// the input has no place now. Poll the outputs either way.
    pub fn handle_input(&mut self, now: Instant, input: Input) -> Result<(), SessionError> {
        debug_assert!(now >= self.now, "time went backwards");
        self.now = self.now.max(now);
        let done = self.on_time().and_then(|()| self.on_input(input));
        let done = match done {
            Ok(()) => Ok(()),
            Err(Stop::Ending(ending)) => {
                self.end(ending);
                Ok(())
            }
            Err(Stop::Fault(error)) => {
                if error.is_peers_fault() && !self.turn_away() {
                    self.end(Ending::ours(Party::Policy, EndReason::Protocol));
                }
                Err(error)
            }
        };
        if let State::Active(active) = &mut self.state {
            active.flush(&mut Cx {
                now: self.now,
                config: &self.config,
                out: &mut self.out,
            });
        }
        done
    }

    /// Next thing to do; call until it returns [`Output::Wait`].
    pub fn poll_output(&mut self) -> Output {
        self.out
            .pop()
            .unwrap_or_else(|| Output::Wait(self.deadline()))
    }

    /// Takes the records of all that is still to be polled, in order, so that one write makes all of them durable.
    ///
    /// To be called where [`Session::poll_output`] gave a record. What a record precedes stays in the queue, and may
    /// still be dropped from there: a record then tells of what was about to happen and did not.
    pub fn take_records(&mut self) -> Vec<Record> {
        self.out.take_records()
    }

    /// Whether the session is over; what there is to poll is its end.
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// The device's panel as this side knows it; `None` until the first picture.
    pub fn picture(&self) -> Option<&Picture> {
        match &self.state {
            State::Active(active) => active.picture(),
            State::Waiting | State::Proving(_) | State::Ended => None,
        }
    }

    /// Whether the device has proved the code, which is then used up, even if the session is over.
    pub const fn is_proved(&self) -> bool {
        self.is_proved
    }

    /// Whether the session waits for another connection, or for what one has to prove.
    pub const fn is_interrupted(&self) -> bool {
        match &self.state {
            State::Active(active) => !active.line.is_up(),
            State::Waiting | State::Proving(_) | State::Ended => false,
        }
    }

    /// Whether the device has proved to be who it is on the connection that there is now, and so may say anything.
    pub const fn admits(&self) -> bool {
        match &self.state {
            State::Active(active) => active.admits(),
            State::Waiting | State::Proving(_) | State::Ended => self.is_proved,
        }
    }

    /// Gives back the code for the next attempt; `None` once it was proved, burnt or has expired.
    pub fn into_issued(self) -> Option<IssuedCode> {
        (!self.is_proved && self.issued.is_live(self.now)).then_some(self.issued)
    }

    fn on_time(&mut self) -> Result<(), Stop> {
        match &mut self.state {
            State::Proving(proving) => proving.on_time(self.now),
            State::Active(active) => active.on_time(&mut Cx {
                now: self.now,
                config: &self.config,
                out: &mut self.out,
            }),
            State::Waiting | State::Ended => Ok(()),
        }
    }

    fn on_input(&mut self, input: Input) -> Result<(), Stop> {
        if matches!(self.state, State::Ended) {
            return Ok(());
        }
        match input {
            Input::Ask(OperatorAction::End) => {
                Err(Ending::ours(Party::Operator, EndReason::OperatorEnded).into())
            }
            Input::Close(cause) => Err(Ending::caused(cause, Party::Operator).into()),
            Input::Disconnected => Err(Ending::LOST.into()),
            Input::Interrupted => self.on_interrupted(),
            Input::Timeout => Ok(()),
            Input::Connected { .. }
            | Input::Message { .. }
            | Input::Datagram(_)
            | Input::Room { .. }
            | Input::Ask(_)
            | Input::Countersigned(_)
            | Input::ModeEffects { .. }
            | Input::ModeFailed { .. } => self.on_state_input(input),
        }
    }

    fn on_interrupted(&mut self) -> Result<(), Stop> {
        let mut cx = Cx {
            now: self.now,
            config: &self.config,
            out: &mut self.out,
        };
        match &mut self.state {
            State::Active(active) => {
                active.interrupt(&mut cx);
                Ok(())
            }
            State::Proving(_) => Err(Ending::LOST.into()),
            State::Waiting | State::Ended => Ok(()),
        }
    }

    /// Whoever has answered in the device's place goes again, and the session waits on; whether there was somebody.
    fn turn_away(&mut self) -> bool {
        let mut cx = Cx {
            now: self.now,
            config: &self.config,
            out: &mut self.out,
        };
        match &mut self.state {
            State::Active(active) => active.turn_away(&mut cx),
            State::Waiting | State::Proving(_) | State::Ended => false,
        }
    }

    fn on_state_input(&mut self, input: Input) -> Result<(), Stop> {
        let mut cx = Cx {
            now: self.now,
            config: &self.config,
            out: &mut self.out,
        };
        match (&mut self.state, input) {
            (State::Active(active), input) => active.on_input(&mut cx, input),
            (State::Proving(proving), input) => {
                let begun = proving.on_input(&mut cx, &mut self.issued, input)?;
                self.is_proved |= proving.has_proof();
                let Some((mut active, early)) = begun else {
                    return Ok(());
                };
                let done = active.catch_up(&mut cx, early);
                self.state = State::Active(active);
                done
            }
            (State::Waiting, Input::Connected { binding, entropy }) => {
                let proving = Proving::begin(&mut cx, &self.issued, &binding, entropy)?;
                self.state = State::Proving(Box::new(proving));
                Ok(())
            }
            (State::Waiting | State::Ended, _) => Err(SessionError::NotNow.into()),
        }
    }

    /// Ends the session here and now: drops what was on its way, records, says goodbye.
    fn end(&mut self, ending: Ending) {
        // No record, no act.
        if ending.reason == EndReason::RecordFailed {
            self.out.drop_acts();
        }
        let (knows_us, last) = match std::mem::replace(&mut self.state, State::Ended) {
            State::Active(active) => {
                let has_line = active.line.is_up();
                self.out.unmute();
                (has_line, active.end(&mut self.out))
            }
            State::Proving(proving) => (proving.has_proof(), None),
            State::Waiting => (false, None),
            State::Ended => return,
        };
        self.out.record(Record::SessionEnded {
            by: ending.by,
            reason: ending.reason,
        });
        if knows_us && ending.farewell == Farewell::Say {
            self.out.push(Output::Send(ending.farewell()));
        }
        if let Some(stop) = last {
            self.out.push(stop);
        }
        self.out.event(Event::Ended {
            by: ending.by,
            reason: ending.reason,
        });
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Proving(proving) => Some(proving.deadline()),
            State::Active(active) => Some(active.deadline()),
            State::Waiting | State::Ended => None,
        }
    }
}

/// Shows the state's name; never a code.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Waiting => "waiting",
            State::Proving(_) => "proving",
            State::Active(_) => "active",
            State::Ended => "ended",
        };
        write!(f, "operator::Session({state})")
    }
}
