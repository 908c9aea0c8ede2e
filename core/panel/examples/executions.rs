//! Runs a decoder of this crate over damaged messages, as often and as long as is wanted, in one thread.
//!
//! `cargo run --release -p alongside-panel --example executions -- BODY COUNT SECONDS [FOLDER]` with BODY one of
//! `model`, `decode`, `tiles`, `handle`. Starts from messages of its own and from the files in FOLDER; what the
//! decoder accepts in a way that none did before joins them, and is written to FOLDER at the end. A broken promise
//! panics: the number of the run that is printed every so often brings it back.
#![expect(clippy::print_stdout, reason = "prints what it did")]

use std::{
    collections::HashSet,
    env,
    error::Error,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use alongside_panel::{
    Encoder, Frame, Profile, Terms,
    fuzzing::{self, WornDecoder, WornEncoder, WornModel},
    message::{Reset, ToDevice, ToOperator, Want},
};
use alongside_protocol::{
    PanelSize,
    frame::HEADER_LEN,
    fuzzing::mutations_of,
    units::{Millis, PanelRect},
};

/// Executions of a run: after it everything that is worn is made anew, and given some messages as they were meant.
const RUN: u64 = 2048;
const MEANT: usize = 8;
/// Most seeds, and the longest that joins them: a long message takes as long as many short ones.
const SEEDS: usize = 2_000;
const LONGEST: usize = 600;
/// From one line to the next.
const TOLD: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [body, count, seconds, folder @ ..] = args.as_slice() else {
        return Err("BODY COUNT SECONDS [FOLDER]".into());
    };
    let (count, limit) = (count.parse()?, Duration::from_secs(seconds.parse()?));
    let mut seeds = match body.as_str() {
        "model" => updates(100, 75, |update| Some(update.tiles.to_vec())),
        "decode" => updates(48, 40, |update| Some(WornDecoder::seed(update))),
        "tiles" => payloads(),
        "handle" => replies(),
        _ => return Err("unknown body".into()),
    };
    let meant = seeds.clone();
    let folder = folder.first().map(Path::new);
    if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
        for entry in fs::read_dir(folder)? {
            seeds.push(fs::read(entry?.path())?);
        }
    }
    let known = seeds.len();
    let mut outcomes = HashSet::new();
    let (mut done, mut accepted) = (0_u64, 0_u64);
    #[expect(clippy::disallowed_methods, reason = "it is told how long it may take")]
    let now = Instant::now;
    let (begin, mut told) = (now(), now());
    let mut run = 0;
    while done < count && begin.elapsed() < limit {
        let mut fresh = Vec::new();
        let mut seen = |data: &[u8], outcome: u64| {
            accepted += u64::from(outcome > 0);
            if outcome > 0 && data.len() <= LONGEST && outcomes.insert(outcome) {
                fresh.push(data.to_vec());
            }
        };
        match body.as_str() {
            "model" => {
                let mut model = WornModel::new().ok_or("no memory")?;
                for meant in meant.iter().take(run as usize % MEANT) {
                    model.run(meant);
                }
                mutations_of(run, &seeds, RUN as usize, |data| {
                    seen(data, model.run(data))
                });
            }
            "decode" => {
                let mut decoder = WornDecoder::new().ok_or("no memory")?;
                for meant in meant.iter().take(run as usize % MEANT) {
                    decoder.run(meant);
                }
                mutations_of(run, &seeds, RUN as usize, |data| {
                    seen(data, decoder.run(data))
                });
            }
            "tiles" => mutations_of(run, &seeds, RUN as usize, fuzzing::tiles),
            _ => {
                let mut encoder = WornEncoder::new().ok_or("no memory")?;
                mutations_of(run, &seeds, RUN as usize, |data| {
                    seen(data, encoder.run(data))
                });
            }
        }
        run += 1;
        done += RUN;
        seeds.extend(fresh);
        seeds.truncate(SEEDS);
        if told.elapsed() > TOLD {
            told = now();
            println!(
                "{body}: run {run}, {done} executions, {} seeds",
                seeds.len()
            );
        }
    }
    let took = begin.elapsed().as_secs_f64();
    println!(
        "{body}: {done} executions in {took:.0} s, {:.0} a second, {accepted} accepted, {} seeds",
        done as f64 / took,
        seeds.len()
    );
    if let Some(folder) = folder {
        fs::create_dir_all(folder)?;
        for (n, seed) in seeds.iter().enumerate().skip(known) {
            fs::write(folder.join(format!("kept-{n:04}")), seed)?;
        }
    }
    Ok(())
}

/// Sessions of a few small pictures with exact and soft tiles, moves, and tiles shown before; something of each UPDATE.
fn updates(
    width: u16,
    height: u16,
    part: impl Fn(&alongside_panel::message::Update<'_>) -> Option<Vec<u8>>,
) -> Vec<Vec<u8>> {
    let Some(size) = PanelSize::new(width, height) else {
        return Vec::new();
    };
    let mut parts = Vec::new();
    for softly in [false, true] {
        let mut encoder = Encoder::new(size, 7, Profile::SMALL);
        for (n, picture) in pictures(size).iter().enumerate() {
            let terms = Terms {
                enough: 40 << n.min(6),
                cheap: if softly { 0 } else { usize::MAX },
                ..Terms::default()
            };
            while let Some(step) = encoder.step_within(picture, Millis::new(0), &terms) {
                let (header, body) = step.frame.split_at(HEADER_LEN);
                if let Ok(ToOperator::Update(update)) = ToOperator::from_frame(header[3], body) {
                    parts.extend(part(&update).filter(|part| part.len() <= LONGEST));
                }
            }
        }
    }
    parts
}

/// Plain, striped, dithered, noisy in part; the same again, moved.
fn pictures(size: PanelSize) -> Vec<Frame> {
    let width = u32::from(size.width());
    let draw = |colour: &dyn Fn(u32, u32) -> u32| {
        let pixels = (0..size.pixels() as u32).map(|at| colour(at % width, at / width));
        Frame::new(size, pixels.collect())
    };
    let noise = |x: u32, y: u32| (x * 7919 + y * 104_729).wrapping_mul(0x9e37_79b1) >> 8;
    let text = |x: u32, y: u32| {
        if noise(x / 2, y / 3) % 5 == 0 {
            0x0020_3040
        } else {
            0x00e0_e8f0
        }
    };
    let mixed = |x: u32, y: u32| {
        if x < 20 && y < 20 {
            noise(x, y)
        } else {
            text(x, y)
        }
    };
    [
        draw(&|_, _| 0x0012_3456),
        draw(&|x, y| {
            if (x / 5 + y / 3) % 2 == 0 {
                0x00ff_ffff
            } else {
                0x0011_2233
            }
        }),
        draw(&|x, y| 0x0040_4040 + (x + (x % 2 + y % 2)) / 4 * 0x0001_0101),
        draw(&text),
        draw(&mixed),
        draw(&|x, y| mixed(x, y + 5)),
        draw(&|_, _| 0x0012_3456),
        draw(&mixed),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Every kind of tile of E0, behind the number of tiles.
fn payloads() -> Vec<Vec<u8>> {
    let pixels: Vec<u8> = (0..=255).cycle().take(768).collect();
    let tile = |kind: &[u8], rest: &[u8]| [&[1, 1, 0], kind, rest].concat();
    vec![
        tile(&[0], &pixels),
        tile(&[17], &pixels),
        tile(&[18, 1], &[1, 2, 3]),
        tile(&[1], &[1, 2, 3]),
        tile(&[2, 1, 2, 3, 4, 5, 6], &pixels[..32]),
        tile(&[4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], &pixels[..64]),
        [&[1, 1, 0, 16], &pixels[..48], &pixels[..128]].concat(),
        [&[1, 1, 0, 19, 2, 1, 1, 3, 9, 4, 7], &pixels[..32]].concat(),
        vec![
            4, 3, 0, 0, 4, 1, 1, 2, 3, 18, 1, 9, 9, 9, 18, 0, 1, 6, 1, 1, 1, 1,
        ],
    ]
}

/// What an operator says.
fn replies() -> Vec<Vec<u8>> {
    let reset = ToDevice::Reset(Reset {
        seq: 1,
        accepts: Profile::SMALL,
    });
    let want = ToDevice::Want(Want {
        exactly: PanelRect {
            x: 16,
            y: 0,
            width: 20,
            height: 30,
        },
    });
    let all = [
        ToDevice::Ack { seq: 1 }.to_frame(),
        ToDevice::Ack { seq: 300 }.to_frame(),
        want.to_frame(),
        reset.to_frame(),
    ];
    let mut seeds = all.to_vec();
    seeds.push(all.concat());
    seeds
}
