//! What fuzzers run: everything here that reads bytes from the network, as plain functions that panic only where
//! a promise is broken. Tests run them over seeded mutations.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Instant,
};

use alongside_protocol::{
    LegToken, cid,
    relay::{FromRelay, ToRelay},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    leg::{
        RelayAddress,
        control::{ControlMessage, ControlReader},
        http::Head,
        probe::Probe,
        proxy::Proxy,
        shared_socket::split::split,
        websocket::{Decoder, MAX_PACKET, Message, Side},
    },
    path::{Incoming, Outgoing, PathTable, direct::MAX_CANDIDATES},
};

/// A control stream, as the relay and as a leg reads it.
pub fn control_stream(data: &[u8]) {
    read_all::<ToRelay>(data);
    read_all::<FromRelay>(data);
}

fn read_all<M: ControlMessage>(stream: impl AsyncRead + Unpin) {
    let mut reader = ControlReader::<M, _>::new(stream);
    // A slice never makes its reader wait.
    while let Poll::Ready(Ok(Some(message))) = now(reader.next()) {
        let frame = message.encode();
        let (kind, body) = (frame.get(3), frame.get(4..));
        let again = kind
            .zip(body)
            .map(|(kind, body)| M::decode(*kind, body).is_ok());
        assert_eq!(again, Some(true), "what was read cannot be written");
    }
}

fn now<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// What a probe says, once its seal is broken by who may.
pub fn probe(data: &[u8]) {
    if let Some(Probe::Candidates { list, .. }) = Probe::decode(data) {
        assert!(
            list.len() <= MAX_CANDIDATES,
            "more candidates than are kept"
        );
    }
}

/// A WebSocket's stream, as the relay and as a leg reads it.
pub fn websocket(data: &[u8]) {
    for side in [Side::Client, Side::Server] {
        let mut decoder = Decoder::new(side);
        let mut read = 0;
        for piece in data.chunks(7) {
            decoder.feed(piece);
            while let Ok(Some(message)) = decoder.next_message() {
                if let Message::Packet(packet) = message {
                    assert!(packet.len() <= MAX_PACKET, "a packet that is too long");
                    read += packet.len();
                }
            }
        }
        assert!(read <= data.len(), "bytes invented");
    }
}

/// A certificate, as far as its issuer is shown.
pub fn certificate(data: &[u8]) {
    if let Some(issuer) = crate::leg::tls::issuer(data) {
        assert!(issuer.as_str().len() <= 64, "a name that is too long");
    }
}

/// The answer of a proxy, or of what stands before the relay: a head, and what a 407 asks for.
pub fn proxy_answer(data: &[u8]) {
    let Ok(Some((head, len))) = Head::parse(data) else {
        return;
    };
    assert!(len <= data.len(), "a head longer than what was read");
    let proxy = Proxy::from_argument("proxy.example").expect("a host is a proxy");
    let mut stream = Answering(data);
    let relay = RelayAddress::new("relay.example");
    let asked = now(proxy.ask(&mut stream, &relay));
    let Poll::Ready(asked) = asked else {
        panic!("a slice never makes its reader wait")
    };
    let opens = head
        .status()
        .is_some_and(|status| (200..300).contains(&status.code));
    let is_all = len == data.len();
    if head.status().is_none_or(|status| status.code >= 200) {
        assert_eq!(
            asked.is_ok(),
            opens && is_all,
            "a tunnel that nobody opened"
        );
    }
}

/// Takes whatever is written and answers with a slice.
struct Answering<'a>(&'a [u8]);

impl AsyncRead for Answering<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Answering<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A receive buffer of the leg's socket: `stride u8 | own token [8] | packets`, received at `at`.
pub fn received(data: &[u8], at: Instant) {
    let Some((stride, rest)) = data.split_first() else {
        return;
    };
    let Some((token, packets)) = rest.split_first_chunk::<{ cid::TOKEN_LEN }>() else {
        return;
    };
    let relay = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 443);
    let mut table = PathTable::new(LegToken(*token), relay, at);
    let mut whose = |packet: &[u8]| match table.incoming(at, relay, packet) {
        Incoming::EndToEnd => Some(true),
        Incoming::Control => Some(false),
        Incoming::ProbeAnswer | Incoming::Foreign => None,
    };
    let (mut buffer, stride) = (packets.to_vec(), usize::from(*stride).max(1));
    let mut given = Vec::new();
    let kept = split(
        &mut buffer,
        packets.len(),
        stride,
        &mut whose,
        true,
        |run| given.extend_from_slice(run),
    );
    assert_eq!(kept + given.len(), packets.len(), "bytes lost or invented");
    let ours: Vec<u8> = packets
        .chunks(stride)
        .filter(|packet| whose(packet) == Some(true))
        .flatten()
        .copied()
        .collect();
    assert_eq!(
        buffer.get(..kept),
        Some(&*ours),
        "packets cut, lost or out of order"
    );
    for packet in packets.chunks(stride) {
        assert!(
            !matches!(
                table.outgoing(packet),
                Outgoing::Send(_) | Outgoing::Both(..)
            ),
            "a packet for nobody was sent"
        );
    }
}

#[cfg(test)]
mod tests {
    use alongside_protocol::{
        fuzzing::mutations,
        relay::{Allocate, LegCheck},
    };

    use super::*;

    #[test]
    fn no_mutation_of_a_control_stream_does_harm() {
        let seeds = [
            ToRelay::from(LegCheck { n: 7 }).to_frame(),
            ToRelay::from(Allocate {
                ttl_s: 600,
                ticket: None,
            })
            .to_frame(),
            FromRelay::from(LegCheck { n: 7 }).to_frame(),
        ];
        let all = seeds.concat();
        let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).chain([&*all]).collect();
        mutations(&seeds, 10_000, control_stream);
    }

    #[test]
    fn no_mutation_of_a_receive_buffer_does_harm() {
        let short = [
            b"\x0c",
            b"our own!".as_slice(),
            b"\x41our own!abc",
            b"\x41another!abc",
            b"\x41our own!",
        ]
        .concat();
        let long = [
            b"\x14",
            b"our own!".as_slice(),
            b"\xc3\0\0\0\x01\x10our own!abcdef",
        ]
        .concat();
        let at = tokio::time::Instant::now().into_std();
        mutations(&[&short, &long], 10_000, |data| received(data, at));
    }
}
