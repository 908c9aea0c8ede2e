use alongside_protocol::setting::{Fault, SettingChange};

use super::*;

const SCHEMA: &str = r#"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object", "title": "Copier",
    "properties": {
        "sleep": {
            "type": "object", "title": "Sleep",
            "properties": {
                "after": { "type": "integer", "minimum": 1, "maximum": 240, "x-unit": "min", "title": "Sleep after" },
                "deep": { "type": "boolean" },
                "depth": { "type": "number", "minimum": 0, "maximum": 1 }
            },
            "required": ["after"]
        },
        "mail": {
            "type": "object",
            "properties": {
                "host": { "type": "string", "minLength": 1, "maxLength": 9, "pattern": "^[a-z.]+$" },
                "password": { "type": "string", "x-secret": true },
                "security": { "type": "string", "enum": ["none", "tls"] },
                "port": { "type": "integer", "enum": [25, 465, 587] }
            }
        }
    }
}"#;

fn schema() -> Schema {
    SCHEMA.parse().expect("a schema")
}

fn path(text: &str) -> SettingPath {
    SettingPath::new(text).expect("a path")
}

fn to(at: &str, json: &str) -> SettingChange {
    SettingChange {
        path: path(at),
        value: serde_json::from_str(json).expect("a value"),
    }
}

fn fault(at: &str, json: &str) -> Option<Fault> {
    let problems = schema().check(&[to(at, json)]).err()?;
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].path, path(at));
    Some(problems[0].fault.clone())
}

#[test]
fn settings_come_in_the_order_in_which_they_are_written() {
    let schema = schema();
    let paths = |settings: &[Setting]| -> Vec<_> {
        settings
            .iter()
            .map(|setting| setting.path.to_string())
            .collect()
    };
    assert_eq!(
        paths(schema.settings()),
        [
            "sleep.after",
            "sleep.deep",
            "sleep.depth",
            "mail.host",
            "mail.password",
            "mail.security",
            "mail.port"
        ]
    );
    assert_eq!(schema.groups().len(), 2);
    let after = schema.setting(&path("sleep.after")).expect("there");
    assert!(after.is_required && after.unit.as_deref() == Some("min"));
    assert_eq!(after.name(), "Sleep after");
    assert_eq!(
        schema.setting(&path("mail.host")).map(Setting::name),
        Some("host")
    );
}

#[test]
fn each_rule_refuses_what_breaks_it_and_says_so() {
    let integer = |n| SettingValue::Integer(n);
    assert_eq!(fault("sleep.after", "0"), Some(Fault::Below(integer(1))));
    assert_eq!(
        fault("sleep.after", "241"),
        Some(Fault::Above(integer(240)))
    );
    assert_eq!(
        fault("sleep.after", "1.5"),
        Some(Fault::Type(SettingType::Integer))
    );
    assert_eq!(
        fault("sleep.after", "\"5\""),
        Some(Fault::Type(SettingType::Integer))
    );
    assert_eq!(fault("sleep.after", "null"), Some(Fault::Required));
    assert_eq!(
        fault("sleep.deep", "1"),
        Some(Fault::Type(SettingType::Boolean))
    );
    assert!(matches!(
        fault("sleep.depth", "1.01"),
        Some(Fault::Above(_))
    ));
    assert_eq!(fault("mail.host", "\"\""), Some(Fault::Short(1)));
    assert_eq!(fault("mail.host", "\"mail.example\""), Some(Fault::Long(9)));
    assert!(matches!(
        fault("mail.host", "\"Mail\""),
        Some(Fault::Pattern(_))
    ));
    assert_eq!(fault("mail.security", "\"ssl\""), Some(Fault::Choice));
    assert_eq!(fault("mail.port", "26"), Some(Fault::Choice));
    assert_eq!(fault("mail", "1"), Some(Fault::Unknown));
    assert_eq!(fault("mail.user", "\"x\""), Some(Fault::Unknown));
}

#[test]
fn what_keeps_the_rules_comes_back_in_one_form() {
    let fine = schema().check(&[
        to("sleep.after", "5.0"),
        to("sleep.depth", "1"),
        to("mail.host", "null"),
        to("mail.port", "465.0"),
    ]);
    assert_eq!(
        fine,
        Ok(vec![
            to("sleep.after", "5"),
            to("sleep.depth", "1.0"),
            to("mail.host", "null"),
            to("mail.port", "465"),
        ])
    );
}

#[test]
fn every_problem_is_told_and_none_repeats_what_was_typed() {
    let problems = schema()
        .check(&[
            to("mail.password", "7"),
            to("sleep.deep", "true"),
            to("sleep.deep", "false"),
            to("mail.host", "\"hunter2\""),
        ])
        .expect_err("three are wrong");
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "mail.password: must be text",
            "sleep.deep: changed twice at once",
            "mail.host: must match ^[a-z.]+$",
        ]
    );
    let many = vec![to("sleep.deep", "true"); MAX_CHANGES + 1];
    let problems = schema().check(&many).expect_err("too many");
    assert_eq!(problems[0].fault, Fault::Many(256));
}

#[test]
fn a_mistake_in_a_schema_is_told_with_its_place() {
    let setting = |inside: &str| {
        format!(
            r#"{{"type":"object","properties":{{"a":{{"type":"object","properties":{{"b":{inside}}}}}}}}}"#
        )
    };
    for (inside, what) in [
        (
            r#"{"type":"integer","minimum":2,"maximum":1}"#,
            "nothing is within the bounds",
        ),
        (
            r#"{"type":"integer","minimum":0.5}"#,
            "a bound is not of the setting's type",
        ),
        (
            r#"{"type":"boolean","minimum":1}"#,
            "only numbers have `minimum` and `maximum`",
        ),
        (
            r#"{"type":"integer","pattern":"x"}"#,
            "only text has `minLength`, `maxLength` and `pattern`",
        ),
        (
            r#"{"type":"string","pattern":"("}"#,
            "`pattern` is no regular expression",
        ),
        (
            r#"{"type":"integer","x-secret":true}"#,
            "only text can be `x-secret`",
        ),
        (r#"{"type":"string","enum":[]}"#, "`enum` is empty"),
        (
            r#"{"type":"string","maxLength":2,"enum":["abc"]}"#,
            "`enum` has a value that the setting cannot have",
        ),
        (
            r#"{"type":"string","maxLength":1025}"#,
            "nothing is within the bounds",
        ),
        (
            r#"{"type":"string","required":["x"]}"#,
            "a setting has no `properties` and no `required`",
        ),
    ] {
        match setting(inside).parse::<Schema>() {
            Err(SchemaError::Wrong { at, what: told }) => {
                assert_eq!((at.as_str(), told), ("a.b", what), "{inside}");
            }
            other => panic!("{inside}: {other:?}"),
        }
    }
    for (json, place) in [
        (r#"{"type":"string"}"#, ""),
        (r#"{"type":"object"}"#, ""),
        (r#"{"type":"object","properties":{},"required":["x"]}"#, ""),
        (
            r#"{"type":"object","properties":{"a.b":{"type":"boolean"}}}"#,
            "a.b",
        ),
        (
            r#"{"type":"object","properties":{"":{"type":"boolean"}}}"#,
            "",
        ),
    ] {
        match json.parse::<Schema>() {
            Err(SchemaError::Wrong { at, .. }) => assert_eq!(at, place, "{json}"),
            other => panic!("{json}: {other:?}"),
        }
    }
    for json in [
        "",
        r#"{"type":"object","properties":{"a":{"type":"array"}}}"#,
        r#"{"type":"object","properties":{"a":{"type":"boolean","const":true}}}"#,
        r#"{"type":"object","properties":{"a":{"type":"boolean"},"a":{"type":"boolean"}}}"#,
    ] {
        assert!(
            matches!(json.parse::<Schema>(), Err(SchemaError::Json(_))),
            "{json}"
        );
    }
}

#[test]
fn a_hostile_pattern_takes_no_time() {
    let json = r#"{"type":"object","properties":{"a":{"type":"string","pattern":"^(a+)+$"}}}"#;
    let schema: Schema = json.parse().expect("a schema");
    let text = format!("\"{}!\"", "a".repeat(1000));
    assert!(schema.check(&[to("a", &text)]).is_err());
}
