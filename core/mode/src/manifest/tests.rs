use super::*;

const GOOD: &str = r#"{
    "id": "example.label-printer", "name": "Label printer helper", "version": "1.2.0", "vendor": "Example",
    "abi": 1, "wire": [1, 1], "peer": [1, 2],
    "capabilities": ["view", "annotate"], "consent": "ask",
    "why": { "view": "To see which label is loaded", "annotate": "To point at the tray" },
    "console": { "panel": "ui/panel.js", "element": "example-label-printer" },
    "x-example-build": { "host": "ci" }
}"#;

/// The good manifest with `key` set to `value`.
fn with(key: &str, value: serde_json::Value) -> String {
    let mut keys: serde_json::Map<_, _> = serde_json::from_str(GOOD).unwrap();
    keys.insert(key.to_owned(), value);
    serde_json::Value::Object(keys).to_string()
}

fn refusal(text: &str) -> String {
    let error = Manifest::parse(text).unwrap_err();
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[test]
fn a_good_manifest_reads_and_writes_back() {
    let manifest = Manifest::parse(GOOD).unwrap();
    assert_eq!(manifest.id.as_str(), "example.label-printer");
    assert_eq!(
        manifest.capabilities,
        Capabilities::VIEW | Capabilities::ANNOTATE
    );
    assert_eq!(
        manifest.console.as_ref().map(|console| console.trust),
        Some(Trust::Sandbox)
    );
    let written = serde_json::to_string(&manifest).unwrap();
    assert_eq!(Manifest::parse(&written).unwrap(), manifest);
}

#[test]
fn a_misspelt_key_is_named() {
    assert!(
        refusal(&with("capabilites", serde_json::json!([])))
            .contains("unknown field `capabilites`")
    );
}

#[test]
fn each_wrong_value_has_its_own_sentence() {
    use serde_json::json;
    for (key, value, sentence) in [
        (
            "id",
            json!("printer"),
            "mode id printer is not a built-in name, and a vendor's own id has a dot between two labels",
        ),
        ("abi", json!(0), "`abi` names version 0, which there is not"),
        (
            "wire",
            json!([2, 1]),
            "`wire` is not a range of versions from 1 on, oldest first",
        ),
        (
            "peer",
            json!([0, 1]),
            "`peer` is not a range of versions from 1 on, oldest first",
        ),
        (
            "capabilities",
            json!(["root"]),
            "manifest does not read: unknown capability \"root\"",
        ),
        (
            "capabilities",
            json!(["view", "annotate", "input"]),
            "capability `input` is asked for without a reason under `why`",
        ),
        (
            "capabilities",
            json!(["view"]),
            "`why` gives a reason for \"annotate\", which is not asked for",
        ),
        (
            "consent",
            json!("none"),
            "consent `none` and capability `silent` go only together",
        ),
        (
            "console",
            json!({"panel": "../x.js", "element": "a-b"}),
            "`console.panel` is not a plain relative path to a .js file",
        ),
        (
            "console",
            json!({"panel": "/x.js", "element": "a-b"}),
            "`console.panel` is not a plain relative path to a .js file",
        ),
        (
            "console",
            json!({"panel": "x.js", "element": "Label"}),
            "`console.element` is not the name of a custom element",
        ),
    ] {
        assert_eq!(refusal(&with(key, value)), sentence);
    }
}

#[test]
fn a_manifest_beyond_its_bound_is_refused_unread() {
    let long = format!("{}{}", GOOD, " ".repeat(MAX_MANIFEST_LEN));
    assert!(refusal(&long).starts_with("manifest of"));
}

#[test]
fn a_name_that_could_move_the_cursor_is_refused() {
    assert!(refusal(&with("name", serde_json::json!("a\u{1b}[2Jb"))).contains("control character"));
}

#[test]
fn halves_of_different_age_meet_at_the_newest_common_version() {
    let span = |a, b| Span::new(a, b).unwrap();
    assert_eq!(span(1, 2).newest_common(span(2, 3)), Some(2));
    assert_eq!(span(1, 1).newest_common(span(1, 4)), Some(1));
    assert_eq!(span(1, 2).newest_common(span(3, 4)), None);
}

#[test]
fn an_id_that_leads_out_of_its_folder_is_refused() {
    for id in [".", "..", "...", "a..b", ".a", "a.", "a.b.", "..a.b"] {
        let said = refusal(&with("id", serde_json::json!(id)));
        assert!(said.contains("a dot between two labels"), "{id}: {said}");
    }
    for id in ["a.b", "a.b.c", "0.1", "user-guide"] {
        assert!(
            Manifest::parse(&with("id", serde_json::json!(id))).is_ok(),
            "{id}"
        );
    }
}
