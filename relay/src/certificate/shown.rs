//! The certificate that legs are shown now, and the files from which its successor comes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use alongside_transport::leg::tls;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tracing::{info, warn};

use super::{Certificate, CertificateError};
use crate::config::Config;

/// What every handshake from now on shows.
#[derive(Debug)]
pub(crate) struct Shown(RwLock<Arc<CertifiedKey>>);

impl Shown {
    pub(crate) fn new(certificate: &Certificate) -> Result<Self, CertificateError> {
        Ok(Self(RwLock::new(Arc::new(certified(certificate)?))))
    }

    fn replace(&self, certificate: &Certificate) -> Result<(), CertificateError> {
        let next = Arc::new(certified(certificate)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(
            &self.0.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

/// Fails if the key is another certificate's.
fn certified(certificate: &Certificate) -> Result<CertifiedKey, CertificateError> {
    let (chain, key) = (certificate.chain.clone(), certificate.key.clone_key());
    Ok(CertifiedKey::from_der(chain, key, &tls::provider())?)
}

/// Looks after the configured files.
#[derive(Debug)]
pub(crate) struct Renewal {
    shown: Arc<Shown>,
    files: Option<[PathBuf; 2]>,
    /// The files as they are shown, or were last found to be no good.
    done: Stamps,
    /// The files as they were when last looked at.
    seen: Stamps,
}

/// Tells one version of the two files from the next; `None` of a file that is not there.
type Stamps = [Option<Stamp>; 2];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl Renewal {
    /// For the files of `config`, which are `shown` now.
    pub(crate) fn new(config: &Config, shown: Arc<Shown>) -> Self {
        let files = match (&config.tls.certificate, &config.tls.key) {
            (Some(certificate), Some(key)) => Some([certificate.clone(), key.clone()]),
            (None, _) | (_, None) => None,
        };
        let stamps = files.as_ref().map_or([None; 2], stamps);
        Self {
            shown,
            files,
            done: stamps,
            seen: stamps,
        }
    }

    /// Shows what is in the files if they changed and have stood still since the last look: two files are not
    /// renewed at once. What does not work is said at WARN, once a version, and the old certificate stays.
    pub(crate) fn look(&mut self) {
        let Some(files) = &self.files else { return };
        let found = stamps(files);
        let stands_still = found == self.seen;
        self.seen = found;
        if found == self.done || !stands_still {
            return;
        }
        self.done = found;
        let [certificate, key] = files;
        let renewed = Certificate::from_files(certificate, key)
            .and_then(|certificate| self.shown.replace(&certificate));
        match renewed {
            Ok(()) => info!(file = %certificate.display(), "the certificate was renewed"),
            Err(error) => warn!(
                file = %certificate.display(),
                error = &error as &dyn std::error::Error,
                "the certificate's files changed and do not work; the old certificate stays"
            ),
        }
    }
}

fn stamps(files: &[PathBuf; 2]) -> Stamps {
    files.each_ref().map(|file| stamp(file))
}

fn stamp(file: &Path) -> Option<Stamp> {
    let found = fs::metadata(file).ok()?;
    Some(Stamp {
        modified: found.modified().ok(),
        bytes: found.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{state::StateDir, testing::TempDir};

    /// A certificate and its key, as PEM.
    fn pair() -> [String; 2] {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["relay.test".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        [certificate.pem(), key.serialize_pem()]
    }

    fn leaf(shown: &Shown) -> Vec<u8> {
        shown.0.read().unwrap().cert[0].to_vec()
    }

    #[test]
    fn renewed_files_are_shown_once_both_have_changed_and_bad_ones_never() {
        let dir = TempDir::new();
        let files = ["certificate.pem", "key.pem"].map(|name| dir.path().join(name));
        let write = |n: usize, text: &str| fs::write(&files[n], text).unwrap();
        let old = pair();
        (0..2).for_each(|n| write(n, &old[n]));
        let mut config = Config::default();
        [config.tls.certificate, config.tls.key] = files.clone().map(Some);
        let state = StateDir::open(dir.path()).unwrap();
        let certificate = Certificate::load(&config, &state).unwrap();
        let shown = Arc::new(Shown::new(&certificate).unwrap());
        let mut renewal = Renewal::new(&config, Arc::clone(&shown));
        let before = leaf(&shown);
        let mut look_twice = || {
            renewal.look();
            renewal.look();
            leaf(&shown)
        };
        assert_eq!(look_twice(), before);

        let new = pair();
        write(0, &format!("{}\n", new[0]));
        assert_eq!(look_twice(), before, "another certificate's key");
        write(1, &format!("{}\n", new[1]));
        let after = look_twice();
        assert_ne!(after, before);
        write(0, "no certificate");
        assert_eq!(look_twice(), after);
        fs::remove_file(&files[0]).unwrap();
        assert_eq!(look_twice(), after);
    }
}
