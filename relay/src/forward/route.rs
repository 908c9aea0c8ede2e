//! Where the packets of one received buffer go.

use std::{io, net::SocketAddr, sync::atomic::Ordering::Relaxed, time::Instant};

use alongside_protocol::{LegToken, cid};
use quinn::udp::{RecvMeta, Transmit};

use super::{
    Table,
    legs::{Leg, Legs, Peer},
    own::Sender,
};

/// Set in the first byte of a packet with a long header (RFC 8999, section 5.1).
const LONG_HEADER: u8 = 0x80;

/// What is to happen with a run of packets for one token.
enum Way<'a> {
    /// On to this leg.
    On(&'a Leg),
    /// To the relay's own QUIC endpoint.
    Own,
    /// Nowhere.
    Nowhere,
}

impl Table {
    /// Hands what belongs to legs to `send`, and moves what is left for the relay itself to the front of `buffer`.
    /// Returns how many bytes that are.
    ///
    /// The kernel may have joined packets of one sender into one buffer (GRO), for several legs and the relay
    /// alike: it is split into runs of packets with one token, so that a run is still one send (GSO).
    pub(super) fn route(
        &self,
        legs: &Legs,
        now: Instant,
        meta: &RecvMeta,
        buffer: &mut [u8],
        max_segments: usize,
        mut send: impl FnMut(&Transmit<'_>) -> io::Result<()>,
    ) -> usize {
        let len = meta.len.min(buffer.len());
        let stride = meta.stride.max(1);
        let (mut at, mut kept) = (0, 0);
        while at < len {
            let end = run_end(buffer, at, len, stride);
            let Some(run) = buffer.get(at..end) else {
                break;
            };
            match self.way(legs, now, meta, run, stride) {
                Way::On(leg) => self.send_on(leg, meta, run, stride, max_segments, &mut send),
                Way::Own => {
                    buffer.copy_within(at..end, kept);
                    kept = kept.saturating_add(end.saturating_sub(at));
                }
                Way::Nowhere => {}
            }
            at = end;
        }
        kept
    }

    fn way<'a>(
        &self,
        legs: &'a Legs,
        now: Instant,
        meta: &RecvMeta,
        run: &[u8],
        stride: usize,
    ) -> Way<'a> {
        let packets = packets_in(run, stride);
        let long = run.first().is_some_and(|first| first & LONG_HEADER != 0);
        let token = cid::destination(run);
        let known = token
            .filter(|token| *token != self.own)
            .and_then(|token| legs.by_token.get(&token));
        let Some(leg) = known else {
            let ours = token == Some(self.own);
            if !ours && !long {
                // Without a connection of ours there is nothing to answer, not even a reset.
                self.counters.unknown.fetch_add(packets, Relaxed);
                return Way::Nowhere;
            }
            self.counters.own.fetch_add(packets, Relaxed);
            return Way::Own;
        };
        let Some(Peer { at, lane, .. }) = leg
            .peer
            .as_ref()
            .filter(|peer| peer.at.address == meta.addr)
        else {
            self.counters.denied.fetch_add(packets, Relaxed);
            return Way::Nowhere;
        };
        let bytes = u64::try_from(run.len()).unwrap_or(u64::MAX);
        at.earn(bytes);
        if !leg.at.spend(bytes) {
            self.counters.unproven.fetch_add(packets, Relaxed);
            return Way::Nowhere;
        }
        if !lane.take(now, bytes) {
            self.counters.over_rate.fetch_add(packets, Relaxed);
            return Way::Nowhere;
        }
        self.counters.forwarded.fetch_add(packets, Relaxed);
        self.counters.forwarded_bytes.fetch_add(bytes, Relaxed);
        Way::On(leg)
    }

    /// Sends a run in pieces that the kernel takes: it may receive joined (GRO) and yet not send joined (GSO).
    fn send_on(
        &self,
        leg: &Leg,
        meta: &RecvMeta,
        run: &[u8],
        stride: usize,
        max_segments: usize,
        send: &mut impl FnMut(&Transmit<'_>) -> io::Result<()>,
    ) {
        for piece in run.chunks(stride.saturating_mul(max_segments.max(1))) {
            let transmit = Transmit {
                destination: leg.at.address,
                ecn: meta.ecn,
                contents: piece,
                segment_size: (piece.len() > stride).then_some(stride),
                src_ip: leg.at.local,
            };
            if send(&transmit).is_err() {
                self.note_full(packets_in(piece, stride));
            }
        }
    }

    /// Who is at `address`.
    pub(super) fn sender(&self, legs: &Legs, address: SocketAddr) -> Sender {
        if legs.addresses.contains_key(&address) {
            Sender::Leg
        } else {
            Sender::Stranger
        }
    }

    /// A full socket loses packets, as a full router does: the ends slow down.
    pub(super) fn note_full(&self, packets: u64) {
        self.counters.full.fetch_add(packets, Relaxed);
    }
}

/// End of the run of packets for one token that begins at `at`.
fn run_end(buffer: &[u8], at: usize, len: usize, stride: usize) -> usize {
    let token = token_at(buffer, at, len);
    let mut end = at.saturating_add(stride).min(len);
    while end < len
        && token_at(buffer, end, len) == token
        && is_long(buffer, end) == is_long(buffer, at)
    {
        end = end.saturating_add(stride).min(len);
    }
    end
}

fn token_at(buffer: &[u8], at: usize, len: usize) -> Option<LegToken> {
    cid::destination(buffer.get(at..len)?)
}

fn is_long(buffer: &[u8], at: usize) -> bool {
    buffer.get(at).is_some_and(|first| first & LONG_HEADER != 0)
}

pub(super) fn packets_in(bytes: &[u8], stride: usize) -> u64 {
    u64::try_from(packets_in_len(bytes.len(), stride)).unwrap_or(u64::MAX)
}

pub(super) fn packets_in_len(len: usize, stride: usize) -> usize {
    len.div_ceil(stride.max(1))
}
