//! One direction of an in-memory stream.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::End;

/// Bytes that may wait to be read before the writer has to.
const CAPACITY: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct Pipe(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<u8>,
    is_finished: bool,
    is_stopped: bool,
    is_aborted: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

pub(super) fn pipe() -> Arc<Pipe> {
    Arc::default()
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection is over: both ends fail from now on.
    pub(super) fn abort(&self) {
        self.change(|state| state.is_aborted = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let wakers = (state.reader.take(), state.writer.take());
        drop(state);
        [wakers.0, wakers.1]
            .into_iter()
            .flatten()
            .for_each(Waker::wake);
    }
}

/// Sending half of an in-memory stream.
#[derive(Debug)]
pub struct PipeWriter {
    pipe: Arc<Pipe>,
    _end: Arc<End>,
}

/// Receiving half of an in-memory stream.
#[derive(Debug)]
pub struct PipeReader {
    pipe: Arc<Pipe>,
    _end: Arc<End>,
}

impl PipeWriter {
    pub(super) fn new(pipe: Arc<Pipe>, end: Arc<End>) -> Self {
        Self { pipe, _end: end }
    }
}

impl PipeReader {
    pub(super) fn new(pipe: Arc<Pipe>, end: Arc<End>) -> Self {
        Self { pipe, _end: end }
    }
}

impl AsyncWrite for PipeWriter {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.pipe.lock();
        if state.is_aborted {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        }
        if state.is_stopped || state.is_finished {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let taken = bytes
            .len()
            .min(CAPACITY.saturating_sub(state.waiting.len()));
        if taken == 0 && !bytes.is_empty() {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.waiting.extend(bytes.iter().take(taken));
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.change(|state| state.is_finished = true);
        Poll::Ready(Ok(()))
    }
}

impl Drop for PipeWriter {
    fn drop(&mut self) {
        self.pipe.change(|state| state.is_finished = true);
    }
}

impl AsyncRead for PipeReader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.pipe.lock();
        if state.is_aborted {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        }
        if state.waiting.is_empty() && !state.is_finished {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let (front, _) = state.waiting.as_slices();
        let taken = front.len().min(buffer.remaining());
        buffer.put_slice(front.get(..taken).unwrap_or(&[]));
        state.waiting.drain(..taken);
        let writer = state.writer.take();
        drop(state);
        writer.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        self.pipe.change(|state| state.is_stopped = true);
    }
}
