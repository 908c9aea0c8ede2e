//! Do a device's audit and an operator's say the same?

use std::collections::{BTreeMap, BTreeSet};

use alongside_protocol::PublicKey;

use super::{
    Bad, Expect, Hash, Lines,
    verify::{Kept, Line},
};

/// Two audits that say the same wherever they speak of the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Records of the device's that are in both audits, with the same hash, and so with the same history before them.
    pub records: u64,
    /// Records that the operator keeps and that are older than the device's audit.
    pub older: u64,
}

/// Where two audits do not say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Disagreement {
    /// The device's audit is bad by itself.
    #[error("the device's audit is not as it was written")]
    Device(#[source] Bad),
    /// The operator's audit is bad by itself.
    #[error("the operator's audit is not as it was written")]
    Operator(#[source] Bad),
    /// The operator keeps another record than the device has in its place: the device's history was written anew.
    #[error("record {index}: the operator has countersigned another")]
    Other {
        /// The record's index in the device's audit.
        index: u64,
    },
    /// The operator keeps a record that the device's audit lacks at its end: it was cut off.
    #[error("record {index}: the operator has countersigned it, and the device has no more")]
    CutOff {
        /// The record's index in the device's audit.
        index: u64,
    },
    /// The operator has countersigned a record and does not keep it: the operator's audit was cut off.
    #[error(
        "record {index}: the device has the operator's signature, and the operator does not keep the record"
    )]
    NotKept {
        /// The record's index in the device's audit.
        index: u64,
    },
}

/// Compares a device's audit with that of an operator who has helped it. Each is checked by itself first.
///
/// # Errors
///
/// [`Disagreement`] with the first record on which they differ.
pub fn agree(device: &[u8], operator: &[u8]) -> Result<Agreement, Disagreement> {
    let devices = Device::read(device).map_err(Disagreement::Device)?;
    let (mut records, mut older) = (0, 0);
    let (mut kept, mut keys) = (BTreeSet::new(), BTreeSet::new());
    let mut lines = Lines::new(operator, Expect::default());
    for line in &mut lines {
        let line = line.map_err(Disagreement::Operator)?;
        if let Some(record) = kept_of(&line, devices.key) {
            let index = record.seal.index;
            kept.insert(index);
            keys.insert(record.key.0);
            if index < devices.first {
                older += 1;
                continue;
            }
            match devices.hashes.get(&index) {
                None => return Err(Disagreement::CutOff { index }),
                Some(hash) if *hash != record.hash() => return Err(Disagreement::Other { index }),
                Some(_) => records += 1,
            }
        }
    }
    let operator = lines.summary().map_err(Disagreement::Operator)?;
    keys.insert(operator.key.0);
    let mut ours = devices
        .countersigned
        .iter()
        .filter(|(_, key)| keys.contains(&key.0));
    match ours.find(|(index, _)| operator.first == 0 && !kept.contains(index)) {
        Some((index, _)) => Err(Disagreement::NotKept { index: *index }),
        None => Ok(Agreement { records, older }),
    }
}

fn kept_of(line: &Line<'_>, device: PublicKey) -> Option<Kept> {
    if line.record != "device-record" {
        return None;
    }
    Kept::of(line).filter(|kept| kept.device == device)
}

/// A device's audit, as far as it is compared.
struct Device {
    key: PublicKey,
    first: u64,
    hashes: BTreeMap<u64, Hash>,
    /// Records with the operator's signature, and the operator's key.
    countersigned: Vec<(u64, PublicKey)>,
}

impl Device {
    fn read(audit: &[u8]) -> Result<Self, Bad> {
        let mut lines = Lines::new(audit, Expect::default());
        let (mut hashes, mut countersigned) = (BTreeMap::new(), Vec::new());
        while let Some(line) = lines.next() {
            let line = line?;
            if let Some(tip) = lines.tip() {
                hashes.insert(line.index, tip.head.hash);
            }
            countersigned.extend(signed_by(&line));
        }
        let summary = lines.summary()?;
        Ok(Self {
            key: summary.key,
            first: summary.first,
            hashes,
            countersigned,
        })
    }
}

fn signed_by(line: &Line<'_>) -> Option<(u64, PublicKey)> {
    if line.record != "countersigned" {
        return None;
    }
    let of = line.fields.get("of")?.as_u64()?;
    let key = PublicKey::from_hex(line.fields.get("key")?.as_str()?)?;
    Some((of, key))
}
