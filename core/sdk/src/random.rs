//! Random bytes of the operating system.

/// Fills `bytes`.
///
/// # Panics
///
/// If the operating system has no random source: there is no secure way on.
pub(crate) fn fill(bytes: &mut [u8]) {
    #[expect(
        clippy::expect_used,
        reason = "without random bytes there is no secure way on"
    )]
    aws_lc_rs::rand::fill(bytes).expect("the operating system has a random source");
}

/// Fresh random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}
