//! What comes first, and how well, over a link that is too narrow for everything.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::{Duration, Instant};

use alongside_panel::{Decoder, Frame, Profile, Progress, Sameness, Sender};
use alongside_protocol::{
    Kbps, PanelSize,
    units::{Millis, PanelRect},
};
use common::{Seeded, parts, plain, size};

/// A device, an operator, and a link of `rate` between them.
struct Link {
    start: Instant,
    /// What the clock that dates pictures says at the start.
    wall: u64,
    /// Milliseconds since the start.
    now: u64,
    rate: Kbps,
    /// When the link has carried what it was given.
    free_at: f64,
    sender: Sender,
    decoder: Decoder,
    /// When each acknowledgement is back.
    replies: Vec<(f64, Vec<u8>)>,
    sent: Vec<Sent>,
    /// The picture to which there is nothing more to send.
    done: Option<Frame>,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    at: u64,
    bytes: usize,
    exact: bool,
    visible: bool,
    arrives: f64,
}

/// Headers of a packet.
const PACKET: usize = 60;

impl Link {
    #[expect(clippy::disallowed_methods, reason = "an instant to count from")]
    fn new(size: PanelSize, kbps: u32) -> Self {
        let start = Instant::now();
        Self {
            start,
            wall: 1_000_000,
            now: 0,
            rate: Kbps::new(kbps),
            free_at: 0.0,
            sender: Sender::new(start, size, 7, Profile::default()),
            decoder: Decoder::new(Profile::default()),
            replies: Vec::new(),
            sent: Vec::new(),
            done: None,
        }
    }

    fn instant(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    /// Goes on for a millisecond while the panel shows `picture`.
    fn tick(&mut self, picture: &Frame) {
        self.now += 1;
        let now = self.instant();
        let due: Vec<_> = self
            .replies
            .extract_if(.., |(at, _)| *at <= self.now as f64)
            .collect();
        for (_, reply) in due {
            let (kind, body) = parts(&reply);
            self.sender.handle(now, kind, body).unwrap();
        }
        let is_awake = self.sender.wakes_at().is_some_and(|at| at <= now);
        if self.done.as_ref() == Some(picture) && !is_awake {
            return;
        }
        self.done = None;
        while self.sender.can_send(now) {
            let at = Millis::new(self.wall + self.now);
            let Some(step) = self.sender.step(now, picture, Sameness::Unknown, at) else {
                self.done = Some(picture.clone());
                break;
            };
            let (kind, body) = parts(&step.frame);
            let applied = self.decoder.apply(kind, body).unwrap();
            let bytes = step.frame.len() + PACKET;
            let takes = bytes as f64 * 8.0 / f64::from(self.rate.as_u32());
            self.free_at = self.free_at.max(self.now as f64) + takes;
            self.replies
                .extend(applied.reply.map(|reply| (self.free_at + 60.0, reply)));
            self.sent.push(Sent {
                at: self.now,
                bytes,
                exact: step.exact,
                visible: step.visible,
                arrives: self.free_at,
            });
        }
    }

    fn run(&mut self, picture: &Frame, millis: u64) {
        for _ in 0..millis {
            self.tick(picture);
        }
    }

    /// Until it is shown exactly.
    fn settle(&mut self, picture: &Frame) {
        for _ in 0..600_000 {
            self.tick(picture);
            if self.sender.shown() == picture {
                assert!(self.decoder.picture() == Some(picture));
                return;
            }
        }
        panic!("never exact");
    }

    /// When everything sent since `from` was visible and exact, in milliseconds after it.
    fn shown_after(&self, from: u64) -> (f64, f64) {
        let after = |is: fn(&Sent) -> bool| {
            let sent = self
                .sent
                .iter()
                .find(|sent| sent.at > from && is(sent))
                .unwrap();
            sent.arrives - from as f64
        };
        (after(|sent| sent.visible), after(|sent| sent.exact))
    }
}

/// A photograph, more or less: smooth, with noise.
fn photo(size: PanelSize, seed: u64) -> Frame {
    let mut seeded = Seeded(seed);
    let width = u32::from(size.width());
    let pixels = (0..size.pixels() as u32).map(|at| {
        let (x, y) = (at % width, at / width);
        let noise = seeded.next() % 8;
        let red = (x * 200 / width + noise) & 0xff;
        let green = (x * y / 300 + noise) & 0x7f;
        let blue = (y / 2 + noise) & 0xff;
        red << 16 | green << 8 | blue
    });
    Frame::new(size, pixels.collect()).unwrap()
}

#[test]
fn a_photograph_is_seen_at_once_and_exact_when_it_rests() {
    let size = size(320, 240);
    let mut link = Link::new(size, 380);
    link.settle(&plain(size, 3));
    let from = link.now;
    link.settle(&photo(size, 1));
    let (visible, exact) = link.shown_after(from);
    assert!(
        visible < 600.0 && exact > 2.0 * visible,
        "{visible} and {exact} ms"
    );
}

#[test]
fn drawings_are_exact_from_the_first() {
    let size = size(320, 240);
    let mut link = Link::new(size, 380);
    link.settle(&plain(size, 3));
    link.settle(&Seeded(3).noise(size, 2));
    assert!(link.sent.iter().all(|sent| sent.visible == sent.exact));
}

#[test]
fn an_echo_behind_a_photograph_waits_for_no_more_than_one_message() {
    let size = size(640, 480);
    let mut link = Link::new(size, 380);
    link.settle(&plain(size, 3));
    let mut picture = photo(size, 1);
    for key in 0..20 {
        link.run(&picture, 200 + key);
        for row in 0..16 {
            let at = (100 + row) * 640 + 200;
            picture.pixels_mut()[at..at + 16].fill(key as u32 * 999);
        }
        let touch = link.instant();
        link.sender.touched(touch, 208, 108);
        let from = link.now;
        let shown = |link: &Link| {
            link.decoder.picture().unwrap().pixels()[100 * 640 + 200] == key as u32 * 999
        };
        while !shown(&link) {
            link.tick(&picture);
        }
        let waited = link.sent.last().unwrap().arrives - from as f64;
        assert!(waited < 200.0, "{waited} ms");
    }
}

#[test]
fn an_animation_is_shown_ten_times_a_second_and_at_once_where_it_is_touched() {
    let size = size(320, 240);
    let frame = |n: u32| {
        let mut picture = plain(size, 3);
        for row in 0..16 {
            let noise = (0..16).map(|at| (n * 31 + at * row * 7) % 5 * 0x0030_3030);
            let at = (32 + row as usize) * 320 + 64;
            picture.pixels_mut()[at..at + 16]
                .iter_mut()
                .zip(noise)
                .for_each(|(pixel, colour)| *pixel = colour);
        }
        picture
    };
    let mut link = Link::new(size, 380);
    link.settle(&plain(size, 3));
    let count = |link: &mut Link, touches: bool| {
        let before = link.sent.len();
        for n in 0..60 {
            if touches {
                let now = link.instant();
                link.sender.touched(now, 70, 40);
            }
            link.run(&frame(n), 33);
        }
        link.sent.len() - before
    };
    let capped = count(&mut link, false);
    assert!((18..=28).contains(&capped), "{capped} in 2 s");
    let lifted = count(&mut link, true);
    assert!(lifted >= 50, "{lifted} in 2 s");
    // The last one is shown, though nothing changes any more.
    link.run(&frame(59), 300);
    assert_eq!(link.sender.progress(), Progress::Exact);
    // Also when the clock that dates pictures is set back in between.
    link.wall -= 900_000;
    let capped = count(&mut link, false);
    assert!((18..=28).contains(&capped), "{capped} in 2 s");
}

#[test]
fn refinement_keeps_to_the_mean_unless_it_is_asked_for() {
    let size = size(640, 480);
    let mut link = Link::new(size, 380);
    link.settle(&plain(size, 3));
    let mut seed = 1;
    // Photographs, one after the other, use the credit up.
    while link.now < 30_000 {
        let picture = photo(size, seed);
        link.run(&picture, 1_500);
        seed += 1;
    }
    let picture = photo(size, seed);
    let from = link.now;
    link.run(&picture, 20_000);
    let spent: usize = link
        .sent
        .iter()
        .filter(|sent| sent.at > from + 5_000)
        .map(|sent| sent.bytes)
        .sum();
    let kbps = spent * 8 / 15_000;
    assert!((100..200).contains(&kbps), "{kbps} kbps");
    let want = alongside_panel::message::ToDevice::Want(alongside_panel::message::Want {
        exactly: PanelRect {
            x: 320,
            y: 240,
            width: 64,
            height: 64,
        },
    });
    let next = photo(size, seed + 1);
    link.run(&next, 1_000);
    let now = link.instant();
    let want = want.to_frame();
    let (kind, body) = parts(&want);
    link.done = None;
    link.sender.handle(now, kind, body).unwrap();
    link.run(&next, 1_500);
    let (shown, wanted) = (link.decoder.picture().unwrap(), &next);
    for y in 240..304 {
        let row = y * 640 + 320..y * 640 + 384;
        assert!(
            shown.pixels()[row.clone()] == wanted.pixels()[row],
            "row {y}"
        );
    }
    assert!(shown != wanted, "the rest is not exact yet");
}

#[test]
fn a_slow_link_is_found_out_and_nothing_queues_on_it() {
    let size = size(640, 480);
    for kbps in [20, 60, 150] {
        let mut link = Link::new(size, kbps);
        link.settle(&plain(size, 3));
        for seed in 1..20 {
            link.run(&photo(size, seed), 1_000);
        }
        let found = link.sender.link_rate().as_u32();
        assert!(
            (kbps * 2 / 3..kbps * 5 / 3).contains(&found),
            "{found} of {kbps}"
        );
        let behind = link.free_at - link.now as f64;
        assert!(behind < 1_800.0, "{behind} ms of {kbps} kbps");
    }
}
