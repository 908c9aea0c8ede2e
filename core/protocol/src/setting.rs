//! Settings of a device: where they hang, what they are, and what somebody wants them to be.

use std::{fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

mod problem;
mod stage;

pub use problem::{Fault, Problem, SettingType};
pub use stage::{ChangeRefusal, ChangeStage, Difference, RollBack, Shown, Words, pieces};

/// Longest text that a setting holds, in bytes (our choice: three changes fit into one message of a mode).
pub const MAX_TEXT: usize = 1024;

/// Where a setting hangs in the tree: names with dots between, such as `network.smtp.port`.
///
/// At most [`SettingPath::MAX_LEN`] bytes; a name is made of letters, digits, `-` and `_` of ASCII.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct SettingPath(String);

/// A text that is no [`SettingPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathError;

/// What a setting is. Debug shows no text, as it may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum SettingValue {
    /// On or off.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Number(Finite),
    /// Text of at most [`MAX_TEXT`] bytes; [`SettingValue::text`] makes one.
    Text(SettingText),
}

/// A number that is neither infinite nor no number at all.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Finite(f64);

/// A setting's text. Debug shows only how long it is.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct SettingText(String);

/// Which state of all settings together somebody has seen; it changes whenever one of them does.
///
/// Never above 2^53 - 1, so that it survives JavaScript. It says nothing about what the settings are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct SettingsVersion(u64);

/// One setting that shall be another, or no longer be set at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingChange {
    /// Which setting.
    pub path: SettingPath,
    /// What it shall be; `None` takes it out, where it need not be there.
    pub value: Option<SettingValue>,
}

impl SettingPath {
    /// Longest path, in bytes.
    pub const MAX_LEN: usize = 128;
    /// Most names in a path.
    pub const MAX_DEPTH: usize = 8;

    /// Checks a path.
    ///
    /// # Errors
    ///
    /// [`PathError`] if it is empty, too long or too deep, or has a name that is empty or has other characters.
    pub fn new(text: &str) -> Result<Self, PathError> {
        let is_path = text.len() <= Self::MAX_LEN
            && text.split('.').count() <= Self::MAX_DEPTH
            && text.split('.').all(Self::is_name);
        is_path.then(|| Self(text.to_owned())).ok_or(PathError)
    }

    /// Whether `text` can be one name of a path.
    pub fn is_name(text: &str) -> bool {
        let is_part = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        !text.is_empty() && text.bytes().all(is_part)
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names, outermost first; there is always one.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }

    /// Whether it is `group` or hangs below it; everything hangs below the empty text.
    pub fn is_within(&self, group: &str) -> bool {
        group.is_empty()
            || self
                .0
                .strip_prefix(group)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl SettingValue {
    /// A text; `None` if it is longer than [`MAX_TEXT`].
    pub fn text(text: &str) -> Option<Self> {
        (text.len() <= MAX_TEXT).then(|| Self::Text(SettingText(text.to_owned())))
    }

    /// A number with a fraction; `None` if it is infinite or no number.
    pub fn number(number: f64) -> Option<Self> {
        Finite::new(number).map(Self::Number)
    }
}

impl SettingText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Finite {
    /// Checks a number.
    pub fn new(number: f64) -> Option<Self> {
        // Zero has two signs that are equal and look different.
        number.is_finite().then_some(Self(number + 0.0))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

// Without "no number" equality is reflexive.
impl Eq for Finite {}

impl SettingsVersion {
    /// The highest there is: the last whole number that JavaScript tells from its neighbours.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// The version of this number, as far as it goes.
    pub const fn from_bits(number: u64) -> Self {
        Self(number & Self::MAX.0)
    }

    /// The version as a number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl FromStr for SettingPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl fmt::Display for SettingPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SettingPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting's path is names of letters, digits, - and _ with dots between")
    }
}

impl std::error::Error for PathError {}

/// The value as a person reads it.
impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => value.0.fmt(f),
            Self::Text(text) => f.write_str(&text.0),
        }
    }
}

impl fmt::Debug for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "Bool({value})"),
            Self::Integer(value) => write!(f, "Integer({value})"),
            Self::Number(value) => write!(f, "Number({})", value.0),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl fmt::Debug for SettingText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

impl<'de> Deserialize<'de> for SettingPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for SettingText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > MAX_TEXT {
            return Err(de::Error::custom("a setting's text is too long"));
        }
        Ok(Self(text))
    }
}

impl<'de> Deserialize<'de> for SettingsVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        if number > Self::MAX.0 {
            return Err(de::Error::custom("a version above 2^53 - 1"));
        }
        Ok(Self(number))
    }
}

/// On the wire a value says what it is; in JSON it is what it looks like.
#[derive(Serialize, Deserialize)]
enum Tagged {
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(SettingText),
}

impl Serialize for SettingValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            let tagged = match self {
                Self::Bool(value) => Tagged::Bool(*value),
                Self::Integer(value) => Tagged::Integer(*value),
                Self::Number(value) => Tagged::Number(value.0),
                Self::Text(text) => Tagged::Text(text.clone()),
            };
            return tagged.serialize(serializer);
        }
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Number(value) => serializer.serialize_f64(value.0),
            Self::Text(text) => serializer.serialize_str(&text.0),
        }
    }
}

impl<'de> Deserialize<'de> for SettingValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_any(Plain);
        }
        Ok(match Tagged::deserialize(deserializer)? {
            Tagged::Bool(value) => Self::Bool(value),
            Tagged::Integer(value) => Self::Integer(value),
            Tagged::Number(value) => Self::number(value)
                .ok_or_else(|| de::Error::custom("a setting's number is not finite"))?,
            Tagged::Text(text) => Self::Text(text),
        })
    }
}

struct Plain;

impl Visitor<'_> for Plain {
    type Value = SettingValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "true, false, a number or a text of at most {MAX_TEXT} bytes"
        )
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<SettingValue, E> {
        Ok(SettingValue::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<SettingValue, E> {
        Ok(SettingValue::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<SettingValue, E> {
        i64::try_from(value)
            .map(SettingValue::Integer)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<SettingValue, E> {
        SettingValue::number(value)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Float(value), &self))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<SettingValue, E> {
        // The text may be a secret: the error does not repeat it.
        SettingValue::text(value).ok_or_else(|| E::invalid_length(value.len(), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::to_body;

    fn path(text: &str) -> SettingPath {
        SettingPath::new(text).expect("a path")
    }

    #[test]
    fn a_path_is_names_with_dots_between() {
        for good in ["a", "network.smtp.port", "tray-1.paper_size", "1.2"] {
            assert_eq!(path(good).as_str(), good);
        }
        let deep = ["x"; 9].join(".");
        let long = "x".repeat(129);
        for bad in [
            "", ".", "a.", ".a", "a..b", "a b", "ä", "a/b", "a\0", &deep, &long,
        ] {
            assert_eq!(SettingPath::new(bad), Err(PathError), "{bad}");
        }
    }

    #[test]
    fn a_path_hangs_below_whole_names_only() {
        let smtp = path("network.smtp");
        assert!(smtp.is_within("") && smtp.is_within("network") && smtp.is_within("network.smtp"));
        assert!(!smtp.is_within("net") && !smtp.is_within("network.smtp.port"));
    }

    #[test]
    fn a_change_has_these_bytes_on_the_wire() {
        let change = SettingChange {
            path: path("a.b"),
            value: Some(SettingValue::Integer(-3)),
        };
        assert_eq!(to_body(&change), [3, b'a', b'.', b'b', 1, 1, 5]);
        let text = SettingValue::text("hi").expect("short");
        assert_eq!(to_body(&text), [3, 2, b'h', b'i']);
        let number = SettingValue::number(0.5).expect("finite");
        assert_eq!(to_body(&number), [2, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f]);
        assert_eq!(to_body(&SettingValue::Bool(true)), [0, 1]);
        assert_eq!(to_body(&SettingsVersion::from_bits(300)), [0xac, 2]);
        for value in [change.value.clone().expect("set"), text, number] {
            assert_eq!(postcard::from_bytes(&to_body(&value)), Ok(value));
        }
        for cut in 0..to_body(&change).len() {
            let body = to_body(&change);
            assert!(postcard::from_bytes::<SettingChange>(&body[..cut]).is_err());
        }
    }

    #[test]
    fn what_is_out_of_bounds_does_not_decode() {
        let endless = to_body(&Tagged::Number(f64::INFINITY));
        assert!(postcard::from_bytes::<SettingValue>(&endless).is_err());
        let long = to_body(&Tagged::Text(SettingText("x".repeat(MAX_TEXT + 1))));
        assert!(postcard::from_bytes::<SettingValue>(&long).is_err());
        assert!(postcard::from_bytes::<SettingPath>(&to_body(&"a..b")).is_err());
        assert!(postcard::from_bytes::<SettingsVersion>(&to_body(&u64::MAX)).is_err());
    }

    #[test]
    fn damaged_changes_decode_to_a_change_or_to_nothing() {
        let values = [
            SettingValue::text("a4"),
            Some(SettingValue::Bool(false)),
            SettingValue::number(-1.5),
            None,
        ];
        let seeds: Vec<Vec<u8>> = values
            .into_iter()
            .map(|value| {
                let path = path("tray-1.paper.size");
                to_body(&SettingChange { path, value })
            })
            .collect();
        crate::fuzzing::mutations(&seeds, 10_000, crate::fuzzing::vocabulary);
    }

    #[test]
    fn debug_shows_no_text() {
        let change = SettingChange {
            path: path("smtp.password"),
            value: SettingValue::text("hunter2"),
        };
        let shown = format!("{change:?}");
        assert!(
            !shown.contains("hunter2") && shown.contains("smtp.password"),
            "{shown}"
        );
    }
}
