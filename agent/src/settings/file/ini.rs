//! INI: `[section]`, `key = value`, comments with `;` or `#`.
//!
//! There is no standard. What programs read differently is not written: a comment behind a value begins after white space,
//! and text that would be taken for one, or that white space would be cut from, is refused.

use alongside::settings::{SettingType, SettingValue};

use super::document::{NO_SETTING, TOO_LONG};

/// An INI file, line by line with the line ends.
#[derive(Debug)]
pub(super) struct Ini(Vec<Line>);

#[derive(Debug)]
struct Line {
    text: String,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// A comment, or nothing.
    Other,
    Section(String),
    Pair {
        key: String,
        /// Where the value stands in the line.
        value: std::ops::Range<usize>,
    },
}

impl Ini {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut lines = Vec::new();
        let mut section = String::new();
        let mut seen = std::collections::BTreeSet::new();
        for (n, text) in text.split_inclusive('\n').enumerate() {
            let kind = kind(text)
                .ok_or_else(|| format!("line {}: no section, no key and no comment", n + 1))?;
            match &kind {
                Kind::Section(name) => section.clone_from(name),
                Kind::Pair { key, .. } => {
                    if !seen.insert((section.clone(), key.clone())) {
                        return Err(format!("line {}: `{key}` stands twice", n + 1));
                    }
                }
                Kind::Other => {}
            }
            let text = text.to_owned();
            lines.push(Line { text, kind });
        }
        Ok(Self(lines))
    }

    pub(super) fn get(
        &self,
        names: &[&str],
        wants: SettingType,
    ) -> Result<Option<SettingValue>, String> {
        let Some(written) = self.find(names).map(|(_, value)| value) else {
            return Ok(None);
        };
        let bare = unquoted(written);
        let value = match wants {
            SettingType::String => SettingValue::text(bare).ok_or(TOO_LONG)?,
            SettingType::Boolean => match switch(bare) {
                Some((is_on, _)) => SettingValue::Bool(is_on),
                None => return Err(NO_SETTING.to_owned()),
            },
            SettingType::Integer => SettingValue::Integer(bare.parse().map_err(|_| NO_SETTING)?),
            SettingType::Number => {
                let number = bare.parse().ok().and_then(SettingValue::number);
                number.ok_or(NO_SETTING)?
            }
        };
        Ok(Some(value))
    }

    pub(super) fn set(&mut self, names: &[&str], to: Option<&SettingValue>) -> Result<(), String> {
        let found = self.find(names).map(|(at, value)| (at, value.to_owned()));
        match (found, to) {
            (None, None) => Ok(()),
            (Some((at, _)), None) => {
                self.0.remove(at);
                Ok(())
            }
            (Some((at, old)), Some(value)) => {
                let mut new = written(value, &old)?;
                if let Some(line) = self.0.get_mut(at)
                    && let Kind::Pair { value, .. } = &line.kind
                {
                    let behind = line.text.get(value.end..).unwrap_or_default();
                    if behind.starts_with([';', '#']) {
                        new.push(' ');
                    }
                    line.text.replace_range(value.clone(), &new);
                    line.kind = kind(&line.text).unwrap_or(Kind::Other);
                }
                Ok(())
            }
            (None, Some(value)) => self.add(names, &written(value, "")?),
        }
    }

    pub(super) fn to_text(&self) -> String {
        self.0.iter().map(|line| line.text.as_str()).collect()
    }

    /// The line of a key, and its value as it is written.
    fn find(&self, names: &[&str]) -> Option<(usize, &str)> {
        let (name, groups) = names.split_last()?;
        let wanted = groups.join(".");
        let mut section = "";
        for (at, line) in self.0.iter().enumerate() {
            match &line.kind {
                Kind::Section(name) => section = name,
                Kind::Pair { key, value } if section == wanted && key == name => {
                    return Some((at, line.text.get(value.clone())?));
                }
                Kind::Pair { .. } | Kind::Other => {}
            }
        }
        None
    }

    /// Adds a key behind the last one of its section, which is made if need be.
    fn add(&mut self, names: &[&str], value: &str) -> Result<(), String> {
        let (name, groups) = names.split_last().ok_or(NO_SETTING)?;
        let wanted = groups.join(".");
        let end = if self.0.iter().any(|line| line.text.ends_with("\r\n")) {
            "\r\n"
        } else {
            "\n"
        };
        let mut section = "";
        let mut place = wanted.is_empty().then_some(0);
        for (at, line) in self.0.iter().enumerate() {
            match &line.kind {
                Kind::Section(name) => section = name,
                Kind::Pair { .. } | Kind::Other => {}
            }
            if section == wanted && line.kind != Kind::Other {
                place = Some(at + 1);
            }
        }
        // A last line without an end gets one.
        if let Some(last) = self.0.last_mut().filter(|line| !line.text.ends_with('\n')) {
            last.text.push_str(end);
        }
        let mut fresh = Vec::new();
        if place.is_none() {
            if !self.0.is_empty() {
                fresh.push(end.to_owned());
            }
            fresh.push(format!("[{wanted}]{end}"));
        }
        fresh.push(format!("{name} = {value}{end}"));
        let at = place.unwrap_or(self.0.len());
        let lines = fresh.into_iter().map(|text| Line {
            kind: kind(&text).unwrap_or(Kind::Other),
            text,
        });
        self.0.splice(at..at, lines);
        Ok(())
    }
}

/// What a line is; `None` if it is nothing that this reader knows.
fn kind(line: &str) -> Option<Kind> {
    let bare = line.trim();
    if bare.is_empty() || bare.starts_with([';', '#']) {
        return Some(Kind::Other);
    }
    if let Some(rest) = bare.strip_prefix('[') {
        let (name, after) = rest.split_once(']')?;
        let after = after.trim_start();
        let is_end = after.is_empty() || after.starts_with([';', '#']);
        return is_end.then(|| Kind::Section(name.trim().to_owned()));
    }
    let sign = line.find(['=', ':'])?;
    let key = line.get(..sign)?.trim();
    if key.is_empty() {
        return None;
    }
    let rest = line.get(sign + 1..)?;
    let start = sign + 1 + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
    let value = line.get(start..)?;
    let length = comment_at(value).unwrap_or(value.len());
    let value = value.get(..length)?.trim_end();
    Some(Kind::Pair {
        key: key.to_owned(),
        value: start..start + value.len(),
    })
}

/// Where the comment behind a value begins.
fn comment_at(value: &str) -> Option<usize> {
    let after_quote = match value.strip_prefix('"') {
        Some(inner) => inner.find('"').map_or(0, |end| end + 2),
        None => 0,
    };
    let mut before = after_quote == 0;
    let from = value.get(after_quote..)?;
    for (at, c) in from.char_indices() {
        if matches!(c, ';' | '#') && before {
            return Some(after_quote + at);
        }
        before = c == ' ' || c == '\t';
    }
    None
}

fn unquoted(written: &str) -> &str {
    let inner = written
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner
        .filter(|inner| !inner.contains('"'))
        .unwrap_or(written)
}

/// Words for on and off, which INI files do not agree on.
const SWITCHES: [(&str, &str); 4] = [("true", "false"), ("yes", "no"), ("on", "off"), ("1", "0")];

/// Whether a word means on, and which pair of words it is of.
fn switch(word: &str) -> Option<(bool, (&'static str, &'static str))> {
    SWITCHES.into_iter().find_map(|(on, off)| {
        if word.eq_ignore_ascii_case(on) {
            Some((true, (on, off)))
        } else if word.eq_ignore_ascii_case(off) {
            Some((false, (on, off)))
        } else {
            None
        }
    })
}

/// The value as it is written in place of `old`: in the same words and quotes.
fn written(value: &SettingValue, old: &str) -> Result<String, String> {
    let is_quoted = unquoted(old).len() != old.len();
    let bare = match value {
        SettingValue::Bool(is_on) => {
            let (on, off) = switch(unquoted(old)).map_or(("true", "false"), |(_, words)| words);
            if *is_on { on } else { off }.to_owned()
        }
        SettingValue::Integer(_) | SettingValue::Number(_) => value.to_string(),
        SettingValue::Text(text) => {
            let text = text.as_str();
            let is_plain = !text.chars().any(|c| c.is_control() || c == '"');
            // Quotes are not added: half of the programs would take them for a part of the value.
            let is_safe = is_quoted || (text.trim() == text && comment_at(text).is_none());
            if !is_plain || !is_safe {
                return Err(
                    "cannot be written into an INI file that every program reads alike".to_owned(),
                );
            }
            text.to_owned()
        }
    };
    Ok(if is_quoted {
        format!("\"{bare}\"")
    } else {
        bare
    })
}
