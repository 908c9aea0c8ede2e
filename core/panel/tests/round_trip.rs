//! Pictures arrive as they were captured.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use alongside_panel::{
    Applied, Decoder, Encoder, Frame, Profile, Step, What, message::MAX_MESSAGE,
};
use alongside_protocol::{PanelSize, frame::HEADER_LEN, units::Millis};

const PROFILE: Profile = match Profile::new(alongside_panel::Entropy::Zstd, 20) {
    Some(profile) => profile,
    None => panic!(),
};

/// Both sides, and the way between them.
struct Pair {
    encoder: Encoder,
    decoder: Decoder,
    now: u64,
}

impl Pair {
    fn new(size: PanelSize) -> Self {
        Self {
            encoder: Encoder::new(size, 7, PROFILE),
            decoder: Decoder::new(PROFILE),
            now: 1_000_000,
        }
    }

    fn step(&mut self, frame: &Frame) -> Option<Step> {
        self.now += 33;
        self.encoder.step(frame, Millis::new(self.now))
    }

    fn deliver(&mut self, step: &Step) -> Applied {
        assert!(
            step.frame.len() <= MAX_MESSAGE && step.tiles <= 96,
            "{} bytes, {} tiles",
            step.frame.len(),
            step.tiles
        );
        let applied = self
            .decoder
            .apply(step.frame[3], &step.frame[HEADER_LEN..])
            .unwrap();
        if let Some(reply) = &applied.reply {
            self.encoder.handle(reply[3], &reply[HEADER_LEN..]).unwrap();
        }
        applied
    }

    /// Steps until the operator shows `frame`; returns the number of steps.
    fn settle(&mut self, frame: &Frame) -> usize {
        let mut steps = 0;
        let mut exact = false;
        while let Some(step) = self.step(frame) {
            let applied = self.deliver(&step);
            assert_eq!(
                applied.exact,
                step.exact && applied.what != What::Opened,
                "{applied:?}"
            );
            exact = step.exact;
            steps += 1;
            assert!(steps < 10_000, "never settles");
        }
        assert!(exact || steps == 0);
        assert!(
            self.decoder.picture().unwrap() == frame,
            "the pictures differ"
        );
        assert_eq!(self.encoder.in_flight(), 0);
        steps
    }
}

fn size(width: u16, height: u16) -> PanelSize {
    PanelSize::new(width, height).unwrap()
}

/// A small xorshift, so that every run sees the same pixels.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32
    }

    fn noise(&mut self, size: PanelSize, colours: u32) -> Frame {
        Frame::new(
            size,
            (0..size.pixels())
                .map(|_| (self.next() % colours).wrapping_mul(0x9e37_79b1))
                .collect(),
        )
        .unwrap()
    }
}

#[test]
fn every_size_and_number_of_colours_arrives() {
    for (width, height) in [
        (1, 1),
        (16, 16),
        (17, 1),
        (1, 33),
        (15, 31),
        (100, 75),
        (320, 240),
    ] {
        let size = size(width, height);
        let mut pair = Pair::new(size);
        let mut seeded = Seeded(u64::from(width) << 16 | u64::from(height));
        for colours in [1, 2, 3, 4, 5, 15, 16, 17, 64, 255, 256, 257, 4096, u32::MAX] {
            pair.settle(&seeded.noise(size, colours));
        }
        pair.settle(&Frame::black(size));
    }
}
