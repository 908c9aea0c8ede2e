//! The path in figures: which way, how far, how much.

use std::time::{Duration, Instant};

use alongside_protocol::Kbps;
use alongside_transport::{ClosedWay, Connection, PathKind, PathReport};
use tokio::sync::watch;

use crate::clock;

/// How often the figures are told when nothing changes.
const PERIOD: Duration = Duration::from_secs(5);

/// The path that packets take now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathStatus {
    /// Which way.
    pub kind: PathKind,
    /// Smoothed round-trip time.
    pub rtt: Duration,
    /// Rate of what came in since the last report, everything counted.
    pub inbound: Kbps,
    /// Rate of what went out since the last report, everything counted.
    pub outbound: Kbps,
    /// The ways that are closed to this side, and why.
    pub closed: Vec<ClosedWay>,
}

/// Turns the transport's counters into [`PathStatus`] reports: on change of the way, and every 5 s.
#[derive(Debug)]
pub(crate) struct Meter {
    paths: watch::Receiver<PathReport>,
    closed: watch::Receiver<Vec<ClosedWay>>,
    /// Whether the connection will report nothing more.
    is_over: bool,
    since: Instant,
    sent: u64,
    received: u64,
    kind: Option<PathKind>,
}

impl Meter {
    /// Reads the counters of `connection`.
    pub(crate) fn of<C: Connection>(now: Instant, connection: &C) -> Self {
        Self::new(now, connection.path(), connection.closed_ways())
    }

    const fn new(
        now: Instant,
        paths: watch::Receiver<PathReport>,
        closed: watch::Receiver<Vec<ClosedWay>>,
    ) -> Self {
        Self {
            paths,
            closed,
            is_over: false,
            since: now,
            sent: 0,
            received: 0,
            kind: None,
        }
    }

    /// Whether packets take a way that needs no relay.
    pub(crate) fn is_direct(&self) -> bool {
        self.paths.borrow().kind == PathKind::Direct
    }

    /// Next report; the first comes at once. Cancel safe.
    pub(crate) async fn next(&mut self) -> PathStatus {
        loop {
            let report = *self.paths.borrow_and_update();
            if let Some(status) = self.read(clock::now(), report) {
                return status;
            }
            let due = self.since + PERIOD;
            tokio::select! {
                changed = self.paths.changed(), if !self.is_over => self.is_over = changed.is_err(),
                () = clock::sleep_until(Some(due)) => {}
            }
        }
    }

    /// A report, if one is due.
    fn read(&mut self, now: Instant, report: PathReport) -> Option<PathStatus> {
        let window = now.saturating_duration_since(self.since);
        if self.kind == Some(report.kind) && window < PERIOD {
            return None;
        }
        let status = PathStatus {
            kind: report.kind,
            rtt: report.rtt,
            inbound: Kbps::of(report.received.saturating_sub(self.received), window),
            outbound: Kbps::of(report.sent.saturating_sub(self.sent), window),
            closed: self.closed.borrow().clone(),
        };
        self.since = now;
        self.sent = report.sent;
        self.received = report.received;
        self.kind = Some(report.kind);
        Some(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(kind: PathKind, sent: u64, received: u64) -> PathReport {
        PathReport {
            kind,
            rtt: Duration::from_millis(40),
            sent,
            received,
        }
    }

    fn meter(first: PathReport) -> (watch::Sender<PathReport>, Meter) {
        let (sender, paths) = watch::channel(first);
        let closed = watch::channel(Vec::new()).1;
        (sender, Meter::new(clock::now(), paths, closed))
    }

    #[tokio::test(start_paused = true)]
    async fn the_figures_come_every_5_s_and_count_what_went_since() {
        let (paths, mut meter) = meter(report(PathKind::RelayQuic, 0, 0));
        let start = clock::now();
        let _first = meter.next().await;
        assert_eq!(clock::now(), start, "the first comes at once");
        paths.send_replace(report(PathKind::RelayQuic, 5_000, 10_000));
        let second = meter.next().await;
        assert_eq!(clock::now() - start, PERIOD);
        assert_eq!(second.outbound, Kbps::new(8));
        assert_eq!(second.inbound, Kbps::new(16));
        let third = meter.next().await;
        assert_eq!(clock::now() - start, 2 * PERIOD);
        assert_eq!(third.outbound, Kbps::new(0), "counted once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_way_is_told_at_once() {
        let (paths, mut meter) = meter(report(PathKind::RelayQuic, 0, 0));
        let _first = meter.next().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let changed = clock::now();
        paths.send_replace(report(PathKind::Direct, 0, 0));
        assert_eq!(meter.next().await.kind, PathKind::Direct);
        assert_eq!(clock::now(), changed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_reports_no_more_is_told_of_no_oftener() {
        let (paths, mut meter) = meter(report(PathKind::RelayQuic, 0, 0));
        let _first = meter.next().await;
        let start = clock::now();
        drop(paths);
        let _second = meter.next().await;
        assert_eq!(clock::now() - start, PERIOD);
    }
}
