//! A recording over a narrow link: what is seen when.

use std::{
    collections::VecDeque,
    error::Error,
    path::Path,
    time::{Duration, Instant},
};

use alongside_panel::{Decoder, Frame, Profile, Progress, Sameness, Sender, tiles::TileGrid};
use alongside_protocol::{Kbps, frame::HEADER_LEN, units::Millis};

use crate::{measure, trace::Trace};

/// Half the round trip, in milliseconds.
const ONE_WAY: f64 = 30.0;
/// Largest payload of a packet, and what its headers (IPv4, UDP, QUIC with its seal) take.
const PAYLOAD: usize = 1_200;
const HEADERS: usize = 72;
/// Milliseconds without another picture after which one is at rest.
const REST: u64 = 400;
/// Longest time that a recording goes on after its end until its last picture is exact.
const PATIENCE: u64 = 120_000;

/// One picture that was captured, and when it was seen.
struct Capture {
    at: u64,
    tiles: usize,
    visible: Option<f64>,
    exact: Option<f64>,
}

/// What a recording came to over a link.
pub(crate) struct Report {
    pub(crate) kbps: u32,
    bytes: usize,
    millis: u64,
    encode: Duration,
    worst: Duration,
    tiles: usize,
    captures: Vec<Capture>,
    /// How long the link had still to do, at every millisecond.
    queues: Vec<f64>,
    /// Decibels of what was visible and not exact, at its first sight.
    likeness: Vec<f64>,
}

struct Way {
    start: Instant,
    now: u64,
    rate: Kbps,
    free_at: f64,
    /// When each acknowledgement is back.
    replies: VecDeque<(f64, Vec<u8>)>,
}

impl Way {
    fn instant(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    /// When a message of so many bytes arrives.
    fn carry(&mut self, bytes: usize) -> f64 {
        let bytes = bytes + bytes.div_ceil(PAYLOAD) * HEADERS;
        let takes = bytes as f64 * 8.0 / f64::from(self.rate.as_u32());
        self.free_at = self.free_at.max(self.now as f64) + takes;
        self.free_at + ONE_WAY
    }
}

/// Plays a recording over a link.
pub(crate) fn play(path: &Path, profile: Profile, kbps: u32) -> Result<Report, Box<dyn Error>> {
    let mut trace = Trace::open(path)?;
    let size = trace.picture().size();
    #[expect(clippy::disallowed_methods, reason = "an instant to count from")]
    let start = Instant::now();
    let mut way = Way {
        start,
        now: 0,
        rate: Kbps::new(kbps),
        free_at: 0.0,
        replies: VecDeque::new(),
    };
    let mut sender = Sender::new(start, size, 1, profile);
    let mut decoder = Decoder::new(profile);
    let mut report = Report {
        kbps,
        bytes: 0,
        millis: 0,
        encode: Duration::ZERO,
        worst: Duration::ZERO,
        tiles: TileGrid::new(size).count(),
        captures: Vec::new(),
        queues: Vec::new(),
        likeness: Vec::new(),
    };
    let mut picture = Frame::black(size);
    let mut next = trace.advance()?.map(u64::from);
    let (mut is_idle, mut next_step, mut end) = (true, 0, 0);
    while next.is_some() || !is_idle || sender.wakes_at().is_some() {
        while let Some(at) = next.filter(|at| *at <= way.now) {
            let tiles = TileGrid::new(size).changed(&picture, trace.picture()).len();
            picture.clone_from(trace.picture());
            report.captures.push(Capture {
                at,
                tiles,
                visible: None,
                exact: None,
            });
            is_idle = false;
            end = at;
            next = trace.advance()?.map(u64::from);
        }
        while let Some((_, reply)) = way.replies.pop_front_if_due(way.now) {
            sender.handle(way.instant(), reply[3], &reply[HEADER_LEN..])?;
        }
        let now = way.instant();
        let is_due = !is_idle || sender.wakes_at().is_some_and(|at| at <= now);
        if is_due && !report.captures.is_empty() && way.now >= next_step && sender.can_send(now) {
            let begin = measure::now();
            let at = Millis::new(1_000_000 + way.now);
            let step = sender.step(now, &picture, Sameness::Unknown, at);
            let took = measure::now() - begin;
            next_step = way.now + sender.interval().as_millis() as u64;
            report.encode += took;
            report.worst = report.worst.max(took);
            is_idle = step.as_ref().is_none_or(|step| step.exact);
            if let Some(step) = step {
                let applied = decoder.apply(step.frame[3], &step.frame[HEADER_LEN..])?;
                report.bytes += step.frame.len();
                let arrives = way.carry(step.frame.len());
                way.replies
                    .extend(applied.reply.map(|reply| (arrives + ONE_WAY, reply)));
                if step.visible
                    && !step.exact
                    && report
                        .captures
                        .last()
                        .is_some_and(|it| it.visible.is_none())
                {
                    report.likeness.push(likeness(decoder.picture(), &picture));
                }
                report.saw(&step, arrives);
            }
        }
        if next.is_some() {
            report.queues.push((way.free_at - way.now as f64).max(0.0));
        }
        way.now += 1;
        if way.now > end + PATIENCE {
            break;
        }
    }
    if sender.progress() == Progress::Exact && decoder.picture() != Some(&picture) {
        return Err("the last picture arrived changed".into());
    }
    report.millis = end;
    Ok(report)
}

trait Due {
    fn pop_front_if_due(&mut self, now: u64) -> Option<(f64, Vec<u8>)>;
}

impl Due for VecDeque<(f64, Vec<u8>)> {
    fn pop_front_if_due(&mut self, now: u64) -> Option<(f64, Vec<u8>)> {
        if self.front()?.0 > now as f64 {
            return None;
        }
        self.pop_front()
    }
}

impl Report {
    fn saw(&mut self, step: &alongside_panel::Step, at: f64) {
        for capture in &mut self.captures {
            if step.visible {
                capture.visible.get_or_insert(at);
            }
            if step.exact {
                capture.exact.get_or_insert(at);
            }
        }
    }

    /// Milliseconds from a picture that stays to when it was seen: 50 and 100 of 100. The first one does not count.
    fn rests(&self) -> [Option<f64>; 2] {
        let next = self.captures.iter().skip(2).map(|next| next.at);
        let stays = self.captures.iter().skip(1).zip(next.chain([u64::MAX]));
        let mut waits: Vec<f64> = stays
            .filter(|(capture, next)| next - capture.at >= REST)
            .map(|(it, _)| it.visible.map_or(f64::INFINITY, |at| at - it.at as f64))
            .collect();
        waits.sort_by(f64::total_cmp);
        [part(&waits, 50), waits.last().copied()]
    }

    /// Milliseconds from a capture to when it, or something newer, was seen: (50, 99 of 100) visible, exact.
    fn waits(&self, wanted: impl Fn(f64) -> bool) -> [Option<f64>; 4] {
        let all = self.captures.iter().skip(1);
        let of_size = |capture: &&Capture| wanted(capture.tiles as f64 / self.tiles as f64);
        let chosen: Vec<_> = all.filter(of_size).collect();
        let waits = |seen: fn(&Capture) -> Option<f64>| {
            let mut waits: Vec<f64> = chosen
                .iter()
                .map(|capture| seen(capture).map_or(f64::INFINITY, |at| at - capture.at as f64))
                .collect();
            waits.sort_by(f64::total_cmp);
            waits
        };
        let (visible, exact) = (waits(|it| it.visible), waits(|it| it.exact));
        [
            part(&visible, 50),
            part(&visible, 99),
            part(&exact, 50),
            part(&exact, 99),
        ]
    }

    pub(crate) const HEAD: &'static str = "kbps  mean kbps  first vis/exact   small: vis p50/p99    exact p50/p99   mid: vis p50/p99   large: vis p50/p99    exact p50/p99     rest: vis p50/max   end: vis/exact   queue p99/max  dB p50/min  CPU ms/s  worst ms";

    pub(crate) fn row(&self) -> String {
        let first = self.captures.first();
        let after =
            |seen: Option<f64>| seen.map(|seen| seen - first.map_or(0.0, |it| it.at as f64));
        let two = |a: Option<f64>, b: Option<f64>| format!("{}/{}", whole(a), whole(b));
        let small = self.waits(|share| share < 0.05);
        let mid = self.waits(|share| (0.05..0.4).contains(&share));
        let large = self.waits(|share| share >= 0.4);
        let rests = self.rests();
        let last = self.captures.last();
        let wait =
            |seen: fn(&Capture) -> Option<f64>| last.and_then(|it| Some(seen(it)? - it.at as f64));
        let end = [wait(|it| it.visible), wait(|it| it.exact)];
        let mut queues = self.queues.clone();
        queues.sort_by(f64::total_cmp);
        let mut likeness = self.likeness.clone();
        likeness.sort_by(f64::total_cmp);
        format!(
            "{:>4} {:>10.0} {:>16} {:>20} {:>16} {:>18} {:>20} {:>16} {:>20} {:>16} {:>15} {:>11} {:>9.1} {:>9.1}",
            self.kbps,
            self.bytes as f64 * 8.0 / self.millis.max(1) as f64,
            two(
                after(first.and_then(|it| it.visible)),
                after(first.and_then(|it| it.exact))
            ),
            two(small[0], small[1]),
            two(small[2], small[3]),
            two(mid[0], mid[1]),
            two(large[0], large[1]),
            two(large[2], large[3]),
            two(rests[0], rests[1]),
            two(end[0], end[1]),
            two(part(&queues, 99), queues.last().copied()),
            two(part(&likeness, 50), likeness.first().copied()),
            self.encode.as_secs_f64() * 1e6 / self.millis.max(1) as f64,
            self.worst.as_secs_f64() * 1e3,
        )
    }
}

fn part(sorted: &[f64], percent: usize) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last * percent + 50) / 100).copied()
}

fn whole(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value.is_infinite() => "never".to_owned(),
        Some(value) => format!("{value:.0}"),
    }
}

/// Peak signal to noise, in decibels over all three channels.
fn likeness(shown: Option<&Frame>, wanted: &Frame) -> f64 {
    let Some(shown) = shown else { return 0.0 };
    let square = |(a, b): (&u32, &u32)| -> u64 {
        let (a, b) = (a.to_be_bytes(), b.to_be_bytes());
        let channels = a.iter().zip(b);
        channels.map(|(a, b)| u64::from(a.abs_diff(b)).pow(2)).sum()
    };
    let pixels = shown.pixels().iter().zip(wanted.pixels());
    let sum: u64 = pixels.map(square).sum();
    let mean = sum as f64 / (3.0 * wanted.pixels().len() as f64);
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}
