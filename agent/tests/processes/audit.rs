//! What both sides keep of a session between processes: the same, with both signatures.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use alongside_agent::panel::mfd::Target;
use serde_json::{Value, json};

use crate::{
    administrator::{RIGHT, asked, set, touch, type_in},
    agent::Agent,
    world::{World, bare},
};

/// `alongside-agent audit ARGS`.
fn audit(args: &[&str]) -> Output {
    let mut command = bare();
    command.arg("audit").args(args);
    command.output().expect("the agent's program")
}

/// What `audit verify` prints of a good audit.
fn verified(args: &[&str]) -> String {
    let output = audit(&[&["verify"], args].concat());
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    out
}

/// What `audit verify` says of a bad one.
fn bad(args: &[&str]) -> String {
    let output = audit(&[&["verify"], args].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    text(&output.stderr)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A session in which control was allowed and which the customer has ended.
fn session(world: &World) -> (String, String) {
    assert_eq!(set(world, RIGHT).status.code(), Some(0));
    let (mut operator, mut device) = world.session();
    operator.ok(json!({"do": "mode", "mode": "operator-control"}));
    device.event("asked");
    touch(&mut device, &mut asked(), Target::EnterId);
    type_in(&mut device, RIGHT);
    for down in [true, false] {
        device.ok(json!({"do": "key", "key": "Start", "down": down}));
    }
    operator.until("control", |line| {
        line["mode"] == "operator-control" && line["state"] == "active"
    });
    device.ok(json!({"do": "exit"}));
    operator.event("ended");
    end(&mut operator, &mut device);
    (folder(world, "device"), folder(world, "operator"))
}

fn end(operator: &mut Agent, device: &mut Agent) {
    device.close_input();
    operator.exit();
    device.exit();
}

fn folder(world: &World, name: &str) -> String {
    world.path(name).to_str().expect("a path").to_owned()
}

/// A copy of the audit in `folder` after a `change` to its lines.
fn changed(world: &World, folder: &str, change: impl FnOnce(&mut Vec<String>)) -> String {
    let text = fs::read_to_string(Path::new(folder).join("audit.jsonl")).expect("an audit");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    let copy: PathBuf = world.path("changed.jsonl");
    fs::write(&copy, lines.join("\n") + "\n").expect("written");
    copy.to_str().expect("a path").to_owned()
}

fn record(line: &str) -> Value {
    serde_json::from_str(line).expect("JSON")
}

#[test]
fn the_devices_and_the_operators_audit_agree_after_a_session() {
    let world = World::new();
    let (device, operator) = session(&world);
    let said = verified(&[&device, "--with", &operator]);
    // Two modes were granted, one of them on the customer's word; and the session has ended.
    // The end is waited for a second at most, so that it may lack on a disk that is slower.
    let signed = if said.contains("agrees: 4 records in both\n") {
        4
    } else {
        3
    };
    let lacking = 4 - signed;
    assert!(
        said.contains(&format!(
            "the operator's audit agrees: {signed} records in both\n"
        )),
        "{said}"
    );
    assert!(
        said.contains(&format!(
            "countersigned by the operator {signed}, not countersigned {lacking}\n"
        )),
        "{said}"
    );
    let said = verified(&[&operator]);
    assert!(said.contains("records of devices "), "{said}");
    let exported = text(&audit(&["export", &device]).stdout);
    let kept = exported
        .lines()
        .map(record)
        .filter(|line| line["record"] == "countersigned" && line["countersig"].is_string());
    assert_eq!(kept.count(), signed);
    let shown = text(&audit(&["show", &device]).stdout);
    assert_eq!(shown.contains("lacks"), lacking > 0, "{shown}");
}

#[test]
fn a_countersignature_that_was_tampered_with_is_named() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    device.ok(json!({"do": "exit"}));
    operator.event("ended");
    end(&mut operator, &mut device);
    let (device, operator) = (folder(&world, "device"), folder(&world, "operator"));
    let mut at = 0;
    let copy = changed(&world, &device, |lines| {
        at = lines
            .iter()
            .position(|line| line.contains("\"countersig\":\""))
            .expect("one");
        let line = &mut lines[at];
        let from = line.find("\"countersig\":\"").expect("one") + 14;
        let digit = if &line[from..=from] == "0" { "1" } else { "0" };
        line.replace_range(from..=from, digit);
    });
    let said = bad(&[&copy]);
    assert!(said.contains(&format!("record {at}: ")), "{said}");

    // Records that were cut off are named by the operator's copy.
    let copy = changed(&world, &device, |lines| {
        let end = lines
            .iter()
            .position(|line| line.contains("\"record\":\"session-ended\""))
            .expect("an end");
        at = end;
        lines.truncate(end);
    });
    verified(&[&copy]);
    let said = bad(&[&copy, "--with", &operator]);
    assert!(
        said.contains(&format!(
            "record {at}: the operator has countersigned it, and the device has no more"
        )),
        "{said}"
    );
}

#[test]
fn an_operator_who_is_gone_has_not_countersigned_the_end_and_both_commands_say_so() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    operator.kill();
    device.ok(json!({"do": "exit"}));
    device.event("ended");
    device.close_input();
    device.exit();
    let device = folder(&world, "device");
    let said = verified(&[&device, "--with", &folder(&world, "operator")]);
    let note = "(session-ended in session ";
    assert!(said.contains(note), "{said}");
    assert!(said.contains("not countersigned 1\n"), "{said}");
    let shown = text(&audit(&["show", &device]).stdout);
    assert!(shown.contains(note), "{shown}");
}
