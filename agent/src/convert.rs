//! From the library's terms to those of the JSON vocabulary, where both sides need it.

use std::time::Duration;

use alongside::{PathKind, PathStatus, operator::Latency, status::Link};
use tokio::task::JoinError;

use crate::{
    api::{Done, ErrorCode, Failure, Reply, event},
    exit, obstacle,
    snapshot::{Snapshot, SnapshotError},
};

/// The path in figures.
pub fn path(path: PathStatus) -> event::Path {
    let closed = path.closed.iter().map(|way| event::ClosedWay {
        kind: path_kind(way.kind),
        reason: way.why.kind.as_str(),
        message: obstacle::sentence(&way.why),
        ask: way.why.kind.contact().as_str(),
    });
    event::Path {
        kind: path_kind(path.kind),
        closed: closed.collect(),
        rtt_ms: millis(path.rtt),
        kbps_in: path.inbound.as_u32(),
        kbps_out: path.outbound.as_u32(),
    }
}

const fn path_kind(kind: PathKind) -> event::PathKind {
    match kind {
        PathKind::Direct => event::PathKind::Direct,
        PathKind::RelayQuic => event::PathKind::RelayQuic,
        PathKind::RelayTls => event::PathKind::RelayTls,
        PathKind::RelayProxy => event::PathKind::RelayProxy,
        PathKind::None => event::PathKind::None,
    }
}

/// How long a picture takes.
pub fn latency(latency: Latency) -> event::Latency {
    event::Latency {
        capture_ms: millis(latency.capture),
        encode_ms: millis(latency.encode),
        network_ms: millis(latency.network),
        decode_ms: millis(latency.decode),
    }
}

/// Milliseconds with their tenths: more is noise.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// Whether the other side was heard from.
pub fn link(link: Link) -> event::Link {
    match link {
        Link::Ok => event::Link {
            state: event::LinkState::Ok,
            silent_ms: 0,
            ends_in_ms: None,
        },
        Link::Missing { silent } => event::Link {
            state: event::LinkState::Missing,
            silent_ms: ms(silent),
            ends_in_ms: None,
        },
        Link::Lost { ends_in } => event::Link {
            state: event::LinkState::Lost,
            silent_ms: 0,
            ends_in_ms: Some(ms(ends_in)),
        },
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The reply to a `snapshot`.
///
/// # Errors
///
/// The picture was not written.
pub fn snapshot(
    written: Result<Result<Snapshot, SnapshotError>, JoinError>,
    frame: u64,
    exact: bool,
) -> Reply {
    match written {
        Ok(Ok(Snapshot {
            width,
            height,
            sha256,
        })) => Ok(Done::Snapshot(event::Snapshot {
            width,
            height,
            frame,
            exact,
            sha256,
        })),
        Ok(Err(error)) => Err(Failure::bad_request(exit::chain(&error))),
        Err(error) => Err(Failure::new(ErrorCode::Internal, error.to_string())),
    }
}

/// Whole seconds, rounded up, for a countdown.
pub fn whole_seconds(time: Duration) -> u16 {
    u16::try_from(time.as_millis().div_ceil(1_000)).unwrap_or(u16::MAX)
}

/// Attempts in words.
pub fn tries(left: u8) -> String {
    match left {
        0 => "no attempt is".to_owned(),
        1 => "1 attempt is".to_owned(),
        n => format!("{n} attempts are"),
    }
}
