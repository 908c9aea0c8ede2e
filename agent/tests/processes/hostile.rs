//! Input that means harm, or that somebody got wrong: named, inert, and nothing stops over it.

use std::{fs, process::Command};

use serde_json::json;

use crate::world::{ANYBODY, World, bare, code, meet};

/// A name of 10 kB that would clear the screen, colour it and turn the sentence around.
fn hostile() -> String {
    format!(
        "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}{}",
        "Dana ".repeat(2_000)
    )
}

/// Whether a terminal would show the text as it is.
fn is_inert(text: &str) -> bool {
    !text
        .contains(|c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200f}".contains(c))
}

#[test]
fn a_hostile_name_is_refused_by_its_option_and_shown_inert() {
    let world = World::new();
    let mut command = world.command("assist", "operator");
    command.args(["--name", &hostile()]);
    refused(&world, command, &["--name", "bytes"]);

    let mut command = world.command("assist", "operator");
    command.env("ALONGSIDE_NAME", "\u{202e}eman");
    refused(&world, command, &["--name", "U+202E"]);

    let mut command = world.command("device", "device");
    command.args(["--serial", &hostile()]);
    refused(&world, command, &["--serial", "bytes"]);

    let mut command = world.command("assist", "operator");
    command.arg(format!("--{}", hostile()));
    refused(&world, command, &["unexpected argument"]);
}

#[test]
fn a_hostile_name_in_the_settings_file_is_refused_by_its_key_and_line() {
    let world = World::new();
    let escaped = hostile()
        .replace('\u{1b}', "\\u001b")
        .replace('\u{7}', "\\u0007");
    for (table, says) in [
        (
            format!("[assist]\nname = \"{escaped}\"\n"),
            ["line 2: ", "`assist.name`", "bytes"],
        ),
        (
            "\n[assist]\nname = \"\u{202e}eman\"\n".to_owned(),
            ["line 3: ", "`assist.name`", "U+202E"],
        ),
        (
            format!("[assist]\n\"{escaped}\" = 1\n"),
            ["line 2: ", "`assist.", "expected `name`"],
        ),
    ] {
        fs::write(world.path("agent.toml"), table).expect("written");
        let mut command = world.command("assist", "operator");
        command.arg("--config").arg(world.path("agent.toml"));
        refused(&world, command, &says);
    }
}

fn refused(world: &World, command: Command, says: &[&str]) {
    let mut side = world.start(command, "refused");
    assert_eq!(side.exit(), 2, "{}", side.log());
    let log = side.log();
    assert!(
        says.iter().all(|words| log.contains(words)),
        "{says:?}: {log}"
    );
    assert!(
        is_inert(&log) && log.len() < 2_000,
        "{} bytes: {log:?}",
        log.len()
    );
}

#[test]
fn a_hostile_name_in_the_relays_table_keeps_the_last_good_one() {
    let world = World::new();
    let mut operator = world.operator();
    code(&mut operator);
    let table = format!(
        "{ANYBODY}[operators.{}]\nname = '{}'\n",
        "0".repeat(64),
        "\u{202e}Dana ".repeat(2_000)
    );
    fs::write(world.relay.folder().join("operators.toml"), table).expect("written");
    // Read again with the next code, if not before.
    code(&mut operator);
    let log = world.relay.log();
    let line = log
        .lines()
        .find(|line| line.contains("last good table"))
        .unwrap_or_else(|| panic!("{log}"));
    assert!(
        line.contains("line 3") && line.contains("bytes") && line.len() < 2_000,
        "{line}"
    );
    assert!(is_inert(line), "{line:?}");
}

#[test]
fn lines_that_are_no_commands_are_refused_one_by_one_and_both_sides_live_on() {
    let world = World::new();
    let (mut operator, mut device) = (world.operator(), world.device());
    let deep = format!("{{\"do\":{}", "[".repeat(30_000));
    let long = format!(
        "{{\"do\":\"end\",\"id\":1,\"why\":\"{}\"}}",
        "x".repeat(70_000)
    );
    let lines: [(&[u8], &str); 9] = [
        (b"{\"do\":\"end\"", "not JSON"),
        (b"end", "not JSON"),
        (b"[1]", "object"),
        (b"{\"do\":\"explode\"}", "unknown command"),
        (b"{\"do\":\"code\",\"secret\":1}", "`secret`"),
        (b"{\"do\":\"exit\",\"id\":-1}", "`id`"),
        (b"{\"do\":\"end\xff\"}", "not UTF-8 from byte 10"),
        (deep.as_bytes(), "not JSON"),
        (long.as_bytes(), "70028 bytes"),
    ];
    for (line, says) in lines {
        for side in [&mut operator, &mut device] {
            side.write(line);
            let told = side.problem("bad-request");
            let words = told["message"].as_str().expect("words");
            // The device has no command `code`.
            assert!(
                words.contains(says) || words.contains("unknown command"),
                "{says}: {words}"
            );
            assert!(is_inert(words), "{words:?}");
        }
    }
    meet(&mut operator, &mut device);
}

#[test]
fn a_field_outside_its_bounds_is_named() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    for (command, field) in [
        (
            json!({"do": "stroke", "id": 2, "color": "red", "width": 4, "points": []}),
            "color",
        ),
        (
            json!({"do": "stroke", "id": 3, "color": "#ff0000", "width": 33, "points": []}),
            "width",
        ),
        (
            json!({"do": "stroke", "id": 4, "color": "#ff0000", "width": 3, "points": [[1, 2, 3]]}),
            "points",
        ),
        (
            json!({"do": "pointer", "x": 1, "y": 1, "phase": "fly"}),
            "phase",
        ),
        (
            json!({"do": "pointer", "x": 1e300, "y": 1, "phase": "move"}),
            "x",
        ),
        (json!({"do": "mode", "mode": "root"}), "mode"),
        (json!({"do": "text", "text": "x".repeat(257)}), "text"),
    ] {
        let told = operator.refused(command, "bad-request");
        assert!(
            told["message"].to_string().contains(&format!("`{field}")),
            "{told}"
        );
    }
    for (command, field) in [
        (json!({"do": "hold", "key": "#", "ms": 60_001}), "ms"),
        (json!({"do": "touch", "x": "1", "y": 1}), "x"),
        (json!({"do": "enter-code", "code": "1".repeat(65)}), "code"),
    ] {
        let told = device.refused(command, "bad-request");
        assert!(
            told["message"].to_string().contains(&format!("`{field}`")),
            "{told}"
        );
    }
    device.ok(json!({"do": "exit"}));
    operator.event("ended");
}

#[test]
fn a_picture_that_cannot_be_written_is_an_answer_and_not_an_end() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    for side in [&mut operator, &mut device] {
        let told = side.ask(json!({"do": "snapshot", "file": world.path("no/such/folder.png")}));
        assert_eq!(told["event"], "error", "{told}");
        assert!(told["message"].to_string().contains("folder.png"), "{told}");
    }
    assert_eq!(
        operator.ok(json!({"do": "snapshot", "file": world.path("here.png")}))["exact"],
        true
    );
}

#[test]
fn help_names_every_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    for role in [None, Some("device"), Some("assist"), Some("demo")] {
        let mut command = bare();
        command.args(role).arg("--help");
        let output = command
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(0));
        let help = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(
            output.stderr.is_empty() && help.contains("Usage:"),
            "{help}"
        );
        if role.is_none() {
            for code in [
                "0 done",
                "1 failed",
                "2 usage",
                "3 no path",
                "4 refused",
                "5 wrong code",
            ] {
                assert!(help.contains(code), "{code}: {help}");
            }
        }
    }
}
