//! Parts of the picture that moved: lists that are scrolled, pages that slide.

mod search;

use alongside_protocol::{PanelSize, units::PanelRect};

pub(crate) use search::Search;

use crate::{
    frame::{Frame, RGB},
    tiles::{TILE, TileGrid},
};

/// Most moves in one UPDATE (the codec study's choice).
pub(crate) const MAX_MOVES: usize = 30;

/// A rectangle that shows what the picture had elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    /// Where it arrives.
    pub(crate) to: PanelRect,
    /// How far it came, to the right and down.
    pub(crate) by: (i16, i16),
}

impl Move {
    /// The tiles that it touches where it arrives, in a grid of so many columns.
    pub(crate) fn tiles(self, columns: usize) -> impl Iterator<Item = usize> {
        tiles_in(self.to, columns)
    }

    /// The same where it comes from.
    pub(crate) fn source_tiles(self, columns: usize) -> impl Iterator<Item = usize> {
        let from = PanelRect {
            x: self.to.x.saturating_add_signed(self.by.0.saturating_neg()),
            y: self.to.y.saturating_add_signed(self.by.1.saturating_neg()),
            ..self.to
        };
        tiles_in(from, columns)
    }

    /// Where it comes from; `None` if any of it lies outside of the picture, before or after.
    fn from(self, grid: TileGrid) -> Option<PanelRect> {
        let from = PanelRect {
            x: self.to.x.checked_add_signed(self.by.0.checked_neg()?)?,
            y: self.to.y.checked_add_signed(self.by.1.checked_neg()?)?,
            ..self.to
        };
        let size = grid.size();
        let is_inside = |rect: PanelRect| {
            let right = rect.x.checked_add(rect.width);
            let bottom = rect.y.checked_add(rect.height);
            right.is_some_and(|right| right <= size.width())
                && bottom.is_some_and(|bottom| bottom <= size.height())
        };
        let is_empty = self.to.width == 0 || self.to.height == 0;
        (!is_empty && is_inside(from) && is_inside(self.to)).then_some(from)
    }
}

/// The tiles that a rectangle within the picture touches.
fn tiles_in(rect: PanelRect, columns: usize) -> impl Iterator<Item = usize> {
    let across = rect.x / TILE..(rect.x + rect.width).div_ceil(TILE);
    let rows = rect.y / TILE..(rect.y + rect.height).div_ceil(TILE);
    rows.flat_map(move |row| {
        across
            .clone()
            .map(move |column| usize::from(row) * columns + usize::from(column))
    })
}

/// A picture, or what is kept of one: a value for each pixel, row by row.
pub(crate) trait Plane {
    type Value: Copy + Default + PartialEq + Into<u32>;

    fn size(&self) -> PanelSize;

    fn values(&self) -> &[Self::Value];

    fn values_mut(&mut self) -> &mut [Self::Value];

    /// What is kept of a pixel.
    fn value(pixel: u32) -> Self::Value;
}

impl Plane for Frame {
    type Value = u32;

    fn size(&self) -> PanelSize {
        Self::size(self)
    }

    fn values(&self) -> &[u32] {
        self.pixels()
    }

    fn values_mut(&mut self) -> &mut [u32] {
        self.pixels_mut()
    }

    fn value(pixel: u32) -> u32 {
        pixel & RGB
    }
}

/// Moves all of `moves` at once; adds the tiles that they touch, in order.
///
/// `None` if one leads out of the picture, or all together move more pixels than it has; then nothing is moved.
pub(crate) fn apply(
    shown: &mut impl Plane,
    moves: &[Move],
    touched: &mut Vec<usize>,
) -> Option<()> {
    let Some(first) = moves.first() else {
        return Some(());
    };
    let grid = TileGrid::new(shown.size());
    let area = |it: &Move| usize::from(it.to.width) * usize::from(it.to.height);
    if moves.iter().map(area).sum::<usize>() > grid.size().pixels() {
        return None;
    }
    let from: Option<Vec<PanelRect>> = moves.iter().map(|it| it.from(grid)).collect();
    let from = from?;
    let width = usize::from(grid.size().width());
    if first.by.1 != 0 && moves.iter().all(|it| it.by == first.by) {
        roll(shown.values_mut(), width, moves, first.by);
    } else {
        shuffle(shown.values_mut(), width, moves, &from);
    }
    let mut is_touched = vec![false; grid.count()];
    for it in moves {
        for tile in it.tiles(grid.columns()) {
            if let Some(is_touched) = is_touched.get_mut(tile) {
                *is_touched = true;
            }
        }
    }
    touched.extend((0..grid.count()).filter(|tile| is_touched.get(*tile) == Some(&true)));
    Some(())
}

/// Moves that all lead as far up or down need no second picture: row by row, no source is written over before it was
/// read.
fn roll<V: Copy>(values: &mut [V], width: usize, moves: &[Move], (right, down): (i16, i16)) {
    let top = moves.iter().map(|it| it.to.y).min().unwrap_or(0);
    let bottom = moves.iter().map(|it| it.to.y + it.to.height).max();
    let rows = top..bottom.unwrap_or(0);
    let ahead = isize::from(down) * width.cast_signed() + isize::from(right);
    for step in 0..rows.len() as u16 {
        let y = if down > 0 {
            rows.end - 1 - step
        } else {
            rows.start + step
        };
        for it in moves {
            if (it.to.y..it.to.y + it.to.height).contains(&y) {
                let to = usize::from(y) * width + usize::from(it.to.x);
                let from = to.wrapping_add_signed(-ahead);
                values.copy_within(from..from + usize::from(it.to.width), to);
            }
        }
    }
}

/// Any moves: takes all out, and then puts them in.
fn shuffle<V: Copy>(values: &mut [V], width: usize, moves: &[Move], from: &[PanelRect]) {
    let rows = |rect: PanelRect| {
        let rows = usize::from(rect.y)..usize::from(rect.y) + usize::from(rect.height);
        rows.map(move |y| {
            let start = y * width + usize::from(rect.x);
            start..start + usize::from(rect.width)
        })
    };
    let mut taken = Vec::new();
    for rect in from {
        for row in rows(*rect) {
            taken.extend_from_slice(values.get(row).unwrap_or_default());
        }
    }
    let mut taken = taken.as_slice();
    for it in moves {
        for row in rows(it.to) {
            if let Some((moved, rest)) = taken.split_at_checked(row.len())
                && let Some(row) = values.get_mut(row)
            {
                row.copy_from_slice(moved);
                taken = rest;
            }
        }
    }
}

#[cfg(test)]
mod tests;
