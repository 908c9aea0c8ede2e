//! The arithmetic coder, and what learns from it.

/// A bit model: probability of 1, and visits.
#[derive(Clone, Copy)]
pub(crate) struct Bit {
    p: i64,
    visits: i64,
}

impl Bit {
    pub(crate) fn new() -> Self {
        Self {
            p: 32_768,
            visits: 0,
        }
    }

    fn learn(&mut self, is_one: bool) {
        let target = if is_one { 65_535 } else { 0 };
        self.p += (target - self.p) * 2 / (2 * self.visits + 3);
        self.p = self.p.clamp(24, 65_511);
        self.visits = 30.min(self.visits + 1);
    }
}

pub(crate) struct Decoder<'a> {
    low: u64,
    high: u64,
    value: u64,
    bytes: &'a [u8],
    read: usize,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self {
            low: 0,
            high: 0xffff_ffff,
            value: 0,
            bytes,
            read: 0,
        };
        for _ in 0..4 {
            decoder.value = decoder.value << 8 | decoder.next();
        }
        decoder
    }

    fn next(&mut self) -> u64 {
        let byte = self.bytes.get(self.read).copied().unwrap_or(0);
        self.read += 1;
        byte.into()
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.read >= self.bytes.len() && self.read <= self.bytes.len() + 4
    }

    pub(crate) fn decide(&mut self, p: i64) -> bool {
        let middle = self.low + ((self.high - self.low) * p as u64 >> 16);
        let is_one = self.value <= middle;
        if is_one {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while self.low >> 24 == self.high >> 24 {
            self.low = self.low << 8 & 0xffff_ffff;
            self.high = self.high << 8 & 0xffff_ffff | 0xff;
            self.value = self.value << 8 & 0xffff_ffff | self.next();
        }
        is_one
    }

    pub(crate) fn bit(&mut self, model: &mut Bit) -> bool {
        let is_one = self.decide(model.p);
        model.learn(is_one);
        is_one
    }

    /// `count` bits without a model.
    pub(crate) fn even(&mut self, count: u32) -> u64 {
        (0..count).fold(0, |value, _| value << 1 | u64::from(self.decide(32_768)))
    }

    pub(crate) fn number(&mut self, models: &mut Number) -> u64 {
        let mut n = 0;
        while n < 16 && self.bit(&mut models.size[n]) {
            n += 1;
        }
        let mut value = 1;
        for i in (0..n).rev() {
            let model = if i == n - 1 {
                &mut models.top[n]
            } else {
                &mut models.rest[i]
            };
            value = value << 1 | u64::from(self.bit(model));
        }
        value - 1
    }

    pub(crate) fn mixed(&mut self, weights: &mut [i64; 3], models: [&mut Bit; 3]) -> bool {
        let voices = models.each_ref().map(|model| voice(model.p));
        let sum: i64 = weights
            .iter()
            .zip(voices)
            .map(|(weight, voice)| weight * voice)
            .sum();
        let p = squash((sum >> 16).clamp(-2047, 2047));
        let is_one = self.decide(p);
        let error = if is_one { 65_535 - p } else { -p };
        for (weight, voice) in weights.iter_mut().zip(voices) {
            *weight += (voice * error * 7 + (1 << 19)) >> 20;
            *weight = (*weight).clamp(-(1 << 20), 1 << 20);
        }
        for model in models {
            model.learn(is_one);
        }
        is_one
    }
}

pub(crate) struct Number {
    size: [Bit; 17],
    top: [Bit; 17],
    rest: [Bit; 17],
}

impl Number {
    pub(crate) fn new() -> Self {
        Self {
            size: [Bit::new(); 17],
            top: [Bit::new(); 17],
            rest: [Bit::new(); 17],
        }
    }
}

/// S of the description, for all arguments from -2047 on.
fn curve() -> &'static [i64] {
    static CURVE: std::sync::OnceLock<Vec<i64>> = std::sync::OnceLock::new();
    CURVE.get_or_init(|| {
        let mut upper = Vec::new();
        let mut e = 1_u64 << 32;
        for _ in 0..=2047 {
            upper.push(((1_u64 << 48) / ((1 << 32) + e)) as i64);
            e = (u128::from(e) * 4_278_222_805 >> 32) as u64;
        }
        let lower = upper.iter().skip(1).rev().map(|s| 65_536 - s);
        lower.chain(upper.iter().copied()).collect()
    })
}

fn squash(x: i64) -> i64 {
    curve()[(x + 2047) as usize]
}

/// The highest argument that is the first, or whose S is low enough.
fn voice(p: i64) -> i64 {
    let most = (p >> 4) * 16 + 8;
    let count = curve().partition_point(|s| *s <= most);
    count.saturating_sub(1) as i64 - 2047
}
