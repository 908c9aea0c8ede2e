//! One channel: its stream, once there is one, and what waits to go out on it.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
};

use alongside_protocol::{
    frame::{Channel, Frame, FrameReader},
    wire::DecodeError,
};
use alongside_transport::Connection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most that waits on one channel, in bytes; the budgets of an honest session leave at most half of it.
const MAX_WAITING: usize = 256 * 1024;

/// What a waiting frame costs beside its bytes, for [`MAX_WAITING`].
const OVERHEAD: usize = 64;

/// More waits than an honest other side would ever leave unread.
pub(super) struct Unread;

/// Why a stream is of no more use.
pub(super) enum Stopped {
    /// It has ended, or the connection has.
    Ended,
    /// What it carries is no frame.
    Broken(DecodeError),
}

pub(super) struct Stream<C: Connection> {
    send: C::Send,
    recv: C::Recv,
    reader: FrameReader,
}

impl<C: Connection> Stream<C> {
    pub(super) fn new(send: C::Send, recv: C::Recv, max_body: usize) -> Self {
        let reader = FrameReader::new(max_body);
        Self { send, recv, reader }
    }
}

pub(super) struct Lane<C: Connection> {
    channel: Channel,
    stream: Option<Stream<C>>,
    frames: VecDeque<Vec<u8>>,
    /// Bytes of the first frame that are written.
    written: usize,
    /// What the waiting frames cost.
    waiting: usize,
    /// Whether a frame was queued since [`Lane::take_drained`] last said so.
    is_busy: bool,
    /// Whether the stream is wanted although nothing is queued: the other side has something to say on it.
    is_wanted: bool,
    /// The stream no longer takes, or gives, anything.
    is_write_closed: bool,
    is_read_closed: bool,
}

impl<C: Connection> Lane<C> {
    pub(super) const fn new(channel: Channel) -> Self {
        Self {
            channel,
            stream: None,
            frames: VecDeque::new(),
            written: 0,
            waiting: 0,
            is_busy: false,
            is_wanted: false,
            is_write_closed: false,
            is_read_closed: false,
        }
    }

    pub(super) const fn channel(&self) -> Channel {
        self.channel
    }

    pub(super) const fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    pub(super) fn needs_stream(&self) -> bool {
        !self.is_open() && (self.is_wanted || !self.frames.is_empty())
    }

    pub(super) const fn want(&mut self) {
        self.is_wanted = true;
    }

    /// Takes the stream that this side opened. Its first byte makes it visible to the other side and names it.
    pub(super) fn begin(&mut self, stream: Stream<C>) {
        self.frames.push_front(vec![self.channel.id()]);
        self.waiting += 1 + OVERHEAD;
        self.accept(stream);
    }

    /// Takes the stream that the other side opened and named.
    pub(super) fn accept(&mut self, stream: Stream<C>) {
        self.stream = Some(stream);
    }

    pub(super) fn admit(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.reader.set_max_body(self.channel.max_body());
        }
    }

    pub(super) fn push(&mut self, frame: Vec<u8>) -> Result<(), Unread> {
        if self.is_write_closed {
            return Ok(());
        }
        if self.waiting > MAX_WAITING {
            return Err(Unread);
        }
        self.waiting += frame.len() + OVERHEAD;
        self.frames.push_back(frame);
        self.is_busy = true;
        Ok(())
    }

    /// Drops what no byte is written of yet.
    pub(super) fn clear(&mut self) {
        self.frames.truncate(usize::from(self.written > 0));
        self.waiting = self.frames.iter().map(|frame| frame.len() + OVERHEAD).sum();
        self.is_wanted = false;
    }

    /// The channel, once after each time that everything queued is with the transport.
    pub(super) fn take_drained(&mut self) -> Option<Channel> {
        (self.is_open() && self.frames.is_empty() && std::mem::take(&mut self.is_busy))
            .then_some(self.channel)
    }

    /// Hands queued bytes to the stream.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), Stopped> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        while let Some(frame) = self.frames.front() {
            let rest = frame.get(self.written..).unwrap_or(&[]);
            match Pin::new(&mut stream.send).poll_write(cx, rest) {
                Poll::Pending => break,
                Poll::Ready(Ok(n)) if n > 0 => {
                    self.written += n;
                    if self.written >= frame.len() {
                        self.waiting = self.waiting.saturating_sub(frame.len() + OVERHEAD);
                        self.frames.pop_front();
                        self.written = 0;
                    }
                }
                Poll::Ready(ended) => {
                    tracing::trace!(?ended, channel = ?self.channel, "stream takes no more");
                    self.is_write_closed = true;
                    self.is_busy = false;
                    (self.frames, self.waiting) = (VecDeque::new(), 0);
                    return Err(Stopped::Ended);
                }
            }
        }
        Ok(())
    }

    /// Next frame, read through `chunk`; an error once the stream is of no more use.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        chunk: &mut [u8],
    ) -> Poll<Result<Frame, Stopped>> {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.is_read_closed) else {
            return Poll::Pending;
        };
        loop {
            match stream.reader.next_frame() {
                Ok(Some(frame)) => return Poll::Ready(Ok(frame)),
                Ok(None) => {}
                Err(source) => {
                    self.is_read_closed = true;
                    return Poll::Ready(Err(Stopped::Broken(source)));
                }
            }
            let mut buffer = ReadBuf::new(chunk);
            let read = ready!(Pin::new(&mut stream.recv).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                self.is_read_closed = true;
                return Poll::Ready(Err(Stopped::Ended));
            }
            stream.reader.push(buffer.filled());
        }
    }
}

/// The first byte of a stream; `None` if it ends before.
pub(super) fn poll_byte(
    recv: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
) -> Poll<Option<u8>> {
    let mut byte = [0; 1];
    let mut buffer = ReadBuf::new(&mut byte);
    let read = ready!(Pin::new(recv).poll_read(cx, &mut buffer));
    Poll::Ready(read.ok().and_then(|()| buffer.filled().first().copied()))
}
