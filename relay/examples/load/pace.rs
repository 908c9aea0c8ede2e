//! A timer finer than the runtime's, whose grain of a millisecond would make bursts.

use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::{Interest, unix::AsyncFd};

use crate::Failure;

pub(crate) struct Timer(AsyncFd<std::os::fd::OwnedFd>);

impl Timer {
    pub(crate) fn new() -> Result<Self, Failure> {
        let fd = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        #[expect(
            deprecated,
            reason = "the new one is unsafe, and an owned descriptor stays open"
        )]
        let timer = AsyncFd::with_interest(fd, Interest::READABLE)?;
        Ok(Self(timer))
    }

    pub(crate) async fn wait(&self, pause: Duration) -> Result<(), Failure> {
        let pause = pause.max(Duration::from_nanos(1));
        let it_value = Timespec {
            tv_sec: i64::try_from(pause.as_secs())?,
            tv_nsec: pause.subsec_nanos().into(),
        };
        let it_interval = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        timerfd_settime(
            self.0.get_ref(),
            TimerfdTimerFlags::empty(),
            &Itimerspec {
                it_interval,
                it_value,
            },
        )?;
        let mut ready = self.0.readable().await?;
        let _expirations = rustix::io::read(self.0.get_ref(), &mut [0; 8]);
        ready.clear_ready();
        Ok(())
    }
}
