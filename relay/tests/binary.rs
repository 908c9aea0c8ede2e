//! The program itself: what it prints and how it ends.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Output, Stdio},
};

use alongside_protocol::relay::{LegCheck, Role};
use alongside_transport::{Identity, leg::cid};
use common::{RelayAt, TempDir, TestLeg, patient};
use rustix::process::{Pid, Signal, kill_process};

fn relay(dir: &TempDir, args: &[&str]) -> Command {
    relay_on(dir, 0, args)
}

fn relay_on(dir: &TempDir, port: u16, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alongside-relay"));
    command
        .env_clear()
        .args(["--listen", "127.0.0.1", "--danger-port", &port.to_string()]);
    command.arg("--state").arg(dir.path()).args(args);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    line
}

fn failed(output: &Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    text.lines().last().unwrap().to_owned()
}

#[test]
fn json_prints_one_line_when_ready_and_sigterm_ends_it_well() {
    let dir = TempDir::new();
    let mut child = relay(&dir, &["--json"]).spawn().unwrap();
    let line: serde_json::Value = serde_json::from_str(&first_line(&mut child)).unwrap();
    assert_eq!(
        (&line["event"], &line["tcp"]),
        (&"listening".into(), &line["udp"])
    );
    let udp: std::net::SocketAddr = line["udp"].as_str().unwrap().parse().unwrap();
    assert!(udp.ip().is_loopback() && udp.port() != 0);
    let ca = std::fs::read_to_string(line["ca"].as_str().unwrap()).unwrap();
    assert!(ca.starts_with("-----BEGIN CERTIFICATE-----"));

    let second = relay(&dir, &["--json"]).output().unwrap();
    let says = failed(&second, 1);
    assert!(says.contains("another relay works in"), "{says}");
    assert!(second.stdout.is_empty());

    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::TERM).unwrap();
    let mut rest = String::new();
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_to_string(&mut rest)
        .unwrap();
    assert_eq!(rest, "", "nothing but the one line");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let log = String::from_utf8(output.stderr).unwrap();
    for said in [
        "private CA",
        "nobody may hand out codes yet",
        "not on port 443",
    ] {
        assert!(log.contains(said), "{said}: {log}");
    }
}

#[test]
fn wrong_usage_and_wrong_configuration_end_with_2() {
    let dir = TempDir::new();
    let output = relay(&dir, &["--port", "1"]).output().unwrap();
    failed(&output, 2);
    let file = dir.path().join("relay.toml");
    std::fs::write(&file, "listen = \"127.0.0.1\"\nprot = 1\n").unwrap();
    let says = failed(
        &relay(&dir, &["--config", file.to_str().unwrap()])
            .output()
            .unwrap(),
        2,
    );
    assert!(says.contains("line 2: unknown field `prot`"), "{says}");
}

#[test]
fn a_taken_port_ends_with_1_and_says_what_to_do() {
    let dir = TempDir::new();
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_alongside-relay"));
    command
        .env_clear()
        .env("ALONGSIDE_RELAY_DANGER_PORT", &port)
        .args(["--listen", "127.0.0.1"]);
    let output = command.arg("--state").arg(dir.path()).output().unwrap();
    let says = failed(&output, 1);
    assert!(
        says.contains("another program has the port") && says.contains(&port),
        "{says}"
    );
}

#[test]
fn help_teaches_the_operators_file() {
    let dir = TempDir::new();
    let output = relay(&dir, &["--help"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for said in [
        "operators.toml",
        "--danger-port",
        "ALONGSIDE_RELAY_STATE",
        "Exit status",
    ] {
        assert!(text.contains(said), "{said}");
    }
}

#[test]
fn the_log_filter_says_how_much_and_a_bad_one_is_named() {
    let dir = TempDir::new();
    for (filter, says, hides) in [
        ("error", "", "relay listens"),
        ("info", "relay listens", "is not understood"),
        (
            "alongside=loud",
            "ALONGSIDE_LOG_FILTER is not understood; logging info",
            "panicked",
        ),
    ] {
        let mut child = relay(&dir, &["--json"])
            .env("ALONGSIDE_LOG_FILTER", filter)
            .spawn()
            .unwrap();
        first_line(&mut child);
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let output = child.wait_with_output().unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(
            log.contains(says) && !log.contains(hides),
            "{filter}: {log}"
        );
    }
}

#[tokio::test]
async fn a_relay_that_was_killed_resets_stale_legs_at_once_and_takes_their_tokens_again() {
    let dir = TempDir::new();
    let mut child = relay(&dir, &["--json"]).spawn().unwrap();
    let address = listening_at(&first_line(&mut child));
    let at = RelayAt { dir, address };
    let (identity, token) = (Identity::generate().unwrap(), cid::random_token());
    let copy = Identity::from_pkcs8(&identity.to_pkcs8().unwrap()).unwrap();
    let mut leg = TestLeg::join(&at, Role::Device, identity, token)
        .await
        .unwrap();

    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    let mut child = relay_on(&at.dir, address.port(), &["--json"])
        .spawn()
        .unwrap();
    assert_eq!(listening_at(&first_line(&mut child)), address);

    leg.send(LegCheck { n: 1 }).await;
    let lost = patient(leg.connection.closed()).await;
    assert!(matches!(lost, quinn::ConnectionError::Reset), "{lost:?}");
    TestLeg::join(&at, Role::Device, copy, token).await.unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

fn listening_at(line: &str) -> std::net::SocketAddr {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    line["udp"].as_str().unwrap().parse().unwrap()
}
