//! Watches a connection's path: reports it, sizes the send window, and shakes the connection awake on a new way.

use std::time::Duration;

use bytes::Bytes;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{connection::PathReport, leg::tuning::E2E_SEND_WINDOW, path::PathKind};

/// How often the counters are brought up to date (our choice: what a person sees moving).
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// Datagrams sent on a new way, so that their acknowledgements show at once what was lost on the old one: a
/// dead way costs 350 to 500 ms with them, 1.4 s without (measured).
const KICKS: u32 = 3;

/// Pause between them.
const KICK_PAUSE: Duration = Duration::from_millis(5);

pub(super) async fn run(
    quic: quinn::Connection,
    mut kind: watch::Receiver<PathKind>,
    reports: watch::Sender<PathReport>,
) {
    let mut ticks = interval(REPORT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut has_ways = true;
    loop {
        tokio::select! {
            _ = quic.closed() => break,
            _ = ticks.tick() => size_send_window(&quic),
            changed = kind.changed(), if has_ways => match changed {
                Ok(()) => kick(&quic).await,
                Err(_) => has_ways = false,
            },
        }
        publish(&reports, report(&quic, *kind.borrow_and_update()));
    }
    publish(&reports, report(&quic, PathKind::None));
}

pub(super) fn report(quic: &quinn::Connection, kind: PathKind) -> PathReport {
    let stats = quic.stats();
    PathReport {
        kind,
        rtt: stats.path.rtt,
        sent: stats.udp_tx.bytes,
        received: stats.udp_rx.bytes,
    }
}

fn publish(reports: &watch::Sender<PathReport>, report: PathReport) {
    reports.send_if_modified(|shown| std::mem::replace(shown, report) != report);
}

/// 1.5 times what the congestion controller lets fly, and no less than [`E2E_SEND_WINDOW`].
fn size_send_window(quic: &quinn::Connection) {
    let in_flight = quic.stats().path.cwnd;
    quic.set_send_window(E2E_SEND_WINDOW.max(in_flight.saturating_add(in_flight / 2)));
}

async fn kick(quic: &quinn::Connection) {
    for _ in 0..KICKS {
        // Fails where datagrams are off or the connection is over; then there is nothing to shake.
        let _unsent = quic.send_datagram(Bytes::new());
        sleep(KICK_PAUSE).await;
    }
}
