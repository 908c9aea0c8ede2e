//! What the tiles that are shown softly stand for, as far as it takes to know it again.

use alongside_protocol::{PanelSize, units::PanelRect};

use crate::{frame::Frame, moves::Plane, tiles};

/// Sixteen bits of each pixel: enough to tell pictures apart, in half of the memory. Should two colours have the same,
/// a tile counts as nearly right that is not, until it is exact.
pub(super) struct Meant {
    size: PanelSize,
    values: Vec<u16>,
}

impl Meant {
    pub(super) fn of(frame: &Frame) -> Self {
        let values = frame.pixels().iter().map(|pixel| Self::value(*pixel));
        Self {
            size: frame.size(),
            values: values.collect(),
        }
    }

    pub(super) fn copy(&mut self, from: &Frame, rect: PanelRect) {
        let width = usize::from(self.size.width());
        let rows = self.values.chunks_mut(width).skip(rect.y.into());
        for (to, from) in rows.zip(tiles::rows(from, rect)) {
            let to = to.iter_mut().skip(rect.x.into());
            for (to, pixel) in to.zip(from) {
                *to = Self::value(*pixel);
            }
        }
    }

    /// Whether a picture has the same in a tile.
    pub(super) fn is_same(&self, frame: &Frame, rect: PanelRect) -> bool {
        let values = tiles::rows_of(&self.values, self.size, rect).flatten();
        let pixels = tiles::rows(frame, rect).flatten();
        values.copied().eq(pixels.map(|pixel| Self::value(*pixel)))
    }
}

impl Plane for Meant {
    type Value = u16;

    fn size(&self) -> PanelSize {
        self.size
    }

    fn values(&self) -> &[u16] {
        &self.values
    }

    fn values_mut(&mut self) -> &mut [u16] {
        &mut self.values
    }

    fn value(pixel: u32) -> u16 {
        (Frame::value(pixel).wrapping_mul(0x9e37_79b1) >> 16) as u16
    }
}
