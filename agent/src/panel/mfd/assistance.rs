//! Where the customer stands with Remote Assistance: what the session says, and what has been read of it.

use std::time::Duration;

use alongside::{
    protocol::{
        input::KeyMotion,
        reason::{EndReason, Party},
    },
    status::{Active, CodeRefusal, OperatorIdentity, Status},
};

use super::entry::CodeEntry;

/// Time that the stop key must be held; the session measures it, the panel shows it.
pub(super) const HOLD: Duration = Duration::from_secs(5);

/// What the session is doing, as the panel shows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    /// Nothing.
    Idle,
    /// Looking up the code, then connecting to somebody.
    Connecting(Option<OperatorIdentity>),
    /// A code that led nowhere, until the customer goes on.
    Refused(Refused),
    /// A session.
    Live(Box<Active>),
}

/// A refused code.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refused {
    refusal: CodeRefusal,
    since: Duration,
}

impl Refused {
    /// The refusal, with the waiting time that is left at `now`.
    pub(super) fn at(&self, now: Duration) -> CodeRefusal {
        if let CodeRefusal::EntryLocked { wait } = self.refusal {
            let wait = wait.saturating_sub(now.saturating_sub(self.since));
            return CodeRefusal::EntryLocked { wait };
        }
        self.refusal.clone()
    }

    /// Whether a code can be typed now.
    pub(super) fn can_retry(&self, now: Duration) -> bool {
        !matches!(self.at(now), CodeRefusal::EntryLocked { wait } if !wait.is_zero())
    }
}

/// The card that stays after a session until it is touched.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ended {
    pub(super) reason: EndReason,
    /// Who was connected; `None` if it never came to that.
    pub(super) operator: Option<OperatorIdentity>,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Assistance {
    stage: Stage,
    pub(super) entry: CodeEntry,
    ended: Option<Ended>,
    stop_held_since: Option<Duration>,
    wants_entry: bool,
}

impl Default for Assistance {
    fn default() -> Self {
        Self {
            stage: Stage::Idle,
            entry: CodeEntry::default(),
            ended: None,
            stop_held_since: None,
            wants_entry: false,
        }
    }
}

impl Assistance {
    /// Takes what the session says; answers whether the screens that lead to a session have served.
    pub(super) fn show(&mut self, status: &Status, now: Duration) -> bool {
        match status {
            Status::Idle => {
                // A refusal stays until it is read.
                if !matches!(self.stage, Stage::Refused(_)) {
                    self.stage = Stage::Idle;
                }
                false
            }
            Status::Claiming => self.connecting(None),
            Status::Connecting { operator } => self.connecting(Some(operator.clone())),
            Status::CodeRefused(CodeRefusal::Malformed(error)) => {
                self.stage = Stage::Idle;
                self.entry.tell(*error);
                self.wants_entry = true;
                false
            }
            Status::CodeRefused(refusal) => {
                self.stage = Stage::Refused(Refused {
                    refusal: refusal.clone(),
                    since: now,
                });
                false
            }
            Status::Active(active) => {
                let is_new = !self.is_live();
                self.stage = Stage::Live(Box::new(active.clone()));
                self.ended = None;
                is_new
            }
            Status::Ended { by, reason } => {
                let operator = match &self.stage {
                    Stage::Live(active) => Some(active.operator.clone()),
                    Stage::Idle | Stage::Connecting(_) | Stage::Refused(_) => None,
                };
                // Cancelling before anybody was connected needs no card.
                if operator.is_some() || *by != Party::Customer {
                    self.ended = Some(Ended {
                        reason: *reason,
                        operator,
                    });
                }
                self.stage = Stage::Idle;
                self.stop_held_since = None;
                true
            }
            _ => false,
        }
    }

    fn connecting(&mut self, operator: Option<OperatorIdentity>) -> bool {
        self.entry.clear();
        self.ended = None;
        self.stage = Stage::Connecting(operator);
        false
    }

    /// Shows at once that a code is being tried.
    pub(super) fn entered(&mut self) {
        self.connecting(None);
    }

    /// Away from connecting or from a refusal.
    pub(super) fn cancel(&mut self) {
        if !self.is_live() {
            self.stage = Stage::Idle;
        }
    }

    /// Away from a refusal towards code entry, if a code can be typed now.
    pub(super) fn close_refusal(&mut self, now: Duration) -> bool {
        let can = matches!(&self.stage, Stage::Refused(refused) if refused.can_retry(now));
        if can {
            self.stage = Stage::Idle;
        }
        can
    }

    pub(super) fn close_ended(&mut self) {
        self.ended = None;
    }

    /// The stop key moved; answers whether that is news (keys repeat while they are held).
    pub(super) fn stop_key(&mut self, motion: KeyMotion, now: Duration) -> bool {
        match motion {
            KeyMotion::Down if self.stop_held_since.is_some() => false,
            KeyMotion::Down => {
                self.stop_held_since = Some(now);
                true
            }
            KeyMotion::Up => self.stop_held_since.take().is_some(),
        }
    }

    /// How long the stop key has been held during a session.
    pub(super) fn stop_held(&self, now: Duration) -> Option<Duration> {
        let since = self.stop_held_since.filter(|_| self.is_live())?;
        Some(now.saturating_sub(since).min(HOLD))
    }

    pub(super) const fn stage(&self) -> &Stage {
        &self.stage
    }

    pub(super) fn live(&self) -> Option<&Active> {
        match &self.stage {
            Stage::Live(active) => Some(active),
            Stage::Idle | Stage::Connecting(_) | Stage::Refused(_) => None,
        }
    }

    pub(super) const fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Live(_))
    }

    pub(super) const fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether code entry should come up by itself, once.
    pub(super) fn wants_entry(&mut self) -> bool {
        std::mem::take(&mut self.wants_entry)
    }

    /// Whether the panel must not fall back to its first screen.
    pub(super) const fn is_busy(&self) -> bool {
        matches!(self.stage, Stage::Connecting(_) | Stage::Live(_))
    }

    /// Whether something stands on the screen that goes away by a touch.
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Refused(_)) || self.is_busy()
    }

    /// Whether the picture changes with time alone.
    pub(super) fn is_moving(&self, now: Duration) -> bool {
        let counts = match &self.stage {
            Stage::Connecting(_) => true,
            Stage::Refused(refused) => !refused.can_retry(now),
            Stage::Live(_) | Stage::Idle => false,
        };
        counts || self.stop_held(now).is_some()
    }
}
