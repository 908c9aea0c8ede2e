//! What a handshake found out about the certificate of the other side.

use std::sync::{Arc, Mutex, PoisonError};

use alongside_protocol::label::Label;
use rustls::{CertificateError, Error};

use super::dates::{self, Shown};

/// What was wrong with the certificate that the relay showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateFault {
    /// It leads to nothing that is trusted.
    Untrusted,
    /// It is trusted, but for another name.
    WrongName,
    /// It is not valid yet or no more, by this machine's clock, or by the relay's where this machine's cannot be right.
    OutOfDate,
    /// Neither this machine's clock nor the relay's can be right, so that no date can be judged.
    NoClock,
    /// Its key is not the pinned one.
    WrongPin,
    /// It is broken, revoked, or not for servers.
    Unusable,
}

impl CertificateFault {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "rustls may add kinds; all others are one to a person"
    )]
    pub(super) fn of(error: &Error) -> Self {
        let Error::InvalidCertificate(error) = error else {
            return Self::Unusable;
        };
        match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Untrusted,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::OutOfDate,
            CertificateError::ApplicationVerificationFailure => Self::WrongPin,
            _ => Self::Unusable,
        }
    }
}

/// Remembers what a handshake found, since QUIC reports an alert number only.
#[derive(Clone, Debug, Default)]
pub struct Verdict(Arc<Mutex<Found>>);

/// What was found about the last certificate seen.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) fault: Option<CertificateFault>,
    pub(super) issuer: Option<Label<64>>,
    /// It is good only because this system trusts a private authority: that of an inspecting proxy, most likely.
    pub(super) is_by_private_authority: bool,
    /// What has to be judged again once the time is known.
    pub(super) undated: Option<Shown>,
}

impl Verdict {
    /// The fault of the last certificate seen, if it had one.
    pub fn fault(&self) -> Option<CertificateFault> {
        self.read(|found| found.fault)
    }

    /// Who issued it, in the issuer's own words.
    pub fn issuer(&self) -> Option<Label<64>> {
        self.read(|found| found.issuer.clone())
    }

    /// Who issued it, if that is somebody whom this system trusts but the world does not: most likely a proxy that
    /// inspects what goes through it.
    pub fn inspector(&self) -> Option<Option<Label<64>>> {
        self.read(|found| found.is_by_private_authority.then(|| found.issuer.clone()))
    }

    /// Whether it was taken without a date, as this machine's clock cannot be right.
    pub fn is_undated(&self) -> bool {
        self.read(|found| found.undated.is_some())
    }

    /// Judges a certificate that was taken without a date by the clock of the relay that has shown it.
    ///
    /// # Errors
    ///
    /// [`CertificateFault::OutOfDate`] or another, [`CertificateFault::NoClock`] if that clock cannot be right either.
    pub fn settle(&self, relay_time: u64) -> Result<(), CertificateFault> {
        let Some(shown) = self.read(|found| found.undated.clone()) else {
            return Ok(());
        };
        if !dates::is_plausible(relay_time) {
            return Err(CertificateFault::NoClock);
        }
        let judged = shown.judge_at(relay_time);
        judged
            .map(drop)
            .map_err(|error| CertificateFault::of(&error))
    }

    pub(super) fn set(&self, found: Found) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    fn read<T>(&self, what: impl FnOnce(&Found) -> T) -> T {
        what(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
