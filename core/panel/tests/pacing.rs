//! The budget of the picture, with the codec in the loop.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::{Duration, Instant};

use alongside_panel::pacing::Bucket;
use common::{Pair, Seeded, size};

#[test]
fn a_screen_that_changes_completely_30_times_a_second_stays_within_the_budget() {
    #[expect(clippy::disallowed_methods, reason = "an instant to count from")]
    let start = Instant::now();
    let size = size(320, 240);
    let mut pair = Pair::new(size);
    let mut seeded = Seeded(1);
    let mut bucket = Bucket::new(start, Bucket::PANEL_RATE, Bucket::PANEL_DEPTH);
    let mut picture = seeded.noise(size, u32::MAX);
    let mut sent: Vec<(u64, usize)> = Vec::new();
    for at in 0..30_000 {
        if at % 33 == 0 {
            picture = seeded.noise(size, if at % 2 == 0 { u32::MAX } else { 3 });
        }
        let now = start + Duration::from_millis(at);
        while bucket.is_open(now) {
            let Some(step) = pair.step(&picture) else {
                break;
            };
            pair.deliver(&step);
            bucket.take(now, step.frame.len());
            sent.push((at, step.frame.len()));
        }
    }
    let within = |from: u64| {
        sent.iter()
            .filter(|(at, _)| (from..from + 10_000).contains(at))
            .map(|(_, bytes)| bytes)
            .sum()
    };
    let most: usize = (0..20_000).step_by(10).map(within).max().unwrap();
    assert!((440_000..475_000).contains(&most), "{most} bytes in 10 s");
}
