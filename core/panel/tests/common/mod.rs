//! Both sides of a picture stream, and pictures to send.
#![allow(dead_code, reason = "not every test needs all of it")]

use alongside_panel::{
    Applied, Decoder, Encoder, Entropy, Frame, Profile, Step, What, message::MAX_MESSAGE,
};
use alongside_protocol::{PanelSize, frame::HEADER_LEN, units::Millis};

/// A profile of little memory that keeps no tiles: every change is sent by its pixels, through E0.
pub(crate) fn profile() -> Profile {
    let profile = Profile::new(Entropy::Zstd).with_window_log(20).unwrap();
    profile.with_cache_log(0).unwrap()
}

/// One profile for each way through the codec, with a tile cache that soon is full.
pub(crate) fn profiles() -> [Profile; 4] {
    let [zstd, model] = [Entropy::Zstd, Entropy::Model].map(Profile::new);
    let cached = |profile: Profile| profile.with_cache_log(Profile::MIN_CACHE_LOG).unwrap();
    [
        profile(),
        cached(zstd.with_window_log(Profile::MIN_WINDOW_LOG).unwrap()),
        cached(model.with_table_log(Profile::MIN_TABLE_LOG).unwrap()),
        model.with_table_log(14).unwrap().with_cache_log(0).unwrap(),
    ]
}

pub(crate) fn size(width: u16, height: u16) -> PanelSize {
    PanelSize::new(width, height).unwrap()
}

/// Splits a whole frame into type and body, as a receiver gets them.
pub(crate) fn parts(frame: &[u8]) -> (u8, &[u8]) {
    (frame[3], &frame[HEADER_LEN..])
}

/// Both sides, and the way between them.
pub(crate) struct Pair {
    pub(crate) encoder: Encoder,
    pub(crate) decoder: Decoder,
    pub(crate) now: u64,
}

impl Pair {
    pub(crate) fn new(size: PanelSize) -> Self {
        Self::with(size, profile())
    }

    pub(crate) fn with(size: PanelSize, profile: Profile) -> Self {
        Self {
            encoder: Encoder::new(size, 7, profile),
            decoder: Decoder::new(profile),
            now: 1_000_000,
        }
    }

    pub(crate) fn step(&mut self, frame: &Frame) -> Option<Step> {
        self.now += 33;
        self.encoder.step(frame, Millis::new(self.now))
    }

    /// Hands the step to the operator, and the reply back to the device.
    pub(crate) fn deliver(&mut self, step: &Step) -> Applied {
        assert!(
            step.frame.len() <= MAX_MESSAGE && step.tiles <= 96,
            "{} bytes, {} tiles",
            step.frame.len(),
            step.tiles
        );
        let (kind, body) = parts(&step.frame);
        let applied = self.decoder.apply(kind, body).unwrap();
        if let Some(reply) = &applied.reply {
            let (kind, body) = parts(reply);
            self.encoder.handle(kind, body).unwrap();
        }
        applied
    }

    /// Steps until the operator shows `frame`; returns the steps.
    pub(crate) fn settle(&mut self, frame: &Frame) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        while let Some(step) = self.step(frame) {
            let applied = self.deliver(&step);
            assert!(
                applied.what == What::Opened || applied.exact == step.exact,
                "{applied:?}"
            );
            steps.push(step);
            assert!(steps.len() < 10_000, "never settles");
        }
        assert!(steps.last().is_none_or(|step| step.exact));
        assert!(self.decoder.picture() == Some(frame), "the pictures differ");
        assert_eq!(self.encoder.in_flight(), 0);
        steps
    }
}

/// A small xorshift, so that every run sees the same pixels.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32
    }

    /// Pixels of `colours` colours, in no order.
    pub(crate) fn noise(&mut self, size: PanelSize, colours: u32) -> Frame {
        let pixels = (0..size.pixels()).map(|_| (self.next() % colours).wrapping_mul(0x9e37_79b1));
        Frame::new(size, pixels.collect()).unwrap()
    }
}

/// A picture of one colour.
pub(crate) fn plain(size: PanelSize, colour: u32) -> Frame {
    Frame::new(size, vec![colour; size.pixels()]).unwrap()
}
