//! What the two halves tell each other: version 1 of the mode's own protocol.

use alongside_mode::{
    SettingsAnswer,
    protocol::setting::{SettingChange, SettingPath, SettingsVersion},
};
use serde::{Deserialize, Serialize};

/// From the operator half to the device half. Each carries the operator half's number for the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToDevice {
    /// What settings there are.
    Schema {
        /// Number.
        request: u32,
    },
    /// What they are set to.
    Read {
        /// Number.
        request: u32,
        /// The group, or all.
        group: Option<SettingPath>,
    },
    /// Some of the changes that are to be made together.
    Change {
        /// Number.
        request: u32,
        /// What the operator saw.
        if_version: Option<SettingsVersion>,
        /// The changes.
        changes: Vec<SettingChange>,
        /// Whether these are the last of them.
        is_last: bool,
    },
    /// Take the last change back.
    Undo {
        /// Number.
        request: u32,
    },
    /// The change that waits for it stays.
    Confirm {
        /// Number of the change's request.
        request: u32,
    },
}

/// From the device half to the operator half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToOperator {
    /// A part of an answer.
    Answer(SettingsAnswer),
    /// The request is not allowed now.
    Denied {
        /// Its number.
        request: u32,
    },
    /// The mode runs in sleep, and this device has no service surface to be seen meanwhile.
    NoSurface,
}
