//! Which ways are closed to a leg, and why.

use std::time::{Duration, Instant};

use alongside_protocol::obstacle::{Obstacle, ObstacleKind};
use tokio::sync::watch;

use super::{Attempt, LegConfig};
use crate::path::{ClosedWay, PathKind};

/// Silence over UDP, while packets take a stream, after which UDP counts as blocked: more than any round trip.
const BLOCKED_AFTER: Duration = Duration::from_secs(3);

/// The list, to be kept up to date. Clones keep the same one.
#[derive(Clone, Debug)]
pub(super) struct Closed(watch::Sender<Vec<ClosedWay>>);

impl Closed {
    /// What the settings forbid, and what has failed already.
    pub(super) fn new(config: &LegConfig, failures: &[Attempt]) -> Self {
        let closed = Self(watch::Sender::new(Vec::new()));
        let paths = config.paths;
        for (kind, is_allowed) in [
            (PathKind::Direct, paths.direct),
            (PathKind::RelayQuic, paths.relay_quic),
            (PathKind::RelayTls, paths.relay_tls),
            (
                PathKind::RelayProxy,
                paths.relay_proxy || config.proxy.is_none(),
            ),
        ] {
            if !is_allowed {
                closed.close(kind, ObstacleKind::NotAllowed.into());
            }
        }
        for failure in failures {
            closed.close(failure.kind(), failure.error().obstacle());
        }
        closed
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Vec<ClosedWay>> {
        self.0.subscribe()
    }

    /// `kind` does not work, for `why`; what the settings forbid stays forbidden.
    pub(super) fn close(&self, kind: PathKind, why: Obstacle) {
        self.0
            .send_if_modified(|ways| match ways.iter_mut().find(|way| way.kind == kind) {
                Some(way) if way.why.kind == ObstacleKind::NotAllowed || way.why == why => false,
                Some(way) => {
                    way.why = why;
                    true
                }
                None => {
                    ways.push(ClosedWay { kind, why });
                    ways.sort_by_key(|way| way.kind);
                    true
                }
            });
    }

    /// `kind` works.
    pub(super) fn open(&self, kind: PathKind) {
        self.0.send_if_modified(|ways| {
            let before = ways.len();
            ways.retain(|way| way.kind != kind);
            ways.len() != before
        });
    }

    /// Packets take `kind` at `now`, and something came over UDP at `heard_udp`.
    pub(super) fn taken(&self, now: Instant, kind: PathKind, heard_udp: Instant) {
        self.open(kind);
        let is_stream = matches!(kind, PathKind::RelayTls | PathKind::RelayProxy);
        if is_stream && now.saturating_duration_since(heard_udp) >= BLOCKED_AFTER {
            self.close(PathKind::RelayQuic, ObstacleKind::UdpBlocked.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use alongside_protocol::relay::Role;

    use super::*;
    use crate::{Identity, Paths, RelayAddress, Trust};

    fn told(closed: &Closed) -> Vec<String> {
        let ways = closed.0.borrow();
        ways.iter()
            .map(|way| format!("{} {}", way.kind, way.why))
            .collect()
    }

    #[test]
    fn what_works_is_not_told_and_what_is_forbidden_stays_so() {
        let identity = std::sync::Arc::new(Identity::generate().unwrap());
        let relay = RelayAddress::new("relay.test");
        let mut config = LegConfig::new(Role::Device, identity, relay, Trust::Platform);
        config.paths = Paths {
            direct: false,
            ..Paths::default()
        };
        let closed = Closed::new(&config, &[]);
        assert_eq!(told(&closed), ["direct not-allowed"]);
        let start = tokio::time::Instant::now().into_std();
        closed.taken(start + BLOCKED_AFTER / 2, PathKind::RelayTls, start);
        assert_eq!(told(&closed), ["direct not-allowed"]);
        closed.taken(start + BLOCKED_AFTER, PathKind::RelayTls, start);
        closed.close(PathKind::Direct, ObstacleKind::NoDirect.into());
        assert_eq!(
            told(&closed),
            ["direct not-allowed", "relay-quic udp-blocked"]
        );
        closed.taken(start + BLOCKED_AFTER, PathKind::RelayQuic, start);
        assert_eq!(told(&closed), ["direct not-allowed"]);
    }
}
