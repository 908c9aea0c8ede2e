//! Why a relay does not start.

use std::io;

use alongside_transport::leg::tls::TlsError;

use super::BindError;
use crate::{certificate::CertificateError, state::StateError};

/// Why a relay does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration says something that cannot be.
    #[error("the configuration does not work: {0}")]
    Config(String),
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// There is no certificate to show.
    #[error("no certificate")]
    Certificate(#[from] CertificateError),
    /// The certificate does not fit its key.
    #[error("the certificate does not work; check that tls.key is the key of tls.certificate")]
    Tls(#[from] TlsError),
    /// The port cannot be had.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The runtime gives no QUIC endpoint.
    #[error("cannot run QUIC on the socket")]
    Endpoint(#[source] io::Error),
    /// The cryptographic library failed.
    #[error("the cryptographic library cannot derive the relay's keys")]
    Derive,
}
