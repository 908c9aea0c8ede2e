//! The settings of a device: what there is, what each may be, and changes that happen wholly or not at all.
//!
//! A device brings a [`Settings`] port with its [`Schema`]. A [`Desk`] stands between an operator and that port. A
//! change that is proposed to it goes this way:
//!
//! 1. **Checked** against the schema and the device's own rules, and against the version that the operator saw.
//! 2. **Asked**: the customer sees [what would change](Difference), and somebody tells the desk their answer.
//! 3. **Written down**: what takes the change back is made durable in the compartment, before anything else.
//! 4. **Applied**, all of it; if the port fails in the middle, what it did is taken back.
//! 5. **Confirmed** by the operator, whom the change has not cut off, within [`CONFIRM_WITHIN`]. Otherwise it is taken
//!    back: when the time is over, when the grant ends, and when the program starts again after it was killed or lost its
//!    power at any point.
//!
//! So a device is always either as it was or as it was asked to be, and [the desk says](Desk::recovered) which.
//! The last change that was confirmed can be [undone](Desk::undo), which is a change like any other.
//!
//! A secret can be set and is never read: it is in no reading, no difference and no error. What takes a change back has
//! to hold the secret that it replaces, so the compartment keeps that until the next change.

use std::{collections::BTreeMap, error::Error, fmt, sync::Arc, time::Duration};

pub use alongside_protocol::setting::{
    ChangeRefusal, ChangeStage, Difference, Fault, Problem, RollBack, SettingChange, SettingPath,
    SettingType, SettingValue, SettingsVersion, Shown, Words,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

mod desk;
mod difference;
mod journal;
mod schema;
mod transaction;
mod version;
mod worker;

pub use desk::{Desk, DeskError, DeskEvent};
pub use journal::JournalError;
pub use schema::{Group, Kind, MAX_CHANGES, MAX_SETTINGS, Pattern, Schema, SchemaError, Setting};
pub use transaction::{CONFIRM_WITHIN, Proposal, RETRY_AFTER, Reason, Stage, TransactionId};
pub use version::VersionKey;
pub use worker::{FAILPOINTS, Failpoint};

/// The settings of a device.
///
/// Every call may block; it is made where blocking is allowed, and never two at a time by the same [`Desk`].
pub trait Settings: Send + Sync + fmt::Debug {
    /// What settings there are. Always the same, and cheap.
    fn schema(&self) -> Arc<Schema>;

    /// What they are now.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] when they cannot be read.
    fn read(&self) -> Result<Reading, SettingsError>;

    /// What the device has against these changes beyond the schema; they keep that.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Invalid`] with everything that is wrong, or why it cannot be told.
    fn validate(&self, changes: &[SettingChange]) -> Result<(), SettingsError> {
        let _ = changes;
        Ok(())
    }

    /// What takes these changes back later. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Conflict`] if the version is not `seen` any more.
    fn prepare(
        &self,
        seen: SettingsVersion,
        changes: &[SettingChange],
    ) -> Result<Undo, SettingsError>;

    /// Makes the changes, durably, and makes the device act by them. All or none as far as it can; it is rolled back after
    /// an error.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] with what went wrong; [`SettingsError::Conflict`] if the version is not `seen` any more.
    fn apply(&self, seen: SettingsVersion, changes: &[SettingChange]) -> Result<(), SettingsError>;

    /// The change stays. Only now may what it needed in between be cleaned up.
    fn confirm(&self) {}

    /// Takes a change back, durably, whether all of it, some of it or nothing of it has happened, and however often it
    /// is called. What somebody else has changed since stays.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] when it cannot be done now; it is tried again.
    fn roll_back(&self, undo: &Undo) -> Result<(), SettingsError>;
}

/// All settings at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Changes whenever a setting does.
    pub version: SettingsVersion,
    /// What is set. Secrets are [`Shown::Secret`].
    pub values: BTreeMap<SettingPath, Shown>,
}

/// What takes a change back.
///
/// Debug shows none of it, as it may hold secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// The change that leads back.
    pub inverse: Vec<SettingChange>,
    /// What else the port needs for it, in its own form.
    pub image: Vec<u8>,
}

/// Why settings cannot be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A setting has changed since it was read.
    #[error("a setting has changed since it was read")]
    Conflict,
    /// The device does not take what a setting shall be.
    #[error("the device does not take what a setting shall be")]
    Invalid(Vec<Problem>),
    /// Something that has to be done to read or change settings fails.
    #[error("cannot {doing}")]
    Failed {
        /// What, such as "write the settings file".
        doing: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Something takes too long.
    #[error("{what} takes longer than {} s", limit.as_secs())]
    Slow {
        /// What, such as "the reload command".
        what: String,
        /// How long it may take.
        limit: Duration,
    },
    /// The port broke down.
    #[error("the settings broke down")]
    Broken,
}

impl SettingsError {
    /// A failure of something that has a cause.
    pub fn failed(
        doing: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Failed {
            doing: doing.into(),
            source: source.into(),
        }
    }
}

impl fmt::Debug for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Undo({} changes)", self.inverse.len())
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        self.image.zeroize();
    }
}
