//! Checks a certificate of the relay, or of what stands before it, and remembers the outcome.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, PeerIncompatible, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

use super::{
    CertificateFault, Verdict,
    dates::{self, Shown},
    issuer::issuer,
    verdict::Found,
};

#[derive(Debug)]
pub(super) struct RelayVerifier {
    pub(super) check: Check,
    /// Good as well, where only packets that are sealed already are carried.
    pub(super) system: Option<Arc<WebPkiServerVerifier>>,
    /// Tells an authority of the world from one of this system alone.
    pub(super) world: Option<Arc<WebPkiServerVerifier>>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    pub(super) verdict: Verdict,
}

#[derive(Debug)]
pub(super) enum Check {
    /// It leads to an authority that was named for the relay.
    Chain(Arc<WebPkiServerVerifier>),
    /// It leads to one that this system trusts.
    System(Arc<WebPkiServerVerifier>),
    Pin([u8; 32]),
}

impl ServerCertVerifier for RelayVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut found = Found {
            issuer: issuer(leaf),
            ..Found::default()
        };
        let clock_is_right = dates::is_plausible(now.as_secs());
        let by = |verifier: &Arc<WebPkiServerVerifier>| {
            let shown = Shown::new(verifier, leaf, intermediates, name);
            let judged = if clock_is_right {
                shown.judge_at(now.as_secs())
            } else {
                shown.judge_without_clock()
            };
            (judged, shown)
        };
        let result = match &self.check {
            Check::Pin(pin) => check_pin(leaf, pin),
            Check::Chain(verifier) | Check::System(verifier) => {
                let (judged, shown) = by(verifier);
                found.undated = (!clock_is_right && judged.is_ok()).then_some(shown);
                judged
            }
        };
        let (result, is_by_system) = match (result, &self.system) {
            (Err(error), Some(system)) => (by(system).0.map_err(|_| error), true),
            // Without a list of the world's authorities those of this system cannot be told apart.
            (result, _) => {
                let is_system = matches!(self.check, Check::System(_)) && self.world.is_some();
                (result, is_system)
            }
        };
        let is_of_the_world = || self.world.as_ref().is_some_and(|world| by(world).0.is_ok());
        found.is_by_private_authority = is_by_system && result.is_ok() && !is_of_the_world();
        found.fault = result.as_ref().err().map(CertificateFault::of);
        self.verdict.set(found);
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

fn check_pin(leaf: &CertificateDer<'_>, pin: &[u8; 32]) -> Result<ServerCertVerified, Error> {
    let spki = ParsedCertificate::try_from(leaf)?.subject_public_key_info();
    if digest(&SHA256, &spki).as_ref() == pin {
        Ok(ServerCertVerified::assertion())
    } else {
        Err(CertificateError::ApplicationVerificationFailure.into())
    }
}
