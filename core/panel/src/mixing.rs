//! Decisions on which several models have a say.
//!
//! Each model's probability is taken to the logistic domain, where evidence adds up; weights say how much each is
//! listened to, and move towards those that were right. All of it is integer arithmetic, the same on every machine.

use crate::coder::{Bit, Coder};

/// How many models there are for each decision.
pub(crate) const VOICES: usize = 3;

/// How much each voice is listened to, of 65,536.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights([i32; VOICES]);

/// The logistic domain ends at so many 256ths of a natural logarithm: e^-8 is one in 2981.
const END: i32 = 2047;

/// e^(-1/256), of 2^32.
const STEP: u64 = 4_278_222_805;

/// How fast the weights move.
const RATE: i32 = 7;

/// No weight goes beyond 16, so that their sum stays small.
const MAX_WEIGHT: i32 = 16 << 16;

impl Weights {
    /// All alike, and a little more than a mean: independent voices that agree are right more often than each.
    pub(crate) const NEW: Self = Self([0x6000; VOICES]);

    /// Codes one decision by all of `models`.
    #[inline]
    pub(crate) fn code<C: Coder>(
        &mut self,
        coder: &mut C,
        value: bool,
        models: [&mut Bit; VOICES],
    ) -> bool {
        let voices: [i32; VOICES] = std::array::from_fn(|at| stretch(models[at].probability()));
        let said = self.0.iter().zip(voices);
        let sum: i64 = said
            .map(|(weight, voice)| i64::from(*weight) * i64::from(voice))
            .sum();
        let p = squash((sum >> 16).clamp(-i64::from(END), i64::from(END)) as i32);
        let value = coder.decide(value, p);
        let error = if value { 0xffff } else { 0 } - i32::from(p);
        for (weight, voice) in self.0.iter_mut().zip(voices) {
            let change = (voice * error * RATE + (1 << 19)) >> 20;
            *weight = (*weight + change).clamp(-MAX_WEIGHT, MAX_WEIGHT);
        }
        for model in models {
            model.learn(value);
        }
        value
    }
}

/// Logistic values to probabilities, from -2047 on.
static SQUASHED: [u16; 2 * END as usize + 1] = squashed();

/// Probabilities, of 4,096, to logistic values.
static STRETCHED: [i16; 4096] = stretched();

fn squash(value: i32) -> u16 {
    SQUASHED[(value + END) as usize]
}

fn stretch(p: u16) -> i32 {
    STRETCHED[usize::from(p >> 4)].into()
}

const fn squashed() -> [u16; 2 * END as usize + 1] {
    let mut table = [0; 2 * END as usize + 1];
    let mut power = 1_u64 << 32; // e^(-n/256)
    let mut n = 0;
    while n <= END {
        let p = (1_u64 << 48) / ((1 << 32) + power);
        table[(END + n) as usize] = p as u16;
        table[(END - n) as usize] = (0x1_0000 - p) as u16;
        power = (power * STEP) >> 32;
        n += 1;
    }
    table
}

/// The highest logistic value whose probability is not above.
const fn stretched() -> [i16; 4096] {
    let squashed = squashed();
    let mut table = [0; 4096];
    let mut value = 0;
    let mut p = 0;
    while p < 4096 {
        while value + 1 < squashed.len() && squashed[value + 1] as usize <= p * 16 + 8 {
            value += 1;
        }
        table[p] = value as i16 - END as i16;
        p += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coder::{Reader, Writer};

    #[test]
    fn the_tables_undo_each_other() {
        assert_eq!(squash(0), 32_768);
        assert_eq!([squash(END), squash(-END)], [65_513, 23]);
        assert_eq!(
            [squash(256), squash(-256)],
            [47_910, 17_626],
            "1 / (1 + 1/e)"
        );
        assert!(SQUASHED.is_sorted() && STRETCHED.is_sorted());
        for value in -1200..1200 {
            let back = stretch(squash(value));
            assert!((back - value).abs() <= 40, "{value} became {back}");
        }
    }

    /// Two models that tell the halves of the decisions apart, and two that do not.
    fn code(coder: &mut impl Coder, values: &mut [bool]) {
        let mut models = [Bit::NEW; 4];
        let mut weights = Weights::NEW;
        for (at, value) in values.iter_mut().enumerate() {
            let [a, b, c, d] = &mut models;
            let knows = if at % 2 == 0 { a } else { b };
            *value = weights.code(coder, *value, [knows, c, d]);
        }
    }

    #[test]
    fn the_voice_that_knows_is_listened_to() {
        let mut values: Vec<bool> = (0..4000).map(|at| at % 2 == 0).collect();
        let mut writer = Writer::new(usize::MAX);
        code(&mut writer, &mut values);
        let bytes = writer.finish();
        assert!(bytes.len() < 40, "{} bytes", bytes.len());
        let mut got = vec![false; values.len()];
        let mut reader = Reader::new(&bytes, None);
        code(&mut reader, &mut got);
        assert_eq!(got, values);
        assert!(reader.is_sound());
    }
}
