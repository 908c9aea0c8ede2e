//! TOML, edited by toml_edit.

use alongside::settings::SettingValue;
use toml_edit::{DocumentMut, Item, TableLike, Value, table, value};

use super::document::{NO_GROUP, NO_SETTING, TOO_LONG};

/// A TOML file.
#[derive(Debug)]
pub(super) struct Toml(DocumentMut);

impl Toml {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|error: toml_edit::TomlError| {
                // The whole error quotes the line, and the line may hold a secret.
                let line = error.span().map(|span| line_of(text, span.start));
                match line {
                    Some(line) => format!("line {line}: {}", error.message()),
                    None => error.message().to_owned(),
                }
            })
    }

    pub(super) fn get(&self, names: &[&str]) -> Result<Option<SettingValue>, String> {
        let Some((last, groups)) = names.split_last() else {
            return Ok(None);
        };
        let mut at: &dyn TableLike = self.0.as_table();
        for name in groups {
            match at.get(name) {
                None => return Ok(None),
                Some(item) => at = item.as_table_like().ok_or(NO_GROUP)?,
            }
        }
        let Some(item) = at.get(last).filter(|item| !item.is_none()) else {
            return Ok(None);
        };
        let found = match item.as_value().ok_or(NO_SETTING)? {
            Value::Boolean(value) => SettingValue::Bool(*value.value()),
            Value::Integer(value) => SettingValue::Integer(*value.value()),
            Value::Float(value) => SettingValue::number(*value.value()).ok_or(NO_SETTING)?,
            Value::String(value) => SettingValue::text(value.value()).ok_or(TOO_LONG)?,
            Value::Datetime(_) | Value::Array(_) | Value::InlineTable(_) => {
                return Err(NO_SETTING.to_owned());
            }
        };
        Ok(Some(found))
    }

    pub(super) fn set(&mut self, names: &[&str], to: Option<&SettingValue>) -> Result<(), String> {
        let Some((last, groups)) = names.split_last() else {
            return Err(NO_SETTING.to_owned());
        };
        let mut at: &mut dyn TableLike = self.0.as_table_mut();
        for name in groups {
            if to.is_none() && !at.contains_key(name) {
                return Ok(());
            }
            let item = at.entry(name).or_insert_with(table);
            at = item.as_table_like_mut().ok_or(NO_GROUP)?;
        }
        let Some(to) = to else {
            at.remove(last);
            return Ok(());
        };
        let new: Value = match to {
            SettingValue::Bool(value) => (*value).into(),
            SettingValue::Integer(value) => (*value).into(),
            SettingValue::Number(value) => value.get().into(),
            SettingValue::Text(text) => text.as_str().into(),
        };
        if at.get(last).is_none_or(Item::is_none) {
            at.insert(last, value(new));
            return Ok(());
        }
        let old = at
            .get_mut(last)
            .and_then(Item::as_value_mut)
            .ok_or(NO_SETTING)?;
        // The comment behind it stays.
        let decor = old.decor().clone();
        *old = new;
        *old.decor_mut() = decor;
        Ok(())
    }

    pub(super) fn to_text(&self) -> String {
        self.0.to_string()
    }
}

/// The number of the line that byte `at` is on.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}
