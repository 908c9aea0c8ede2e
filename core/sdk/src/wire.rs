//! The streams of one end-to-end connection as one source of frames and one sink of frames.
//!
//! The operator opens a stream per channel and names it by its first byte; the device accepts them. Nothing here
//! runs on its own: [`Wire::next`] reads, writes and accepts while it is polled, so a session is one future.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use alongside_protocol::{
    frame::{Channel, Frame, FrameReader},
    wire::DecodeError,
};
use alongside_transport::{Connection, Lost};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What came from the other side, or room to send.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A whole frame.
    Frame(Channel, Frame),
    /// A datagram.
    Datagram(Bytes),
    /// Everything queued on this channel is with the transport.
    Drained(Channel),
    /// The other side sent what no version of the protocol sends.
    Broken(WireError),
    /// The connection is gone.
    Lost(Lost),
}

/// How the other side broke the stream layer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// A frame that is none.
    #[error("bad frame on the {channel:?} channel")]
    Frame {
        channel: Channel,
        #[source]
        source: DecodeError,
    },
    /// A stream whose first byte names no channel, or one that is open already.
    #[error("a stream opens with the byte {0:#04x}, which names no free channel")]
    Stream(u8),
    /// A channel's stream ended while the connection lives.
    #[error("the {0:?} channel was closed")]
    Closed(Channel),
}

type Pair<C> = (<C as Connection>::Send, <C as Connection>::Recv);
type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// One open channel.
struct Pipe<C: Connection> {
    channel: Channel,
    send: C::Send,
    recv: C::Recv,
    reader: FrameReader,
}

/// What waits to be written on one channel.
#[derive(Default)]
struct Outbox {
    frames: VecDeque<Vec<u8>>,
    /// Bytes of the first frame that are written.
    written: usize,
    /// Set while a frame was queued since the last `Drained`.
    busy: bool,
    /// Operator: open the stream even though nothing is queued; the other side has something to say on it.
    wanted: bool,
}

impl Outbox {
    fn needs_stream(&self) -> bool {
        self.wanted || !self.frames.is_empty()
    }
}

/// All channels of one connection.
pub(crate) struct Wire<C: Connection> {
    connection: C,
    pipes: Vec<Pipe<C>>,
    outboxes: [Outbox; 4],
    /// Device: the next stream, until its first byte has named it.
    accepting: Option<Pending<Result<Pair<C>, Lost>>>,
    unnamed: Option<Pair<C>>,
    /// Operator: the stream being opened.
    opening: Option<(Channel, Pending<Result<Pair<C>, Lost>>)>,
    datagram: Pending<Result<Bytes, Lost>>,
    closed: Pending<Lost>,
    role: Role,
}

/// Which side opens the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Opens,
    Accepts,
}

impl<C: Connection> std::fmt::Debug for Wire<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire")
            .field("role", &self.role)
            .field("open", &self.pipes.len())
            .finish_non_exhaustive()
    }
}

impl<C: Connection> Wire<C> {
    pub(crate) fn new(connection: C, role: Role) -> Self {
        let datagram = next_datagram(&connection);
        let closed = {
            let connection = connection.clone();
            Box::pin(async move { connection.closed().await })
        };
        let outboxes = Default::default();
        Self {
            connection,
            pipes: Vec::new(),
            outboxes,
            accepting: None,
            unnamed: None,
            opening: None,
            datagram,
            closed,
            role,
        }
    }

    /// Queues a whole frame. The session's budgets bound what stands here.
    pub(crate) fn send(&mut self, channel: Channel, frame: Vec<u8>) {
        let outbox = self.outbox(channel);
        outbox.frames.push_back(frame);
        outbox.busy = true;
    }

    /// Operator: opens the streams on which the device speaks first.
    pub(crate) fn open(&mut self, channels: &[Channel]) {
        for channel in channels {
            self.outbox(*channel).wanted = true;
        }
    }

    /// Sends a datagram, or drops it: what it says, a later one says better.
    pub(crate) fn send_datagram(&self, datagram: Vec<u8>) {
        if let Err(error) = self.connection.send_datagram(datagram.into()) {
            tracing::trace!(%error, "datagram dropped");
        }
    }

    /// Drops what no byte is written of yet, but for the control channel: a session that ended has only its goodbye
    /// to say.
    pub(crate) fn drop_scope(&mut self) {
        for channel in [Channel::Mode, Channel::Panel, Channel::Bulk] {
            let outbox = self.outbox(channel);
            outbox.frames.truncate(usize::from(outbox.written > 0));
        }
    }

    /// Next thing that happens on the connection. Cancel safe.
    pub(crate) async fn next(&mut self) -> Incoming {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Writes what is queued, for at most `patience`, then closes the connection.
    pub(crate) async fn finish(mut self, patience: Duration, code: u32, reason: &str) {
        let flushed = async {
            poll_fn(|cx| match self.poll_write(cx) {
                Err(_) => Poll::Ready(()),
                Ok(_) if self.outboxes.iter().all(|outbox| outbox.frames.is_empty()) => {
                    Poll::Ready(())
                }
                Ok(_) => self.poll_closed(cx).map(drop),
            })
            .await;
            // The close would overtake the last frames: leave them the time to be acknowledged. The other side
            // closes first once it has read the goodbye.
            poll_fn(|cx| self.poll_closed(cx).map(drop)).await;
        };
        let _ = tokio::time::timeout(patience, pin!(flushed)).await;
        self.connection.close(code, reason);
    }

    fn outbox(&mut self, channel: Channel) -> &mut Outbox {
        let [control, mode, panel, bulk] = &mut self.outboxes;
        match channel {
            Channel::Control => control,
            Channel::Mode => mode,
            Channel::Panel => panel,
            Channel::Bulk => bulk,
        }
    }

    fn is_open(&self, channel: Channel) -> bool {
        self.pipes.iter().any(|pipe| pipe.channel == channel)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        match self.poll_write(cx) {
            Ok(Some(channel)) => return Poll::Ready(Incoming::Drained(channel)),
            Ok(None) => {}
            Err(incoming) => return Poll::Ready(*incoming),
        }
        let opened = match self.role {
            Role::Opens => self.poll_open(cx),
            Role::Accepts => self.poll_accept(cx),
        };
        if let Poll::Ready(incoming) = opened {
            return Poll::Ready(incoming);
        }
        if let Poll::Ready(incoming) = self.poll_read(cx) {
            return Poll::Ready(incoming);
        }
        match self.datagram.as_mut().poll(cx) {
            Poll::Ready(Ok(datagram)) => {
                self.datagram = next_datagram(&self.connection);
                return Poll::Ready(Incoming::Datagram(datagram));
            }
            // The end of the connection is told by `closed`.
            Poll::Ready(Err(_)) => self.datagram = Box::pin(std::future::pending()),
            Poll::Pending => {}
        }
        self.poll_closed(cx).map(Incoming::Lost)
    }

    /// Why the connection is over; tells it again when asked again.
    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Lost> {
        let lost = std::task::ready!(self.closed.as_mut().poll(cx));
        self.closed = Box::pin(std::future::ready(lost.clone()));
        Poll::Ready(lost)
    }

    /// Opens, one after the other, the streams that frames wait for.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        loop {
            if self.opening.is_none() {
                let wanted = Channel::ALL
                    .into_iter()
                    .find(|c| !self.is_open(*c) && self.outbox(*c).needs_stream());
                let Some(channel) = wanted else {
                    return Poll::Pending;
                };
                let connection = self.connection.clone();
                self.opening = Some((
                    channel,
                    Box::pin(async move { connection.open_bi(channel.priority()).await }),
                ));
            }
            let Some((channel, opening)) = &mut self.opening else {
                return Poll::Pending;
            };
            let channel = *channel;
            match opening.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(lost)) => return Poll::Ready(Incoming::Lost(lost)),
                Poll::Ready(Ok((send, recv))) => {
                    self.opening = None;
                    // The first byte makes the stream visible to the other side and names it.
                    self.outbox(channel).frames.push_front(vec![channel.id()]);
                    self.pipes.push(Pipe {
                        channel,
                        send,
                        recv,
                        reader: FrameReader::for_channel(channel),
                    });
                    if let Err(incoming) = self.poll_write(cx) {
                        return Poll::Ready(*incoming);
                    }
                }
            }
        }
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        loop {
            if let Some((_, recv)) = &mut self.unnamed {
                let mut byte = [0; 1];
                let mut buffer = ReadBuf::new(&mut byte);
                match Pin::new(recv).poll_read(cx, &mut buffer) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(_)) => self.unnamed = None,
                    Poll::Ready(Ok(())) => {
                        let id = buffer.filled().first().copied().unwrap_or(0);
                        match (Channel::from_id(id), self.unnamed.take()) {
                            (Some(channel), Some((send, recv))) if !self.is_open(channel) => {
                                self.connection.set_priority(&send, channel.priority());
                                self.pipes.push(Pipe {
                                    channel,
                                    send,
                                    recv,
                                    reader: FrameReader::for_channel(channel),
                                });
                                if let Err(incoming) = self.poll_write(cx) {
                                    return Poll::Ready(*incoming);
                                }
                            }
                            _ => return Poll::Ready(Incoming::Broken(WireError::Stream(id))),
                        }
                    }
                }
            }
            if self.pipes.len() == Channel::ALL.len() {
                return Poll::Pending;
            }
            let accepting = self.accepting.get_or_insert_with(|| {
                let connection = self.connection.clone();
                Box::pin(async move { connection.accept_bi().await })
            });
            match accepting.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(lost)) => {
                    self.accepting = None;
                    return Poll::Ready(Incoming::Lost(lost));
                }
                Poll::Ready(Ok(pair)) => {
                    self.accepting = None;
                    self.unnamed = Some(pair);
                }
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        /// Bytes taken from a stream at once: a whole panel message.
        const CHUNK: usize = 16 * 1024;
        for pipe in &mut self.pipes {
            let channel = pipe.channel;
            loop {
                match pipe.reader.next_frame() {
                    Ok(Some(frame)) => return Poll::Ready(Incoming::Frame(channel, frame)),
                    Ok(None) => {}
                    Err(source) => {
                        return Poll::Ready(Incoming::Broken(WireError::Frame { channel, source }));
                    }
                }
                let mut chunk = [0; CHUNK];
                let mut buffer = ReadBuf::new(&mut chunk);
                match Pin::new(&mut pipe.recv).poll_read(cx, &mut buffer) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                        return Poll::Ready(Incoming::Broken(WireError::Closed(channel)));
                    }
                    Poll::Ready(Ok(())) => pipe.reader.push(buffer.filled()),
                    // The connection's own end says why.
                    Poll::Ready(Err(_)) => break,
                }
            }
        }
        Poll::Pending
    }

    /// Hands queued bytes to the transport, most urgent channel first. Answers with a channel that ran empty.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<Option<Channel>, Box<Incoming>> {
        let mut drained = None;
        self.pipes.sort_by_key(|pipe| pipe.channel);
        for pipe in &mut self.pipes {
            let outbox = match pipe.channel {
                Channel::Control => &mut self.outboxes[0],
                Channel::Mode => &mut self.outboxes[1],
                Channel::Panel => &mut self.outboxes[2],
                Channel::Bulk => &mut self.outboxes[3],
            };
            while let Some(frame) = outbox.frames.front() {
                let rest = frame.get(outbox.written..).unwrap_or(&[]);
                match Pin::new(&mut pipe.send).poll_write(cx, rest) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(0)) => {
                        return Err(Box::new(Incoming::Broken(WireError::Closed(pipe.channel))));
                    }
                    Poll::Ready(Ok(n)) => {
                        outbox.written += n;
                        if outbox.written >= frame.len() {
                            outbox.frames.pop_front();
                            outbox.written = 0;
                        }
                    }
                    // The connection's own end says why.
                    Poll::Ready(Err(error)) => {
                        trace_write_error(&error);
                        break;
                    }
                }
            }
            if outbox.frames.is_empty() && std::mem::take(&mut outbox.busy) {
                // Only one is reported at a time; the others stay busy until the next poll.
                if drained.is_none() {
                    drained = Some(pipe.channel);
                } else {
                    outbox.busy = true;
                }
            }
        }
        if drained.is_some() {
            cx.waker().wake_by_ref();
        }
        Ok(drained)
    }
}

fn trace_write_error(error: &io::Error) {
    tracing::trace!(%error, "write failed");
}

fn next_datagram<C: Connection>(connection: &C) -> Pending<Result<Bytes, Lost>> {
    let connection = connection.clone();
    Box::pin(async move {
        match connection.recv_datagram().await {
            Ok(datagram) => Ok(datagram),
            // The end of the connection is told once, by `closed`.
            Err(_) => std::future::pending().await,
        }
    })
}
