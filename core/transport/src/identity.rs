//! The long-term key of a device or an operator.

use std::{fmt, sync::Arc};

use alongside_protocol::{PublicKey, relay::Signature};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use rustls::{
    SignatureAlgorithm, SignatureScheme,
    pki_types::SubjectPublicKeyInfoDer,
    sign::{Signer, SigningKey},
};
use zeroize::Zeroizing;

/// An Ed25519 key pair (RFC 8032). The private half never leaves it but by [`Identity::to_pkcs8`], and no
/// `Debug` shows it.
pub struct Identity {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// Why a key could not be made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The system's random source or the cryptographic library failed.
    #[error("no key could be made: the random source failed")]
    Generate,
    /// The bytes are not a PKCS #8 document with an Ed25519 key.
    #[error("not an Ed25519 private key in PKCS #8")]
    Malformed,
}

impl Identity {
    /// Makes a new key from the system's random source.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Generate`] if the random source fails.
    pub fn generate() -> Result<Self, IdentityError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| IdentityError::Generate)?;
        Self::new(pair).ok_or(IdentityError::Generate)
    }

    /// Reads a key that [`Identity::to_pkcs8`] wrote (PKCS #8, RFC 5958; version 1 or 2, DER).
    ///
    /// # Errors
    ///
    /// [`IdentityError::Malformed`] for anything else.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, IdentityError> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
            .map_err(|_| IdentityError::Malformed)?;
        Self::new(pair).ok_or(IdentityError::Malformed)
    }

    /// The private key for the state directory (PKCS #8 version 2, DER). Wiped when dropped.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Generate`] if the cryptographic library fails.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
        let document = self.pair.to_pkcs8().map_err(|_| IdentityError::Generate)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// The public half: who this is.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Signs `message` (Ed25519, RFC 8032).
    pub fn sign(&self, message: &[u8]) -> Signature {
        let mut bytes = [0; 64];
        let signature = self.pair.sign(message);
        bytes
            .iter_mut()
            .zip(signature.as_ref())
            .for_each(|(to, from)| *to = *from);
        Signature::from_bytes(bytes)
    }

    fn new(pair: Ed25519KeyPair) -> Option<Self> {
        let public = PublicKey(pair.public_key().as_ref().try_into().ok()?);
        Some(Self { pair, public })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// Whether `signature` over `message` was made with the private half of `key`.
pub fn verify(key: PublicKey, message: &[u8], signature: Signature) -> bool {
    UnparsedPublicKey::new(&ED25519, key.0)
        .verify(message, &signature.to_bytes())
        .is_ok()
}

/// The identity as TLS wants it: signs with Ed25519 and nothing else, shows a raw public key (RFC 7250).
#[derive(Clone, Debug)]
pub(crate) struct TlsKey(pub(crate) Arc<Identity>);

impl SigningKey for TlsKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ED25519)
            .then(|| -> Box<dyn Signer> { Box::new(self.clone()) })
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(
            self.0.public.to_spki().to_vec(),
        ))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for TlsKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Ok(self.0.pair.sign(message).as_ref().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_file() {
        let made = Identity::generate().unwrap();
        let read = Identity::from_pkcs8(&made.to_pkcs8().unwrap()).unwrap();
        assert_eq!(made.public_key(), read.public_key());
        assert!(verify(made.public_key(), b"message", read.sign(b"message")));
    }

    #[test]
    fn a_signature_holds_for_one_key_and_one_message() {
        let (ours, other) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let signature = ours.sign(b"message");
        assert!(!verify(other.public_key(), b"message", signature));
        assert!(!verify(ours.public_key(), b"massage", signature));
    }

    #[test]
    fn no_cut_of_a_key_file_is_a_key() {
        let der = Identity::generate().unwrap().to_pkcs8().unwrap();
        for len in 0..der.len() {
            assert_eq!(
                Identity::from_pkcs8(&der[..len]).unwrap_err(),
                IdentityError::Malformed,
                "{len} bytes"
            );
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_private_key() {
        let identity = Arc::new(Identity::generate().unwrap());
        let der = identity.to_pkcs8().unwrap();
        let seed = &der[16..48]; // RFC 8410, section 7: the 32 private bytes follow a header of 16
        for text in [
            format!("{identity:?}"),
            format!("{:?}", TlsKey(Arc::clone(&identity))),
        ] {
            let hex: String = seed
                .iter()
                .take(4)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert!(!text.contains(&hex), "{text}");
            assert!(
                !text.contains(&format!("{}, {}", seed[0], seed[1])),
                "{text}"
            );
        }
    }
}
