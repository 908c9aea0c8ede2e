//! What fuzzers of the relay start from.
#![allow(missing_docs, reason = "tests")]

#[path = "../../core/fuzz/in_corpus.rs"]
mod in_corpus;

use alongside_protocol::{LegToken, PublicKey, cid, fuzzing::mutations};
use alongside_relay::{fuzzing, operators};

const ROUNDS: usize = 10_000;

/// Received buffers behind the size of their packets: to the relay, to a paired leg, to nobody, and a mixture.
fn buffers() -> Vec<Vec<u8>> {
    let packet = |token: &[u8; 8]| {
        [
            &[0x41][..],
            &cid::with_token(LegToken(*token), [7; 4]),
            &[0x55; 27],
        ]
        .concat()
    };
    let long = |token: &[u8; 8]| {
        [
            &[0xc1, 0, 0, 0, 1, 16][..],
            &cid::with_token(LegToken(*token), [7; 8]),
            &[0x55; 18],
        ]
        .concat()
    };
    let (own, a, b, nobody) = (b"relay-me", &[0xa; 8], &[0xb; 8], b"nobody!!");
    let sized = |packets: &[Vec<u8>]| [&[40][..], &packets.concat()].concat();
    vec![
        sized(&[packet(own)]),
        sized(&[packet(a)]),
        sized(&[long(b)]),
        sized(&[packet(nobody)]),
        sized(&[
            packet(a),
            packet(a),
            packet(b),
            packet(own),
            long(b),
            packet(a)[..20].to_vec(),
        ]),
    ]
}

fn files() -> Vec<String> {
    let key = PublicKey([1; 32]);
    let one = format!("[operators.{key}]\nname = \"Ana\"\norganisation = \"Support\"\ncodes = 3\n");
    vec![
        operators::TEMPLATE.to_owned(),
        "allow = \"any\"\n".to_owned(),
        one,
    ]
}

#[test]
fn damaged_buffers_never_make_more_bytes_than_came_in() {
    mutations(&buffers(), ROUNDS, fuzzing::route);
}

#[test]
fn damaged_files_of_operators_are_read_or_refused() {
    mutations(&files(), ROUNDS, fuzzing::operators);
}

#[test]
fn fuzzers_start_from_the_same_bytes() {
    in_corpus::in_corpus("relay_route", &buffers());
    in_corpus::in_corpus("relay_operators", &files());
}
