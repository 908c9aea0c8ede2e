//! What a mode asks about the device's settings, and what it is answered.

use std::fmt;

use alongside_protocol::setting::{
    ChangeStage, SettingChange, SettingPath, SettingsVersion, Shown, Words,
};
use serde::{Deserialize, Serialize};

use crate::{
    body::{BodyError, get, put},
    capability::Capabilities,
    effect::kind,
};

/// Most bytes of a part of an answer, so that one message to the other half carries it.
pub const MAX_PART_LEN: usize = 3_800;

/// What a device half asks about the device's settings. The answers carry `request`, its own number for it.
///
/// Nothing is changed without the customer's word on each change, or the owner's in a silent mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsCall {
    /// The half's own number.
    pub request: u32,
    /// What it wants.
    pub wants: SettingsWish,
}

/// What is wanted of the settings.
#[derive(Clone, PartialEq, Eq)]
pub enum SettingsWish {
    /// What settings there are.
    Schema,
    /// What they are set to: those of a group, or all.
    Read(Option<SettingPath>),
    /// Change some, all or none.
    Propose {
        /// What was seen; a conflict if it is another now.
        if_version: Option<SettingsVersion>,
        /// The changes.
        changes: Vec<SettingChange>,
    },
    /// Take the last change that stayed back.
    Undo,
    /// The change that waits for it stays.
    Confirm,
}

/// A part of an answer. An answer ends with its last part; one about a change ends with a stage that is final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsAnswer {
    /// The number of the request.
    pub request: u32,
    /// The part.
    pub part: SettingsPart,
}

/// What an answer tells.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SettingsPart {
    /// A piece of the schema, which is JSON: the pieces one after the other.
    Schema {
        /// The piece.
        json: Vec<u8>,
        /// Whether it is the last.
        is_last: bool,
    },
    /// Some of the values.
    Values {
        /// The version of all of them.
        version: SettingsVersion,
        /// Path and value; a secret has none.
        values: Vec<(SettingPath, Shown)>,
        /// Whether there are no more.
        is_last: bool,
    },
    /// How a change stands.
    Stage(ChangeStage),
    /// It cannot be told, in these words.
    Failed(Words),
}

impl SettingsCall {
    /// What a mode has to hold for it.
    pub const fn needs(&self) -> Capabilities {
        match self.wants {
            SettingsWish::Schema | SettingsWish::Read(_) => Capabilities::SETTINGS_READ,
            SettingsWish::Propose { .. } | SettingsWish::Undo | SettingsWish::Confirm => {
                Capabilities::SETTINGS_WRITE
            }
        }
    }

    pub(crate) const fn kind(&self) -> u32 {
        match self.wants {
            SettingsWish::Schema => kind::SETTINGS_SCHEMA,
            SettingsWish::Read(_) => kind::SETTINGS_READ,
            SettingsWish::Propose { .. } => kind::SETTINGS_PROPOSE,
            SettingsWish::Undo => kind::SETTINGS_UNDO,
            SettingsWish::Confirm => kind::SETTINGS_CONFIRM,
        }
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let request = self.request;
        match &self.wants {
            SettingsWish::Schema | SettingsWish::Undo | SettingsWish::Confirm => put(&request, out),
            SettingsWish::Read(group) => put(&(request, group), out),
            SettingsWish::Propose {
                if_version,
                changes,
            } => put(&(request, if_version, changes), out),
        }
    }

    /// Reads the body of an effect of one of these kinds.
    pub(crate) fn decode(kind: u32, body: &[u8]) -> Result<Self, BodyError> {
        let (request, wants) = match kind {
            kind::SETTINGS_SCHEMA => (get(kind, body)?, SettingsWish::Schema),
            kind::SETTINGS_READ => {
                let (request, group) = get(kind, body)?;
                (request, SettingsWish::Read(group))
            }
            kind::SETTINGS_PROPOSE => {
                let (request, if_version, changes) = get(kind, body)?;
                let wish = SettingsWish::Propose {
                    if_version,
                    changes,
                };
                (request, wish)
            }
            kind::SETTINGS_UNDO => (get(kind, body)?, SettingsWish::Undo),
            kind::SETTINGS_CONFIRM => (get(kind, body)?, SettingsWish::Confirm),
            unknown => return Err(BodyError::UnknownKind(unknown)),
        };
        Ok(Self { request, wants })
    }
}

impl SettingsPart {
    /// Whether nothing more comes of the request.
    pub const fn is_last(&self) -> bool {
        match self {
            Self::Schema { is_last, .. } | Self::Values { is_last, .. } => *is_last,
            Self::Stage(stage) => stage.is_final(),
            Self::Failed(_) => true,
        }
    }
}

/// Shows what is wanted and of how many settings, and no value.
impl fmt::Debug for SettingsWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema => f.write_str("Schema"),
            Self::Read(group) => write!(f, "Read({group:?})"),
            Self::Propose { changes, .. } => write!(f, "Propose({} changes)", changes.len()),
            Self::Undo => f.write_str("Undo"),
            Self::Confirm => f.write_str("Confirm"),
        }
    }
}

/// Shows what is told and of how many settings, and no value.
impl fmt::Debug for SettingsPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema { json, .. } => write!(f, "Schema({} bytes)", json.len()),
            Self::Values { values, .. } => write!(f, "Values({} of them)", values.len()),
            Self::Stage(stage) => write!(f, "Stage({})", stage.as_str()),
            Self::Failed(_) => f.write_str("Failed"),
        }
    }
}
