//! One tile as bytes that zstd likes.
//!
//! What a panel shows is mostly a few colours in a tile: a palette and an index of 1, 2 or 4 bits for each pixel. A
//! dithered gradient becomes bit planes. A fade gives every tile new colours in the old places. Photographs become
//! residuals, because zstd finds no repetition in them. All else is written pixel by pixel.

mod dither;
mod recolour;
mod residual;

use alongside_protocol::units::PanelRect;

pub(super) use recolour::Recolour;

use crate::{
    bits::Reader,
    frame::{Frame, RGB},
    tiles,
};

/// Kind of a tile that is written pixel by pixel. Kinds 1 to 16 are palettes of as many colours.
const PIXELS: u8 = 0;
/// Kind of a tile of residuals.
const RESIDUALS: u8 = 17;
/// Kind of a tile that keeps its shapes and changes its colours.
const RECOLOURED: u8 = 18;

/// Kind of a tile of levels and bit planes.
const DITHERED: u8 = 19;

/// Most colours of a tile that a palette packs better than planes (measured).
const MAX_PLAIN_PALETTE: usize = 4;

/// Most colours in a palette: beyond it an index is no shorter than what zstd makes of the pixels (measured).
const MAX_PALETTE: usize = 16;

/// Fewest colours of a tile that may be a photograph (measured: dithered gradients with text stay below).
const MIN_PHOTO: usize = 97;

/// Longest packed tile: its kind and three bytes for each of 256 pixels.
pub(super) const MAX_TILE: usize = 1 + 3 * 256;

/// Packs tiles, one after another.
#[derive(Default)]
pub(super) struct TilePacker {
    bytes: Vec<u8>,
    pixels: Vec<u32>,
    palette: Vec<u32>,
    levels: dither::Levels,
}

impl TilePacker {
    /// The bytes that turn tile `rect` of `shown` into that of `target`; `recolour` is the message's.
    pub(super) fn pack(
        &mut self,
        shown: &Frame,
        target: &Frame,
        rect: PanelRect,
        recolour: &mut Recolour,
    ) -> &[u8] {
        self.bytes.clear();
        self.pixels.clear();
        for row in tiles::rows(target, rect) {
            self.pixels.extend_from_slice(row);
        }
        for pixel in &mut self.pixels {
            *pixel &= RGB;
        }
        let area = self.pixels.len();
        let kind = self.choose(usize::from(rect.width));
        let size = match kind {
            PIXELS | RESIDUALS => 3 * area,
            DITHERED => self.levels.size(area),
            colours => 3 * usize::from(colours) + (area * index_bits(colours.into())).div_ceil(8),
        };
        // Colours that the message has told already cost nothing; new ones are worth it at half the size.
        let old = tiles::rows(shown, rect).flatten().copied();
        if let Some(colours) = recolour.find(old, &self.pixels, size / 6) {
            self.bytes.push(RECOLOURED);
            self.bytes.push(colours.len() as u8);
            put_colours(&mut self.bytes, colours);
            return &self.bytes;
        }
        self.bytes.push(kind);
        match kind {
            PIXELS => put_colours(&mut self.bytes, &self.pixels),
            RESIDUALS => residual::put(&self.pixels, usize::from(rect.width), &mut self.bytes),
            DITHERED => self.levels.put(&self.pixels, &mut self.bytes),
            _ => self.put_palette(),
        }
        &self.bytes
    }

    /// The kind that suits the tile, found out in the order of how common they are.
    fn choose(&mut self, width: usize) -> u8 {
        let is_palette = self.find_palette();
        if is_palette && self.palette.len() <= MAX_PLAIN_PALETTE {
            self.palette.len() as u8
        } else if self.levels.find(&self.pixels) {
            DITHERED
        } else if is_palette {
            self.palette.len() as u8
        } else if self.is_photo(width) {
            RESIDUALS
        } else {
            PIXELS
        }
    }

    /// Collects the tile's colours, in the order in which they appear; `false` if there are more than a palette holds.
    fn find_palette(&mut self) -> bool {
        self.palette.clear();
        let mut last = None;
        for &pixel in &self.pixels {
            if last == Some(pixel) {
                continue;
            }
            last = Some(pixel);
            if !self.palette.contains(&pixel) {
                if self.palette.len() == MAX_PALETTE {
                    return false;
                }
                self.palette.push(pixel);
            }
        }
        true
    }

    fn put_palette(&mut self) {
        put_colours(&mut self.bytes, &self.palette);
        let bits = index_bits(self.palette.len());
        if bits == 0 {
            return;
        }
        let palette = &self.palette;
        let index = |pixel: &u32| {
            palette
                .iter()
                .position(|colour| colour == pixel)
                .unwrap_or(0) as u8
        };
        for pixels in self.pixels.chunks(8 / bits) {
            self.bytes.push(
                pixels
                    .iter()
                    .rev()
                    .fold(0, |byte, pixel| byte << bits | index(pixel)),
            );
        }
    }

    /// Whether the tile has many colours, and a third of its pixels equal neither left nor upper neighbour.
    fn is_photo(&mut self, width: usize) -> bool {
        let rows = self.pixels.chunks(width);
        let odd: usize = rows
            .clone()
            .zip(rows.skip(1))
            .map(|(upper, row)| {
                let pixels = row.windows(2).zip(upper.iter().skip(1));
                pixels
                    .filter(
                        |(pair, up)| matches!(pair, [left, pixel] if pixel != left && pixel != *up),
                    )
                    .count()
            })
            .sum();
        if 3 * odd <= self.pixels.len() {
            return false;
        }
        self.palette.clear();
        self.palette.extend_from_slice(&self.pixels);
        self.palette.sort_unstable();
        self.palette.dedup();
        self.palette.len() >= MIN_PHOTO
    }
}

/// Reads one tile into `rect` of `shown`; `None` if the bytes are no tile.
pub(super) fn unpack(
    reader: &mut Reader<'_>,
    shown: &mut Frame,
    rect: PanelRect,
    recolour: &mut Recolour,
) -> Option<()> {
    let area = usize::from(rect.width) * usize::from(rect.height);
    let kind = reader.u8()?;
    let pixels = tiles::rows_mut(shown, rect).flatten();
    match kind {
        PIXELS => {
            let (colours, _) = reader.bytes(3 * area)?.as_chunks();
            for (pixel, colour) in pixels.zip(colours) {
                *pixel = colour_of(*colour);
            }
            Some(())
        }
        RESIDUALS => {
            let mut decoded = [0; 256];
            let decoded = decoded.get_mut(..area)?;
            residual::get(reader.bytes(3 * area)?, usize::from(rect.width), decoded);
            for (pixel, new) in pixels.zip(decoded) {
                *pixel = *new;
            }
            Some(())
        }
        DITHERED => {
            let mut decoded = [0; 256];
            let decoded = decoded.get_mut(..area)?;
            dither::get(reader, decoded)?;
            for (pixel, new) in pixels.zip(decoded) {
                *pixel = *new;
            }
            Some(())
        }
        RECOLOURED => {
            let count = usize::from(reader.u8()?);
            let (colours, _) = reader.bytes(3 * count)?.as_chunks();
            recolour.apply(pixels, colours.iter().copied().map(colour_of))
        }
        colours => {
            let colours = usize::from(colours);
            if colours > MAX_PALETTE {
                return None;
            }
            let mut palette = [0; MAX_PALETTE];
            let (listed, _) = reader.bytes(3 * colours)?.as_chunks();
            for (slot, colour) in palette.iter_mut().zip(listed) {
                *slot = colour_of(*colour);
            }
            let palette = palette.get(..colours)?;
            let bits = index_bits(colours);
            let bytes = reader.bytes((area * bits).div_ceil(8))?;
            for (at, pixel) in pixels.enumerate() {
                let byte = bytes.get(at * bits / 8).copied().unwrap_or(0);
                let index = byte >> (at * bits % 8) & ((1 << bits) - 1);
                *pixel = *palette.get(usize::from(index))?;
            }
            Some(())
        }
    }
}

/// Appends colours, three bytes each: green, then red and blue less green, so that shades of grey look alike.
fn put_colours(out: &mut Vec<u8>, colours: &[u32]) {
    for colour in colours {
        let [_, r, g, b] = colour.to_be_bytes();
        out.extend_from_slice(&[g, r.wrapping_sub(g), b.wrapping_sub(g)]);
    }
}

fn colour_of([g, r, b]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, r.wrapping_add(g), g, b.wrapping_add(g)])
}

/// Bits of an index into a palette, so that a byte holds whole indices.
fn index_bits(colours: usize) -> usize {
    match colours {
        0..=1 => 0,
        2 => 1,
        3..=4 => 2,
        _ => 4,
    }
}

#[cfg(test)]
mod tests;
