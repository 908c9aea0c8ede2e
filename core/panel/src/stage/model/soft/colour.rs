//! Red, green and blue as brightness and two differences of colour, and back.

use super::{AREA, EDGE, SIDE, frequency::Block};
use crate::stage::model::band::Band;

/// Brightness of each pixel of a tile, and the colours of each four of them.
pub(super) struct Planes {
    light: [i32; SIDE * SIDE],
    blue: [i32; AREA],
    red: [i32; AREA],
}

impl Planes {
    pub(super) const BLACK: Self = Self {
        light: [0; SIDE * SIDE],
        blue: [0; AREA],
        red: [0; AREA],
    };

    /// A tile; what the picture's edge cuts off goes on as the last pixels do.
    pub(super) fn of(width: usize, height: usize, pixel: &dyn Fn(usize, usize) -> u32) -> Self {
        let mut planes = Self::BLACK;
        for y in 0..SIDE {
            for x in 0..SIDE {
                let pixel = pixel(x.min(width - 1), y.min(height - 1));
                let [light, blue, red] = split(pixel);
                planes.light[y * SIDE + x] = light;
                let at = y / 2 * EDGE + x / 2;
                planes.blue[at] += blue;
                planes.red[at] += red;
            }
        }
        for colour in planes.blue.iter_mut().chain(&mut planes.red) {
            *colour = (*colour + 2) >> 2;
        }
        planes
    }

    pub(super) fn block(&self, block: Block) -> [i32; AREA] {
        match block {
            Block::Light(right, down) => std::array::from_fn(|at| {
                let (x, y) = (right * EDGE + at % EDGE, down * EDGE + at / EDGE);
                self.light[y * SIDE + x]
            }),
            Block::Blue => self.blue,
            Block::Red => self.red,
        }
    }

    /// Draws a block, whose values are told as what they differ from `expected`.
    pub(super) fn draw(&mut self, block: Block, differences: &[i32; AREA], expected: i32) {
        match block {
            Block::Light(right, down) => {
                for (at, difference) in differences.iter().enumerate() {
                    let (x, y) = (right * EDGE + at % EDGE, down * EDGE + at / EDGE);
                    self.light[y * SIDE + x] = (difference + expected).clamp(0, 255);
                }
            }
            Block::Blue => self.blue = differences.map(|value| (value + expected).clamp(-128, 127)),
            Block::Red => self.red = differences.map(|value| (value + expected).clamp(-128, 127)),
        }
    }

    /// What a block is expected to be in the mean: as the eight above it and the eight to the left of it.
    pub(super) fn expect(&self, band: &Band, start: usize, block: Block) -> i32 {
        let (right, down) = match block {
            Block::Light(right, down) => (right, down),
            Block::Blue | Block::Red => (0, 0),
        };
        let part = |pixel: u32| {
            let [light, blue, red] = split(pixel);
            match block {
                Block::Light(..) => light,
                Block::Blue => blue,
                Block::Red => red,
            }
        };
        // Colours have every other pixel.
        let pace = match block {
            Block::Light(..) => 1,
            Block::Blue | Block::Red => 2,
        };
        let above: i32 = (0..EDGE)
            .map(|n| match down {
                0 => part(band.near(start + right * EDGE + pace * n, 1, 0)),
                _ => self.light[(EDGE - 1) * SIDE + right * EDGE + n],
            })
            .sum();
        let left: i32 = (0..EDGE)
            .map(|n| match right {
                0 => part(band.near(start + (down * EDGE + pace * n) * band.stride(), 0, 1)),
                _ => self.light[(down * EDGE + n) * SIDE + EDGE - 1],
            })
            .sum();
        (above + left + 8) >> 4
    }

    pub(super) fn pixel(&self, x: usize, y: usize) -> u32 {
        let at = y / 2 * EDGE + x / 2;
        join(self.light[y * SIDE + x], self.blue[at], self.red[at])
    }
}

/// Brightness, 0 to 255, and how far blue and red are from it, scaled to -128 to 127.
fn split(pixel: u32) -> [i32; 3] {
    let [_, r, g, b] = pixel.to_be_bytes().map(i32::from);
    let light = (19_595 * r + 38_470 * g + 7_471 * b + 32_768) >> 16;
    let blue = ((b - light) * 36_962 + 32_768) >> 16;
    let red = ((r - light) * 46_727 + 32_768) >> 16;
    [light, blue.clamp(-128, 127), red.clamp(-128, 127)]
}

fn join(light: i32, blue: i32, red: i32) -> u32 {
    let r = light + ((91_881 * red + 32_768) >> 16);
    let g = light - ((22_554 * blue + 46_802 * red + 32_768) >> 16);
    let b = light + ((116_130 * blue + 32_768) >> 16);
    let byte = |value: i32| value.clamp(0, 255) as u8;
    u32::from_be_bytes([0, byte(r), byte(g), byte(b)])
}
