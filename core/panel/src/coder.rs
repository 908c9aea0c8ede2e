//! Binary arithmetic coding with adaptive probabilities.
//!
//! What is coded is written once, generic over [`Coder`]: the same routine drives the [`Writer`] with values and gets
//! them back from the [`Reader`], so the two directions cannot drift apart.

/// How often a decision went one way: 16 bits of probability, and the visits that set its rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bit {
    /// Probability of `true`, of 65,536.
    p: u16,
    visits: u16,
}

/// Visits after which the rate stays: one part in 31.5 of what is missing.
const MAX_VISITS: u16 = 30;

/// No decision becomes more certain than this, so none costs more than 12 bits.
const MARGIN: i32 = 24;

impl Bit {
    pub(crate) const NEW: Self = Self {
        p: 1 << 15,
        visits: 0,
    };

    /// Probability of `true`, of 65,536.
    pub(crate) fn probability(self) -> u16 {
        self.p
    }

    /// Moves towards `value`: by 1/1.5 at the first visit, 1/2.5 at the second, 1/31.5 at last.
    #[inline]
    pub(crate) fn learn(&mut self, value: bool) {
        let target = if value { 0xffff } else { 0 };
        let p = i32::from(self.p);
        let p = p + (target - p) * 2 / (i32::from(self.visits) * 2 + 3);
        self.p = p.clamp(MARGIN, 0xffff - MARGIN) as u16;
        self.visits += u16::from(self.visits < MAX_VISITS);
    }
}

impl Default for Bit {
    fn default() -> Self {
        Self::NEW
    }
}

/// One direction of coding.
pub(crate) trait Coder {
    /// Whether values come out of it; then those handed in are ignored.
    const DECODES: bool;

    /// Codes one decision that is `true` with a probability of `p` in 65,536.
    fn decide(&mut self, value: bool, p: u16) -> bool;

    /// Codes one decision by what `model` learnt, which learns from it.
    #[inline]
    fn bit(&mut self, value: bool, model: &mut Bit) -> bool {
        let value = self.decide(value, model.p);
        model.learn(value);
        value
    }

    /// Whether to stop after `done` pieces: the message is full, or says that it ended here.
    fn ends_after(&self, done: usize) -> bool;

    /// Whether the bytes ended long ago, so that whatever comes of them will be refused.
    fn is_lost(&self) -> bool;

    /// Codes the lowest `bits` of a value of which nothing is known, highest first.
    fn even(&mut self, value: u32, bits: u32) -> u32 {
        (0..bits).rev().fold(0, |got, at| {
            got << 1 | u32::from(self.decide(value >> at & 1 == 1, Bit::NEW.p))
        })
    }
}

/// Where the interval is cut: what is up to it means `true`.
fn split(low: u32, high: u32, p: u16) -> u32 {
    low + ((u64::from(high - low) * u64::from(p)) >> 16) as u32
}

/// Whether the interval's first byte is settled.
fn is_settled(low: u32, high: u32) -> bool {
    (low ^ high) >> 24 == 0
}

/// Writes decisions.
#[derive(Debug)]
pub(crate) struct Writer {
    low: u32,
    high: u32,
    out: Vec<u8>,
    limit: usize,
}

impl Writer {
    /// A writer that is full at `limit` bytes; what goes on nevertheless is written.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            low: 0,
            high: u32::MAX,
            out: Vec::new(),
            limit,
        }
    }

    /// The bytes, as few as tell the decisions when zeroes follow.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        for bytes in 0..=4_u32 {
            let below = u32::MAX.checked_shr(8 * bytes).unwrap_or(0);
            if let Some(value) = self.low.checked_add(below)
                && value & !below <= self.high
            {
                let value = (value & !below).to_be_bytes();
                self.out.extend(value.iter().take(bytes as usize));
                break;
            }
        }
        self.out
    }
}

impl Coder for Writer {
    const DECODES: bool = false;

    #[inline]
    fn decide(&mut self, value: bool, p: u16) -> bool {
        let middle = split(self.low, self.high, p);
        if value {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while is_settled(self.low, self.high) {
            self.out.push((self.high >> 24) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
        }
        value
    }

    fn ends_after(&self, _done: usize) -> bool {
        self.out.len() >= self.limit
    }

    fn is_lost(&self) -> bool {
        false
    }
}

/// Bytes that a reader is ahead of what the decisions take.
const SURPLUS: usize = 4;

/// Reads decisions; beyond the end of the bytes it reads zeroes.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    low: u32,
    high: u32,
    value: u32,
    bytes: &'a [u8],
    /// Bytes read, the zeroes included.
    read: usize,
    end: Option<usize>,
}

impl<'a> Reader<'a> {
    /// A reader of pieces that end after `end`, if they do before all is told.
    pub(crate) fn new(bytes: &'a [u8], end: Option<usize>) -> Self {
        let mut reader = Self {
            low: 0,
            high: u32::MAX,
            value: 0,
            bytes,
            read: 0,
            end,
        };
        for _ in 0..4 {
            reader.shift();
        }
        reader
    }

    /// Whether the bytes were exactly those that a writer leaves: all of them read, and none that it does not leave out.
    pub(crate) fn is_sound(&self) -> bool {
        (self.bytes.len()..=self.bytes.len() + SURPLUS).contains(&self.read)
    }

    fn shift(&mut self) {
        let byte = self.bytes.get(self.read).copied().unwrap_or(0);
        self.value = self.value << 8 | u32::from(byte);
        self.read += 1;
    }
}

impl Coder for Reader<'_> {
    const DECODES: bool = true;

    #[inline]
    fn decide(&mut self, _value: bool, p: u16) -> bool {
        let middle = split(self.low, self.high, p);
        let value = self.value <= middle;
        if value {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while is_settled(self.low, self.high) {
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
            self.shift();
        }
        value
    }

    fn ends_after(&self, done: usize) -> bool {
        self.end == Some(done)
    }

    fn is_lost(&self) -> bool {
        self.read > self.bytes.len() + SURPLUS
    }
}

/// A number of unknown size: how many bits it has, one decision each, and then these bits.
#[derive(Clone, Debug)]
pub(crate) struct Number {
    size: [Bit; Self::MAX_BITS],
    top: [Bit; Self::MAX_BITS],
    rest: [Bit; Self::MAX_BITS],
}

impl Number {
    /// One more than the number has at most so many bits.
    const MAX_BITS: usize = 17;

    pub(crate) const NEW: Self = Self {
        size: [Bit::NEW; Self::MAX_BITS],
        top: [Bit::NEW; Self::MAX_BITS],
        rest: [Bit::NEW; Self::MAX_BITS],
    };

    /// Codes `value`, at most 131,070.
    pub(crate) fn code(&mut self, coder: &mut impl Coder, value: u32) -> u32 {
        let bits = (value + 1).ilog2() as usize;
        let mut got = 0;
        while got + 1 < Self::MAX_BITS && coder.bit(got < bits, &mut self.size[got]) {
            got += 1;
        }
        let mut number = 1;
        for at in (0..got).rev() {
            // The highest bit says most about the number, so it is learnt for each size.
            let model = if at + 1 == got {
                &mut self.top[got]
            } else {
                &mut self.rest[at]
            };
            let bit = coder.bit((value + 1) >> at & 1 == 1, model);
            number = number << 1 | u32::from(bit);
        }
        number - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xorshift(state: &mut u64) -> u32 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 32) as u32
    }

    #[test]
    fn decisions_come_back_and_predictable_ones_cost_little() {
        for one_in in [1, 2, 3, 50, 5000] {
            let mut state = 7;
            let values: Vec<bool> = (0..20_000)
                .map(|_| xorshift(&mut state).is_multiple_of(one_in))
                .collect();
            let mut models = [Bit::NEW; 4];
            let mut writer = Writer::new(usize::MAX);
            for (at, value) in values.iter().enumerate() {
                writer.bit(*value, &mut models[at % 4]);
            }
            let bytes = writer.finish();
            assert!(one_in != 5000 || bytes.len() < 60, "{} bytes", bytes.len());
            let mut models = [Bit::NEW; 4];
            let mut reader = Reader::new(&bytes, None);
            for (at, value) in values.iter().enumerate() {
                assert_eq!(reader.bit(false, &mut models[at % 4]), *value);
            }
            assert!(reader.is_sound());
        }
    }

    #[test]
    fn nothing_takes_no_byte() {
        assert_eq!(Writer::new(0).finish(), []);
        assert!(Reader::new(&[], None).is_sound());
        assert!(!Reader::new(&[0; 5], None).is_sound());
    }

    #[test]
    fn numbers_come_back() {
        let values = [
            0, 1, 2, 3, 7, 8, 255, 256, 65_534, 65_535, 65_536, 131_070, 5, 5, 5,
        ];
        let mut writer = Writer::new(usize::MAX);
        let mut number = Number::NEW;
        for value in values {
            number.code(&mut writer, value);
            writer.even(value, 17);
        }
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes, None);
        let mut number = Number::NEW;
        for value in values {
            assert_eq!(number.code(&mut reader, 0), value);
            assert_eq!(reader.even(0, 17), value);
        }
        assert!(reader.is_sound());
    }
}
