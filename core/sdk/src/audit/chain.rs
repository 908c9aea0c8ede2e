//! The chain: how a line is bound to all lines before it, and how a signature is.
//!
//! ```text
//! h    = SHA-256("alongside-audit-1" ‖ previous h ‖ u64 length of body ‖ body)
//! line = body ‖ ,"h":" ‖ hex of h ‖ "} ‖ newline
//! sig  = Ed25519("alongside-audit-checkpoint-1" ‖ previous h ‖ u64 length of part ‖ part)
//! ```
//!
//! The body is the line as it is written, up to its hash; numbers are big-endian. A checkpoint's body ends with its
//! signature, and the signed part is the body before that.

use std::fmt;

use alongside_protocol::{PublicKey, ids::hex_to_bytes, relay::Signature};
use alongside_transport::{Identity, identity};
use aws_lc_rs::digest;

use super::entry::{Body, Entry};

const LINE: &[u8] = b"alongside-audit-1";
const CHECKPOINT: &[u8] = b"alongside-audit-checkpoint-1";
/// What stands between a body and its hash.
const HASH_FIELD: &[u8] = b",\"h\":\"";
const SIGNATURE_FIELD: &[u8] = b",\"sig\":\"";
const END: &[u8] = b"\"}";

/// Most lines between two signatures (our choice: what is lost to a forger without the key is at most this).
pub(super) const EVERY: u32 = 64;

/// The hash of a line, and so of everything before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

/// What stands before the first line.
pub const GENESIS: Hash = Hash([0; 32]);

/// A place in a chain: whoever holds one later than a file's end knows that the file was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    /// Number of lines up to here, which is the next line's index.
    pub count: u64,
    /// Hash of the last of them.
    pub hash: Hash,
}

impl Hash {
    /// Reads 64 lower-case hexadecimal digits; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        lower_hex(text).map(Self)
    }
}

/// In lower-case hexadecimal.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, &self.0)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, &self.0)
    }
}

/// As `--head` takes it: `COUNT:HASH`.
impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.count, self.hash)
    }
}

/// Reads `COUNT:HASH`.
impl std::str::FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WHAT: &str = "not of the form COUNT:HASH, with 64 lower-case hexadecimal digits";
        let (count, hash) = text.split_once(':').ok_or(WHAT)?;
        Ok(Self {
            count: count.parse().map_err(|_| WHAT)?,
            hash: Hash::from_hex(hash).ok_or(WHAT)?,
        })
    }
}

/// Why a checkpoint was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The first line there is.
    Began,
    /// The first line of a file that goes on where another ends.
    Continued,
    /// The session or its mode took a turn.
    Turn,
    /// Many lines have gone by.
    Count,
}

impl Why {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Continued => "continued",
            Self::Turn => "turn",
            Self::Count => "count",
        }
    }

    pub(super) fn named(word: &str) -> Option<Self> {
        [Self::Began, Self::Continued, Self::Turn, Self::Count]
            .into_iter()
            .find(|why| why.as_str() == word)
    }
}

/// The end of a chain, to which lines are added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    pub(super) head: Head,
    /// Lines since the last signature.
    pub(super) since: u32,
}

impl Chain {
    pub(super) const fn new() -> Self {
        Self {
            head: Head {
                count: 0,
                hash: GENESIS,
            },
            since: 0,
        }
    }

    /// Adds `entry`, and a checkpoint when one is due.
    pub(super) fn add(&mut self, out: &mut Vec<u8>, identity: &Identity, entry: &Entry) {
        let body = body(self.head.count, entry);
        self.line(out, body.as_bytes());
        if self.since >= EVERY {
            self.checkpoint(out, identity, entry.at, Why::Count);
        }
    }

    /// Adds a line about the chain itself.
    pub(super) fn note(
        &mut self,
        out: &mut Vec<u8>,
        at: u64,
        name: &str,
        fields: impl FnOnce(&mut Body),
    ) {
        let mut body = Body::new(self.head.count, at);
        body.word("record", name);
        fields(&mut body);
        self.line(out, body.as_bytes());
    }

    /// Signs everything up to here.
    pub(super) fn checkpoint(&mut self, out: &mut Vec<u8>, identity: &Identity, at: u64, why: Why) {
        let mut body = Body::new(self.head.count, at);
        body.word("record", "checkpoint");
        body.word("why", why.as_str());
        body.word("head", self.head.hash);
        body.word("key", identity.public_key());
        let signature = identity.sign(&sealed(CHECKPOINT, self.head.hash, body.as_bytes()));
        let mut signed = body.as_bytes().to_vec();
        signed.extend_from_slice(SIGNATURE_FIELD);
        signed.extend_from_slice(Hex(&signature.to_bytes()).to_string().as_bytes());
        signed.push(b'"');
        self.line(out, &signed);
        self.since = 0;
    }

    fn line(&mut self, out: &mut Vec<u8>, body: &[u8]) {
        let hash = hash(self.head.hash, body);
        out.extend_from_slice(body);
        out.extend_from_slice(HASH_FIELD);
        out.extend_from_slice(hash.to_string().as_bytes());
        out.extend_from_slice(END);
        out.push(b'\n');
        self.head = Head {
            count: self.head.count.saturating_add(1),
            hash,
        };
        self.since = self.since.saturating_add(1);
    }
}

/// The body of the line that `entry` becomes at `index`.
pub(super) fn body(index: u64, entry: &Entry) -> Body {
    let mut body = Body::new(index, entry.at);
    entry.write(&mut body);
    body
}

/// The hash of a line with this body.
pub(super) fn hash(previous: Hash, body: &[u8]) -> Hash {
    let digest = digest::digest(&digest::SHA256, &sealed(LINE, previous, body));
    let mut hash = GENESIS;
    hash.0
        .iter_mut()
        .zip(digest.as_ref())
        .for_each(|(to, from)| *to = *from);
    hash
}

fn sealed(domain: &[u8], previous: Hash, part: &[u8]) -> Vec<u8> {
    let len = u64::try_from(part.len()).unwrap_or(u64::MAX);
    [domain, &previous.0, &len.to_be_bytes(), part].concat()
}

/// Splits a line, without its newline, into its body and its hash; `None` if it is no line.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], Hash)> {
    let (rest, hash) = line.strip_suffix(END)?.split_last_chunk::<64>()?;
    let body = rest.strip_suffix(HASH_FIELD)?;
    Some((body, Hash::from_hex(std::str::from_utf8(hash).ok()?)?))
}

/// Whether a checkpoint's body carries the signature of `key` over all that is before.
pub(super) fn is_signed(previous: Hash, body: &[u8], key: PublicKey) -> bool {
    let split = || {
        let (rest, hex) = body.strip_suffix(b"\"")?.split_last_chunk::<128>()?;
        let part = rest.strip_suffix(SIGNATURE_FIELD)?;
        let bytes = lower_hex(std::str::from_utf8(hex).ok()?)?;
        Some((part, Signature::from_bytes(bytes)))
    };
    split().is_some_and(|(part, signature)| {
        identity::verify(key, &sealed(CHECKPOINT, previous, part), signature)
    })
}

/// Bytes in lower-case hexadecimal.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, self.0)
    }
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Every value has one form, so capitals are refused.
pub(super) fn lower_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.bytes()
        .all(is_lower)
        .then(|| hex_to_bytes(text))
        .flatten()
}
