//! The decoder against another one, written from the description of the format.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]
#![allow(
    clippy::map_entry,
    clippy::precedence,
    clippy::type_complexity,
    clippy::too_many_arguments,
    clippy::needless_range_loop,
    reason = "the reference reads as the description does"
)]

mod common;
mod reference;

use alongside_panel::{Decoder, Encoder, Entropy, Frame, Profile, Terms, What};
use alongside_protocol::{
    frame::{Channel, Frame as Message, FrameReader},
    units::Millis,
};
use common::{Seeded, plain, profiles, size};
use reference::{Done, Picture, Reference};

/// Rounds of damage for each stream.
const ROUNDS: u64 = 40;

fn numbers(profile: Profile) -> [u8; 4] {
    [
        u8::from(profile.entropy() == Entropy::Model),
        profile.window_log(),
        profile.table_log(),
        profile.cache_log(),
    ]
}

/// Everything that an encoder does, over pictures of a few tiles.
fn stream(profile: Profile, seed: u64, (width, height): (u16, u16)) -> Vec<u8> {
    let size = size(width, height);
    let mut seeded = Seeded(seed);
    let mut encoder = Encoder::new(size, seed, profile);
    let mut pictures = vec![plain(size, 0x0012_3456)];
    for n in 0..10 {
        let last = pictures.last().unwrap().clone();
        pictures.push(match seeded.next() % 6 {
            0 => seeded.noise(size, 2),
            1 => seeded.noise(size, 40),
            2 => seeded.noise(size, u32::MAX),
            3 => {
                let mut moved = last;
                moved
                    .pixels_mut()
                    .rotate_left(usize::from(width) * (3 + n as usize));
                moved
            }
            4 => pictures[seeded.next() as usize % pictures.len()].clone(),
            _ => {
                let gradient = (0..size.pixels() as u32).map(|at| {
                    let (x, y) = (at % u32::from(width), at / u32::from(width));
                    (x * 2 + n) << 16 | (y + (x + y) % 2) << 8 | x * y / 40 % 256
                });
                Frame::new(size, gradient.collect()).unwrap()
            }
        });
    }
    let mut stream = Vec::new();
    for (n, picture) in pictures.iter().enumerate() {
        let softly = seeded.next().is_multiple_of(3);
        let terms = Terms {
            dear: if softly { 0 } else { usize::MAX },
            cheap: if softly { 0 } else { usize::MAX },
            coarseness: 1 + (seeded.next() % 255) as u8,
            enough: 200 + (seeded.next() % 4_000) as usize,
            ..Terms::default()
        };
        // Now and then the next picture comes before all of this one is told.
        let mut steps = seeded.next() % 40;
        let at = Millis::new(2_500 * n as u64);
        while steps > 0
            && let Some(step) = encoder.step_within(picture, at, &terms)
        {
            stream.extend(step.frame);
            steps -= 1;
        }
    }
    stream
}

fn messages(stream: &[u8]) -> Vec<Message> {
    let mut reader = FrameReader::for_channel(Channel::Panel);
    reader.push(stream);
    std::iter::from_fn(|| reader.next_frame().ok().flatten()).collect()
}

/// Gives the messages to both until one is refused; gives how many were taken.
fn compare(profile: Profile, messages: &[Message]) -> usize {
    let mut decoder = Decoder::new(profile);
    let mut reference = Reference::new(numbers(profile));
    for (n, Message { kind, body }) in messages.iter().enumerate() {
        let (ours, theirs) = (decoder.apply(*kind, body), reference.apply(*kind, body));
        let Ok(applied) = ours else {
            assert_eq!(theirs, None, "message {n}: {ours:?}");
            return n;
        };
        let is_same = match (&applied.what, &theirs) {
            (What::Opened, Some(Done::Opened))
            | (What::Confirmed, Some(Done::Confirmed))
            | (What::GivenUp, Some(Done::GivenUp))
            | (What::Skipped, Some(Done::Skipped))
            | (What::Timed(_), Some(Done::Timed)) => true,
            (What::Updated, Some(Done::Updated { state })) => {
                (applied.exact, applied.visible) == (*state == 3, *state > 0)
            }
            _ => false,
        };
        assert!(is_same, "message {n}: {applied:?} and {theirs:?}");
        let shown = decoder.picture().map(|frame| Picture {
            width: frame.size().width().into(),
            height: frame.size().height().into(),
            pixels: frame.pixels().to_vec(),
        });
        assert!(
            shown.as_ref() == reference.picture(),
            "pictures after message {n}"
        );
    }
    messages.len()
}

#[test]
fn another_decoder_shows_the_same() {
    for profile in profiles() {
        for (seed, size) in [
            (1, (100, 75)),
            (2, (112, 64)),
            (3, (33, 17)),
            (4, (16, 300)),
        ] {
            let messages = messages(&stream(profile, seed, size));
            assert!(messages.len() > 5);
            assert_eq!(compare(profile, &messages), messages.len());
        }
    }
}

#[test]
fn another_decoder_refuses_the_same() {
    let mut seeded = Seeded(99);
    let (mut taken, mut refused) = (0, 0);
    for profile in profiles() {
        for seed in [5, 6] {
            let whole = messages(&stream(profile, seed, (60, 40)));
            for _ in 0..ROUNDS {
                let mut damaged = whole.clone();
                for _ in 0..1 + seeded.next() % 3 {
                    let at = seeded.next() as usize % damaged.len();
                    let mut body = damaged[at].body.to_vec();
                    if !body.is_empty() {
                        let byte = seeded.next() as usize % body.len();
                        match seeded.next() % 4 {
                            0 => body.truncate(byte),
                            1 => body.insert(byte, seeded.next() as u8),
                            _ => body[byte] ^= 1 << (seeded.next() % 8),
                        }
                    }
                    damaged[at].body = body.into();
                }
                if compare(profile, &damaged) == damaged.len() {
                    taken += 1;
                } else {
                    refused += 1;
                }
            }
        }
    }
    assert!(
        taken > 0 && refused > 100,
        "{taken} taken, {refused} refused"
    );
}
