//! TLS on both layers: leg to relay with certificates, end to end with raw public keys.
//!
//! TLS 1.3 only, and one key exchange only, X25519MLKEM768: a peer without post-quantum key exchange is refused
//! in the handshake rather than found out afterwards. No tickets, no resumption, no 0-RTT anywhere.

use std::{fmt, sync::Arc};

use alongside_protocol::{PublicKey, relay};
use quinn::{
    TransportConfig,
    crypto::rustls::{NoInitialCipherSuite, QuicClientConfig, QuicServerConfig},
};
use rustls::{
    CipherSuite, ClientConfig, ServerConfig,
    client::Resumption,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer},
    server::NoServerSessionStorage,
    version::TLS13,
};

use crate::identity::Identity;

mod dates;
mod issuer;
mod raw_key;
#[cfg(test)]
mod tests;
mod trust;
mod verdict;
mod verifier;

pub(crate) use issuer::issuer;
pub use trust::{Trust, TrustError};
pub use verdict::{CertificateFault, Verdict};

/// ALPN of the end-to-end connection.
pub const E2E_ALPN: &[u8] = b"alongside-e2e/1";

/// ALPN of the stream: it begins as HTTP (RFC 7301, section 6).
const HTTP_ALPN: &[u8] = b"http/1.1";

/// Name of the authority that a relay without a configured certificate makes for itself. Nothing is decided by it but
/// the words for a certificate that is not trusted.
pub const PRIVATE_CA_NAME: &str = "Alongside relay private CA";

/// Why a TLS configuration could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// Key and certificate do not fit together, or are of a kind that TLS does not know.
    #[error("TLS refuses the key or its certificate")]
    Refused(#[from] rustls::Error),
    /// The cryptographic library lacks what every QUIC version 1 connection starts with.
    #[error("TLS has no cipher suite for QUIC's first packets")]
    NoInitialSuite(#[from] NoInitialCipherSuite),
}

/// The cryptography of every connection: X25519MLKEM768, and the three AEADs of TLS 1.3.
pub fn provider() -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519MLKEM768];
    provider.cipher_suites.retain(|suite| {
        matches!(
            suite.suite(),
            CipherSuite::TLS13_AES_128_GCM_SHA256
                | CipherSuite::TLS13_AES_256_GCM_SHA384
                | CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
        )
    });
    Arc::new(provider)
}

/// The cryptography of TLS that only carries our own: to a proxy, to what stands before the relay, to an
/// inspecting proxy. Few of them exchange keys as [`provider`] demands, and all that matters is sealed below: so the
/// shortest exchange is offered, whose first message fits into one packet (some boxes take no longer one) and saves a
/// line of 20 kbit/s a second.
pub fn outer_provider() -> Arc<CryptoProvider> {
    let mut outer = aws_lc_rs::default_provider();
    outer.kx_groups = vec![
        aws_lc_rs::kx_group::X25519,
        aws_lc_rs::kx_group::SECP256R1,
        aws_lc_rs::kx_group::SECP384R1,
        aws_lc_rs::kx_group::X25519MLKEM768,
    ];
    outer.cipher_suites = provider().cipher_suites.clone();
    Arc::new(outer)
}

/// The relay's side of a leg: shows `chain` (leaf first), asks for no certificate, as legs prove their key by
/// [`auth`](super::auth).
///
/// # Errors
///
/// [`TlsError::Refused`] if `key` is not the leaf's.
pub fn relay_server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![relay::ALPN.to_vec()];
    forget_sessions(&mut config);
    Ok(config)
}

/// The leg's side: trusts what `trust` says. The [`Verdict`] tells afterwards what was wrong with a certificate.
///
/// # Errors
///
/// [`TrustError`] if `trust` names nothing that could be trusted.
pub fn relay_client_config(trust: &Trust) -> Result<(ClientConfig, Verdict), TrustError> {
    let verdict = Verdict::default();
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(trust.verifier(verdict.clone())?)
        .with_no_client_auth();
    config.alpn_protocols = vec![relay::ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    Ok((config, verdict))
}

/// The relay's side of the TLS below a leg's stream.
///
/// # Errors
///
/// [`TlsError::Refused`] if `key` is not the leaf's.
pub fn stream_server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(outer_provider())
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![HTTP_ALPN.to_vec()];
    forget_sessions(&mut config);
    Ok(config)
}

/// The leg's side of it: trusts what `trust` says, and whom this system trusts for the relay's name: a load
/// balancer, or a proxy that the owner of this machine lets inspect. Neither gets at anything, as the control
/// connection inside is held to `trust` alone.
///
/// # Errors
///
/// [`TrustError`] if `trust` names nothing that could be trusted.
pub fn stream_client_config(trust: &Trust) -> Result<(ClientConfig, Verdict), TrustError> {
    let verdict = Verdict::default();
    let mut config = ClientConfig::builder_with_provider(outer_provider())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(trust.outer_verifier(verdict.clone())?)
        .with_no_client_auth();
    config.alpn_protocols = vec![HTTP_ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    Ok((config, verdict))
}

/// TLS to a customer's own proxy: ordinary, with what this system trusts.
///
/// # Errors
///
/// [`TrustError`] if it trusts nobody.
pub(crate) fn proxy_client_config() -> Result<(ClientConfig, Verdict), TrustError> {
    stream_client_config(&Trust::Platform)
}

/// The dialling side end to end: shows the raw public key of `identity`, goes on only with `peer`. `None` is anybody:
/// whose key it is, is then for the access code alone to prove.
///
/// # Errors
///
/// [`TlsError`] if the cryptographic library lacks something.
pub fn e2e_client_config(
    identity: &Arc<Identity>,
    peer: impl Into<Option<PublicKey>>,
) -> Result<ClientConfig, TlsError> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(raw_key::ExpectKey::new(peer)))
        .with_client_cert_resolver(Arc::new(raw_key::ShowKey::new(identity)));
    config.alpn_protocols = vec![E2E_ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(config)
}

/// The accepting side end to end: shows the raw public key of `identity`, demands that of `peer`; `None` is anybody.
///
/// # Errors
///
/// [`TlsError`] if the cryptographic library lacks something.
pub fn e2e_server_config(
    identity: &Arc<Identity>,
    peer: impl Into<Option<PublicKey>>,
) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(raw_key::ExpectKey::new(peer)))
        .with_cert_resolver(Arc::new(raw_key::ShowKey::new(identity)));
    config.alpn_protocols = vec![E2E_ALPN.to_vec()];
    forget_sessions(&mut config);
    Ok(config)
}

/// The same for QUIC.
///
/// # Errors
///
/// [`TlsError::NoInitialSuite`] if `tls` was not built from [`provider`].
pub fn quic_server(
    tls: ServerConfig,
    transport: TransportConfig,
) -> Result<quinn::ServerConfig, TlsError> {
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// The same for QUIC.
///
/// # Errors
///
/// [`TlsError::NoInitialSuite`] if `tls` was not built from [`provider`].
pub fn quic_client(
    tls: ClientConfig,
    transport: TransportConfig,
) -> Result<quinn::ClientConfig, TlsError> {
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// The Ed25519 key that the peer of an end-to-end connection proved to hold.
pub fn peer_key(connection: &quinn::Connection) -> Option<PublicKey> {
    let identity = connection
        .peer_identity()?
        .downcast::<Vec<CertificateDer<'static>>>()
        .ok()?;
    match identity.as_slice() {
        [spki] => PublicKey::from_spki(spki),
        _ => None,
    }
}

fn forget_sessions(config: &mut ServerConfig) {
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CaFile(_) => "the relay's CA file",
            Self::Pin(_) => "the relay's pin",
            Self::Platform => "the certificates that this system trusts",
        })
    }
}
