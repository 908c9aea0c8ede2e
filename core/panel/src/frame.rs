//! A picture of the panel.

use alongside_protocol::{PanelSize, units::PanelRect};

/// The bits of a pixel that carry colour; the top byte is always zero.
pub(crate) const RGB: u32 = 0x00ff_ffff;

/// One picture of the panel: `0x00RRGGBB` for each pixel, row by row from the top left.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    size: PanelSize,
    pixels: Vec<u32>,
}

impl Frame {
    /// A picture from its pixels; `None` unless there are exactly [`PanelSize::pixels`] of them.
    ///
    /// The top byte of each pixel is cleared, so what a capture leaves there makes no difference.
    pub fn new(size: PanelSize, mut pixels: Vec<u32>) -> Option<Self> {
        if pixels.len() != size.pixels() {
            return None;
        }
        for pixel in &mut pixels {
            *pixel &= RGB;
        }
        Some(Self { size, pixels })
    }

    /// A picture that is black all over.
    pub fn black(size: PanelSize) -> Self {
        Self {
            size,
            pixels: vec![0; size.pixels()],
        }
    }

    /// Becomes black all over, in the memory that it has if the size stays.
    pub(crate) fn blacken(&mut self, size: PanelSize) {
        if self.size == size {
            self.pixels.fill(0);
        } else {
            *self = Self::black(size);
        }
    }

    /// Width and height.
    pub fn size(&self) -> PanelSize {
        self.size
    }

    /// The pixels, row by row.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// The pixels, to draw on. Leave the top byte zero: two frames are equal only if all 32 bits are.
    pub fn pixels_mut(&mut self) -> &mut [u32] {
        &mut self.pixels
    }

    /// Copies what `rect` holds from a frame of the same size; whatever lies outside of either is left alone.
    pub fn copy_rect(&mut self, from: &Self, rect: PanelRect) {
        if from.size != self.size {
            return;
        }
        let width = usize::from(self.size.width());
        let left = usize::from(rect.x).min(width);
        let right = (left + usize::from(rect.width)).min(width);
        let rows = self
            .pixels
            .chunks_exact_mut(width)
            .zip(from.pixels.chunks_exact(width));
        for (to, from) in rows.skip(rect.y.into()).take(rect.height.into()) {
            if let (Some(to), Some(from)) = (to.get_mut(left..right), from.get(left..right)) {
                to.copy_from_slice(from);
            }
        }
    }

    /// The picture as red, green and blue bytes, row by row, three for each pixel.
    pub fn to_rgb8(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.pixels.len() * 3);
        for pixel in &self.pixels {
            let [_, r, g, b] = pixel.to_be_bytes();
            out.extend_from_slice(&[r, g, b]);
        }
        out
    }
}

impl std::fmt::Debug for Frame {
    /// Size only: pixels never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frame")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_as_many_pixels_as_its_size_says() {
        let size = PanelSize::new(3, 2).unwrap();
        assert!(Frame::new(size, vec![0; 5]).is_none());
        assert!(Frame::new(size, vec![0; 7]).is_none());
        assert_eq!(
            Frame::new(size, vec![0xff00_0000; 6]).unwrap(),
            Frame::black(size)
        );
    }

    #[test]
    fn rgb8_is_red_green_blue_row_by_row() {
        let size = PanelSize::new(2, 1).unwrap();
        let frame = Frame::new(size, vec![0x0011_2233, 0x0044_5566]).unwrap();
        assert_eq!(frame.to_rgb8(), [0x11, 0x22, 0x33, 0x44, 0x55, 0x66]);
    }

    #[test]
    fn debug_shows_no_pixel() {
        let size = PanelSize::new(1, 1).unwrap();
        let shown = format!("{:?}", Frame::new(size, vec![0x00c0_ffee]).unwrap());
        assert!(
            !shown.contains("12648430") && !shown.to_lowercase().contains("c0ffee"),
            "{shown}"
        );
    }
}
