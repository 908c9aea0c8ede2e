//! What a session needs of the connection that carries it, whatever the path.

use std::{fmt, future::Future, time::Duration};

use alongside_protocol::{PublicKey, label::Label};
use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};

use crate::path::{ClosedWay, PathKind};

/// One end-to-end connection: sealed, in order on each stream, and bound to both sides' keys.
///
/// Clones are the same connection; it closes with [`close_code::DONE`] when every clone and every stream is
/// dropped. [`connection_conformance!`](crate::connection_conformance) tests an implementation.
pub trait Connection: Clone + Send + Sync + 'static {
    /// Sending half of a stream. Shutting it down, or dropping it, ends the stream once everything has arrived.
    type Send: AsyncWrite + Unpin + Send + 'static;
    /// Receiving half of a stream. Dropping it tells the sender to stop.
    type Recv: AsyncRead + Unpin + Send + 'static;

    /// Opens a stream whose bytes go before those of every stream with a lower `priority`.
    ///
    /// The other side learns of it by the first byte.
    ///
    /// # Errors
    ///
    /// [`Lost`] if the connection is over.
    fn open_bi(
        &self,
        priority: i32,
    ) -> impl Future<Output = Result<(Self::Send, Self::Recv), Lost>> + Send;

    /// Next stream that the other side opened, in the order of opening.
    ///
    /// # Errors
    ///
    /// [`Lost`] if the connection is over.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no stream is lost.
    fn accept_bi(&self) -> impl Future<Output = Result<(Self::Send, Self::Recv), Lost>> + Send;

    /// Gives a stream another priority: an accepted one starts with 0.
    fn set_priority(&self, stream: &Self::Send, priority: i32);

    /// Sends one message that may be lost or overtaken. Drops older unsent ones rather than wait.
    ///
    /// An empty one carries nothing and does not arrive.
    ///
    /// # Errors
    ///
    /// [`DatagramError::TooLarge`] beyond [`Connection::max_datagram`]; [`DatagramError::Lost`].
    fn send_datagram(&self, datagram: Bytes) -> Result<(), DatagramError>;

    /// Next datagram of the other side.
    ///
    /// # Errors
    ///
    /// [`Lost`] if the connection is over.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no datagram is lost by it.
    fn recv_datagram(&self) -> impl Future<Output = Result<Bytes, Lost>> + Send;

    /// Longest datagram in bytes; the same on every path.
    fn max_datagram(&self) -> usize;

    /// What ties a proof to this connection.
    fn binding(&self) -> Binding;

    /// The way that packets take now, with its round trip time and counters; at least every second, and at
    /// once when the way changes.
    fn path(&self) -> watch::Receiver<PathReport>;

    /// The ways that are closed to this side, and why; none where nobody knows.
    fn closed_ways(&self) -> watch::Receiver<Vec<ClosedWay>> {
        watch::channel(Vec::new()).1
    }

    /// The other side has proved the code, and may know and do more than carry messages: where a connection looks
    /// for other ways to the peer, it tells addresses of this side, and tries those of the other, only from then on.
    fn admit(&self) {}

    /// Ends the connection at once, telling the other side `code` (see [`close_code`]) and `reason`. What was
    /// not acknowledged yet may not arrive. Does nothing on a connection that is over.
    fn close(&self, code: u32, reason: &str);

    /// Resolves when the connection is over.
    fn closed(&self) -> impl Future<Output = Lost> + Send;
}

/// Codes of [`Connection::close`], the same for every implementation.
pub mod close_code {
    /// All is said: the session ended in order, and said so before.
    pub const DONE: u32 = 0;
    /// The other side broke the protocol.
    pub const PROTOCOL: u32 = 1;
    /// The code was not proved.
    pub const PROOF: u32 = 2;
    /// This process ends.
    pub const SHUTDOWN: u32 = 3;
    /// A newer connection of the same session takes over.
    pub const REPLACED: u32 = 4;
    /// This side failed, by no fault of the other.
    pub const INTERNAL: u32 = 5;
}

/// What both ends of a connection share and nobody in the middle can have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Exported keying material (RFC 8446, section 7.5), the same on both sides.
    pub exporter: [u8; 48],
    /// This side's key.
    pub local: PublicKey,
    /// The key that the other side proved to hold.
    pub peer: PublicKey,
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("local", &self.local)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// A connection's path at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathReport {
    /// The way packets take.
    pub kind: PathKind,
    /// Round trip time, smoothed.
    pub rtt: Duration,
    /// Bytes in all UDP payloads sent so far: TLS, QUIC and probes included.
    pub sent: u64,
    /// Bytes in all UDP payloads received so far.
    pub received: u64,
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// This side closed it.
    #[error("the connection was closed here")]
    ClosedHere,
    /// The other side closed it.
    #[error("the other side closed the connection (code {code}{})", reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    ClosedByPeer {
        /// One of [`close_code`], or a code of a newer version.
        code: u32,
        /// The other side's words, made inert.
        reason: Option<CloseReason>,
    },
    /// Nothing was heard from the other side for too long.
    #[error("nothing was heard from the other side for too long")]
    Silent,
    /// The other side's process knows nothing of the connection: it was restarted.
    #[error("the other side was restarted")]
    Restarted,
    /// The handshake failed: another key, another protocol, or no post-quantum key exchange.
    #[error("the secure connection was refused (TLS alert {alert})")]
    Refused {
        /// The alert's number (RFC 8446, section 6).
        alert: u8,
    },
    /// The other side, or what stands between, broke QUIC.
    #[error("the connection broke")]
    Broken,
}

/// The other side's reason for closing, at most 128 bytes of inert text.
pub type CloseReason = Label<128>;

impl Lost {
    /// A close by the other side with what it gave as reason.
    pub fn closed_by_peer(code: u32, reason: &str) -> Self {
        let mut end = reason.len().min(128);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        Self::ClosedByPeer {
            code,
            reason: reason
                .get(..end)
                .and_then(|text| CloseReason::new(text).ok()),
        }
    }
}

/// Why a datagram was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatagramError {
    /// It is longer than [`Connection::max_datagram`].
    #[error("datagram of {got} bytes where at most {max} are allowed")]
    TooLarge {
        /// Its length in bytes.
        got: usize,
        /// Longest that fits, in bytes.
        max: usize,
    },
    /// The connection is over.
    #[error(transparent)]
    Lost(#[from] Lost),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_exporter() {
        let binding = Binding {
            exporter: [0xab; 48],
            local: PublicKey([1; 32]),
            peer: PublicKey([2; 32]),
        };
        let text = format!("{binding:?}");
        assert!(!text.contains("171") && !text.contains("ab"), "{text}");
    }

    #[test]
    fn a_hostile_reason_is_made_inert() {
        let reason = |text: &str| {
            let Lost::ClosedByPeer { code: 7, reason } = Lost::closed_by_peer(7, text) else {
                panic!("a close is a close");
            };
            reason.map(|label| label.as_str().to_owned())
        };
        assert_eq!(reason("gone home"), Some("gone home".to_owned()));
        assert_eq!(reason("\u{1b}[2Jboo"), None);
        assert_eq!(reason(""), None);
        assert_eq!(reason(&"ä".repeat(200)), Some("ä".repeat(64)));
    }
}
