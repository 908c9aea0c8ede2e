//! Tells quinn when it may send: when the way that packets take has room.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use quinn::UdpPoller;

use super::{BURST, Facade};

/// Waits for room in the stream's queue, where packets take it, and then for the socket's.
pub(super) struct Poller {
    facade: Arc<Facade>,
    below: Pin<Box<dyn UdpPoller>>,
}

impl Poller {
    pub(super) fn new(facade: Arc<Facade>, below: Pin<Box<dyn UdpPoller>>) -> Self {
        Self { facade, below }
    }
}

impl UdpPoller for Poller {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(queue) = self.facade.shared.queue_of(self.facade.side) {
            ready!(queue.poll_room(cx, BURST));
            return Poll::Ready(Ok(()));
        }
        self.below.as_mut().poll_writable(cx)
    }
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller")
            .field("side", &self.facade.side)
            .finish_non_exhaustive()
    }
}
