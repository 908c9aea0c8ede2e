use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use tempfile::TempDir;

use super::*;

const SCHEMA: &str = r#"{ "type": "object", "properties": {
    "server": { "type": "object", "properties": {
        "port": { "type": "integer", "minimum": 1, "maximum": 65535 },
        "name": { "type": "string", "maxLength": 60 },
        "verbose": { "type": "boolean" },
        "ratio": { "type": "number" },
        "token": { "type": "string", "x-secret": true },
        "limits": { "type": "object", "properties": { "clients": { "type": "integer" } } }
    } }
} }"#;

const TOML: &str = "# The server.\nport = 8080 # behind the proxy\nname = \"alpha\"\nextra = [1, 2]\n\n# Noise\nverbose = false\nratio = 0.5\ntoken = 'old'\n\n[limits]\n# How many\nclients = 10\n";
const JSON: &str = "{\n  \"extra\": [1, {\"port\": 3}, \"}\"],\n  \"port\": 8080,\n  \"name\": \"al\\\"pha\",\n\n  \"verbose\": false,\n  \"ratio\": 5e-1,\n  \"token\": \"old\",\n  \"limits\": {\n    \"clients\": 10\n  }\n}\n";
const INI: &str = "; The server.\r\nport = 8080   ; behind the proxy\r\nname: alpha\r\nextra = [1, 2]\r\nverbose = no\r\nratio=0.5\r\ntoken = \"old\"\r\n\r\n[limits]\r\n# How many\r\nclients = 10\r\n\r\n[other]\r\nclients = 3\r\n";

const ALL: [(Form, &str); 3] = [(Form::Toml, TOML), (Form::Json, JSON), (Form::Ini, INI)];

fn settings(path: &Path, form: Form, reload: Option<Reload>) -> FileSettings {
    let file = SettingsFile {
        path: path.to_owned(),
        form,
        group: "server".to_owned(),
    };
    let schema = SCHEMA.parse().expect("a schema");
    FileSettings::new(schema, vec![file], reload).expect("settings")
}

/// A file with `text`, and the settings in it.
fn held(form: Form, text: &str) -> (TempDir, PathBuf, FileSettings) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("server.conf");
    fs::write(&path, text).expect("written");
    let settings = settings(&path, form, None);
    (folder, path, settings)
}

fn change(path: &str, json: &str) -> SettingChange {
    SettingChange {
        path: SettingPath::new(path).expect("a path"),
        value: serde_json::from_str(json).expect("a value"),
    }
}

fn apply(settings: &FileSettings, changes: &[SettingChange]) -> Result<Undo, SettingsError> {
    let seen = settings.read()?.version;
    let undo = settings.prepare(seen, changes)?;
    settings.apply(seen, changes)?;
    Ok(undo)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("there")
}

/// The lines that are in only one of two texts.
fn changed(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let only = |a: &str, b: &str| -> Vec<String> {
        let other: Vec<_> = b.lines().collect();
        let alone = a.lines().filter(|line| !other.contains(line));
        alone.map(str::to_owned).collect()
    };
    (only(before, after), only(after, before))
}

#[test]
fn each_form_reads_the_same_and_hides_the_secret() {
    for (form, written) in ALL {
        let (_folder, _, settings) = held(form, written);
        let values = settings.read().expect("read").values;
        let shown: Vec<_> = values
            .iter()
            .map(|(path, value)| (path.as_str(), value.clone()))
            .collect();
        let value = |json: &str| Shown::Value(serde_json::from_str(json).expect("a value"));
        let name = if form == Form::Json {
            r#""al\"pha""#
        } else {
            r#""alpha""#
        };
        assert_eq!(
            shown,
            [
                ("server.limits.clients", value("10")),
                ("server.name", value(name)),
                ("server.port", value("8080")),
                ("server.ratio", value("0.5")),
                ("server.token", Shown::Secret),
                ("server.verbose", value("false")),
            ],
            "{form:?}"
        );
    }
}

#[test]
fn a_change_touches_its_own_line_and_goes_back_to_the_byte() {
    let expected = [
        (
            "port = 9090 # behind the proxy",
            "verbose = true",
            "clients = 11",
        ),
        (
            "  \"port\": 9090,",
            "  \"verbose\": true,",
            "    \"clients\": 11",
        ),
        (
            "port = 9090   ; behind the proxy",
            "verbose = yes",
            "clients = 11",
        ),
    ];
    for ((form, written), (port, verbose, clients)) in ALL.into_iter().zip(expected) {
        let (_folder, path, settings) = held(form, written);
        let changes = [
            change("server.port", "9090"),
            change("server.verbose", "true"),
            change("server.limits.clients", "11"),
        ];
        let undo = apply(&settings, &changes).expect("applied");
        let (gone, new) = changed(written, &text(&path));
        assert_eq!(gone.len(), 3, "{form:?}: {gone:?}");
        assert_eq!(new, [port, verbose, clients], "{form:?}");
        for _ in 0..2 {
            settings.roll_back(&undo).expect("taken back");
            assert_eq!(text(&path), written, "{form:?}");
        }
    }
}

#[test]
fn settings_come_and_go() {
    for (form, written) in ALL {
        let (_folder, path, settings) = held(form, written);
        let gone = [
            change("server.name", "null"),
            change("server.token", "null"),
            change("server.limits.clients", "null"),
        ];
        apply(&settings, &gone).expect("applied");
        let left = settings.read().expect("read").values;
        assert_eq!(left.len(), 3, "{form:?}: {}", text(&path));
        let back = [
            change("server.limits.clients", "12"),
            change("server.name", "\"beta\""),
        ];
        apply(&settings, &back).expect("applied");
        assert_eq!(
            settings.read().expect("read").values.len(),
            5,
            "{form:?}: {}",
            text(&path)
        );
        assert!(text(&path).contains("extra"), "{form:?}");
    }
}

#[test]
fn a_file_that_is_not_there_or_empty_is_filled_and_goes_again() {
    for (form, _) in ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fresh.conf");
        let settings = settings(&path, form, None);
        assert!(settings.read().expect("read").values.is_empty());
        let changes = [
            change("server.limits.clients", "1"),
            change("server.name", "\"new\""),
            change("server.ratio", "2"),
        ];
        let undo = apply(&settings, &changes).expect("applied");
        assert_eq!(
            settings.read().expect("read").values.len(),
            3,
            "{form:?}: {}",
            text(&path)
        );
        settings.roll_back(&undo).expect("taken back");
        assert!(!path.exists());
        fs::write(&path, "").expect("written");
        apply(&settings, &changes).expect("applied");
        assert_eq!(settings.read().expect("read").values.len(), 3, "{form:?}");
    }
}

#[test]
fn owner_and_permissions_stay_and_a_link_stays_a_link() {
    let (folder, path, settings) = held(Form::Toml, TOML);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
    let link = folder.path().join("link.conf");
    std::os::unix::fs::symlink(&path, &link).expect("linked");
    drop(settings);
    let settings = self::settings(&link, Form::Toml, None);
    apply(&settings, &[change("server.port", "1")]).expect("applied");
    assert!(link.is_symlink());
    assert_eq!(
        path.metadata().expect("there").permissions().mode() & 0o7777,
        0o640
    );
    assert!(text(&path).contains("port = 1 #"));
    let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 2, "nothing half written stays");
}

#[test]
fn a_file_edited_by_hand_is_a_conflict_and_keeps_what_the_hand_did() {
    for (form, written) in ALL {
        let (_folder, path, settings) = held(form, written);
        let seen = settings.read().expect("read").version;
        let changes = [
            change("server.port", "9090"),
            change("server.name", "\"beta\""),
        ];
        let undo = settings.prepare(seen, &changes).expect("prepared");
        settings.apply(seen, &changes).expect("applied");
        // By hand: another number of clients, and another port than the one that was set.
        let by_hand = text(&path).replace("10", "77").replace("9090", "7070");
        fs::write(&path, &by_hand).expect("written");
        assert!(matches!(
            settings.apply(seen, &changes),
            Err(SettingsError::Conflict)
        ));
        assert!(matches!(
            settings.prepare(seen, &changes),
            Err(SettingsError::Conflict)
        ));
        settings.roll_back(&undo).expect("taken back");
        let after = text(&path);
        assert!(
            after.contains("77") && after.contains("7070"),
            "{form:?}: {after}"
        );
        assert!(
            after.contains("pha") && !after.contains("beta"),
            "{form:?}: {after}"
        );
    }
}

#[test]
fn a_broken_file_is_said_with_its_line_and_without_its_words() {
    let broken = [
        (Form::Toml, "a = 1\ntoken = 'hunter2\n", "line 2"),
        (Form::Json, "{\n \"token\": \"hunter2\" \"x\"\n}", "line 2"),
        (Form::Json, "{\"token\": 1, \"token\": 2}", "stands twice"),
        (Form::Json, "[1]", "no object"),
        (Form::Ini, "a = 1\nhunter2\n", "line 2"),
        (Form::Ini, "[a]\nb=1\n[a]\nb=2\n", "stands twice"),
    ];
    for (form, written, place) in broken {
        let (_folder, path, settings) = held(form, written);
        let error = settings.read().expect_err("broken");
        let words = format!(
            "{error}: {}",
            std::error::Error::source(&error).expect("a cause")
        );
        assert!(
            words.contains(place) && words.contains("server.conf"),
            "{words}"
        );
        assert!(!words.contains("hunter2"), "{words}");
        assert!(settings.validate(&[change("server.port", "1")]).is_err());
        assert_eq!(text(&path), written);
    }
    let (_folder, _, settings) = held(Form::Toml, "port = [1]\n");
    assert!(settings.read().is_err(), "a list is no setting");
}

#[test]
fn a_file_that_is_nested_without_end_is_an_error_and_no_crash() {
    for form in [Form::Json, Form::Toml] {
        let (_folder, _, settings) = held(form, &format!("a = {}", "[".repeat(500_000)));
        assert!(settings.read().is_err(), "{form:?}");
    }
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(400_000), "]".repeat(400_000));
    let (_folder, _, settings) = held(Form::Json, &deep);
    assert!(settings.read().is_err());
}

#[test]
fn what_an_ini_file_cannot_hold_is_refused_before_anything_happens() {
    let (_folder, path, settings) = held(Form::Ini, INI);
    for text in [
        r#"" a""#,
        r#""a ;b""#,
        r##""#a""##,
        r#""a\nb""#,
        r#""a\"b""#,
    ] {
        let result = settings.validate(&[change("server.name", text)]);
        assert!(matches!(result, Err(SettingsError::Invalid(_))), "{text}");
    }
    // Where there are quotes, they hold it together.
    apply(&settings, &[change("server.token", "\" a ;b \"")]).expect("applied");
    assert!(text(&path).contains("token = \" a ;b \"\r\n"));
    assert_eq!(
        text(&path).matches("\r\n").count(),
        INI.matches("\r\n").count()
    );
}

#[test]
fn a_setting_is_held_by_exactly_one_file() {
    let file = |group: &str| SettingsFile {
        path: PathBuf::from("x"),
        form: Form::Json,
        group: group.to_owned(),
    };
    let new = |files| FileSettings::new(SCHEMA.parse().expect("a schema"), files, None);
    assert!(matches!(
        new(vec![file("server.limits")]),
        Err(FilesError::NotOnce(_))
    ));
    assert!(matches!(
        new(vec![file("server"), file("server.limits")]),
        Err(FilesError::NotOnce(_))
    ));
    assert!(new(vec![file("")]).is_ok());
    assert!(matches!(
        new(vec![file("other")]),
        Err(FilesError::NoGroup { .. })
    ));
}

fn shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
}

/// Settings whose reload command is a script; `$LOG` is where it may leave a trace.
fn reloading(
    command: &str,
    health: Option<&str>,
    limit: Duration,
) -> (TempDir, PathBuf, FileSettings) {
    let (folder, path, settings) = held(Form::Toml, TOML);
    drop(settings);
    let here = |script: &str| {
        shell(&script.replace("$LOG", &folder.path().join("log").display().to_string()))
    };
    let reload = Reload {
        command: here(command),
        health: health.map(here),
        limit,
    };
    let settings = self::settings(&path, Form::Toml, Some(reload));
    (folder, path, settings)
}

#[test]
fn the_reload_command_runs_after_the_change_and_again_when_it_is_taken_back() {
    let second = Duration::from_secs(20);
    let (folder, _, settings) = reloading("echo reloaded >> $LOG", Some("test -s $LOG"), second);
    let undo = apply(&settings, &[change("server.port", "1")]).expect("applied");
    settings.roll_back(&undo).expect("taken back");
    assert_eq!(text(&folder.path().join("log")), "reloaded\nreloaded\n");
}

#[test]
fn a_reload_command_that_fails_or_hangs_is_an_error_with_its_name() {
    let long = Duration::from_secs(20);
    let (_folder, _, settings) = reloading("exit 3", None, long);
    let error = apply(&settings, &[change("server.port", "1")]).expect_err("it fails");
    assert_eq!(error.to_string(), "cannot run the reload command");
    // Its own children hang as well, and are ended with it.
    let (_folder, _, settings) =
        reloading("sleep 600 & sleep 600", None, Duration::from_millis(200));
    let error = apply(&settings, &[change("server.port", "1")]).expect_err("it hangs");
    assert!(matches!(error, SettingsError::Slow { .. }), "{error}");
    let (_folder, _, settings) = reloading("true", Some("exit 1"), Duration::from_millis(200));
    let error = apply(&settings, &[change("server.port", "1")]).expect_err("it is not well");
    assert_eq!(error.to_string(), "cannot run the health check");
    let (_folder, _, settings) = reloading(
        "true",
        Some("test -e $LOG.2 || { touch $LOG.2; exit 1; }"),
        long / 10,
    );
    apply(&settings, &[change("server.port", "1")]).expect("well at the second try");
}

#[test]
fn no_bytes_break_a_reader_and_an_edit_of_what_it_takes_reads_back() {
    let seeds: Vec<Vec<u8>> = ALL
        .iter()
        .map(|(_, text)| text.as_bytes().to_vec())
        .collect();
    let value = SettingValue::Integer(1234);
    let wants = alongside::settings::SettingType::Integer;
    alongside::protocol::fuzzing::mutations(&seeds, 10_000, |data| {
        let Ok(text) = std::str::from_utf8(data) else {
            return;
        };
        for (form, _) in ALL {
            let Ok(mut document) = Document::parse(form, text) else {
                continue;
            };
            for names in [
                &["port"][..],
                &["limits", "clients"],
                &["new", "group", "port"],
            ] {
                if document.set(names, Some(&value)).is_ok() {
                    let again = Document::parse(form, &document.to_text());
                    let read = again.expect("still a file").get(names, wants);
                    assert_eq!(read, Ok(Some(value.clone())), "{form:?} {names:?} {text:?}");
                }
            }
        }
    });
}
