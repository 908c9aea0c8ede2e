//! Pictures arrive as they were captured.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use alongside_panel::{
    Decoder, Encoder, Entropy, Frame, PanelError, Profile, Sameness, Step, Terms, What,
    message::MAX_MESSAGE,
};
use alongside_protocol::units::{Millis, PanelRect};
use common::{Pair, Seeded, parts, plain, profile, profiles, size};

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
        (4096, 17),
    ] {
        let size = size(width, height);
        for profile in profiles() {
            let mut pair = Pair::with(size, profile);
            let mut seeded = Seeded(u64::from(width) << 16 | u64::from(height));
            for colours in [1, 2, 3, 4, 5, 15, 16, 17, 64, 255, 256, 257, 4096, u32::MAX] {
                pair.settle(&seeded.noise(size, colours));
            }
            pair.settle(&Frame::black(size));
        }
    }
}

#[test]
fn a_screen_shown_before_costs_next_to_nothing() {
    let size = size(640, 480);
    for entropy in [Entropy::Zstd, Entropy::Model] {
        let mut pair = Pair::with(size, Profile::new(entropy));
        let mut seeded = Seeded(1);
        let (first, second) = (seeded.noise(size, 5), seeded.noise(size, 6));
        pair.settle(&first);
        pair.settle(&second);
        pair.settle(&first);
        for frame in [&second, &first] {
            let steps = pair.settle(frame);
            assert_eq!(steps.len(), 1);
            let bytes = steps[0].frame.len();
            assert!(bytes < 100 && steps[0].tiles == 0, "{bytes} bytes");
        }
    }
}

#[test]
fn a_list_that_scrolls_costs_what_comes_into_view() {
    let size = size(640, 480);
    let list = Seeded(3).noise(common::size(640, 700), 4);
    let view = |top: usize| {
        let pixels = list.pixels()[640 * top..][..size.pixels()].to_vec();
        Frame::new(size, pixels).unwrap()
    };
    for profile in profiles() {
        let mut pair = Pair::with(size, profile);
        let bytes = |steps: &[Step]| steps.iter().map(|step| step.frame.len()).sum::<usize>();
        let whole = bytes(&pair.settle(&view(0)));
        for top in [3, 10, 37, 101, 220, 200] {
            let scrolled = bytes(&pair.settle(&view(top)));
            assert!(scrolled < whole / 2, "{scrolled} of {whole} bytes at {top}");
        }
    }
}

#[test]
fn what_a_full_message_leaves_half_drawn_is_drawn_next() {
    let size = size(640, 480);
    for profile in profiles() {
        let mut pair = Pair::with(size, profile);
        let mut seeded = Seeded(1);
        let busy = seeded.noise(size, u32::MAX);
        for _ in 0..5 {
            let step = pair.step(&busy).unwrap();
            pair.deliver(&step);
            assert!(pair.decoder.picture() == Some(pair.encoder.shown()));
        }
        pair.settle(&seeded.noise(size, 3));
        pair.settle(&busy);
    }
}

#[test]
fn noise_stays_within_the_caps_and_fills_them() {
    let size = size(640, 480);
    for profile in profiles() {
        let mut pair = Pair::with(size, profile);
        let mut seeded = Seeded(1);
        for _ in 0..3 {
            let steps = pair.settle(&seeded.noise(size, u32::MAX));
            let sent: usize = steps.iter().map(|step| step.frame.len()).sum();
            let raw = 3 * size.pixels();
            assert!(sent < raw + raw / 10, "{sent} bytes for {raw} of noise");
            assert!(
                steps
                    .iter()
                    .any(|step| step.frame.len() > MAX_MESSAGE * 8 / 10)
            );
        }
    }
}

#[test]
fn nothing_is_sent_for_a_picture_that_is_shown() {
    let size = size(100, 75);
    let mut pair = Pair::new(size);
    let frame = Seeded(1).noise(size, 5);
    pair.settle(&frame);
    for _ in 0..100 {
        assert_eq!(pair.step(&frame), None);
    }
}

#[test]
fn a_step_goes_to_the_newest_picture_and_skips_those_between() {
    let size = size(640, 480); // 1200 tiles, 13 steps
    let mut pair = Pair::new(size);
    let open = pair.step(&plain(size, 1)).unwrap();
    pair.deliver(&open);
    for colour in 1..5 {
        let step = pair.step(&plain(size, colour)).unwrap();
        assert_eq!((step.tiles, step.exact), (96, false));
        assert!(!pair.deliver(&step).exact);
    }
    // Four steps of 96 tiles each went round; none of them went twice over the same tiles.
    let newest = plain(size, 5);
    let steps = pair.settle(&newest);
    assert_eq!(steps.len(), 13);
}

#[test]
fn a_busy_corner_does_not_starve_the_rest() {
    let size = size(640, 480);
    let mut pair = Pair::new(size);
    let mut frame = plain(size, 0x0012_3456);
    let open = pair.step(&frame).unwrap();
    pair.deliver(&open);
    let busy = 640 * 16 * 4; // the first four rows of tiles: 160, more than a step
    for n in 0..40 {
        frame.pixels_mut()[..busy].fill(n);
        let step = pair.step(&frame).unwrap();
        pair.deliver(&step);
    }
    let shown = pair.decoder.picture().unwrap();
    assert!(shown.pixels()[busy..] == frame.pixels()[busy..]);
}

#[test]
fn damage_covers_what_changed_and_nothing_far_from_it() {
    let size = size(100, 75);
    let mut pair = Pair::new(size);
    let mut frame = plain(size, 0x0012_3456);
    pair.settle(&frame);
    frame.pixels_mut()[100 * 70 + 99] = 0;
    let step = pair.step(&frame).unwrap();
    let applied = pair.deliver(&step);
    assert_eq!(
        applied.damage,
        [PanelRect {
            x: 96,
            y: 64,
            width: 4,
            height: 11
        }]
    );
    assert_eq!(
        (applied.exact, applied.captured_at, applied.what),
        (true, Millis::new(pair.now), What::Updated)
    );
}

#[test]
fn another_size_begins_another_epoch() {
    let mut pair = Pair::new(size(100, 75));
    let mut seeded = Seeded(1);
    pair.settle(&seeded.noise(size(100, 75), 7));
    let turned = seeded.noise(size(75, 100), 7);
    let step = pair.step(&turned).unwrap();
    let applied = pair.deliver(&step);
    assert_eq!(applied.what, What::Opened);
    assert_eq!(
        applied.damage,
        [PanelRect {
            x: 0,
            y: 0,
            width: 75,
            height: 100
        }]
    );
    assert_eq!(pair.decoder.picture(), Some(&Frame::black(size(75, 100))));
    pair.settle(&turned);
}

#[test]
fn acknowledgements_take_off_what_is_in_flight() {
    let size = size(640, 480);
    let mut pair = Pair::new(size);
    let frame = Seeded(1).noise(size, u32::MAX);
    let steps: Vec<_> = (0..3).map(|_| pair.step(&frame).unwrap()).collect();
    let lengths: Vec<usize> = steps.iter().map(|step| step.frame.len()).collect();
    assert_eq!(pair.encoder.in_flight(), lengths.iter().sum::<usize>());
    pair.deliver(&steps[0]);
    assert_eq!(pair.encoder.in_flight(), lengths[1] + lengths[2]);
    // The reply to the second is lost on purpose: the third's stands for both.
    let (kind, body) = parts(&steps[1].frame);
    pair.decoder.apply(kind, body).unwrap();
    pair.deliver(&steps[2]);
    assert_eq!(pair.encoder.in_flight(), 0);
}

#[test]
fn a_check_is_sent_after_five_seconds_or_256_updates_and_confirmed() {
    let size = size(16, 16);
    let mut pair = Pair::new(size);
    pair.settle(&plain(size, 1));
    pair.now += 5_000;
    let check = pair.step(&plain(size, 1)).unwrap();
    assert!(check.exact && check.frame.len() < 20);
    assert_eq!(pair.deliver(&check).what, What::Confirmed);
    let (kind, body) = parts(&check.frame);
    assert_eq!(
        pair.decoder.apply(kind, body),
        Err(PanelError::OutOfOrder { got: 2, last: 2 }),
        "once is enough"
    );
    pair.now += 60_000;
    assert_eq!(
        pair.step(&plain(size, 1)),
        None,
        "nothing has changed since"
    );

    let mut checks = 0;
    for n in 2..1_002 {
        pair.now -= 33; // no time passes
        let step = pair.step(&plain(size, n)).unwrap();
        checks += usize::from(pair.deliver(&step).what == What::Confirmed);
    }
    assert_eq!(checks, 1 + 3, "one for the minute, one for each 256");
}

#[test]
fn a_picture_that_first_came_with_a_check_is_looked_at_all_the_same() {
    let size = size(320, 240);
    let same = Terms {
        sameness: Sameness::Same,
        ..Terms::default()
    };
    for profile in profiles() {
        let mut pair = Pair::with(size, profile);
        let mut seeded = Seeded(5);
        let frames: Vec<_> = (0..4).map(|_| seeded.noise(size, u32::MAX)).collect();
        pair.settle(&frames[0]);
        // Much of one is still to be drawn when the next comes, and a check with it.
        let begun = pair.step(&frames[1]).unwrap();
        pair.deliver(&begun);
        pair.now += 5_000;
        let check = pair.step(&frames[2]).unwrap();
        assert_eq!(pair.deliver(&check).what, What::Confirmed);
        for _ in 0..1_000 {
            let at = Millis::new(pair.now);
            match pair.encoder.step_within(&frames[2], at, &same) {
                Some(step) => drop(pair.deliver(&step)),
                None => break,
            }
        }
        assert!(pair.decoder.picture() == Some(&frames[2]));
        for n in [1, 3, 2, 0, 1, 2] {
            pair.settle(&frames[n]);
        }
    }
}

#[test]
fn a_picture_that_drifted_is_begun_again() {
    let size = size(100, 75);
    let mut pair = Pair::new(size);
    let frame = Seeded(1).noise(size, 9);
    pair.settle(&frame);
    // The device believes in an update that the operator gets in another form.
    let mut other = Encoder::new(size, 7, profile());
    let mut drifted = Decoder::new(profile());
    for wrong in [&plain(size, 3), &plain(size, 4)] {
        let step = other.step(wrong, Millis::new(pair.now)).unwrap();
        let (kind, body) = parts(&step.frame);
        drifted.apply(kind, body).unwrap();
    }
    pair.decoder = drifted;
    pair.now += 5_000;
    let check = pair.step(&frame).unwrap();
    let applied = pair.deliver(&check);
    assert_eq!((applied.what, applied.exact), (What::GivenUp, false));
    let open = pair.step(&frame).unwrap();
    assert_eq!(pair.deliver(&open).what, What::Opened);
    pair.settle(&frame);
}

#[test]
fn what_was_under_way_when_the_operator_gave_up_is_skipped() {
    let size = size(100, 75);
    let mut device = Encoder::new(size, 7, Profile::default());
    let mut operator = Decoder::new(profile()); // accepts less than the device offers
    let first = plain(size, 1);
    let under_way: Vec<_> = (0..2)
        .map(|n| device.step(&first, Millis::new(n)).unwrap())
        .collect();
    let (kind, body) = parts(&under_way[0].frame);
    let refused = operator.apply(kind, body).unwrap();
    assert_eq!(refused.what, What::GivenUp);
    let (kind, body) = parts(&under_way[1].frame);
    let skipped = operator.apply(kind, body).unwrap();
    assert_eq!((skipped.what, skipped.reply), (What::Skipped, None));

    let reset = refused.reply.unwrap();
    let (kind, body) = parts(&reset);
    device.handle(kind, body).unwrap();
    device.handle(kind, body).unwrap(); // a second one of the same epoch changes nothing
    let mut pair = Pair {
        encoder: device,
        decoder: operator,
        now: 100,
    };
    let steps = pair.settle(&first);
    assert_eq!(steps.len(), 2);
    let (kind, body) = parts(&reset);
    pair.encoder.handle(kind, body).unwrap(); // neither does one that comes late
    assert_eq!(pair.step(&first), None);
}

#[test]
fn a_message_out_of_turn_is_an_error() {
    let size = size(100, 75);
    let mut encoder = Encoder::new(size, 7, profile());
    let mut seeded = Seeded(1);
    let steps: Vec<_> = (0..4)
        .map(|n| {
            encoder
                .step(&seeded.noise(size, 9), Millis::new(n))
                .unwrap()
        })
        .collect();
    let mut decoder = Decoder::new(profile());
    let mut apply = |n: usize| {
        let (kind, body) = parts(&steps[n].frame);
        decoder.apply(kind, body)
    };
    assert_eq!(apply(1), Err(PanelError::OutOfOrder { got: 2, last: 0 }));
    assert!(apply(0).is_ok());
    assert_eq!(apply(2), Err(PanelError::OutOfOrder { got: 3, last: 1 }));
    assert_eq!(apply(0), Err(PanelError::OutOfOrder { got: 1, last: 1 }));
    assert!(apply(1).is_ok());
    assert_eq!(apply(1), Err(PanelError::OutOfOrder { got: 2, last: 2 }));
}

#[test]
fn a_panel_beyond_the_cap_gets_no_memory() {
    let mut encoder = Encoder::new(size(4096, 4096), 7, profile());
    let open = encoder
        .step(&Frame::black(size(4096, 4096)), Millis::new(0))
        .unwrap();
    let (kind, body) = parts(&open.frame);
    let error = Decoder::new(profile()).apply(kind, body).unwrap_err();
    assert_eq!(
        error.to_string(),
        "panel of 4096x4096 pixels where at most 8847360 are allowed"
    );
    assert!(
        Decoder::new(profile())
            .with_max_pixels(4096 * 4096)
            .apply(kind, body)
            .is_ok()
    );
}

#[test]
fn a_clock_that_goes_back_is_carried() {
    let size = size(16, 16);
    let mut encoder = Encoder::new(size, 7, profile());
    let mut decoder = Decoder::new(profile());
    for (n, at) in [5_000, 0, u64::MAX, 1, 1 << 63, 7].into_iter().enumerate() {
        let frame = plain(size, n as u32);
        while let Some(step) = encoder.step(&frame, Millis::new(at)) {
            let (kind, body) = parts(&step.frame);
            let applied = decoder.apply(kind, body).unwrap();
            assert!(
                applied.what == What::Confirmed || applied.captured_at == Millis::new(at),
                "{n}: {applied:?}"
            );
        }
    }
}

#[test]
fn profiles_have_bounds() {
    let all = Profile::default();
    for log in 0..=255 {
        let is_good = |profile: Option<Profile>| profile.is_some();
        assert_eq!(is_good(all.with_window_log(log)), (17..=23).contains(&log));
        assert_eq!(is_good(all.with_table_log(log)), (13..=16).contains(&log));
        let is_cache = log == 0 || (8..=15).contains(&log);
        assert_eq!(is_good(all.with_cache_log(log)), is_cache);
    }
    assert!(profile().fits(all) && !all.fits(profile()));
    assert!(Profile::new(Entropy::Zstd).fits(all), "E1 includes E0");
    assert!(!all.fits(Profile::new(Entropy::Zstd)));
    assert_eq!(all.within(Profile::SMALL), Profile::SMALL);
}
