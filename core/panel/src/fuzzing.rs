//! What fuzzers run: every decoder of this crate as a plain function that panics only where a promise is broken.
//!
//! The same functions serve coverage-guided fuzzing and the seeded mutations of ordinary tests.

mod worn;

use alongside_protocol::{
    PanelSize,
    frame::{Channel, Frame as Message, FrameReader, HEADER_LEN},
    units::Millis,
};

use crate::{
    Decoder, Encoder, Frame, Profile,
    message::{ToDevice, ToOperator},
    stage::{MAX_TILES, Unpacker, unpack_payload},
    tiles::TileGrid,
};

pub use worn::{WornDecoder, WornEncoder, WornModel};

/// Most pixels that [`decode`] makes room for, so that a fuzzer's time goes into decoding.
const MAX_PIXELS: usize = 128 * 128;

/// A stream of frames from a device, given to a decoder until one is refused.
pub fn decode(data: &[u8]) {
    let mut decoder = Decoder::new(Profile::default()).with_max_pixels(MAX_PIXELS);
    for Message { kind, body } in messages(data) {
        if let Ok(message) = ToOperator::from_frame(kind, &body) {
            assert_eq!(
                message.to_frame().get(HEADER_LEN..),
                Some(&*body),
                "one value, one encoding"
            );
        }
        let Ok(applied) = decoder.apply(kind, &body) else {
            return;
        };
        let picture = decoder.picture().map(Frame::size);
        let within = |size: PanelSize| {
            size.pixels() <= MAX_PIXELS
                && applied.damage.iter().all(|rect| {
                    rect.x
                        .checked_add(rect.width)
                        .is_some_and(|right| right <= size.width())
                        && rect
                            .y
                            .checked_add(rect.height)
                            .is_some_and(|bottom| bottom <= size.height())
                })
        };
        assert!(picture.is_some_and(within), "damage outside the picture");
        if let Some(reply) = applied.reply {
            let (header, body) = reply.split_at(HEADER_LEN);
            assert!(
                header
                    .last()
                    .is_some_and(|kind| ToDevice::from_frame(*kind, body).is_ok()),
                "a reply that is none"
            );
        }
    }
}

/// The payload of an UPDATE behind its compression: the first byte says how many tiles, the rest is theirs.
///
/// Mutations of compressed bytes seldom get this far.
pub fn tiles(data: &[u8]) {
    let Some(((count, payload), size)) = data.split_first().zip(PanelSize::new(100, 75)) else {
        return;
    };
    let mut shown = Frame::black(size);
    if let Some(drawn) = unpack_payload(payload, usize::from(*count), &mut shown) {
        assert_eq!(drawn.len(), usize::from(*count));
        assert!(drawn.is_sorted_by(|a, b| a < b), "a tile drawn twice");
    }
    assert!(
        shown.pixels().iter().all(|pixel| pixel >> 24 == 0),
        "more than 24 bits in a pixel"
    );
}

/// The tiles of UPDATEs in entropy stage E1, one after the other: each a length in two bytes, and so many bytes. Whatever they
/// hold, some pixels come of it, or it is refused.
pub fn model(data: &[u8]) {
    let Some(size) = PanelSize::new(100, 75) else {
        return;
    };
    let mut shown = Frame::black(size);
    let small = Profile::SMALL;
    let Ok(mut unpacker) = Unpacker::new(small) else {
        return;
    };
    let count = TileGrid::new(size).count();
    let mut data = data;
    while let Some((head, rest)) = data.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*head)).min(rest.len());
        let (body, rest) = rest.split_at(length);
        data = rest;
        let Ok(drawn) = unpacker.unpack(&mut shown, body) else {
            return;
        };
        assert!(drawn.whole <= drawn.tiles.len() && drawn.tiles.len() <= MAX_TILES);
        assert!(drawn.tiles.is_sorted_by(|a, b| a < b), "a tile drawn twice");
        assert!(drawn.tiles.iter().all(|tile| *tile < count));
        assert!(
            shown.pixels().iter().all(|pixel| pixel >> 24 == 0),
            "more than 24 bits in a pixel"
        );
    }
}

/// A stream of frames from an operator, given to an encoder that has sent a few messages.
pub fn handle(data: &[u8]) {
    let Some(size) = PanelSize::new(64, 64) else {
        return;
    };
    let mut encoder = Encoder::new(size, 1, Profile::SMALL);
    let frame = Frame::black(size);
    for Message { kind, body } in messages(data) {
        if let Ok(message) = ToDevice::from_frame(kind, &body) {
            assert_eq!(
                message.to_frame().get(HEADER_LEN..),
                Some(&*body),
                "one value, one encoding"
            );
        }
        let before = encoder.in_flight();
        if encoder.handle(kind, &body).is_err() {
            return;
        }
        assert!(
            encoder.in_flight() <= before,
            "an acknowledgement of nothing"
        );
        // At most an OPEN, as the picture is black.
        let _ = encoder.step(&frame, Millis::default());
    }
}

fn messages(data: &[u8]) -> Vec<Message> {
    let mut reader = FrameReader::for_channel(Channel::Panel);
    reader.push(data);
    std::iter::from_fn(|| reader.next_frame().ok().flatten()).collect()
}
