//! The audit in the compartment: one file that grows, and a few that are full.
//!
//! A write is one `pwrite` and one `fdatasync`, under a lock of the file, so that several processes of one operator write
//! one chain. Whatever goes wrong with one, the file is read again before the next:
//! a line that was torn by a power cut is taken off the end, and the chain says so.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use alongside_protocol::{PublicKey, control::Seal};
use alongside_transport::Identity;

use super::{
    AuditError, AuditStore, Entry,
    chain::{self, Chain, Head, Why},
    seal,
    verify::{Bad, Expect, Flaw, Lines},
};
use crate::clock;

/// Most bytes that an audit takes on disk unless told otherwise: 8 MiB (our choice: some 40,000 records, which is
/// hundreds of sessions).
pub const DEFAULT_CAP: u64 = 8 * 1024 * 1024;
/// Files that an audit is spread over, the one that grows included. The oldest goes when another is full.
const FILES: u64 = 8;
/// Name of the file that grows.
const CURRENT: &str = "audit.jsonl";
/// Most bytes of a file that are read back: far beyond any cap that makes sense.
const MOST: u64 = 256 * 1024 * 1024;

/// The audit in a folder: `audit.jsonl`, and `audit-INDEX.jsonl` for each older file, by the index of its first line.
///
/// Opened with the first record, so that a compartment that cannot be written ends sessions and not the program.
#[derive(Debug)]
pub struct AuditLog {
    folder: PathBuf,
    identity: Arc<Identity>,
    /// Most bytes of one file.
    full: u64,
    open: Mutex<Option<Open>>,
}

/// The file that grows.
#[derive(Debug)]
struct Open {
    file: File,
    len: u64,
    /// Index of its first line.
    first: u64,
    chain: Chain,
    /// What was wrong with the end of it, still to be said in it.
    repaired: Option<Repaired>,
}

/// Entries as they are written.
struct Composed {
    bytes: Vec<u8>,
    /// The chain after them.
    chain: Chain,
    seals: Vec<Seal>,
}

#[derive(Clone, Debug)]
struct Repaired {
    bad: Bad,
    bytes: u64,
    /// Where the bytes are kept, unless they are a mere piece of a line.
    kept: Option<String>,
}

impl AuditLog {
    /// The audit in `folder`, signed with `identity`; takes [`DEFAULT_CAP`] at most.
    pub fn new(folder: &Path, identity: Arc<Identity>) -> Self {
        Self {
            folder: folder.to_owned(),
            identity,
            full: DEFAULT_CAP / FILES,
            open: Mutex::new(None),
        }
    }

    /// Takes `bytes` on disk at most, 64 KiB at least; the oldest eighth goes when that is reached.
    #[must_use]
    pub fn with_cap(mut self, bytes: u64) -> Self {
        self.full = bytes.max(64 * 1024) / FILES;
        self
    }

    /// The file that grows.
    pub fn path(&self) -> PathBuf {
        self.folder.join(CURRENT)
    }

    fn io(&self, doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> AuditError {
        let path = path.to_owned();
        move |source| AuditError::Io {
            doing,
            path,
            source,
        }
    }

    /// Opens the file, or makes it, and finds the end of the chain.
    fn open(&self) -> Result<Open, AuditError> {
        let path = self.path();
        let file = self.open_file(&path)?;
        let about = file.metadata().map_err(self.io("look at", &path))?;
        if !about.is_file() || about.len() > MOST {
            let why = io::Error::new(io::ErrorKind::InvalidData, "no file of an audit");
            return Err(self.io("use", &path)(why));
        }
        let mut bytes = Vec::new();
        (&file)
            .take(MOST)
            .read_to_end(&mut bytes)
            .map_err(self.io("read", &path))?;
        let mut lines = Lines::new(&bytes, Expect::default());
        let bad = lines.by_ref().find_map(Result::err);
        let signed_by = lines.key();
        let good = u64::try_from(lines.good).unwrap_or(u64::MAX);
        let (chain, first) = (lines.tip(), lines.first);
        if signed_by.is_some_and(|key| key != self.identity.public_key()) {
            self.retire()?;
            return self.open();
        }
        let repaired = match bad {
            Some(bad) => Some(self.repair(&file, &bytes, lines.good, bad)?),
            None => None,
        };
        let (chain, first) = match chain {
            Some(chain) => (chain, first),
            None => {
                let chain = self.chain_of_archives()?;
                (chain, chain.head.count)
            }
        };
        Ok(Open {
            file,
            len: good,
            first,
            chain,
            repaired,
        })
    }

    fn open_file(&self, path: &Path) -> Result<File, AuditError> {
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(path)
                .map_err(self.io("open", path))?;
            file.lock().map_err(self.io("lock", path))?;
            // Another process may have begun a new one while this one waited.
            if is_at(&file, path).map_err(self.io("look at", path))? {
                self.sync_folder()?;
                return Ok(file);
            }
        }
    }

    /// Locks the file that grows, if it is still what it was after the last write.
    fn is_current(&self, open: &Open) -> io::Result<bool> {
        open.file.lock()?;
        Ok(is_at(&open.file, &self.path())? && open.file.metadata()?.len() == open.len)
    }

    /// Takes what is no audit off the end of the file. More than a piece of a line is evidence, and kept beside it.
    fn repair(
        &self,
        file: &File,
        bytes: &[u8],
        good: usize,
        bad: Bad,
    ) -> Result<Repaired, AuditError> {
        let path = self.path();
        let tail = bytes.get(good..).unwrap_or_default();
        let kept = if bad.reason == Flaw::Torn {
            None
        } else {
            let name = format!("audit-damaged-{:020}.bin", bad.index);
            let aside = self.folder.join(&name);
            let mut to = OpenOptions::new();
            to.write(true).create(true).truncate(true).mode(0o600);
            let written = to.open(&aside).and_then(|mut file| {
                io::Write::write_all(&mut file, tail)?;
                file.sync_all()
            });
            written.map_err(self.io("write", &aside))?;
            Some(name)
        };
        let len = u64::try_from(good).unwrap_or(u64::MAX);
        file.set_len(len)
            .and_then(|()| file.sync_all())
            .map_err(self.io("shorten", &path))?;
        tracing::warn!(path = %path.display(), index = bad.index, reason = %bad.reason, "the audit was damaged");
        Ok(Repaired {
            bad,
            bytes: u64::try_from(tail.len()).unwrap_or(u64::MAX),
            kept,
        })
    }

    /// The end of the chain when the file that grows is empty: a power cut can come just after the last one was full.
    fn chain_of_archives(&self) -> Result<Chain, AuditError> {
        let Some(last) = self.archives()?.pop() else {
            return Ok(Chain::new());
        };
        let bytes = fs::read(&last).map_err(self.io("read", &last))?;
        let expect = Expect {
            key: Some(self.identity.public_key()),
            head: None,
        };
        let mut lines = Lines::new(&bytes, expect);
        if let Some(bad) = lines.by_ref().find_map(Result::err) {
            tracing::warn!(path = %last.display(), %bad, "an older file of the audit is damaged");
        }
        Ok(lines.tip().unwrap_or_else(Chain::new))
    }

    /// Another identity has written here: its files are set aside, and a new audit begins.
    fn retire(&self) -> Result<(), AuditError> {
        let at = clock::unix_ms();
        for path in self.archives()?.into_iter().chain([self.path()]) {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            let aside = format!("former-{at}-{}", name.unwrap_or_default());
            fs::rename(&path, self.folder.join(aside)).map_err(self.io("rename", &path))?;
        }
        self.sync_folder()
    }

    /// Older files, oldest first.
    fn archives(&self) -> Result<Vec<PathBuf>, AuditError> {
        archives(&self.folder).map_err(self.io("list", &self.folder))
    }

    /// Begins another file; the oldest goes if there are too many.
    fn rotate(&self, open: &Open) -> Result<Open, AuditError> {
        let path = self.path();
        let full = self.folder.join(archive(open.first));
        fs::rename(&path, &full).map_err(self.io("rename", &path))?;
        let mut archives = self.archives()?;
        while u64::try_from(archives.len()).is_ok_and(|count| count >= FILES) {
            let oldest = archives.remove(0);
            fs::remove_file(&oldest).map_err(self.io("remove", &oldest))?;
        }
        Ok(Open {
            file: self.open_file(&path)?,
            len: 0,
            first: open.chain.head.count,
            chain: open.chain,
            repaired: None,
        })
    }

    /// What `entries` come to in `open`, with what `operator` is to countersign of it.
    fn compose(&self, open: &Open, entries: &[Entry], operator: Option<PublicKey>) -> Composed {
        let (mut out, mut chain) = (Vec::new(), open.chain);
        let mut seals = Vec::new();
        let at = entries.last().map_or(0, |entry| entry.at);
        if open.len == 0 {
            let why = if chain.head == Chain::new().head {
                Why::Began
            } else {
                Why::Continued
            };
            chain.checkpoint(&mut out, &self.identity, at, why);
        }
        if let Some(Repaired { bad, bytes, kept }) = &open.repaired {
            chain.note(&mut out, at, "repaired", |body| {
                body.word("why", bad.reason.as_str());
                body.number("bytes", *bytes);
                if let Some(kept) = kept {
                    body.text("kept", kept);
                }
            });
        }
        for entry in entries {
            if let Some(operator) = operator.filter(|_| entry.is_sealed()) {
                let Head { count, hash } = chain.head;
                let line = chain::body(count, entry);
                seals.push(seal::seal(
                    &self.identity,
                    operator,
                    count,
                    hash,
                    line.as_bytes(),
                ));
            }
            chain.add(&mut out, &self.identity, entry);
        }
        if entries.iter().any(Entry::is_turn) && chain.since > 0 {
            chain.checkpoint(&mut out, &self.identity, at, Why::Turn);
        }
        Composed {
            bytes: out,
            chain,
            seals,
        }
    }

    fn write(
        &self,
        open: &mut Open,
        entries: &[Entry],
        operator: Option<PublicKey>,
    ) -> Result<Vec<Seal>, AuditError> {
        let mut composed = self.compose(open, entries, operator);
        let len = u64::try_from(composed.bytes.len()).unwrap_or(u64::MAX);
        if open.len > 0 && open.len.saturating_add(len) > self.full {
            let repaired = open.repaired.take();
            *open = self.rotate(open)?;
            open.repaired = repaired;
            composed = self.compose(open, entries, operator);
        }
        let Composed {
            bytes,
            chain,
            seals,
        } = composed;
        let path = self.path();
        let written = open
            .file
            .write_all_at(&bytes, open.len)
            .and_then(|()| open.file.sync_data());
        if let Err(source) = written {
            // What has been written of it must not stand: its acts do not happen.
            let _ = open.file.set_len(open.len);
            return Err(self.io("write", &path)(source));
        }
        open.len = open
            .len
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        open.chain = chain;
        open.repaired = None;
        Ok(seals)
    }

    fn keep(
        &self,
        entries: &[Entry],
        operator: Option<PublicKey>,
    ) -> Result<Vec<Seal>, AuditError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Out of its place while it is worked on: after a failure, or a panic, the file is read again.
        // What another process has moved on is let go of, and its lock with it, before the file is locked anew.
        let current = match slot.take() {
            Some(open) => self
                .is_current(&open)
                .map_err(self.io("lock", &self.path()))?
                .then_some(open),
            None => None,
        };
        let mut open = match current {
            Some(open) => open,
            None => self.open()?,
        };
        let seals = self.write(&mut open, entries, operator)?;
        open.file
            .unlock()
            .map_err(self.io("unlock", &self.path()))?;
        *slot = Some(open);
        Ok(seals)
    }

    fn sync_folder(&self) -> Result<(), AuditError> {
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(self.io("sync", &self.folder))
    }
}

impl AuditStore for AuditLog {
    fn append(&self, entries: &[Entry]) -> Result<(), AuditError> {
        self.keep(entries, None).map(drop)
    }

    fn append_sealed(
        &self,
        entries: &[Entry],
        operator: PublicKey,
    ) -> Result<Vec<Seal>, AuditError> {
        self.keep(entries, Some(operator))
    }
}

/// Whether `file` is the one at `path`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The files of the audit in `folder`, oldest first.
///
/// # Errors
///
/// If the folder cannot be listed.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = archives(folder)?;
    let current = folder.join(CURRENT);
    if current.try_exists()? {
        files.push(current);
    }
    Ok(files)
}

fn archives(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_archive = path.file_name().is_some_and(|name| {
            name.to_string_lossy()
                .strip_prefix("audit-")
                .and_then(|rest| rest.strip_suffix(".jsonl"))
                .is_some_and(|index| index.len() == 20 && index.bytes().all(|b| b.is_ascii_digit()))
        });
        if is_archive {
            found.push(path);
        }
    }
    // Twenty digits sort as numbers do.
    found.sort();
    Ok(found)
}

fn archive(first: u64) -> String {
    format!("audit-{first:020}.jsonl")
}

#[cfg(test)]
mod tests;
