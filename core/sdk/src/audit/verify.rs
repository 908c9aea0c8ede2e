//! Is an audit still as it was written?

use std::fmt;

use alongside_protocol::PublicKey;
use serde_json::{Map, Value};

use super::chain::{self, Chain, Hash, Head, Why};

mod seals;

pub(super) use seals::Kept;
pub use seals::Missing;
use seals::Seals;

/// Longest line that is looked at, in bytes; what is written is far shorter.
const MAX_LINE: usize = 16 * 1024;

/// Fields that a line has in any case, or that are about the chain.
const CHAIN_FIELDS: &[&str] = &["i", "t", "session", "record"];

/// What somebody knows of an audit who has not only the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expect {
    /// Whose audit it is. Without it, any one key will do.
    pub key: Option<PublicKey>,
    /// Up to where the audit is known to go at least.
    pub head: Option<Head>,
}

/// The first line that is not what was written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {index}: {reason}")]
pub struct Bad {
    /// Index of the record that should be there.
    pub index: u64,
    /// What is wrong.
    pub reason: Flaw,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// There is nothing, not even a beginning.
    Empty,
    /// The first line is neither the beginning of an audit nor of one of its files.
    NoBeginning,
    /// The last line has no end: the power failed, or somebody cut the file.
    Torn,
    /// Not a line of an audit.
    NotALine,
    /// Another record is here: one is missing, doubled or moved.
    OtherIndex,
    /// The line, or its hash, was changed.
    Changed,
    /// The signature does not hold for everything before it.
    Signature,
    /// The signature is another key's.
    OtherKey,
    /// The operator's signature is not one for the record that it names.
    Countersignature,
    /// A record that the operator keeps of a device's is not what the device has signed.
    DeviceSignature,
    /// The record is not the one that somebody else wrote down.
    OtherHead,
    /// Records are missing at the end: somebody else wrote down a later one.
    CutOff,
}

impl Flaw {
    /// One word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NoBeginning => "no-beginning",
            Self::Torn => "torn",
            Self::NotALine => "not-a-line",
            Self::OtherIndex => "other-index",
            Self::Changed => "changed",
            Self::Signature => "signature",
            Self::OtherKey => "other-key",
            Self::Countersignature => "countersignature",
            Self::DeviceSignature => "device-signature",
            Self::OtherHead => "other-head",
            Self::CutOff => "cut-off",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "there is no record at all",
            Self::NoBeginning => "the file does not begin here, records before it are missing",
            Self::Torn => "the last line has no end",
            Self::NotALine => "this is no line of an audit",
            Self::OtherIndex => "another record is here: one is missing, doubled or moved",
            Self::Changed => "the line was changed",
            Self::Signature => "the signature does not hold for the records before it",
            Self::OtherKey => "it is signed with another key",
            Self::Countersignature => {
                "the operator's signature does not hold for the record that it names"
            }
            Self::DeviceSignature => "the device's signature does not hold for its record",
            Self::OtherHead => "this is not the record that --head names",
            Self::CutOff => "records are missing at the end",
        })
    }
}

/// What a good audit holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Index of the first line; above 0 when older files have been dropped or are elsewhere.
    pub first: u64,
    /// Where it ends. Written down elsewhere, it proves later that nothing was cut off.
    pub head: Head,
    /// Who signed it.
    pub key: PublicKey,
    /// Number of signatures.
    pub signatures: u64,
    /// Lines after the last signature, which only the hashes hold together.
    pub unsigned: u64,
    /// Sessions that began in it.
    pub sessions: u64,
    /// The session that has begun and not ended: still live, broken off by a power cut, or cut off the file.
    pub open_session: Option<String>,
    /// Times at which the machine lost power in the middle of a line, or a file was found damaged.
    pub repairs: u64,
    /// On a device: records that the operator has countersigned.
    pub countersigned: u64,
    /// On a device: records that the operator should have countersigned and has not, or not yet: the link broke, or its
    /// side withheld it.
    pub missing: Vec<Missing>,
    /// On an operator's side: records of devices that it keeps, with both signatures.
    pub kept: u64,
}

/// One line that is as it was written.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Its index.
    pub index: u64,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// In which session.
    pub session: Option<String>,
    /// What happened.
    pub record: String,
    /// What more there is to say, by name.
    pub fields: Map<String, Value>,
    /// The line as it stands in the file, with its newline.
    pub bytes: &'a [u8],
}

/// Checks `audit`, one file or several put one after the other in order.
///
/// # Errors
///
/// [`Bad`] with the first line that is not what was written there. Never panics, whatever the bytes.
pub fn verify(audit: &[u8], expect: &Expect) -> Result<Summary, Bad> {
    let mut lines = Lines::new(audit, *expect);
    for line in &mut lines {
        line?;
    }
    lines.summary()
}

/// The lines of an audit, each checked before it is given. Ends with the first bad one.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    rest: &'a [u8],
    expect: Expect,
    /// Where the next line has to go on; `None` before the first.
    chain: Option<Chain>,
    key: Option<PublicKey>,
    /// Bytes of the good lines.
    pub(super) good: usize,
    pub(super) first: u64,
    signatures: u64,
    sessions: u64,
    open_session: Option<String>,
    repairs: u64,
    seals: Seals,
    bad: Option<Bad>,
}

impl<'a> Lines<'a> {
    /// Reads `audit`.
    pub const fn new(audit: &'a [u8], expect: Expect) -> Self {
        Self {
            rest: audit,
            expect,
            chain: None,
            key: None,
            good: 0,
            first: 0,
            signatures: 0,
            sessions: 0,
            open_session: None,
            repairs: 0,
            seals: Seals::new(),
            bad: None,
        }
    }

    /// The same check, going on with `rest`.
    #[cfg(test)]
    pub(super) fn on<'b>(&self, rest: &'b [u8]) -> Lines<'b> {
        Lines {
            rest,
            open_session: self.open_session.clone(),
            seals: self.seals.clone(),
            ..*self
        }
    }

    /// The chain after the good lines so far; `None` before the first.
    pub(super) const fn tip(&self) -> Option<Chain> {
        self.chain
    }

    /// Who has signed so far.
    pub(super) const fn key(&self) -> Option<PublicKey> {
        self.key
    }

    /// What there was, once all lines have been read.
    ///
    /// # Errors
    ///
    /// The line that was bad.
    pub fn summary(&self) -> Result<Summary, Bad> {
        if let Some(bad) = self.bad {
            return Err(bad);
        }
        let (Some(chain), Some(key)) = (self.chain, self.key) else {
            return Err(Bad {
                index: 0,
                reason: Flaw::Empty,
            });
        };
        if let Some(head) = self.expect.head
            && head.count > chain.head.count
        {
            return Err(Bad {
                index: chain.head.count,
                reason: Flaw::CutOff,
            });
        }
        Ok(Summary {
            first: self.first,
            head: chain.head,
            key,
            signatures: self.signatures,
            unsigned: chain.since.into(),
            sessions: self.sessions,
            open_session: self.open_session.clone(),
            repairs: self.repairs,
            countersigned: self.seals.countersigned,
            missing: self.seals.missing(),
            kept: self.seals.kept,
        })
    }

    fn next_line(&mut self, bytes: &'a [u8]) -> Result<Line<'a>, Flaw> {
        let text = bytes.strip_suffix(b"\n").ok_or(Flaw::Torn)?;
        if text.len() > MAX_LINE {
            return Err(Flaw::NotALine);
        }
        let (body, hash) = chain::split(text).ok_or(Flaw::NotALine)?;
        let line = read(body, bytes).ok_or(Flaw::NotALine)?;
        let why = line.why();
        let chain = match self.chain {
            Some(chain) => chain,
            None => beginning(&line, why).ok_or(Flaw::NoBeginning)?,
        };
        if line.index != chain.head.count {
            return Err(Flaw::OtherIndex);
        }
        if chain::hash(chain.head.hash, body) != hash {
            return Err(Flaw::Changed);
        }
        let key = match why {
            Some(_) => Some(self.signed(&line, chain.head.hash, body)?),
            None => None,
        };
        let head = Head {
            count: chain.head.count.checked_add(1).ok_or(Flaw::OtherIndex)?,
            hash,
        };
        if self
            .expect
            .head
            .is_some_and(|known| known.count == head.count && known.hash != head.hash)
        {
            return Err(Flaw::OtherHead);
        }
        if let Some(ours) = key.or(self.key) {
            self.seals.take(&line, hash, ours, self.first)?;
        }
        if self.chain.is_none() {
            self.first = line.index;
        }
        let since = match key {
            Some(_) => 0,
            None => chain.since.saturating_add(1),
        };
        self.chain = Some(Chain { head, since });
        self.key = key.or(self.key);
        self.signatures += u64::from(key.is_some());
        self.count(&line);
        Ok(line)
    }

    /// Who has signed this checkpoint, if it is well signed by whom it should be.
    fn signed(&self, line: &Line<'_>, previous: Hash, body: &[u8]) -> Result<PublicKey, Flaw> {
        let word = |name| line.fields.get(name).and_then(Value::as_str);
        let key = word("key").and_then(chain::lower_hex).map(PublicKey);
        let key = key.ok_or(Flaw::NotALine)?;
        if word("head").and_then(Hash::from_hex) != Some(previous) {
            return Err(Flaw::Signature);
        }
        if self.key.or(self.expect.key).is_some_and(|ours| ours != key) {
            return Err(Flaw::OtherKey);
        }
        if !chain::is_signed(previous, body, key) {
            return Err(Flaw::Signature);
        }
        Ok(key)
    }

    fn count(&mut self, line: &Line<'_>) {
        match line.record.as_str() {
            "session-started" => {
                self.sessions += 1;
                self.open_session = line.session.clone();
            }
            "session-ended" => self.open_session = None,
            "repaired" => self.repairs += 1,
            _ => {}
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<Line<'a>, Bad>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() || self.bad.is_some() {
            return None;
        }
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let len = end.map_or(self.rest.len(), |end| end + 1);
        let (bytes, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, &[]));
        match self.next_line(bytes) {
            Ok(line) => {
                self.rest = rest;
                self.good += bytes.len();
                Some(Ok(line))
            }
            Err(reason) => {
                let bad = Bad {
                    index: self.chain.map_or(0, |chain| chain.head.count),
                    reason,
                };
                self.bad = Some(bad);
                Some(Err(bad))
            }
        }
    }
}

impl Line<'_> {
    /// Why this checkpoint was written; `None` if it is none.
    fn why(&self) -> Option<Why> {
        let why = self.fields.get("why").and_then(Value::as_str);
        (self.record == "checkpoint")
            .then_some(why)
            .flatten()
            .and_then(Why::named)
    }
}

/// The chain that a file's first line goes on with, which it says itself under its signature.
fn beginning(line: &Line<'_>, why: Option<Why>) -> Option<Chain> {
    let hash = Hash::from_hex(line.fields.get("head")?.as_str()?)?;
    let head = Head {
        count: line.index,
        hash,
    };
    let is_beginning = match why? {
        Why::Began => head == Chain::new().head,
        Why::Continued => line.index > 0,
        Why::Turn | Why::Count => false,
    };
    is_beginning.then_some(Chain { head, since: 0 })
}

/// What a line says. Its keys are where they were written, so that no two readers see two things.
pub(super) fn read<'a>(body: &[u8], bytes: &'a [u8]) -> Option<Line<'a>> {
    let mut object = body.to_vec();
    object.push(b'}');
    let mut fields: Map<String, Value> = serde_json::from_slice(&object).ok()?;
    let index = fields.get("i")?.as_u64()?;
    let at = fields.get("t")?.as_u64()?;
    if !body.starts_with(format!("{{\"i\":{index},\"t\":{at},").as_bytes()) {
        return None;
    }
    let session = match fields.get("session") {
        Some(session) => Some(session.as_str()?.to_owned()),
        None => None,
    };
    let record = fields.get("record")?.as_str()?.to_owned();
    fields.retain(|name, _| !CHAIN_FIELDS.contains(&name.as_str()));
    Some(Line {
        index,
        at,
        session,
        record,
        fields,
        bytes,
    })
}
