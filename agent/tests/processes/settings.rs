//! Settings between real processes: asked, shown, allowed, made, confirmed; or as they were.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use alongside::{Compartment, protocol::ids::ModeId};
use serde_json::{Value, json};

use crate::{
    administrator::{RIGHT, WRONG, set},
    agent::Agent,
    world::{World, bare, meet},
};

const CONFIG: &str = ModeId::ENGINEER_CONFIG;

/// From the user guide to engineer config, by way of a wrong ID.
pub fn raise(operator: &mut Agent, device: &mut Agent) {
    operator.refused(json!({"do": "settings-get"}), "not-allowed");
    operator.ok(json!({"do": "mode", "mode": CONFIG}));
    assert_eq!(operator.event("mode")["state"], "asked");
    let asked = device.event("asked");
    assert_eq!(
        (&asked["mode"], &asked["wants_admin_id"]),
        (&json!(CONFIG), &json!(true))
    );
    assert!(asked.get("differences").is_none());
    device.refused(json!({"do": "allow", "admin_id": WRONG}), "admin-id-wrong");
    device.ok(json!({"do": "allow", "admin_id": RIGHT}));
    active(operator);
}

fn active(operator: &mut Agent) {
    operator.until("engineer config", |line| {
        line["mode"] == CONFIG && line["state"] == "active"
    });
}

/// The settings of a group, and their version.
pub fn get(operator: &mut Agent, path: &str) -> (u64, Value) {
    operator.ok(json!({"do": "settings-get", "path": path}));
    let settings = operator.event("settings");
    (
        settings["version"].as_u64().unwrap(),
        settings["values"].clone(),
    )
}

fn change(path: &str, value: Value) -> Value {
    json!({"do": "settings-apply", "changes": [{"path": path, "value": value}]})
}

fn result(operator: &mut Agent) -> Value {
    operator.event("settings-result")
}

pub fn results(operator: &mut Agent, states: &[&str]) {
    for state in states {
        let told = result(operator);
        assert_eq!(told["state"], *state, "{told}");
    }
}

/// Proposes what `command` says, which the customer allows.
pub fn apply(operator: &mut Agent, device: &mut Agent, command: Value) -> Value {
    operator.ok(command);
    results(operator, &["asked"]);
    let asked = device.event("asked");
    device.ok(json!({"do": "allow"}));
    asked["differences"].clone()
}

#[test]
fn settings_are_changed_with_the_customers_word_on_each_change() {
    let world = World::new();
    assert_eq!(set(&world, RIGHT).status.code(), Some(0));
    let (mut operator, mut device) = world.session();
    raise(&mut operator, &mut device);
    operator.ok(json!({"do": "settings-schema"}));
    let mut settings = 0;
    loop {
        let line = operator.event("settings-schema");
        settings += line["schema"]["settings"].as_array().unwrap().len();
        if line["more"] != true {
            break;
        }
    }
    assert!(settings > 190, "{settings}");
    let (version, values) = get(&mut operator, "trays.tray-1");
    assert_eq!(values["trays.tray-1.size"], "A4");
    assert!(
        values
            .as_object()
            .unwrap()
            .keys()
            .all(|path| path.starts_with("trays.tray-1."))
    );

    let seen = json!({"do": "settings-apply", "changes": [
        {"path": "trays.tray-1.size", "value": "A3", "if_version": version},
        {"path": "mail.password", "value": "a secret of the machine"},
    ]});
    let differences = apply(&mut operator, &mut device, seen.clone());
    assert_eq!(differences[0]["before"], "A4");
    assert_eq!(differences[0]["after"], "A3");
    assert_eq!(differences[1]["after"], json!({"secret": true}));
    results(&mut operator, &["applied", "confirmed"]);
    let (_, values) = get(&mut operator, "");
    assert_eq!(values["trays.tray-1.size"], "A3");
    assert_eq!(values["mail.password"], Value::Null, "set, and not shown");

    operator.ok(seen);
    results(&mut operator, &["conflict"]);
    for (path, value, says) in [
        ("trays.tray-1.size", json!("A99"), "choices"),
        ("timers.sleep", json!("soon"), "whole number"),
        ("timers.sleep", json!(1_000_000), "at most"),
        ("trays.tray-77.size", json!("A4"), "no such setting"),
    ] {
        operator.ok(change(path, value));
        let told = result(&mut operator);
        assert_eq!(
            (&told["state"], &told["reason"]),
            (&json!("refused"), &json!("invalid"))
        );
        let words = told["errors"][path].as_str().unwrap();
        assert!(words.contains(says), "{words}");
    }
    operator.ok(change("trays.tray-1.size", json!("A5")));
    results(&mut operator, &["asked"]);
    device.event("asked");
    device.ok(json!({"do": "refuse"}));
    let told = result(&mut operator);
    assert_eq!(
        (&told["state"], &told["reason"]),
        (&json!("refused"), &json!("customer"))
    );

    let back = apply(&mut operator, &mut device, json!({"do": "settings-undo"}));
    assert!(
        back.as_array()
            .unwrap()
            .iter()
            .any(|one| one["after"] == "A4"),
        "{back}"
    );
    results(&mut operator, &["applied", "confirmed"]);
    assert_eq!(get(&mut operator, "trays").1["trays.tray-1.size"], "A4");
    // The panel's picture flows in this mode as in all.
    let is_active = |line: &Value| line["mode"] == CONFIG && line["state"] == "active";
    let since = operator.told.iter().position(is_active).unwrap();
    let after = operator.told.iter().skip(since);
    assert!(after.clone().any(|line| line["event"] == "panel"));
    for log in [device.log(), operator.log()] {
        assert!(!log.contains("a secret of the machine"), "{log}");
    }
    let audit = fs::read_to_string(world.path("device").join("audit.jsonl")).unwrap();
    assert!(!audit.contains("a secret of the machine"));
    for record in [
        "settings-proposed",
        "settings-asked",
        "settings-allowed",
        "\"path\":\"mail.password\"",
    ] {
        assert!(audit.contains(record), "{record}");
    }
}

/// A device whose settings are in files, with what makes programs read them again.
pub fn with_files(world: &World, rest: &str) -> PathBuf {
    let schema = r#"{ "type": "object", "properties": {
        "lamp": { "type": "object", "properties": {
            "level": { "type": "integer", "title": "Level", "minimum": 0, "maximum": 10 },
            "colour": { "type": "string" } } },
        "fan": { "type": "object", "properties": { "speed": { "type": "integer" } } } } }"#;
    fs::write(world.path("schema.json"), schema).unwrap();
    fs::write(
        world.path("lamp.toml"),
        "# how bright\nlevel = 3\ncolour = \"white\"\n",
    )
    .unwrap();
    fs::write(world.path("fan.ini"), "; how fast\nspeed = 7\n").unwrap();
    let path = |name| world.path(name).display().to_string();
    let config = format!(
        "[settings]\nschema = {:?}\n{rest}\n\
         [[settings.files]]\npath = {:?}\nformat = \"toml\"\ngroup = \"lamp\"\n\
         [[settings.files]]\npath = {:?}\nformat = \"ini\"\ngroup = \"fan\"\n",
        path("schema.json"),
        path("lamp.toml"),
        path("fan.ini"),
    );
    fs::write(world.path("device.toml"), config).unwrap();
    world.path("device.toml")
}

pub fn device_with(world: &World, config: &PathBuf) -> Agent {
    let mut command = world.command("device", "device");
    command.args(["--serial", "SN-1", "--config"]).arg(config);
    command.env("PATH", "/usr/bin:/bin");
    let mut device = world.start(command, "device");
    device.event("ready");
    device
}

fn both() -> Value {
    json!({"do": "settings-apply", "changes": [
        {"path": "lamp.level", "value": 9}, {"path": "fan.speed", "value": 1}]})
}

pub fn files(world: &World) -> (String, String) {
    let read = |name| fs::read_to_string(world.path(name)).unwrap();
    (read("lamp.toml"), read("fan.ini"))
}

pub fn as_they_were() -> (String, String) {
    (
        "# how bright\nlevel = 3\ncolour = \"white\"\n".to_owned(),
        "; how fast\nspeed = 7\n".to_owned(),
    )
}

#[test]
fn files_keep_their_comments_and_a_reload_that_fails_or_hangs_leaves_them_as_they_were() {
    let world = World::new();
    assert_eq!(set(&world, RIGHT).status.code(), Some(0));
    for (rest, states, says) in [
        (
            "reload = [\"true\"]\nhealth = [\"true\"]",
            &["applied", "confirmed"][..],
            None,
        ),
        ("reload = [\"false\"]", &["stuck"], Some("reload")),
        (
            "reload = [\"sleep\", \"600\"]\ntime-limit-s = 1",
            &["stuck"],
            Some("longer than 1 s"),
        ),
    ] {
        let config = with_files(&world, rest);
        let (mut operator, mut device) = (world.operator(), device_with(&world, &config));
        meet(&mut operator, &mut device);
        raise(&mut operator, &mut device);
        let differences = apply(&mut operator, &mut device, both());
        assert_eq!(differences.as_array().unwrap().len(), 2);
        for state in states {
            let told = result(&mut operator);
            assert_eq!(told["state"], *state, "{told}");
            if let Some(says) = says {
                let words = told["errors"][""].as_str().unwrap();
                assert!(words.contains(says), "{words}");
            }
        }
        let expected = if says.is_none() {
            (
                "# how bright\nlevel = 9\ncolour = \"white\"\n".to_owned(),
                "; how fast\nspeed = 1\n".to_owned(),
            )
        } else {
            as_they_were()
        };
        assert_eq!(files(&world), expected);
        operator.ok(json!({"do": "end"}));
        device.event("ended");
        // What could not be reloaded is tried again at the next start; here it never works.
        device.kill();
        let _ = fs::remove_file(world.path("device").join("settings"));
    }
}

#[test]
fn a_device_that_is_killed_before_a_change_is_confirmed_is_as_it_was() {
    let world = World::new();
    assert_eq!(set(&world, RIGHT).status.code(), Some(0));
    let config = with_files(&world, "");
    let (mut operator, mut device) = (world.operator(), device_with(&world, &config));
    meet(&mut operator, &mut device);
    raise(&mut operator, &mut device);
    apply(&mut operator, &mut device, both());
    results(&mut operator, &["applied"]);
    device.kill();
    assert!(files(&world) != as_they_were());
    let mut again = device_with(&world, &config);
    let path = world.path("device").join("audit.jsonl");
    // Taken back before the first code is looked at.
    let problem = again.ask(json!({"do": "enter-code", "code": "000000000000"}));
    assert_eq!(problem["event"], "error");
    let mut left = 100;
    while files(&world) != as_they_were() && left > 0 {
        again.ask(json!({"do": "refuse"}));
        left -= 1;
    }
    assert_eq!(files(&world), as_they_were());
    again.close_input();
    again.exit();
    let audit = fs::read_to_string(path).unwrap();
    assert!(
        audit.contains("\"stage\":\"rolled-back\",\"why\":\"restarted\""),
        "{audit}"
    );
}

#[test]
fn an_operator_who_is_gone_confirms_nothing() {
    let world = World::new();
    assert_eq!(set(&world, RIGHT).status.code(), Some(0));
    let config = with_files(&world, "");
    let (mut operator, mut device) = (world.operator(), device_with(&world, &config));
    meet(&mut operator, &mut device);
    raise(&mut operator, &mut device);
    apply(&mut operator, &mut device, both());
    results(&mut operator, &["applied"]);
    operator.kill();
    device.ok(json!({"do": "exit"}));
    device.event("ended");
    device.close_input();
    device.exit();
    assert_eq!(files(&world), as_they_were());
}

#[test]
fn in_sleep_the_owners_policy_is_the_word_and_a_trace_is_always_left() {
    let world = World::new();
    let keys = Compartment::open(&world.path("operator")).unwrap();
    let key = keys.identity().unwrap().public_key();
    Compartment::open(&world.path("device")).unwrap();
    let policy = world.path("device").join("policy.toml");
    fs::write(
        &policy,
        format!("[[sleep]]\noperator = \"{key}\"\nserials = [\"SN-*\"]\n"),
    )
    .unwrap();
    fs::set_permissions(&policy, fs::Permissions::from_mode(0o644)).unwrap();
    let checked = bare()
        .args(["policy", "check", "--state"])
        .arg(world.path("device"))
        .output()
        .unwrap();
    assert_eq!(checked.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&checked.stdout).contains("1 operator"));

    let (mut operator, mut device) = world.session();
    operator.ok(json!({"do": "mode", "mode": CONFIG}));
    active(&mut operator);
    assert_eq!(operator.event("surface")["surface"], "none");
    operator.ok(change("trays.tray-1.size", json!("A3")));
    results(&mut operator, &["applied", "confirmed"]);
    assert!(!device.told.iter().any(|line| line["event"] == "asked"));
    operator.ok(json!({"do": "end"}));
    device.event("ended");
    let audit = fs::read_to_string(world.path("device").join("audit.jsonl")).unwrap();
    assert!(audit.contains("\"by_policy\":true"), "{audit}");

    fs::write(&policy, "[[sleep]]\noperator = \"12\"\nserials = []\n").unwrap();
    let checked = bare()
        .args(["policy", "check"])
        .arg(&policy)
        .output()
        .unwrap();
    assert_eq!(checked.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&checked.stderr).contains("line 2"));
}
