//! TLS on a stream, with no buffer of its own while nothing is on its way.
//!
//! The library's usual connection keeps some KiB for what may come, and thousands of legs wait for years. So bytes are
//! read into room on the stack here, and only what is left of a record that has not come whole is kept.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use rustls::{
    ServerConfig,
    server::UnbufferedServerConnection,
    unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes read at once: the longest record of TLS.
const CHUNK: usize = 16 * 1024;

/// Bytes kept of records or handshake messages that have not come whole; above what the library takes of either.
const MAX_KEPT: usize = 96 * 1024;

/// Most bytes in one record (RFC 8446, section 5.1).
const MAX_RECORD: usize = 16 * 1024;

/// What a record adds to its content: header, content type and tag, with room to spare.
const OVERHEAD: usize = 64;

/// A stream that speaks TLS, as its server.
pub(super) struct Wire<S> {
    io: S,
    tls: Box<UnbufferedServerConnection>,
    /// The beginning of a record.
    incoming: Vec<u8>,
    /// Read, and not taken yet.
    plain: Vec<u8>,
    /// To be written; `written` bytes of it are.
    outgoing: Vec<u8>,
    written: usize,
    /// Bytes that the stream has taken in all.
    taken: u64,
    is_closed: bool,
    /// TLS has met an error, after which it is not asked for anything any more.
    is_broken: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Shakes hands on `io`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the stream.
    pub(super) async fn accept(io: S, config: Arc<ServerConfig>) -> io::Result<Self> {
        let tls = UnbufferedServerConnection::new(config).map_err(invalid)?;
        let mut wire = Self {
            io,
            tls: Box::new(tls),
            incoming: Vec::new(),
            plain: Vec::new(),
            outgoing: Vec::new(),
            written: 0,
            taken: 0,
            is_closed: false,
            is_broken: false,
        };
        while wire.tls.is_handshaking() {
            let filled = std::future::poll_fn(|cx| wire.poll_fill(cx)).await;
            let is_open = match filled {
                Ok(is_open) => is_open,
                Err(error) => {
                    // The other side is told why, if it still listens.
                    let _unsaid = std::future::poll_fn(|cx| wire.poll_write_out(cx)).await;
                    return Err(error);
                }
            };
            if !is_open {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        std::future::poll_fn(|cx| wire.poll_write_out(cx)).await?;
        Ok(wire)
    }

    /// Reads what is there; `false` once the other side has closed. What was read is in [`Wire::plain`].
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.is_closed {
            return Poll::Ready(Ok(false));
        }
        // What TLS has to say goes out first, or along with what is read.
        let _waits = self.poll_write_out(cx)?;
        let mut room = [MaybeUninit::uninit(); CHUNK];
        let mut buffer = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
        let bytes = buffer.filled_mut();
        if bytes.is_empty() {
            self.is_closed = true;
            return Poll::Ready(Ok(false));
        }
        self.take(bytes)?;
        let _waits = self.poll_write_out(cx)?;
        Poll::Ready(Ok(true))
    }

    /// What has been read.
    pub(super) fn plain(&mut self) -> &mut Vec<u8> {
        &mut self.plain
    }

    /// Bytes that wait to be written.
    pub(super) fn waiting(&self) -> usize {
        self.outgoing.len().saturating_sub(self.written)
    }

    /// Bytes that the stream has taken in all.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Seals `plain` behind what waits to be written.
    pub(super) fn seal(&mut self, plain: &[u8]) -> io::Result<()> {
        // A key update may wait to be said first.
        self.take(&mut [])?;
        // The library wants to see what it has not done with each time, and looks for parts of messages in it.
        let UnbufferedStatus { state, .. } = self.tls.process_tls_records(&mut self.incoming);
        let ConnectionState::WriteTraffic(mut traffic) = state.map_err(invalid)? else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        for piece in plain.chunks(MAX_RECORD) {
            let room = piece.len().saturating_add(OVERHEAD);
            append(&mut self.outgoing, room, |room| {
                match traffic.encrypt(piece, room) {
                    Ok(len) => Ok(Ok(len)),
                    Err(EncryptError::InsufficientSize(size)) => Ok(Err(size.required_size)),
                    Err(error @ EncryptError::EncryptExhausted) => Err(io::Error::other(error)),
                }
            })?;
        }
        Ok(())
    }

    /// Writes what waits; ready once nothing does.
    pub(super) fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest @ [_, ..]) = self.outgoing.get(self.written..) {
            let Poll::Ready(written) = Pin::new(&mut self.io).poll_write(cx, rest)? else {
                // Who takes a little at a time, and never all, makes nothing grow.
                if self.written >= CHUNK {
                    self.outgoing.drain(..self.written);
                    self.written = 0;
                }
                return Poll::Pending;
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written = self.written.saturating_add(written);
            self.taken = self.taken.wrapping_add(written as u64);
        }
        if self.written > 0 {
            // A leg that waits holds no buffer.
            (self.outgoing, self.written) = (Vec::new(), 0);
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Takes bytes of the stream apart.
    fn take(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        if self.is_broken {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let taken = self.take_apart(bytes);
        self.is_broken = taken.is_err();
        taken
    }

    fn take_apart(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        let mut kept = std::mem::take(&mut self.incoming);
        let is_kept = !kept.is_empty();
        let bytes = if is_kept {
            kept.extend_from_slice(bytes);
            &mut kept
        } else {
            bytes
        };
        let is_handshaking = self.tls.is_handshaking();
        let mut at = 0_usize;
        loop {
            let rest = bytes.get_mut(at..).unwrap_or_default();
            let UnbufferedStatus { discard, state } = self.tls.process_tls_records(rest);
            at = at.saturating_add(discard);
            let goes_on = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        self.plain
                            .extend_from_slice(record.map_err(invalid)?.payload);
                    }
                    true
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    append(&mut self.outgoing, CHUNK, |room| match data.encode(room) {
                        Ok(len) => Ok(Ok(len)),
                        Err(EncodeError::InsufficientSize(size)) => Ok(Err(size.required_size)),
                        Err(error @ EncodeError::AlreadyEncoded) => Err(io::Error::other(error)),
                    })?;
                    true
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    data.done();
                    true
                }
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => {
                    self.is_closed = true;
                    false
                }
                Ok(ConnectionState::WriteTraffic(_) | ConnectionState::BlockedHandshake) => false,
                Ok(_) => return Err(io::ErrorKind::InvalidData.into()),
                Err(error) if is_handshaking => {
                    // There may be an alert for the other side.
                    let rest = bytes.get_mut(at..).unwrap_or_default();
                    let UnbufferedStatus { state, .. } = self.tls.process_tls_records(rest);
                    if let Ok(ConnectionState::EncodeTlsData(mut data)) = state {
                        append(&mut self.outgoing, CHUNK, |room| {
                            data.encode(room).map(Ok).map_err(io::Error::other)
                        })?;
                    }
                    return Err(invalid(error));
                }
                Err(error) => return Err(invalid(error)),
            };
            if !goes_on {
                break;
            }
        }
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.len() > MAX_KEPT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.incoming = if !is_kept {
            rest.to_vec()
        } else {
            // Nothing is copied while nothing of it was of use: packets go out past it.
            if at > 0 {
                kept.drain(..at.min(kept.len()));
                kept.shrink_to_fit();
            }
            kept
        };
        Ok(())
    }
}

/// Lets `write` fill `room` bytes behind `out`, and as many as it asks for if that is too little.
fn append(
    out: &mut Vec<u8>,
    room: usize,
    mut write: impl FnMut(&mut [u8]) -> io::Result<Result<usize, usize>>,
) -> io::Result<()> {
    let start = out.len();
    let mut room = room;
    loop {
        out.resize(start.saturating_add(room), 0);
        match write(out.get_mut(start..).unwrap_or_default()) {
            Ok(Ok(len)) => {
                out.truncate(start.saturating_add(len));
                return Ok(());
            }
            Ok(Err(needed)) if needed > room => room = needed,
            Ok(Err(_)) => {
                out.truncate(start);
                return Err(io::ErrorKind::InvalidData.into());
            }
            Err(error) => {
                out.truncate(start);
                return Err(error);
            }
        }
    }
}

fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.plain.is_empty() {
            if !ready!(self.poll_fill(cx))? {
                break;
            }
        }
        let len = self.plain.len().min(buffer.remaining());
        buffer.put_slice(self.plain.get(..len).unwrap_or_default());
        self.plain.drain(..len);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_write_out(cx))?;
        let piece = bytes.get(..bytes.len().min(MAX_RECORD)).unwrap_or_default();
        self.seal(piece)?;
        let _waits = self.poll_write_out(cx)?;
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_out(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.is_broken {
            return Pin::new(&mut this.io).poll_shutdown(cx);
        }
        let UnbufferedStatus { state, .. } = this.tls.process_tls_records(&mut this.incoming);
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = state {
            let _said_before = append(&mut this.outgoing, CHUNK, |room| {
                let said = traffic.queue_close_notify(room);
                said.map(Ok).map_err(io::Error::other)
            });
        }
        ready!(this.poll_write_out(cx))?;
        Pin::new(&mut this.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
