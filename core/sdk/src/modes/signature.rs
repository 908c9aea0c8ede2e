//! The file `signature` of a package: the hash of every other file, and an Ed25519 signature over the list.
//!
//! ```text
//! alongside-package-1
//! signer 5f1c...                   public key, 64 hexadecimal digits
//! 9b2e... mode.json                SHA-256 and path of each file, by path
//! c04d... counter.so
//! signature 77aa...                over all lines above, 128 hexadecimal digits
//! ```

use std::collections::BTreeMap;

use alongside_protocol::{PublicKey, ids::hex_to_bytes, relay};
use alongside_transport::{Identity, identity};

use super::{package::is_plain_path, refusal::Refusal};

/// First line of the file, and what keeps its signature from meaning anything elsewhere.
const HEAD: &str = "alongside-package-1";
/// Name of the file.
pub(super) const FILE: &str = "signature";

/// SHA-256 of a file (FIPS 180-4).
pub(super) type Hash = [u8; 32];

/// A signature file, read and not yet believed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signed<'a> {
    pub(super) signer: PublicKey,
    pub(super) files: BTreeMap<String, Hash>,
    /// What the signature is over.
    text: &'a str,
    signature: [u8; 64],
}

/// Hash of `bytes`.
pub(super) fn hash(bytes: &[u8]) -> Hash {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    // SHA-256 has 32 bytes.
    digest.as_ref().try_into().unwrap_or([0; 32])
}

/// Writes the file for a package of these files.
pub(super) fn write(files: &BTreeMap<String, Hash>, identity: &Identity) -> String {
    let mut text = format!("{HEAD}\nsigner {}\n", identity.public_key());
    for (path, hash) in files {
        text.push_str(&format!("{} {path}\n", hex(hash)));
    }
    let signature = identity.sign(text.as_bytes());
    text.push_str(&format!("signature {}\n", hex(&signature.to_bytes())));
    text
}

impl<'a> Signed<'a> {
    /// Reads a signature file.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let wrong = |line| Refusal::SignatureText { line };
        let text = std::str::from_utf8(bytes).map_err(|_| wrong(1))?;
        let mut lines = (1..).zip(text.split_inclusive('\n'));
        let mut next = || {
            let (number, line) = lines.next()?;
            Some((number, line.strip_suffix('\n')?, line.len()))
        };
        let (_, head, mut signed) = next().ok_or_else(|| wrong(1))?;
        if head != HEAD {
            return Err(wrong(1));
        }
        let (_, line, len) = next().ok_or_else(|| wrong(2))?;
        signed += len;
        let signer = line.strip_prefix("signer ").and_then(PublicKey::from_hex);
        let signer = signer.ok_or_else(|| wrong(2))?;
        let mut files = BTreeMap::new();
        let mut last = 2;
        while let Some((number, line, len)) = next() {
            last = number;
            let (first, rest) = line.split_once(' ').ok_or_else(|| wrong(number))?;
            if first == "signature" {
                let signature = hex_to_bytes(rest).ok_or_else(|| wrong(number))?;
                if next().is_some() || text.len() != signed + len {
                    return Err(wrong(number + 1));
                }
                let text = text.get(..signed).unwrap_or_default();
                return Ok(Self {
                    signer,
                    files,
                    text,
                    signature,
                });
            }
            let hash = hex_to_bytes(first).ok_or_else(|| wrong(number))?;
            if !is_plain_path(rest) || files.insert(rest.to_owned(), hash).is_some() {
                return Err(wrong(number));
            }
            signed += len;
        }
        Err(wrong(last + 1))
    }

    /// Whether the signer has signed it, and it is of exactly these files.
    pub(super) fn verify(&self, found: &BTreeMap<String, Hash>) -> Result<(), Refusal> {
        let signature = relay::Signature::from_bytes(self.signature);
        if !identity::verify(self.signer, self.text.as_bytes(), signature) {
            return Err(Refusal::Forged { key: self.signer });
        }
        for (file, hash) in &self.files {
            let file = file.clone();
            match found.get(&file) {
                None => return Err(Refusal::Missing { file }),
                Some(found) if found != hash => return Err(Refusal::Changed { file }),
                Some(_) => {}
            }
        }
        match found.keys().find(|file| !self.files.contains_key(*file)) {
            Some(file) => Err(Refusal::Added { file: file.clone() }),
            None => Ok(()),
        }
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> BTreeMap<String, Hash> {
        BTreeMap::from([
            ("mode.json".to_owned(), hash(b"{}")),
            ("ui/panel.js".to_owned(), hash(b"")),
        ])
    }

    #[test]
    fn what_was_signed_verifies_and_nothing_else_does() {
        let identity = Identity::generate().expect("a key");
        let text = write(&files(), &identity);
        let signed = Signed::parse(text.as_bytes()).expect("readable");
        assert_eq!(signed.signer, identity.public_key());
        assert!(signed.verify(&files()).is_ok());
        let mut changed = files();
        changed.insert("mode.json".to_owned(), hash(b"{ }"));
        assert!(
            matches!(signed.verify(&changed), Err(Refusal::Changed { file }) if file == "mode.json")
        );
        let mut added = files();
        added.insert("extra".to_owned(), hash(b""));
        assert!(matches!(signed.verify(&added), Err(Refusal::Added { file }) if file == "extra"));
        let mut missing = files();
        missing.remove("ui/panel.js");
        assert!(matches!(
            signed.verify(&missing),
            Err(Refusal::Missing { .. })
        ));
    }

    #[test]
    fn every_byte_counts_and_no_length_breaks_it() {
        let identity = Identity::generate().expect("a key");
        let text = write(&files(), &identity).into_bytes();
        for len in 0..text.len() {
            assert!(Signed::parse(&text[..len]).is_err(), "cut at {len}");
        }
        for at in 0..text.len() {
            let mut bent = text.clone();
            bent[at] ^= 1;
            let holds = Signed::parse(&bent).and_then(|signed| signed.verify(&files()));
            assert!(holds.is_err(), "byte {at}");
        }
        let longer = [&text[..], b"more\n"].concat();
        assert!(Signed::parse(&longer).is_err());
    }

    #[test]
    fn a_path_out_of_the_package_is_refused() {
        let zeros = "00".repeat(32);
        for path in ["../x", "/x", "a//b", ".hidden", ""] {
            let text =
                format!("{HEAD}\nsigner {zeros}\n{zeros} {path}\nsignature {zeros}{zeros}\n");
            assert!(
                matches!(
                    Signed::parse(text.as_bytes()),
                    Err(Refusal::SignatureText { line: 3 })
                ),
                "{path}"
            );
        }
    }
}
