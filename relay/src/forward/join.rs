//! Joins packets of one receive batch for the same leg into one send.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use quinn::udp::{EcnCodepoint, Transmit};

use super::route::{packets_in, packets_in_len};

/// Most bytes of one joined send: what fits into an IPv4 datagram with room for its headers.
const MAX_JOINED: usize = 65_000;

/// Packets that wait for more of their kind. Emptied at the end of every batch, so that nothing waits for the next.
///
/// Copies: 14 KiB copied cost 1 us, a `sendmsg` saved is worth 8.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    buffer: Vec<u8>,
    kind: Option<Kind>,
    stride: usize,
}

/// What joined packets have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    destination: SocketAddr,
    ecn: Option<EcnCodepoint>,
    src_ip: Option<IpAddr>,
}

/// A send that did not happen: this many packets are lost.
pub(super) struct Lost(pub(super) u64);

impl Joiner {
    /// Takes `transmit`, after sending what it cannot be joined with.
    pub(super) fn push(
        &mut self,
        transmit: &Transmit<'_>,
        max_segments: usize,
        send: impl FnMut(&Transmit<'_>) -> io::Result<()>,
    ) -> Result<(), Lost> {
        let kind = Kind {
            destination: transmit.destination,
            ecn: transmit.ecn,
            src_ip: transmit.src_ip,
        };
        let stride = transmit.segment_size.unwrap_or(transmit.contents.len());
        let sent = if self.fits(kind, stride, transmit, max_segments) {
            Ok(())
        } else {
            let sent = self.flush(send);
            self.kind = Some(kind);
            self.stride = stride.max(1);
            sent
        };
        self.buffer.extend_from_slice(transmit.contents);
        sent
    }

    /// Sends what waits.
    pub(super) fn flush(
        &mut self,
        mut send: impl FnMut(&Transmit<'_>) -> io::Result<()>,
    ) -> Result<(), Lost> {
        let Some(Kind {
            destination,
            ecn,
            src_ip,
        }) = self.kind.take()
        else {
            return Ok(());
        };
        let segment_size = (self.buffer.len() > self.stride).then_some(self.stride);
        let sent = send(&Transmit {
            destination,
            ecn,
            src_ip,
            segment_size,
            contents: &self.buffer,
        });
        let sent = sent.map_err(|_| Lost(packets_in(&self.buffer, self.stride)));
        self.buffer.clear();
        sent
    }

    fn fits(
        &self,
        kind: Kind,
        stride: usize,
        transmit: &Transmit<'_>,
        max_segments: usize,
    ) -> bool {
        let len = self.buffer.len().saturating_add(transmit.contents.len());
        // Only the last segment may be shorter than the others, so nothing follows a short one.
        let whole_so_far = self.buffer.len().checked_rem(self.stride) == Some(0);
        let same =
            stride == self.stride || (transmit.segment_size.is_none() && stride < self.stride);
        self.kind == Some(kind)
            && whole_so_far
            && same
            && len <= MAX_JOINED
            && packets_in_len(len, self.stride) <= max_segments
    }
}
