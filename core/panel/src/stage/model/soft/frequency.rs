//! Blocks of 8x8 values as frequencies, in integers that are the same on every machine.

use super::{AREA, EDGE};

/// Which block of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// Brightness, of the quarter at so many blocks to the right and down.
    Light(usize, usize),
    /// Blue and red, of the whole tile at half the resolution.
    Blue,
    Red,
}

impl Block {
    /// In the order in which they are coded.
    pub(super) const ALL: [Self; 6] = [
        Self::Light(0, 0),
        Self::Light(1, 0),
        Self::Light(0, 1),
        Self::Light(1, 1),
        Self::Blue,
        Self::Red,
    ];

    /// Which models it has.
    pub(super) const fn kind(self) -> usize {
        match self {
            Self::Light(..) => 0,
            Self::Blue | Self::Red => 1,
        }
    }
}

/// 2048 * cos(n * pi / 16).
const COSINES: [i32; 8] = [2048, 2009, 1892, 1703, 1448, 1138, 784, 400];

/// Each frequency at each place, of 4096.
static WAVES: [[i32; EDGE]; EDGE] = waves();

const fn waves() -> [[i32; EDGE]; EDGE] {
    let mut waves = [[COSINES[4]; EDGE]; EDGE];
    let mut frequency = 1;
    while frequency < EDGE {
        let mut place = 0;
        while place < EDGE {
            // The angle in sixteenths of half a turn.
            let angle = (2 * place + 1) * frequency % 32;
            let angle = if angle > 16 { 32 - angle } else { angle };
            waves[frequency][place] = if angle > 8 {
                -COSINES[16 - angle]
            } else if angle == 8 {
                0
            } else {
                COSINES[angle]
            };
            place += 1;
        }
        frequency += 1;
    }
    waves
}

/// No amount, and nothing on the way back, goes beyond this.
const LIMIT: i32 = 1 << 16;

/// Values to amounts.
pub(super) fn forward(values: &[i32; AREA]) -> [i32; AREA] {
    let mut rows = [0; AREA];
    for (row, values) in rows.chunks_exact_mut(EDGE).zip(values.chunks_exact(EDGE)) {
        for (amount, wave) in row.iter_mut().zip(&WAVES) {
            let sum: i32 = wave
                .iter()
                .zip(values)
                .map(|(wave, value)| wave * value)
                .sum();
            *amount = (sum + (1 << 8)) >> 9;
        }
    }
    let mut amounts = [0; AREA];
    for column in 0..EDGE {
        for (frequency, wave) in WAVES.iter().enumerate() {
            let sum: i32 = (0..EDGE)
                .map(|row| wave[row] * rows[row * EDGE + column])
                .sum();
            amounts[frequency * EDGE + column] = (sum + (1 << 14)) >> 15;
        }
    }
    amounts
}

/// Amounts to values.
pub(super) fn inverse(amounts: &[i32; AREA]) -> [i32; AREA] {
    let mut columns = [0; AREA];
    for (frequency, wave) in WAVES.iter().enumerate() {
        let amounts = &amounts[frequency * EDGE..(frequency + 1) * EDGE];
        if amounts.iter().all(|amount| *amount == 0) {
            continue;
        }
        for (row, wave) in columns.chunks_exact_mut(EDGE).zip(wave) {
            for (sum, amount) in row.iter_mut().zip(amounts) {
                *sum += wave * (*amount).clamp(1 - LIMIT / 2, LIMIT / 2 - 1);
            }
        }
    }
    let mut values = [0; AREA];
    for (values, columns) in values
        .chunks_exact_mut(EDGE)
        .zip(columns.chunks_exact(EDGE))
    {
        for (amount, wave) in columns.iter().zip(&WAVES) {
            let amount = ((amount + (1 << 8)) >> 9).clamp(1 - LIMIT, LIMIT - 1);
            for (value, wave) in values.iter_mut().zip(wave) {
                *value += wave * amount;
            }
        }
    }
    values.map(|value| (value + (1 << 14)) >> 15)
}
