//! One program at a time in a compartment.

use std::fs::{File, TryLockError};

use super::{Compartment, CompartmentError};

/// Keeps other programs out of a compartment as long as it lives. The system takes it back when the process ends, however
/// it ends.
#[derive(Debug)]
pub struct Claim {
    _folder: File,
}

impl Compartment {
    /// Takes the folder for this program alone. Nothing is written, so it works on a read-only file system too; on one
    /// without locks (some network file systems) it is said at WARN that nobody watches.
    ///
    /// # Errors
    ///
    /// [`CompartmentError::InUse`] while another holds a claim, [`CompartmentError::Io`] if the folder cannot be opened.
    pub fn claim(&self) -> Result<Claim, CompartmentError> {
        let path = self.path();
        let folder = File::open(path).map_err(|source| CompartmentError::Io {
            doing: "open",
            path: path.to_owned(),
            source,
        })?;
        match folder.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(CompartmentError::InUse {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, path = %path.display(), "the folder cannot be locked: see that one program uses it");
            }
        }
        Ok(Claim { _folder: folder })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_folder_is_in_use_until_the_claim_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Compartment::open(&folder.path().join("state")).unwrap();
        let claim = open().claim().unwrap();
        let refused = open().claim().unwrap_err();
        assert!(
            matches!(refused, CompartmentError::InUse { .. }),
            "{refused}"
        );
        drop(claim);
        open().claim().unwrap();
    }
}
