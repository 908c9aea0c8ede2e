//! No way to the relay, or none that may be gone: each has its own code, sentence and exit.

use std::{fs, net::UdpSocket, path::Path};

use serde_json::json;

use crate::{
    agent::Agent,
    relay::Relay,
    world::{World, bare, code, wrong},
};

/// What the operator's and the device's side tell of the relay at `host`: the error, its words, the exit.
struct Told {
    operator: String,
    device: String,
}

/// Tries the way to a relay from both sides, and checks that both fail with `code`, in words, and end with `exit`.
fn fails(world: &World, host: &str, port: u16, trust: &[&str], code: &str, exit: i32) -> Told {
    let command = |role| {
        let mut command = world.command_to(role, role, host, port);
        command.args(trust);
        command
    };
    fs::write(world.path("code"), wrong("000000000000", 0)).expect("written");
    let mut for_one_code = command("device");
    for_one_code.arg("--code-file").arg(world.path("code"));
    let mut sides = [
        world.start(command("assist"), "assist"),
        world.start(for_one_code, "device"),
    ];
    // Both wait at the same time.
    let words = sides.each_mut().map(|side| {
        let told = side.problem(code)["message"]
            .as_str()
            .expect("words")
            .to_owned();
        side.event("ended");
        assert_eq!(side.exit(), exit);
        assert_eq!(side.told.last().expect("lines")["event"], "ended");
        assert!(side.log().contains("alongside-agent: "), "{}", side.log());
        told
    });
    let [operator, device] = words;
    Told { operator, device }
}

fn ca(relay: &Relay) -> String {
    relay.ca.to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_relay_that_does_not_answer_is_unreachable_and_a_device_waits_for_another_try() {
    let world = World::new();
    // Taken, so that nobody else answers there.
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let port = silent.local_addr().expect("bound").port();
    let mut command = world.command_to("device", "waiting", "127.0.0.1", port);
    command.arg("--relay-ca").arg(&world.relay.ca);
    let mut device = world.start(command, "waiting");
    let asked = device.say(json!({"do": "enter-code", "code": wrong("000000000000", 0)}));

    let told = fails(
        &world,
        "127.0.0.1",
        port,
        &["--relay-ca", &ca(&world.relay)],
        "relay-unreachable",
        3,
    );
    for words in [&told.operator, &told.device] {
        assert!(
            words.contains("does not answer") && words.contains("UDP"),
            "{words}"
        );
    }

    let reply = device.reply(asked);
    assert_eq!(reply["code"], "relay-unreachable", "{reply}");
    device.ok(json!({"do": "snapshot", "file": world.path("still.png")}));
}

#[test]
fn a_name_that_does_not_resolve_is_told_as_such() {
    let world = World::new();
    // A label beyond 63 bytes (RFC 1035, section 2.3.4): refused without asking a server.
    let host = format!("{}.example", "a".repeat(64));
    let told = fails(&world, &host, 443, &[], "no-dns", 3);
    assert!(
        told.operator.contains(&host) && told.operator.contains("DNS"),
        "{}",
        told.operator
    );
    assert!(
        told.device.contains("name") && told.device.contains("DNS"),
        "{}",
        told.device
    );
}

#[test]
fn a_certificate_for_another_name_is_told_as_such() {
    let world = World::new();
    let relay = Relay::start_on(&world.path("everywhere"), "", "0.0.0.0");
    let told = fails(
        &world,
        "127.0.0.2",
        relay.port,
        &["--relay-ca", &ca(&relay)],
        "relay-name",
        3,
    );
    assert!(told.operator.contains("127.0.0.2"), "{}", told.operator);
    assert!(told.device.contains("another name"), "{}", told.device);
}

#[test]
fn a_relay_that_is_not_trusted_is_told_as_such_with_what_to_give() {
    let world = World::new();
    let port = world.relay.port;
    let stranger = Relay::start(&world.path("stranger"), "");
    for trust in [&[][..], &["--relay-ca", &ca(&stranger)]] {
        let told = fails(&world, "127.0.0.1", port, trust, "relay-untrusted", 3);
        for words in [&told.operator, &told.device] {
            assert!(
                words.contains("trusted") && words.contains("pin"),
                "{words}"
            );
            assert!(words.contains("Alongside relay private CA"), "{words}");
        }
    }
    let told = fails(
        &world,
        "127.0.0.1",
        port,
        &["--relay-pin", &"0".repeat(64)],
        "relay-untrusted",
        3,
    );
    assert!(told.operator.contains("pinned"), "{}", told.operator);
}

#[test]
fn an_operator_whom_the_relay_does_not_know_learns_the_key_and_where_to_add_it() {
    let world = World::with_operators("# nobody yet\n");
    let mut operator = world.operator();
    let told = operator.refused(json!({"do": "code"}), "relay-refused");
    let end = operator.event("ended");
    assert_eq!(
        (&end["by"], &end["reason"]),
        (&json!("relay"), &json!("relay-closed"))
    );
    assert_eq!(operator.exit(), 4);
    let words = told["message"].as_str().expect("words");
    let (_, rest) = words.split_once("[operators.").expect("the table");
    let (key, _) = rest.split_once(']').expect("the key");
    assert!(
        key.len() == 64 && words.contains("operators.toml"),
        "{words}"
    );
    assert!(operator.log().contains(words), "{}", operator.log());

    // With that line in the file the same operator is let in, by the name that the relay confirms.
    let table =
        format!("[operators.{key}]\nname = \"Dana Reyes\"\norganisation = \"Example Support\"\n");
    fs::write(world.relay.folder().join("operators.toml"), table).expect("written");
    let (mut operator, mut device) = (world.operator(), world.device());
    let code = code(&mut operator);
    device.ok(json!({"do": "enter-code", "code": code}));
    let card = device.event("connected")["operator"].clone();
    assert_eq!(
        (&card["name"], &card["organisation"]),
        (&json!("Dana Reyes"), &json!("Example Support"))
    );
    assert_eq!(
        (&card["confirmed"], &card["key"]),
        (&json!(true), &json!(key))
    );
}

#[test]
fn an_operator_let_in_without_a_table_is_unverified() {
    let world = World::new();
    let (mut operator, mut device) = (world.operator(), world.device());
    let code = code(&mut operator);
    device.ok(json!({"do": "enter-code", "code": code}));
    let card = device.event("connected")["operator"].clone();
    assert_eq!(
        (&card["name"], &card["confirmed"]),
        (&json!("Dana"), &json!(false)),
        "{card}"
    );
}

#[test]
fn an_unknown_key_in_the_settings_file_is_named_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("agent.toml");
    fs::write(
        &file,
        "relay = \"relay.example\"\n\n[device]\nserail = \"B7\"\n",
    )
    .expect("written");
    for role in ["device", "assist"] {
        let mut side = settings(folder.path(), role, &[], |command| {
            command.arg("--config").arg(&file);
        });
        assert_eq!(side.exit(), 2);
        let says = side.log();
        assert!(
            says.contains("line 4: ") && says.contains("`serail`") && says.contains("`serial`"),
            "{says}"
        );
        assert_eq!((says.lines().count(), side.told.len()), (1, 0), "{says}");
    }
}

#[test]
fn the_command_line_wins_over_the_environment_and_the_environment_over_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("agent.toml");
    fs::write(
        &file,
        "relay = \"relay.example\"\n[device]\nserial = \"FILE\"\n",
    )
    .expect("written");
    let serial = |flag: &[&str], environment: Option<&str>| {
        let mut device = settings(folder.path(), "device", flag, |command| {
            command.env("ALONGSIDE_CONFIG", &file);
            if let Some(serial) = environment {
                command.env("ALONGSIDE_SERIAL", serial);
            }
        });
        device.event("ready")["serial"].clone()
    };
    assert_eq!(serial(&[], None), "FILE");
    assert_eq!(serial(&[], Some("ENVIRONMENT")), "ENVIRONMENT");
    assert_eq!(serial(&["--serial", "FLAG"], Some("ENVIRONMENT")), "FLAG");
}

#[test]
fn a_wrong_command_line_ends_with_2_and_says_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    for (flags, says) in [
        (&[][..], "--relay"),
        (&["--relay", "https://relay.example/"][..], "without scheme"),
        (
            &["--relay", "relay.example", "--relay-pin", "ff"],
            "64 hexadecimal digits",
        ),
        (
            &["--relay", "relay.example", "--relay-ca", "nowhere.pem"],
            "cannot read nowhere.pem",
        ),
        (&["--relay", "relay.example", "--code", "123"], "--code"),
    ] {
        let mut side = settings(folder.path(), "device", flags, |_| {});
        assert_eq!(side.exit(), 2);
        assert!(side.log().contains(says), "{flags:?}: {}", side.log());
    }
}

fn settings(
    folder: &Path,
    role: &str,
    flags: &[&str],
    change: impl FnOnce(&mut std::process::Command),
) -> Agent {
    let mut command = bare();
    command.args([role, "--stdio"]).args(flags);
    command.arg("--state").arg(folder.join(role));
    change(&mut command);
    Agent::start(command, &folder.join("stderr"))
}
