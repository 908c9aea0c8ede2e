//! A leg's way to the relay: QUIC's socket, from which the packets of sessions are taken out and counted.

use std::{
    collections::VecDeque,
    io::{self, IoSliceMut},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use alongside_transport::leg::websocket::PacketQueue;
use quinn::{
    AsyncUdpSocket, UdpPoller,
    udp::{RecvMeta, Transmit},
};
use tokio::net::UdpSocket;

use crate::seen::Seen;

/// Behind the token in packets of sessions; the relay's own are random there.
pub(crate) const MARK: [u8; 4] = [0xa1, 0x05, 0x1d, 0xe0];

const MARK_AT: usize = 9;

#[derive(Debug)]
pub(crate) struct Way {
    link: Link,
    seen: Seen,
    relay: SocketAddr,
}

#[derive(Debug)]
pub(crate) enum Link {
    /// A socket of the leg's own, connected to the relay.
    Udp(UdpSocket),
    /// A stream of the leg's own.
    Stream {
        queue: Arc<PacketQueue>,
        arrived: Arc<Arrived>,
    },
}

/// Control packets that came over a stream.
#[derive(Debug, Default)]
pub(crate) struct Arrived(Mutex<(VecDeque<Vec<u8>>, Option<Waker>)>);

impl Arrived {
    pub(crate) fn push(&self, packet: &[u8]) {
        let mut inner = self.inner();
        inner.0.push_back(packet.to_vec());
        let reader = inner.1.take();
        drop(inner);
        reader.into_iter().for_each(Waker::wake);
    }

    fn poll_pop(&self, cx: &Context<'_>) -> Poll<Vec<u8>> {
        let mut inner = self.inner();
        if let Some(packet) = inner.0.pop_front() {
            return Poll::Ready(packet);
        }
        inner.1 = Some(cx.waker().clone());
        Poll::Pending
    }

    fn inner(&self) -> MutexGuard<'_, (VecDeque<Vec<u8>>, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a packet is of a session.
pub(crate) fn is_marked(packet: &[u8]) -> bool {
    packet.get(MARK_AT..MARK_AT + MARK.len()) == Some(&MARK)
}

impl Way {
    pub(crate) fn new(link: Link, seen: Seen, relay: SocketAddr) -> Self {
        Self { link, seen, relay }
    }

    /// Sends a packet of a session; whether there was room for it.
    pub(crate) fn send(&self, packet: &[u8]) -> bool {
        match &self.link {
            Link::Udp(socket) => socket.try_send(packet).is_ok(),
            Link::Stream { queue, .. } => queue.push(packet),
        }
    }
}

#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncUdpSocket for Way {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        // What finds no room is lost, as on any network.
        self.send(transmit.contents);
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), metas.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        loop {
            let len = match &self.link {
                Link::Udp(socket) => {
                    ready!(socket.poll_recv_ready(cx))?;
                    match socket.try_recv(buffer) {
                        Ok(len) => len,
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                        Err(error) => return Poll::Ready(Err(error)),
                    }
                }
                Link::Stream { arrived, .. } => {
                    let packet = ready!(arrived.poll_pop(cx));
                    let Some(place) = buffer.get_mut(..packet.len()) else {
                        continue;
                    };
                    place.copy_from_slice(&packet);
                    packet.len()
                }
            };
            let packet = buffer.get(..len).unwrap_or_default();
            if is_marked(packet) {
                self.seen.take(packet);
                continue;
            }
            *meta = RecvMeta::default();
            (meta.addr, meta.len, meta.stride) = (self.relay, len, len);
            return Poll::Ready(Ok(1));
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.link {
            Link::Udp(socket) => socket.local_addr(),
            Link::Stream { .. } => Ok(SocketAddr::from(([127, 0, 0, 1], 1))),
        }
    }
}
