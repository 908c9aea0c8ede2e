//! The operator's signatures among the records: which hold, and which are missing.

use std::collections::BTreeMap;

use alongside_protocol::{PublicKey, control::Seal, relay::Signature};
use serde_json::Value;

use super::{Flaw, Line, read};
use crate::audit::{
    chain::{Hash, lower_hex},
    seal::{self, By},
};

/// A record of a device's that the operator has not countersigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its index.
    pub index: u64,
    /// What it is, such as `mode-activated`.
    pub record: String,
    /// In which session.
    pub session: String,
}

/// What is known of countersignatures after the lines so far.
#[derive(Clone, Debug)]
pub(super) struct Seals {
    /// By their ids.
    sessions: BTreeMap<String, Session>,
    pub(super) countersigned: u64,
    pub(super) kept: u64,
}

#[derive(Clone, Debug, Default)]
struct Session {
    /// The other side's key; `None` if its beginning is in an older file.
    peer: Option<PublicKey>,
    /// Whether the audit is the device's.
    is_devices: bool,
    /// Records without the operator's signature so far.
    open: BTreeMap<u64, (Hash, String)>,
}

/// A record of a device's as an operator keeps it.
pub(in crate::audit) struct Kept {
    pub(in crate::audit) device: PublicKey,
    pub(in crate::audit) seal: Seal,
    /// Who keeps it.
    pub(in crate::audit) key: PublicKey,
    signature: Signature,
}

impl Kept {
    /// What the line says, whether it is true or not; `None` if it is no such line.
    pub(in crate::audit) fn of(line: &Line<'_>) -> Option<Self> {
        let word = |name: &str| line.fields.get(name).and_then(Value::as_str);
        Some(Self {
            device: PublicKey(word("device").and_then(lower_hex)?),
            seal: Seal {
                index: line.fields.get("index").and_then(Value::as_u64)?,
                previous: word("previous").and_then(lower_hex)?,
                line: word("line")?.to_owned().into(),
                signature: signature(word("sig")?)?,
            },
            key: PublicKey(word("key").and_then(lower_hex)?),
            signature: signature(word("countersig")?)?,
        })
    }

    pub(in crate::audit) fn hash(&self) -> Hash {
        seal::hash_of(&self.seal)
    }
}

impl Seals {
    pub(super) const fn new() -> Self {
        Self {
            sessions: BTreeMap::new(),
            countersigned: 0,
            kept: 0,
        }
    }

    /// Takes in the next line, whose hash is `hash`, of an audit of `ours` that begins at `first`.
    pub(super) fn take(
        &mut self,
        line: &Line<'_>,
        hash: Hash,
        ours: PublicKey,
        first: u64,
    ) -> Result<(), Flaw> {
        let Some(id) = &line.session else {
            return Ok(());
        };
        match line.record.as_str() {
            "session-started" => {
                let peer = line.fields.get("peer").and_then(Value::as_str);
                self.session(id).peer = peer.and_then(lower_hex).map(PublicKey);
            }
            "operator" => self.session(id).is_devices = true,
            "countersigned" => self.countersigned(id, line, ours, first)?,
            "device-record" => self.kept(id, line)?,
            record if seal::is_sealed(record) => {
                let sealed = (hash, record.to_owned());
                self.session(id).open.insert(line.index, sealed);
            }
            _ => {}
        }
        Ok(())
    }

    fn countersigned(
        &mut self,
        id: &str,
        line: &Line<'_>,
        ours: PublicKey,
        first: u64,
    ) -> Result<(), Flaw> {
        let word = |name: &str| line.fields.get(name).and_then(Value::as_str);
        let read = || {
            let of = line.fields.get("of").and_then(Value::as_u64)?;
            let key = PublicKey(word("key").and_then(lower_hex)?);
            Some((of, key, signature(word("countersig")?)?))
        };
        let (of, key, signature) = read().ok_or(Flaw::NotALine)?;
        self.countersigned += 1;
        // The record itself is in an older file.
        if of < first {
            return Ok(());
        }
        let session = self.session(id);
        let (hash, _) = session.open.remove(&of).ok_or(Flaw::Countersignature)?;
        let is_theirs = session.peer.is_none_or(|peer| peer == key);
        if is_theirs && seal::holds(By::Operator, key, ours, of, hash, signature) {
            Ok(())
        } else {
            Err(Flaw::Countersignature)
        }
    }

    fn kept(&mut self, id: &str, line: &Line<'_>) -> Result<(), Flaw> {
        let kept = Kept::of(line).ok_or(Flaw::NotALine)?;
        let Kept {
            device,
            seal,
            key,
            signature,
        } = &kept;
        let hash = kept.hash();
        let told = read(&seal.line, &[]).ok_or(Flaw::DeviceSignature)?;
        let is_told = told.index == seal.index && told.session.as_deref() == Some(id);
        if !is_told || !seal::holds(By::Device, *device, *key, seal.index, hash, seal.signature) {
            return Err(Flaw::DeviceSignature);
        }
        if !seal::holds(By::Operator, *key, *device, seal.index, hash, *signature) {
            return Err(Flaw::Countersignature);
        }
        self.kept += 1;
        Ok(())
    }

    /// Records of a device's that are not countersigned, in order.
    pub(super) fn missing(&self) -> Vec<Missing> {
        let devices = self
            .sessions
            .iter()
            .filter(|(_, session)| session.is_devices);
        let missing = devices.flat_map(|(id, session)| {
            session.open.iter().map(|(index, (_, record))| Missing {
                index: *index,
                record: record.clone(),
                session: id.clone(),
            })
        });
        let mut missing: Vec<_> = missing.collect();
        missing.sort_by_key(|missing| missing.index);
        missing
    }

    fn session(&mut self, id: &str) -> &mut Session {
        self.sessions.entry(id.to_owned()).or_default()
    }
}

fn signature(hex: &str) -> Option<Signature> {
    lower_hex(hex).map(Signature::from_bytes)
}
