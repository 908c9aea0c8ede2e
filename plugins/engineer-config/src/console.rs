//! What the mode's part of the console says and hears, as JSON.
//!
//! Each object has a field `settings` that says what it is.

use std::collections::BTreeMap;

use alongside_mode::protocol::setting::{
    ChangeStage, SettingChange, SettingPath, SettingValue, SettingsVersion,
};
use serde::{Deserialize, Serialize};

/// What the operator wants.
///
/// Debug shows no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "settings", rename_all = "kebab-case")]
pub enum Ask {
    /// What settings there are; answered by [`Tell::Schema`].
    Schema,
    /// What they are set to; answered by [`Tell::Values`].
    Get {
        /// The group; all without it.
        group: Option<SettingPath>,
    },
    /// Change these, all or none; answered by [`Tell::Result`]s.
    Apply {
        /// The version that the operator saw; a conflict if it is another now.
        if_version: Option<SettingsVersion>,
        /// The changes.
        changes: Vec<SettingChange>,
    },
    /// Take the last change that stayed back; answered by [`Tell::Result`]s.
    Undo,
}

/// What the operator is told.
///
/// Debug shows no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "settings", rename_all = "kebab-case")]
pub enum Tell {
    /// A piece of the schema: JSON, once all pieces are put together.
    Schema {
        /// The piece.
        text: String,
        /// Whether it is the last.
        is_last: bool,
    },
    /// Some of what was asked for.
    Values {
        /// The version of all settings.
        version: SettingsVersion,
        /// What is set; `null` for a secret, which is set and not shown.
        values: BTreeMap<SettingPath, Option<SettingValue>>,
        /// Whether there are no more.
        is_last: bool,
    },
    /// Settings cannot be told.
    Unreadable {
        /// Why not, in the device's words.
        words: String,
    },
    /// How a change stands.
    Result {
        /// `asked`, `refused`, `applied`, `confirmed`, `rolled-back`, `conflict`, or `stuck` where it has to be taken
        /// back and cannot be now.
        state: String,
        /// Why, in a word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What is wrong, by path; by the empty path what is about no single setting.
        errors: BTreeMap<String, String>,
        /// Seconds until silence counts as a no, or until it is taken back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_in_s: Option<u16>,
    },
    /// What the operator sees of the panel in sleep.
    Surface {
        /// What there is.
        surface: Surface,
    },
}

/// What there is to see in sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// This device has none.
    None,
}

impl Tell {
    /// How a change stands.
    pub fn stage(stage: &ChangeStage) -> Self {
        let mut errors = BTreeMap::new();
        if let Some(words) = stage.words() {
            errors.insert(String::new(), words.to_owned());
        }
        if let ChangeStage::Invalid(problems) = stage {
            errors.extend(
                problems
                    .iter()
                    .map(|problem| (problem.path.to_string(), problem.fault.to_string())),
            );
        }
        let (state, reason, expires_in_s) = match stage {
            ChangeStage::Invalid(_) => ("refused", Some("invalid"), None),
            ChangeStage::Failed(_) => ("refused", Some("failed"), None),
            ChangeStage::Asked { expires_in_s } => (stage.as_str(), None, Some(*expires_in_s)),
            ChangeStage::Applied { within_s } => (stage.as_str(), None, Some(*within_s)),
            ChangeStage::Refused(_)
            | ChangeStage::Conflict
            | ChangeStage::Confirmed
            | ChangeStage::RolledBack(_)
            | ChangeStage::Stuck(_)
            | _ => (stage.as_str(), stage.why(), None),
        };
        Self::Result {
            state: state.to_owned(),
            reason: reason.map(str::to_owned),
            errors,
            expires_in_s,
        }
    }

    /// A change that is not allowed now.
    pub(crate) fn denied() -> Self {
        Self::Result {
            state: "refused".to_owned(),
            reason: Some("not-allowed".to_owned()),
            errors: BTreeMap::new(),
            expires_in_s: None,
        }
    }
}
