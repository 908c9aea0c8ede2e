//! A compartment that cannot be written: what was granted ends, and both sides say why.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    agent::Agent,
    common::is_lab,
    world::{World, code, meet},
};

const LAB: &str = "a full disk needs root, unshare and mount";

/// Starts a device whose state is in a file system of its own, which nobody else sees, after `then` in a shell there.
fn device_on(world: &World, options: &str, then: &str) -> Agent {
    let state = world.path("device");
    fs::create_dir_all(&state).expect("a folder");
    let mut plain = world.command("device", "device");
    plain.args(["--serial", "SN-1"]);
    let mut command = Command::new("unshare");
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.args(["--mount", "sh", "-ec"]);
    // The shell becomes the device, so that whoever kills one has killed both.
    command.arg(format!(
        "mount -t tmpfs -o {options} tmpfs \"$1\"; cd \"$1\"; {then}; shift; exec \"$@\""
    ));
    command.arg("sh").arg(&state).arg(plain.get_program());
    command.args(plain.get_args());
    world.start(command, "device")
}

/// The device's folder as it sees it itself.
fn inside(world: &World, device: &Agent) -> PathBuf {
    let state = world.path("device");
    let below = state.strip_prefix("/").expect("a whole path");
    Path::new("/proc")
        .join(device.pid().to_string())
        .join("root")
        .join(below)
}

/// Fills the file system that `folder` is on.
fn fill(folder: &Path) {
    let mut file = File::create(folder.join("something-else")).expect("a file");
    let mut size = 64 * 1024;
    while size > 0 {
        if file.write_all(&vec![0x5a; size]).is_err() {
            size /= 2;
        }
    }
}

fn failed(event: &Value) {
    assert_eq!(
        (&event["by"], &event["reason"]),
        (&json!("device"), &json!("record-failed")),
        "{event}"
    );
}

#[test]
fn a_disk_that_is_full_ends_the_session_with_that_reason_on_both_sides() {
    if !is_lab(LAB) {
        return;
    }
    let world = World::new();
    let mut device = device_on(&world, "size=512k,mode=0700", "true");
    device.event("ready");
    let mut operator = world.operator();
    meet(&mut operator, &mut device);
    fill(&inside(&world, &device));
    // What is drawn leaves a record before it is drawn; some fit into what a file's last block has left.
    let mut drawn = 0;
    let ended = loop {
        let points = json!([[drawn, 20], [drawn + 9, 40]]);
        operator.say(
            json!({"do": "stroke", "id": drawn + 1, "color": "#ff0000", "width": 3,
            "points": points, "done": true}),
        );
        let next = device.until("a stroke or the end", |line| {
            line["event"] == "annotation" || line["event"] == "ended"
        });
        if next["event"] == "ended" {
            break next;
        }
        drawn += 1;
        assert!(drawn < 200, "{drawn} strokes were recorded on a full disk");
    };
    failed(&ended);
    failed(&operator.event("ended"));
    assert!(
        device.log().contains("the audit cannot be kept"),
        "{}",
        device.log()
    );
    operator.exit();

    // With room again there are sessions again, and the audit goes on.
    fs::remove_file(inside(&world, &device).join("something-else")).expect("removed");
    let mut operator = world.operator();
    meet(&mut operator, &mut device);
    device.ok(json!({"do": "exit"}));
    operator.event("ended");
    let copy = world.path("copy.jsonl");
    fs::copy(inside(&world, &device).join("audit.jsonl"), &copy).expect("copied");
    let mut verify = crate::world::bare();
    verify.args(["audit", "verify"]).arg(&copy);
    let verified = verify.output().expect("the agent's program");
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
}

#[test]
fn a_compartment_that_is_read_only_lets_no_session_begin_and_the_device_says_why() {
    if !is_lab(LAB) {
        return;
    }
    let world = World::new();
    // A device that was there before, and whose disk is not written any more.
    let mut device = world.device();
    device.close_input();
    device.exit();
    let kept = world.path("kept");
    fs::rename(world.path("device"), &kept).expect("moved");
    let then = format!("cp -a {}/. .; mount -o remount,ro .", kept.display());
    let mut device = device_on(&world, "size=4m,mode=0700", &then);
    device.event("ready");
    let mut operator = world.operator();
    let code = code(&mut operator);
    let reply = device.ask(json!({"do": "enter-code", "code": code}));
    if reply["event"] == "ok" {
        device.problem("record-failed");
    } else {
        assert_eq!(reply["code"], "record-failed", "{reply}");
    }
    // No guess was tested, so the code lives on: another device takes it.
    let mut command = world.command("device", "another");
    command.args(["--serial", "SN-2"]);
    let mut another = world.start(command, "another");
    another.event("ready");
    another.ok(json!({"do": "enter-code", "code": code}));
    another.event("connected");
}
