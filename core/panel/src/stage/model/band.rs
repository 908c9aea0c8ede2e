//! The row of tiles being coded, with all the pixels around it that the models look at.

use std::ops::Range;

use alongside_protocol::units::PanelRect;

use crate::{frame::Frame, tiles::TILE};

/// Rows above the band.
const ABOVE: usize = 10;
/// Of these, rows of which nothing is kept as it was before.
const SKIPPED: usize = ABOVE - 1;
/// Columns on either side of the picture; black.
const BESIDE: usize = 16;

/// The picture around a row of tiles.
#[derive(Debug, Default)]
pub(super) struct Band {
    stride: usize,
    /// As it stands: what was coded already, and what is not yet coded.
    now: Vec<u32>,
    /// As it was before this row, with one of the rows above.
    before: Vec<u32>,
}

impl Band {
    /// Takes the picture from `y` on, as far as tiles in `columns` look at it.
    pub(super) fn load(&mut self, shown: &Frame, y: usize, columns: Range<usize>) {
        let width = usize::from(shown.size().width());
        let tile = usize::from(TILE);
        self.stride = width + 2 * BESIDE;
        // Fresh or not, what lies beyond the picture stays black.
        self.now.resize(self.stride * (ABOVE + tile), 0);
        self.before.resize(self.stride * (1 + tile), 0);
        if y == 0 {
            self.now[..ABOVE * self.stride].fill(0);
            self.before[..self.stride].fill(0);
        }
        let columns = columns.start.saturating_sub(BESIDE)..(columns.end + BESIDE).min(width);
        let skipped = ABOVE.saturating_sub(y);
        let rows = shown.pixels().chunks(width).skip(y + skipped - ABOVE);
        let height = usize::from(shown.size().height());
        if y + tile > height {
            self.now[(ABOVE + height - y) * self.stride..].fill(0);
        }
        for (row, pixels) in (skipped..ABOVE + tile).zip(rows) {
            let start = row * self.stride + BESIDE;
            let pixels = &pixels[columns.clone()];
            self.now[start + columns.start..start + columns.end].copy_from_slice(pixels);
            if row >= SKIPPED {
                let start = start - SKIPPED * self.stride;
                self.before[start + columns.start..start + columns.end].copy_from_slice(pixels);
            }
        }
    }

    /// Puts a tile of the band into the picture.
    pub(super) fn store(&self, shown: &mut Frame, rect: PanelRect) {
        for (line, row) in crate::tiles::rows_mut(shown, rect).enumerate() {
            let start = self.at(rect.x.into(), line);
            row.copy_from_slice(&self.now[start..start + row.len()]);
        }
    }

    /// Place of a pixel.
    pub(super) fn at(&self, x: usize, line: usize) -> usize {
        (ABOVE + line) * self.stride + BESIDE + x
    }

    /// From a pixel to the one below it.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// What is there now.
    #[inline]
    pub(super) fn now(&self, at: usize) -> u32 {
        self.now[at]
    }

    /// What is `rows` further up and `columns` further left.
    #[inline]
    pub(super) fn near(&self, at: usize, rows: usize, columns: isize) -> u32 {
        self.now[(at - rows * self.stride).wrapping_add_signed(-columns)]
    }

    #[inline]
    pub(super) fn before(&self, at: usize) -> u32 {
        self.before[at - SKIPPED * self.stride]
    }

    #[inline]
    pub(super) fn set(&mut self, at: usize, pixel: u32) {
        self.now[at] = pixel;
    }

    /// The pixels above those of `range`.
    pub(super) fn upper(&self, range: &Range<usize>) -> &[u32] {
        &self.now[range.start - self.stride..range.end - self.stride]
    }

    /// What was in `range` before.
    pub(super) fn old(&self, range: &Range<usize>) -> &[u32] {
        let offset = SKIPPED * self.stride;
        &self.before[range.start - offset..range.end - offset]
    }

    pub(super) fn copy_upper(&mut self, range: Range<usize>) {
        let upper = range.start - self.stride..range.end - self.stride;
        self.now.copy_within(upper, range.start);
    }

    pub(super) fn copy_old(&mut self, range: Range<usize>) {
        let offset = SKIPPED * self.stride;
        let old = &self.before[range.start - offset..range.end - offset];
        self.now[range].copy_from_slice(old);
    }
}
