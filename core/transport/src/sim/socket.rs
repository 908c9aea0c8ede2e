//! A simulated host's UDP socket, as quinn wants it.

use std::{
    cmp::{Ordering, Reverse},
    io::{self, IoSliceMut},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use quinn::{
    AsyncUdpSocket, UdpPoller,
    udp::{EcnCodepoint, RecvMeta, Transmit},
};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{Arrivals, Host, Packet};

/// A packet on its way, first to arrive first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) at: Instant,
    pub(super) sequence: u64,
    pub(super) from: SocketAddr,
    pub(super) ecn: Option<EcnCodepoint>,
    pub(super) bytes: Vec<u8>,
}

impl Ord for Arrival {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What is on its way to one socket.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<Pending>);

#[derive(Debug, Default)]
struct Pending {
    arrivals: Arrivals,
    timer: Option<Pin<Box<Sleep>>>,
    waker: Option<Waker>,
}

impl Queue {
    pub(super) fn push(&self, arrival: Arrival) {
        let mut pending = self.lock();
        pending.arrivals.push(Reverse(arrival));
        let waker = pending.waker.take();
        drop(pending);
        waker.into_iter().for_each(Waker::wake);
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Arrival> {
        let mut pending = self.lock();
        let now = Instant::now();
        match pending.arrivals.peek() {
            Some(Reverse(next)) if next.at <= now => {
                if let Some(Reverse(arrival)) = pending.arrivals.pop() {
                    return Poll::Ready(arrival);
                }
            }
            Some(Reverse(next)) => {
                let mut timer = Box::pin(sleep_until(next.at));
                if timer.as_mut().poll(cx).is_ready() {
                    cx.waker().wake_by_ref();
                }
                pending.timer = Some(timer);
            }
            None => pending.timer = None,
        }
        pending.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One socket of a simulated host.
#[derive(Debug)]
pub(super) struct SimSocket {
    host: Host,
    local: SocketAddr,
    queue: Arc<Queue>,
}

impl SimSocket {
    pub(super) fn new(host: Host, local: SocketAddr, queue: Arc<Queue>) -> Self {
        Self { host, local, queue }
    }
}

impl AsyncUdpSocket for SimSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let size = transmit
            .segment_size
            .unwrap_or(transmit.contents.len())
            .max(1);
        for bytes in transmit.contents.chunks(size) {
            self.host.send(&Packet {
                from: self.local,
                to: transmit.destination,
                ecn: transmit.ecn,
                bytes,
            });
        }
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut received = 0;
        for (buffer, meta) in buffers.iter_mut().zip(metas.iter_mut()) {
            let Poll::Ready(arrival) = self.queue.poll_next(cx) else {
                break;
            };
            let len = arrival.bytes.len().min(buffer.len());
            buffer
                .iter_mut()
                .zip(&arrival.bytes)
                .for_each(|(to, from)| *to = *from);
            *meta = RecvMeta::default();
            meta.addr = arrival.from;
            meta.len = len;
            meta.stride = len;
            meta.ecn = arrival.ecn;
            received += 1;
        }
        if received > 0 {
            Poll::Ready(Ok(received))
        } else {
            Poll::Pending
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn may_fragment(&self) -> bool {
        false
    }
}

#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
