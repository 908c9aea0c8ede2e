//! What is wrong with a change of a setting.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{SettingPath, SettingValue};

/// One thing that is wrong with a change, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Which setting.
    pub path: SettingPath,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with the value that a setting shall have. It never repeats that value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fault {
    /// There is no setting of this name.
    Unknown,
    /// It is to be changed twice at once.
    Repeated,
    /// It has to be there, and cannot be taken out.
    Required,
    /// It is of another type.
    Type(SettingType),
    /// It is none of those that it may be.
    Choice,
    /// It is less than this.
    Below(SettingValue),
    /// It is more than this.
    Above(SettingValue),
    /// It has fewer characters than this.
    Short(u16),
    /// It has more characters than this.
    Long(u16),
    /// It does not match this pattern.
    Pattern(String),
    /// More settings than this are to be changed at once.
    Many(u16),
    /// The device does not take it, and says why.
    Device(String),
}

/// What kind of value a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingType {
    /// On or off.
    Boolean,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// Text.
    String,
}

impl Problem {
    /// The problem with the setting at `path`.
    pub fn new(path: &SettingPath, fault: Fault) -> Self {
        Self {
            path: path.clone(),
            fault,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no such setting"),
            Self::Repeated => f.write_str("changed twice at once"),
            Self::Required => f.write_str("has to be there"),
            Self::Type(wants) => write!(f, "must be {wants}"),
            Self::Choice => f.write_str("must be one of the choices"),
            Self::Below(min) => write!(f, "must be at least {min}"),
            Self::Above(max) => write!(f, "must be at most {max}"),
            Self::Short(min) => write!(f, "must have at least {min} characters"),
            Self::Long(max) => write!(f, "must have at most {max} characters"),
            Self::Pattern(pattern) => write!(f, "must match {pattern}"),
            Self::Many(max) => write!(f, "more than {max} settings changed at once"),
            Self::Device(words) => f.write_str(words),
        }
    }
}

impl fmt::Display for SettingType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::String => "text",
        })
    }
}
