//! The operators' file on disk, read again when it changes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use tracing::{info, warn};

use super::Operators;

/// Largest file that is read, in bytes: ten thousand operators fit (our choice).
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// An `operators.toml` and the last good table that was read from it; an empty one while there is no file.
#[derive(Debug)]
pub struct OperatorsFile {
    path: PathBuf,
    seen: Option<Stamp>,
    table: Arc<Operators>,
}

/// Tells one version of the file from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl OperatorsFile {
    /// The file at `path`, not read yet: nobody may hand out codes.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            seen: None,
            table: Arc::default(),
        }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last good table.
    pub fn table(&self) -> Arc<Operators> {
        Arc::clone(&self.table)
    }

    /// Reads the file if it changed; the new table, or `None` if there is no other than before.
    ///
    /// A file that cannot be read or parsed keeps the old table and is said at WARN, once a version. One that was there
    /// and is gone is an empty table: nobody may hand out codes.
    pub fn refresh(&mut self) -> Option<Arc<Operators>> {
        let stamp = match fs::metadata(&self.path) {
            Ok(found) => Stamp {
                modified: found.modified().ok(),
                bytes: found.len(),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.forget(),
            Err(error) => return self.keep(&error),
        };
        if self.seen == Some(stamp) {
            return None;
        }
        self.seen = Some(stamp);
        if stamp.bytes > MAX_BYTES {
            return self.keep(&format_args!(
                "{} bytes, allowed are {MAX_BYTES}",
                stamp.bytes
            ));
        }
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) => return self.keep(&error),
        };
        match Operators::parse(&text) {
            Ok(table) => {
                info!(file = %self.path.display(), operators = table.len(), "operators read");
                if table.lets_anybody_in() {
                    warn!(file = %self.path.display(), "allow = \"any\": every key may hand out codes, for labs only");
                }
                self.table = Arc::new(table);
                Some(self.table())
            }
            Err(error) => self.keep(&error),
        }
    }

    /// The file is gone. Whoever takes it away means nobody to be let in, and an old table that lives on unseen would
    /// end at the next restart.
    fn forget(&mut self) -> Option<Arc<Operators>> {
        self.seen.take()?;
        warn!(file = %self.path.display(), "the operators' file is gone: nobody may hand out codes");
        self.table = Arc::default();
        Some(self.table())
    }

    fn keep(&self, why: &dyn std::fmt::Display) -> Option<Arc<Operators>> {
        warn!(file = %self.path.display(), %why, "operators not read, the last good table stays");
        None
    }
}
