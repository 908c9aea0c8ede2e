//! Reading a schema; a mistake in it is told with its place, when the device starts and not when somebody needs it.

use std::{collections::BTreeMap, fmt, str::FromStr};

use alongside_protocol::setting::{MAX_TEXT, SettingPath, SettingType, SettingValue};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

use super::{Group, Kind, MAX_SETTINGS, Pattern, Schema, Setting};

/// Longest pattern, and most memory that one takes once it is compiled, in bytes (our choice: one is a line).
const MAX_PATTERN: usize = 1024;
const MAX_COMPILED: usize = 256 * 1024;

/// Why a schema is not in order.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// It is no JSON, or uses a keyword that is not known here.
    #[error("the settings schema cannot be read")]
    Json(#[source] serde_json::Error),
    /// A group or a setting is described in a way that makes no sense.
    #[error("the settings schema is wrong at `{at}`: {what}")]
    Wrong {
        /// Where; empty for the outermost group.
        at: String,
        /// What is wrong.
        what: &'static str,
    },
}

/// A group or a setting as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Written {
    #[serde(rename = "$schema", default)]
    dialect: Option<String>,
    #[serde(rename = "type")]
    kind: WrittenType,
    title: Option<String>,
    description: Option<String>,
    properties: Option<Members>,
    required: Option<Vec<String>>,
    #[serde(rename = "enum")]
    choices: Option<Vec<SettingValue>>,
    minimum: Option<SettingValue>,
    maximum: Option<SettingValue>,
    min_length: Option<u16>,
    max_length: Option<u16>,
    pattern: Option<String>,
    #[serde(rename = "x-unit")]
    unit: Option<String>,
    #[serde(rename = "x-secret")]
    secret: Option<bool>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenType {
    Object,
    Boolean,
    Integer,
    Number,
    String,
}

/// What is in a group, in the order in which it is written.
struct Members(Vec<(String, Written)>);

impl FromStr for Schema {
    type Err = SchemaError;

    /// Reads a schema.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] with the place of the first mistake.
    fn from_str(json: &str) -> Result<Self, SchemaError> {
        let mut root: Written = serde_json::from_str(json).map_err(SchemaError::Json)?;
        let mut schema = Self {
            title: root.title.take(),
            groups: Vec::new(),
            settings: Vec::new(),
            by_path: BTreeMap::new(),
        };
        root.dialect = None;
        if !matches!(root.kind, WrittenType::Object) {
            return Err(wrong("", "the outermost type is `object`"));
        }
        schema.add_members("", root)?;
        Ok(schema)
    }
}

impl Schema {
    fn add_members(&mut self, at: &str, group: Written) -> Result<(), SchemaError> {
        if group.has_bounds() || group.secret.is_some() || group.unit.is_some() {
            return Err(wrong(
                at,
                "a group has `title`, `description`, `properties` and `required` alone",
            ));
        }
        let Some(Members(members)) = group.properties else {
            return Err(wrong(at, "a group has `properties`"));
        };
        let required = group.required.unwrap_or_default();
        let is_setting = |name: &String| {
            let named = members.iter().find(|(member, _)| member == name);
            named.is_some_and(|(_, member)| !matches!(member.kind, WrittenType::Object))
        };
        if !required.iter().all(is_setting) {
            return Err(wrong(
                at,
                "`required` names what is no setting of the group",
            ));
        }
        for (name, member) in members {
            let inside = if at.is_empty() {
                name.clone()
            } else {
                format!("{at}.{name}")
            };
            let is_name = SettingPath::is_name(&name);
            let path = SettingPath::new(&inside).ok().filter(|_| is_name);
            let path = path.ok_or_else(|| wrong(&inside, "a name is letters, digits, - and _"))?;
            if member.dialect.is_some() {
                return Err(wrong(&inside, "`$schema` stands in the outermost group"));
            }
            if matches!(member.kind, WrittenType::Object) {
                self.groups.push(Group {
                    path,
                    title: member.title.clone(),
                    description: member.description.clone(),
                });
                self.add_members(&inside, member)?;
            } else {
                self.add_setting(member.into_setting(path, required.contains(&name))?)?;
            }
        }
        Ok(())
    }

    fn add_setting(&mut self, setting: Setting) -> Result<(), SchemaError> {
        if self.settings.len() == MAX_SETTINGS {
            return Err(wrong(setting.path.as_str(), "there are too many settings"));
        }
        let at = self.settings.len();
        self.by_path.insert(setting.path.clone(), at);
        self.settings.push(setting);
        Ok(())
    }
}

impl Written {
    const fn has_bounds(&self) -> bool {
        self.has_number_bounds() || self.has_text_bounds() || self.choices.is_some()
    }

    const fn has_number_bounds(&self) -> bool {
        self.minimum.is_some() || self.maximum.is_some()
    }

    const fn has_text_bounds(&self) -> bool {
        self.min_length.is_some() || self.max_length.is_some() || self.pattern.is_some()
    }

    fn into_setting(self, path: SettingPath, is_required: bool) -> Result<Setting, SchemaError> {
        let wrong = |what| wrong(path.as_str(), what);
        if self.properties.is_some() || self.required.is_some() {
            return Err(wrong("a setting has no `properties` and no `required`"));
        }
        let kind = self.kind().map_err(wrong)?;
        let is_secret = self.secret.unwrap_or(false);
        if is_secret && kind.of() != SettingType::String {
            return Err(wrong("only text can be `x-secret`"));
        }
        if is_secret && self.choices.is_some() {
            return Err(wrong("a secret has no choices"));
        }
        let mut setting = Setting {
            path: path.clone(),
            title: self.title,
            description: self.description,
            unit: self.unit,
            is_secret,
            is_required,
            choices: Vec::new(),
            kind,
        };
        if let Some(choices) = self.choices {
            if choices.is_empty() {
                return Err(wrong("`enum` is empty"));
            }
            let choices = choices.iter().map(|choice| setting.normal(choice));
            let choices: Result<Vec<_>, _> = choices.collect();
            setting.choices =
                choices.map_err(|_| wrong("`enum` has a value that the setting cannot have"))?;
        }
        Ok(setting)
    }

    fn kind(&self) -> Result<Kind, &'static str> {
        let is_number = matches!(self.kind, WrittenType::Integer | WrittenType::Number);
        if self.has_number_bounds() && !is_number {
            return Err("only numbers have `minimum` and `maximum`");
        }
        if self.has_text_bounds() && !matches!(self.kind, WrittenType::String) {
            return Err("only text has `minLength`, `maxLength` and `pattern`");
        }
        let (least, most) = (self.minimum.as_ref(), self.maximum.as_ref());
        let kind = match self.kind {
            WrittenType::Boolean => Kind::Boolean,
            WrittenType::Integer => Kind::Integer {
                min: bound(least, i64::MIN, whole)?,
                max: bound(most, i64::MAX, whole)?,
            },
            WrittenType::Number => Kind::Number {
                min: bound(least, f64::MIN, number)?,
                max: bound(most, f64::MAX, number)?,
            },
            WrittenType::String => Kind::String {
                min: self.min_length.unwrap_or(0),
                max: self.max_length.unwrap_or(LONGEST),
                pattern: self.pattern.as_deref().map(pattern).transpose()?,
            },
            WrittenType::Object => return Err("a group is no setting"),
        };
        let is_possible = match &kind {
            Kind::Boolean => true,
            Kind::Integer { min, max } => min <= max,
            Kind::Number { min, max } => min <= max,
            Kind::String { min, max, .. } => min <= max && *max <= LONGEST,
        };
        is_possible
            .then_some(kind)
            .ok_or("nothing is within the bounds")
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a constant of 1024")]
const LONGEST: u16 = MAX_TEXT as u16;

fn bound<T>(
    written: Option<&SettingValue>,
    default: T,
    read: fn(&SettingValue) -> Option<T>,
) -> Result<T, &'static str> {
    match written {
        None => Ok(default),
        Some(value) => read(value).ok_or("a bound is not of the setting's type"),
    }
}

const fn whole(value: &SettingValue) -> Option<i64> {
    match value {
        SettingValue::Integer(value) => Some(*value),
        SettingValue::Bool(_) | SettingValue::Number(_) | SettingValue::Text(_) => None,
    }
}

fn number(value: &SettingValue) -> Option<f64> {
    match value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a bound beyond 2^53 is no bound anybody means exactly"
        )]
        SettingValue::Integer(value) => Some(*value as f64),
        SettingValue::Number(value) => Some(value.get()),
        SettingValue::Bool(_) | SettingValue::Text(_) => None,
    }
}

fn pattern(text: &str) -> Result<Pattern, &'static str> {
    if text.len() > MAX_PATTERN {
        return Err("`pattern` is too long");
    }
    let built = regex_lite::RegexBuilder::new(text)
        .size_limit(MAX_COMPILED)
        .build();
    built
        .map(Pattern)
        .map_err(|_| "`pattern` is no regular expression")
}

fn wrong(at: &str, what: &'static str) -> SchemaError {
    let at = at.to_owned();
    SchemaError::Wrong { at, what }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of groups and settings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, Written)> = Vec::new();
                let mut names = std::collections::BTreeSet::new();
                while let Some((name, member)) = map.next_entry::<String, Written>()? {
                    if !names.insert(name.clone()) {
                        return Err(de::Error::custom(format_args!("`{name}` stands twice")));
                    }
                    members.push((name, member));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
