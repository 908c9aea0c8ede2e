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
    streams::{Own, Streams},
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
    streams: Streams,
}

impl ForwardingSocket {
    pub(crate) fn new(inner: Arc<dyn AsyncUdpSocket>, table: Arc<Table>) -> Self {
        Self {
            inner,
            table,
            joiner: Mutex::default(),
            streams: Streams::default(),
        }
    }

    /// The legs that come over streams.
    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    /// Takes a packet that came over the stream whose address is `from`.
    pub(crate) fn take(&self, from: SocketAddr, packet: &[u8]) {
        let mut bytes = packet.to_vec();
        let mut meta = RecvMeta::default();
        (meta.addr, meta.len, meta.stride) = (from, bytes.len(), bytes.len());
        let max_segments = self.inner.max_transmit_segments();
        let kept = self.table.route(
            &self.table.read(),
            clock::now(),
            &meta,
            &mut bytes,
            max_segments,
            |transmit| self.send(transmit),
        );
        if kept > 0 {
            bytes.truncate(kept);
            self.streams.keep(from, bytes);
        }
    }

    fn send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if !Streams::is_one(transmit.destination) {
            return self.inner.try_send(transmit);
        }
        let lost = self.streams.send(transmit);
        if lost > 0 {
            self.table.note_full(lost);
        }
        Ok(())
    }

    fn take_own(
        &self,
        cx: &Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> usize {
        let mut taken = 0_usize;
        for (buffer, meta) in buffers.iter_mut().zip(metas.iter_mut()) {
            let Some(Own { from, bytes }) = self.streams.next(cx.waker()) else {
                break;
            };
            *meta = RecvMeta::default();
            (meta.addr, meta.stride) = (from, bytes.len());
            if let Some(place) = buffer.get_mut(..bytes.len()) {
                place.copy_from_slice(&bytes);
                meta.len = bytes.len();
            }
            taken = taken.saturating_add(1);
        }
        taken
    }

    fn forward(&self, buffers: &mut [IoSliceMut<'_>], metas: &mut [RecvMeta]) {
        let legs = self.table.read();
        let now = clock::now();
        let max_segments = self.inner.max_transmit_segments();
        let send = |transmit: &Transmit<'_>| self.send(transmit);
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
        self.send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let taken = self.take_own(cx, bufs, meta);
        if taken > 0 {
            return Poll::Ready(Ok(taken));
        }
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
