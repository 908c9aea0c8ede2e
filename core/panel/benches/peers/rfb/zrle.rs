//! The ZRLE encoding, behind its zlib stream.

use std::io;

use alongside_protocol::units::PanelRect;

use super::{Numbers, broken};

/// Side of a tile.
const TILE: usize = 64;

/// The pixels of one rectangle.
pub(super) fn read(mut bytes: &[u8], rect: PanelRect) -> io::Result<Vec<u32>> {
    let (wide, high) = (usize::from(rect.width), usize::from(rect.height));
    let mut pixels = vec![0; wide * high];
    for y in (0..high).step_by(TILE) {
        for x in (0..wide).step_by(TILE) {
            let width = TILE.min(wide - x);
            let tile = tile(&mut bytes, width, TILE.min(high - y))?;
            for (row, from) in tile.chunks(width).enumerate() {
                let start = (y + row) * wide + x;
                pixels[start..start + width].copy_from_slice(from);
            }
        }
    }
    if bytes.is_empty() {
        Ok(pixels)
    } else {
        Err(broken("more than the rectangle's"))
    }
}

fn tile(bytes: &mut &[u8], wide: usize, high: usize) -> io::Result<Vec<u32>> {
    let area = wide * high;
    let kind = bytes.u8()?;
    let palette: Vec<u32> = match kind {
        1..=16 | 130.. => colours(bytes, usize::from(kind & 0x7f))?,
        0 | 17..=129 => Vec::new(),
    };
    match kind {
        0 => colours(bytes, area),
        1 => Ok(vec![palette[0]; area]),
        2..=16 => {
            let bits = match kind {
                2 => 1,
                3 | 4 => 2,
                _ => 4,
            };
            let line = (wide * bits).div_ceil(8);
            let packed = bytes.bytes(line * high)?;
            let index = |at: usize| {
                let (bit, y) = (at % wide * bits, at / wide);
                let byte = usize::from(packed[y * line + bit / 8]);
                byte >> (8 - bits - bit % 8) & ((1 << bits) - 1)
            };
            let pixels = (0..area).map(|at| palette.get(index(at)).copied());
            let pixels: Option<_> = pixels.collect();
            pixels.ok_or_else(|| broken("beyond the palette"))
        }
        128 | 130.. => {
            let mut pixels = Vec::with_capacity(area);
            while pixels.len() < area {
                let (colour, is_run) = if kind == 128 {
                    (colours(bytes, 1)?[0], true)
                } else {
                    let index = bytes.u8()?;
                    let colour = palette.get(usize::from(index & 0x7f)).copied();
                    let colour = colour.ok_or_else(|| broken("beyond the palette"))?;
                    (colour, index >= 0x80)
                };
                let mut run = 1;
                let mut more = if is_run { bytes.u8()? } else { 0 };
                run += usize::from(more);
                while more == 255 {
                    more = bytes.u8()?;
                    run += usize::from(more);
                }
                if pixels.len() + run > area {
                    return Err(broken("a run beyond the tile"));
                }
                pixels.resize(pixels.len() + run, colour);
            }
            Ok(pixels)
        }
        17..=127 | 129 => Err(broken("unknown kind of tile")),
    }
}

/// Colours of three bytes: blue, green, red.
fn colours(bytes: &mut &[u8], count: usize) -> io::Result<Vec<u32>> {
    let bytes = bytes.bytes(3 * count)?;
    let colour = |[b, g, r]: &[u8; 3]| u32::from_be_bytes([0, *r, *g, *b]);
    Ok(bytes.as_chunks().0.iter().map(colour).collect())
}
