//! A leg's stream: packets in, packets out, without a task being woken for what goes out.

use std::{
    fmt,
    future::poll_fn,
    io,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
    time::{Duration, Instant},
};

use alongside_transport::leg::websocket::{Decoder, MAX_PACKET, Message, Side, StreamEnd};
use tokio::io::{AsyncRead, AsyncWrite};
use tracing::error;

use super::wire::Wire;
use crate::{
    clock,
    forward::{ForwardingSocket, Outlet},
};

/// Bytes that wait for a leg's stream; beyond them packets are lost, and the ends slow down. 32 full packets, as many
/// as Tailscale's DERP.
const MAX_WAITING: usize = 32 * MAX_PACKET;

/// Pause after which an idle stream shows that it lives. Proxies cut idle tunnels after 60 s, few after 30 s.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Silence after which a stream is given up: three keep-alives of the other side.
const SILENCE: Duration = Duration::from_secs(60);

/// Longest that the other side may take nothing.
const STALL: Duration = Duration::from_secs(10);

// First bytes of whole frames (RFC 6455, section 5.2); a server does not mask.
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// Bytes of a frame's header.
const HEADER: usize = 4;

/// Both directions of a stream. Whoever has a packet for it writes it at once; the stream's own task reads, and writes
/// what did not fit.
pub(super) struct Pipe<S>(Mutex<Inner<S>>);

struct Inner<S> {
    wire: Wire<S>,
    /// Of the stream's own task.
    reader: Option<Waker>,
    heard: Instant,
    said: Instant,
    /// Since when the other side has taken no more than so many bytes, though more wait.
    stuck: Option<(Instant, u64)>,
    broken: Option<io::Error>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Pipe<S> {
    pub(super) fn new(now: Instant, wire: Wire<S>) -> Self {
        Self(Mutex::new(Inner {
            wire,
            reader: None,
            heard: now,
            said: now,
            stuck: None,
            broken: None,
        }))
    }

    /// Gives packets that come to the forwarder, as coming from `address`, until the stream ends. `rest` is what has been
    /// read already.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends reading.
    pub(super) async fn carry(
        &self,
        rest: Vec<u8>,
        socket: &ForwardingSocket,
        address: SocketAddr,
    ) -> StreamEnd {
        let mut decoder = Decoder::new(Side::Server);
        decoder.feed(&rest);
        drop(rest);
        decoder.feed(&std::mem::take(self.inner().wire.plain()));
        loop {
            // Of several, the last is answered alone (RFC 6455, section 5.5.3): many cost no more than one.
            let mut ping = None;
            loop {
                match decoder.next_message() {
                    Ok(Some(Message::Packet(packet))) => socket.take(address, packet),
                    Ok(Some(Message::Ping(payload))) => ping = Some(payload.to_vec()),
                    Ok(Some(Message::Pong)) => {}
                    Ok(Some(Message::Close)) => return StreamEnd::Closed,
                    Ok(None) => break,
                    Err(error) => return error.into(),
                }
            }
            if let Some(payload) = ping {
                let mut inner = self.inner();
                inner.push(PONG, &payload);
                inner.write_out();
            }
            socket.flush();
            match poll_fn(|cx| self.poll_fill(cx, &mut decoder)).await {
                Ok(true) => {}
                Ok(false) => return StreamEnd::Closed,
                Err(error) => return error.into(),
            }
        }
    }

    /// Looks whether the other side is there, and shows that this one is; why not, if it is not.
    pub(super) fn check(&self, now: Instant) -> Option<StreamEnd> {
        let mut inner = self.inner();
        let is_over = |since: Instant, most| now.saturating_duration_since(since) >= most;
        if is_over(inner.heard, SILENCE) {
            return Some(StreamEnd::Silent);
        }
        let taken = inner.wire.taken();
        match inner.stuck {
            _ if inner.wire.waiting() == 0 => inner.stuck = None,
            Some((since, before)) if before == taken => {
                if is_over(since, STALL) {
                    return Some(StreamEnd::Stalled);
                }
            }
            Some(_) | None => inner.stuck = Some((now, taken)),
        }
        if is_over(inner.said, KEEP_ALIVE) {
            inner.push(PING, &[]);
            inner.write_out();
        }
        None
    }

    fn poll_fill(&self, cx: &mut Context<'_>, decoder: &mut Decoder) -> Poll<io::Result<bool>> {
        let mut inner = self.inner();
        if !(inner.reader.as_ref()).is_some_and(|reader| reader.will_wake(cx.waker())) {
            inner.reader = Some(cx.waker().clone());
        }
        if let Some(error) = inner.broken.take() {
            return Poll::Ready(Err(error));
        }
        let is_open = ready!(inner.wire.poll_fill(cx))?;
        inner.heard = clock::now();
        decoder.feed(inner.wire.plain());
        *inner.wire.plain() = Vec::new();
        Poll::Ready(Ok(is_open))
    }

    /// Does something on behalf of other legs. A bug in it costs this stream alone.
    fn guarded<T>(&self, act: impl FnOnce(&mut Inner<S>) -> T) -> Option<T> {
        let mut inner = self.inner();
        let done = catch_unwind(AssertUnwindSafe(|| act(&mut inner)));
        if done.is_err() {
            error!("a leg's stream broke; its leg has to come again");
            inner.fail(io::Error::other("a bug"));
        }
        done.ok()
    }

    fn inner(&self) -> MutexGuard<'_, Inner<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Inner<S> {
    /// Seals a frame; `false` if it has no room.
    fn push(&mut self, first: u8, payload: &[u8]) -> bool {
        let mut room = [0; HEADER + MAX_PACKET];
        let Some(frame) = frame(&mut room, first, payload) else {
            return false;
        };
        if self.broken.is_some() || self.wire.waiting() >= MAX_WAITING {
            return false;
        }
        if let Err(error) = self.wire.seal(frame) {
            self.fail(error);
            return false;
        }
        true
    }

    /// Writes what the other side takes. The stream's own task goes on once it takes more.
    fn write_out(&mut self) {
        let Some(reader) = self.reader.clone().filter(|_| self.broken.is_none()) else {
            return;
        };
        self.said = clock::now();
        let mut cx = Context::from_waker(&reader);
        if let Poll::Ready(Err(error)) = self.wire.poll_write_out(&mut cx) {
            self.fail(error);
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.broken = Some(error);
        if let Some(reader) = &self.reader {
            reader.wake_by_ref();
        }
    }
}

/// Writes a frame to the front of `room`; `None` if it is longer than a packet can be.
fn frame<'a>(room: &'a mut [u8], first: u8, payload: &[u8]) -> Option<&'a [u8]> {
    let short = u8::try_from(payload.len()).ok().filter(|len| *len < 126);
    let len = u16::try_from(payload.len()).ok()?.to_be_bytes();
    let long = [first, 126, len[0], len[1]];
    let short = short.map(|len| [first, len]);
    let header = short.as_ref().map_or(&long[..], |short| &short[..]);
    let end = header.len().checked_add(payload.len())?;
    let frame = room.get_mut(..end)?;
    let (front, back) = frame.split_at_mut_checked(header.len())?;
    front.copy_from_slice(header);
    back.copy_from_slice(payload);
    Some(frame)
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Outlet for Pipe<S> {
    fn push(&self, packet: &[u8]) -> bool {
        self.guarded(|inner| inner.push(BINARY, packet))
            .unwrap_or(false)
    }

    fn flush(&self) {
        self.guarded(Inner::write_out);
    }
}

impl<S> fmt::Debug for Pipe<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe").finish_non_exhaustive()
    }
}
