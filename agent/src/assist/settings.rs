//! What an operator is told of a device's settings, as lines that are not too long.

use alongside::{
    operator::{SettingsTold, Surface},
    protocol::setting::SettingsVersion,
};
use serde_json::Value;

use crate::api::{ErrorCode, Event, Failure};

/// Most bytes of settings in a line, which has room for 64 KiB.
const MOST: usize = 48 * 1024;

/// The lines for `told`.
pub(super) fn told(told: SettingsTold) -> Vec<Event> {
    match told {
        SettingsTold::Schema { text, .. } => schema(&text),
        SettingsTold::Values {
            version, values, ..
        } => {
            let values = serde_json::to_value(values).unwrap_or_default();
            lines_of_values(version, values)
        }
        SettingsTold::Unreadable { words } => {
            vec![Failure::new(ErrorCode::SettingsUnreadable, words).into()]
        }
        SettingsTold::Result {
            state,
            reason,
            errors,
            expires_in_s,
        } => vec![Event::SettingsResult {
            state,
            reason,
            errors,
            expires_in_s,
        }],
        SettingsTold::Surface {
            surface: Surface::None,
        } => vec![Event::Surface { surface: "none" }],
    }
}

fn lines_of_values(version: SettingsVersion, values: Value) -> Vec<Event> {
    let Value::Object(values) = values else {
        return Vec::new();
    };
    let mut lines = cut(values.into_iter().map(|(path, value)| {
        let length = path.len() + value.to_string().len() + 4;
        ((path, value), length)
    }));
    let count = lines.len();
    lines
        .drain(..)
        .enumerate()
        .map(|(n, line)| Event::Settings {
            version: version.number(),
            values: Value::Object(line.into_iter().collect()),
            more: n + 1 < count,
        })
        .collect()
}

/// The schema in pieces: each with some of its groups and settings, the first with its title.
fn schema(text: &str) -> Vec<Event> {
    let Ok(Value::Object(mut whole)) = serde_json::from_str(text) else {
        let words = "the device's schema cannot be read";
        return vec![Failure::new(ErrorCode::SettingsUnreadable, words).into()];
    };
    let mut members = Vec::new();
    for kind in ["groups", "settings"] {
        if let Some(Value::Array(all)) = whole.remove(kind) {
            members.extend(all.into_iter().map(|member| (kind, member)));
        }
    }
    let lines = cut(members.into_iter().map(|member| {
        let length = member.1.to_string().len() + 1;
        (member, length)
    }));
    let count = lines.len();
    let piece = |(n, line): (usize, Vec<(&str, Value)>)| {
        let (mut groups, mut settings) = (Vec::new(), Vec::new());
        for (kind, member) in line {
            if kind == "groups" {
                groups.push(member);
            } else {
                settings.push(member);
            }
        }
        let mut schema = std::mem::take(&mut whole);
        schema.insert("groups".to_owned(), Value::Array(groups));
        schema.insert("settings".to_owned(), Value::Array(settings));
        Event::SettingsSchema {
            schema: Value::Object(schema),
            more: n + 1 < count,
        }
    };
    lines.into_iter().enumerate().map(piece).collect()
}

/// Cuts things of known length into lines; there is always one.
fn cut<T>(things: impl Iterator<Item = (T, usize)>) -> Vec<Vec<T>> {
    let (mut lines, mut line, mut length) = (Vec::new(), Vec::new(), 0);
    for (thing, more) in things {
        if length + more > MOST && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        length += more;
        line.push(thing);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::MAX_LINE;

    #[test]
    fn a_large_tree_is_told_in_lines_that_are_not_too_long() {
        let setting = |n: usize| serde_json::json!({"path": format!("group.setting-{n}"), "type": "string", "title": "x".repeat(200)});
        let settings: Vec<_> = (0..1_000).map(setting).collect();
        let text =
            serde_json::json!({"title": "Machine", "groups": [], "settings": settings}).to_string();
        let lines = schema(&text);
        let mut seen = 0;
        for (n, line) in lines.iter().enumerate() {
            assert!(line.line(0).len() <= MAX_LINE);
            let json: Value = serde_json::from_str(&line.line(0)).expect("JSON");
            seen += json["schema"]["settings"].as_array().map_or(0, Vec::len);
            assert_eq!(json["schema"]["title"].is_string(), n == 0);
            assert_eq!(json["more"].as_bool().unwrap_or(false), n + 1 < lines.len());
        }
        assert!(seen == 1_000 && lines.len() > 4);
        let version = SettingsVersion::from_bits(3);
        let empty = lines_of_values(version, serde_json::json!({}));
        assert_eq!(empty.len(), 1, "nothing is an answer too");
    }
}
