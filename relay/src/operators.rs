//! Who may hand out codes: the table in `operators.toml`.

use std::collections::BTreeMap;

use alongside_protocol::{PublicKey, label::Name};
use serde::Deserialize;

mod file;

pub use file::OperatorsFile;

/// Name of the file in the state directory.
pub const FILE_NAME: &str = "operators.toml";

/// What the file holds at first.
pub const TEMPLATE: &str = r#"# Who may hand out access codes. Read again whenever it changes; a mistake keeps the last good table.
#
# [operators.<the operator's key: 64 hexadecimal digits, shown by `alongside-agent assist`>]
# name = "Ana Silva"               # what the customer sees, at most 64 bytes
# organisation = "Example Support" # may be left out
# codes = 20                       # live codes at the same time, may be left out
# allocations_per_minute = 10      # may be left out
# gib_per_month = 400              # through the relay, may be left out
#
# Only for a lab: allow = "any" lets every key hand out codes, and customers see the operator as unconfirmed.
"#;

/// Everybody who may hand out codes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operators {
    by_key: BTreeMap<PublicKey, Operator>,
    danger_anybody: bool,
}

/// One line of the table: what the relay knows of an operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Operator {
    /// Name that the customer sees as confirmed; `None` only where anybody is let in.
    #[serde(deserialize_with = "some_name")]
    pub name: Option<Name>,
    /// Organisation that the customer sees as confirmed.
    #[serde(default)]
    pub organisation: Option<Name>,
    /// Live codes at the same time, where it differs from the relay's limit.
    #[serde(default)]
    pub codes: Option<u32>,
    /// Allocations in a minute, where it differs from the relay's limit.
    #[serde(default)]
    pub allocations_per_minute: Option<u32>,
    /// GiB that its meetings may send in a month, where it differs from the relay's limit.
    #[serde(default)]
    pub gib_per_month: Option<u32>,
}

fn some_name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Name>, D::Error> {
    Name::deserialize(deserializer).map(Some)
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    allow: Option<Allow>,
    #[serde(default)]
    operators: BTreeMap<HexKey, Operator>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Allow {
    Any,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct HexKey(PublicKey);

impl<'de> Deserialize<'de> for HexKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        PublicKey::from_hex(&text).map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "an operator's key has 64 hexadecimal digits, this has {} characters",
                text.chars().count()
            ))
        })
    }
}

impl Operators {
    /// Reads the text of an `operators.toml`.
    ///
    /// # Errors
    ///
    /// Fails with the line and what is wrong with it; there is no half-read table.
    pub fn parse(text: &str) -> Result<Self, OperatorsError> {
        let document: Document =
            toml::from_str(text).map_err(|error| OperatorsError::from_toml(text, &error))?;
        Ok(Self {
            by_key: document
                .operators
                .into_iter()
                .map(|(key, operator)| (key.0, operator))
                .collect(),
            danger_anybody: document.allow.is_some(),
        })
    }

    /// A table that lets every key hand out codes, with no name confirmed: for labs and demonstrations.
    pub fn danger_anybody() -> Self {
        Self {
            by_key: BTreeMap::new(),
            danger_anybody: true,
        }
    }

    /// The table with `operator` added or replaced.
    #[must_use]
    pub fn with(mut self, key: PublicKey, operator: Operator) -> Self {
        self.by_key.insert(key, operator);
        self
    }

    /// What is known of the operator with `key`; `None` if it may not hand out codes.
    pub fn find(&self, key: PublicKey) -> Option<Operator> {
        self.by_key
            .get(&key)
            .cloned()
            .or_else(|| self.danger_anybody.then(Operator::default))
    }

    /// Operators by name, without those whom `allow = "any"` lets in.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether nobody at all may hand out codes.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty() && !self.danger_anybody
    }

    /// Whether every key may hand out codes.
    pub fn lets_anybody_in(&self) -> bool {
        self.danger_anybody
    }
}

impl Operator {
    /// An operator with a name and the relay's own quotas.
    pub fn new(name: Name, organisation: Option<Name>) -> Self {
        Self {
            name: Some(name),
            organisation,
            codes: None,
            allocations_per_minute: None,
            gib_per_month: None,
        }
    }
}

/// What is wrong with an `operators.toml`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct OperatorsError {
    /// Line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

impl OperatorsError {
    fn from_toml(text: &str, error: &toml::de::Error) -> Self {
        let before = error
            .span()
            .and_then(|span| text.get(..span.start))
            .unwrap_or_default();
        Self {
            line: before.matches('\n').count().saturating_add(1),
            problem: error
                .message()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        }
    }
}

#[cfg(test)]
mod tests;
