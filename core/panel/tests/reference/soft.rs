//! Soft tiles.

use super::{
    Picture,
    coder::{Bit, Decoder, Number},
};

struct Kind {
    more: [[Bit; 4]; 64],
    some: [[Bit; 4]; 64],
    larger: [[[Bit; 14]; 4]; 4],
    beyond: [Number; 2],
    sign: Bit,
}

pub(crate) struct Soft {
    kinds: [Kind; 2],
}

impl Soft {
    pub(crate) fn new() -> Self {
        let kind = || Kind {
            more: [[Bit::new(); 4]; 64],
            some: [[Bit::new(); 4]; 64],
            larger: [[[Bit::new(); 14]; 4]; 4],
            beyond: [Number::new(), Number::new()],
            sign: Bit::new(),
        };
        Self {
            kinds: [kind(), kind()],
        }
    }

    pub(crate) fn tile(
        &mut self,
        decoder: &mut Decoder<'_>,
        picture: &mut Picture,
        place: usize,
        coarseness: u8,
    ) -> Option<()> {
        let [left, top, width, height] = picture.tile(place)?;
        let (left, top) = (left as i64, top as i64);
        let mut light = [[0; 16]; 16];
        for (down, right) in [(0, 0), (0, 8), (8, 0), (8, 8)] {
            let mut sum = 8;
            for n in 0..8 {
                sum += if down == 0 {
                    split(picture.get(left + right as i64 + n as i64, top - 1))[0]
                } else {
                    light[7][right + n]
                };
                sum += if right == 0 {
                    split(picture.get(left - 1, top + down as i64 + n as i64))[0]
                } else {
                    light[down + n][7]
                };
            }
            let values = self.kinds[0].block(decoder, coarseness, 16, 2);
            for y in 0..8 {
                for x in 0..8 {
                    light[down + y][right + x] = (values[y][x] + (sum >> 4)).clamp(0, 255);
                }
            }
        }
        let colours = [1, 2].map(|channel: usize| {
            let mut sum = 8;
            for n in 0..8 {
                sum += split(picture.get(left + 2 * n, top - 1))[channel];
                sum += split(picture.get(left - 1, top + 2 * n))[channel];
            }
            let mut values = self.kinds[1].block(decoder, coarseness, 20, 5);
            for value in values.iter_mut().flatten() {
                *value = (*value + (sum >> 4)).clamp(-128, 127);
            }
            values
        });
        for y in 0..height {
            for x in 0..width {
                let [blue, red] = [0, 1].map(|channel: usize| colours[channel][y / 2][x / 2]);
                let pixel = join(light[y][x], blue, red);
                picture.set(left as usize + x, top as usize + y, pixel);
            }
        }
        Some(())
    }
}

impl Kind {
    /// The values of a block, before the expected is added.
    fn block(
        &mut self,
        decoder: &mut Decoder<'_>,
        coarseness: u8,
        base: i64,
        fine: i64,
    ) -> [[i64; 8]; 8] {
        let counts = self.counts(decoder);
        let mut amounts = [[0; 8]; 8];
        for ((u, v), count) in zigzag().into_iter().zip(counts) {
            let weight = base + fine * (u + v) as i64;
            let step = (weight * i64::from(coarseness) + 8) >> 4;
            amounts[v][u] = (count * step).clamp(-32_767, 32_767);
        }
        let mut middle = [[0; 8]; 8];
        for y in 0..8 {
            for u in 0..8 {
                let sum: i64 = (0..8).map(|v| wave(v, y) * amounts[v][u]).sum();
                middle[y][u] = ((sum + 256) >> 9).clamp(-65_535, 65_535);
            }
        }
        let mut values = [[0; 8]; 8];
        for y in 0..8 {
            for x in 0..8 {
                let sum: i64 = (0..8).map(|u| wave(u, x) * middle[y][u]).sum();
                values[y][x] = (sum + 16_384) >> 15;
            }
        }
        values
    }

    fn counts(&mut self, decoder: &mut Decoder<'_>) -> [i64; 64] {
        let mut counts = [0_i64; 64];
        let (mut at, mut seen, mut a, mut b) = (0, 0, 0, 0);
        while at < 64 && decoder.bit(&mut self.more[at][3.min(seen)]) {
            loop {
                let around = 3.min((a + b + 1) >> 1) as usize;
                let some = at == 63 || decoder.bit(&mut self.some[at][around]);
                if some {
                    counts[at] = self.size(decoder, at, around);
                }
                b = a;
                a = counts[at].abs();
                at += 1;
                if some {
                    break;
                }
            }
            seen += 1;
        }
        counts
    }

    fn size(&mut self, decoder: &mut Decoder<'_>, at: usize, around: usize) -> i64 {
        let is_negative = if at == 0 {
            decoder.bit(&mut self.sign)
        } else {
            decoder.even(1) == 1
        };
        let along = match at {
            0 => 0,
            1..=5 => 1,
            6..=20 => 2,
            _ => 3,
        };
        let mut n = 1;
        while n <= 14 && decoder.bit(&mut self.larger[along][around][n - 1]) {
            n += 1;
        }
        let mut n = n as i64;
        if n == 15 {
            n += decoder.number(&mut self.beyond[usize::from(at > 0)]) as i64;
        }
        let n = n.min(4095);
        if is_negative { -n } else { n }
    }
}

/// Column and row of each count.
fn zigzag() -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    let (mut u, mut v) = (0_i32, 0_i32);
    let mut goes_up = true;
    while places.len() < 64 {
        places.push((u as usize, v as usize));
        if goes_up {
            if u == 7 {
                v += 1;
                goes_up = false;
            } else if v == 0 {
                u += 1;
                goes_up = false;
            } else {
                (u, v) = (u + 1, v - 1);
            }
        } else if v == 7 {
            u += 1;
            goes_up = true;
        } else if u == 0 {
            v += 1;
            goes_up = true;
        } else {
            (u, v) = (u - 1, v + 1);
        }
    }
    places
}

fn wave(k: usize, n: usize) -> i64 {
    if k == 0 {
        return 1448;
    }
    let quarter = [2048, 2009, 1892, 1703, 1448, 1138, 784, 400, 0];
    match (2 * n + 1) * k % 32 {
        j @ 0..=8 => quarter[j],
        j @ 9..=16 => -quarter[16 - j],
        j @ 17..=24 => -quarter[j - 16],
        j => quarter[32 - j],
    }
}

fn split(pixel: u32) -> [i64; 3] {
    let [_, r, g, b] = pixel.to_be_bytes().map(i64::from);
    let light = (19_595 * r + 38_470 * g + 7_471 * b + 32_768) >> 16;
    let blue = (36_962 * (b - light) + 32_768) >> 16;
    let red = (46_727 * (r - light) + 32_768) >> 16;
    [light, blue.clamp(-128, 127), red.clamp(-128, 127)]
}

fn join(light: i64, blue: i64, red: i64) -> u32 {
    let r = light + ((91_881 * red + 32_768) >> 16);
    let g = light - ((22_554 * blue + 46_802 * red + 32_768) >> 16);
    let b = light + ((116_130 * blue + 32_768) >> 16);
    [r, g, b]
        .into_iter()
        .fold(0, |pixel, part| pixel << 8 | part.clamp(0, 255) as u32)
}
