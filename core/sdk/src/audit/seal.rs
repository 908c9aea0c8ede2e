//! Two signatures for one record of a device's audit: the device's, and the operator's beside it.
//!
//! ```text
//! device    = Ed25519("alongside-audit-record-1"      ‖ u64 index ‖ h of the record ‖ the operator's key)
//! operator  = Ed25519("alongside-audit-countersign-1" ‖ u64 index ‖ h of the record ‖ the device's key)
//! ```
//!
//! The hash covers everything before the record, so whoever has signed one knows later of any change there.

use alongside_protocol::{
    PublicKey, SessionId,
    control::{Countersigned, Seal},
    ids::ModeId,
    relay::Signature,
};
use alongside_transport::{Identity, identity};
use serde_json::Value;

use super::{
    chain::{self, Hash},
    verify,
};

/// Records that the operator countersigns: what it was given, and the end.
const SEALED: [&str; 4] = ["mode-allowed", "mode-activated", SETTINGS, END];

/// A change of settings was allowed.
const SETTINGS: &str = "settings-allowed";

/// The last record of a session.
const END: &str = "session-ended";

/// Most records of one session that are countersigned (our choice: a session has a handful, and a device that sends
/// more must not fill the operator's disk).
const MOST: usize = 1_000;

/// Whether a record of this name is to be countersigned.
pub(super) fn is_sealed(record: &str) -> bool {
    SEALED.contains(&record)
}

/// Whose signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Device,
    Operator,
}

fn statement(by: By, index: u64, hash: Hash, other: PublicKey) -> Vec<u8> {
    let domain: &[u8] = match by {
        By::Device => b"alongside-audit-record-1",
        By::Operator => b"alongside-audit-countersign-1",
    };
    [domain, &index.to_be_bytes(), &hash.0, &other.0].concat()
}

/// The device's signature for a record, for the operator with this key.
pub(super) fn seal(
    device: &Identity,
    operator: PublicKey,
    index: u64,
    previous: Hash,
    line: &[u8],
) -> Seal {
    let hash = chain::hash(previous, line);
    Seal {
        index,
        previous: previous.0,
        line: line.to_vec().into(),
        signature: device.sign(&statement(By::Device, index, hash, operator)),
    }
}

/// Whether `signer` has signed this record; `other` is the other side.
pub(super) fn holds(
    by: By,
    signer: PublicKey,
    other: PublicKey,
    index: u64,
    hash: Hash,
    signature: Signature,
) -> bool {
    identity::verify(signer, &statement(by, index, hash, other), signature)
}

/// The hash of the record that is to be countersigned.
pub(super) fn hash_of(seal: &Seal) -> Hash {
    chain::hash(Hash(seal.previous), &seal.line)
}

/// Records that wait for the operator's signature at most: with a kilobyte each, what one reconnect can ask for again.
const WITHHELD: usize = 128;

/// A device's records that wait for the operator's signature.
#[derive(Debug)]
pub(crate) struct Unsigned {
    device: PublicKey,
    operator: PublicKey,
    waiting: Vec<Seal>,
}

impl Unsigned {
    pub(crate) const fn new(device: PublicKey, operator: PublicKey) -> Self {
        Self {
            device,
            operator,
            waiting: Vec::new(),
        }
    }

    pub(crate) const fn operator(&self) -> PublicKey {
        self.operator
    }

    /// What the operator's side is asked to countersign; once it has withheld [`WITHHELD`] it is asked for no more, and
    /// what follows stands as not countersigned.
    pub(crate) fn add(&mut self, seal: Seal) {
        if self.waiting.len() < WITHHELD {
            self.waiting.push(seal);
        }
    }

    pub(crate) fn waiting(&self) -> &[Seal] {
        &self.waiting
    }

    /// Takes in what the operator's side says; whether it is the signature for a record that waits for one.
    pub(crate) fn take(&mut self, signed: &Countersigned) -> bool {
        let holds = |seal: &&mut Seal| {
            seal.index == signed.index
                && holds(
                    By::Operator,
                    self.operator,
                    self.device,
                    seal.index,
                    hash_of(seal),
                    signed.signature,
                )
        };
        let found = self.waiting.iter_mut().find(holds).map(|seal| seal.index);
        self.waiting.retain(|seal| Some(seal.index) != found);
        found.is_some()
    }
}

/// An operator who countersigns a device's records.
#[derive(Debug)]
pub(crate) struct Countersigner {
    device: PublicKey,
    session: Option<SessionId>,
    /// Modes that the operator has asked for, beside the one that a session begins with.
    wanted: Vec<ModeId>,
    signed: Vec<(u64, Hash)>,
    is_done: bool,
}

/// A record that is countersigned.
#[derive(Debug)]
pub(crate) struct Fit {
    pub(crate) signed: Countersigned,
    /// Whether it was countersigned before.
    pub(crate) is_known: bool,
}

/// Why a record is not countersigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("another record was countersigned in its place")]
    Other,
    #[error("it stands before one that was countersigned")]
    Before,
    #[error("the device's signature does not hold")]
    Signature,
    #[error("it is no record of this session that is countersigned")]
    Stranger,
    #[error("it says that a mode was given which was not asked for")]
    Unasked,
    #[error("too many records of this session are")]
    Many,
}

impl Countersigner {
    pub(crate) const fn new(device: PublicKey) -> Self {
        Self {
            device,
            session: None,
            wanted: Vec::new(),
            signed: Vec::new(),
            is_done: false,
        }
    }

    /// The session has this id.
    pub(crate) const fn begin(&mut self, session: SessionId) {
        self.session = Some(session);
    }

    /// The operator asks for this mode: being given it can be countersigned from now on.
    pub(crate) fn want(&mut self, mode: &ModeId) {
        if !self.wanted.contains(mode) {
            self.wanted.push(mode.clone());
        }
    }

    fn is_wanted(&self, mode: &str) -> bool {
        mode == ModeId::USER_GUIDE || self.wanted.iter().any(|wanted| wanted.as_str() == mode)
    }

    pub(crate) const fn device(&self) -> PublicKey {
        self.device
    }

    /// Whether the device has records to be countersigned, and its end was not among them yet.
    pub(crate) const fn waits_for_end(&self) -> bool {
        !self.signed.is_empty() && !self.is_done
    }

    /// Looks at a record and signs it.
    pub(crate) fn sign(&mut self, operator: &Identity, seal: &Seal) -> Result<Fit, Unfit> {
        let hash = hash_of(seal);
        let mut signed = self.signed.iter();
        let known = signed.find(|(index, _)| *index == seal.index).copied();
        match known {
            Some((_, signed)) if signed != hash => return Err(Unfit::Other),
            Some(_) => {}
            None => self.judge(operator, seal, hash)?,
        }
        let is_known = known.is_some();
        if !is_known {
            self.signed.push((seal.index, hash));
        }
        let statement = statement(By::Operator, seal.index, hash, self.device);
        Ok(Fit {
            signed: Countersigned {
                index: seal.index,
                signature: operator.sign(&statement),
            },
            is_known,
        })
    }

    fn judge(&mut self, operator: &Identity, seal: &Seal, hash: Hash) -> Result<(), Unfit> {
        if self.signed.len() >= MOST {
            return Err(Unfit::Many);
        }
        // Nothing comes after the end.
        if self.is_done || self.signed.iter().any(|(index, _)| *index > seal.index) {
            return Err(Unfit::Before);
        }
        let (device, us) = (self.device, operator.public_key());
        if !holds(By::Device, device, us, seal.index, hash, seal.signature) {
            return Err(Unfit::Signature);
        }
        let told = verify::read(&seal.line, &[]).ok_or(Unfit::Stranger)?;
        let session = self.session.map(|session| session.to_string());
        if told.index != seal.index || told.session != session || !is_sealed(&told.record) {
            return Err(Unfit::Stranger);
        }
        // Nobody was given what this side never asked for.
        let given = match told.record.as_str() {
            END => None,
            SETTINGS => Some(ModeId::ENGINEER_CONFIG),
            _ => Some(
                told.fields
                    .get("mode")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
            ),
        };
        if given.is_some_and(|mode| !self.is_wanted(mode)) {
            return Err(Unfit::Unasked);
        }
        self.is_done |= told.record == END;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
