//! One entry of the audit and how it is written: JSON with its keys in a fixed order.

use std::fmt::Write as _;

use alongside_mode::StopReason;
use alongside_protocol::{
    PublicKey, Serial, SessionId, control::Seal, label::Label, proof::ProofFailure,
    relay::Signature,
};
use alongside_session::{OperatorIdentity, Record, device::AdminVerdict};

use super::{chain::Hex, seal};

/// One thing that goes into the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, in milliseconds since 1970 as this machine's clock has it.
    pub at: u64,
    /// In which session; `None` before the code is proved.
    pub session: Option<SessionId>,
    /// What.
    pub what: What,
}

/// What an [`Entry`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// What the session is about to do, or has refused.
    Record(Record),
    /// On a device: who the operator of this session is.
    Operator(OperatorIdentity),
    /// On an operator's side: which device this session is with.
    Device {
        /// Its serial number.
        serial: Serial,
        /// What kind of device it is.
        model: Label<64>,
    },
    /// On a device: the operator's signature for a record before this one.
    Countersigned {
        /// Index of the record.
        of: u64,
        /// The operator's key.
        key: PublicKey,
        /// The signature.
        signature: Signature,
    },
    /// On an operator's side: a record of the device's, with its signature and this side's.
    Kept {
        /// The device's key.
        device: PublicKey,
        /// The record.
        seal: Seal,
        /// This side's key.
        key: PublicKey,
        /// This side's signature.
        signature: Signature,
    },
}

impl Entry {
    /// The name of what happened, as the audit has it, such as `mode-activated`.
    pub const fn name(&self) -> &'static str {
        match &self.what {
            What::Record(record) => name(record),
            What::Operator(_) => "operator",
            What::Device { .. } => "device",
            What::Countersigned { .. } => "countersigned",
            What::Kept { .. } => "device-record",
        }
    }

    /// Whether a card of the session says something of it.
    pub(super) const fn is_on_card(&self) -> bool {
        match &self.what {
            What::Record(record) => matches!(
                record,
                Record::SessionStarted { .. }
                    | Record::ModeActivated { .. }
                    | Record::SettingSet { .. }
                    | Record::SettingsStage { .. }
                    | Record::SessionEnded { .. }
            ),
            What::Operator(_) => true,
            What::Device { .. } | What::Countersigned { .. } | What::Kept { .. } => false,
        }
    }

    /// Whether the operator is to countersign it.
    pub(super) fn is_sealed(&self) -> bool {
        self.session.is_some() && seal::is_sealed(self.name())
    }

    /// Whether a signature has to follow soon: the session or its mode takes a turn.
    pub(super) const fn is_turn(&self) -> bool {
        match &self.what {
            What::Record(record) => matches!(
                record,
                Record::SessionStarted { .. }
                    | Record::ModeActivated { .. }
                    | Record::ModeAllowed { .. }
                    | Record::ModeRefused { .. }
                    | Record::ModeEnded { .. }
                    | Record::ModeFailed { .. }
                    | Record::SettingsAllowed { .. }
                    | Record::SessionEnded { .. }
            ),
            What::Countersigned { .. } | What::Kept { .. } => true,
            What::Operator(_) | What::Device { .. } => false,
        }
    }

    /// Writes the line's content up to its hash.
    pub(super) fn write(&self, body: &mut Body) {
        if let Some(session) = self.session {
            body.word("session", session);
        }
        body.word("record", self.name());
        match &self.what {
            What::Record(record) => fields(record, body),
            What::Operator(operator) => {
                body.word("key", operator.key);
                let name = operator.name.as_ref().map(Label::as_str);
                let organisation = operator.organisation.as_ref().map(Label::as_str);
                let confirmed_by = operator.confirmed_by.as_ref().map(Label::as_str);
                for (field, value) in [
                    ("name", name),
                    ("organisation", organisation),
                    ("confirmed_by", confirmed_by),
                ] {
                    if let Some(value) = value {
                        body.text(field, value);
                    }
                }
            }
            What::Device { serial, model } => {
                body.text("serial", serial.as_str());
                body.text("model", model.as_str());
            }
            What::Countersigned { of, key, signature } => {
                body.number("of", *of);
                body.word("key", key);
                body.word("countersig", Hex(&signature.to_bytes()));
            }
            What::Kept {
                device,
                seal,
                key,
                signature,
            } => {
                body.word("device", device);
                body.number("index", seal.index);
                body.word("previous", Hex(&seal.previous));
                body.text("line", &String::from_utf8_lossy(&seal.line));
                body.word("sig", Hex(&seal.signature.to_bytes()));
                body.word("key", key);
                body.word("countersig", Hex(&signature.to_bytes()));
            }
        }
    }
}

const fn name(record: &Record) -> &'static str {
    match record {
        Record::AttemptCharged => "attempt-charged",
        Record::ProofFailed(_) => "proof-failed",
        Record::SessionStarted { .. } => "session-started",
        Record::ModeActivated { .. } => "mode-activated",
        Record::ModeAsked { .. } => "mode-asked",
        Record::AdminId(_) => "admin-id",
        Record::ModeAllowed { .. } => "mode-allowed",
        Record::ModeRefused { .. } => "mode-refused",
        Record::ModeEnded { .. } => "mode-ended",
        Record::ModeFailed { .. } => "mode-failed",
        Record::Released { .. } => "released",
        Record::Input { .. } => "input",
        Record::Performed { .. } => "performed",
        Record::SettingsRead { .. } => "settings-read",
        Record::SettingsProposed { .. } => "settings-proposed",
        Record::SettingsUndo { .. } => "settings-undo",
        Record::SettingsAsked { .. } => "settings-asked",
        Record::SettingsAllowed { .. } => "settings-allowed",
        Record::SettingSet { .. } => "setting-set",
        Record::SettingsConfirm { .. } => "settings-confirm",
        Record::SettingsStage { .. } => "settings-stage",
        Record::Paused => "paused",
        Record::Resumed => "resumed",
        Record::Denied { .. } => "denied",
        Record::ModeSays(_) => "mode-says",
        Record::LinkMissing => "link-missing",
        Record::LinkBack => "link-back",
        Record::Interrupted => "interrupted",
        Record::WentOn { .. } => "went-on",
        Record::ResumeRefused => "resume-refused",
        Record::SessionEnded { .. } => "session-ended",
        _ => "other",
    }
}

fn fields(record: &Record, body: &mut Body) {
    match record {
        Record::ProofFailed(failure) => match failure {
            ProofFailure::Wrong { tries_left } => {
                body.word("why", "wrong");
                body.number("tries_left", (*tries_left).into());
            }
            ProofFailure::Burnt => body.word("why", "burnt"),
            ProofFailure::Expired => body.word("why", "expired"),
            ProofFailure::Unsupported => body.word("why", "unsupported"),
        },
        // Its id is in every line of the session.
        Record::SessionStarted { session: _, peer } => body.word("peer", peer),
        Record::ModeActivated {
            mode,
            activation,
            granted,
        } => {
            body.word("mode", mode);
            body.number("activation", (*activation).into());
            body.word("granted", granted);
        }
        Record::ModeAsked {
            mode,
            wants_admin_id,
        } => {
            body.word("mode", mode);
            body.flag("wants_admin_id", *wants_admin_id);
        }
        Record::AdminId(verdict) => verdict_fields(verdict, body),
        Record::ModeAllowed {
            mode,
            with_admin_id,
        } => {
            body.word("mode", mode);
            body.flag("with_admin_id", *with_admin_id);
        }
        Record::ModeRefused { mode, refusal } => {
            body.word("mode", mode);
            body.word("why", refusal);
        }
        Record::ModeEnded {
            mode,
            activation,
            why,
        } => {
            body.word("mode", mode);
            body.number("activation", (*activation).into());
            body.word("why", stop(*why));
        }
        Record::ModeFailed { mode } => body.word("mode", mode),
        Record::Released { activation, act } => {
            body.number("activation", (*activation).into());
            body.word("act", act.as_str());
        }
        Record::Input {
            activation,
            n,
            deed,
        } => {
            body.number("activation", (*activation).into());
            body.number("n", *n);
            body.word("deed", deed.as_str());
        }
        Record::Performed { n, done } => {
            body.number("n", *n);
            body.flag("done", *done);
        }
        Record::SettingsRead { activation } | Record::SettingsUndo { activation } => {
            body.number("activation", (*activation).into());
        }
        Record::SettingsProposed { activation, count } => {
            body.number("activation", (*activation).into());
            body.number("count", (*count).into());
        }
        Record::SettingsAsked { change } | Record::SettingsConfirm { change } => {
            body.number("change", *change);
        }
        Record::SettingsAllowed { change, by_policy } => {
            body.number("change", *change);
            body.flag("by_policy", *by_policy);
        }
        Record::SettingSet { change, path } => {
            body.number("change", *change);
            body.word("path", path);
        }
        Record::SettingsStage { change, stage, why } => {
            body.number("change", *change);
            body.word("stage", stage);
            if let Some(why) = why {
                body.word("why", why);
            }
        }
        Record::Denied { act, why } => {
            body.word("act", act.as_str());
            body.word("why", why);
        }
        Record::ModeSays(line) => body.text("line", &line.to_string()),
        Record::SessionEnded { by, reason } => {
            body.word("by", by);
            body.word("reason", reason);
        }
        Record::WentOn { epoch } => body.number("epoch", (*epoch).into()),
        Record::AttemptCharged
        | Record::Interrupted
        | Record::ResumeRefused
        | Record::Paused
        | Record::Resumed
        | Record::LinkMissing
        | Record::LinkBack
        | _ => {}
    }
}

fn verdict_fields(verdict: &AdminVerdict, body: &mut Body) {
    match verdict {
        AdminVerdict::Ok => body.word("verdict", "ok"),
        AdminVerdict::Wrong { tries_left, wait } => {
            body.word("verdict", "wrong");
            body.number("tries_left", (*tries_left).into());
            body.number("wait_s", wait.as_secs());
        }
        AdminVerdict::Locked { wait } => {
            body.word("verdict", "locked");
            body.number("wait_s", wait.as_secs());
        }
        AdminVerdict::Unavailable => body.word("verdict", "unavailable"),
    }
}

const fn stop(why: StopReason) -> &'static str {
    match why {
        StopReason::Left => "left",
        StopReason::Replaced => "replaced",
        StopReason::Withdrawn => "withdrawn",
        StopReason::Finished => "finished",
        StopReason::PeerFailed => "peer-failed",
        StopReason::SessionEnded => "session-ended",
    }
}

/// A JSON object in the making. Every field costs one `,"name":value`.
#[derive(Debug)]
pub(super) struct Body(String);

impl Body {
    /// Starts a line with its index and its time.
    pub(super) fn new(index: u64, at: u64) -> Self {
        Self(format!("{{\"i\":{index},\"t\":{at}"))
    }

    /// A value of our own vocabulary, which needs no escaping.
    pub(super) fn word(&mut self, name: &str, value: impl std::fmt::Display) {
        // Writing to a string does not fail.
        let _ = write!(self.0, ",\"{name}\":\"{value}\"");
    }

    /// A value of somebody else's.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        let _ = write!(self.0, ",\"{name}\":{}", serde_json::Value::from(value));
    }

    pub(super) fn number(&mut self, name: &str, value: u64) {
        let _ = write!(self.0, ",\"{name}\":{value}");
    }

    fn flag(&mut self, name: &str, value: bool) {
        let _ = write!(self.0, ",\"{name}\":{value}");
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
