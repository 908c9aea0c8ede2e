//! The audit: what happened on this side, one line each, made durable before it happens.
//!
//! A driver hands the [records](alongside_session::Record) of its session to an [`AuditStore`] and carries nothing out
//! before the store has them. [`AuditLog`] is the store in the compartment: JSON Lines, chained by hashes, signed with
//! the long-term key at every turn of a session. [`verify`] tells whether such a file is still as it was written.
//!
//! A line says that something happened, when and in which session. It holds no typed text, no key press, no code and
//! no pixel.
//!
//! # What `verify` can tell
//!
//! Any byte that is changed, and any line that is dropped, doubled or moved, is named with the index of the first
//! line that is not what was written there. Whoever rewrites a line and all the hashes after it fails at the next
//! signature, for which they lack the key.
//!
//! What the operator was given in a session, and that it ended, the operator countersigns: see [`Seal`]. The device keeps
//! the signature as a record of its own after the one that it is for, the operator keeps the record with both. A
//! signature that does not hold is a bad record; one that is missing, because the link broke or the operator's side
//! withheld it, is [said](Summary::missing) and holds nothing up. [`agree()`] compares the two audits.
//!
//! Three things it cannot tell by itself. Lines cut off the end of a file leave a shorter file that is whole: it takes
//! a later [`Head`] that somebody else wrote down, and [`Summary::open_session`] is a hint. Lines after the last
//! signature ([`Summary::unsigned`]) can be rewritten by anybody. And whoever holds the key, which is anybody who
//! rules the machine, can write another history from the start.

use std::{fmt, io, path::PathBuf, sync::Mutex};

use alongside_protocol::{PublicKey, control::Seal};

mod agree;
mod chain;
mod entry;
pub(crate) mod history;
pub(crate) mod journal;
pub(crate) mod seal;
mod store;
mod verify;

pub use agree::{Agreement, Disagreement, agree};
pub use chain::{GENESIS, Hash, Head};
pub use entry::{Entry, What};
pub use history::{ChangedSetting, SessionCard, last_sessions};
pub use store::{AuditLog, DEFAULT_CAP, files};
pub use verify::{Bad, Expect, Flaw, Line, Lines, Missing, Summary, verify};

/// Where a side keeps its records.
pub trait AuditStore: Send + Sync + fmt::Debug {
    /// Makes `entries` durable, in order. Nothing that they tell of has happened yet.
    ///
    /// May block: it is called where blocking is allowed, one call at a time for each session. A call that does not
    /// come back within 5 s is taken for a failure.
    ///
    /// # Errors
    ///
    /// [`AuditError`] when any of them is not durable; the session then ends with `record-failed`.
    fn append(&self, entries: &[Entry]) -> Result<(), AuditError>;

    /// On a device: the same, and gives those of the records that `operator` is to countersign, in order.
    ///
    /// A store whose records are in no chain has none to give; that is what it does unless it says otherwise.
    ///
    /// # Errors
    ///
    /// As [`AuditStore::append`].
    fn append_sealed(
        &self,
        entries: &[Entry],
        operator: PublicKey,
    ) -> Result<Vec<Seal>, AuditError> {
        let _nobody = operator;
        self.append(entries).map(|()| Vec::new())
    }
}

/// Why records are not durable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A file cannot be read, made or written.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The store did not answer in time.
    #[error("the store of the audit does not answer")]
    Stalled,
    /// An embedder's own store failed.
    #[error("the store of the audit failed")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// An audit in memory, gone with the process: for tests, and for sides that need no proof.
#[derive(Debug, Default)]
pub struct MemoryAudit(Mutex<Vec<Entry>>);

impl MemoryAudit {
    /// All that was recorded so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.0.lock().map_or_else(
            |poison| poison.into_inner().clone(),
            |entries| entries.clone(),
        )
    }
}

impl AuditStore for MemoryAudit {
    fn append(&self, entries: &[Entry]) -> Result<(), AuditError> {
        let mut kept = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.extend_from_slice(entries);
        Ok(())
    }
}
