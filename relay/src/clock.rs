//! The relay's clocks: the runtime's for what must happen, the wall's for what people read.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The runtime's instant, which tests can move.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The wall's clock, as the time since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the relay reads the wall's clock"
)]
pub(crate) fn since_1970() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// What the wall's clock showed at `at`, in milliseconds since 1970.
pub(crate) fn unix_ms(at: Instant) -> u64 {
    let ago = now().saturating_duration_since(at);
    u64::try_from(since_1970().saturating_sub(ago).as_millis()).unwrap_or(u64::MAX)
}
