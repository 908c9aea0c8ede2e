//! One tile as bytes that zstd likes.

use alongside_protocol::units::PanelRect;

use crate::{bits::Reader, frame::Frame, tiles};

/// Most colours in a palette.
const MAX_COLOURS: usize = 16;

/// Longest packed tile: its kind and three bytes for each of 256 pixels.
pub(crate) const MAX_TILE: usize = 1 + 3 * 256;

#[derive(Default)]
pub(crate) struct Packed {
    bytes: Vec<u8>,
    indices: Vec<u8>,
}

impl Packed {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn pack(&mut self, frame: &Frame, rect: PanelRect) {
        self.bytes.clear();
        self.indices.clear();
        let mut palette: Vec<u32> = Vec::new();
        for &pixel in tiles::rows(frame, rect).flatten() {
            let pixel = pixel & crate::frame::RGB;
            let at = palette.iter().position(|c| *c == pixel).unwrap_or_else(|| {
                palette.push(pixel);
                palette.len() - 1
            });
            if palette.len() > MAX_COLOURS {
                break;
            }
            self.indices.push(at as u8);
        }
        if palette.len() > MAX_COLOURS {
            self.bytes.push(0);
            for pixel in tiles::rows(frame, rect).flatten() {
                self.bytes.extend_from_slice(&pixel.to_be_bytes()[1..]);
            }
            return;
        }
        self.bytes.push(palette.len() as u8);
        for colour in &palette {
            self.bytes.extend_from_slice(&colour.to_be_bytes()[1..]);
        }
        let bits = bits(palette.len());
        if bits == 0 {
            return;
        }
        for indices in self.indices.chunks(8 / bits) {
            let byte = indices
                .iter()
                .rev()
                .fold(0, |byte, index| byte << bits | index);
            self.bytes.push(byte);
        }
    }
}

/// Reads one tile into `rect` of `frame`.
pub(crate) fn unpack(reader: &mut Reader<'_>, frame: &mut Frame, rect: PanelRect) -> Option<()> {
    let colours = usize::from(reader.u8()?);
    let pixels = usize::from(rect.width) * usize::from(rect.height);
    if colours == 0 {
        let mut bytes = reader.bytes(3 * pixels)?.chunks_exact(3);
        for pixel in tiles::rows_mut(frame, rect).flatten() {
            *pixel = rgb(bytes.next()?)?;
        }
        return Some(());
    }
    if colours > MAX_COLOURS {
        return None;
    }
    let mut palette = [0; MAX_COLOURS];
    for (slot, colour) in palette
        .iter_mut()
        .zip(reader.bytes(3 * colours)?.chunks_exact(3))
    {
        *slot = rgb(colour)?;
    }
    let palette = palette.get(..colours)?;
    let bits = bits(colours);
    let bytes = reader.bytes((pixels * bits).div_ceil(8))?;
    for (at, pixel) in tiles::rows_mut(frame, rect).flatten().enumerate() {
        let index = if bits == 0 {
            0
        } else {
            bytes.get(at * bits / 8)? >> (at * bits % 8) & ((1 << bits) - 1)
        };
        *pixel = *palette.get(usize::from(index))?;
    }
    Some(())
}

fn rgb(bytes: &[u8]) -> Option<u32> {
    let [r, g, b] = bytes.try_into().ok()?;
    Some(u32::from_be_bytes([0, r, g, b]))
}

/// Bits for an index into a palette.
fn bits(colours: usize) -> usize {
    match colours {
        0..=1 => 0,
        2 => 1,
        3..=4 => 2,
        _ => 4,
    }
}
