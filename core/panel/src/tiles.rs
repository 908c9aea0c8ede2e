//! The grid of 16x16 tiles, and which of them differ between two pictures.

use std::hash::Hasher as _;

use alongside_protocol::{PanelSize, units::PanelRect};
use twox_hash::XxHash3_64 as Hasher;

use crate::frame::{Frame, RGB};

/// Side of a tile in pixels. The codec study's choice: smaller tiles cost more bytes for their positions,
/// larger ones for pixels that did not change.
pub const TILE: u16 = 16;

/// How a picture is cut into tiles, numbered row by row from 0.
///
/// Tiles of the last column and row are cut off where the picture ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileGrid {
    size: PanelSize,
}

impl TileGrid {
    /// The grid over a picture of `size`.
    pub fn new(size: PanelSize) -> Self {
        Self { size }
    }

    /// The size of the picture.
    pub(crate) fn size(self) -> PanelSize {
        self.size
    }

    /// Tiles in a row.
    pub fn columns(self) -> usize {
        usize::from(self.size.width().div_ceil(TILE))
    }

    /// Tiles in a column.
    pub fn rows(self) -> usize {
        usize::from(self.size.height().div_ceil(TILE))
    }

    /// Number of tiles.
    pub fn count(self) -> usize {
        self.columns() * self.rows()
    }

    /// The pixels that tile `index` covers; `None` beyond the last tile.
    pub fn rect(self, index: usize) -> Option<PanelRect> {
        if index >= self.count() {
            return None;
        }
        let x = u16::try_from(index % self.columns()).ok()? * TILE;
        let y = u16::try_from(index / self.columns()).ok()? * TILE;
        Some(PanelRect {
            x,
            y,
            width: TILE.min(self.size.width() - x),
            height: TILE.min(self.size.height() - y),
        })
    }

    /// The tiles in which `new` differs from `old`, in order. Both must have the grid's size.
    pub fn changed(self, old: &Frame, new: &Frame) -> Vec<usize> {
        self.changed_from(old, new, 0, usize::MAX)
    }

    /// At most `limit` tiles in which `new` differs from `old`, as one comes across them from tile `from` on and
    /// then from the first one.
    pub(crate) fn changed_from(
        self,
        old: &Frame,
        new: &Frame,
        from: usize,
        limit: usize,
    ) -> Vec<usize> {
        debug_assert!(
            old.size() == self.size && new.size() == self.size,
            "frames of another size"
        );
        let columns = self.columns();
        let (first, column) = (from / columns, from % columns);
        let below = (first..self.rows()).map(|row| {
            (
                row,
                if row == first {
                    column..columns
                } else {
                    0..columns
                },
            )
        });
        let above = (0..=first).map(|row| (row, if row == first { 0..column } else { 0..columns }));
        let mut changed = Vec::new();
        let mut dirty = vec![false; columns];
        for (row, range) in below.chain(above) {
            if changed.len() >= limit {
                break;
            }
            dirty.fill(false);
            self.compare(old, new, row, &mut dirty);
            let dirty = dirty
                .iter()
                .enumerate()
                .filter(|(column, dirty)| **dirty && range.contains(column));
            changed.extend(dirty.map(|(column, _)| row * columns + column));
        }
        changed.truncate(limit);
        changed
    }

    /// Marks the tiles of `row` in which `new` differs from `old`.
    fn compare(self, old: &Frame, new: &Frame, row: usize, dirty: &mut [bool]) {
        let width = usize::from(self.size.width());
        let band = width * usize::from(TILE);
        let mut bands = old.pixels().chunks(band).zip(new.pixels().chunks(band));
        let Some((old, new)) = bands.nth(row) else {
            return;
        };
        if old == new {
            return;
        }
        for (old, new) in old.chunks(width).zip(new.chunks(width)) {
            if old == new {
                continue;
            }
            let tiles = old
                .chunks(usize::from(TILE))
                .zip(new.chunks(usize::from(TILE)));
            for ((old, new), dirty) in tiles.zip(&mut *dirty) {
                *dirty = *dirty || old.iter().zip(new).any(|(a, b)| (a ^ b) & RGB != 0);
            }
        }
    }

    /// The fewest rectangles, found greedily, that cover `tiles` (in order) and nothing else.
    pub fn cover(self, tiles: &[usize]) -> Vec<PanelRect> {
        let mut done: Vec<PanelRect> = Vec::new();
        let mut open: Vec<PanelRect> = Vec::new(); // end at the row above, left to right
        let mut runs: Vec<PanelRect> = Vec::new();
        let mut tiles = tiles
            .iter()
            .filter_map(|&index| self.rect(index))
            .peekable();
        while let Some(first) = tiles.peek().copied() {
            runs.clear();
            while let Some(tile) = tiles.next_if(|tile| tile.y == first.y) {
                match runs.last_mut() {
                    Some(run) if run.x + run.width == tile.x => run.width += tile.width,
                    Some(_) | None => runs.push(tile),
                }
            }
            for run in &mut runs {
                let above =
                    |r: &PanelRect| r.x == run.x && r.width == run.width && r.y + r.height == run.y;
                if let Some(at) = open.iter().position(above) {
                    let top = open.swap_remove(at);
                    *run = PanelRect {
                        height: top.height + run.height,
                        y: top.y,
                        ..*run
                    };
                }
            }
            done.append(&mut open);
            open.append(&mut runs);
        }
        done.append(&mut open);
        done
    }
}

/// The rows of pixels of `frame` inside `rect`.
pub(crate) fn rows(frame: &Frame, rect: PanelRect) -> impl Iterator<Item = &[u32]> {
    rows_of(frame.pixels(), frame.size(), rect)
}

/// The same of the values of a picture's pixels, whatever they are.
pub(crate) fn rows_of<V>(
    values: &[V],
    size: PanelSize,
    rect: PanelRect,
) -> impl Iterator<Item = &[V]> {
    let (x, y) = (usize::from(rect.x), usize::from(rect.y));
    let rows = values
        .chunks(size.width().into())
        .skip(y)
        .take(usize::from(rect.height));
    rows.filter_map(move |row| row.get(x..x + usize::from(rect.width)))
}

/// The rows of pixels of `frame` inside `rect`, to draw on.
pub(crate) fn rows_mut(frame: &mut Frame, rect: PanelRect) -> impl Iterator<Item = &mut [u32]> {
    let width = usize::from(frame.size().width());
    let (x, y) = (usize::from(rect.x), usize::from(rect.y));
    let rows = frame
        .pixels_mut()
        .chunks_mut(width)
        .skip(y)
        .take(usize::from(rect.height));
    rows.filter_map(move |row| row.get_mut(x..x + usize::from(rect.width)))
}

/// Copies the pixels inside `rect`. Both frames have the same size.
pub(crate) fn copy(to: &mut Frame, from: &Frame, rect: PanelRect) {
    for (to, from) in rows_mut(to, rect).zip(rows(from, rect)) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = from & RGB;
        }
    }
}

/// XXH3-64 over the pixels, each as four bytes: 0, red, green, blue.
pub(crate) fn hash(frame: &Frame) -> u64 {
    let mut hasher = Hasher::new();
    let mut bytes = [0; 4 * 1024];
    for pixels in frame.pixels().chunks(1024) {
        for (bytes, pixel) in bytes.chunks_exact_mut(4).zip(pixels) {
            bytes.copy_from_slice(&(pixel & RGB).to_be_bytes());
        }
        hasher.write(&bytes[..4 * pixels.len()]);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(width: u16, height: u16) -> TileGrid {
        TileGrid::new(PanelSize::new(width, height).unwrap())
    }

    #[test]
    fn tiles_at_the_edge_are_cut_off() {
        let grid = grid(33, 17);
        assert_eq!((grid.columns(), grid.rows(), grid.count()), (3, 2, 6));
        assert_eq!(
            grid.rect(0),
            Some(PanelRect {
                x: 0,
                y: 0,
                width: 16,
                height: 16
            })
        );
        assert_eq!(
            grid.rect(5),
            Some(PanelRect {
                x: 32,
                y: 16,
                width: 1,
                height: 1
            })
        );
        assert_eq!(grid.rect(6), None);
    }

    #[test]
    fn a_pixel_changes_its_tile_and_no_other() {
        let grid = grid(33, 17);
        let old = Frame::black(grid.size);
        for (pixel, tile) in [
            (0, 0),
            (15, 0),
            (16, 1),
            (32, 2),
            (33 * 15, 0),
            (33 * 16, 3),
            (33 * 17 - 1, 5),
        ] {
            let mut new = old.clone();
            new.pixels_mut()[pixel] = 1;
            assert_eq!(grid.changed(&old, &new), [tile], "pixel {pixel}");
        }
    }

    #[test]
    fn a_limited_search_goes_round_from_where_it_begins() {
        let grid = grid(60, 40); // 4 by 3 tiles
        let old = Frame::black(grid.size);
        let new = Frame::new(grid.size, vec![1; grid.size.pixels()]).unwrap();
        assert_eq!(grid.changed_from(&old, &new, 6, 4), [6, 7, 8, 9]);
        assert_eq!(
            grid.changed_from(&old, &new, 6, 100),
            [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5]
        );
        assert_eq!(grid.changed_from(&old, &new, 11, 2), [11, 0]);
        assert_eq!(
            grid.changed_from(&old, &new, 0, 100),
            grid.changed(&old, &new)
        );
        assert_eq!(grid.changed(&old, &new).len(), 12);
    }

    #[test]
    fn the_top_byte_changes_nothing() {
        let grid = grid(33, 17);
        let old = Frame::black(grid.size);
        let mut new = old.clone();
        new.pixels_mut()[40] = 0xff00_0000;
        assert_eq!(grid.changed(&old, &new), [0_usize; 0]);
    }

    #[test]
    fn neighbours_are_covered_by_one_rectangle() {
        let grid = grid(60, 40);
        assert_eq!(grid.cover(&[]), []);
        let all: Vec<usize> = (0..grid.count()).collect();
        assert_eq!(
            grid.cover(&all),
            [PanelRect {
                x: 0,
                y: 0,
                width: 60,
                height: 40
            }]
        );
        assert_eq!(
            grid.cover(&[0, 1, 4, 5, 7]),
            [
                PanelRect {
                    x: 0,
                    y: 0,
                    width: 32,
                    height: 32
                },
                PanelRect {
                    x: 48,
                    y: 16,
                    width: 12,
                    height: 16
                }
            ]
        );
    }
}
