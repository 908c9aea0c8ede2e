//! Short rests between receive batches while there is much to forward.
//!
//! What costs a relay is not bytes but wake-ups: at 50,000 packets a second nearly each packet finds it asleep.
//! So a busy relay lets a few packets come together. Below that it forwards each at once.

use std::{
    io,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::{Interest, unix::AsyncFd};

/// Length of a rest: adds half of it to the delay of a packet, and is far below what anybody sees.
const REST: Duration = Duration::from_micros(500);

/// How long packets are counted before the relay is taken to be busy or not.
const WINDOW: Duration = Duration::from_millis(10);

/// Packets in a window from which on it is busy: ten in each rest.
const BUSY_FROM: u64 = 200;

/// And below which it is not any more.
const BUSY_UNTIL: u64 = 100;

/// Decides when to rest. A timer of the system's, as the runtime's has a grain of a millisecond.
#[derive(Debug)]
pub(crate) struct Rest {
    timer: AsyncFd<OwnedFd>,
    load: Load,
    is_ticking: bool,
}

impl Rest {
    /// # Errors
    ///
    /// Whatever the system says.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        #[expect(
            deprecated,
            reason = "the new one is unsafe, and an owned descriptor stays open"
        )]
        let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
        Ok(Self {
            timer,
            load: Load::default(),
            is_ticking: false,
        })
    }

    /// Counts `packets` that have just been forwarded.
    pub(super) fn note(&mut self, now: Instant, packets: u64) {
        let is_busy = self.load.note(now, packets);
        let interval = if is_busy { REST } else { Duration::ZERO };
        if is_busy != self.is_ticking && self.tick_every(interval).is_ok() {
            self.is_ticking = is_busy;
        }
    }

    /// Waits a little if there is much to forward.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn take(&mut self) {
        if !self.is_ticking {
            return;
        }
        // A timer that fails is a rest that is left out.
        let Ok(mut ready) = self.timer.readable().await else {
            return;
        };
        let _expirations = rustix::io::read(self.timer.get_ref(), &mut [0; 8]);
        ready.clear_ready();
    }

    /// Zero stops it.
    fn tick_every(&self, interval: Duration) -> io::Result<()> {
        let interval = Timespec {
            tv_sec: 0,
            tv_nsec: interval.subsec_nanos().into(),
        };
        let both = Itimerspec {
            it_interval: interval,
            it_value: interval,
        };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &both)?;
        Ok(())
    }
}

/// How much there is to do.
#[derive(Debug, Default)]
struct Load {
    since: Option<Instant>,
    packets: u64,
    is_busy: bool,
}

impl Load {
    /// Counts `packets`; whether the relay is busy.
    fn note(&mut self, now: Instant, packets: u64) -> bool {
        let since = *self.since.get_or_insert(now);
        let took = now.saturating_duration_since(since);
        if took >= WINDOW {
            // The window may have been over long ago: nothing came.
            let windows = took.as_nanos().checked_div(WINDOW.as_nanos()).unwrap_or(1);
            let each = u128::from(self.packets).checked_div(windows).unwrap_or(0);
            let threshold = if self.is_busy { BUSY_UNTIL } else { BUSY_FROM };
            self.is_busy = each >= u128::from(threshold);
            self.since = Some(now);
            self.packets = 0;
        }
        self.packets = self.packets.saturating_add(packets);
        self.is_busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "some instant to count from")]
        Instant::now()
    }

    #[test]
    fn a_relay_with_little_to_do_never_rests() {
        let (mut load, mut now) = (Load::default(), start());
        for _ in 0..1000 {
            now += Duration::from_micros(100);
            assert!(!load.note(now, 1), "10,000 packets a second");
        }
    }

    #[test]
    fn a_busy_relay_rests_until_there_is_less() {
        let (mut load, mut now) = (Load::default(), start());
        let mut run = |every: Duration, times: u32| {
            (0..times)
                .map(|_| {
                    now += every;
                    load.note(now, 1)
                })
                .last()
        };
        assert_eq!(run(Duration::from_micros(20), 1200), Some(true));
        assert_eq!(run(Duration::from_micros(66), 1200), Some(true), "still");
        assert_eq!(run(Duration::from_millis(1), 30), Some(false));
        assert_eq!(run(Duration::from_micros(20), 1200), Some(true));
        assert_eq!(
            run(Duration::from_secs(1), 1),
            Some(false),
            "a long silence"
        );
    }

    #[tokio::test]
    async fn a_rest_is_short_and_only_for_the_busy() {
        let mut rest = Rest::new().unwrap();
        let begin = start();
        for n in 0..100 {
            rest.note(begin + Duration::from_millis(n), 1);
            rest.take().await;
        }
        let quick = start() - begin;
        for n in 0..100 {
            let at = begin + Duration::from_secs(1) + Duration::from_micros(n * 500);
            rest.note(at, 100);
            rest.take().await;
        }
        let slow = start() - begin;
        assert!(slow > quick + REST * 50, "{quick:?} {slow:?}");
        assert!(slow < Duration::from_secs(5), "{slow:?}");
    }
}
