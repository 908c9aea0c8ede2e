//! The socket below the relay's QUIC endpoint, which forwards before QUIC sees anything.

use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use quinn::{
    AsyncUdpSocket, UdpPoller,
    udp::{RecvMeta, Transmit},
};

use super::{
    Table,
    join::{Joiner, Lost},
};
use crate::clock;

/// A UDP socket that sends on what belongs to legs and gives quinn the rest.
///
/// A batch that was consumed here reaches quinn as buffers of length 0: it skips them, and its limit of work
/// between two other tasks still counts them.
#[derive(Debug)]
pub(crate) struct ForwardingSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    table: Arc<Table>,
    joiner: Mutex<Joiner>,
}

impl ForwardingSocket {
    pub(crate) fn new(inner: Arc<dyn AsyncUdpSocket>, table: Arc<Table>) -> Self {
        Self {
            inner,
            table,
            joiner: Mutex::default(),
        }
    }

    fn forward(&self, buffers: &mut [IoSliceMut<'_>], metas: &mut [RecvMeta]) {
        let legs = self.table.read();
        let now = clock::now();
        let max_segments = self.inner.max_transmit_segments();
        let send = |transmit: &Transmit<'_>| self.inner.try_send(transmit);
        if metas.len() < 2 {
            for (meta, buffer) in metas.iter_mut().zip(buffers) {
                meta.len = self
                    .table
                    .route(&legs, now, meta, buffer, max_segments, send);
            }
            return;
        }
        let mut joiner = self.joiner.lock().unwrap_or_else(PoisonError::into_inner);
        let note = |sent: Result<(), Lost>| {
            if let Err(Lost(packets)) = sent {
                self.table.note_full(packets);
            }
        };
        for (meta, buffer) in metas.iter_mut().zip(buffers) {
            meta.len = self
                .table
                .route(&legs, now, meta, buffer, max_segments, |transmit| {
                    note(joiner.push(transmit, max_segments, send));
                    Ok(())
                });
        }
        note(joiner.flush(send));
    }
}

impl AsyncUdpSocket for ForwardingSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.inner).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.inner.try_send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = ready!(self.inner.poll_recv(cx, bufs, meta))?;
        let filled = meta.get_mut(..received).unwrap_or_default();
        self.forward(bufs, filled);
        Poll::Ready(Ok(received))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// One, for quinn: it keeps a buffer of that many packets for each connection (12 KiB for an idle leg,
    /// measured), and a control connection never has two packets to send. Forwarding asks the socket itself.
    fn max_transmit_segments(&self) -> usize {
        1
    }

    fn max_receive_segments(&self) -> usize {
        self.inner.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.inner.may_fragment()
    }
}
