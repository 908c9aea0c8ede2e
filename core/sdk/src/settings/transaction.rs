//! One change at a time, from the proposal to its end: a pure state machine.
//!
//! ```text
//! Idle -> Planning -> Asking -> Applying -> Unconfirmed -> Confirming -> Idle
//!             \          \          \____________\_____________\-> RollingBack -> Idle
//!              \__________\-> Idle                                 (until it succeeds)
//! ```
//!
//! It gives out [`Job`]s, one at a time, and hears how each ended.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use alongside_protocol::setting::{
    ChangeRefusal, ChangeStage, Problem, RollBack, SettingChange, SettingPath, SettingsVersion,
    Words,
};

use super::{Difference, Shown};

/// Time that a change stays without being confirmed (our choice: a device whose address changed has come back by
/// then, and its user has not given up on it).
pub const CONFIRM_WITHIN: Duration = Duration::from_secs(60);

/// Time after which taking a change back is tried again.
pub const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Names one change. Numbers only go up; after a restart, from the last change that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(pub u64);

/// What somebody wants changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The changes, all or none.
    pub changes: Vec<SettingChange>,
    /// What they saw; it is a conflict if it is another now. `None` takes what is.
    pub if_version: Option<SettingsVersion>,
}

/// How a change stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The customer has to allow it.
    Asked,
    /// It is not made: the customer does not allow it, or nobody may ask for it any more.
    Refused,
    /// It is not made: another one is under way.
    Busy,
    /// It is not made: something has changed since it was read.
    Conflict,
    /// It is not made: this is wrong with it.
    Invalid(Vec<Problem>),
    /// It is not made: everything is so already, or there is nothing to undo.
    Unchanged,
    /// It is not made: something fails, in these words. Nothing has been touched.
    Failed(String),
    /// It is not made: it cannot be written down. Nothing has been touched.
    NotRecorded(String),
    /// It is made, and waits to be confirmed.
    Applied {
        /// Time until it is taken back.
        within: Duration,
    },
    /// It stays.
    Confirmed,
    /// It was made, at least in part, and is taken back.
    RolledBack(Reason),
    /// It has to be taken back, and cannot be now, in these words. It is tried again.
    Stuck(String),
}

impl From<Stage> for ChangeStage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Asked => Self::Asked { expires_in_s: 0 },
            Stage::Refused => Self::Refused(ChangeRefusal::Customer),
            Stage::Busy => Self::Refused(ChangeRefusal::Busy),
            Stage::Unchanged => Self::Refused(ChangeRefusal::Unchanged),
            Stage::Conflict => Self::Conflict,
            Stage::Invalid(problems) => Self::Invalid(problems),
            Stage::Failed(words) | Stage::NotRecorded(words) => Self::Failed(Words::new(&words)),
            Stage::Applied { within } => Self::Applied {
                within_s: u16::try_from(within.as_secs()).unwrap_or(u16::MAX),
            },
            Stage::Confirmed => Self::Confirmed,
            Stage::RolledBack(why) => Self::RolledBack(match why {
                Reason::Failed(words) | Reason::NotRecorded(words) => {
                    RollBack::Failed(Words::new(&words))
                }
                Reason::Conflict => RollBack::Conflict,
                Reason::Unconfirmed => RollBack::Unconfirmed,
                Reason::Withdrawn => RollBack::Withdrawn,
                Reason::Restarted => RollBack::Restarted,
            }),
            Stage::Stuck(words) => Self::Stuck(Words::new(&words)),
        }
    }
}

/// Why a change is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It failed in the middle, in these words.
    Failed(String),
    /// Something was changed by somebody else in the same moment.
    Conflict,
    /// Nobody confirmed it in time.
    Unconfirmed,
    /// The grant ended before it was confirmed.
    Withdrawn,
    /// That it stays could not be written down, in these words.
    NotRecorded(String),
    /// The program ended before it was confirmed.
    Restarted,
}

/// A change that is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) version: SettingsVersion,
    pub(super) changes: Vec<SettingChange>,
    pub(super) set: Vec<(SettingPath, Shown)>,
    pub(super) differences: Vec<Difference>,
}

/// What the machine hears.
#[derive(Debug)]
pub(super) enum Input {
    Propose(TransactionId, Wish),
    Allow(TransactionId),
    Refuse(TransactionId),
    Confirm(TransactionId),
    /// Nobody may change anything any more.
    Withdraw,
    Done(Report),
    Timeout,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Change(Proposal),
    /// The last change, backwards.
    UndoLast,
}

/// What has to be done, where blocking is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Job {
    Plan(Wish),
    Apply(TransactionId, Plan),
    Confirm(TransactionId),
    RollBack(TransactionId),
}

/// How a job ended.
#[derive(Debug)]
pub(super) enum Report {
    /// A plan, or how the change stands instead.
    Planned(Result<Plan, Stage>),
    Applied(Result<(), NotApplied>),
    /// Words, if it could not be written down.
    Confirmed(Result<(), String>),
    /// Words, if it could not be done.
    RolledBack(Result<(), String>),
}

/// Why a change was not applied.
#[derive(Debug)]
pub(super) enum NotApplied {
    /// Nothing has been touched, and this is how the change stands.
    Untouched(Stage),
    /// Something may have been.
    Touched(Reason),
}

/// What the machine wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Output {
    Run(Job),
    Ask(TransactionId, Vec<Difference>),
    Tell(TransactionId, Stage),
    Wait(Option<Instant>),
}

#[derive(Debug)]
enum State {
    Idle,
    Planning(TransactionId),
    Asking(TransactionId, Plan),
    Applying(TransactionId),
    Unconfirmed(TransactionId, Instant),
    Confirming(TransactionId),
    RollingBack(TransactionId, Reason),
    Stuck(TransactionId, Reason, Instant),
}

/// The change under way, if one is.
#[derive(Debug)]
pub(super) struct Transaction {
    state: State,
    /// Whether the grant ended while a job ran.
    is_withdrawn: bool,
    out: VecDeque<Output>,
}

impl Transaction {
    /// `left_open` is the change that was under way when the program ended: it is taken back.
    pub(super) fn new(left_open: Option<TransactionId>) -> Self {
        let mut machine = Self {
            state: State::Idle,
            is_withdrawn: false,
            out: VecDeque::new(),
        };
        if let Some(id) = left_open {
            machine.roll_back(id, Reason::Restarted);
        }
        machine
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && self.out.is_empty()
    }

    pub(super) fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Propose(id, wish) => self.on_propose(id, wish),
            Input::Allow(id) => self.on_allow(id),
            Input::Refuse(id) => self.on_refuse(id),
            Input::Confirm(id) => self.on_confirm(now, id),
            Input::Withdraw => self.on_withdraw(),
            Input::Done(report) => self.on_report(now, report),
            Input::Timeout => self.on_timeout(now),
        }
    }

    pub(super) fn poll(&mut self) -> Output {
        let deadline = match &self.state {
            State::Unconfirmed(_, until) | State::Stuck(_, _, until) => Some(*until),
            State::Idle
            | State::Planning(_)
            | State::Asking(..)
            | State::Applying(_)
            | State::Confirming(_)
            | State::RollingBack(..) => None,
        };
        self.out.pop_front().unwrap_or(Output::Wait(deadline))
    }

    fn on_propose(&mut self, id: TransactionId, wish: Wish) {
        if matches!(self.state, State::Idle) {
            self.is_withdrawn = false;
            self.state = State::Planning(id);
            self.run(Job::Plan(wish));
        } else {
            self.tell(id, Stage::Busy);
        }
    }

    fn on_allow(&mut self, id: TransactionId) {
        // The answer to another question is nobody's.
        if !matches!(&self.state, State::Asking(asked, _) if *asked == id) {
            return;
        }
        if let State::Asking(_, plan) = std::mem::replace(&mut self.state, State::Applying(id)) {
            self.run(Job::Apply(id, plan));
        }
    }

    fn on_refuse(&mut self, id: TransactionId) {
        if matches!(&self.state, State::Asking(asked, _) if *asked == id) {
            self.end(id, Stage::Refused);
        }
    }

    fn on_confirm(&mut self, now: Instant, id: TransactionId) {
        match self.state {
            State::Unconfirmed(applied, until) if applied == id && now < until => {
                self.state = State::Confirming(id);
                self.run(Job::Confirm(id));
            }
            // Too late, too early, or of another change.
            State::Unconfirmed(..)
            | State::Idle
            | State::Planning(_)
            | State::Asking(..)
            | State::Applying(_)
            | State::Confirming(_)
            | State::RollingBack(..)
            | State::Stuck(..) => {}
        }
    }

    fn on_withdraw(&mut self) {
        match &self.state {
            State::Asking(id, _) => self.end(*id, Stage::Refused),
            State::Unconfirmed(id, _) => self.roll_back(*id, Reason::Withdrawn),
            // A job runs: what it did is looked at when it is done. One that confirms has been asked to in time.
            State::Planning(_) | State::Applying(_) => self.is_withdrawn = true,
            State::Idle | State::Confirming(_) | State::RollingBack(..) | State::Stuck(..) => {}
        }
    }

    fn on_timeout(&mut self, now: Instant) {
        match &self.state {
            State::Unconfirmed(id, until) if now >= *until => {
                self.roll_back(*id, Reason::Unconfirmed);
            }
            State::Stuck(id, why, until) if now >= *until => {
                let (id, why) = (*id, why.clone());
                self.roll_back(id, why);
            }
            State::Unconfirmed(..)
            | State::Stuck(..)
            | State::Idle
            | State::Planning(_)
            | State::Asking(..)
            | State::Applying(_)
            | State::Confirming(_)
            | State::RollingBack(..) => {}
        }
    }

    fn on_report(&mut self, now: Instant, report: Report) {
        let state = std::mem::replace(&mut self.state, State::Idle);
        match (state, report) {
            (State::Planning(id), Report::Planned(planned)) => self.on_planned(id, planned),
            (State::Applying(id), Report::Applied(applied)) => self.on_applied(now, id, applied),
            (State::Confirming(id), Report::Confirmed(Ok(()))) => self.end(id, Stage::Confirmed),
            (State::Confirming(id), Report::Confirmed(Err(words))) => {
                self.roll_back(id, Reason::NotRecorded(words));
            }
            (State::RollingBack(id, why), Report::RolledBack(Ok(()))) => {
                self.end(id, Stage::RolledBack(why));
            }
            (State::RollingBack(id, why), Report::RolledBack(Err(words))) => {
                self.state = State::Stuck(id, why, now + RETRY_AFTER);
                self.tell(id, Stage::Stuck(words));
            }
            // A report that nobody waits for changes nothing.
            (state, _) => self.state = state,
        }
    }

    fn on_planned(&mut self, id: TransactionId, planned: Result<Plan, Stage>) {
        match planned {
            Err(stage) => self.end(id, stage),
            Ok(_) if self.is_withdrawn => self.end(id, Stage::Refused),
            Ok(plan) => {
                self.out
                    .push_back(Output::Ask(id, plan.differences.clone()));
                self.tell(id, Stage::Asked);
                self.state = State::Asking(id, plan);
            }
        }
    }

    fn on_applied(&mut self, now: Instant, id: TransactionId, applied: Result<(), NotApplied>) {
        match applied {
            Err(NotApplied::Untouched(stage)) => self.end(id, stage),
            Err(NotApplied::Touched(why)) => self.roll_back(id, why),
            Ok(()) if self.is_withdrawn => self.roll_back(id, Reason::Withdrawn),
            Ok(()) => {
                self.state = State::Unconfirmed(id, now + CONFIRM_WITHIN);
                self.tell(
                    id,
                    Stage::Applied {
                        within: CONFIRM_WITHIN,
                    },
                );
            }
        }
    }

    fn roll_back(&mut self, id: TransactionId, why: Reason) {
        self.state = State::RollingBack(id, why);
        self.run(Job::RollBack(id));
    }

    fn end(&mut self, id: TransactionId, stage: Stage) {
        self.state = State::Idle;
        self.tell(id, stage);
    }

    fn run(&mut self, job: Job) {
        self.out.push_back(Output::Run(job));
    }

    fn tell(&mut self, id: TransactionId, stage: Stage) {
        self.out.push_back(Output::Tell(id, stage));
    }
}

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "tests")]
mod tests;
