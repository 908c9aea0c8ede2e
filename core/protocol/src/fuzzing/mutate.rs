//! Seeded mutations: the same bytes on every machine and in every run.

/// Calls `body` with `count` damaged variants of `seeds`, always the same ones in the same order.
///
/// Flips bits, overwrites, drops, repeats and inserts bytes, cuts off, and joins two seeds; one to four of these at
/// a time. Does nothing without seeds.
pub fn mutations<S: AsRef<[u8]>>(seeds: &[S], count: usize, body: impl FnMut(&[u8])) {
    mutations_of(0, seeds, count, body);
}

/// As [`mutations`], with others for each `run`: for whoever wants more of them than one run gives.
pub fn mutations_of<S: AsRef<[u8]>>(
    run: u64,
    seeds: &[S],
    count: usize,
    mut body: impl FnMut(&[u8]),
) {
    // Odd multiples of an odd number: never 0, which would stay 0.
    let mut random = Random((2 * run + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    for round in 0..count {
        let Some(seed) = pick(seeds, &mut random) else {
            return;
        };
        let mut bytes = seed.to_vec();
        for _ in 0..=round % 4 {
            let other = pick(seeds, &mut random).unwrap_or_default();
            damage(&mut bytes, other, &mut random);
        }
        body(&bytes);
    }
}

fn pick<'a, S: AsRef<[u8]>>(seeds: &'a [S], random: &mut Random) -> Option<&'a [u8]> {
    seeds.get(random.below(seeds.len())).map(AsRef::as_ref)
}

fn damage(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(bytes.len());
    let to = (at + 1 + random.below(8)).min(bytes.len());
    match random.below(7) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            // Values at which lengths, varints and enums turn over.
            let value =
                pick(&[[0], [1], [0x7f], [0x80], [0xff]], random).and_then(|v| v.first().copied());
            if let (Some(byte), Some(value)) = (bytes.get_mut(at), value) {
                *byte = value;
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.byte();
            }
        }
        3 => drop(bytes.drain(at.min(to)..to)),
        4 => bytes.extend_from_within(at.min(to)..to),
        5 => bytes.insert(at, random.byte()),
        _ => {
            bytes.truncate(at);
            bytes.extend_from_slice(
                other
                    .get(random.below(other.len() + 1)..)
                    .unwrap_or_default(),
            );
        }
    }
}

/// Marsaglia's xorshift64: good enough to damage bytes with, and no dependency.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn byte(&mut self) -> u8 {
        let [byte, ..] = self.next().to_be_bytes();
        byte
    }

    /// A number below `end`; 0 if `end` is 0.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from((self.next() >> 16) % end).unwrap_or(0)
    }
}
