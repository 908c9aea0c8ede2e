//! Deriving keys and every random value of a session (HKDF, RFC 5869, with SHA-256).

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Derives `N` bytes from `secret`, told apart by `salt` and `label`.
pub(crate) fn derive<const N: usize>(
    salt: Option<&[u8]>,
    secret: &[u8],
    label: &[u8],
) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * 32, "RFC 5869, section 2.3") };
    let mut out = Zeroizing::new([0; N]);
    Hkdf::<Sha256>::new(salt, secret)
        .expand(label, out.as_mut())
        .expect("N is within HKDF's limit");
    out
}

/// Fresh bytes of the operating system's, given once per connection; the only randomness a session has.
///
/// Wiped when dropped.
pub(crate) struct Entropy(Zeroizing<[u8; 32]>);

impl Entropy {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// `N` random bytes for the purpose that `label` names.
    pub(crate) fn draw<const N: usize>(&self, label: &[u8]) -> Zeroizing<[u8; N]> {
        derive(None, self.0.as_ref(), label)
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(..)")
    }
}
