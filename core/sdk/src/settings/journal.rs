//! The book of changes in the compartment: written before a change, and again once it is certain how it ended.
//!
//! One file, replaced as a whole. It holds what takes the open change back, and the same of the last change that stayed.

use std::{
    fs,
    io::{self, Read},
    path::PathBuf,
};

use alongside_protocol::setting::SettingPath;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Shown, Undo};
use crate::{Compartment, CompartmentError};

/// First byte of the file: the version of what follows.
const FORM: u8 = 1;

/// Largest book, in bytes: two changes with the image of a large settings file each.
const MAX_BOOK: u64 = 8 * 1024 * 1024;

/// What the book says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Book {
    /// Number of the last change that was begun.
    pub(super) last_id: u64,
    /// The change that is under way, or was when the program ended.
    pub(super) open: Option<Entry>,
    /// The last change that stayed.
    pub(super) kept: Option<Entry>,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) id: u64,
    /// What it sets, without secrets.
    pub(super) set: Vec<(SettingPath, Shown)>,
    /// What takes it back.
    pub(super) undo: Undo,
}

/// Why the book of changes cannot be used; nothing is changed without it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("the journal of settings cannot be used")]
    Compartment(#[from] CompartmentError),
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{} is damaged: see that the settings are as they should be, then remove it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// What it would hold is more than it may.
    #[error("the settings are too large for the journal")]
    TooLarge,
}

/// The book, and where it lies.
#[derive(Debug)]
pub(super) struct Journal {
    compartment: Compartment,
    path: PathBuf,
    book: Book,
}

impl Journal {
    /// Reads the book; an empty one where there is none.
    pub(super) fn open(compartment: Compartment) -> Result<Self, JournalError> {
        let path = compartment.path().join("settings");
        let mut bytes = Zeroizing::new(Vec::new());
        let book = match fs::File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Book::default(),
            Err(source) => return Err(JournalError::Read { path, source }),
            Ok(file) => {
                if let Err(source) = file.take(MAX_BOOK + 1).read_to_end(&mut bytes) {
                    return Err(JournalError::Read { path, source });
                }
                let Some(book) = decode(&bytes) else {
                    return Err(JournalError::Damaged { path });
                };
                book
            }
        };
        Ok(Self {
            compartment,
            path,
            book,
        })
    }

    pub(super) const fn book(&self) -> &Book {
        &self.book
    }

    /// Writes the book down, durably. If that fails, it counts as it was before.
    pub(super) fn write(&mut self, book: Book) -> Result<(), JournalError> {
        let bytes = Zeroizing::new(encode(&book));
        if u64::try_from(bytes.len()).map_or(true, |length| length > MAX_BOOK) {
            return Err(JournalError::TooLarge);
        }
        self.compartment.write(&self.path, &bytes)?;
        self.book = book;
        Ok(())
    }
}

fn encode(book: &Book) -> Vec<u8> {
    // postcard fails only when its output is full, and a Vec never is.
    postcard::to_extend(book, vec![FORM]).unwrap_or_default()
}

/// The book in `bytes`; `None` if they are anything else.
pub(super) fn decode(bytes: &[u8]) -> Option<Book> {
    let (FORM, body) = bytes.split_first().map(|(form, body)| (*form, body))? else {
        return None;
    };
    match postcard::take_from_bytes(body) {
        Ok((book, [])) => Some(book),
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use alongside_protocol::setting::{SettingChange, SettingValue};

    use super::*;

    fn book() -> Book {
        let path = SettingPath::new("a.b").expect("a path");
        let entry = Entry {
            id: 7,
            set: vec![(path.clone(), Shown::Value(SettingValue::Bool(true)))],
            undo: Undo {
                inverse: vec![SettingChange { path, value: None }],
                image: b"old".to_vec(),
            },
        };
        Book {
            last_id: 7,
            open: Some(entry.clone()),
            kept: Some(entry),
        }
    }

    #[test]
    fn a_book_reads_back_and_a_damaged_one_does_not() {
        let bytes = encode(&book());
        assert_eq!(decode(&bytes), Some(book()));
        for cut in 0..bytes.len() {
            assert_eq!(decode(&bytes[..cut]), None, "{cut}");
        }
        let body = |data: &[u8]| drop(decode(data));
        alongside_protocol::fuzzing::mutations(&[bytes], 10_000, body);
    }
}
