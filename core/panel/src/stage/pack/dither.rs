//! Tiles of a dithered gradient: each channel takes a few levels, and where it is at least each of them is a bit plane.
//!
//! Ordered dithering turns a level into one of a few dozen patterns of 8x8 bits. As planes they stand by themselves,
//! and recur from channel to channel and tile to tile; in a palette of the combinations they do not (measured: 40 %
//! fewer bytes).

/// Most planes of a tile: with more it is no shorter than pixels.
const MAX_PLANES: usize = 6;

/// The levels of the three channels, red first, in ascending order.
#[derive(Default)]
pub(super) struct Levels([Vec<u8>; 3]);

impl Levels {
    /// Collects the levels of `pixels`; `false` if they need too many planes.
    pub(super) fn find(&mut self, pixels: &[u32]) -> bool {
        for levels in &mut self.0 {
            levels.clear();
        }
        let mut last = None;
        for &pixel in pixels {
            if last == Some(pixel) {
                continue;
            }
            last = Some(pixel);
            for (levels, value) in self.0.iter_mut().zip(channels(pixel)) {
                if !levels.contains(&value) {
                    if levels.len() > MAX_PLANES {
                        return false;
                    }
                    levels.push(value);
                }
            }
        }
        for levels in &mut self.0 {
            levels.sort_unstable();
        }
        self.planes() <= MAX_PLANES
    }

    /// Bytes that [`put`](Self::put) appends for `area` pixels.
    pub(super) fn size(&self, area: usize) -> usize {
        6 + self.planes() * (1 + area.div_ceil(8))
    }

    fn planes(&self) -> usize {
        self.0
            .iter()
            .map(|levels| levels.len().saturating_sub(1))
            .sum()
    }

    /// Appends the numbers of levels, the levels, and the planes of `pixels`.
    pub(super) fn put(&self, pixels: &[u32], out: &mut Vec<u8>) {
        out.extend(self.0.iter().map(|levels| levels.len() as u8));
        out.extend(self.0.iter().flatten());
        for (channel, levels) in self.0.iter().enumerate() {
            for level in levels.iter().skip(1) {
                for pixels in pixels.chunks(8) {
                    let is_reached = |pixel: &u32| channels(*pixel).get(channel) >= Some(level);
                    let bits = pixels.iter().rev();
                    out.push(bits.fold(0, |byte, pixel| byte << 1 | u8::from(is_reached(pixel))));
                }
            }
        }
    }
}

/// Reads what [`Levels::put`] wrote, as many pixels as `pixels` holds.
pub(super) fn get(reader: &mut crate::bits::Reader<'_>, pixels: &mut [u32]) -> Option<()> {
    let counts: [u8; 3] = reader.array()?;
    let counts = counts.map(usize::from);
    if counts.contains(&0) || counts.iter().sum::<usize>() > 3 + MAX_PLANES {
        return None;
    }
    let mut levels = [&[][..]; 3];
    for (levels, count) in levels.iter_mut().zip(counts) {
        *levels = reader.bytes(count)?;
    }
    pixels.fill(0);
    for (levels, shift) in levels.into_iter().zip([16, 8, 0]) {
        let mut reached = [0_usize; 256];
        for _ in 1..levels.len() {
            let plane = reader.bytes(pixels.len().div_ceil(8))?;
            for (at, reached) in reached.iter_mut().enumerate().take(pixels.len()) {
                *reached += usize::from(plane.get(at / 8).copied().unwrap_or(0) >> (at % 8) & 1);
            }
        }
        for (pixel, reached) in pixels.iter_mut().zip(reached) {
            *pixel |= u32::from(*levels.get(reached)?) << shift;
        }
    }
    Some(())
}

fn channels(pixel: u32) -> [u8; 3] {
    let [_, r, g, b] = pixel.to_be_bytes();
    [r, g, b]
}
