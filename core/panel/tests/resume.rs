//! A stream goes on where it broke, over one new connection after the other.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::VecDeque;

use alongside_panel::{
    Decoder, Encoder, Frame, Position, Profile, RESUMABLE, Resumed, What, tiles::TileGrid,
};
use alongside_protocol::{PanelSize, units::Millis};
use common::{Pair, Seeded, parts, plain, profiles, size};

/// Both sides, and what is on its way between them.
struct World {
    seeded: Seeded,
    encoder: Encoder,
    decoder: Decoder,
    now: u64,
    picture: Frame,
    down: VecDeque<Vec<u8>>,
    up: VecDeque<Vec<u8>>,
}

impl World {
    fn new(seed: u64, size: PanelSize, profile: Profile) -> Self {
        let mut seeded = Seeded(seed);
        Self {
            picture: seeded.noise(size, 5),
            seeded,
            encoder: Encoder::new(size, 7, profile),
            decoder: Decoder::new(profile),
            now: 1_000_000,
            down: VecDeque::new(),
            up: VecDeque::new(),
        }
    }

    fn below(&mut self, end: u32) -> u32 {
        self.seeded.next() % end
    }

    /// Scrolls, goes back to a colour, or draws something new.
    fn change(&mut self) {
        let size = self.picture.size();
        match self.below(4) {
            0 => {
                let colour = self.below(4);
                self.picture = plain(size, colour);
            }
            1 => {
                let rows = 16 * (1 + self.below(2) as usize);
                self.picture
                    .pixels_mut()
                    .rotate_left(rows * usize::from(size.width()));
            }
            2 => self.picture = self.seeded.noise(size, 40),
            _ => {
                let at = self.below(size.pixels() as u32) as usize;
                let colour = self.below(0x0100_0000);
                self.picture.pixels_mut()[at..]
                    .iter_mut()
                    .take(20)
                    .for_each(|pixel| *pixel = colour);
            }
        }
    }

    fn send(&mut self) {
        self.now += u64::from(self.below(400));
        if self.encoder.in_flight() < 45_000
            && let Some(step) = self.encoder.step(&self.picture, Millis::new(self.now))
        {
            self.down.push_back(step.frame);
        }
    }

    fn receive(&mut self) -> Option<What> {
        let message = self.down.pop_front()?;
        let (kind, body) = parts(&message);
        let applied = self.decoder.apply(kind, body).unwrap();
        assert_ne!(applied.what, What::GivenUp, "the pictures differ");
        self.up.extend(applied.reply);
        Some(applied.what)
    }

    fn hear(&mut self) {
        if let Some(reply) = self.up.pop_front() {
            let (kind, body) = parts(&reply);
            self.encoder.handle(kind, body).unwrap();
        }
    }

    /// The connection breaks, and everything on its way is lost. Up to ten minutes later there is another.
    fn cut(&mut self) -> Resumed {
        self.down.clear();
        self.up.clear();
        let gap = self.below(RESUMABLE.as_millis() as u32 + 1);
        self.now += u64::from(gap);
        for _ in 0..self.below(3) {
            self.change();
        }
        self.encoder.resume(self.decoder.position())
    }

    /// Everything arrives; the pictures must be equal, and the device's check of it true.
    fn settle(&mut self) {
        let mut confirmed = 0;
        loop {
            self.send();
            if self.down.is_empty() {
                break;
            }
            while let Some(what) = self.receive() {
                confirmed += usize::from(what == What::Confirmed);
                self.hear();
            }
        }
        assert!(
            self.decoder.picture() == Some(&self.picture),
            "the pictures differ"
        );
        assert!(self.encoder.shown() == &self.picture);
        self.now += 5_001;
        let at = self.below(self.picture.pixels().len() as u32) as usize;
        self.picture.pixels_mut()[at] ^= 1;
        for _ in 0..2 {
            if let Some(step) = self.encoder.step(&self.picture, Millis::new(self.now)) {
                self.down.push_back(step.frame);
            }
            while let Some(what) = self.receive() {
                confirmed += usize::from(what == What::Confirmed);
                self.hear();
            }
            self.now += 5_001;
        }
        assert!(confirmed > 0, "never checked");
    }
}

#[test]
fn after_any_of_1_200_cuts_of_up_to_ten_minutes_both_sides_agree_by_checksum() {
    let mut cuts = 0;
    for (at, profile) in profiles().into_iter().enumerate() {
        for seed in 0..30 {
            let mut world = World::new(seed * 4 + at as u64 + 1, size(100, 75), profile);
            world.send();
            assert_eq!(world.receive(), Some(What::Opened));
            for _ in 0..10 {
                for _ in 0..world.below(12) {
                    match world.below(8) {
                        0..=1 => world.change(),
                        2..=4 => world.send(),
                        5..=6 => drop(world.receive()),
                        _ => world.hear(),
                    }
                }
                assert_eq!(world.cut(), Resumed::Here);
                cuts += 1;
                if world.below(3) == 0 {
                    world.settle();
                }
            }
            world.settle();
        }
    }
    assert_eq!(cuts, 1_200);
}

#[test]
fn a_settled_picture_costs_nothing_after_a_cut() {
    for profile in profiles() {
        let mut pair = Pair::with(size(100, 75), profile);
        let picture = Seeded(3).noise(size(100, 75), 9);
        pair.settle(&picture);
        assert_eq!(pair.encoder.resume(pair.decoder.position()), Resumed::Here);
        assert_eq!(pair.step(&picture), None);
        let mut next = picture.clone();
        next.pixels_mut()[0] ^= 1;
        let step = pair.step(&next).unwrap();
        assert!(step.frame.len() < 200, "{} bytes", step.frame.len());
        assert!(pair.deliver(&step).exact);
    }
}

#[test]
fn what_was_lost_comes_again_before_anything_new() {
    let mut pair = Pair::new(size(100, 75));
    let picture = Seeded(3).noise(size(100, 75), 9);
    pair.settle(&plain(size(100, 75), 5));
    let lost = pair.step(&picture).unwrap();
    assert_eq!(pair.encoder.in_flight(), lost.frame.len());
    assert_eq!(pair.encoder.resume(pair.decoder.position()), Resumed::Here);
    assert_eq!(pair.encoder.in_flight(), 0);
    let again = pair.step(&picture).unwrap();
    assert_eq!(again.frame, lost.frame);
    assert_eq!(again.exact, lost.exact);
    pair.deliver(&again);
    pair.settle(&picture);
}

#[test]
fn an_epoch_that_the_operator_never_heard_of_is_told_again() {
    let mut pair = Pair::new(size(100, 75));
    let picture = plain(size(64, 64), 9);
    pair.settle(&plain(size(100, 75), 5));
    let open = pair.step(&picture).unwrap();
    let _lost = pair.step(&picture).unwrap();
    assert_eq!(pair.encoder.resume(pair.decoder.position()), Resumed::Here);
    let again = pair.step(&picture).unwrap();
    assert_eq!(again.frame, open.frame);
    assert_eq!(pair.deliver(&again).what, What::Opened);
    pair.settle(&picture);
}

#[test]
fn sides_with_too_little_in_common_begin_anew() {
    let picture = Seeded(3).noise(size(100, 75), 9);
    let settled = || {
        let mut pair = Pair::new(picture.size());
        pair.settle(&picture);
        pair
    };
    let at = settled().decoder.position().unwrap();
    for wrong in [
        None,
        Some(Position { epoch: 1, ..at }),
        Some(Position {
            seq: at.seq + 1,
            ..at
        }),
        Some(Position {
            seq: at.seq - 1,
            ..at
        }),
        Some(Position {
            seq: u64::MAX,
            ..at
        }),
        Some(Position { seq: 0, ..at }),
    ] {
        let mut pair = settled();
        assert_eq!(pair.encoder.resume(wrong), Resumed::Anew, "{wrong:?}");
        assert_eq!(pair.encoder.in_flight(), 0);
        let step = pair.step(&picture).unwrap();
        assert_eq!(pair.deliver(&step).what, What::Opened);
        pair.settle(&picture);
    }
}

#[test]
fn an_epoch_given_up_is_not_resumed() {
    let mut pair = Pair::new(size(100, 75));
    let picture = Seeded(3).noise(size(100, 75), 9);
    pair.settle(&picture);
    let at = pair.decoder.position().unwrap();
    let check = alongside_panel::message::ToOperator::Check(alongside_panel::message::Check {
        seq: at.seq,
        hash: 0,
    });
    let check = check.to_frame();
    let (kind, body) = parts(&check);
    assert_eq!(pair.decoder.apply(kind, body).unwrap().what, What::GivenUp);
    assert_eq!(pair.decoder.position(), None);
    assert_eq!(
        pair.encoder.resume(None),
        Resumed::Anew,
        "the reset was lost"
    );
    pair.settle(&picture);
    assert!(
        TileGrid::new(picture.size())
            .changed(pair.encoder.shown(), &picture)
            .is_empty()
    );
}

#[test]
fn a_cut_while_a_cut_is_mended_loses_nothing() {
    let mut pair = Pair::new(size(200, 150));
    let picture = Seeded(3).noise(size(200, 150), u32::MAX);
    pair.settle(&plain(size(200, 150), 5));
    let sent: Vec<_> = std::iter::from_fn(|| pair.step(&picture)).collect();
    assert!(sent.len() > 3);
    for lost in sent.iter().take(3) {
        assert_eq!(pair.encoder.resume(pair.decoder.position()), Resumed::Here);
        let again = pair.step(&picture).unwrap();
        assert_eq!(again.frame, lost.frame);
        pair.deliver(&again);
    }
    pair.settle(&picture);
}
