//! Finding out what moved, and how far.
//!
//! The changed area is cut into lanes along one axis. Each line of a lane votes for how far it must have moved, if it is
//! found once in the picture shown; the displacement with most votes wins, and stretches that it explains become
//! rectangles.

use alongside_protocol::units::PanelRect;

use super::{MAX_MOVES, Move, Plane};
use crate::{frame::Frame, tiles};

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
    new: Vec<u32>,
    old: Vec<u32>,
    /// Which lines of the new picture are of one colour.
    is_plain: Vec<bool>,
    slots: Vec<Slot>,
    round: u32,
    votes: Vec<u32>,
    stretches: Vec<Stretch>,
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
    pub(crate) fn find(
        &mut self,
        shown: &impl Plane,
        target: &Frame,
        area: PanelRect,
    ) -> Vec<Move> {
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
        shown: &impl Plane,
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
        match axis {
            Axis::Down => self.lines_down(shown, target, area),
            Axis::Right => self.lines_right(shown, target, area),
        }
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

    /// Hashes the lines of every lane, lane by lane. Should two with the same hash differ, a move is found that
    /// brings nothing.
    fn lines_down<P: Plane>(&mut self, shown: &P, target: &Frame, area: PanelRect) {
        let height = usize::from(area.height);
        self.clear(usize::from(area.width).div_ceil(LANE) * height);
        let olds = tiles::rows_of(shown.values(), shown.size(), area);
        let rows = tiles::rows(target, area).zip(olds);
        let mut values = [P::Value::default(); LANE];
        for (y, (new, old)) in rows.enumerate() {
            for (lane, (new, old)) in new.chunks(LANE).zip(old.chunks(LANE)).enumerate() {
                let values = &mut values[..new.len()];
                for (value, pixel) in values.iter_mut().zip(new) {
                    *value = P::value(*pixel);
                }
                let at = lane * height + y;
                self.is_plain[at] = new.iter().all(|pixel| *pixel == new[0]);
                self.new[at] = hash(values);
                self.old[at] = if values == old {
                    self.new[at]
                } else {
                    hash(old)
                };
            }
        }
    }

    /// As [`lines_down`](Self::lines_down), for lines that stand across the memory.
    fn lines_right<P: Plane>(&mut self, shown: &P, target: &Frame, area: PanelRect) {
        let width = usize::from(area.width);
        self.clear(usize::from(area.height).div_ceil(LANE) * width);
        let mut first: &[u32] = &[];
        let olds = tiles::rows_of(shown.values(), shown.size(), area);
        let rows = tiles::rows(target, area).zip(olds);
        for (y, (new, old)) in rows.enumerate() {
            if y % LANE == 0 {
                first = new;
            }
            let lane = y / LANE * width..(y / LANE + 1) * width;
            for (hash, pixel) in self.new[lane.clone()].iter_mut().zip(new) {
                *hash = mix(*hash, P::value(*pixel).into());
            }
            for (hash, value) in self.old[lane.clone()].iter_mut().zip(old) {
                *hash = mix(*hash, (*value).into());
            }
            for (is_plain, (pixel, first)) in
                self.is_plain[lane].iter_mut().zip(new.iter().zip(first))
            {
                *is_plain &= pixel == first;
            }
        }
    }

    fn clear(&mut self, lines: usize) {
        self.new.clear();
        self.new.resize(lines, 0);
        self.old.clear();
        self.old.resize(lines, 0);
        self.is_plain.clear();
        self.is_plain.resize(lines, true);
    }

    /// The displacement that most lines vote for.
    fn elect(&mut self, lanes: usize, way: usize) -> Option<isize> {
        self.slots.resize(SLOTS, Slot::default());
        self.votes.clear();
        self.votes.resize(2 * way, 0);
        let pictures = self.new.chunks(way).zip(self.old.chunks(way));
        for ((new, old), plain) in pictures.zip(self.is_plain.chunks(way)).take(lanes) {
            self.round = self.round.wrapping_add(1);
            for (at, line) in old.iter().enumerate() {
                let slot = look(&mut self.slots, self.round, old, *line);
                *slot = Slot {
                    round: self.round,
                    at: at as u32,
                    is_twice: slot.round == self.round,
                };
            }
            for (at, (line, before)) in new.iter().zip(old).enumerate() {
                if plain[at] || line == before {
                    continue;
                }
                let slot = look(&mut self.slots, self.round, old, *line);
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
                from == Some(&new[at])
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
                    gain += usize::from(new[at] != old[at]);
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
fn look<'a>(slots: &'a mut [Slot], round: u32, old: &[u32], hash: u32) -> &'a mut Slot {
    let mut at = (hash >> 16) as usize % SLOTS;
    loop {
        let slot = slots[at];
        if slot.round != round || old[slot.at as usize] == hash {
            return &mut slots[at];
        }
        at = (at + 1) % SLOTS;
    }
}

/// One pixel more of a line.
fn mix(hash: u32, pixel: u32) -> u32 {
    let mixed = (hash.rotate_left(7) ^ pixel).wrapping_mul(0x9e37_79b1);
    mixed ^ mixed >> 15
}

/// A whole line: a sum of products of two pixels each, with a key of its own for each place.
fn hash<V: Copy + Into<u32>>(values: &[V]) -> u32 {
    let mut sum = 0_u64;
    let (pairs, odd) = values.as_chunks::<2>();
    let (keys, _) = KEYS.as_chunks::<2>();
    for ([a, b], [for_a, for_b]) in pairs.iter().zip(keys) {
        let (a, b) = ((*a).into(), (*b).into());
        let product =
            u64::from(a.wrapping_add(*for_a)).wrapping_mul(u64::from(b.wrapping_add(*for_b)));
        sum = sum.wrapping_add(product);
    }
    if let [odd] = odd {
        let odd: u32 = (*odd).into();
        sum = sum.wrapping_add(u64::from(odd).wrapping_mul(u64::from(KEYS[0])));
    }
    ((sum ^ sum >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

static KEYS: [u32; LANE] = keys();

const fn keys() -> [u32; LANE] {
    let mut keys = [0; LANE];
    let mut state = 0_u64;
    let mut at = 0;
    while at < LANE {
        state = state
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        keys[at] = (state >> 32) as u32;
        at += 1;
    }
    keys
}
