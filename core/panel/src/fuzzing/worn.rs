//! Decoders that go on after what they refused.
//!
//! To make a decoder takes longer than to read a short message. These are made once for many messages, and each
//! finds what those before it left: states that no well-behaved peer brings about, and some that none could.

use std::fmt;

use alongside_protocol::{
    PanelSize,
    frame::{Frame as Message, HEADER_LEN},
    units::Millis,
};

use super::messages;
use crate::{
    Decoder, Encoder, Entropy, Frame, Profile,
    message::{Open, State, ToDevice, ToOperator, Update},
    stage::{MAX_TILES, Unpacker},
    tiles::TileGrid,
};

/// From one step of the encoder to the next, in messages: a step may begin an epoch, which takes long.
const STEP: u32 = 64;

/// Outcomes of an encoder that are told apart.
const MANY: u64 = 200;

/// The tiles of UPDATEs in entropy stage E1, on a picture of 100x75.
pub struct WornModel {
    shown: Frame,
    unpacker: Unpacker,
}

impl WornModel {
    /// One without any wear; `None` without memory.
    pub fn new() -> Option<Self> {
        Some(Self {
            shown: Frame::black(PanelSize::new(100, 75)?),
            unpacker: Unpacker::new(Profile::SMALL).ok()?,
        })
    }

    /// Draws the tiles of one UPDATE. Tells what came of it: 0 if it was refused.
    pub fn run(&mut self, block: &[u8]) -> u64 {
        let drawn = self.unpacker.unpack(&mut self.shown, block);
        assert_colours(&self.shown);
        let Ok(drawn) = drawn else { return 0 };
        let count = TileGrid::new(self.shown.size()).count();
        assert!(drawn.whole <= drawn.tiles.len() && drawn.tiles.len() <= MAX_TILES);
        assert!(drawn.tiles.is_sorted_by(|a, b| a < b), "a tile drawn twice");
        assert!(drawn.tiles.iter().all(|tile| *tile < count));
        let is_cut = drawn.whole < drawn.tiles.len();
        1 + 4 * drawn.tiles.len() as u64 + 2 * u64::from(is_cut) + u64::from(drawn.is_soft)
    }
}

/// The decoder of a picture of 48x40, as it is behind its OPEN.
#[derive(Debug)]
pub struct WornDecoder {
    decoder: Decoder,
    seq: u64,
}

impl WornDecoder {
    /// One without any wear; `None` without memory.
    pub fn new() -> Option<Self> {
        let profile = Profile::SMALL.with_cache_log(Profile::MIN_CACHE_LOG)?;
        debug_assert!(profile.entropy() == Entropy::Model, "the stage that lasts");
        let open = ToOperator::Open(Open {
            seq: 1,
            epoch: 7,
            captured_at: Millis::default(),
            size: PanelSize::new(48, 40)?,
            profile,
        })
        .to_frame();
        let mut decoder = Decoder::new(profile);
        let (header, body) = open.split_at(HEADER_LEN);
        decoder.apply(*header.last()?, body).ok()?;
        Some(Self { decoder, seq: 1 })
    }

    /// What [`run`](Self::run) makes `update` of: its state, the length of the front, the front, the tiles.
    pub fn seed(update: &Update<'_>) -> Vec<u8> {
        let state = match update.state {
            State::Partial => 0,
            State::Visible => 1,
            State::Exact => 2,
        };
        let front = (update.front.len() as u16).to_be_bytes();
        [&[state], front.as_slice(), update.front, update.tiles].concat()
    }

    /// Applies the UPDATE that the bytes make, under the right number. Tells what came of it: 0 if it was refused.
    pub fn run(&mut self, data: &[u8]) -> u64 {
        let Some(([state, high, low], rest)) = data.split_first_chunk() else {
            return 0;
        };
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (front, tiles) = rest.split_at(length);
        let message = ToOperator::Update(Update {
            seq: self.seq + 1,
            elapsed: 1,
            state: match state % 3 {
                0 => State::Partial,
                1 => State::Visible,
                _ => State::Exact,
            },
            front,
            tiles,
        })
        .to_frame();
        let (header, body) = message.split_at(HEADER_LEN);
        let kind = header.last().copied().unwrap_or_default();
        let applied = self.decoder.try_apply(kind, body);
        if let Some(picture) = self.decoder.picture() {
            assert_colours(picture);
        }
        let Ok(applied) = applied else { return 0 };
        assert_eq!(applied.seq, self.seq + 1, "a message applied in part");
        self.seq = applied.seq;
        let parts = 1 + 2 * u64::from(!front.is_empty()) + 4 * u64::from(!tiles.is_empty());
        parts + 8 * (applied.damage.len() + 16 * applied.soft.len()) as u64
    }
}

/// An encoder of a black picture, and what its operator says.
#[derive(Debug)]
pub struct WornEncoder {
    encoder: Encoder,
    frame: Frame,
    heard: u32,
}

impl WornEncoder {
    /// One without any wear; `None` without memory.
    pub fn new() -> Option<Self> {
        let size = PanelSize::new(64, 64)?;
        let frame = Frame::black(size);
        let mut encoder = Encoder::new(size, 1, Profile::SMALL);
        encoder.step(&frame, Millis::default())?;
        Some(Self {
            encoder,
            frame,
            heard: 0,
        })
    }

    /// Takes in a stream of messages. Tells which of them it understood.
    pub fn run(&mut self, data: &[u8]) -> u64 {
        let mut understood = 0_u64;
        for Message { kind, body } in messages(data) {
            if let Ok(message) = ToDevice::from_frame(kind, &body) {
                assert_eq!(
                    message.to_frame().get(HEADER_LEN..),
                    Some(&*body),
                    "one value, one encoding"
                );
            }
            let before = self.encoder.in_flight();
            let is_good = self.encoder.handle(kind, &body).is_ok();
            assert!(
                self.encoder.in_flight() <= before,
                "an acknowledgement of nothing"
            );
            understood = understood.wrapping_mul(3) + u64::from(is_good);
            self.heard += 1;
            if self.heard.is_multiple_of(STEP) {
                // At most an OPEN, as the picture is black.
                let _ = self.encoder.step(&self.frame, Millis::default());
            }
        }
        understood.min(MANY)
    }
}

fn assert_colours(picture: &Frame) {
    assert!(
        picture.pixels().iter().all(|pixel| pixel >> 24 == 0),
        "more than 24 bits in a pixel"
    );
}

impl fmt::Debug for WornModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WornModel").finish_non_exhaustive()
    }
}
