//! What a device may send that means harm.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "../../fuzz/in_corpus.rs"]
mod corpus;

use alongside_panel::{
    Decoder, Encoder, Frame, PanelError, Profile, Terms, fuzzing,
    message::{Open, Reset, State, ToDevice, ToOperator, Update, Want},
};
use alongside_protocol::{
    units::{Millis, PanelRect},
    wire::DecodeError,
};
use common::{Seeded, parts, plain, profile, profiles, size};
use corpus::in_corpus;

const ROUNDS: usize = 10_000;

/// Sessions of a few messages, each as one stream: every profile, new tiles, tiles shown before, moves.
fn streams() -> Vec<Vec<u8>> {
    let mut seeded = Seeded(1);
    let sizes = [(100, 75), (16, 16), (33, 17), (112, 64)];
    let all = profiles()
        .into_iter()
        .flat_map(|profile| sizes.map(|size| (profile, size)));
    all.map(|(profile, (width, height))| {
        let size = size(width, height);
        let mut encoder = Encoder::new(size, 7, profile);
        let first = seeded.noise(size, 9);
        let moved = first.pixels().iter().cycle().skip(5 * usize::from(width));
        let moved = moved.take(size.pixels()).copied().collect();
        let pictures = [
            plain(size, 0x0012_3456),
            seeded.noise(size, 2),
            first.clone(),
            Frame::new(size, moved).unwrap(),
            plain(size, 0x0012_3456),
            first,
        ];
        let mut stream = Vec::new();
        for (n, picture) in pictures.iter().enumerate() {
            let terms = Terms {
                dear: if n == 2 { 0 } else { usize::MAX },
                cheap: if n == 3 { 0 } else { usize::MAX },
                ..Terms::default()
            };
            let at = Millis::new(3_000 * n as u64);
            while let Some(step) = encoder.step_within(picture, at, &terms) {
                stream.extend(step.frame);
            }
        }
        stream
    })
    .collect()
}

/// Payloads with every kind of tile, for a panel of 7 by 5 tiles.
fn payloads() -> Vec<Vec<u8>> {
    let pixels: Vec<u8> = (0..=255).cycle().take(768).collect();
    let tile = |kind: &[u8], rest: &[u8]| [&[1, 1, 0], kind, rest].concat();
    vec![
        tile(&[0], &pixels),
        tile(&[17], &pixels),
        tile(&[18, 1], &[1, 2, 3]),
        tile(&[1], &[1, 2, 3]),
        tile(&[2, 1, 2, 3, 4, 5, 6], &pixels[..32]),
        tile(&[4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], &pixels[..64]),
        [&[1, 1, 0, 16], &pixels[..48], &pixels[..128]].concat(),
        vec![
            4, 3, 0, 0, 4, 1, 1, 2, 3, 18, 1, 9, 9, 9, 18, 0, 1, 6, 1, 1, 1, 1,
        ],
    ]
}

/// The tiles of what E1 sent, each behind its length.
fn blocks() -> Vec<Vec<u8>> {
    let size = size(100, 75);
    let mut seeded = Seeded(5);
    let terms = [usize::MAX, 0].map(|most| Terms {
        dear: most,
        cheap: most,
        ..Terms::default()
    });
    terms
        .iter()
        .map(|terms| {
            let profile = Profile::SMALL.with_cache_log(0).unwrap();
            let mut encoder = Encoder::new(size, 7, profile);
            let mut all = Vec::new();
            for colours in [2, 9, u32::MAX] {
                let picture = seeded.noise(size, colours);
                while let Some(step) = encoder.step_within(&picture, Millis::new(0), terms) {
                    let (kind, body) = parts(&step.frame);
                    if let Ok(ToOperator::Update(update)) = ToOperator::from_frame(kind, body) {
                        all.extend((update.tiles.len() as u16).to_be_bytes());
                        all.extend_from_slice(update.tiles);
                    }
                }
            }
            all
        })
        .collect()
}

fn replies() -> Vec<Vec<u8>> {
    let reset = ToDevice::Reset(Reset {
        seq: 1,
        accepts: profile(),
    });
    let all = [
        ToDevice::Ack { seq: 1 }.to_frame(),
        reset.to_frame(),
        ToDevice::Ack { seq: 2 }.to_frame(),
    ];
    let want = ToDevice::Want(Want {
        exactly: PanelRect {
            x: 16,
            y: 0,
            width: 20,
            height: 30,
        },
    });
    let all = [all.as_slice(), &[want.to_frame()]].concat();
    vec![all.concat(), [reset.to_frame(), all[0].clone()].concat()]
}

#[test]
fn damaged_streams_are_refused_or_drawn_within_bounds() {
    alongside_protocol::fuzzing::mutations(&streams(), ROUNDS, fuzzing::decode);
}

#[test]
fn damaged_tiles_are_refused_or_drawn_within_bounds() {
    alongside_protocol::fuzzing::mutations(&payloads(), ROUNDS, fuzzing::tiles);
}

#[test]
fn damaged_blocks_are_refused_or_drawn_within_bounds() {
    alongside_protocol::fuzzing::mutations(&blocks(), ROUNDS, fuzzing::model);
}

#[test]
fn damaged_replies_are_refused_or_understood() {
    alongside_protocol::fuzzing::mutations(&replies(), ROUNDS, fuzzing::handle);
}

#[test]
fn fuzzers_start_from_the_same_messages() {
    in_corpus("panel_decode", &streams());
    in_corpus("panel_tiles", &payloads());
    in_corpus("panel_model", &blocks());
    in_corpus("panel_handle", &replies());
}

#[test]
fn the_payloads_are_good_before_they_are_damaged() {
    for payload in payloads() {
        let body = [&payload[..1], &compressed(&payload[1..])].concat();
        assert_eq!(apply(&body), Ok(()), "{payload:?}");
    }
}

#[test]
fn an_update_cut_off_anywhere_is_refused() {
    let size = size(100, 75);
    let mut encoder = Encoder::new(size, 7, profile());
    let frame = Seeded(1).noise(size, 9);
    let open = encoder.step(&frame, Millis::new(0)).unwrap();
    let update = encoder.step(&frame, Millis::new(0)).unwrap();
    let (kind, body) = parts(&update.frame);
    for length in 0..body.len() {
        let mut decoder = Decoder::new(profile());
        let (open_kind, open_body) = parts(&open.frame);
        decoder.apply(open_kind, open_body).unwrap();
        let error = decoder.apply(kind, &body[..length]).unwrap_err();
        assert_eq!(
            error,
            PanelError::Decode(DecodeError::Malformed { kind }),
            "{length} bytes"
        );
    }
}

#[test]
fn a_bomb_is_cut_off_at_what_its_tiles_need() {
    // 100 MB of zeroes in a few kilobytes; a stream cut to the cap of a message.
    let mut bomb = compressed(&vec![0; 100_000_000]);
    bomb.truncate(16_000);
    for tiles in [1, 96] {
        let body = [&[tiles], bomb.as_slice()].concat();
        assert!(apply(&body).is_err());
    }
    // Just above the cap for one tile: count, place and 769 bytes.
    let payload = [&[1, 0, 0][..], &[0; 768], &[0; 16]].concat();
    assert!(apply(&[&[1], compressed(&payload).as_slice()].concat()).is_err());
}

#[test]
fn a_flood_of_opens_is_refused_and_those_asked_for_are_not() {
    let size = size(100, 75);
    let open = |seq, profile| {
        let open = ToOperator::Open(Open {
            seq,
            epoch: seq,
            captured_at: Millis::new(0),
            size,
            profile,
        });
        open.to_frame()
    };
    let mut decoder = Decoder::new(profile());
    let apply = |decoder: &mut Decoder, frame: &[u8]| {
        let (kind, body) = parts(frame);
        decoder.apply(kind, body).map(drop)
    };
    let refused = (1..100)
        .map(|seq| apply(&mut decoder, &open(seq, profile())))
        .position(|applied| applied == Err(PanelError::TooOften));
    assert_eq!(refused, Some(16));
    let mut decoder = Decoder::new(profile());
    apply(&mut decoder, &open(1, Profile::default())).unwrap();
    for seq in 2..100 {
        // Each asks for more than is accepted, and is answered with a RESET.
        assert_eq!(apply(&mut decoder, &open(seq, Profile::default())), Ok(()));
    }
}

#[test]
fn a_window_beyond_the_profile_gets_no_memory() {
    let mut stream = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    stream.window_log(24).unwrap();
    let payload = payload_of_one_tile();
    std::io::Write::write_all(&mut stream, &payload).unwrap();
    std::io::Write::flush(&mut stream).unwrap();
    assert!(apply(&[&[1], stream.get_ref().as_slice()].concat()).is_err());
}

#[test]
fn the_end_of_the_zstd_frame_is_refused() {
    let whole = zstd::encode_all(payload_of_one_tile().as_slice(), 3).unwrap();
    assert!(apply(&[&[1], whole.as_slice()].concat()).is_err());
}

#[test]
fn the_number_of_tiles_must_be_right() {
    let payload = compressed(&payload_of_one_tile());
    for (count, is_good) in [
        (0, false),
        (1, true),
        (2, false),
        (96, false),
        (97, false),
        (255, false),
    ] {
        assert_eq!(
            apply(&[&[count], payload.as_slice()].concat()).is_ok(),
            is_good,
            "{count}"
        );
    }
    for payload in [
        &[1, 35, 1, 0, 0, 0][..],
        &[
            1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1, 0, 0, 0,
        ],
    ] {
        assert!(
            apply(&[&[1], compressed(payload).as_slice()].concat()).is_err(),
            "beyond the last tile"
        );
    }
}

fn payload_of_one_tile() -> Vec<u8> {
    vec![1, 0, 1, 0x12, 0x34, 0x56]
}

/// A stream that goes on after `payload`.
fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut stream = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    stream.window_log(18).unwrap();
    std::io::Write::write_all(&mut stream, payload).unwrap();
    std::io::Write::flush(&mut stream).unwrap();
    stream.get_ref().clone()
}

/// Gives `tiles` as the first UPDATE to a decoder of a black picture of 100x75.
fn apply(tiles: &[u8]) -> Result<(), PanelError> {
    let size = size(100, 75);
    let open = Encoder::new(size, 7, profile())
        .step(&Frame::black(size), Millis::new(0))
        .unwrap();
    let mut decoder = Decoder::new(profile());
    let (kind, body) = parts(&open.frame);
    decoder.apply(kind, body).unwrap();
    let update = ToOperator::Update(Update {
        seq: 2,
        elapsed: 0,
        state: State::Exact,
        front: &[],
        tiles,
    })
    .to_frame();
    let (kind, body) = parts(&update);
    decoder.apply(kind, body).map(drop)
}
