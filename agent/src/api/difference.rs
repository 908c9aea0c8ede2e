//! What a change of settings would make different, as the agent tells it.

use alongside::protocol::setting::{self, SettingPath, SettingValue, Shown};
use serde::Serialize;

/// One setting that would be another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which setting.
    pub path: SettingPath,
    /// What people call it.
    pub name: String,
    /// What its number counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What it is: the value, `null` where it is not set, `{"secret": true}` where nobody may see it.
    pub before: ShownValue,
    /// What it would be.
    pub after: ShownValue,
}

/// A setting's value as somebody may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ShownValue {
    /// Nobody may see it.
    Secret {
        /// Always true.
        secret: bool,
    },
    /// It is this, or not set.
    Plain(Option<SettingValue>),
}

impl From<&setting::Difference> for Difference {
    fn from(difference: &setting::Difference) -> Self {
        Self {
            path: difference.path.clone(),
            name: difference.name.clone(),
            unit: difference.unit.clone(),
            before: (&difference.before).into(),
            after: (&difference.after).into(),
        }
    }
}

impl From<&Shown> for ShownValue {
    fn from(shown: &Shown) -> Self {
        match shown {
            Shown::Absent => Self::Plain(None),
            Shown::Secret => Self::Secret { secret: true },
            Shown::Value(value) => Self::Plain(Some(value.clone())),
        }
    }
}
