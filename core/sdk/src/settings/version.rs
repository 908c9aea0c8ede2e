//! Versions of settings that tell nothing about them.

use std::fmt;

use alongside_protocol::setting::SettingsVersion;
use aws_lc_rs::hmac;

/// Makes a [`SettingsVersion`] of what settings are stored as.
///
/// The key is fresh in each process and stays there: whoever knows the version cannot try out what a secret may be.
pub struct VersionKey(hmac::Key);

impl VersionKey {
    /// A fresh key.
    pub fn new() -> Self {
        Self(hmac::Key::new(
            hmac::HMAC_SHA256,
            &crate::random::bytes::<32>(),
        ))
    }

    /// The version of `stored`: the same for the same bytes, for as long as this key lives.
    pub fn version(&self, stored: &[u8]) -> SettingsVersion {
        let tag = hmac::sign(&self.0, stored);
        let first = tag.as_ref().first_chunk::<8>().copied().unwrap_or_default();
        SettingsVersion::from_bits(u64::from_be_bytes(first))
    }
}

impl Default for VersionKey {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for VersionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VersionKey(..)")
    }
}
