//! User name and password for a proxy. They show nowhere.

use std::{
    fmt, fs, io,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use zeroize::Zeroizing;

/// Longest user name and password together, in bytes.
const MAX: usize = 1024;

/// A user name and a password. Clones are the same: what a proxy refused once, none of them is sent again.
#[derive(Clone)]
pub struct Credentials {
    pair: Arc<Zeroizing<String>>,
    refused: Arc<AtomicBool>,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The file could not be read.
    #[error("cannot read the file of the proxy's credentials, {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read the file.
    #[error("the file of the proxy's credentials may be read by others: run `chmod 600 {}`", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
    },
    /// It is not `user:password`.
    #[error("the proxy's credentials must be one line, user:password, of at most {MAX} bytes")]
    Form,
}

impl Credentials {
    /// `user:password`; everything after the first colon is the password.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::Form`] if there is no colon, no user, a control character, or too much.
    pub fn new(pair: &str) -> Result<Self, CredentialsError> {
        let is_plain = pair.len() <= MAX && !pair.chars().any(char::is_control);
        if !is_plain || pair.find(':').is_none_or(|colon| colon == 0) {
            return Err(CredentialsError::Form);
        }
        Ok(Self {
            pair: Arc::new(Zeroizing::new(pair.to_owned())),
            refused: Arc::default(),
        })
    }

    /// Reads `user:password` from a file that nobody but its owner may read.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`].
    pub fn from_file(path: &Path) -> Result<Self, CredentialsError> {
        let read = |source| CredentialsError::Read {
            path: path.into(),
            source,
        };
        let file = fs::File::open(path).map_err(read)?;
        if is_open_to_others(&file.metadata().map_err(read)?) {
            return Err(CredentialsError::Open { path: path.into() });
        }
        let mut text = Zeroizing::new(String::with_capacity(2 * MAX));
        let limit = u64::try_from(MAX).unwrap_or(u64::MAX).saturating_add(3);
        file.take(limit).read_to_string(&mut text).map_err(read)?;
        Self::new(
            text.strip_suffix('\n')
                .map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line)),
        )
    }

    /// What goes into `Proxy-Authorization`, with the standard alphabet (RFC 4648, section 4).
    pub(super) fn basic(&self) -> Zeroizing<String> {
        let mut value = Zeroizing::new(String::with_capacity(8 + self.pair.len().div_ceil(3) * 4));
        value.push_str("Basic ");
        base64::Engine::encode_string(
            &base64::engine::general_purpose::STANDARD,
            self.pair.as_bytes(),
            &mut value,
        );
        value
    }

    pub(super) fn are_refused(&self) -> bool {
        self.refused.load(Relaxed)
    }

    pub(super) fn refuse(&self) {
        self.refused.store(true, Relaxed);
    }
}

#[cfg(unix)]
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_metadata: &fs::Metadata) -> bool {
    false // access lists, which the file inherits from its owner's directory
}

impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.pair == other.pair
    }
}

impl Eq for Credentials {}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}
