//! Operator and device as processes, and no relay anywhere.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::UdpSocket,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::json;

use crate::{
    agent::Agent,
    world::{bare, code, wrong},
};

const SECRET: usize = 7;

fn side(folder: &Path, role: &str, flags: &[&str]) -> Agent {
    let mut command = bare();
    command.args([role, "--stdio"]).args(flags);
    command.arg("--state").arg(folder.join(role));
    Agent::start(command, &folder.join(format!("{role}.stderr")))
}

fn operator(folder: &Path) -> (Agent, String) {
    let flags = ["--name", "Dana", "--listen", "127.0.0.1:0"];
    let mut operator = side(folder, "assist", &flags);
    let ready = operator.event("ready");
    let at = ready["listens"].as_str().expect("an address").to_owned();
    (operator, at)
}

#[test]
fn device_and_operator_meet_at_the_operators_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut operator, at) = operator(folder.path());
    let flags = ["--serial", "SN-1", "--operator", &at];
    let mut device = side(folder.path(), "device", &flags);
    device.event("ready");
    let code = code(&mut operator);
    device.ok(json!({"do": "enter-code", "code": wrong(&code, SECRET)}));
    for side in [&mut device, &mut operator] {
        let told = side.problem("code-wrong");
        assert_eq!(told["tries_left"], 2, "{told}");
    }
    // The number alone is wrong: it costs the code nothing.
    device.refused(
        json!({"do": "enter-code", "code": wrong(&code, 0)}),
        "code-unknown",
    );
    device.ok(json!({"do": "enter-code", "code": code}));
    let card = device.event("connected")["operator"].clone();
    assert_eq!(
        (&card["name"], &card["confirmed"]),
        (&json!("Dana"), &json!(false)),
        "{card}"
    );
    assert_eq!(operator.event("connected")["serial"], "SN-1");
    operator.until("an exact picture", |line| {
        line["event"] == "panel" && line["exact"] == true
    });
    let way = operator.event("path");
    assert_eq!(way["kind"], "direct", "{way}");
    device.ok(json!({"do": "exit"}));
    let end = operator.event("ended");
    assert_eq!(
        (&end["by"], &end["reason"]),
        (&json!("customer"), &json!("exit"))
    );
    assert_eq!(operator.exit(), 0);
}

#[test]
fn where_nobody_listens_the_device_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    // Taken, so that nobody else answers there.
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let at = silent.local_addr().expect("bound").to_string();
    fs::write(folder.path().join("code"), wrong("000000000000", 0)).expect("written");
    let file = folder.path().join("code");
    let file = file.to_str().expect("UTF-8");
    let flags = ["--serial", "SN-1", "--operator", &at, "--code-file", file];
    let mut device = side(folder.path(), "device", &flags);
    device.event("ended");
    assert_eq!(device.exit(), 3);
    let says = device.log();
    assert!(
        says.contains("nobody answers at the operator's address"),
        "{says}"
    );
}

#[test]
fn an_address_that_is_taken_is_told_as_such() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let at = taken.local_addr().expect("bound").to_string();
    let mut operator = side(folder.path(), "assist", &["--listen", &at]);
    assert_eq!(operator.exit(), 3);
    let says = operator.log();
    assert!(
        says.contains("cannot listen on") && says.contains(&at),
        "{says}"
    );
}

/// Ends with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_person_is_shown_address_and_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command: Command = bare();
    command.args(["assist", "--listen", "127.0.0.1:0", "--state"]);
    command.arg(folder.path().join("assist"));
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut assist = Running(command.spawn().expect("it starts"));
    let output = BufReader::new(assist.0.stdout.take().expect("piped"));
    let mut lines = output.lines().map_while(Result::ok);
    let line = lines
        .find(|line| line.starts_with("Listening on "))
        .expect("an address");
    let at = line.split(' ').nth(2).expect("an address").to_owned();
    let line = lines.next().expect("a code");
    let code: String = line.chars().filter(char::is_ascii_digit).take(12).collect();
    assert!(
        line.starts_with("Code: ") && line.ends_with("for 10 minutes"),
        "{line}"
    );
    let flags = ["--serial", "SN-1", "--operator", &at];
    let mut device = side(folder.path(), "device", &flags);
    device.event("ready");
    device.ok(json!({"do": "enter-code", "code": code}));
    device.event("connected");
}
