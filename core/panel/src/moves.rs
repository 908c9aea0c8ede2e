//! Parts of the picture that moved: lists that are scrolled, pages that slide.

mod search;

use alongside_protocol::units::PanelRect;

pub(crate) use search::Search;

use crate::{
    frame::Frame,
    tiles::{self, TILE, TileGrid},
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

/// Moves all of `moves` at once; adds the tiles that they touch, in order.
///
/// `None` if one leads out of the picture, or all together move more pixels than it has; then nothing is moved.
pub(crate) fn apply(shown: &mut Frame, moves: &[Move], touched: &mut Vec<usize>) -> Option<()> {
    if moves.is_empty() {
        return Some(());
    }
    let grid = TileGrid::new(shown.size());
    let area = |it: &Move| usize::from(it.to.width) * usize::from(it.to.height);
    if moves.iter().map(area).sum::<usize>() > shown.size().pixels() {
        return None;
    }
    let mut pixels = Vec::with_capacity(moves.iter().map(area).sum());
    for it in moves {
        let from = it.from(grid)?;
        for row in tiles::rows(shown, from) {
            pixels.extend_from_slice(row);
        }
    }
    let mut pixels = pixels.as_slice();
    let mut is_touched = vec![false; grid.count()];
    for it in moves {
        for row in tiles::rows_mut(shown, it.to) {
            let (moved, rest) = pixels.split_at_checked(row.len())?;
            row.copy_from_slice(moved);
            pixels = rest;
        }
        for tile in it.tiles(grid.columns()) {
            if let Some(is_touched) = is_touched.get_mut(tile) {
                *is_touched = true;
            }
        }
    }
    touched.extend((0..grid.count()).filter(|tile| is_touched.get(*tile) == Some(&true)));
    Some(())
}

#[cfg(test)]
mod tests;
