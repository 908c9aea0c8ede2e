//! A settings file as text that keeps its comments and its order.

use alongside::settings::{SettingType, SettingValue};
use serde::Deserialize;

use super::{ini::Ini, json::Json, toml::Toml};

/// How a settings file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// TOML 1.0.
    Toml,
    /// JSON (RFC 8259).
    Json,
    /// Sections in brackets, `key = value`, comments with `;` or `#`.
    Ini,
}

/// A settings file that was read. Errors are words.
#[derive(Debug)]
pub(super) enum Document {
    Toml(Box<Toml>),
    Json(Json),
    Ini(Ini),
}

impl Document {
    pub(super) fn parse(form: Form, text: &str) -> Result<Self, String> {
        Ok(match form {
            Form::Toml => Self::Toml(Box::new(Toml::parse(text)?)),
            Form::Json => Self::Json(Json::parse(text)?),
            Form::Ini => Self::Ini(Ini::parse(text)?),
        })
    }

    /// What is at `names`; an INI file has no types of its own.
    pub(super) fn get(
        &self,
        names: &[&str],
        wants: SettingType,
    ) -> Result<Option<SettingValue>, String> {
        match self {
            Self::Toml(file) => file.get(names),
            Self::Json(file) => file.get(names),
            Self::Ini(file) => file.get(names, wants),
        }
    }

    /// Sets what is at `names`, or takes it out.
    pub(super) fn set(
        &mut self,
        names: &[&str],
        value: Option<&SettingValue>,
    ) -> Result<(), String> {
        match self {
            Self::Toml(file) => file.set(names, value),
            Self::Json(file) => file.set(names, value),
            Self::Ini(file) => file.set(names, value),
        }
    }

    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Toml(file) => file.to_text(),
            Self::Json(file) => file.to_text(),
            Self::Ini(file) => file.to_text(),
        }
    }
}

/// What is found where a setting should be, and is none.
pub(super) const NO_SETTING: &str = "is no text, number, true or false";
/// What stands in the way of a setting.
pub(super) const NO_GROUP: &str = "the file has something else where the group should be";
/// Text that is longer than a setting may be.
pub(super) const TOO_LONG: &str = "is too long for a setting";
