//! Certificates on a machine whose clock cannot be right: a device without a battery wakes up in 1970.
//!
//! Such a clock judges no date. The chain is then judged at the earliest moment at which it is valid, and once the
//! relay has said what time it is, on the connection that the certificate itself protects, again at that time.

use std::{sync::Arc, time::Duration};

use rustls::{
    CertificateError, Error,
    client::{
        WebPkiServerVerifier,
        danger::{ServerCertVerified, ServerCertVerifier as _},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// No clock that stands before this is right: this program is younger (1 January 2026).
pub(super) const EARLIEST: u64 = 1_767_225_600;

/// No clock that stands after this is right: no device lives 50 years (our choice).
pub(super) const LATEST: u64 = EARLIEST + 50 * 365 * 24 * 60 * 60;

/// Certificates of a chain, each of which may push the moment back once.
const MAX_STEPS: usize = 8;

pub(super) fn is_plausible(unix_seconds: u64) -> bool {
    (EARLIEST..=LATEST).contains(&unix_seconds)
}

/// A certificate that a server showed, with all that is needed to judge it.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    verifier: Arc<WebPkiServerVerifier>,
    leaf: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
    name: ServerName<'static>,
}

impl Shown {
    pub(super) fn new(
        verifier: &Arc<WebPkiServerVerifier>,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
    ) -> Self {
        Self {
            verifier: Arc::clone(verifier),
            leaf: leaf.clone().into_owned(),
            intermediates: intermediates
                .iter()
                .map(|one| one.clone().into_owned())
                .collect(),
            name: name.to_owned(),
        }
    }

    /// Judges it at this time.
    pub(super) fn judge_at(&self, unix_seconds: u64) -> Result<ServerCertVerified, Error> {
        let at = UnixTime::since_unix_epoch(Duration::from_secs(unix_seconds));
        self.verifier
            .verify_server_cert(&self.leaf, &self.intermediates, &self.name, &[], at)
    }

    /// Judges it at the earliest moment since [`EARLIEST`] at which no certificate of the chain is still to come.
    pub(super) fn judge_without_clock(&self) -> Result<ServerCertVerified, Error> {
        let mut at = EARLIEST;
        for _ in 0..MAX_STEPS {
            match self.judge_at(at) {
                Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
                    not_before,
                    ..
                })) if not_before.as_secs() > at => at = not_before.as_secs(),
                outcome => return outcome,
            }
        }
        self.judge_at(at)
    }
}
