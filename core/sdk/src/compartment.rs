//! The compartment: the one folder in which a device or an operator keeps what must outlive a restart.
//!
//! Made with mode 0700, its files with 0600, each replaced as a whole but for the audit, which grows. Nothing of it
//! leaves the machine.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use alongside_session::EntryGuard;
use alongside_transport::{Identity, identity::IdentityError};
use zeroize::Zeroizing;

use crate::audit::AuditLog;

mod claim;

pub use claim::Claim;

/// Most bytes that a file of the compartment may have when it is read; all are far smaller.
const MAX_FILE: u64 = 64 * 1024;

/// A folder of one's own for keys, counters and the audit.
#[derive(Clone, Debug)]
pub struct Compartment {
    root: PathBuf,
}

/// Why the compartment cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompartmentError {
    /// A file or folder cannot be read, made or written.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others may enter the folder, so what is in it is no secret.
    #[error("{} can be entered by others (mode {mode:04o}): make it private with `chmod 700`", path.display())]
    Open {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another program works in the folder.
    #[error("another program works in {}: end it first, or use another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The file that counts wrong codes is damaged.
    #[error("{} is damaged: restore it, or remove it as the device's owner", path.display())]
    Count {
        /// The file.
        path: PathBuf,
    },
    /// The key file holds no key, or none can be made.
    #[error("{} holds no key that can be used: restore it, or remove it to become a new identity", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: IdentityError,
    },
}

impl Compartment {
    /// Opens the folder `root`, making it and its parents if need be.
    ///
    /// # Errors
    ///
    /// [`CompartmentError::Io`] if it cannot be made, [`CompartmentError::Open`] if group or others have any right to it.
    pub fn open(root: &Path) -> Result<Self, CompartmentError> {
        let fail = |doing| {
            move |source| CompartmentError::Io {
                doing,
                path: root.to_owned(),
                source,
            }
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(root)
            .map_err(fail("make the folder"))?;
        let mode = fs::metadata(root)
            .map_err(fail("look at"))?
            .permissions()
            .mode()
            & 0o7777;
        if mode & 0o077 != 0 {
            return Err(CompartmentError::Open {
                path: root.to_owned(),
                mode,
            });
        }
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The long-term key of this device or operator; made at first use.
    ///
    /// # Errors
    ///
    /// [`CompartmentError`] if the file cannot be read or written, or holds something else.
    pub fn identity(&self) -> Result<Arc<Identity>, CompartmentError> {
        let path = self.root.join("identity.key");
        match self.read(&path)? {
            Some(bytes) => {
                let identity = Identity::from_pkcs8(&bytes);
                identity
                    .map(Arc::new)
                    .map_err(|source| CompartmentError::Key { path, source })
            }
            None => {
                let made =
                    Identity::generate().and_then(|identity| Ok((identity.to_pkcs8()?, identity)));
                let (bytes, identity) = made.map_err(|source| CompartmentError::Key {
                    path: path.clone(),
                    source,
                })?;
                self.write(&path, &bytes)?;
                tracing::info!(key = %identity.public_key(), "made a new identity");
                Ok(Arc::new(identity))
            }
        }
    }

    /// The audit of what happens here, signed with `identity`; opened with its first record.
    pub fn audit(&self, identity: Arc<Identity>) -> AuditLog {
        AuditLog::new(&self.root, identity)
    }

    /// The count of wrong codes entered on this device.
    ///
    /// # Errors
    ///
    /// [`CompartmentError::Io`] if the file cannot be read, [`CompartmentError::Count`] if it holds something else:
    /// damaging it must not reset it.
    pub(crate) fn entry_guard(&self) -> Result<EntryGuard, CompartmentError> {
        let path = self.root.join("entry");
        match self.read(&path)? {
            None => Ok(EntryGuard::new()),
            Some(bytes) => EntryGuard::from_bytes(&bytes).ok_or(CompartmentError::Count { path }),
        }
    }

    /// Keeps the count of wrong codes.
    ///
    /// # Errors
    ///
    /// [`CompartmentError::Io`] if the file cannot be written.
    pub(crate) fn keep_entry_guard(&self, guard: &EntryGuard) -> Result<(), CompartmentError> {
        self.write(&self.root.join("entry"), &guard.to_bytes())
    }

    pub(crate) fn read(&self, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, CompartmentError> {
        let fail = |source| CompartmentError::Io {
            doing: "read",
            path: path.to_owned(),
            source,
        };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fail(error)),
        };
        let mut bytes = Zeroizing::new(Vec::new());
        io::Read::read_to_end(&mut io::Read::take(file, MAX_FILE), &mut bytes).map_err(fail)?;
        Ok(Some(bytes))
    }

    /// Removes a file, if it is there.
    #[cfg(feature = "admin-id")]
    pub(crate) fn remove(&self, path: &Path) -> Result<(), CompartmentError> {
        match fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(CompartmentError::Io {
                doing: "remove",
                path: path.to_owned(),
                source,
            }),
            _ => Ok(()),
        }
    }

    /// Replaces a file as a whole: written beside it, made durable, renamed over it.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), CompartmentError> {
        let fail = |source| CompartmentError::Io {
            doing: "write",
            path: path.to_owned(),
            source,
        };
        let fresh = path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)
            .map_err(fail)?;
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(fail)?;
        fs::rename(&fresh, path).map_err(fail)?;
        File::open(&self.root)
            .and_then(|folder| folder.sync_all())
            .map_err(fail)
    }
}

#[cfg(test)]
mod tests;
