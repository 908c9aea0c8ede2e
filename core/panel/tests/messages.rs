//! The bytes of every message of the panel channel.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use alongside_panel::{
    Decoder, Encoder, Entropy, Frame, Profile, Terms, What,
    message::{Check, MAX_MESSAGE, Open, Reset, State, Timing, ToDevice, ToOperator, Update, Want},
};
use alongside_protocol::{
    frame::{Channel, FrameReader},
    units::{Millis, PanelRect},
    wire::DecodeError,
};
use common::{parts, profile, size};

fn open() -> ToOperator<'static> {
    ToOperator::Open(Open {
        seq: 300,
        epoch: 0x0102_0304_0506_0708,
        captured_at: Millis::new(1_700_000_000_000),
        size: size(1024, 600),
        profile: profile(),
    })
}

fn update(state: State) -> ToOperator<'static> {
    ToOperator::Update(Update {
        seq: 301,
        elapsed: -33,
        state,
        front: if state == State::Visible {
            b"front"
        } else {
            b""
        },
        tiles: b"tiles",
    })
}

fn check() -> ToOperator<'static> {
    ToOperator::Check(Check {
        seq: 1,
        hash: 0xa1a2_a3a4_a5a6_a7a8,
    })
}

fn timing() -> ToOperator<'static> {
    ToOperator::Timing(Timing {
        capture: 12,
        encode: 300,
    })
}

fn want() -> ToDevice {
    ToDevice::Want(Want {
        exactly: PanelRect {
            x: 1,
            y: 0x0203,
            width: 4,
            height: 5,
        },
    })
}

fn reset() -> ToDevice {
    ToDevice::Reset(Reset {
        seq: 300,
        accepts: profile(),
    })
}

#[test]
fn every_message_has_its_bytes() {
    let golden: [(Vec<u8>, &[u8]); 9] = [
        (
            open().to_frame(),
            b"\x00\x00\x19\x30\x03\xac\x02\x01\x02\x03\x04\x05\x06\x07\x08\x80\xd0\x95\xff\xbc\x31\x04\x00\x02\x58\x00\x14\x10\x00",
        ),
        (update(State::Partial).to_frame(), b"\x00\x00\x09\x31\xad\x02\x41\x00tiles"),
        (update(State::Visible).to_frame(), b"\x00\x00\x0f\x31\xad\x02\x41\x05\x05fronttiles"),
        (update(State::Exact).to_frame(), b"\x00\x00\x09\x31\xad\x02\x41\x03tiles"),
        (check().to_frame(), b"\x00\x00\x09\x32\x01\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8"),
        (timing().to_frame(), b"\x00\x00\x03\x33\x0c\xac\x02"),
        (want().to_frame(), b"\x00\x00\x08\x3a\x00\x01\x02\x03\x00\x04\x00\x05"),
        (ToDevice::Ack { seq: 300 }.to_frame(), b"\x00\x00\x02\x38\xac\x02"),
        (reset().to_frame(), b"\x00\x00\x06\x39\xac\x02\x00\x14\x10\x00"),
    ];
    for (encoded, bytes) in golden {
        assert_eq!(encoded, bytes);
    }
}

#[test]
fn every_message_comes_back() {
    for message in [
        open(),
        update(State::Partial),
        update(State::Visible),
        update(State::Exact),
        check(),
        timing(),
    ] {
        let frame = message.to_frame();
        let (kind, body) = parts(&frame);
        assert_eq!(ToOperator::from_frame(kind, body), Ok(message));
        assert!(ToOperator::KINDS.contains(&kind));
        assert_eq!(
            ToDevice::from_frame(kind, body),
            Err(DecodeError::UnknownType(kind))
        );
    }
    for message in [ToDevice::Ack { seq: u64::MAX }, reset(), want()] {
        let frame = message.to_frame();
        let (kind, body) = parts(&frame);
        assert_eq!(ToDevice::from_frame(kind, body), Ok(message));
        assert!(ToDevice::KINDS.contains(&kind));
        assert_eq!(
            ToOperator::from_frame(kind, body),
            Err(DecodeError::UnknownType(kind))
        );
    }
}

#[test]
fn a_message_cut_off_anywhere_or_with_more_behind_it_is_malformed() {
    let to_operator = |kind, body: &[u8]| ToOperator::from_frame(kind, body).map(drop);
    let to_device = |kind, body: &[u8]| ToDevice::from_frame(kind, body).map(drop);
    let tiles = b"tiles".len(); // an UPDATE's tiles may have any length; they are cut off below
    for (frame, decode, least) in [
        (
            open().to_frame(),
            to_operator as fn(u8, &[u8]) -> Result<(), DecodeError>,
            0,
        ),
        (update(State::Exact).to_frame(), to_operator, tiles),
        (check().to_frame(), to_operator, 0),
        (timing().to_frame(), to_operator, 0),
        (want().to_frame(), to_device, 0),
        (ToDevice::Ack { seq: 300 }.to_frame(), to_device, 0),
        (reset().to_frame(), to_device, 0),
    ] {
        let (kind, body) = parts(&frame);
        for length in 0..body.len() - least {
            assert_eq!(
                decode(kind, &body[..length]),
                Err(DecodeError::Malformed { kind }),
                "{kind:#x} at {length}"
            );
        }
        if least == 0 {
            let more = [body, &[0]].concat();
            assert_eq!(
                decode(kind, &more),
                Err(DecodeError::Malformed { kind }),
                "{kind:#x}"
            );
        }
    }
}

#[test]
fn debug_shows_no_pixel() {
    let shown = format!("{:?}", update(State::Exact));
    assert!(
        shown.contains("tiles: 5 bytes") && !shown.contains("116"),
        "{shown}"
    );
}

#[test]
fn values_out_of_bounds_are_malformed() {
    let opened = open().to_frame();
    let (_, body) = parts(&opened);
    let last = body.len() - 1;
    // Version, width, height, entropy stage, window, tables, cache.
    for (at, byte) in [
        (0, 2),
        (0, 4),
        (17, 0x20),
        (19, 0x20),
        (last - 3, 2),
        (last - 2, 16),
        (last - 2, 24),
        (last - 1, 12),
        (last - 1, 17),
        (last, 7),
        (last, 16),
        (last, 255),
    ] {
        let mut body = body.to_vec();
        body[at] = byte;
        assert!(
            ToOperator::from_frame(0x30, &body).is_err(),
            "{byte} at {at}"
        );
    }
    assert!(
        ToDevice::from_frame(0x3a, &[0, 0, 0, 0, 0, 0, 0, 1]).is_err(),
        "no width"
    );
    assert!(ToOperator::from_frame(0x33, &[0x80, 0x80, 0x80, 0x80, 0x10, 0]).is_err());
    for state in [2, 6, 8, 255] {
        assert!(ToOperator::from_frame(0x31, &[1, 0, state, 1, 9]).is_err());
    }
    for front in [&[][..], &[0, 9], &[2, 9], &[0x81, 0, 9]] {
        let body = [&[1, 0, 4], front].concat();
        assert!(ToOperator::from_frame(0x31, &body).is_err(), "{front:?}");
    }
    let long = vec![0; MAX_MESSAGE];
    assert_eq!(
        ToOperator::from_frame(0x31, &long),
        Err(DecodeError::TooLong {
            got: MAX_MESSAGE,
            max: MAX_MESSAGE - 4
        })
    );
}

/// What version 3 sent; later decoders must show the same.
#[test]
fn recorded_streams_still_decode() {
    for (entropy, stream) in [
        (
            Entropy::Zstd,
            include_bytes!("golden/version-3-e0.bin").as_slice(),
        ),
        (Entropy::Model, include_bytes!("golden/version-3-e1.bin")),
    ] {
        let mut decoder = Decoder::new(Profile::default());
        let mut reader = FrameReader::for_channel(Channel::Panel);
        reader.push(stream);
        let mut apply = |decoder: &mut Decoder| {
            let frame = reader.next_frame().unwrap()?;
            Some(decoder.apply(frame.kind, &frame.body).unwrap())
        };
        assert_eq!(apply(&mut decoder).unwrap().what, What::Opened);
        for (n, picture) in pictures().iter().enumerate() {
            let mut applied = apply(&mut decoder).unwrap();
            if n == SOFT && entropy == Entropy::Model {
                assert!(!applied.exact && applied.visible && !applied.soft.is_empty());
                applied = apply(&mut decoder).unwrap();
            }
            assert!(applied.exact && applied.soft.is_empty());
            assert!(decoder.picture() == Some(picture), "{entropy:?} {n}");
        }
        assert_eq!(apply(&mut decoder), None);
    }
}

/// E1 has one encoder, so its bytes stay what they are; those of E0 are zstd's, which may change from one version to the next.
#[test]
fn the_model_coder_still_writes_the_same() {
    assert_eq!(
        stream(Entropy::Model),
        include_bytes!("golden/version-3-e1.bin")
    );
}

/// For whoever changes the format on purpose: `cargo test -p alongside-panel -- --ignored bless`.
#[test]
#[ignore = "writes the recorded streams"]
fn bless() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for (entropy, name) in [
        (Entropy::Zstd, "version-3-e0.bin"),
        (Entropy::Model, "version-3-e1.bin"),
    ] {
        std::fs::write(folder.join(name), stream(entropy)).unwrap();
    }
}

fn stream(entropy: Entropy) -> Vec<u8> {
    let small = Profile::SMALL.within(Profile::new(entropy));
    let mut encoder = Encoder::new(size(100, 60), 7, small);
    let mut stream = Vec::new();
    for (n, picture) in pictures().iter().enumerate() {
        let at = Millis::new(n as u64);
        while let Some(step) = if n == SOFT {
            let softly = Terms {
                dear: 0,
                ..Terms::default()
            };
            encoder.step_within(picture, at, &softly)
        } else {
            encoder.step(picture, at)
        } {
            stream.extend(step.frame);
        }
    }
    stream
}

/// The picture that is shown softly before it is exact, where that can be.
const SOFT: usize = 1;

/// Pictures of 100x60 pixels that have every kind of tile in them, one that was shown before, and one that moved.
fn pictures() -> [Frame; 5] {
    let draw = |colour: &dyn Fn(u32, u32) -> u32| {
        let pixels = (0..60).flat_map(|y| (0..100).map(move |x| (x, y)));
        Frame::new(size(100, 60), pixels.map(|(x, y)| colour(x, y)).collect()).unwrap()
    };
    let palettes = |x: u32, y: u32| match (x / 16, y / 16) {
        (0, 0) => (x + y) % 2 * 0x00ff_ffff,
        (1, 0) => (x * y) % 4 * 0x0010_2030,
        (2, 0) => (x ^ y) % 16 * 0x000f_0e0d,
        (0, 1) => 0x0012_3456,
        (1, 1) => x * y,
        _ => (16 + y % 2) << 16 | 0x2000 | ((x + y) % 3 + 1),
    };
    let photo = |x: u32, y: u32| {
        if x < 16 && y < 16 {
            (x * x * 7 + y * y * 13 + x * y) * 0x0001_0305
        } else {
            palettes(x, y)
        }
    };
    let text = |x: u32, y: u32| (x * x * 3 + y * y * 5 + x * y) / 7 % 2 * 0x0080_ff40;
    [
        draw(&palettes),
        draw(&photo),
        draw(&|x, y| photo(x, y) ^ if x < 16 { 0 } else { 0x0001_0101 }),
        draw(&text),
        draw(&|x, y| text(x, y + 5)),
    ]
}
