//! The streams of one end-to-end connection as one source of frames and one sink of frames.
//!
//! The operator opens a stream per channel and names it by its first byte; the device accepts them. Nothing here
//! runs on its own: [`Wire::next`] reads, writes, opens and accepts while it is polled, so a session is one future.
//!
//! Until the code is proved ([`Wire::admit`]) there is one stream, control, with bodies of 64 bytes at most: that is
//! all a stranger can make this side hold.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use alongside_protocol::{
    frame::{Channel, Frame, HEADER_LEN},
    proof,
    wire::DecodeError,
};
use alongside_transport::{Connection, Lost, connection::close_code};
use bytes::Bytes;

mod lane;
mod streams;
mod tail;
#[cfg(test)]
mod tests;

use lane::{Lane, Stopped};
use tail::Tail;

use crate::volume::Volume;

/// Bytes taken from a stream at once: a whole panel message.
const CHUNK: usize = 16 * 1024;

/// Everything that can be read: four channels, and the datagrams after them.
const SOURCES: usize = Channel::ALL.len() + 1;

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
    /// The other side makes this one speak and does not listen.
    #[error("the other side does not read the {0:?} channel")]
    Unread(Channel),
}

/// Which side opens the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Opens,
    Accepts,
}

type Pair<C> = (<C as Connection>::Send, <C as Connection>::Recv);
type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A stream that is being opened or accepted.
type Awaited<C> = Pending<Result<Pair<C>, Lost>>;

/// All channels of one connection.
pub(crate) struct Wire<C: Connection> {
    connection: C,
    role: Role,
    /// One for each channel, most urgent first.
    lanes: [Lane<C>; Channel::ALL.len()],
    /// Operator: the stream being opened, and for which channel.
    opening: Option<(Channel, Awaited<C>)>,
    /// Device: the next stream, and then its halves until the first byte has named it.
    accepting: Option<Awaited<C>>,
    unnamed: Option<Pair<C>>,
    datagram: Pending<Result<Bytes, Lost>>,
    closed: Pending<Lost>,
    chunk: Box<[u8]>,
    /// Source that is read first at the next call, so that a flood on one keeps nothing from the others.
    turn: usize,
    is_admitted: bool,
    has_last_word: bool,
    /// Channel on which more waits than an honest other side leaves unread.
    unread: Option<Channel>,
    /// Channel whose stream has ended.
    ended: Option<Channel>,
    volume: Volume,
    tail: Tail,
}

impl<C: Connection> std::fmt::Debug for Wire<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire")
            .field("role", &self.role)
            .field("is_admitted", &self.is_admitted)
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
        Self {
            connection,
            role,
            lanes: Channel::ALL.map(Lane::new),
            opening: None,
            accepting: None,
            unnamed: None,
            datagram,
            closed,
            chunk: vec![0; CHUNK].into_boxed_slice(),
            turn: 0,
            is_admitted: false,
            has_last_word: false,
            unread: None,
            ended: None,
            volume: Volume::default(),
            tail: Tail::default(),
        }
    }

    /// Counts into `volume`.
    pub(crate) fn counting_into(mut self, volume: Volume) -> Self {
        self.volume = volume;
        self
    }

    /// The other side has proved the code: all channels are open to it from now on, and ways that need not pass the
    /// relay.
    pub(crate) fn admit(&mut self) {
        if !self.is_admitted {
            self.is_admitted = true;
            self.connection.admit();
        }
        self.lanes.iter_mut().for_each(Lane::admit);
    }

    /// Queues a whole frame. The session's budgets bound what waits here, and so does the channel: a side that makes
    /// this one speak and does not listen is found out by [`Wire::next`].
    pub(crate) fn send(&mut self, channel: Channel, frame: Vec<u8>) {
        self.has_last_word |= channel == Channel::Control;
        self.volume.count_sent(channel, frame.len());
        if channel == Channel::Mode {
            self.tail.follow();
        }
        if self.lane(channel).push(frame).is_err() {
            self.unread.get_or_insert(channel);
        }
    }

    /// Operator: opens the streams on which the device speaks first.
    pub(crate) fn open(&mut self, channels: &[Channel]) {
        for channel in channels {
            self.lane(*channel).want();
        }
    }

    /// Sends a datagram, or drops it: what it says, a later one says better.
    pub(crate) fn send_datagram(&mut self, datagram: Vec<u8>) {
        self.tail.drop_due();
        self.volume.count_sent(Channel::Mode, datagram.len());
        if let Err(error) = self.connection.send_datagram(datagram.into()) {
            tracing::trace!(%error, "datagram dropped");
        }
    }

    /// Drops what no byte is written of yet, but for the control channel: a session that ended has only its goodbye
    /// to say.
    pub(crate) fn drop_scope(&mut self) {
        for channel in [Channel::Mode, Channel::Panel, Channel::Bulk] {
            self.lane(channel).clear();
        }
    }

    /// Whether nothing came on the control channel since this side last spoke there.
    pub(crate) const fn has_last_word(&self) -> bool {
        self.has_last_word
    }

    /// Next thing that happens on the connection. Cancel safe.
    pub(crate) async fn next(&mut self) -> Incoming {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Writes what is queued and waits for the other side to close, for at most `patience`; then closes.
    ///
    /// A close overtakes what was not acknowledged yet. So the side with the last word leaves the other the time to
    /// read it and to close.
    pub(crate) async fn finish(mut self, patience: Duration, code: u32, reason: &str) {
        let heard = poll_fn(|cx| {
            let _refused = self.poll_streams(cx);
            self.poll_write(cx);
            self.poll_closed(cx)
        });
        let _unheard = tokio::time::timeout(patience, pin!(heard)).await;
        self.connection.close(code, reason);
    }

    /// Gives the connection up: the session goes on over another.
    pub(crate) fn abandon(&self) {
        self.connection
            .close(close_code::REPLACED, "another connection");
    }

    fn lane(&mut self, channel: Channel) -> &mut Lane<C> {
        let [control, mode, panel, bulk] = &mut self.lanes;
        match channel {
            Channel::Control => control,
            Channel::Mode => mode,
            Channel::Panel => panel,
            Channel::Bulk => bulk,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        if let Some(channel) = self.unread.take() {
            return Poll::Ready(Incoming::Broken(WireError::Unread(channel)));
        }
        if let Err(error) = self.poll_streams(cx) {
            return Poll::Ready(Incoming::Broken(error));
        }
        self.poll_write(cx);
        if self.tail.poll_due(cx).is_ready() {
            // An empty one only makes the other side acknowledge; without datagrams a timer has to do.
            let _unsent = self.connection.send_datagram(Bytes::new());
        }
        if let Some(channel) = self.lanes.iter_mut().find_map(Lane::take_drained) {
            return Poll::Ready(Incoming::Drained(channel));
        }
        for source in (self.turn..SOURCES).chain(0..self.turn) {
            if let Poll::Ready(incoming) = self.poll_source(source, cx) {
                self.turn = (source + 1) % SOURCES;
                return Poll::Ready(incoming);
            }
        }
        // Everything that came before the end has been told. A stream may fail because the connection did.
        if let Poll::Ready(lost) = self.poll_closed(cx) {
            return Poll::Ready(Incoming::Lost(lost));
        }
        match self.ended.take() {
            Some(channel) => Poll::Ready(Incoming::Broken(WireError::Closed(channel))),
            None => Poll::Pending,
        }
    }

    /// Why the connection is over; tells it again when asked again.
    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Lost> {
        let lost = ready!(self.closed.as_mut().poll(cx));
        self.closed = Box::pin(std::future::ready(lost.clone()));
        Poll::Ready(lost)
    }

    /// Hands queued bytes to the transport, most urgent channel first.
    fn poll_write(&mut self, cx: &mut Context<'_>) {
        for lane in &mut self.lanes {
            if lane.poll_write(cx).is_err() {
                self.ended.get_or_insert_with(|| lane.channel());
            }
        }
    }

    fn poll_source(&mut self, source: usize, cx: &mut Context<'_>) -> Poll<Incoming> {
        let Some(lane) = self.lanes.get_mut(source) else {
            return self.poll_datagram(cx).map(Incoming::Datagram);
        };
        let most = if self.is_admitted {
            CHUNK
        } else {
            HEADER_LEN + proof::MAX_BODY
        };
        let chunk = self.chunk.get_mut(..most).unwrap_or_default();
        match ready!(lane.poll_read(cx, chunk)) {
            Ok(frame) => {
                let bytes = HEADER_LEN + frame.body.len();
                self.volume.count_received(lane.channel(), bytes);
                self.has_last_word &= lane.channel() != Channel::Control;
                Poll::Ready(Incoming::Frame(lane.channel(), frame))
            }
            Err(Stopped::Ended) => {
                self.ended.get_or_insert_with(|| lane.channel());
                Poll::Pending
            }
            Err(Stopped::Broken(source)) => {
                let channel = lane.channel();
                Poll::Ready(Incoming::Broken(WireError::Frame { channel, source }))
            }
        }
    }

    fn poll_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        match ready!(self.datagram.as_mut().poll(cx)) {
            Ok(datagram) => {
                self.volume.count_received(Channel::Mode, datagram.len());
                self.datagram = next_datagram(&self.connection);
                Poll::Ready(datagram)
            }
            // The connection's own end says why.
            Err(_) => {
                self.datagram = Box::pin(std::future::pending());
                Poll::Pending
            }
        }
    }
}

fn next_datagram<C: Connection>(connection: &C) -> Pending<Result<Bytes, Lost>> {
    let connection = connection.clone();
    Box::pin(async move { connection.recv_datagram().await })
}
