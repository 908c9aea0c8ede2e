//! The question to the customer: open until it is answered, or until silence counts as a no.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use alongside_mode::Capabilities;
use alongside_protocol::{ids::ModeId, setting::Difference};

use crate::Limits;

/// Names one question of a session, so that an answer reaches the question it was given to and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AskId(pub u32);

/// A question to the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Which question.
    pub id: AskId,
    /// The mode that the operator wants, or wants to stay in.
    pub mode: ModeId,
    /// Whether the mode runs already and goes on if the customer allows it.
    pub is_renewal: bool,
    /// Whether the system administrator's ID has to be entered as well.
    pub wants_admin_id: bool,
    /// Time until silence counts as a no; a key in the dialog starts it again.
    pub expires_in: Duration,
    /// What would change, if the question is about settings and not about a mode.
    pub differences: Option<Arc<[Difference]>>,
}

/// What the check of a system administrator's ID came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminVerdict {
    /// It is right.
    Ok,
    /// It is wrong; the question stays open.
    Wrong {
        /// Tries until the next wait is longer.
        tries_left: u8,
        /// Time until the next try.
        wait: Duration,
    },
    /// Too many were wrong; none is looked at for this long. If the question cannot stay open for so long, it is a no.
    Locked {
        /// How long.
        wait: Duration,
    },
    /// It cannot be checked now.
    Unavailable,
}

impl fmt::Display for AskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An open question.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) id: AskId,
    pub(super) mode: ModeId,
    pub(super) granted: Capabilities,
    pub(super) is_renewal: bool,
    pub(super) wants_admin_id: bool,
    /// Whether the administrator's ID was right, for this very question.
    pub(super) is_verified: bool,
    /// What would change, if it is about settings.
    pub(super) differences: Option<Arc<[Difference]>>,
    expires_at: Instant,
    latest: Instant,
    /// When what the operator was told of the time runs out.
    told_until: Instant,
}

/// What the passing of time has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AskStep {
    /// Silence counts as a no.
    Expire,
    /// The operator's countdown is over and the question still open.
    Tell(Duration),
}

impl Asking {
    pub(super) fn new(
        now: Instant,
        id: AskId,
        mode: ModeId,
        granted: Capabilities,
        wants_admin_id: bool,
    ) -> Self {
        let expires_at = now + Limits::ASK_SILENCE;
        Self {
            id,
            mode,
            granted,
            is_renewal: false,
            wants_admin_id,
            is_verified: false,
            differences: None,
            expires_at,
            latest: now + Limits::ASK_LONGEST,
            told_until: expires_at,
        }
    }

    /// The same question about a mode that runs already.
    pub(super) fn renewal(now: Instant, id: AskId, mode: ModeId, granted: Capabilities) -> Self {
        Self {
            is_renewal: true,
            ..Self::new(now, id, mode, granted, false)
        }
    }

    /// A question about settings that would change while `mode` runs.
    pub(super) fn settings(
        now: Instant,
        id: AskId,
        mode: ModeId,
        differences: Vec<Difference>,
    ) -> Self {
        Self {
            differences: Some(differences.into()),
            ..Self::new(now, id, mode, Capabilities::NONE, false)
        }
    }

    pub(super) const fn is_about_settings(&self) -> bool {
        self.differences.is_some()
    }

    /// The customer is at it.
    pub(super) fn stirred(&mut self, now: Instant) {
        self.expires_at = (now + Limits::ASK_SILENCE).min(self.latest);
    }

    /// Whether the question can still be open after `wait`.
    pub(super) fn outlasts(&self, now: Instant, wait: Duration) -> bool {
        now.checked_add(wait).is_some_and(|at| at < self.latest)
    }

    /// What is due at `now`.
    ///
    /// The operator hears of a longer countdown only when the one told before is over: when keys are pressed is
    /// nothing that they should know.
    pub(super) fn step(&mut self, now: Instant) -> Option<AskStep> {
        if now >= self.expires_at {
            return Some(AskStep::Expire);
        }
        if now >= self.told_until {
            self.told_until = self.expires_at;
            return Some(AskStep::Tell(self.expires_at - now));
        }
        None
    }

    pub(super) fn deadline(&self) -> Instant {
        self.expires_at.min(self.told_until)
    }

    /// The question as it is put.
    pub(super) fn put(&self, now: Instant) -> Ask {
        Ask {
            id: self.id,
            mode: self.mode.clone(),
            is_renewal: self.is_renewal,
            wants_admin_id: self.wants_admin_id,
            expires_in: self.expires_at.saturating_duration_since(now),
            differences: self.differences.clone(),
        }
    }

    /// Whether the customer's word is all that is missing.
    pub(super) const fn may_be_allowed(&self) -> bool {
        !self.wants_admin_id || self.is_verified
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "an instant to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn each_key_starts_the_minute_again_for_five_at_most() {
        let start = start();
        let secs = Duration::from_secs;
        let mode = ModeId::user_guide();
        let mut asking = Asking::new(start, AskId(1), mode, Capabilities::NONE, true);
        let mut now = start;
        while asking.step(now) != Some(AskStep::Expire) {
            asking.stirred(now);
            now += secs(50);
            assert!(now < start + secs(1_000), "for ever");
        }
        assert_eq!(now - start, secs(300));
    }

    #[test]
    fn a_key_moves_no_countdown_that_the_operator_sees() {
        let start = start();
        let secs = Duration::from_secs;
        let mode = ModeId::user_guide();
        let mut asking = Asking::new(start, AskId(1), mode, Capabilities::NONE, true);
        asking.stirred(start + secs(17));
        assert_eq!(asking.step(start + secs(17)), None);
        assert_eq!(asking.deadline(), start + secs(60));
        assert_eq!(asking.step(start + secs(60)), Some(AskStep::Tell(secs(17))));
        assert_eq!(asking.step(start + secs(77)), Some(AskStep::Expire));
    }
}
