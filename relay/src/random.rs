//! The system's random source.

/// Fresh random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // A relay without randomness must stop: predictable nameplates and challenges would be worse than none.
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has a random source");
    bytes
}
