//! Sends recorded panels through the codec, without a limit on the link, and prints what it costs.
//!
//! `cargo bench -p alongside-panel` plays the recordings beside this file, or every `*.ptr.zst` of the folder that
//! `ALONGSIDE_TRACES` names; words behind `--` choose among them by name, and `bytes`, `links` and `memory` among
//! the tables. Every picture must arrive exactly, or the bench fails.
//!
//! Once with each entropy stage, E1 first. Columns: pictures that differ from the one before; bytes of all messages, headers included; how many times
//! as many TigerVNC's Tight encoding took, where that was measured; bytes for the first picture; bytes for each picture (median and 99 of 100); messages, and the largest; milliseconds to encode and
//! to decode a picture (mean, median, 99 of 100), and the longest single step of the encoder. The times are
//! the thread's CPU time where there is such a clock (Unix), else wall clock: then run it on an idle machine.
#![expect(clippy::print_stdout, reason = "prints its table")]

mod link;
mod measure;
#[cfg(target_os = "linux")]
mod memory;
mod trace;

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use alongside_panel::{Decoder, Encoder, Entropy, Frame, Profile};
use alongside_protocol::{frame::HEADER_LEN, units::Millis};
use trace::Trace;

/// What TigerVNC 1.12 (Debian 12) sends of the same recordings, in thousands of bytes: Tight, compression level 9,
/// lossless, every picture. `cargo bench -p alongside-panel --bench peers` measures it.
const TIGHT_9: &[(&str, f64)] = &[
    ("nav", 3220.5),
    ("keyboard", 380.2),
    ("list", 15728.7),
    ("dialog", 14431.0),
    ("progress", 2778.7),
    ("photo", 46177.5),
];

/// The words for the tables of links only, for the first tables only, and for that of memory.
const LINKS: &str = "links";
const BYTES: &str = "bytes";
const MEMORY: &str = "memory";

fn main() -> Result<(), Box<dyn Error>> {
    #[cfg(target_os = "linux")]
    if memory::is_side()? {
        return Ok(());
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/traces");
    let folder = env::var_os("ALONGSIDE_TRACES").map_or(here, PathBuf::from);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, std::io::Error>>()?;
    let words: Vec<String> = env::args()
        .skip(1)
        .filter(|it| !it.starts_with('-'))
        .collect();
    let chosen: Vec<&String> = words
        .iter()
        .filter(|it| ![LINKS, BYTES, MEMORY].contains(&it.as_str()))
        .collect();
    paths.retain(|path| {
        let is_chosen = chosen.is_empty() || chosen.iter().any(|it| *it == name(path));
        path.to_string_lossy().ends_with(".ptr.zst") && is_chosen
    });
    paths.sort();
    let parts = words.iter().filter(|it| !chosen.contains(it));
    let parts: Vec<&str> = parts.map(String::as_str).collect();
    let is_wanted = |part| parts.is_empty() || parts.contains(&part);
    let entropies: &[Entropy] = if is_wanted(BYTES) {
        &[Entropy::Model, Entropy::Zstd]
    } else {
        &[]
    };
    for &entropy in entropies {
        println!(
            "{:<10} {:>8} {:>9} {:>6} {:>7} {:>6} {:>7} {:>5} {:>6} {:>21} {:>6} {:>21}",
            format!("{entropy:?}"),
            "pictures",
            "kB",
            "ratio",
            "first",
            "p50 B",
            "p99 B",
            "msgs",
            "max B",
            "encode ms (p50, p99)",
            "step",
            "decode ms (p50, p99)"
        );
        let mut ratios = Vec::new();
        for path in &paths {
            let ratio = play(path, Profile::new(entropy))
                .map_err(|error| format!("{}: {error}", path.display()))?;
            ratios.extend(ratio);
        }
        ratios.sort_by(f64::total_cmp);
        let mean = |ratios: &[f64]| {
            let logs: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
            (logs / ratios.len().max(1) as f64).exp()
        };
        if let [worst, .., _] = ratios.as_slice() {
            let but_best = ratios.get(..ratios.len() - 1).unwrap_or_default();
            println!(
                "without photo: geometric mean {:.2}, without the best {:.2}, worst {worst:.2}",
                mean(&ratios),
                mean(but_best)
            );
        }
    }
    for path in paths.iter().filter(|_| is_wanted(LINKS)) {
        println!();
        println!("{}, milliseconds from a capture to its arrival", name(path));
        println!("{}", link::Report::HEAD);
        for kbps in [380, 150, 60, 20] {
            let report = link::play(path, Profile::default(), kbps)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            println!("{}", report.row());
        }
    }
    if is_wanted(BYTES) {
        reconnects(&paths)?;
    }
    #[cfg(target_os = "linux")]
    if is_wanted(MEMORY) {
        memories(&paths)?;
    }
    Ok(())
}

fn reconnects(paths: &[PathBuf]) -> Result<(), Box<dyn Error>> {
    println!();
    println!(
        "bytes until the picture is right after a reconnect: one that stayed, the recording's first"
    );
    for path in paths {
        let (same, first) = reconnect(path)?;
        println!("{:<10} {same:>6} {first:>6}", name(path));
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn memories(paths: &[PathBuf]) -> Result<(), Box<dyn Error>> {
    println!();
    println!(
        "peak of the codec's memory in MB: device and operator's side, of the default and the small profile"
    );
    for path in paths {
        let mb = |(device, operator): (u64, u64)| {
            format!(
                "{:>8.1} {:>8.1}",
                device as f64 / 1e6,
                operator as f64 / 1e6
            )
        };
        let default = memory::measure(path, "default")?;
        let small = memory::measure(path, "small")?;
        println!("{:<10} {} {}", name(path), mb(default), mb(small));
    }
    Ok(())
}

/// Plays a recording, breaks the connection, and counts what it takes to go on: with the last picture, and with the
/// first one, which both sides still know.
fn reconnect(path: &Path) -> Result<(usize, usize), Box<dyn Error>> {
    let mut trace = Trace::open(path)?;
    let profile = Profile::default();
    let mut encoder = Encoder::new(trace.picture().size(), 1, profile);
    let mut decoder = Decoder::new(profile);
    let mut first = None;
    let mut last = 0;
    while let Some(at) = trace.advance()? {
        last = at;
        first.get_or_insert_with(|| trace.picture().clone());
        let at = Millis::new(at.into());
        send(&mut encoder, &mut decoder, trace.picture(), at)?;
    }
    encoder.resume(decoder.position());
    let at = Millis::new(u64::from(last) + 60_000);
    let stayed = send(&mut encoder, &mut decoder, trace.picture(), at)?;
    encoder.resume(decoder.position());
    let first = first.ok_or("an empty recording")?;
    let again = send(&mut encoder, &mut decoder, &first, at)?;
    if decoder.picture() != Some(&first) {
        return Err("the picture arrived changed".into());
    }
    Ok((stayed.bytes, again.bytes))
}

/// A recording's name.
fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
        .trim_end_matches(".ptr.zst")
}

/// What one picture cost.
#[derive(Default)]
struct Cost {
    bytes: usize,
    messages: usize,
    largest: usize,
    encode: Duration,
    step: Duration,
    decode: Duration,
}

/// Plays one recording; returns the ratio if it counts.
fn play(path: &Path, profile: Profile) -> Result<Option<f64>, Box<dyn Error>> {
    let mut trace = Trace::open(path)?;
    let mut encoder = Encoder::new(trace.picture().size(), 1, profile);
    let mut decoder = Decoder::new(profile);
    let mut costs = Vec::new();
    while let Some(at) = trace.advance()? {
        let cost = send(
            &mut encoder,
            &mut decoder,
            trace.picture(),
            Millis::new(at.into()),
        )?;
        if decoder.picture() != Some(trace.picture()) {
            return Err(format!("the picture at {at} ms arrived changed").into());
        }
        costs.push(cost);
    }
    let name = name(path);
    let bytes = sorted(&costs, |cost| cost.bytes);
    let encode = sorted(&costs, |cost| cost.encode);
    let decode = sorted(&costs, |cost| cost.decode);
    let total = bytes.iter().sum::<usize>() as f64 / 1e3;
    let peer = TIGHT_9.iter().find(|(known, _)| *known == name);
    let ratio = peer.map(|(_, tight)| tight / total);
    println!(
        "{:<10} {:>8} {:>9.1} {:>6} {:>7.1} {:>6} {:>7} {:>5} {:>6} {:>7.2} {:>6.2} {:>6.1} {:>6.1} {:>7.2} {:>6.2} {:>6.1}",
        name,
        costs.len(),
        total,
        ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        costs.first().map_or(0.0, |cost| cost.bytes as f64 / 1e3),
        at(&bytes, 50),
        at(&bytes, 99),
        costs.iter().map(|cost| cost.messages).sum::<usize>(),
        costs.iter().map(|cost| cost.largest).max().unwrap_or(0),
        mean(&encode),
        millis(at(&encode, 50)),
        millis(at(&encode, 99)),
        costs
            .iter()
            .map(|cost| millis(cost.step))
            .fold(0.0, f64::max),
        mean(&decode),
        millis(at(&decode, 50)),
        millis(at(&decode, 99)),
    );
    Ok(ratio.filter(|_| name != "photo"))
}

/// Steps until the decoder shows `picture`.
fn send(
    encoder: &mut Encoder,
    decoder: &mut Decoder,
    picture: &Frame,
    at: Millis,
) -> Result<Cost, Box<dyn Error>> {
    let mut cost = Cost::default();
    loop {
        let begin = measure::now();
        let step = encoder.step(picture, at);
        let took = measure::now() - begin;
        cost.encode += took;
        cost.step = cost.step.max(took);
        let Some(step) = step else { return Ok(cost) };
        let (header, body) = step.frame.split_at(HEADER_LEN);
        let begin = measure::now();
        let applied = decoder.apply(header[3], body)?;
        cost.decode += measure::now() - begin;
        if let Some(reply) = applied.reply {
            let (header, body) = reply.split_at(HEADER_LEN);
            encoder.handle(header[3], body)?;
        }
        cost.bytes += step.frame.len();
        cost.messages += 1;
        cost.largest = cost.largest.max(step.frame.len());
        if step.exact {
            return Ok(cost); // as a device does, until something changes
        }
    }
}

fn sorted<T: Ord>(costs: &[Cost], of: impl Fn(&Cost) -> T) -> Vec<T> {
    let mut all: Vec<T> = costs.iter().map(of).collect();
    all.sort_unstable();
    all
}

fn at<T: Copy + Default>(sorted: &[T], percent: usize) -> T {
    sorted
        .get(sorted.len() * percent / 100)
        .copied()
        .unwrap_or_default()
}

fn mean(times: &[Duration]) -> f64 {
    millis(times.iter().sum::<Duration>()) / times.len().max(1) as f64
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
