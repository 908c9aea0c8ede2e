//! Tiles that may be shown before they are exact: brightness and colour by their frequencies, coarsely.
//!
//! Nothing of it is ever guessed from what it showed before, so a soft tile costs the same wherever it comes. What was
//! sent exactly costs no more after it than without it.

mod colour;
mod frequency;

use std::ops::Range;

use self::{colour::Planes, frequency::Block};
use super::band::Band;
use crate::{
    coder::{Bit, Coder, Number},
    tiles::TILE,
};

/// Side of a tile.
const SIDE: usize = TILE as usize;

/// Side of a block of frequencies, and their number.
const EDGE: usize = 8;
const AREA: usize = EDGE * EDGE;

/// Brightness, and the two of colour, which share their models.
const KINDS: usize = 2;

/// How the frequencies of a zigzag's steps lie, each as 8 * down + right.
static ZIGZAG: [u8; AREA] = zigzag();

/// How coarse a message's soft tiles are: the step of the mean of a block, in sixteenths of a brightness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Coarseness(u8);

impl Coarseness {
    /// `None` for 0.
    pub(crate) const fn new(steps: u8) -> Option<Self> {
        if steps == 0 { None } else { Some(Self(steps)) }
    }

    pub(crate) const fn get(self) -> u8 {
        self.0
    }

    /// What one counts of the frequency at this place of the zigzag: finer frequencies are seen less, and so are
    /// those of colour.
    fn step(self, kind: usize, at: usize) -> i32 {
        let place = usize::from(ZIGZAG[at]);
        let fineness = (place / EDGE + place % EDGE) as i32;
        let weight = match kind {
            0 => 16 + 2 * fineness,
            _ => 20 + 5 * fineness,
        };
        (weight * i32::from(self.0) + 8) >> 4
    }
}

/// Models of soft tiles.
pub(super) struct Soft {
    kinds: [Kind; KINDS],
}

/// Models of one kind of block.
struct Kind {
    /// Whether there is more after the last one, by place and how many there were.
    has_more: [[Bit; 4]; AREA],
    /// Whether it is not zero, by place and the size of the two before it.
    is_some: [[Bit; 4]; AREA],
    /// Whether it is larger, by how far along and the size of the two before it.
    is_larger: [[[Bit; GROWTH]; 4]; 4],
    rest: [Number; 2],
    /// Of the mean only.
    is_negative: Bit,
}

/// Sizes that are told one by one.
const GROWTH: usize = 14;

impl Kind {
    const NEW: Self = Self {
        has_more: [[Bit::NEW; 4]; AREA],
        is_some: [[Bit::NEW; 4]; AREA],
        is_larger: [[[Bit::NEW; GROWTH]; 4]; 4],
        rest: [const { Number::NEW }; 2],
        is_negative: Bit::NEW,
    };

    /// Codes the counts of a block, up to the last that is not zero.
    fn code<C: Coder>(&mut self, coder: &mut C, counts: &mut [i32; AREA]) {
        let end = counts
            .iter()
            .rposition(|count| *count != 0)
            .map_or(0, |last| last + 1);
        let (mut before, mut seen) = ([0, 0], 0_usize);
        let mut at = 0;
        while at < AREA && coder.bit(at < end, &mut self.has_more[at][seen.min(3)]) {
            // At least one more is not zero: the next of them that is not ends the run.
            loop {
                let around = (before[0] + before[1] + 1_i32) >> 1;
                let around = around.min(3) as usize;
                let is_last_place = at + 1 == AREA;
                let is_some =
                    is_last_place || coder.bit(counts[at] != 0, &mut self.is_some[at][around]);
                let size = if is_some {
                    self.size(coder, counts[at], at, around)
                } else {
                    0
                };
                if C::DECODES {
                    counts[at] = size;
                }
                before = [size.abs(), before[0]];
                at += 1;
                if is_some {
                    seen += 1;
                    break;
                }
            }
        }
    }

    /// Codes a count that is not zero.
    fn size<C: Coder>(&mut self, coder: &mut C, count: i32, at: usize, around: usize) -> i32 {
        let is_negative = if at == 0 {
            coder.bit(count < 0, &mut self.is_negative)
        } else {
            coder.even(u32::from(count < 0), 1) == 1
        };
        let along = match at {
            0 => 0,
            1..=5 => 1,
            6..=20 => 2,
            _ => 3,
        };
        let wanted = count.unsigned_abs();
        let mut size = 1;
        for bit in &mut self.is_larger[along][around] {
            if !coder.bit(wanted > size, bit) {
                return signed(size, is_negative);
            }
            size += 1;
        }
        let more = wanted.saturating_sub(size);
        size += self.rest[usize::from(at > 0)].code(coder, more);
        signed(size, is_negative)
    }
}

/// No count goes beyond this, so that nothing overflows.
const MAX_COUNT: u32 = 4095;

fn signed(size: u32, is_negative: bool) -> i32 {
    let size = size.min(MAX_COUNT) as i32;
    if is_negative { -size } else { size }
}

impl Soft {
    pub(super) fn new() -> Self {
        Self {
            kinds: [Kind::NEW; KINDS],
        }
    }

    /// Codes a tile of the band whose first line is `line`; `pixels` gives what is to come at a place, when encoding.
    pub(super) fn tile<C: Coder>(
        &mut self,
        coder: &mut C,
        band: &mut Band,
        line: Range<usize>,
        height: usize,
        coarseness: Coarseness,
        pixels: Option<&dyn Fn(usize, usize) -> u32>,
    ) {
        let width = line.len();
        let wanted = pixels.map(|pixel| Planes::of(width, height, pixel));
        let mut drawn = Planes::BLACK;
        for block in Block::ALL {
            let expected = drawn.expect(band, line.start, block);
            let mut counts = [0; AREA];
            if let Some(wanted) = &wanted {
                let differences = wanted.block(block).map(|value| value - expected);
                let amounts = frequency::forward(&differences);
                for (at, count) in counts.iter_mut().enumerate() {
                    *count = quantised(
                        amounts[usize::from(ZIGZAG[at])],
                        coarseness.step(block.kind(), at),
                        at,
                    );
                }
            }
            self.kinds[block.kind()].code(coder, &mut counts);
            let mut amounts = [0; AREA];
            for (at, count) in counts.into_iter().enumerate() {
                amounts[usize::from(ZIGZAG[at])] = count * coarseness.step(block.kind(), at);
            }
            drawn.draw(block, &frequency::inverse(&amounts), expected);
        }
        for y in 0..height {
            let start = line.start + y * band.stride();
            for x in 0..width {
                band.set(start + x, drawn.pixel(x, y));
            }
        }
    }
}

/// How often `step` goes into `amount`; what would cost more than it shows is left out.
fn quantised(amount: i32, step: i32, at: usize) -> i32 {
    let rounding = if at == 0 { step / 2 } else { step / 3 };
    let count = (amount.abs() + rounding) / step;
    let count = count.min(MAX_COUNT as i32);
    if amount < 0 { -count } else { count }
}

/// From the top left to the bottom right, along the diagonals, turning at the edges.
const fn zigzag() -> [u8; AREA] {
    let mut places = [0; AREA];
    let (mut at, mut diagonal) = (0, 0);
    while diagonal < 2 * EDGE - 1 {
        let mut n = 0;
        while n <= diagonal {
            let (down, right) = if diagonal % 2 == 0 {
                (diagonal - n, n)
            } else {
                (n, diagonal - n)
            };
            if down < EDGE && right < EDGE {
                places[at] = (down * EDGE + right) as u8;
                at += 1;
            }
            n += 1;
        }
        diagonal += 1;
    }
    places
}

#[cfg(test)]
mod tests;
