//! Pixels by what they differ from a prediction: photographs, and colours that nobody could guess.

use std::ops::Range;

use super::band::Band;
use crate::coder::{Bit, Coder};

/// What a channel's residual is expected to be like: 48 kinds of near-flat surroundings, 8 of others.
const SURROUNDINGS: usize = 56;
/// Slopes above which the surroundings count as steeper.
const STEEPS: [i32; 7] = [10, 16, 26, 44, 80, 160, 300];
/// How far green was off, when red and blue are coded.
const SIZES: usize = 4;
/// Decisions of one residual: zero, sign, 7 of the size, and 127 of what the size leaves open, from number 16 on.
const DECISIONS: usize = 16 + 127;
/// Photographs, and single colours.
const USES: usize = 2;
const CONTEXTS: usize = USES * KINDS * SURROUNDINGS;
/// Green, and red and blue by how far green was off.
const KINDS: usize = 1 + 2 * SIZES;

/// How many colours are recalled for a value of green.
const RECALLED: usize = 3;

/// Shifts of green, red and blue in a pixel, in the order in which they are coded.
const CHANNELS: [u32; 3] = [8, 16, 0];

/// Models of residuals.
pub(super) struct Residuals {
    bits: Vec<[Bit; DECISIONS]>,
    /// By the value of green: red and blue, as they were last time.
    recall: Vec<[u32; RECALLED]>,
    is_recalled: [[Bit; 2]; RECALLED],
    /// By whether the segment before was.
    is_old: [Bit; 2],
    was_old: bool,
}

impl Residuals {
    pub(super) fn new() -> Self {
        Self {
            bits: vec![[Bit::NEW; DECISIONS]; CONTEXTS],
            recall: vec![[0; RECALLED]; 256],
            is_recalled: [[Bit::NEW; 2]; RECALLED],
            is_old: [Bit::NEW; 2],
            was_old: false,
        }
    }

    /// Codes one segment of a photograph; `pixels` are what is to come there, when encoding.
    ///
    /// It may be there already: from the message before, which ended in the middle of the tile.
    pub(super) fn segment<C: Coder>(
        &mut self,
        coder: &mut C,
        band: &mut Band,
        range: Range<usize>,
        pixels: &[u32],
    ) {
        let is_old = !C::DECODES && pixels == band.old(&range);
        self.was_old = coder.bit(is_old, &mut self.is_old[usize::from(self.was_old)]);
        if self.was_old {
            return;
        }
        for (n, at) in range.enumerate() {
            let pixel = if C::DECODES { 0 } else { pixels[n] };
            let pixel = self.photo(coder, band, at, pixel);
            band.set(at, pixel);
        }
    }

    fn photo<C: Coder>(&mut self, coder: &mut C, band: &Band, at: usize, pixel: u32) -> u32 {
        let (green, error) = self.channel(coder, band, at, pixel, 0, 0, None);
        let (red, _) = self.channel(coder, band, at, pixel, 0, 1, Some(error));
        let (blue, _) = self.channel(coder, band, at, pixel, 0, 2, Some(error));
        red | green | blue
    }

    /// Codes a colour that was not guessed. Once green is told, the colours that had the same green are tried first.
    pub(super) fn colour<C: Coder>(
        &mut self,
        coder: &mut C,
        band: &Band,
        at: usize,
        pixel: u32,
    ) -> u32 {
        let (green, error) = self.channel(coder, band, at, pixel, 1, 0, None);
        let key = (green >> 8 & 0xff) as usize;
        let recall = self.recall[key];
        let is_mixed = usize::from(recall[0] != recall[1]);
        for rank in 0..RECALLED {
            if rank > 0 && recall[rank] == recall[rank - 1] {
                continue;
            }
            let is_it = pixel & 0x00ff_00ff == recall[rank];
            if coder.bit(is_it, &mut self.is_recalled[rank][is_mixed]) {
                self.recall[key][..=rank].rotate_right(1);
                return recall[rank] | green;
            }
        }
        let (red, _) = self.channel(coder, band, at, pixel, 1, 1, Some(error));
        let (blue, _) = self.channel(coder, band, at, pixel, 1, 2, Some(error));
        self.recall[key].rotate_right(1);
        self.recall[key][0] = red | blue;
        red | green | blue
    }

    /// Codes one channel; returns it in its place, and how far it was off what the surroundings say.
    #[expect(clippy::too_many_arguments, reason = "one pixel's surroundings")]
    #[inline]
    fn channel<C: Coder>(
        &mut self,
        coder: &mut C,
        band: &Band,
        at: usize,
        pixel: u32,
        purpose: usize,
        channel: usize,
        green: Option<i32>,
    ) -> (u32, i32) {
        let shift = CHANNELS[channel];
        let value = |pixel: u32| (pixel >> shift & 0xff) as i32;
        let left = value(band.near(at, 0, 1));
        let up = value(band.near(at, 1, 0));
        let corner = value(band.near(at, 1, 1));
        let right = value(band.near(at, 1, -1));
        let median = median(left, up, corner);
        let slope = (left - corner).abs() + (corner - up).abs() + (up - right).abs();
        let surroundings = if slope <= 6 {
            let steep = match slope {
                0 => 0,
                1..=2 => 1,
                _ => 2,
            };
            let left = dither(band, at - 8, shift);
            let up = dither(band, at - 8 * band.stride(), shift);
            (left * 4 + up) * 3 + steep
        } else {
            48 + STEEPS.iter().filter(|steep| **steep < slope).count()
        };
        let size = match green.map_or(0, i32::abs) {
            0 => 0,
            1..=2 => 1,
            3..=7 => 2,
            _ => 3,
        };
        let predicted = (median + green.unwrap_or(0)).clamp(0, 255);
        let kind = match channel {
            0 => 0,
            _ => 1 + (channel - 1) * SIZES + size,
        };
        let context = (purpose * KINDS + kind) * SURROUNDINGS + surroundings;
        // The difference modulo 256, from -128 on.
        let residual = i32::from((value(pixel) - predicted) as i8);
        let residual = residual_bits(coder, &mut self.bits[context], residual);
        let got = (predicted + residual) & 0xff;
        ((got as u32) << shift, got - median)
    }
}

/// The median of left, upper, and what continues both slopes.
fn median(left: i32, up: i32, corner: i32) -> i32 {
    (left + up - corner).clamp(left.min(up), left.max(up))
}

/// How the pixel 8 away was off its prediction: a dither will do the same here.
fn dither(band: &Band, at: usize, shift: u32) -> usize {
    let value = |pixel: u32| (pixel >> shift & 0xff) as i32;
    let (left, up, corner) = (
        value(band.near(at, 0, 1)),
        value(band.near(at, 1, 0)),
        value(band.near(at, 1, 1)),
    );
    match value(band.now(at)) - median(left, up, corner) {
        0 => 0,
        1 => 1,
        -1 => 2,
        _ => 3,
    }
}

/// Zero, sign, the number of bits, the bits: -128 to 127.
#[inline]
fn residual_bits<C: Coder>(coder: &mut C, bits: &mut [Bit; DECISIONS], residual: i32) -> i32 {
    if coder.bit(residual == 0, &mut bits[0]) {
        return 0;
    }
    let is_negative = coder.bit(residual < 0, &mut bits[1]);
    let size = residual.unsigned_abs().max(1); // 1 to 128
    let length = size.ilog2();
    let mut got = 0;
    while got < 7 && coder.bit(got < length, &mut bits[2 + got as usize]) {
        got += 1;
    }
    let mut number = 1;
    for at in (0..got).rev() {
        let bit = coder.bit(size >> at & 1 == 1, &mut bits[15 + number as usize]);
        number = number << 1 | u32::from(bit);
    }
    let number = number as i32;
    if is_negative { -number } else { number }
}
