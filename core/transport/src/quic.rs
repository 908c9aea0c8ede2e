//! A session's connection over QUIC.

use std::{sync::Arc, time::Duration};

use alongside_protocol::{PublicKey, proof::EXPORTER_LABEL};
use bytes::Bytes;
use quinn::{ConnectionError, RecvStream, SendDatagramError, SendStream, VarInt};
use tokio::{sync::watch, task::AbortHandle};

use crate::{
    connection::{Binding, Connection, DatagramError, Lost, PathReport},
    leg::tls,
    path::{ClosedWay, PathKind},
};

mod monitor;
#[cfg(test)]
mod tests;

/// An end-to-end QUIC connection whose peer has proved its key.
#[derive(Clone, Debug)]
pub struct QuicConnection {
    quic: quinn::Connection,
    binding: Binding,
    shared: Arc<Shared>,
    closed_ways: Option<watch::Receiver<Vec<ClosedWay>>>,
    admission: Option<Arc<watch::Sender<bool>>>,
}

/// The peer showed no Ed25519 key, or the connection is over already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection is not bound to an Ed25519 key of the peer's")]
pub struct NotBound;

#[derive(Debug)]
struct Shared {
    path: watch::Receiver<PathReport>,
    monitor: AbortHandle,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.monitor.abort();
    }
}

impl QuicConnection {
    /// Takes over a connection whose handshake is complete; `local` is the key that this side showed, `kind`
    /// follows the way that packets take.
    ///
    /// # Errors
    ///
    /// [`NotBound`] if the peer showed anything but one raw Ed25519 key, or the connection is over.
    pub fn new(
        quic: quinn::Connection,
        local: PublicKey,
        kind: watch::Receiver<PathKind>,
    ) -> Result<Self, NotBound> {
        let peer = tls::peer_key(&quic).ok_or(NotBound)?;
        let mut exporter = [0; 48];
        quic.export_keying_material(&mut exporter, EXPORTER_LABEL, b"")
            .map_err(|_| NotBound)?;
        let (reports, path) = watch::channel(monitor::report(&quic, *kind.borrow()));
        let monitor = tokio::spawn(monitor::run(quic.clone(), kind, reports)).abort_handle();
        let shared = Arc::new(Shared { path, monitor });
        Ok(Self {
            quic,
            binding: Binding {
                exporter,
                local,
                peer,
            },
            shared,
            closed_ways: None,
            admission: None,
        })
    }

    /// The same connection, which tells the ways that packets cannot take.
    #[must_use]
    pub(crate) fn with_closed_ways(mut self, ways: watch::Receiver<Vec<ClosedWay>>) -> Self {
        self.closed_ways = Some(ways);
        self
    }

    /// The same connection, which says through `admission` that the peer has proved the code.
    #[must_use]
    pub(crate) fn with_admission(mut self, admission: watch::Sender<bool>) -> Self {
        self.admission = Some(Arc::new(admission));
        self
    }

    pub(crate) const fn quic(&self) -> &quinn::Connection {
        &self.quic
    }

    /// The key that the peer proved to hold.
    pub(crate) const fn peer(&self) -> PublicKey {
        self.binding.peer
    }

    /// Smoothed round trip time now.
    pub fn rtt(&self) -> Duration {
        self.quic.rtt()
    }
}

impl Connection for QuicConnection {
    type Send = SendStream;
    type Recv = RecvStream;

    async fn open_bi(&self, priority: i32) -> Result<(SendStream, RecvStream), Lost> {
        let (send, recv) = self.quic.open_bi().await?;
        self.set_priority(&send, priority);
        Ok((send, recv))
    }

    async fn accept_bi(&self) -> Result<(SendStream, RecvStream), Lost> {
        Ok(self.quic.accept_bi().await?)
    }

    fn set_priority(&self, stream: &SendStream, priority: i32) {
        // Fails only on a stream that is closed, and then nothing is left to order.
        let _closed = stream.set_priority(priority);
    }

    fn send_datagram(&self, datagram: Bytes) -> Result<(), DatagramError> {
        let got = datagram.len();
        self.quic
            .send_datagram(datagram)
            .map_err(|error| match error {
                SendDatagramError::ConnectionLost(lost) => DatagramError::Lost(lost.into()),
                // A peer that takes no datagrams has a limit of 0.
                SendDatagramError::TooLarge
                | SendDatagramError::UnsupportedByPeer
                | SendDatagramError::Disabled => DatagramError::TooLarge {
                    got,
                    max: self.max_datagram(),
                },
            })
    }

    async fn recv_datagram(&self) -> Result<Bytes, Lost> {
        loop {
            // Empty ones only make the peer acknowledge.
            let datagram = self.quic.read_datagram().await?;
            if !datagram.is_empty() {
                return Ok(datagram);
            }
        }
    }

    fn max_datagram(&self) -> usize {
        self.quic.max_datagram_size().unwrap_or(0)
    }

    fn binding(&self) -> Binding {
        self.binding
    }

    fn path(&self) -> watch::Receiver<PathReport> {
        self.shared.path.clone()
    }

    fn closed_ways(&self) -> watch::Receiver<Vec<ClosedWay>> {
        match &self.closed_ways {
            Some(closed) => closed.clone(),
            None => watch::channel(Vec::new()).1,
        }
    }

    fn admit(&self) {
        if let Some(admission) = &self.admission {
            admission.send_replace(true);
        }
    }

    fn close(&self, code: u32, reason: &str) {
        self.quic.close(VarInt::from_u32(code), reason.as_bytes());
    }

    async fn closed(&self) -> Lost {
        self.quic.closed().await.into()
    }
}

impl From<ConnectionError> for Lost {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::LocallyClosed => Self::ClosedHere,
            ConnectionError::ApplicationClosed(close) => {
                let code = u32::try_from(close.error_code.into_inner()).unwrap_or(u32::MAX);
                Self::closed_by_peer(code, &String::from_utf8_lossy(&close.reason))
            }
            ConnectionError::TimedOut => Self::Silent,
            ConnectionError::Reset => Self::Restarted,
            ConnectionError::TransportError(error) => Self::from_transport_code(error.code.into()),
            ConnectionError::ConnectionClosed(close) => {
                Self::from_transport_code(close.error_code.into())
            }
            ConnectionError::VersionMismatch | ConnectionError::CidsExhausted => Self::Broken,
        }
    }
}

impl Lost {
    /// RFC 9000, section 20.1: 0x0100 to 0x01ff carry a TLS alert.
    fn from_transport_code(code: u64) -> Self {
        match code
            .checked_sub(0x100)
            .and_then(|alert| u8::try_from(alert).ok())
        {
            Some(alert) => Self::Refused { alert },
            None => Self::Broken,
        }
    }
}
