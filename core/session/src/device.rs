//! The device's side of a session.
//!
//! ```text
//! Waiting --Connected--> Proving --code proved--> Active(user-guide) --> Ended
//! ```
//!
//! Every state can end: the customer's EXIT and the stop key work in all of them, with no network and a hung
//! operator.

mod active;
mod ask;
mod consent;
mod effects;
mod hand;
mod io;
mod modes;
mod outbox;
mod picture;
mod proving;
mod resuming;
mod settings;

use std::{fmt, time::Instant};

use alongside_protocol::{
    AccessCode,
    reason::{EndReason, Party},
};

use crate::{
    Binding, Record, SessionError,
    ending::{Ending, Farewell, Stop},
    stop::StopKey,
};

use active::Active;
pub use ask::{AdminVerdict, Ask, AskId};
pub use io::{Banner, Config, CustomerAction, Event, Input, Output, View};
use outbox::Outbox;
pub use picture::Freshness;
use proving::Proving;
pub use settings::{SettingsAct, SettingsNews};

/// The device's side of one session: one code, typed once, proved once.
pub struct Session {
    now: Instant,
    config: Config,
    state: State,
    stop_key: StopKey,
    out: Outbox,
}

enum State {
    /// No connection yet; holds the code for the one proof.
    Waiting(AccessCode),
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
    /// A session for the code that the customer typed.
    pub fn new(now: Instant, config: Config, code: AccessCode) -> Self {
        Self {
            now,
            config,
            state: State::Waiting(code),
            stop_key: StopKey::default(),
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

    /// Whether the operator has proved the code and the session is not over.
    pub fn is_proved(&self) -> bool {
        match &self.state {
            State::Proving(proving) => proving.has_proof(),
            State::Active(_) => true,
            State::Waiting(_) | State::Ended => false,
        }
    }

    /// Whether the session waits for another connection, or for what one has to prove.
    pub fn is_interrupted(&self) -> bool {
        matches!(&self.state, State::Active(active) if !active.line.is_up())
    }

    /// Whether the operator has proved to be who it is on the connection that there is now, and so may say anything.
    pub fn admits(&self) -> bool {
        match &self.state {
            State::Proving(proving) => proving.has_proof(),
            State::Active(active) => active.admits(),
            State::Waiting(_) | State::Ended => false,
        }
    }

    /// The open question to the customer, with the time that is left of it at `now`.
    pub fn ask(&self, now: Instant) -> Option<Ask> {
        match &self.state {
            State::Active(active) => active.asking.as_ref().map(|asking| asking.put(now)),
            State::Waiting(_) | State::Proving(_) | State::Ended => None,
        }
    }

    /// Whether what was granted no longer is at `now`: the session is over, or the stop key has been held for so long
    /// that it is about to be. Worth a look just before an [action](Event::Inject) is performed.
    pub fn is_stopping(&self, now: Instant) -> bool {
        matches!(self.state, State::Ended) || self.stop_key.is_due(now)
    }

    fn on_time(&mut self) -> Result<(), Stop> {
        if self.stop_key.is_due(self.now) {
            return Err(Ending::ours(Party::Customer, EndReason::StopKey).into());
        }
        match &mut self.state {
            State::Proving(proving) => proving.on_time(self.now),
            State::Active(active) => active.on_time(&mut Cx {
                now: self.now,
                config: &self.config,
                out: &mut self.out,
            }),
            State::Waiting(_) | State::Ended => Ok(()),
        }
    }

    fn on_input(&mut self, input: Input) -> Result<(), Stop> {
        if matches!(self.state, State::Ended) {
            return Ok(());
        }
        match input {
            Input::Local(CustomerAction::Exit) => {
                Err(Ending::ours(Party::Customer, EndReason::Exit).into())
            }
            Input::Local(CustomerAction::StopKey(motion)) => {
                self.stop_key.moved(self.now, motion);
                Ok(())
            }
            // A touch before the session means nothing to it.
            Input::Local(CustomerAction::Touched) if !matches!(self.state, State::Active(_)) => {
                Ok(())
            }
            Input::Close(cause) => Err(Ending::caused(cause, Party::Device).into()),
            Input::Disconnected => Err(Ending::LOST.into()),
            Input::Interrupted => self.on_interrupted(),
            Input::Connected { binding, entropy } => self.on_connected(binding, entropy),
            Input::Timeout => Ok(()),
            Input::Message { .. }
            | Input::Datagram(_)
            | Input::Room { .. }
            | Input::Frame { .. }
            | Input::Timing { .. }
            | Input::ModeEffects { .. }
            | Input::ModeFailed { .. }
            | Input::Injected { .. }
            | Input::AdminId { .. }
            | Input::Settings { .. }
            | Input::Seal(_)
            | Input::Local(_) => self.on_state_input(input),
        }
    }

    fn on_connected(&mut self, binding: Binding, entropy: [u8; 32]) -> Result<(), Stop> {
        if binding.peer != self.config.operator.key {
            return Err(SessionError::OtherKey.into());
        }
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Waiting(code) => {
                self.state =
                    State::Proving(Box::new(Proving::new(self.now, binding, entropy, code)));
                Ok(())
            }
            State::Active(mut active) => {
                let taken = active.on_connected(self.now, binding, entropy);
                self.state = State::Active(active);
                taken
            }
            state @ (State::Proving(_) | State::Ended) => {
                self.state = state;
                Err(SessionError::NotNow.into())
            }
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
            State::Waiting(_) | State::Ended => Ok(()),
        }
    }

    /// Whoever has come in the operator's place goes again, and the session waits on; whether there was somebody.
    fn turn_away(&mut self) -> bool {
        let mut cx = Cx {
            now: self.now,
            config: &self.config,
            out: &mut self.out,
        };
        match &mut self.state {
            State::Active(active) => active.turn_away(&mut cx),
            State::Waiting(_) | State::Proving(_) | State::Ended => false,
        }
    }

    fn on_state_input(&mut self, input: Input) -> Result<(), Stop> {
        let mut cx = Cx {
            now: self.now,
            config: &self.config,
            out: &mut self.out,
        };
        match &mut self.state {
            State::Active(active) => active.on_input(&mut cx, input),
            State::Proving(proving) => {
                if let Some(active) = proving.on_input(&mut cx, input)? {
                    self.state = State::Active(active);
                }
                Ok(())
            }
            State::Waiting(_) | State::Ended => Err(SessionError::NotNow.into()),
        }
    }

    /// Ends the session here and now: drops what was on its way, records, says goodbye.
    fn end(&mut self, ending: Ending) {
        self.drop_unrecorded(ending);
        let (knows_us, last) = match std::mem::replace(&mut self.state, State::Ended) {
            State::Active(active) => {
                let has_line = active.line.is_up();
                self.out.unmute();
                (has_line, active.end(&mut self.out))
            }
            State::Proving(proving) => (proving.has_proof(), None),
            State::Waiting(_) => (false, None),
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

    /// Drops what must not happen any more because its record may not be durable: after a record that failed, and what
    /// was to prove a code that the customer gives up.
    fn drop_unrecorded(&mut self, ending: Ending) {
        let is_given_up = matches!(self.state, State::Proving(_)) && ending.by == Party::Customer;
        if ending.reason == EndReason::RecordFailed || is_given_up {
            self.out.drop_acts();
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let state = match &self.state {
            State::Proving(proving) => Some(proving.deadline()),
            State::Active(active) => Some(active.deadline(self.now)),
            State::Waiting(_) => None,
            State::Ended => return None,
        };
        [state, self.stop_key.deadline()]
            .into_iter()
            .flatten()
            .min()
    }
}

/// Shows the state's name; never a code.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Waiting(_) => "waiting",
            State::Proving(_) => "proving",
            State::Active(_) => "active",
            State::Ended => "ended",
        };
        write!(f, "device::Session({state})")
    }
}
