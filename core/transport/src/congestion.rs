//! Cubic for a path that changes under the connection.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use quinn::congestion::{Controller, ControllerFactory, CubicConfig};
use quinn_proto::RttEstimator;

/// Least congestion window in bytes: ten packets of 1200. Without a floor, 5 % of random loss takes Cubic down
/// to two packets and a panel at 380 kbit/s from 191 to 245 ms (measured, slowest message).
pub const WINDOW_FLOOR: u64 = 12_000;

/// Packets that may be sent at once on a new path although the old one has not acknowledged its own.
const GRACE_PACKETS: u64 = 20;

/// Counts the changes of a connection's path, so that its congestion controller starts afresh on each.
#[derive(Clone, Debug, Default)]
pub struct PathGeneration(Arc<AtomicU64>);

impl PathGeneration {
    /// Says that packets now go another way.
    pub fn advance(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// How often the path has changed.
    pub fn current(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Builds [`PathCubic`]s that watch one [`PathGeneration`].
#[derive(Debug)]
pub(crate) struct PathCubicConfig {
    pub(crate) generation: PathGeneration,
}

impl ControllerFactory for PathCubicConfig {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        Box::new(PathCubic::new(self.generation.clone(), now, mtu))
    }
}

fn cubic(now: Instant, mtu: u16) -> Box<dyn Controller> {
    Arc::new(CubicConfig::default()).build(now, mtu)
}

/// Cubic with a floor, started afresh when the path changes: losses of packets that went the old way do not
/// count against the new one.
struct PathCubic {
    inner: Box<dyn Controller>,
    generation: PathGeneration,
    seen: u64,
    mtu: u16,
    since: Instant,
    /// Nothing sent on this path has been acknowledged yet.
    grace: bool,
}

impl PathCubic {
    fn new(generation: PathGeneration, now: Instant, mtu: u16) -> Self {
        let seen = generation.current();
        Self {
            inner: cubic(now, mtu),
            generation,
            seen,
            mtu,
            since: now,
            grace: false,
        }
    }

    fn follow_path(&mut self, now: Instant) {
        let current = self.generation.current();
        if current != self.seen {
            self.seen = current;
            self.since = now;
            self.grace = true;
            self.inner = cubic(now, self.mtu);
        }
    }
}

impl Controller for PathCubic {
    fn on_sent(&mut self, now: Instant, bytes: u64, last_packet_number: u64) {
        self.follow_path(now);
        self.inner.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        app_limited: bool,
        rtt: &RttEstimator,
    ) {
        self.follow_path(now);
        self.grace &= sent < self.since;
        self.inner.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(
        &mut self,
        now: Instant,
        in_flight: u64,
        app_limited: bool,
        largest: Option<u64>,
    ) {
        self.inner.on_end_acks(now, in_flight, app_limited, largest);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent: bool,
        lost_bytes: u64,
    ) {
        self.follow_path(now);
        if sent >= self.since {
            self.inner
                .on_congestion_event(now, sent, is_persistent, lost_bytes);
        }
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.mtu = new_mtu;
        self.inner.on_mtu_update(new_mtu);
    }

    fn window(&self) -> u64 {
        // What is in flight on the old path must not hold back the first packets on the new one.
        let fresh = self.grace || self.generation.current() != self.seen;
        let grace = if fresh {
            GRACE_PACKETS * u64::from(self.mtu)
        } else {
            0
        };
        self.inner.window().max(WINDOW_FLOOR) + grace
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self {
            inner: self.inner.clone_box(),
            generation: self.generation.clone(),
            ..*self
        })
    }

    fn initial_window(&self) -> u64 {
        self.inner.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MTU: u16 = 1200;

    fn start() -> (PathCubic, Instant) {
        let now = tokio::time::Instant::now().into_std();
        (PathCubic::new(PathGeneration::default(), now, MTU), now)
    }

    #[test]
    fn random_loss_never_takes_the_window_below_the_floor() {
        let (mut controller, start) = start();
        for step in 1..100 {
            let now = start + Duration::from_millis(100 * step);
            controller.on_congestion_event(now, now, true, 1200);
        }
        assert!(controller.inner.window() < WINDOW_FLOOR);
        assert_eq!(controller.window(), WINDOW_FLOOR);
    }

    #[test]
    fn a_new_path_starts_afresh_and_forgets_losses_of_the_old_one() {
        let (mut controller, start) = start();
        let initial = controller.inner.window();
        let sent = start + Duration::from_millis(1);
        controller.on_congestion_event(start + Duration::from_millis(50), sent, false, 1200);
        assert!(controller.inner.window() < initial);

        controller.generation.advance();
        let now = start + Duration::from_millis(100);
        assert_eq!(
            controller.window(),
            WINDOW_FLOOR + GRACE_PACKETS * u64::from(MTU)
        );
        controller.on_congestion_event(now, sent, true, 60_000);
        assert_eq!(controller.inner.window(), initial);
        controller.on_congestion_event(now + Duration::from_millis(1), now, false, 1200);
        assert!(controller.inner.window() < initial);
    }
}
