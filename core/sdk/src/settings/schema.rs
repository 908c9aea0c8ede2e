//! Which settings a device has, and what each may be.

use std::{collections::BTreeMap, fmt};

use alongside_protocol::setting::{SettingPath, SettingType, SettingValue};
use serde::{Serialize, Serializer};

mod check;
mod parse;
#[cfg(test)]
mod tests;

pub use check::MAX_CHANGES;
pub use parse::SchemaError;

/// Most settings of a device (our choice: ten times the largest office machine).
pub const MAX_SETTINGS: usize = 4096;

/// The settings of a device, in the order of its own menus.
///
/// Written as JSON Schema, of which it knows this much; any other keyword is refused, so that none is obeyed only
/// seemingly:
///
/// | keyword | for | meaning |
/// | --- | --- | --- |
/// | `type` | all | `object` for a group; `boolean`, `integer`, `number`, `string` for a setting |
/// | `title`, `description` | all | what people read |
/// | `properties` | groups | what is in it, in the order in which it is shown |
/// | `required` | groups | which of its settings cannot be taken out |
/// | `enum` | settings | the only values there are |
/// | `minimum`, `maximum` | numbers | bounds that are still allowed |
/// | `minLength`, `maxLength` | text | in characters |
/// | `pattern` | text | a regular expression that is found somewhere in it; anchor it with `^` and `$` |
/// | `x-unit` | settings | what a number counts, such as `min` |
/// | `x-secret` | text | it can be written and never read |
/// | `$schema` | the outermost group | ignored |
///
/// Names in `properties` are those of a [`SettingPath`].
#[derive(Clone, Debug, Serialize)]
pub struct Schema {
    title: Option<String>,
    groups: Vec<Group>,
    settings: Vec<Setting>,
    #[serde(skip)]
    by_path: BTreeMap<SettingPath, usize>,
}

/// Settings that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Where it hangs.
    pub path: SettingPath,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Where it hangs.
    pub path: SettingPath,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What its number counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether it can be written and never read.
    #[serde(skip_serializing_if = "is_not")]
    pub is_secret: bool,
    /// Whether it cannot be taken out.
    #[serde(skip_serializing_if = "is_not")]
    pub is_required: bool,
    /// The only values it may have; any where empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<SettingValue>,
    /// What kind of value it has, within which bounds.
    #[serde(flatten)]
    pub kind: Kind,
}

/// What kind of value a setting has, within which bounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Kind {
    /// On or off.
    Boolean,
    /// A whole number.
    Integer {
        /// The least it may be.
        #[serde(skip_serializing_if = "is_least")]
        min: i64,
        /// The most it may be.
        #[serde(skip_serializing_if = "is_most")]
        max: i64,
    },
    /// A number.
    Number {
        /// The least it may be.
        #[serde(skip_serializing_if = "is_unbounded")]
        min: f64,
        /// The most it may be.
        #[serde(skip_serializing_if = "is_unbounded")]
        max: f64,
    },
    /// Text.
    String {
        /// The fewest characters it may have.
        #[serde(skip_serializing_if = "is_nothing")]
        min: u16,
        /// The most characters it may have.
        max: u16,
        /// What is found in it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pattern: Option<Pattern>,
    },
}

/// A regular expression, matched in time that grows with the text and not beyond.
#[derive(Clone)]
pub struct Pattern(regex_lite::Regex);

impl Schema {
    /// What people call the device's settings.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The groups, each before what is in it.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The settings, in the order in which they are shown.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The setting at `path`.
    pub fn setting(&self, path: &SettingPath) -> Option<&Setting> {
        self.settings.get(*self.by_path.get(path)?)
    }
}

// Bounds that bound nothing, and flags that are not set, are not written.

const fn is_not(flag: &bool) -> bool {
    !*flag
}

const fn is_least(min: &i64) -> bool {
    *min == i64::MIN
}

const fn is_most(max: &i64) -> bool {
    *max == i64::MAX
}

const fn is_unbounded(bound: &f64) -> bool {
    bound.abs() == f64::MAX
}

const fn is_nothing(min: &u16) -> bool {
    *min == 0
}

impl Setting {
    /// What to call it: its title, or the last name of its path.
    pub fn name(&self) -> &str {
        let last = || self.path.names().next_back().unwrap_or_default();
        self.title.as_deref().unwrap_or_else(last)
    }
}

impl Kind {
    /// The type, without bounds.
    pub const fn of(&self) -> SettingType {
        match self {
            Self::Boolean => SettingType::Boolean,
            Self::Integer { .. } => SettingType::Integer,
            Self::Number { .. } => SettingType::Number,
            Self::String { .. } => SettingType::String,
        }
    }
}

impl Pattern {
    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
