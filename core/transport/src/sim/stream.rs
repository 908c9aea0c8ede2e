//! Byte streams of the simulated network: like TCP as far as delay, rate, blocking and an end go. Loss shows as delay.

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

/// How often a sender looks whether its bytes pass again.
const RETRY: Duration = Duration::from_millis(100);

/// Added where a packet was lost: the least that TCP waits on Linux.
const RETRANSMIT: Duration = Duration::from_millis(200);

/// Both directions of one stream.
#[derive(Debug)]
pub(super) struct Link {
    net: SimNet,
    hosts: [usize; 2],
    lanes: [Mutex<Lane>; 2],
}

#[derive(Debug, Default)]
struct Lane {
    chunks: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    last: Option<Instant>,
    closed: bool,
    broken: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    timer: Option<Pin<Box<Sleep>>>,
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
            let passed = self.net.pass(hosts, SYN);
            sleep_until(passed).await;
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

    /// When `size` bytes that are sent now have passed from one host to the other.
    fn pass(&self, [from, to]: [usize; 2], size: usize) -> Instant {
        let mut net = self.lock();
        let mut at = Instant::now();
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
            if chance < u64::from(quality.loss_permille) {
                at += RETRANSMIT;
            }
        }
        at
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
            Some((at, _)) if *at > now => {
                let at = *at;
                lane.wait_until(at, cx);
                return Poll::Pending;
            }
            Some(_) if is_blocked => {
                lane.wait_until(now + RETRY, cx);
                return Poll::Pending;
            }
            Some(_) => {}
        }
        if let Some((at, mut bytes)) = lane.chunks.pop_front() {
            let rest = bytes.split_off(bytes.len().min(buffer.remaining()));
            buffer.put_slice(&bytes);
            lane.bytes = lane.bytes.saturating_sub(bytes.len());
            if !rest.is_empty() {
                lane.chunks.push_front((at, rest));
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
        // In order, whatever the delay.
        let headers = room.div_ceil(SEGMENT) * SEGMENT_HEADERS;
        let passed = self.link.net.pass(hosts, room + headers);
        let at = passed.max(lane.last.unwrap_or_else(Instant::now));
        lane.last = Some(at);
        lane.bytes += room;
        let chunk = bytes.get(..room).unwrap_or_default().to_vec();
        lane.chunks.push_back((at, chunk));
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
