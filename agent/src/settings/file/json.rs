//! JSON, edited in place: whatever is not changed stays byte for byte.

use std::ops::Range;

use alongside::settings::SettingValue;

use super::document::{NO_GROUP, NO_SETTING, TOO_LONG};

/// A JSON file whose outermost value is an object.
#[derive(Debug)]
pub(super) struct Json {
    text: String,
    root: Node,
}

/// A value and where it stands.
#[derive(Debug)]
struct Node {
    span: Range<usize>,
    /// What is in it, if it is an object.
    members: Option<Vec<Member>>,
}

#[derive(Debug)]
struct Member {
    name: String,
    /// Where its name begins.
    start: usize,
    node: Node,
}

impl Json {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = if text.trim().is_empty() { "{}\n" } else { text };
        // Says what is wrong, and keeps the depth in bounds; what follows only has to find the places.
        serde_json::from_str::<serde_json::Value>(text).map_err(|error| {
            format!("line {}, column {}: no JSON", error.line(), error.column())
        })?;
        let (root, _) = node(text, skip_space(text, 0))?;
        if root.members.is_none() {
            return Err("the outermost value is no object".to_owned());
        }
        let text = text.to_owned();
        Ok(Self { text, root })
    }

    pub(super) fn get(&self, names: &[&str]) -> Result<Option<SettingValue>, String> {
        let Some((groups, rest)) = self.walk(names)? else {
            return Ok(None);
        };
        if !rest.is_empty() {
            return Ok(None);
        }
        let written = self.text.get(groups.span.clone()).unwrap_or_default();
        if written == "null" {
            return Ok(None);
        }
        if written.starts_with('"') {
            let text: String = serde_json::from_str(written).map_err(|_| NO_SETTING)?;
            return SettingValue::text(&text)
                .map(Some)
                .ok_or_else(|| TOO_LONG.to_owned());
        }
        serde_json::from_str(written)
            .map(Some)
            .map_err(|_| NO_SETTING.to_owned())
    }

    pub(super) fn set(&mut self, names: &[&str], to: Option<&SettingValue>) -> Result<(), String> {
        let Some((found, rest)) = self.walk(names)? else {
            return Err(NO_SETTING.to_owned());
        };
        let edited = match (to, rest) {
            (None, []) => self.without(names),
            (None, _) => return Ok(()),
            (Some(value), []) if found.members.is_none() => {
                self.spliced(found.span.clone(), &written(value)?)
            }
            (Some(_), []) => return Err(NO_SETTING.to_owned()),
            (Some(value), rest) => self.with(found, rest, &written(value)?),
        };
        *self = Self::parse(&edited)?;
        Ok(())
    }

    pub(super) fn to_text(&self) -> String {
        self.text.clone()
    }

    /// Follows `names` as far as there is something; gives that and the names that are left.
    fn walk<'n, 's>(&self, names: &'n [&'s str]) -> Result<Option<(&Node, &'n [&'s str])>, String> {
        if names.is_empty() {
            return Ok(None);
        }
        let mut at = &self.root;
        for (depth, name) in names.iter().enumerate() {
            let members = at.members.as_ref().ok_or(NO_GROUP)?;
            match members.iter().find(|member| member.name == *name) {
                Some(member) => at = &member.node,
                None => return Ok(Some((at, names.get(depth..).unwrap_or_default()))),
            }
        }
        Ok(Some((at, &[])))
    }

    /// The text with a new member at the end of `group`, inside of the groups that are not there yet.
    fn with(&self, group: &Node, names: &[&str], value: &str) -> String {
        let Some((first, inner)) = names.split_first() else {
            return self.text.clone();
        };
        let opened: String = inner
            .iter()
            .map(|name| format!("{{ \"{name}\": "))
            .collect();
        let closed = " }".repeat(inner.len());
        let member = format!("\"{first}\": {opened}{value}{closed}");
        let members = group.members.as_deref().unwrap_or_default();
        match members.last() {
            Some(last) => {
                // The same white space before it as before the one that was last.
                let before = self.text.get(..last.start).unwrap_or_default();
                let space = before.get(before.trim_end().len()..).unwrap_or_default();
                let end = last.node.span.end;
                self.spliced(end..end, &format!(",{space}{member}"))
            }
            None => self.spliced(group.span.clone(), &format!("{{ {member} }}")),
        }
    }

    /// The text without the member that `names` lead to.
    fn without(&self, names: &[&str]) -> String {
        let Some((last, groups)) = names.split_last() else {
            return self.text.clone();
        };
        let group = if groups.is_empty() {
            Some(&self.root)
        } else {
            self.walk(groups).ok().flatten().map(|(node, _)| node)
        };
        let members = group
            .and_then(|node| node.members.as_deref())
            .unwrap_or_default();
        let Some(at) = members.iter().position(|member| member.name == *last) else {
            return self.text.clone();
        };
        let (before, rest) = members.split_at(at);
        let span = match (before.last(), rest) {
            (_, [gone, next, ..]) => gone.start..next.start,
            (Some(before), [gone]) => before.node.span.end..gone.node.span.end,
            (None, [gone]) => gone.start..gone.node.span.end,
            (_, []) => return self.text.clone(),
        };
        self.spliced(span, "")
    }

    fn spliced(&self, span: Range<usize>, new: &str) -> String {
        let before = self.text.get(..span.start).unwrap_or_default();
        let after = self.text.get(span.end..).unwrap_or_default();
        format!("{before}{new}{after}")
    }
}

fn written(value: &SettingValue) -> Result<String, String> {
    serde_json::to_string(value).map_err(|_| NO_SETTING.to_owned())
}

/// The value that begins at `at`, in text that is known to be JSON, and where it ends.
fn node(text: &str, at: usize) -> Result<(Node, usize), String> {
    match byte(text, at) {
        Some(b'{') => object(text, at),
        Some(b'[') => {
            let mut end = skip_space(text, at + 1);
            while byte(text, end).is_some_and(|byte| byte != b']') {
                end = skip_comma(text, node(text, end)?.1);
            }
            Ok((leaf(at..end + 1), end + 1))
        }
        Some(b'"') => {
            let end = string_end(text, at);
            Ok((leaf(at..end), end))
        }
        _ => {
            let rest = text.get(at..).unwrap_or_default();
            let ends = |c: char| c.is_ascii_whitespace() || matches!(c, ',' | '}' | ']');
            let end = rest.find(ends).map_or(text.len(), |length| at + length);
            Ok((leaf(at..end), end))
        }
    }
}

fn object(text: &str, at: usize) -> Result<(Node, usize), String> {
    let mut members: Vec<Member> = Vec::new();
    let mut end = skip_space(text, at + 1);
    while byte(text, end).is_some_and(|byte| byte != b'}') {
        let start = end;
        let name_end = string_end(text, start);
        let written = text.get(start..name_end).unwrap_or_default();
        let name: String = serde_json::from_str(written).map_err(|_| "no JSON")?;
        let colon = skip_space(text, name_end);
        let (node, after) = node(text, skip_space(text, colon + 1))?;
        if members.iter().any(|member| member.name == name) {
            return Err(format!("`{name}` stands twice"));
        }
        members.push(Member { name, start, node });
        end = skip_comma(text, after);
    }
    let span = at..end + 1;
    let members = Some(members);
    Ok((Node { span, members }, end + 1))
}

const fn leaf(span: Range<usize>) -> Node {
    Node {
        span,
        members: None,
    }
}

fn byte(text: &str, at: usize) -> Option<u8> {
    text.as_bytes().get(at).copied()
}

fn skip_space(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count()
}

fn skip_comma(text: &str, at: usize) -> usize {
    let at = skip_space(text, at);
    match byte(text, at) {
        Some(b',') => skip_space(text, at + 1),
        _ => at,
    }
}

/// Where the string that begins at `at` ends, its quote included.
fn string_end(text: &str, at: usize) -> usize {
    let mut end = at + 1;
    while let Some(byte) = byte(text, end) {
        match byte {
            b'"' => return end + 1,
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    text.len()
}
