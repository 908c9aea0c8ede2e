//! The one place that reads a clock.
//!
//! Everything else takes the time as an argument, so that an hour passes in a test in milliseconds.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Monotonic time; follows tokio's clock, so a paused runtime pauses it.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Sleeps until `at`, or for ever where there is no deadline.
pub(crate) async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Wall clock in milliseconds since 1970; 0 on a device whose clock stands before that.
pub fn unix_ms() -> u64 {
    u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX)
}

/// Wall clock since 1970; for labels, and for locks that outlive the process.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reading of the wall clock"
)]
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
}
