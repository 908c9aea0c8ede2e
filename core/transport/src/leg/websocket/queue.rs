//! Packets that wait for a stream: few, as each of them delays all behind it.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Answers to pings that wait; more of them are not worth a queue.
const MAX_PONGS: usize = 2;

/// A short queue in front of a stream, between those who send and the one who writes.
#[derive(Debug)]
pub struct PacketQueue {
    capacity: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    packets: VecDeque<Vec<u8>>,
    pongs: VecDeque<Vec<u8>>,
    writer: Option<Waker>,
    senders: Vec<Waker>,
    closed: bool,
}

/// What a writer takes at once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) packets: Vec<Vec<u8>>,
    pub(super) pongs: Vec<Vec<u8>>,
}

impl PacketQueue {
    /// An empty queue for `capacity` packets.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            inner: Mutex::default(),
        }
    }

    /// Puts a packet at the end; says `false` and drops it if the queue is full or closed.
    pub fn push(&self, packet: &[u8]) -> bool {
        let mut inner = self.inner();
        if inner.closed || inner.packets.len() >= self.capacity {
            return false;
        }
        inner.packets.push_back(packet.to_vec());
        let writer = inner.writer.take();
        drop(inner);
        writer.into_iter().for_each(Waker::wake);
        true
    }

    pub(super) fn push_pong(&self, payload: &[u8]) {
        let mut inner = self.inner();
        if inner.pongs.len() < MAX_PONGS {
            inner.pongs.push_back(payload.to_vec());
        }
        let writer = inner.writer.take();
        drop(inner);
        writer.into_iter().for_each(Waker::wake);
    }

    /// Whether `packets` more fit. A closed queue has room, as it loses them all.
    pub fn has_room(&self, packets: usize) -> bool {
        self.inner().has_room(packets, self.capacity)
    }

    /// Ready once `packets` more fit.
    pub fn poll_room(&self, cx: &mut Context<'_>, packets: usize) -> Poll<()> {
        let mut inner = self.inner();
        if inner.has_room(packets, self.capacity) {
            return Poll::Ready(());
        }
        if !inner
            .senders
            .iter()
            .any(|known| known.will_wake(cx.waker()))
        {
            inner.senders.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Next packets for the writer, at most `most`; `None` once the queue is closed.
    pub(super) async fn next(&self, most: usize) -> Option<Batch> {
        poll_fn(|cx| self.poll_next(cx, most)).await
    }

    fn poll_next(&self, cx: &Context<'_>, most: usize) -> Poll<Option<Batch>> {
        let mut inner = self.inner();
        if inner.closed {
            return Poll::Ready(None);
        }
        if inner.packets.is_empty() && inner.pongs.is_empty() {
            inner.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = inner.packets.len().min(most);
        let batch = Batch {
            packets: inner.packets.drain(..count).collect(),
            pongs: inner.pongs.drain(..).collect(),
        };
        let senders = std::mem::take(&mut inner.senders);
        drop(inner);
        senders.into_iter().for_each(Waker::wake);
        Poll::Ready(Some(batch))
    }

    /// Makes whoever waits for room look again, as another way may have some.
    pub(crate) fn wake_senders(&self) {
        let senders = std::mem::take(&mut self.inner().senders);
        senders.into_iter().for_each(Waker::wake);
    }

    /// Ends the stream: the writer finishes, and whoever waits for room goes on.
    pub fn close(&self) {
        let mut inner = self.inner();
        inner.closed = true;
        inner.packets.clear();
        let writer = inner.writer.take();
        let senders = std::mem::take(&mut inner.senders);
        drop(inner);
        writer.into_iter().chain(senders).for_each(Waker::wake);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn has_room(&self, packets: usize, capacity: usize) -> bool {
        self.closed || self.packets.len().saturating_add(packets) <= capacity
    }
}
