//! What makes a leg believe that it talks to its relay.

use std::{fmt, sync::Arc};

use rustls::{
    Error, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    pki_types::{CertificateDer, pem::PemObject as _},
    server::VerifierBuilderError,
};

use super::{
    Verdict,
    verifier::{Check, RelayVerifier},
};

/// Which relay is the right one.
#[derive(Clone, PartialEq, Eq)]
pub enum Trust {
    /// One whose certificate leads to one of these: PEM text, one certificate or more.
    CaFile(Vec<u8>),
    /// The one whose public key has this SHA-256 (of its SubjectPublicKeyInfo); its name does not matter.
    Pin([u8; 32]),
    /// One whose certificate leads to a root that this system trusts; where it has no list of those, to one of the
    /// list that this program brings (feature `bundled-roots`).
    Platform,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CaFile(pem) => write!(f, "CaFile({} bytes)", pem.len()),
            Self::Pin(_) => f.write_str("Pin"),
            Self::Platform => f.write_str("Platform"),
        }
    }
}

/// Why the configured trust is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The CA file holds no certificate.
    #[error("the CA file holds no certificate: it must be PEM, with a CERTIFICATE section")]
    NoCertificate,
    /// The CA file is not PEM.
    #[error("the CA file is not PEM")]
    NotPem,
    /// This system has no trusted roots.
    #[error("this system has no trusted certificates: give the relay's CA file or its pin")]
    NoPlatformRoots,
    /// A certificate in the CA file cannot be a root.
    #[error("a certificate of the CA file cannot be used")]
    BadCertificate(#[source] Error),
    /// TLS refuses the roots.
    #[error("TLS refuses the trusted certificates")]
    Verifier(#[from] VerifierBuilderError),
    /// The cryptographic library lacks something.
    #[error("TLS could not be set up")]
    Tls(#[from] Error),
}

impl Trust {
    /// Judges the relay itself.
    pub(super) fn verifier(
        &self,
        verdict: Verdict,
    ) -> Result<Arc<dyn ServerCertVerifier>, TrustError> {
        let verifier = self.relay_verifier(verdict)?;
        Ok(Arc::new(verifier))
    }

    /// Judges what only carries sealed packets: takes what this system trusts as well, if it trusts anybody.
    pub(super) fn outer_verifier(
        &self,
        verdict: Verdict,
    ) -> Result<Arc<dyn ServerCertVerifier>, TrustError> {
        let mut verifier = self.relay_verifier(verdict)?;
        verifier.world = bundled_roots().and_then(|roots| chain_verifier(roots).ok());
        verifier.system = match self {
            Self::Platform => None,
            Self::CaFile(_) | Self::Pin(_) => platform_roots().and_then(chain_verifier).ok(),
        };
        Ok(Arc::new(verifier))
    }

    fn relay_verifier(&self, verdict: Verdict) -> Result<RelayVerifier, TrustError> {
        let check = match self {
            Self::Pin(pin) => Check::Pin(*pin),
            Self::CaFile(pem) => Check::Chain(chain_verifier(roots_from_pem(pem)?)?),
            Self::Platform => Check::System(chain_verifier(platform_roots()?)?),
        };
        Ok(RelayVerifier {
            check,
            system: None,
            world: None,
            algorithms: super::provider().signature_verification_algorithms,
            verdict,
        })
    }
}

fn roots_from_pem(pem: &[u8]) -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots
            .add(certificate.map_err(|_| TrustError::NotPem)?)
            .map_err(TrustError::BadCertificate)?;
    }
    if roots.is_empty() {
        Err(TrustError::NoCertificate)
    } else {
        Ok(roots)
    }
}

/// What this system trusts, else what this program brings.
fn platform_roots() -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "a trusted certificate of this system cannot be read");
    }
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let bundled = bundled_roots().ok_or(TrustError::NoPlatformRoots)?;
    tracing::debug!("this system has no list of trusted certificates; the bundled one is used");
    Ok(bundled)
}

/// The authorities that the world's browsers trust.
#[cfg(feature = "bundled-roots")]
fn bundled_roots() -> Option<RootCertStore> {
    Some(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())
}

#[cfg(not(feature = "bundled-roots"))]
const fn bundled_roots() -> Option<RootCertStore> {
    None
}

fn chain_verifier(roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>, TrustError> {
    Ok(WebPkiServerVerifier::builder_with_provider(Arc::new(roots), super::provider()).build()?)
}
