//! Byte streams of the simulated network: like TCP as far as delay, rate, blocking and an end go.
//!
//! Loss shows as delay, as long as TCP takes to repeat: until what was sent later is acknowledged (RFC 8985, as Linux
//! does), or, where nothing was, until its timer runs out.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use quinn::AsyncUdpSocket;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
    time::{Instant, Sleep, sleep, sleep_until},
};

use super::{Direction, Host, Reach, SimNet};
use crate::leg::{
    network::{Network, Resolving},
    tunnel::{Dialling, Stream, StreamDialer},
};

/// Bytes on their way in one direction at most.
const WINDOW: usize = 64 * 1024;

/// And at least.
const MTU: usize = 1500;

/// Bytes of a segment that opens a stream, headers included.
const SYN: usize = 60;

/// Bytes that a segment carries at most.
const SEGMENT: usize = 1460;

/// Bytes of headers that each segment costs.
const SEGMENT_HEADERS: usize = 40;

/// What TCP waits for the answer to its first segment.
const UNKNOWN: Duration = Duration::from_secs(1);

/// How often a sender looks whether its bytes pass again.
const RETRY: Duration = Duration::from_millis(100);

/// What the timer adds to a round trip at the least on Linux.
const RETRANSMIT: Duration = Duration::from_millis(200);

/// What a probe of the last segment adds to two round trips, while the one before it is not acknowledged either.
const TAIL_PROBE: Duration = Duration::from_millis(2);

/// Both directions of one stream.
#[derive(Debug)]
pub(super) struct Link {
    net: SimNet,
    hosts: [usize; 2],
    lanes: [Mutex<Lane>; 2],
}

#[derive(Debug, Default)]
struct Lane {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    last_sent: Option<Instant>,
    closed: bool,
    broken: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug)]
struct Chunk {
    at: Instant,
    /// It is lost, and the sender does not know yet.
    is_missed: bool,
    bytes: Vec<u8>,
}

/// How some bytes fare that are sent now.
#[derive(Clone, Copy, Debug)]
struct Passage {
    /// When they arrive, unless they are lost.
    arrives: Instant,
    is_lost: bool,
    /// From here to there and back, without a queue.
    round_trip: Duration,
}

/// Streams that nobody has accepted.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    streams: Mutex<VecDeque<(SimStream, SocketAddr)>>,
    arrived: Notify,
}

/// Takes streams on one port of a host.
#[derive(Debug)]
pub struct SimListener(Arc<Waiting>);

/// One end of a stream.
#[derive(Debug)]
pub(super) struct SimStream {
    link: Arc<Link>,
    /// The lane that this end writes.
    writes: usize,
}

impl SimListener {
    /// The next stream, and where it comes from.
    pub async fn accept(&self) -> (Stream, SocketAddr) {
        loop {
            let next = lock(&self.0.streams).pop_front();
            if let Some((stream, from)) = next {
                return (Box::new(stream), from);
            }
            self.0.arrived.notified().await;
        }
    }
}

impl Host {
    /// Takes streams on `port`.
    pub fn listen(&self, port: u16) -> SimListener {
        let waiting = Arc::new(Waiting::default());
        let mut net = self.net.lock();
        net.listeners.insert((self.id, port), Arc::clone(&waiting));
        SimListener(waiting)
    }

    /// Breaks every stream of the host, as when the proxy that they go through is restarted.
    pub fn break_streams(&self) {
        let streams: Vec<Arc<Link>> = {
            let net = self.net.lock();
            let all = net.streams.iter().filter_map(std::sync::Weak::upgrade);
            all.filter(|link| link.hosts.contains(&self.id)).collect()
        };
        for link in streams {
            for lane in &link.lanes {
                lock(lane).end(true);
            }
        }
    }

    async fn connect(&self, name: &str, port: u16) -> io::Result<SimStream> {
        let (other, waiting) = {
            let net = self.net.lock();
            let by_address = || {
                let address: std::net::IpAddr = name.parse().ok()?;
                net.hosts.iter().position(|node| node.address == address)
            };
            let other = net.names.get(name).copied().or_else(by_address);
            let other = other.ok_or(io::ErrorKind::NotFound)?;
            let waiting = net.listeners.get(&(other, port)).cloned();
            (other, waiting.ok_or(io::ErrorKind::ConnectionRefused)?)
        };
        for hosts in [[self.id, other], [other, self.id]] {
            while self.net.is_blocked(hosts) {
                sleep(RETRY).await;
            }
            let passage = self.net.pass(hosts, SYN);
            sleep_until(passage.arrives).await;
            if passage.is_lost {
                // Without a round trip known, TCP waits a second.
                sleep(UNKNOWN).await;
            }
        }
        let link = Arc::new(Link {
            net: self.net.clone(),
            hosts: [self.id, other],
            lanes: Default::default(),
        });
        let mut net = self.net.lock();
        net.streams.retain(|known| known.strong_count() > 0);
        net.streams.push(Arc::downgrade(&link));
        drop(net);
        let theirs = SimStream {
            link: Arc::clone(&link),
            writes: 1,
        };
        lock(&waiting.streams).push_back((theirs, self.address(port)));
        waiting.arrived.notify_one();
        Ok(SimStream { link, writes: 0 })
    }
}

impl StreamDialer for Host {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialling<'a> {
        Box::pin(async move { Ok(Box::new(self.connect(host, port).await?) as Stream) })
    }
}

impl Network for Host {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        Box::pin(async move {
            let net = self.net.lock();
            let id = net.names.get(host).ok_or(io::ErrorKind::NotFound)?;
            let node = net.hosts.get(*id).ok_or(io::ErrorKind::NotFound)?;
            Ok(vec![SocketAddr::new(node.address, port)])
        })
    }

    fn udp(&self, _relay: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Ok(self.socket(0))
    }

    fn udp_at(&self, at: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Ok(self.socket(at.port()))
    }
}

impl SimNet {
    fn is_blocked(&self, [from, to]: [usize; 2]) -> bool {
        let net = self.lock();
        let is_shut = |host: usize| {
            let node = net.hosts.get(host);
            node.is_some_and(|node| node.streams == Reach::Blocked)
        };
        net.blocked.contains(&(from, to)) || is_shut(from) || is_shut(to)
    }

    /// How `size` bytes fare that are sent now from one host to the other.
    fn pass(&self, [from, to]: [usize; 2], size: usize) -> Passage {
        let mut net = self.lock();
        let mut at = Instant::now();
        let (mut is_lost, mut one_way) = (false, Duration::ZERO);
        for (host, direction) in [(from, Direction::Out), (to, Direction::In)] {
            let chance = net.next_random() % 1000;
            let Some(node) = net.hosts.get_mut(host) else {
                continue;
            };
            let quality = node.quality;
            match direction {
                Direction::Out => node.stream_traffic.sent += size as u64,
                Direction::In => node.stream_traffic.received += size as u64,
            }
            at = node.take_turn(direction, at, size) + quality.delay;
            one_way += quality.delay;
            is_lost |= chance < u64::from(quality.loss_permille);
        }
        Passage {
            arrives: at,
            is_lost,
            round_trip: 2 * one_way,
        }
    }

    /// Whether bytes between these two that are sent now are lost.
    fn happens_to(&self, hosts: [usize; 2]) -> bool {
        let mut net = self.lock();
        let qualities = hosts.map(|host| net.hosts.get(host).map(|node| node.quality));
        let mut losses = qualities.into_iter().flatten();
        losses.any(|quality| net.happens(quality.loss_permille))
    }

    /// Bytes that may be on their way at once: less where a bottleneck's queue is short, as TCP finds out by loss.
    fn window(&self, hosts: [usize; 2]) -> usize {
        let net = self.lock();
        let rates = hosts
            .iter()
            .filter_map(|host| net.hosts.get(*host)?.quality.rate);
        let queues = rates.map(|rate| usize::try_from(rate.queue).unwrap_or(WINDOW));
        queues.min().unwrap_or(WINDOW).clamp(MTU, WINDOW)
    }
}

impl Link {
    fn direction(&self, lane: usize) -> [usize; 2] {
        let [first, second] = self.hosts;
        if lane == 0 {
            [first, second]
        } else {
            [second, first]
        }
    }

    fn lane(&self, lane: usize) -> MutexGuard<'_, Lane> {
        let [first, second] = &self.lanes;
        lock(if lane == 0 { first } else { second })
    }
}

impl Lane {
    /// Puts `bytes` behind those before them; they are read in order, whatever arrives first. `is_lost_again` is what
    /// becomes of a repetition.
    fn send(&mut self, passage: &Passage, is_lost_again: bool, bytes: &[u8]) {
        let now = Instant::now();
        let Passage {
            arrives,
            is_lost,
            round_trip,
        } = *passage;
        let timer = round_trip + RETRANSMIT;
        let mut at = arrives;
        if is_lost {
            let has_company = self.last_sent.is_some_and(|sent| sent + round_trip > now);
            at += if has_company {
                timer.min(2 * round_trip + TAIL_PROBE)
            } else {
                timer
            };
        } else {
            // Its acknowledgement tells what is missing before it, a quarter of a round trip later.
            let mut repeated = arrives + round_trip + round_trip / 4;
            if is_lost_again {
                repeated += timer;
            }
            for missed in self.chunks.iter_mut().filter(|chunk| chunk.is_missed) {
                missed.at = missed.at.min(repeated);
                missed.is_missed = false;
            }
        }
        self.last_sent = Some(now);
        self.bytes += bytes.len();
        self.chunks.push_back(Chunk {
            at,
            is_missed: is_lost,
            bytes: bytes.to_vec(),
        });
    }

    fn end(&mut self, broken: bool) {
        self.closed = true;
        self.broken |= broken;
        let wakers = [self.reader.take(), self.writer.take()];
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    fn wait_until(&mut self, at: Instant, cx: &mut Context<'_>) {
        let mut timer = Box::pin(sleep_until(at));
        if timer.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        self.timer = Some(timer);
    }
}

impl AsyncRead for SimStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let reads = 1 - self.writes;
        let is_blocked = self.link.net.is_blocked(self.link.direction(reads));
        let mut lane = self.link.lane(reads);
        lane.reader = Some(cx.waker().clone());
        if lane.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let now = Instant::now();
        match lane.chunks.front() {
            None if lane.closed => return Poll::Ready(Ok(())),
            None => return Poll::Pending,
            Some(chunk) if chunk.at > now => {
                let at = chunk.at;
                lane.wait_until(at, cx);
                return Poll::Pending;
            }
            Some(_) if is_blocked => {
                lane.wait_until(now + RETRY, cx);
                return Poll::Pending;
            }
            Some(_) => {}
        }
        if let Some(mut chunk) = lane.chunks.pop_front() {
            let rest = chunk
                .bytes
                .split_off(chunk.bytes.len().min(buffer.remaining()));
            buffer.put_slice(&chunk.bytes);
            lane.bytes = lane.bytes.saturating_sub(chunk.bytes.len());
            if !rest.is_empty() {
                chunk.bytes = rest;
                lane.chunks.push_front(chunk);
            }
        }
        lane.writer.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let hosts = self.link.direction(self.writes);
        let window = self.link.net.window(hosts);
        let mut lane = self.link.lane(self.writes);
        if lane.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = window.saturating_sub(lane.bytes).min(bytes.len());
        if room == 0 {
            lane.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let headers = room.div_ceil(SEGMENT) * SEGMENT_HEADERS;
        let passage = self.link.net.pass(hosts, room + headers);
        let is_lost_again = self.link.net.happens_to(hosts);
        let bytes = bytes.get(..room).unwrap_or_default();
        lane.send(&passage, is_lost_again, bytes);
        lane.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(room))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.lane(self.writes).end(false);
        Poll::Ready(Ok(()))
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        for lane in [0, 1] {
            self.link.lane(lane).end(false);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
