//! How much of its quota an operator has used.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

const MINUTE: Duration = Duration::from_secs(60);

/// Live codes and recent allocations of one operator's key, over all of its legs.
#[derive(Debug, Default)]
pub(super) struct Usage {
    live: u32,
    /// Allocations of the last minute; never more than the quota.
    recent: VecDeque<Instant>,
}

impl Usage {
    /// Whether one more code is within quota; the error says when to try again, where waiting helps.
    pub(super) fn check(
        &mut self,
        now: Instant,
        codes: u32,
        per_minute: u32,
    ) -> Result<(), Option<Duration>> {
        self.drop_old(now);
        if self.live >= codes {
            return Err(None);
        }
        let spent = u32::try_from(self.recent.len()).unwrap_or(u32::MAX);
        match self.recent.front() {
            Some(&oldest) if spent >= per_minute => Err(Some(
                MINUTE.saturating_sub(now.saturating_duration_since(oldest)),
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Counts one more code.
    pub(super) fn take(&mut self, now: Instant) {
        self.live = self.live.saturating_add(1);
        self.recent.push_back(now);
    }

    /// Counts the code of a meeting that is back, which nobody has to wait for.
    pub(super) fn take_back(&mut self) {
        self.live = self.live.saturating_add(1);
    }

    /// One code is dead.
    pub(super) fn give_back(&mut self) {
        self.live = self.live.saturating_sub(1);
    }

    /// Whether nothing of this operator has to be remembered.
    pub(super) fn is_idle(&mut self, now: Instant) -> bool {
        self.drop_old(now);
        self.live == 0 && self.recent.is_empty()
    }

    fn drop_old(&mut self, now: Instant) {
        while self
            .recent
            .front()
            .is_some_and(|&at| now.saturating_duration_since(at) >= MINUTE)
        {
            self.recent.pop_front();
        }
    }
}
