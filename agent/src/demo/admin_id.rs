//! The demo printer's system administrator's ID: one that everybody may know, in memory only.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use alongside::ports::{AdminId, AdminVerdict};
use tokio::time::Instant;

/// The ID, printed where the demo says what to do.
pub(super) const DEMO_ID: &str = "72941086";

/// Wrong IDs that cost nothing.
const FREE: u8 = 3;
/// Time to wait after each wrong one beyond.
const WAIT: Duration = Duration::from_secs(30);

/// Checks against [`DEMO_ID`].
#[derive(Debug, Default)]
pub(super) struct DemoAdminId(Mutex<Wrong>);

#[derive(Debug, Default)]
struct Wrong {
    count: u8,
    until: Option<Instant>,
}

impl AdminId for DemoAdminId {
    fn verify(&self, id: &str) -> AdminVerdict {
        let now = Instant::now();
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = wrong
            .until
            .and_then(|until| until.checked_duration_since(now))
        {
            return AdminVerdict::Locked { wait };
        }
        if id == DEMO_ID {
            *wrong = Wrong::default();
            return AdminVerdict::Ok;
        }
        wrong.count = wrong.count.saturating_add(1);
        let wait = if wrong.count < FREE {
            Duration::ZERO
        } else {
            WAIT
        };
        wrong.until = (!wait.is_zero()).then(|| now + wait);
        AdminVerdict::Wrong {
            tries_left: FREE.saturating_sub(wrong.count),
            wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_wrong_ones_make_even_the_right_one_wait() {
        let check = DemoAdminId::default();
        for tries_left in [2, 1, 0] {
            let AdminVerdict::Wrong {
                tries_left: left, ..
            } = check.verify("0000")
            else {
                panic!("it was wrong")
            };
            assert_eq!(left, tries_left);
        }
        let verdict = check.verify(DEMO_ID);
        assert!(
            matches!(verdict, AdminVerdict::Locked { .. }),
            "{verdict:?}"
        );
        assert_eq!(DemoAdminId::default().verify(DEMO_ID), AdminVerdict::Ok);
    }
}
