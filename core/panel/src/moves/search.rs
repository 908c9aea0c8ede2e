//! Finding out what moved, and how far.
//!
//! The changed area is cut into lanes along one axis. Each line of a lane votes for how far it must have moved, if it is
//! found once in the picture shown; the displacement with most votes wins, and stretches that it explains become
//! rectangles.

use alongside_protocol::units::PanelRect;

use super::{MAX_MOVES, Move};
use crate::frame::{Frame, RGB};

/// Width of a lane in pixels.
const LANE: usize = 32;
/// Shortest way along the axis in which a move is looked for, in pixels.
const MIN_WAY: usize = 48;
/// Fewest lines that must have moved the same way.
const MIN_VOTES: u32 = 24;
/// Shortest stretch of a lane that is worth a move, and fewest of its lines that change by it.
const MIN_STRETCH: usize = 12;
const MIN_GAIN: usize = 6;
/// Fewest lines, over all its lanes, in a rectangle.
const MIN_LINES: usize = 24;
/// How far the ends of stretches in neighbouring lanes may differ in sum for them to become one rectangle.
const MAX_SKEW: usize = 24;
/// Lines that, moved up or down, make a search along the other axis unnecessary.
const PLENTY: usize = 200;

/// Slots of the table that lines are looked up in: twice the longest way.
const SLOTS: usize = 8192;

/// Which way things move.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Axis {
    Down,
    Right,
}

/// Looks for moves; keeps its memory from one search to the next.
#[derive(Default)]
pub(crate) struct Search {
    new: Vec<Line>,
    old: Vec<Line>,
    slots: Vec<Slot>,
    round: u32,
    votes: Vec<u32>,
    stretches: Vec<Stretch>,
}

/// A line of a lane: what hash it has, and whether it is of one colour. Should two lines with the same hash differ,
/// a move is found that brings nothing.
#[derive(Clone, Copy)]
struct Line {
    hash: u32,
    is_plain: bool,
}

/// Where a line stands in the lane; used only if of the round.
#[derive(Clone, Copy, Default)]
struct Slot {
    round: u32,
    at: u32,
    is_twice: bool,
}

/// Lines of neighbouring lanes that moved.
#[derive(Clone, Copy)]
struct Stretch {
    lanes: (usize, usize),
    lines: (usize, usize),
}

impl Search {
    /// The moves inside `area` that make `shown` more like `target`.
    pub(crate) fn find(&mut self, shown: &Frame, target: &Frame, area: PanelRect) -> Vec<Move> {
        let (down, lines) = self.along(Axis::Down, shown, target, area);
        if lines > PLENTY {
            return down;
        }
        let (right, more) = self.along(Axis::Right, shown, target, area);
        if more > lines { right } else { down }
    }

    /// The moves along one axis, and how many lines they move.
    fn along(
        &mut self,
        axis: Axis,
        shown: &Frame,
        target: &Frame,
        area: PanelRect,
    ) -> (Vec<Move>, usize) {
        let (across, way) = match axis {
            Axis::Down => (area.width, area.height),
            Axis::Right => (area.height, area.width),
        };
        let (lanes, way) = (usize::from(across).div_ceil(LANE), usize::from(way));
        if way < MIN_WAY {
            return (Vec::new(), 0);
        }
        lines(axis, target, area, &mut self.new);
        lines(axis, shown, area, &mut self.old);
        let Some(by) = self.elect(lanes, way) else {
            return (Vec::new(), 0);
        };
        self.stretch(lanes, way, by);
        let count = |it: &Stretch| (it.lanes.1 - it.lanes.0) * (it.lines.1 - it.lines.0);
        let found = self.stretches.iter().map(count).sum();
        let worthy = self.stretches.iter().filter(|it| count(it) >= MIN_LINES);
        let moves = worthy.take(MAX_MOVES).filter_map(|it| {
            let first = it.lanes.0 * LANE;
            let wide = (it.lanes.1 * LANE).min(across.into()) - first;
            let first = u16::try_from(first).ok()?;
            let wide = u16::try_from(wide).ok()?;
            let start = u16::try_from(it.lines.0).ok()?;
            let long = u16::try_from(it.lines.1 - it.lines.0).ok()?;
            let by = i16::try_from(by).ok()?;
            Some(match axis {
                Axis::Down => Move {
                    to: PanelRect {
                        x: area.x + first,
                        y: area.y + start,
                        width: wide,
                        height: long,
                    },
                    by: (0, by),
                },
                Axis::Right => Move {
                    to: PanelRect {
                        x: area.x + start,
                        y: area.y + first,
                        width: long,
                        height: wide,
                    },
                    by: (by, 0),
                },
            })
        });
        (moves.collect(), found)
    }

    /// The displacement that most lines vote for.
    fn elect(&mut self, lanes: usize, way: usize) -> Option<isize> {
        self.slots.resize(SLOTS, Slot::default());
        self.votes.clear();
        self.votes.resize(2 * way, 0);
        for (new, old) in self.new.chunks(way).zip(self.old.chunks(way)).take(lanes) {
            self.round = self.round.wrapping_add(1);
            for (at, line) in old.iter().enumerate() {
                let slot = look(&mut self.slots, self.round, old, line.hash);
                *slot = Slot {
                    round: self.round,
                    at: at as u32,
                    is_twice: slot.round == self.round,
                };
            }
            for (at, (line, before)) in new.iter().zip(old).enumerate() {
                if line.is_plain || line.hash == before.hash {
                    continue;
                }
                let slot = look(&mut self.slots, self.round, old, line.hash);
                if slot.round == self.round && !slot.is_twice {
                    self.votes[way + at - slot.at as usize] += 1;
                }
            }
        }
        let ranked = self.votes.iter().enumerate();
        let (at, votes) = ranked.max_by_key(|(at, votes)| (**votes, way.abs_diff(*at)))?;
        (*votes >= MIN_VOTES).then_some(at.cast_signed() - way.cast_signed())
    }

    /// The stretches that `by` explains, joined over lanes where they are alike.
    fn stretch(&mut self, lanes: usize, way: usize, by: isize) {
        self.stretches.clear();
        for lane in 0..lanes {
            let new = &self.new[lane * way..(lane + 1) * way];
            let old = &self.old[lane * way..(lane + 1) * way];
            let has_moved = |at: usize| {
                let from = at.checked_add_signed(-by).and_then(|from| old.get(from));
                from.is_some_and(|from| from.hash == new[at].hash)
            };
            let mut at = 0;
            while at < way {
                if !has_moved(at) {
                    at += 1;
                    continue;
                }
                let start = at;
                let mut gain = 0;
                while at < way && has_moved(at) {
                    gain += usize::from(new[at].hash != old[at].hash);
                    at += 1;
                }
                if at - start < MIN_STRETCH || gain < MIN_GAIN {
                    continue;
                }
                let beside = self.stretches.iter_mut().find(|it| {
                    let (first, last) = it.lines;
                    it.lanes.1 == lane
                        && first.abs_diff(start) + last.abs_diff(at) <= MAX_SKEW
                        && first.max(start) < last.min(at)
                });
                match beside {
                    Some(it) => {
                        it.lanes.1 = lane + 1;
                        it.lines = (it.lines.0.max(start), it.lines.1.min(at));
                    }
                    None => self.stretches.push(Stretch {
                        lanes: (lane, lane + 1),
                        lines: (start, at),
                    }),
                }
            }
        }
    }
}

/// The slot of a line of `old` with this hash, or a free one.
fn look<'a>(slots: &'a mut [Slot], round: u32, old: &[Line], hash: u32) -> &'a mut Slot {
    let mut at = (hash >> 16) as usize % SLOTS;
    loop {
        let slot = slots[at];
        if slot.round != round || old[slot.at as usize].hash == hash {
            return &mut slots[at];
        }
        at = (at + 1) % SLOTS;
    }
}

/// The lines of every lane, lane by lane.
fn lines(axis: Axis, frame: &Frame, area: PanelRect, out: &mut Vec<Line>) {
    const NEW: Line = Line {
        hash: 0x9e37_79b9,
        is_plain: true,
    };
    let rows = crate::tiles::rows(frame, area);
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    out.clear();
    match axis {
        Axis::Down => {
            out.resize(width.div_ceil(LANE) * height, NEW);
            for (y, row) in rows.enumerate() {
                for (lane, pixels) in row.chunks(LANE).enumerate() {
                    out[lane * height + y] = Line::of(pixels);
                }
            }
        }
        Axis::Right => {
            out.resize(height.div_ceil(LANE) * width, NEW);
            let mut first: &[u32] = &[];
            for (y, row) in rows.enumerate() {
                if y % LANE == 0 {
                    first = row;
                }
                let lane = &mut out[y / LANE * width..][..width];
                for ((line, pixel), first) in lane.iter_mut().zip(row).zip(first) {
                    line.add(*pixel, *first);
                }
            }
        }
    }
}

impl Line {
    /// A line that lies along the memory, two pixels at a time.
    fn of(pixels: &[u32]) -> Self {
        let first = pixels.first().copied().unwrap_or(0);
        let mut hash = 0_u64;
        let (pairs, odd) = pixels.as_chunks();
        let odd = odd.first().map(|odd| [*odd, 0]);
        for [a, b] in pairs.iter().copied().chain(odd) {
            let pair = u64::from(a & RGB) << 32 | u64::from(b & RGB);
            hash = (hash.rotate_left(23) ^ pair).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        Self {
            hash: (hash >> 32) as u32,
            is_plain: pixels.iter().all(|pixel| *pixel == first),
        }
    }

    fn add(&mut self, pixel: u32, first: u32) {
        let mixed = (self.hash.rotate_left(7) ^ pixel & RGB).wrapping_mul(0x9e37_79b1);
        self.hash = mixed ^ mixed >> 15;
        self.is_plain &= pixel == first;
    }
}
