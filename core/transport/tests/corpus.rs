//! What fuzzers of the transport start from.
#![allow(missing_docs, reason = "tests")]

#[path = "../../fuzz/in_corpus.rs"]
mod in_corpus;

use alongside_protocol::{
    LegToken,
    cid::with_token,
    relay::{Allocate, Closing, FromRelay, LegCheck, ToRelay},
};
use in_corpus::in_corpus;

#[test]
fn fuzzers_start_from_the_same_bytes() {
    let ttl_s = 600;
    let frames = [
        ToRelay::from(LegCheck { n: 7 }).to_frame(),
        ToRelay::from(Allocate {
            ttl_s,
            ticket: None,
        })
        .to_frame(),
        FromRelay::from(LegCheck { n: 7 }).to_frame(),
        FromRelay::from(Closing {}).to_frame(),
    ];
    in_corpus(
        "transport_control_stream",
        &[&frames[..], &[frames.concat()]].concat(),
    );

    let (own, other) = (LegToken(*b"our own!"), LegToken(*b"another!"));
    let short = |token| [&[0x41][..], &with_token(token, *b"abcd")].concat();
    let long = [&[0xc3, 0, 0, 0, 1, 16][..], &with_token(own, *b"abcdefgh")].concat();
    let received = |packets: &[Vec<u8>]| {
        let stride = u8::try_from(packets[0].len()).expect("short");
        [&[stride][..], &own.0, &packets.concat()].concat()
    };
    let buffers = [
        received(&[
            short(own),
            short(other),
            short(own),
            short(own)[..9].to_vec(),
        ]),
        received(&[long]),
    ];
    in_corpus("transport_received", &buffers);

    let answers = [
        "HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n",
        "HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM, Basic realm=\"Ward \\\"7\\\"\"\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 403 Forbidden\r\n\r\n",
    ];
    in_corpus("transport_proxy_answer", &answers);

    let streams = [
        b"\x82\x05Hello\x89\x01x\x8a\x00\x88\x02\x03\xe8".as_slice(),
        b"\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
        b"\x02\x03Hel\x89\x00\x80\x02lo",
    ];
    in_corpus("transport_websocket", &streams);

    let address = *b"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01\x0f\xa0";
    let probes = [
        b"\x01\0\0\0\x07".to_vec(),
        [b"\x02\0\0\0\x07".as_slice(), &address].concat(),
        [b"\x03\0\0\0\x01".as_slice(), &address, &address].concat(),
    ];
    in_corpus("transport_probe", &probes);
}
