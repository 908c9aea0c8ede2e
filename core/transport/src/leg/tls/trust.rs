//! What makes a leg believe that it talks to its relay.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest::{SHA256, digest};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, PeerIncompatible, RootCertStore,
    SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    server::{ParsedCertificate, VerifierBuilderError},
};

/// Which relay is the right one.
#[derive(Clone, PartialEq, Eq)]
pub enum Trust {
    /// One whose certificate leads to one of these: PEM text, one certificate or more.
    CaFile(Vec<u8>),
    /// The one whose public key has this SHA-256 (of its SubjectPublicKeyInfo); its name does not matter.
    Pin([u8; 32]),
    /// One whose certificate leads to a root that this system trusts.
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

/// What was wrong with the certificate that the relay showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateFault {
    /// It leads to nothing that is trusted.
    Untrusted,
    /// It is trusted, but for another name.
    WrongName,
    /// It is not valid yet or no more, by this machine's clock.
    OutOfDate,
    /// Its key is not the pinned one.
    WrongPin,
    /// It is broken, revoked, or not for servers.
    Unusable,
}

/// Remembers what a handshake found wrong, since QUIC reports an alert number only.
#[derive(Clone, Debug, Default)]
pub struct Verdict(Arc<Mutex<Option<CertificateFault>>>);

impl Verdict {
    /// The fault of the last certificate seen, if it had one.
    pub fn fault(&self) -> Option<CertificateFault> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, fault: Option<CertificateFault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

impl Trust {
    pub(super) fn verifier(
        &self,
        verdict: Verdict,
    ) -> Result<Arc<dyn ServerCertVerifier>, TrustError> {
        self.verifier_beside(None, verdict)
    }

    /// One that also takes what this system trusts, if it trusts anybody.
    pub(super) fn outer_verifier(
        &self,
        verdict: Verdict,
    ) -> Result<Arc<dyn ServerCertVerifier>, TrustError> {
        let system = match self {
            Self::Platform => None,
            Self::CaFile(_) | Self::Pin(_) => platform_roots().and_then(chain_verifier).ok(),
        };
        self.verifier_beside(system, verdict)
    }

    fn verifier_beside(
        &self,
        system: Option<Arc<WebPkiServerVerifier>>,
        verdict: Verdict,
    ) -> Result<Arc<dyn ServerCertVerifier>, TrustError> {
        let check = match self {
            Self::Pin(pin) => Check::Pin(*pin),
            Self::CaFile(pem) => Check::Chain(chain_verifier(roots_from_pem(pem)?)?),
            Self::Platform => Check::Chain(chain_verifier(platform_roots()?)?),
        };
        let algorithms = super::provider().signature_verification_algorithms;
        Ok(Arc::new(RelayVerifier {
            check,
            system,
            algorithms,
            verdict,
        }))
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

pub(crate) fn platform_roots() -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "a trusted certificate of this system cannot be read");
    }
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        Err(TrustError::NoPlatformRoots)
    } else {
        Ok(roots)
    }
}

fn chain_verifier(roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>, TrustError> {
    Ok(WebPkiServerVerifier::builder_with_provider(Arc::new(roots), super::provider()).build()?)
}

/// Checks a relay's certificate and remembers the outcome.
#[derive(Debug)]
struct RelayVerifier {
    check: Check,
    /// Good as well, where only packets that are sealed already are carried.
    system: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
    verdict: Verdict,
}

#[derive(Debug)]
enum Check {
    Chain(Arc<WebPkiServerVerifier>),
    Pin([u8; 32]),
}

impl ServerCertVerifier for RelayVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let result = match &self.check {
            Check::Chain(verifier) => {
                verifier.verify_server_cert(leaf, intermediates, name, ocsp, now)
            }
            Check::Pin(pin) => check_pin(leaf, pin),
        };
        let result = result.or_else(|error| match &self.system {
            Some(system) => system
                .verify_server_cert(leaf, intermediates, name, ocsp, now)
                .map_err(|_| error),
            None => Err(error),
        });
        self.verdict.set(result.as_ref().err().map(fault));
        result
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls may add kinds; all others are one to a person"
)]
fn fault(error: &Error) -> CertificateFault {
    let Error::InvalidCertificate(error) = error else {
        return CertificateFault::Unusable;
    };
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            CertificateFault::Untrusted
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateFault::WrongName
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => CertificateFault::OutOfDate,
        CertificateError::ApplicationVerificationFailure => CertificateFault::WrongPin,
        _ => CertificateFault::Unusable,
    }
}

fn check_pin(leaf: &CertificateDer<'_>, pin: &[u8; 32]) -> Result<ServerCertVerified, Error> {
    let spki = ParsedCertificate::try_from(leaf)?.subject_public_key_info();
    if digest(&SHA256, &spki).as_ref() == pin {
        Ok(ServerCertVerified::assertion())
    } else {
        Err(CertificateError::ApplicationVerificationFailure.into())
    }
}
