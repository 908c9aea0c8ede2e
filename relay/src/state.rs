//! The relay's directory: its key, its private CA, its operators and its access lines.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use alongside_protocol::LegToken;
use aws_lc_rs::{
    hkdf,
    rand::{SecureRandom as _, SystemRandom},
};

/// Name of the file with the state key.
const KEY_FILE: &str = "relay.key";

/// Bytes of the state key.
const KEY_LEN: usize = 32;

/// A directory of the relay's own, held by one relay at a time.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// Locked as long as this is open.
    _lock: File,
}

/// The secret from which everything derives that a restarted relay must find again.
pub struct StateKey([u8; KEY_LEN]);

impl StateDir {
    /// Opens the directory, making it first if it is not there (mode 0700).
    ///
    /// One that is there keeps its mode, as it may be somebody else's as well; every file of ours is for its owner
    /// alone.
    ///
    /// # Errors
    ///
    /// Fails if the directory cannot be made or written, others may write in it, or another relay works in it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StateError> {
        let path = path.into();
        let at = |doing: &'static str| {
            let path = path.clone();
            move |source| StateError::Io {
                doing,
                path,
                source,
            }
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(at("make"))?;
        let found = fs::metadata(&path).map_err(at("look at"))?;
        let mode = found.permissions().mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(StateError::Shared { path, mode });
        }
        let lock = path.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock);
        let file = file.map_err(at("write in"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, _lock: file }),
            Err(fs::TryLockError::WouldBlock) => Err(StateError::InUse { path }),
            Err(fs::TryLockError::Error(source)) => Err(StateError::Io {
                doing: "lock",
                path,
                source,
            }),
        }
    }

    /// The directory's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Path of a file in the directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Contents of a file in the directory; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Fails if there is one that cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StateError> {
        match fs::read(self.file(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StateError::Io {
                doing: "read",
                path: self.file(name),
                source,
            }),
        }
    }

    /// Writes a file whole or not at all, readable by its owner alone (mode 0600).
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written; an older one is then still there.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        write_whole(&self.path, name, bytes)
    }

    /// The state key; made at the first start.
    ///
    /// # Errors
    ///
    /// Fails if the key can be neither read nor made, or the file does not hold a key.
    pub fn key(&self) -> Result<StateKey, StateError> {
        if let Some(bytes) = self.read(KEY_FILE)? {
            let key = bytes.try_into().map_err(|_| StateError::BadKey {
                path: self.file(KEY_FILE),
            })?;
            return Ok(StateKey(key));
        }
        let mut key = [0; KEY_LEN];
        SystemRandom::new()
            .fill(&mut key)
            .map_err(|_| StateError::NoRandom)?;
        self.write(KEY_FILE, &key)?;
        Ok(StateKey(key))
    }
}

/// As [`StateDir::write`], for whoever does not hold the directory.
pub(crate) fn write_whole(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), StateError> {
    let part = dir.join(format!("{name}.part"));
    let write = || {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, dir.join(name))?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|source| StateError::Io {
        doing: "write",
        path: dir.join(name),
        source,
    })
}

impl StateKey {
    /// The relay's own token: what the connection IDs of its control connections start with.
    pub fn token(&self) -> Option<LegToken> {
        let mut token = [0; 8];
        self.derive(b"alongside relay token", &mut token)?;
        Some(LegToken(token))
    }

    /// Key of the stateless resets (RFC 9000, section 10.3): a restarted relay must sign the same ones.
    pub fn reset_key(&self) -> Option<[u8; 64]> {
        let mut key = [0; 64];
        self.derive(b"alongside relay stateless reset", &mut key)?;
        Some(key)
    }

    /// Key of the seals on pairing tickets: a restarted relay must know its own.
    pub fn ticket_key(&self) -> Option<[u8; 32]> {
        let mut key = [0; 32];
        self.derive(b"alongside relay pairing ticket", &mut key)?;
        Some(key)
    }

    /// HKDF-SHA256 (RFC 5869) of the key; `None` never for these lengths.
    fn derive(&self, label: &[u8], out: &mut [u8]) -> Option<()> {
        struct Len(usize);
        impl hkdf::KeyType for Len {
            fn len(&self) -> usize {
                self.0
            }
        }
        let key = hkdf::Salt::new(hkdf::HKDF_SHA256, b"alongside-relay-1").extract(&self.0);
        let label = [label];
        let okm = key.expand(&label, Len(out.len())).ok()?;
        okm.fill(out).ok()
    }
}

/// Shows none of the key.
impl std::fmt::Debug for StateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StateKey(..)")
    }
}

/// Why the state directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The file system said no.
    #[error("cannot {doing} {}; choose another directory with --state", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others may write in the directory, and so put their keys in the place of ours.
    #[error("others may write in {} (mode {mode:04o}): take that from them with `chmod go-w`, or choose another directory with --state", path.display())]
    Shared {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another process holds the directory.
    #[error("another relay works in {}; stop it, or choose another directory with --state", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The file with the state key holds something else.
    #[error("{} is not a relay's key of {KEY_LEN} bytes; restore it, or remove it to have a new one made", path.display())]
    BadKey {
        /// The file.
        path: PathBuf,
    },
    /// The operating system has no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandom,
}

#[cfg(test)]
mod tests;
