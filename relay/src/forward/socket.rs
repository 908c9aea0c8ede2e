//! The relay's one UDP socket, from which packets of legs go on at once and the relay's own to its control
//! connections.

use std::{
    future::poll_fn,
    io::{self, IoSliceMut},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use alongside_transport::leg::websocket::MAX_PACKET;
use bytes::BytesMut;
use quinn::{
    AsyncUdpSocket,
    udp::{RecvMeta, Transmit},
};
use tracing::debug;

use super::{
    Rest, Table,
    join::{Joiner, Lost},
    own::{Own, OwnQueue, Sender},
    route::packets_in_len,
    streams::Streams,
};
use crate::clock;

/// Buffers received at once (as many as one `recvmmsg` of the QUIC library takes).
const BATCH: usize = 32;

/// Room for one of them: packets of an Ethernet, joined by the kernel into what UDP can carry at most.
const PACKET: usize = 1500;
const MAX_JOINED: usize = 65_536;

/// Pause after the system could not give packets: it has run out of something.
const EXHAUSTED: Duration = Duration::from_millis(10);

/// The socket, and the streams beside it.
#[derive(Debug)]
pub(crate) struct ForwardingSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    table: Arc<Table>,
    joiner: Mutex<Joiner>,
    streams: Streams,
    own: OwnQueue,
}

impl ForwardingSocket {
    pub(crate) fn new(inner: Arc<dyn AsyncUdpSocket>, table: Arc<Table>) -> Self {
        Self {
            inner,
            table,
            joiner: Mutex::default(),
            streams: Streams::default(),
            own: OwnQueue::default(),
        }
    }

    /// The legs that come over streams.
    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    /// What came for the relay itself.
    pub(crate) fn own(&self) -> &OwnQueue {
        &self.own
    }

    /// Where the socket is.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// Sends on what comes, for ever; with `rest` in larger batches while there is much of it.
    pub(crate) async fn pump(&self, mut rest: Option<Rest>) {
        let segments = self.inner.max_receive_segments().max(1);
        let room = segments.saturating_mul(PACKET).min(MAX_JOINED);
        let mut room_for_all = vec![0; room.saturating_mul(BATCH)];
        let mut metas = [RecvMeta::default(); BATCH];
        loop {
            let mut rooms = room_for_all.chunks_mut(room);
            let mut buffers: [IoSliceMut<'_>; BATCH] =
                std::array::from_fn(|_| IoSliceMut::new(rooms.next().unwrap_or_default()));
            let received = poll_fn(|cx| self.inner.poll_recv(cx, &mut buffers, &mut metas)).await;
            let received = match received {
                Ok(received) => received,
                // Undefined for QUIC, and anybody can cause it.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => continue,
                Err(error) => {
                    debug!(%error, "no packets could be taken");
                    tokio::time::sleep(EXHAUSTED).await;
                    continue;
                }
            };
            let now = clock::now();
            let metas = metas.get_mut(..received).unwrap_or_default();
            let packets = self.forward(now, &mut buffers, metas);
            let Some(rest) = &mut rest else { continue };
            rest.note(now, packets);
            // A full batch has left more behind.
            if received < BATCH {
                rest.take().await;
            }
        }
    }

    /// Takes a packet that came over the stream whose address is `from`. What it becomes for another stream waits for
    /// [`ForwardingSocket::flush`].
    pub(crate) fn take(&self, from: SocketAddr, packet: &[u8]) {
        let mut room = [0; MAX_PACKET];
        let Some(copy) = room.get_mut(..packet.len()) else {
            return;
        };
        copy.copy_from_slice(packet);
        let mut meta = RecvMeta::default();
        (meta.addr, meta.len, meta.stride) = (from, packet.len(), packet.len());
        let max_segments = self.inner.max_transmit_segments();
        let legs = self.table.read();
        let kept = self
            .table
            .route(&legs, clock::now(), &meta, copy, max_segments, |transmit| {
                self.send(transmit)
            });
        if kept == 0 {
            return;
        }
        let sender = self.table.sender(&legs, from);
        drop(legs);
        self.keep(sender, &meta, copy.get(..kept).unwrap_or_default());
    }

    /// Has written what streams were handed: once for all packets that came together.
    pub(crate) fn flush(&self) {
        self.streams.flush();
    }

    /// Sends over the socket, or the stream whose address it is once it is flushed.
    ///
    /// # Errors
    ///
    /// The system's; packets for a stream without room are lost and counted.
    pub(crate) fn send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if !Streams::is_one(transmit.destination) {
            return self.inner.try_send(transmit);
        }
        let lost = self.streams.send(transmit);
        if lost > 0 {
            self.table.note_full(lost);
        }
        Ok(())
    }

    /// Sends on what is in `buffers`; how many packets it was.
    fn forward(&self, now: Instant, buffers: &mut [IoSliceMut<'_>], metas: &mut [RecvMeta]) -> u64 {
        let legs = self.table.read();
        let max_segments = self.inner.max_transmit_segments();
        let send = |transmit: &Transmit<'_>| self.send(transmit);
        let mut joiner = self.joiner.lock().unwrap_or_else(PoisonError::into_inner);
        let joins = metas.len() > 1;
        let note = |sent: Result<(), Lost>| {
            if let Err(Lost(packets)) = sent {
                self.table.note_full(packets);
            }
        };
        let mut packets = 0_usize;
        for (meta, buffer) in metas.iter().zip(buffers) {
            packets = packets.saturating_add(packets_in_len(meta.len, meta.stride));
            let kept = self
                .table
                .route(&legs, now, meta, buffer, max_segments, |transmit| {
                    if !joins {
                        return send(transmit);
                    }
                    note(joiner.push(transmit, max_segments, send));
                    Ok(())
                });
            if kept > 0 {
                let sender = self.table.sender(&legs, meta.addr);
                self.keep(sender, meta, buffer.get(..kept).unwrap_or_default());
            }
        }
        note(joiner.flush(send));
        self.flush();
        u64::try_from(packets).unwrap_or(u64::MAX)
    }

    fn keep(&self, sender: Sender, meta: &RecvMeta, kept: &[u8]) {
        for packet in kept.chunks(meta.stride.max(1)) {
            let own = Own {
                from: meta.addr,
                local: meta.dst_ip,
                ecn: meta.ecn,
                bytes: BytesMut::from(packet),
            };
            self.own.push(sender, own);
        }
    }
}
