//! The one place that reads a clock.
//!
//! Everything else takes the time as an argument, so that an hour passes in a test in milliseconds.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
#[cfg(feature = "dynamic-modes")]
use std::{
    pin::Pin,
    task::{Context, Poll},
};

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

/// Rings at a time that moves on all the while; to move it to a later one costs nothing until it would have rung.
#[cfg(feature = "dynamic-modes")]
#[derive(Debug)]
pub(crate) struct Alarm(Pin<Box<tokio::time::Sleep>>);

#[cfg(feature = "dynamic-modes")]
impl Alarm {
    /// Rings at `at`.
    pub(crate) fn new(at: Instant) -> Self {
        Self(Box::pin(tokio::time::sleep_until(at.into())))
    }

    /// Ready once it is `at`.
    pub(crate) fn poll_at(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        if self.0.deadline().into_std() > at {
            self.0.as_mut().reset(at.into());
        }
        loop {
            std::task::ready!(self.0.as_mut().poll(cx));
            if now() >= at {
                return Poll::Ready(());
            }
            self.0.as_mut().reset(at.into());
        }
    }
}

/// Wall clock in milliseconds since 1970; 0 on a device whose clock stands before that.
pub fn unix_ms() -> u64 {
    u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX)
}

/// The wall clock as it once stood, carried on by the monotonic clock: for locks, which must outlive the process and
/// which setting the wall clock must not open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SteadyClock {
    since_epoch: Duration,
    read_at: Instant,
}

impl SteadyClock {
    /// Reads the wall clock, once.
    pub(crate) fn start() -> Self {
        Self {
            since_epoch: since_epoch(),
            read_at: now(),
        }
    }

    /// Time since 1970, as far as the clock was right when it was read.
    pub(crate) fn since_epoch(&self) -> Duration {
        self.since_epoch + now().saturating_duration_since(self.read_at)
    }
}

/// A moment of one boot of the machine, counted also while it sleeps. No clock that can be set is in it.
#[cfg(feature = "admin-id")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BootTime {
    /// Which boot.
    pub(crate) boot: [u8; 16],
    /// Time since it began.
    pub(crate) since: Duration,
}

#[cfg(feature = "admin-id")]
impl BootTime {
    /// Now.
    pub(crate) fn now() -> Self {
        use std::sync::LazyLock;
        static BOOT: LazyLock<[u8; 16]> = LazyLock::new(|| {
            // Where the system does not name its boots, each process counts as one.
            boot_id().unwrap_or_else(crate::random::bytes)
        });
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Self {
            boot: *BOOT,
            since: Duration::try_from(time).unwrap_or_default(),
        }
    }
}

/// The name that Linux gives to each boot: a UUID of random digits.
#[cfg(feature = "admin-id")]
fn boot_id() -> Option<[u8; 16]> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16)
        .ok()
        .map(u128::to_be_bytes)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one reading of the wall clock"
)]
fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_steady_clock_moves_with_the_monotonic_one() {
        let clock = SteadyClock::start();
        let start = clock.since_epoch();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(clock.since_epoch() - start, Duration::from_secs(3600));
    }
}
