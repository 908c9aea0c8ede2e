//! The relay's certificate: PEM files, or one signed by a private CA that lives in the state directory.

use std::{
    fs, io,
    net::IpAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tracing::warn;

use crate::{
    clock,
    config::Config,
    state::{StateDir, StateError},
};

mod shown;
mod validity;

pub(crate) use shown::{Renewal, Shown};
use validity::days_left;

/// Days before its end from which on a certificate should have been renewed: most are renewed a month before.
const SOON_DAYS: i64 = 7;

/// The private CA's certificate, which the legs have to be given.
pub const CA_FILE: &str = "ca.pem";
const CA_KEY_FILE: &str = "ca-key.pem";
/// Key of the certificate that the private CA signs; kept, so that a pin stays valid.
const KEY_FILE: &str = "tls-key.pem";

/// A certificate to show to legs.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// Leaf first.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    /// File of the private CA, if it signed.
    pub(crate) ca: Option<PathBuf>,
}

impl Certificate {
    /// The configured certificate, or one of the private CA.
    pub(crate) fn load(config: &Config, state: &StateDir) -> Result<Self, CertificateError> {
        match (&config.tls.certificate, &config.tls.key) {
            (Some(certificate), Some(key)) => Self::from_files(certificate, key),
            (None, None) | (Some(_), None) | (None, Some(_)) => {
                Self::from_private_ca(config, state)
            }
        }
    }

    fn from_files(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&read(certificate)?)
            .collect::<Result<_, _>>()
            .map_err(|source| CertificateError::Pem {
                path: certificate.into(),
                source,
            })?;
        if chain.is_empty() {
            return Err(CertificateError::NoCertificate {
                path: certificate.into(),
            });
        }
        let key_der =
            PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|source| CertificateError::Pem {
                path: key.into(),
                source,
            })?;
        warn_of(certificate, &chain, key);
        Ok(Self {
            chain,
            key: key_der,
            ca: None,
        })
    }

    fn from_private_ca(config: &Config, state: &StateDir) -> Result<Self, CertificateError> {
        let ca_key = key_pair(state, CA_KEY_FILE)?;
        if state.read(CA_FILE)?.is_none() {
            let certificate = ca_params().self_signed(&ca_key)?;
            state.write(CA_FILE, certificate.pem().as_bytes())?;
        }
        let issuer = Issuer::new(ca_params(), ca_key);
        let key = key_pair(state, KEY_FILE)?;
        let names = names(config);
        let leaf = leaf_params(&names)?.signed_by(&key, &issuer)?;
        let ca = state.file(CA_FILE);
        let pin = digest(&SHA256, &key.subject_public_key_info());
        let pin: String = pin
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        warn!(
            ca = %ca.display(), pin, names = names.join(" "),
            "no certificate configured: this relay made a private CA; give its file or the pin to every leg"
        );
        let key_der =
            PrivateKeyDer::try_from(key.serialize_der()).map_err(|_| CertificateError::BadKey)?;
        Ok(Self {
            chain: vec![leaf.der().clone()],
            key: key_der,
            ca: Some(ca),
        })
    }
}

/// The key in a file of the state directory; made if there is none (ECDSA over P-256, which every TLS 1.3 peer knows).
fn key_pair(state: &StateDir, file: &str) -> Result<KeyPair, CertificateError> {
    if let Some(pem) = state.read(file)? {
        let pem = String::from_utf8(pem).map_err(|_| CertificateError::BadKey)?;
        return Ok(KeyPair::from_pem(&pem)?);
    }
    let key = KeyPair::generate()?;
    state.write(file, key.serialize_pem().as_bytes())?;
    Ok(key)
}

/// The same at every start, so that a leaf signed today fits the CA file handed out last year.
fn ca_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "Alongside relay private CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf_params(names: &[String]) -> Result<CertificateParams, CertificateError> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "Alongside relay");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

/// All names by which legs may look for this relay.
fn names(config: &Config) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(String::from).into();
    names.extend(host_name());
    names.extend(
        config
            .listen
            .filter(|ip| !ip.is_unspecified())
            .map(|ip: IpAddr| ip.to_string()),
    );
    names.extend(config.tls.names.iter().cloned());
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// The host's name, if it has a proper one.
pub(crate) fn host_name() -> Option<String> {
    let uname = rustix::system::uname();
    let name = uname.nodename().to_str().ok()?;
    let proper = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    (!name.is_empty() && name.bytes().all(proper)).then(|| name.to_owned())
}

/// Says what works, and yet is not as it should be.
fn warn_of(certificate: &Path, chain: &[CertificateDer<'_>], key: &Path) {
    let is_open = |found: fs::Metadata| found.permissions().mode() & 0o007 != 0;
    if fs::metadata(key).is_ok_and(is_open) {
        warn!(file = %key.display(), "everybody on this host may read the certificate's key: `chmod o-rwx` it");
    }
    let left = chain
        .first()
        .and_then(|leaf| days_left(leaf, clock::since_1970()));
    let file = certificate.display();
    match left {
        Some(..0) => warn!(%file, "the certificate has expired: no leg takes it, renew it"),
        Some(days @ 0..SOON_DAYS) => warn!(%file, days, "the certificate expires soon: renew it"),
        Some(_) | None => {}
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(path).map_err(|source| CertificateError::Read {
        path: path.into(),
        source,
    })
}

/// Why the relay has no certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A configured file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A configured file is not PEM with what it should hold.
    #[error("{} is not the PEM file it should be", path.display())]
    Pem {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// The configured certificate file holds none.
    #[error("no certificate in {}", path.display())]
    NoCertificate {
        /// Which one.
        path: PathBuf,
    },
    /// The private CA cannot sign, or `tls.names` holds what cannot be a name.
    #[error("the private CA could not make a certificate; check tls.names")]
    PrivateCa(#[from] rcgen::Error),
    /// The key is another certificate's, or of a kind that TLS does not know.
    #[error("the certificate does not work; check that tls.key is the key of tls.certificate")]
    Unfit(#[from] rustls::Error),
    /// A key file in the state directory holds something else.
    #[error(
        "{CA_KEY_FILE} or {KEY_FILE} in the state directory is damaged; remove both and {CA_FILE} for new ones"
    )]
    BadKey,
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    #[test]
    fn the_private_ca_and_the_pinned_key_survive_a_restart() {
        let dir = TempDir::new();
        let load = || {
            let state = StateDir::open(dir.path()).unwrap();
            let certificate = Certificate::load(&Config::default(), &state).unwrap();
            let ca = fs::read(certificate.ca.unwrap()).unwrap();
            (ca, certificate.key.secret_der().to_vec())
        };
        assert_eq!(load(), load());
    }

    #[test]
    fn configured_files_are_shown_as_they_are() {
        let dir = TempDir::new();
        let state = StateDir::open(dir.path()).unwrap();
        Certificate::load(&Config::default(), &state).unwrap();
        let mut config = Config::default();
        config.tls.certificate = Some(state.file(CA_FILE));
        config.tls.key = Some(state.file(CA_KEY_FILE));
        let shown = Certificate::load(&config, &state).unwrap();
        assert_eq!((shown.chain.len(), shown.ca), (1, None));
        config.tls.certificate = Some(state.file(CA_KEY_FILE));
        assert!(matches!(
            Certificate::load(&config, &state),
            Err(CertificateError::NoCertificate { .. })
        ));
        config.tls.certificate = Some(state.file("missing"));
        assert!(matches!(
            Certificate::load(&config, &state),
            Err(CertificateError::Read { .. })
        ));
    }

    #[test]
    fn every_configured_name_is_in_the_list_once() {
        let config = Config {
            listen: Some([192, 0, 2, 1].into()),
            ..Config::default()
        };
        let mut config = config;
        config.tls.names = vec!["relay.example".into(), "localhost".into()];
        let names = names(&config);
        for name in [
            "localhost",
            "127.0.0.1",
            "::1",
            "192.0.2.1",
            "relay.example",
        ] {
            assert_eq!(
                names.iter().filter(|have| *have == name).count(),
                1,
                "{name}"
            );
        }
    }
}
