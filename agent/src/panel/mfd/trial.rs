//! The ways to the service being tried, at the word of whoever looks after the device.

use std::time::Duration;

use alongside::protocol::obstacle::{Obstacle, ObstacleKind};

/// A way to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrialWay {
    /// UDP to the relay.
    Udp,
    /// TLS to the relay.
    Tls,
    /// TLS to the relay through the proxy.
    Proxy,
}

impl TrialWay {
    /// Every way, best first.
    pub const ALL: [Self; 3] = [Self::Udp, Self::Tls, Self::Proxy];
}

/// What came of a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    Running,
    /// It works, and took so long.
    Works(Duration),
    /// It does not, or nobody wants it.
    Fails(Obstacle),
}

/// A test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trial {
    outcomes: [Outcome; 3],
    is_over: bool,
}

impl Default for Trial {
    fn default() -> Self {
        Self {
            outcomes: [Outcome::Running, Outcome::Running, Outcome::Running],
            is_over: false,
        }
    }
}

impl Trial {
    /// Takes what came of a way.
    pub(super) fn take(&mut self, way: TrialWay, outcome: Outcome) {
        let [udp, tls, proxy] = &mut self.outcomes;
        *match way {
            TrialWay::Udp => udp,
            TrialWay::Tls => tls,
            TrialWay::Proxy => proxy,
        } = outcome;
    }

    /// Nothing more comes.
    pub(super) const fn finish(&mut self) {
        self.is_over = true;
    }

    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// The ways, and what came of each.
    pub(super) fn ways(&self) -> impl Iterator<Item = (TrialWay, &Outcome)> {
        TrialWay::ALL.into_iter().zip(&self.outcomes)
    }

    /// Whether one of them works.
    pub(super) fn is_good(&self) -> bool {
        self.outcomes
            .iter()
            .any(|outcome| matches!(outcome, Outcome::Works(_)))
    }

    /// What stands in the way, where nothing works: what TLS met says the most.
    pub(super) fn obstacle(&self) -> Option<&Obstacle> {
        let [udp, tls, proxy] = &self.outcomes;
        // The last of those that say the most.
        [udp, proxy, tls]
            .into_iter()
            .filter_map(|outcome| match outcome {
                Outcome::Fails(obstacle) => Some(obstacle),
                Outcome::Running | Outcome::Works(_) => None,
            })
            .max_by_key(|obstacle| !is_unused(obstacle))
    }
}

/// Whether it is not an obstacle but a way that nobody wants.
pub(super) fn is_unused(obstacle: &Obstacle) -> bool {
    matches!(
        obstacle.kind,
        ObstacleKind::NotAllowed | ObstacleKind::NoProxy
    )
}
