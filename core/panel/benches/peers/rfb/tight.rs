//! The Tight encoding, without JPEG.

use std::io;

use alongside_protocol::units::PanelRect;
use flate2::Decompress;

use super::{Numbers, broken, inflate};

/// Data shorter than this is not compressed.
const SHORT: usize = 12;

/// The four zlib streams, which go on from rectangle to rectangle.
pub(super) struct Tight([Decompress; 4]);

impl Default for Tight {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Decompress::new(true)))
    }
}

impl Tight {
    /// The pixels of one rectangle.
    pub(super) fn read(
        &mut self,
        from: &mut impl Numbers,
        rect: PanelRect,
    ) -> io::Result<Vec<u32>> {
        let (wide, high) = (usize::from(rect.width), usize::from(rect.height));
        let control = from.u8()?;
        for (n, stream) in self.0.iter_mut().enumerate() {
            if control >> n & 1 == 1 {
                stream.reset(true);
            }
        }
        match control >> 4 {
            8 => return Ok(vec![colour(&from.array()?); wide * high]),
            0..8 => {}
            _ => return Err(broken("JPEG, though nobody asked for it")),
        }
        let filter = if control & 0x40 != 0 { from.u8()? } else { 0 };
        let palette: Vec<u32> = match filter {
            1 => {
                let count = usize::from(from.u8()?) + 1;
                let colours = from.bytes(3 * count)?;
                colours.as_chunks().0.iter().map(colour).collect()
            }
            0 | 2 => Vec::new(),
            _ => return Err(broken("unknown filter")),
        };
        let length = match palette.len() {
            0 => 3 * wide * high,
            1 | 2 => wide.div_ceil(8) * high,
            _ => wide * high,
        };
        let data = self.data(from, usize::from(control >> 4 & 3), length)?;
        let index = |at: usize| -> usize {
            let (x, y) = (at % wide, at / wide);
            match palette.len() {
                1 | 2 => usize::from(data[y * wide.div_ceil(8) + x / 8] >> (7 - x % 8) & 1),
                _ => data[at].into(),
            }
        };
        match filter {
            1 => (0..wide * high)
                .map(|at| palette.get(index(at)).copied())
                .collect::<Option<_>>()
                .ok_or_else(|| broken("beyond the palette")),
            2 => Ok(gradient(&data, wide)),
            _ => Ok(data.as_chunks().0.iter().map(colour).collect()),
        }
    }

    fn data(
        &mut self,
        from: &mut impl Numbers,
        stream: usize,
        length: usize,
    ) -> io::Result<Vec<u8>> {
        if length < SHORT {
            return from.bytes(length);
        }
        let mut packed = 0;
        for shift in [0, 7, 14] {
            let byte = usize::from(from.u8()?);
            // The third byte has all of its eight bits for the number.
            let bits = if shift == 14 { byte } else { byte & 0x7f };
            packed |= bits << shift;
            if shift == 14 || byte < 0x80 {
                break;
            }
        }
        let data = inflate(&mut self.0[stream], &from.bytes(packed)?)?;
        if data.len() == length {
            Ok(data)
        } else {
            Err(broken("another length than the rectangle's"))
        }
    }
}

fn colour([r, g, b]: &[u8; 3]) -> u32 {
    u32::from_be_bytes([0, *r, *g, *b])
}

/// Each channel is told by what it is above the sum of left and upper less upper left.
fn gradient(data: &[u8], wide: usize) -> Vec<u32> {
    let mut pixels: Vec<[u8; 3]> = Vec::with_capacity(data.len() / 3);
    for (at, above) in data.as_chunks::<3>().0.iter().enumerate() {
        let near = |back: usize, is_there: bool| {
            if is_there { pixels[at - back] } else { [0; 3] }
        };
        let (has_left, has_upper) = (at % wide > 0, at >= wide);
        let (left, upper) = (near(1, has_left), near(wide, has_upper));
        let corner = near(wide + 1, has_left && has_upper);
        let channel = |n: usize| {
            let sum = i16::from(left[n]) + i16::from(upper[n]) - i16::from(corner[n]);
            above[n].wrapping_add(sum.clamp(0, 255) as u8)
        };
        pixels.push([channel(0), channel(1), channel(2)]);
    }
    pixels.iter().map(colour).collect()
}
