//! When the relay was last heard on a way: whoever waits for a slow line has patience as long as it lives.

use std::{
    future::Future,
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep_until},
};

/// Shared by who hears and who waits; clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse(Arc<Mutex<Option<Instant>>>);

impl Pulse {
    /// Something has come.
    pub(crate) fn beat(&self) {
        *self.slot() = Some(Instant::now());
    }

    /// When something last came.
    pub(crate) fn last(&self) -> Option<Instant> {
        *self.slot()
    }

    /// Whether something came within `time`.
    pub(crate) fn is_felt_within(&self, time: Duration) -> bool {
        self.last().is_some_and(|at| at.elapsed() < time)
    }

    /// What `work` comes to; `None` if nothing comes for `patience`, or in any case after `longest`.
    pub(crate) async fn while_felt<T>(
        &self,
        patience: Duration,
        longest: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let start = Instant::now();
        let mut work = pin!(work);
        loop {
            let last = self.last().map_or(start, |at| at.max(start));
            let until = (last + patience).min(start + longest);
            if until <= Instant::now() {
                return None;
            }
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                () = sleep_until(until) => {}
            }
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose pulse is felt by reading it.
pub(crate) struct Felt<S> {
    stream: S,
    pulse: Pulse,
}

impl<S> Felt<S> {
    pub(crate) fn new(stream: S, pulse: Pulse) -> Self {
        Self { stream, pulse }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Felt<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            this.pulse.beat();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Felt<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);
    const LONGEST: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn whoever_is_heard_now_and_then_has_time_and_whoever_is_not_has_little() {
        let pulse = Pulse::default();
        let start = Instant::now();
        let silence = pulse.while_felt(PATIENCE, LONGEST, std::future::pending::<()>());
        assert_eq!(silence.await, None);
        assert_eq!(start.elapsed(), PATIENCE);

        let slow = async {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(4)).await;
                pulse.beat();
            }
            "done"
        };
        assert_eq!(
            pulse.while_felt(PATIENCE, LONGEST, slow).await,
            Some("done")
        );

        let start = Instant::now();
        let never = async {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                pulse.beat();
            }
        };
        let never: Option<()> = pulse.while_felt(PATIENCE, LONGEST, never).await;
        assert_eq!((never, start.elapsed()), (None, LONGEST));
    }
}
