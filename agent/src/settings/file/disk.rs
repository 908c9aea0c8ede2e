//! One file on the disk: read as a whole, replaced as a whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use alongside::settings::SettingsError;

/// Largest settings file, in bytes (our choice: a hundred times what people write).
const MAX_FILE: u64 = 1024 * 1024;

/// A settings file.
#[derive(Debug)]
pub(super) struct Disk {
    path: PathBuf,
}

impl Disk {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it; `None` if it is not there.
    pub(super) fn read(&self) -> Result<Option<Vec<u8>>, SettingsError> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| self.failed("open", error))?,
        };
        let is_file = file
            .metadata()
            .map_err(|error| self.failed("look at", error))?
            .is_file();
        if !is_file {
            return Err(self.failed("read", io::Error::other("it is no ordinary file")));
        }
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.failed("read", error))?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(self.failed("read", io::Error::other("it is larger than 1 MiB")));
        }
        Ok(Some(bytes))
    }

    /// Replaces it: written beside it, made durable, renamed over it. Owner and permissions stay; a link stays a link.
    pub(super) fn replace(&self, bytes: &[u8]) -> Result<(), SettingsError> {
        self.try_replace(bytes)
            .map_err(|error| self.failed("write", error))
    }

    fn try_replace(&self, bytes: &[u8]) -> io::Result<()> {
        let (target, old) = match fs::canonicalize(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (self.path.clone(), None),
            target => {
                let target = target?;
                let old = fs::metadata(&target)?;
                (target, Some(old))
            }
        };
        let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(io::Error::other("it is no file in a folder"));
        };
        let fresh = folder.join(format!(".{}.alongside", name.to_string_lossy()));
        // Left over from a program that was killed.
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)?;
        let written = (|| {
            if let Some(old) = &old {
                let made = file.metadata()?;
                if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
                    fchown(&file, Some(old.uid()), Some(old.gid()))?;
                }
                file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o7777))?;
            }
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&fresh, &target)
        })();
        if written.is_err() {
            let _ = fs::remove_file(&fresh);
        }
        written?;
        File::open(folder)?.sync_all()
    }

    /// Removes it, durably.
    pub(super) fn remove(&self) -> Result<(), SettingsError> {
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let removed = match fs::remove_file(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        };
        removed
            .and_then(|()| File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all())
            .map_err(|error| self.failed("remove", error))
    }

    fn failed(&self, doing: &str, error: io::Error) -> SettingsError {
        SettingsError::failed(format!("{doing} {}", self.path.display()), error)
    }
}
