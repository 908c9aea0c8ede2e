//! The path in figures: which way, how far, how much.

use std::time::{Duration, Instant};

use alongside_protocol::Kbps;
use alongside_transport::{PathKind, PathReport};

/// How often the figures are told when nothing changes.
const PERIOD: Duration = Duration::from_secs(5);

/// The path that packets take now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathStatus {
    /// Which way.
    pub kind: PathKind,
    /// Smoothed round-trip time.
    pub rtt: Duration,
    /// Rate of what came in since the last report, everything counted.
    pub inbound: Kbps,
    /// Rate of what went out since the last report, everything counted.
    pub outbound: Kbps,
}

/// Turns the transport's counters into [`PathStatus`] reports: on change of the way, and every 5 s.
#[derive(Debug)]
pub(crate) struct Meter {
    since: Instant,
    sent: u64,
    received: u64,
    kind: Option<PathKind>,
}

impl Meter {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            since: now,
            sent: 0,
            received: 0,
            kind: None,
        }
    }

    /// When the next report is due whatever happens.
    pub(crate) fn due(&self) -> Instant {
        self.since + PERIOD
    }

    /// A report, if one is due.
    pub(crate) fn read(&mut self, now: Instant, report: PathReport) -> Option<PathStatus> {
        if self.kind == Some(report.kind) && now < self.due() {
            return None;
        }
        let window = now - self.since;
        let status = PathStatus {
            kind: report.kind,
            rtt: report.rtt,
            inbound: Kbps::of(report.received.saturating_sub(self.received), window),
            outbound: Kbps::of(report.sent.saturating_sub(self.sent), window),
        };
        *self = Self {
            since: now,
            sent: report.sent,
            received: report.received,
            kind: Some(report.kind),
        };
        Some(status)
    }
}
