//! What a proxy asks for in a 407 (RFC 9110, section 11.7.1).

use alongside_protocol::label::Label;

use crate::leg::{http::Head, inert::inert};

/// Schemes that are told to a person; the rest of a longer list is dropped.
const MAX_SCHEMES: usize = 4;

/// The challenges of one answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Challenges {
    pub(super) basic: bool,
    pub(super) schemes: Vec<Label<64>>,
    pub(super) realm: Option<Label<64>>,
}

impl Challenges {
    pub(super) fn of(head: &Head) -> Self {
        let mut challenges = Self::default();
        for value in head.fields("proxy-authenticate") {
            for item in items(value) {
                challenges.take(item);
            }
        }
        challenges
    }

    /// One item of the list: `scheme`, `scheme parameter` or, after a scheme, another `parameter`.
    fn take(&mut self, item: &str) {
        let (first, rest) = item.split_once(' ').unwrap_or((item, ""));
        if first.contains('=') {
            return; // a further parameter; none matters
        }
        let is_basic = first.eq_ignore_ascii_case("basic");
        self.basic |= is_basic;
        if self.schemes.len() < MAX_SCHEMES {
            self.schemes.extend(Label::new(first).ok());
        }
        if is_basic && self.realm.is_none() {
            self.realm = parameter(rest, "realm").and_then(|text| inert(&text));
        }
    }
}

/// Splits a list at its commas, but not within quotes.
fn items(value: &str) -> Vec<&str> {
    let (mut items, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in value.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                items.push(value.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(value.get(start..).unwrap_or_default());
    items.retain(|item| !item.trim().is_empty());
    items.iter().map(|item| item.trim()).collect()
}

/// The value of `name="value"` or `name=value`.
fn parameter(text: &str, name: &str) -> Option<String> {
    let (key, value) = text.split_once('=')?;
    if !key.trim().eq_ignore_ascii_case(name) {
        return None;
    }
    let value = value.trim();
    let Some(quoted) = value.strip_prefix('"') else {
        return Some(value.to_owned());
    };
    let (mut plain, mut escaped) = (String::new(), false);
    for c in quoted.chars() {
        match c {
            _ if escaped => {
                plain.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => break,
            _ => plain.push(c),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenges(fields: &str) -> Challenges {
        let text = format!("HTTP/1.1 407 No\r\n{fields}\r\n");
        let (head, _) = Head::parse(text.as_bytes()).unwrap().unwrap();
        Challenges::of(&head)
    }

    fn names(challenges: &Challenges) -> Vec<&str> {
        challenges.schemes.iter().map(Label::as_str).collect()
    }

    #[test]
    fn schemes_and_realm_are_found_in_one_field_or_in_several() {
        let one = challenges(
            "Proxy-Authenticate: Negotiate, NTLM, basic realm=\"Ward 7, \\\"east\\\"\", charset=\"UTF-8\"\r\n",
        );
        assert_eq!(names(&one), ["Negotiate", "NTLM", "basic"]);
        assert!(one.basic);
        assert_eq!(one.realm.unwrap().as_str(), "Ward 7, \"east\"");
        let two = challenges(
            "Proxy-Authenticate: Digest nonce=\"a, basic\", qop=auth\r\nProxy-Authenticate: NTLM\r\n",
        );
        assert_eq!((names(&two), two.basic), (vec!["Digest", "NTLM"], false));
        assert_eq!(challenges(""), Challenges::default());
    }

    #[test]
    fn a_hostile_realm_is_dropped() {
        let hostile = challenges("Proxy-Authenticate: Basic realm=\"\u{1b}[2J\"\r\n");
        assert!(hostile.basic && hostile.realm.is_none());
    }
}
