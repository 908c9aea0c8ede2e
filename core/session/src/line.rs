//! Whether there is a connection, or how long the session waits for another.

use std::time::{Duration, Instant};

use alongside_mode::Capabilities;

use crate::{Limits, PROOF_DEADLINE};

/// The connection under a session; `C` is the proof that goes on over a new one.
pub(crate) enum Line<C> {
    Up,
    Down(Down<C>),
}

/// There is none.
pub(crate) struct Down<C> {
    /// When the session is over if none comes.
    pub(crate) ends_at: Instant,
    /// When a mode that acts on the panel is over.
    pub(crate) lowers_at: Option<Instant>,
    /// Somebody has come.
    pub(crate) coming: Option<Coming<C>>,
}

/// A connection that has still to be proved.
pub(crate) struct Coming<C> {
    pub(crate) proof: C,
    deadline: Instant,
}

impl<C> Line<C> {
    /// The connection is lost while a mode may do this much.
    pub(crate) fn lost(now: Instant, granted: Capabilities) -> Self {
        let settings = Capabilities::SETTINGS_READ | Capabilities::SETTINGS_WRITE;
        let limit = if (granted & settings).is_empty() {
            Limits::RESUME
        } else {
            Limits::RESUME_SETTINGS
        };
        let acts = granted.contains(Capabilities::INPUT);
        Self::Down(Down {
            ends_at: now + limit,
            lowers_at: acts.then(|| now + Limits::RESUME_CONTROL),
            coming: None,
        })
    }

    pub(crate) const fn is_up(&self) -> bool {
        matches!(self, Self::Up)
    }

    pub(crate) const fn down(&mut self) -> Option<&mut Down<C>> {
        match self {
            Self::Up => None,
            Self::Down(down) => Some(down),
        }
    }

    /// When something is due, while there is no connection.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let Self::Down(down) = self else { return None };
        let coming = down.coming.as_ref().map(|coming| coming.deadline);
        [down.lowers_at, coming]
            .into_iter()
            .flatten()
            .chain([down.ends_at])
            .min()
    }
}

impl<C> Down<C> {
    pub(crate) fn come(&mut self, now: Instant, proof: C) {
        self.coming = Some(Coming {
            proof,
            deadline: now + PROOF_DEADLINE,
        });
    }

    /// Whether who has come takes too long.
    pub(crate) fn is_stalled(&self, now: Instant) -> bool {
        self.coming
            .as_ref()
            .is_some_and(|coming| coming.deadline <= now)
    }

    pub(crate) fn ends_in(&self, now: Instant) -> Duration {
        self.ends_at.saturating_duration_since(now)
    }
}
