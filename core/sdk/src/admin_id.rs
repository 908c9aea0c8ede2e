//! The built-in check of the system administrator's ID, for devices that have none of their own.
//!
//! The ID itself is kept nowhere: only its argon2id hash (RFC 9106), made with a secret of this device that lies in a
//! file of its own, so that a copy of the hash alone cannot be searched. Wrong IDs are counted in the compartment,
//! each one before it is looked at: cutting the power, restarting or setting the clock wins no try.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use alongside_session::device::AdminVerdict;
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::PasswordHash,
};
use zeroize::Zeroizing;

use crate::{
    clock::BootTime,
    compartment::{Compartment, CompartmentError},
    ports::{self, AdminChange, AdminId, Weakness},
    random,
};

mod guard;
mod strength;

use guard::Guard;
pub use strength::weakness;

/// Fewest characters of an ID: 8 digits, tried at the speed of this hash, hold for months where 6 hold for days.
pub const MIN_LEN: usize = ports::ADMIN_ID_MIN_LEN;

/// The wait of a verdict that stands until the device's owner sets a new ID (136 years).
pub const UNTIL_RESET: Duration = Duration::from_secs(u32::MAX as u64);

/// Memory of one check in KiB: 19 MiB with two passes and one lane is what OWASP names for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;
/// Bytes of the salt (RFC 9106, section 3.1).
const SALT_LEN: usize = 16;
/// Bytes of the device's own secret.
const PEPPER_LEN: usize = 32;

/// Why an ID was not set, or the store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminIdError {
    /// It is too weak, or no panel can type it.
    #[error(transparent)]
    Weak(#[from] Weakness),
    /// The compartment cannot be read or written.
    #[error(transparent)]
    Compartment(#[from] CompartmentError),
    /// A file of the store holds something else.
    #[error("{} is damaged: set the administrator's ID anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

/// The store. All stores on one compartment are the same, in other processes too.
#[derive(Debug)]
pub struct AdminIdStore {
    compartment: Compartment,
    /// Held during a check: one at a time, so that nobody is tried faster than the count is kept, and memory is
    /// needed once.
    checking: Mutex<()>,
}

impl AdminIdStore {
    /// The store of `compartment`. A wait that was running when the machine went down begins again.
    ///
    /// # Errors
    ///
    /// [`AdminIdError`] if the count of wrong IDs cannot be read or kept: damaging it must not reset it.
    pub fn open(compartment: &Compartment) -> Result<Self, AdminIdError> {
        Self::open_at(compartment, BootTime::now())
    }

    /// The store of `compartment`, for setting or forgetting the ID: damaged files are no error, they are replaced.
    pub fn open_to_set(compartment: &Compartment) -> Self {
        Self {
            compartment: compartment.clone(),
            checking: Mutex::new(()),
        }
    }

    fn open_at(compartment: &Compartment, now: BootTime) -> Result<Self, AdminIdError> {
        let store = Self::open_to_set(compartment);
        let mut guard = store.guard()?;
        if guard.anchor(now) {
            store.keep(&guard)?;
        }
        Ok(store)
    }

    /// Whether an ID is set.
    ///
    /// # Errors
    ///
    /// [`AdminIdError::Compartment`] if the file cannot be read.
    pub fn is_set(&self) -> Result<bool, AdminIdError> {
        Ok(self.compartment.read(&self.hash_file())?.is_some())
    }

    /// Sets the ID, in the place of any other, and forgives every wrong one.
    ///
    /// Blocks for as long as a check.
    ///
    /// # Errors
    ///
    /// [`AdminIdError`] for an ID that is too weak, or if it cannot be kept; the old one then stands.
    pub fn set(&self, id: &str) -> Result<(), AdminIdError> {
        if let Some(weakness) = weakness(id) {
            return Err(weakness.into());
        }
        let pepper = match self.pepper() {
            Ok(Some(pepper)) => pepper,
            Ok(None) | Err(AdminIdError::Damaged { .. }) => {
                let fresh = Zeroizing::new(random::bytes::<PEPPER_LEN>());
                self.compartment.write(&self.pepper_file(), &*fresh)?;
                fresh
            }
            Err(error) => return Err(error),
        };
        let salt = random::bytes::<SALT_LEN>();
        let hash = hasher(&pepper)
            .and_then(|argon2| argon2.hash_password_with_salt(id.as_bytes(), &salt).ok())
            .ok_or_else(|| self.damaged(self.hash_file()))?;
        self.compartment
            .write(&self.hash_file(), hash.to_string().as_bytes())?;
        self.keep(&Guard::default())
    }

    fn change_at(
        &self,
        old: Option<&str>,
        new: &str,
        now: BootTime,
    ) -> Result<AdminChange, AdminIdError> {
        if let Some(weakness) = weakness(new) {
            return Ok(AdminChange::Weak(weakness));
        }
        if let Some(old) = old {
            let verdict = self.verify_at(old, now)?;
            if verdict != AdminVerdict::Ok {
                return Ok(AdminChange::Old(verdict));
            }
            self.set(new)?;
            return Ok(AdminChange::Done);
        }
        let _one_at_a_time = self.checking.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_set()? {
            return Ok(AdminChange::Failed);
        }
        self.set(new)?;
        Ok(AdminChange::Done)
    }

    /// Forgets the ID and every wrong one: until another is set, what wants the ID is refused.
    ///
    /// # Errors
    ///
    /// [`AdminIdError::Compartment`] if a file cannot be removed.
    pub fn reset(&self) -> Result<(), AdminIdError> {
        self.compartment.remove(&self.hash_file())?;
        self.compartment.remove(&self.pepper_file())?;
        self.compartment.remove(&self.tries_file())?;
        Ok(())
    }

    fn verify_at(&self, id: &str, now: BootTime) -> Result<AdminVerdict, AdminIdError> {
        let _one_at_a_time = self.checking.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(hash) = self.hash()? else {
            return Ok(AdminVerdict::Unavailable);
        };
        let pepper = self
            .pepper()?
            .ok_or_else(|| self.damaged(self.pepper_file()))?;
        let mut guard = self.guard()?;
        guard.anchor(now);
        let wait = guard.wait(now);
        if !wait.is_zero() {
            return Ok(AdminVerdict::Locked { wait });
        }
        // Durable before it is looked at: whatever breaks off from here on was a wrong one.
        guard.charge(now);
        self.keep(&guard)?;
        let argon2 = hasher(&pepper).ok_or_else(|| self.damaged(self.pepper_file()))?;
        if argon2.verify_password(id.as_bytes(), &hash).is_ok() {
            self.keep(&Guard::default())?;
            return Ok(AdminVerdict::Ok);
        }
        let wait = guard.wait(now);
        Ok(if wait >= UNTIL_RESET {
            AdminVerdict::Locked { wait }
        } else {
            AdminVerdict::Wrong {
                tries_left: guard.free_left(),
                wait,
            }
        })
    }

    fn hash(&self) -> Result<Option<PasswordHash>, AdminIdError> {
        let path = self.hash_file();
        let Some(bytes) = self.compartment.read(&path)? else {
            return Ok(None);
        };
        std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| PasswordHash::new(text).ok())
            .map(Some)
            .ok_or_else(|| self.damaged(path))
    }

    fn pepper(&self) -> Result<Option<Zeroizing<[u8; PEPPER_LEN]>>, AdminIdError> {
        let path = self.pepper_file();
        let Some(bytes) = self.compartment.read(&path)? else {
            return Ok(None);
        };
        <[u8; PEPPER_LEN]>::try_from(bytes.as_slice())
            .map(|bytes| Some(Zeroizing::new(bytes)))
            .map_err(|_| self.damaged(path))
    }

    fn guard(&self) -> Result<Guard, AdminIdError> {
        let path = self.tries_file();
        match self.compartment.read(&path)? {
            None => Ok(Guard::default()),
            Some(bytes) => Guard::from_bytes(&bytes).ok_or_else(|| self.damaged(path)),
        }
    }

    fn keep(&self, guard: &Guard) -> Result<(), AdminIdError> {
        Ok(self
            .compartment
            .write(&self.tries_file(), &guard.to_bytes())?)
    }

    fn hash_file(&self) -> PathBuf {
        self.compartment.path().join("admin-id")
    }

    fn pepper_file(&self) -> PathBuf {
        self.compartment.path().join("admin-pepper")
    }

    fn tries_file(&self) -> PathBuf {
        self.compartment.path().join("admin-tries")
    }

    fn damaged(&self, path: PathBuf) -> AdminIdError {
        AdminIdError::Damaged { path }
    }
}

impl AdminId for AdminIdStore {
    fn verify(&self, id: &str) -> AdminVerdict {
        self.verify_at(id, BootTime::now()).unwrap_or_else(|error| {
            tracing::error!(%error, "the administrator's ID cannot be checked");
            AdminVerdict::Unavailable
        })
    }

    fn is_set(&self) -> bool {
        Self::is_set(self).unwrap_or_else(|error| {
            tracing::error!(%error, "whether an administrator's ID is set cannot be read");
            false
        })
    }

    fn can_change(&self) -> bool {
        true
    }

    fn change(&self, old: Option<&str>, new: &str) -> AdminChange {
        self.change_at(old, new, BootTime::now())
            .unwrap_or_else(|error| {
                tracing::error!(%error, "the administrator's ID cannot be changed");
                AdminChange::Failed
            })
    }
}

/// The hash function with this device's secret.
fn hasher(pepper: &[u8; PEPPER_LEN]) -> Option<Argon2<'_>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, params).ok()
}

#[cfg(test)]
mod tests;
