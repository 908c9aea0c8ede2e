//! User name and password for a proxy. They show nowhere.

use std::{
    fmt, fs, io,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use zeroize::Zeroizing;

/// Longest user name and password together, in bytes.
const MAX: usize = 1024;

/// A user name and a password. Clones are the same: what a proxy refused once, none of them is sent again, until the
/// file that they are from has changed.
#[derive(Clone)]
pub struct Credentials {
    kept: Arc<Mutex<Kept>>,
    file: Option<Arc<Path>>,
}

struct Kept {
    pair: Zeroizing<String>,
    is_refused: bool,
    /// What the file was like when it was read.
    stamp: Option<Stamp>,
    /// Where a refusal is remembered beyond this process.
    memory: Option<PathBuf>,
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
        if !is_pair(pair) {
            return Err(CredentialsError::Form);
        }
        Ok(Self {
            kept: Arc::new(Mutex::new(Kept {
                pair: Zeroizing::new(pair.to_owned()),
                is_refused: false,
                stamp: None,
                memory: None,
            })),
            file: None,
        })
    }

    /// Reads `user:password` from a file that nobody but its owner may read.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`].
    pub fn from_file(path: &Path) -> Result<Self, CredentialsError> {
        let (pair, stamp) = read(path)?;
        let mut credentials = Self::new(&pair)?;
        credentials.kept().stamp = stamp;
        credentials.file = Some(path.into());
        Ok(credentials)
    }

    /// Remembers in `file` that a proxy has refused them, so that no restart sends them once more: of the credentials
    /// themselves nothing is written, but what their own file was like. Those without a file are not remembered.
    #[must_use]
    pub fn remembered_in(self, file: &Path) -> Self {
        let mut kept = self.kept();
        kept.memory = Some(file.to_owned());
        let known = fs::read_to_string(file).ok();
        kept.is_refused |= known.is_some() && known == kept.stamp.as_ref().map(Stamp::text);
        drop(kept);
        self
    }

    /// What goes into `Proxy-Authorization`, with the standard alphabet (RFC 4648, section 4).
    pub(super) fn basic(&self) -> Zeroizing<String> {
        let kept = self.kept();
        let mut value = Zeroizing::new(String::with_capacity(8 + kept.pair.len().div_ceil(3) * 4));
        value.push_str("Basic ");
        base64::Engine::encode_string(
            &base64::engine::general_purpose::STANDARD,
            kept.pair.as_bytes(),
            &mut value,
        );
        value
    }

    /// Whether a proxy has refused them. Reads them again where their file has changed since.
    pub(super) fn are_refused(&self) -> bool {
        let mut kept = self.kept();
        if !kept.is_refused {
            return false;
        }
        let Some(file) = &self.file else {
            return true;
        };
        match read(file) {
            Ok((pair, stamp)) if stamp != kept.stamp && is_pair(&pair) => {
                kept.pair = pair;
                kept.stamp = stamp;
                kept.is_refused = false;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the proxy's credentials cannot be read again"),
        }
        kept.is_refused
    }

    pub(super) fn refuse(&self) {
        let mut kept = self.kept();
        kept.is_refused = true;
        let (Some(memory), Some(stamp)) = (&kept.memory, &kept.stamp) else {
            return;
        };
        if let Err(error) = fs::write(memory, stamp.text()) {
            tracing::warn!(%error, "a restart will send the proxy the same credentials once more");
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a file is like from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    changed: Duration,
    len: u64,
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Option<Self> {
        let changed = metadata.modified().ok()?;
        Some(Self {
            changed: changed.duration_since(UNIX_EPOCH).unwrap_or_default(),
            len: metadata.len(),
        })
    }

    fn text(&self) -> String {
        format!("{} {}\n", self.changed.as_nanos(), self.len)
    }
}

fn read(path: &Path) -> Result<(Zeroizing<String>, Option<Stamp>), CredentialsError> {
    let read = |source| CredentialsError::Read {
        path: path.into(),
        source,
    };
    let file = fs::File::open(path).map_err(read)?;
    let metadata = file.metadata().map_err(read)?;
    if is_open_to_others(&metadata) {
        return Err(CredentialsError::Open { path: path.into() });
    }
    let mut text = Zeroizing::new(String::with_capacity(2 * MAX));
    let limit = u64::try_from(MAX).unwrap_or(u64::MAX).saturating_add(3);
    file.take(limit).read_to_string(&mut text).map_err(read)?;
    let text = text.as_str();
    let line = text
        .strip_suffix('\n')
        .map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok((Zeroizing::new(line.to_owned()), Stamp::of(&metadata)))
}

/// Whether it is `user:password`.
fn is_pair(text: &str) -> bool {
    let is_plain = text.len() <= MAX && !text.chars().any(char::is_control);
    is_plain && text.find(':').is_some_and(|colon| colon > 0)
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
        // One lock at a time: both may be the same.
        let pair = self.kept().pair.clone();
        pair == other.kept().pair
    }
}

impl Eq for Credentials {}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}
