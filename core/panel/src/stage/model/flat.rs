//! Pixels by guesses: drawings, text, dithered gradients.

use std::ops::Range;

use super::{band::Band, residual::Residuals};
use crate::{
    coder::{Bit, Coder},
    mixing::Weights,
};

/// How a segment, the pixels of a tile's row, was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trail {
    Pixels,
    /// Like the row above.
    Upper,
    /// As it was before.
    Old,
}

/// Guesses that are made for a pixel.
const GUESSES: usize = 15;

const COLOUR: u32 = 0x00ff_ffff;

/// Which colour followed where it looked the same.
pub(super) struct Flat {
    table_log: u8,
    /// By the four neighbours and the old colour.
    near: Vec<Guess>,
    /// By six neighbours: the last two.
    six: Vec<Pair>,
    /// By thirteen.
    wide: Vec<Guess>,
    /// By left and upper neighbour: the last two.
    two: Vec<Pair>,
    /// By the old colour, that of the left, and the new one of the left.
    turned: Vec<Guess>,
    /// By the old colour alone.
    faded: Vec<Guess>,
    /// Whether a guess is right: by how far the search for it came, by what agrees with it, and by the neighbours.
    by_course: Vec<Bit>,
    by_accord: Vec<Bit>,
    by_place: Vec<Bit>,
    weights: [[Weights; 4]; GUESSES],
    is_upper: [Bit; 32],
    is_old: [Bit; 32],
}

/// A colour, and in the top byte how often it was right.
#[derive(Clone, Copy, Default)]
struct Guess(u32);

/// Two colours, the newer one first.
#[derive(Clone, Copy, Default)]
struct Pair([Guess; 2]);

impl Guess {
    fn colour(self) -> u32 {
        self.0 & COLOUR
    }

    fn trust(self) -> usize {
        (self.0 >> 24) as usize & 3
    }

    fn new(colour: u32, trust: u32) -> Self {
        Self(colour | trust.min(3) << 24)
    }

    /// Trusts the colour more, or less, or takes the other one in its place with `fresh` trust.
    #[inline]
    fn learn(&mut self, colour: u32) {
        let trust = self.0 >> 24;
        *self = if self.colour() == colour {
            Self::new(colour, trust + 1)
        } else if trust > 1 {
            Self::new(self.colour(), trust - 2)
        } else {
            Self::new(colour, 0)
        };
    }

    /// As [`learn`](Self::learn), but takes a new colour at once.
    #[inline]
    fn follow(&mut self, colour: u32) {
        *self = if self.colour() == colour {
            Self::new(colour, (self.0 >> 24) + 1)
        } else {
            Self::new(colour, 1)
        };
    }
}

impl Pair {
    #[inline]
    fn learn(&mut self, colour: u32) {
        let [first, second] = self.0;
        self.0 = if first.colour() == colour {
            [Guess::new(colour, (first.0 >> 24) + 1), second]
        } else if second.colour() == colour {
            [Guess::new(colour, 1), Guess::new(first.colour(), 0)]
        } else {
            [Guess::new(colour, 0), Guess::new(first.colour(), 0)]
        };
    }
}

/// Mixes numbers into the place in a table.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    #[inline]
    fn with(self, value: u32) -> Self {
        Self(
            (self.0 ^ u64::from(value))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29),
        )
    }

    #[inline]
    fn place(self, log: u8) -> usize {
        (self.0.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> (64 - u32::from(log))) as usize
    }
}

impl Flat {
    pub(super) fn new(table_log: u8) -> Self {
        let size = 1 << table_log;
        Self {
            table_log,
            near: vec![Guess::default(); size],
            six: vec![Pair::default(); size],
            wide: vec![Guess::default(); 2 * size],
            two: vec![Pair::default(); size],
            turned: vec![Guess::default(); size],
            faded: vec![Guess::default(); size],
            by_course: vec![Bit::NEW; GUESSES * 4 * 4 * 4 * 4],
            by_accord: vec![Bit::NEW; GUESSES << 10],
            by_place: vec![Bit::NEW; size],
            weights: [[Weights::NEW; 4]; GUESSES],
            is_upper: [Bit::NEW; 32],
            is_old: [Bit::NEW; 32],
        }
    }

    /// Codes one segment of the band; `pixels` are what is to come there, when encoding.
    #[expect(clippy::too_many_arguments, reason = "what the segment stands in")]
    pub(super) fn code<C: Coder>(
        &mut self,
        coder: &mut C,
        residuals: &mut Residuals,
        band: &mut Band,
        range: Range<usize>,
        pixels: &[u32],
        (left, above): (Trail, Trail),
        misses: &mut usize,
    ) -> Trail {
        let are_alike = band.upper(&range) == band.old(&range);
        let is_upper = !C::DECODES && pixels == band.upper(&range);
        let is_old = !C::DECODES && pixels == band.old(&range);
        let context = (left as usize * 3 + above as usize) * 2 + usize::from(are_alike);
        if coder.bit(is_upper, &mut self.is_upper[context]) {
            band.copy_upper(range);
            return Trail::Upper;
        }
        if !are_alike && coder.bit(is_old, &mut self.is_old[context]) {
            band.copy_old(range);
            return Trail::Old;
        }
        for (n, at) in range.enumerate() {
            let pixel = if C::DECODES { 0 } else { pixels[n] };
            let pixel = self.pixel(coder, residuals, band, at, pixel, misses);
            band.set(at, pixel);
        }
        Trail::Pixels
    }

    #[inline]
    fn pixel<C: Coder>(
        &mut self,
        coder: &mut C,
        residuals: &mut Residuals,
        band: &mut Band,
        at: usize,
        pixel: u32,
        misses: &mut usize,
    ) -> u32 {
        let (w, n) = (band.near(at, 0, 1), band.near(at, 1, 0));
        let (nw, ne) = (band.near(at, 1, 1), band.near(at, 1, -1));
        let (ww, nn) = (band.near(at, 0, 2), band.near(at, 2, 0));
        let (old, old_w) = (band.before(at), band.before(at - 1));
        let log = self.table_log;
        let two = Hash(5).with(w).with(n);
        let four = two.with(nw).with(ne);
        let near = four.with(old).place(log);
        let six = four.with(ww).with(nn).with(1).place(log);
        let wide = four
            .with(ww)
            .with(nn)
            .with(band.near(at, 0, 3))
            .with(band.near(at, 0, 4))
            .with(band.near(at, 1, 2))
            .with(band.near(at, 1, -2))
            .with(band.near(at, 2, 1))
            .with(band.near(at, 2, -1))
            .with(band.near(at, 3, 0))
            .place(log + 1);
        let place = two.with(nw);
        let two = two.place(log);
        let faded = Hash(9).with(old);
        let turned = faded.with(w).with(old_w).place(log);
        let faded = faded.place(log);

        let (by_near, by_wide) = (self.near[near], self.wide[wide]);
        let (by_six, by_two) = (self.six[six].0, self.two[two].0);
        let (by_turned, by_faded) = (self.turned[turned], self.faded[faded]);
        let (w8, n8) = (band.near(at, 0, 8), band.near(at, 8, 0));
        let (first, second) = if by_wide.trust() > by_near.trust() {
            (by_wide, by_near)
        } else {
            (by_near, by_wide)
        };
        let agree = |a: bool, b: bool| usize::from(a) | usize::from(b) << 1;
        // Each guess, and how much speaks for it.
        let guesses: [(u32, usize); GUESSES] = [
            (first.colour(), first.trust()),
            (second.colour(), second.trust()),
            (by_six[0].colour(), by_six[0].trust()),
            (by_turned.colour(), by_turned.trust()),
            (w, agree(w == old, n == old)),
            (n, agree(n == old, nw == old)),
            (by_two[0].colour(), by_two[0].trust()),
            (
                w8,
                agree(n == band.near(at, 1, 8), nw == band.near(at, 1, 9)),
            ),
            (
                n8,
                agree(w == band.near(at, 8, 1), ne == band.near(at, 9, -1)),
            ),
            (by_faded.colour(), by_faded.trust()),
            (by_six[1].colour(), by_six[1].trust()),
            (slope(w, n, nw), 0),
            (ne, 0),
            (nw, 0),
            (by_two[1].colour(), by_two[1].trust()),
        ];
        let shape = agree(w == n, n == ne);
        // What the old picture had in common with its neighbours, the new one will.
        let texture = agree(old == old_w, old == band.before(at - band.stride()));
        let witnesses = [
            w,
            n,
            nw,
            ne,
            old,
            by_turned.colour(),
            by_two[0].colour(),
            by_six[0].colour(),
        ];
        let mut tried = [u32::MAX; GUESSES];
        let mut count = 0;
        let mut found = None;
        for (k, (colour, trust)) in guesses.into_iter().enumerate() {
            if tried[..count].contains(&colour) {
                continue;
            }
            let tries = count.min(3);
            let course = (((k * 4 + trust) * 4 + tries) * 4 + shape) * 4 + (*misses & 3);
            let accord = witnesses.iter().fold(k, |accord, other| {
                accord << 1 | usize::from(*other == colour)
            });
            let models = [
                &mut self.by_course[course],
                &mut self.by_accord[accord << 2 | texture],
                &mut self.by_place[place.with(k as u32).place(log)],
            ];
            if self.weights[k][tries].code(coder, pixel == colour, models) {
                found = Some(colour);
                break;
            }
            tried[count] = colour;
            count += 1;
        }
        *misses = *misses << 1 & 7 | usize::from(found.is_none() || count > 0);
        let found = match found {
            Some(colour) => colour,
            None => residuals.colour(coder, band, at, pixel),
        };
        self.near[near].learn(found);
        self.wide[wide].follow(found);
        self.turned[turned].learn(found);
        self.faded[faded].learn(found);
        self.six[six].learn(found);
        self.two[two].learn(found);
        found
    }
}

/// What continues the slopes to the left and above, channel by channel.
fn slope(w: u32, n: u32, nw: u32) -> u32 {
    [16, 8, 0].into_iter().fold(0, |colour, shift| {
        let value = |pixel: u32| (pixel >> shift & 0xff) as i32;
        let next = (value(w) + value(n) - value(nw)).clamp(0, 255);
        colour | (next as u32) << shift
    })
}
