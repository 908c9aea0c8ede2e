//! What must never leak: the code's digits and the private keys. They are looked for in everything that three
//! processes say at TRACE, and in what every user of the machine can see of a process.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
};

use alongside::{
    Compartment, Device, DeviceConfig, Relay, Until,
    ports::Customer,
    protocol::{AccessCode, Serial, label::Label},
    status::Status,
};
use alongside_agent::{cli::LogFormat, log, panel::mfd::MfdPanel};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    agent::Agent,
    world::{World, code, wrong},
};

/// Something that must not be seen, in the forms that it could be printed in.
struct Canary {
    name: String,
    /// Found anywhere.
    anywhere: Vec<String>,
    /// Found as a word of its own: a few digits stand by chance within longer numbers.
    words: Vec<String>,
}

impl Canary {
    /// An access code: all of it, and its secret alone.
    fn of_code(code: &str) -> Self {
        let secret = &code[5..11];
        let grouped = |mark: &str| [&code[..4], &code[4..8], &code[8..]].join(mark);
        Self {
            name: "the code".to_owned(),
            anywhere: [
                code.to_owned(),
                grouped(" "),
                grouped("-"),
                format!("{} {}", &code[5..8], &code[8..11]),
            ]
            .into_iter()
            .chain(of_bytes(secret.as_bytes()))
            .chain([digits(secret)])
            .collect(),
            words: vec![secret.to_owned(), code[5..].to_owned()],
        }
    }

    /// A private key: either end of what makes it secret.
    fn of_key(name: String, secret: &[u8]) -> Self {
        let (first, last) = (&secret[..12], &secret[secret.len() - 12..]);
        Self {
            name,
            anywhere: of_bytes(first).chain(of_bytes(last)).collect(),
            words: Vec::new(),
        }
    }

    /// Fails if `text`, which is `what`, shows it.
    fn is_not_in(&self, what: &str, text: &str) {
        let at = self.find(text);
        let around = at.map(|at| {
            let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
            text[start..]
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(400)
                .collect::<String>()
        });
        assert!(around.is_none(), "{} is in {what}: {around:?}", self.name);
    }

    fn find(&self, text: &str) -> Option<usize> {
        let anywhere = self
            .anywhere
            .iter()
            .find_map(|form| text.find(form.as_str()));
        let word = || {
            self.words.iter().find_map(|word| {
                text.match_indices(word.as_str())
                    .map(|(at, _)| at)
                    .find(|at| {
                        let part_of_more = |c: char| c.is_ascii_alphanumeric() || c == '.';
                        let before = text[..*at].chars().next_back().is_some_and(part_of_more);
                        let after = text[at + word.len()..]
                            .chars()
                            .next()
                            .is_some_and(part_of_more);
                        !before && !after
                    })
            })
        };
        anywhere.or_else(word)
    }
}

/// Bytes as programs print them: hexadecimal both ways, base64 wherever its groups begin, a list of numbers.
fn of_bytes(bytes: &[u8]) -> impl Iterator<Item = String> + use<> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<_> = bytes.iter().map(u8::to_string).collect();
    let base64 = (0..3).map(|shift| {
        let shifted = [&vec![0; shift][..], bytes].concat();
        let text = STANDARD.encode(shifted);
        // The characters at either end hold bits of the neighbours.
        text[4.min(shift * 4)..text.len() - 4].to_owned()
    });
    let base64: Vec<_> = base64.collect();
    [hex.to_uppercase(), hex, list.join(", "), list.join(",")]
        .into_iter()
        .chain(base64)
}

/// Digits as a list of numbers.
fn digits(text: &str) -> String {
    text.chars()
        .map(String::from)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The private keys in a folder: PKCS#8 files, plain or PEM, and the relay's own.
fn keys_in(folder: PathBuf) -> Vec<Canary> {
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("a file").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if !name.contains("key") {
            continue;
        }
        let bytes = fs::read(&path).expect("readable");
        let secret = match name.strip_suffix(".pem") {
            Some(_) => {
                let text = String::from_utf8(bytes).expect("PEM");
                let body: String = text
                    .lines()
                    .filter(|line| !line.starts_with("--"))
                    .collect();
                STANDARD.decode(body).expect("base64")
            }
            None => bytes,
        };
        // An Ed25519 key in PKCS#8 (RFC 8410): what comes before the 32 bytes is the same in each.
        let seed = secret
            .windows(4)
            .position(|head| head == [0x04, 0x22, 0x04, 0x20]);
        let secret = match seed {
            Some(at) => &secret[at + 4..at + 36],
            // A P-256 key (RFC 5915): after the version comes the number.
            None => match secret
                .windows(5)
                .position(|head| head == [0x02, 0x01, 0x01, 0x04, 0x20])
            {
                Some(at) => &secret[at + 5..at + 37],
                None => &secret[..],
            },
        };
        found.push(Canary::of_key(
            format!("{name} of {}", folder.display()),
            secret,
        ));
    }
    assert!(!found.is_empty(), "no key in {}", folder.display());
    found
}

/// What every user of the machine can see of a process.
fn of_process(pid: u32) -> String {
    let read = |name: &str| fs::read(format!("/proc/{pid}/{name}"));
    // Its environment is for nobody but root.
    let environ = match read("environ") {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Vec::new(),
        environ => environ.expect("it runs"),
    };
    let text = [read("cmdline").expect("it runs"), environ].concat();
    String::from_utf8_lossy(&text).replace('\0', "\n")
}

fn told(agent: &Agent) -> String {
    agent.told.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn neither_code_nor_keys_leave_the_processes_by_log_output_or_process_table() {
    let world = World::new();
    let traced = |role: &str| {
        let mut command = world.command(role, role);
        command.env("ALONGSIDE_LOG_FILTER", "trace");
        command
    };
    let mut operator = world.start(traced("assist"), "assist");
    operator.event("ready");
    let mut device = world.start(traced("device"), "device");
    device.event("ready");
    let code = code(&mut operator);

    // A wrong code, a mistyped one, the right one; a session with everything in it.
    device.ok(json!({"do": "enter-code", "code": wrong(&code, 7)}));
    device.problem("code-wrong");
    device.refused(
        json!({"do": "enter-code", "code": format!("{}x", &code[..11])}),
        "code-malformed",
    );
    device.ok(json!({"do": "enter-code", "code": code}));
    device.event("connected");
    operator.event("connected");
    operator.until("an exact picture", |line| {
        line["event"] == "panel" && line["exact"] == true
    });
    world.snapshots(&mut operator, &mut device);
    operator.ok(json!({"do": "stroke", "id": 1, "color": "#ff0000", "width": 3, "points": [[1, 2]], "done": true}));
    device.event("annotation");
    let seen = [operator.pid(), device.pid(), world.relay.pid()].map(of_process);
    device.ok(json!({"do": "exit"}));
    operator.event("ended");
    assert_eq!(operator.exit(), 0);
    device.close_input();
    assert_eq!(device.exit(), 0);

    let mut canaries = vec![Canary::of_code(&code)];
    for folder in ["assist", "device", "relay"] {
        canaries.extend(keys_in(world.path(folder)));
    }
    assert!(
        canaries.len() >= 5,
        "the code, two identities, the relay's key and its certificate's"
    );
    let own_code = format!("\"code\":\"{code}\"");
    let shown = told(&operator);
    assert!(shown.contains(&own_code), "the operator reads it out");
    for canary in &canaries {
        for (what, text) in [
            ("the operator's log", operator.log()),
            ("the device's log", device.log()),
            ("the relay's log", world.relay.log()),
            ("the device's output", told(&device)),
            (
                "the operator's output beside the code itself",
                shown.replace(&own_code, ""),
            ),
            (
                "the access lines",
                fs::read_to_string(world.path("relay/access.jsonl")).expect("there"),
            ),
        ] {
            assert!(!text.is_empty(), "{what}");
            canary.is_not_in(what, &text);
        }
        for text in &seen {
            canary.is_not_in("a process's command line or environment", text);
        }
    }
    for log in [operator.log(), device.log(), world.relay.log()] {
        assert!(log.contains("TRACE"), "the logs are at TRACE");
    }
}

#[test]
fn a_code_from_a_file_is_not_in_the_process_table() {
    let world = World::new();
    let mut operator = world.operator();
    let code = code(&mut operator);
    fs::write(world.path("typed"), &code).expect("written");
    let mut command = world.command("device", "device");
    command.arg("--code-file").arg(world.path("typed"));
    let mut device = world.start(command, "device");
    device.event("connected");
    Canary::of_code(&code).is_not_in("the process table", &of_process(device.pid()));
}

#[test]
fn a_panic_in_mid_session_shows_neither_code_nor_keys() {
    let world = World::new();
    let mut operator = world.operator();
    let code = code(&mut operator);
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args([
            "--exact",
            "canary::a_device_whose_display_panics",
            "--ignored",
            "--nocapture",
        ])
        .env("RUST_BACKTRACE", "0")
        .env("ALONGSIDE_LOG_FILTER", "trace")
        .env(PANICS, world.path("panics"))
        .env("RELAY_PORT", world.relay.port.to_string())
        .env("RELAY_CA", &world.relay.ca)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this test once more");
    let mut input = child.stdin.take().expect("piped");
    writeln!(input, "{code}").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(!output.status.success());
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        said.contains("the display broke") && said.contains("TRACE"),
        "{said}"
    );
    let canaries = keys_in(world.path("panics"))
        .into_iter()
        .chain([Canary::of_code(&code)]);
    for canary in canaries {
        canary.is_not_in("what a panic prints", &said);
    }
}

/// Tells the test below that it was started by the one above.
const PANICS: &str = "ALONGSIDE_TEST_PANICS";

#[test]
#[ignore = "a part of the test above, in a process of its own"]
fn a_device_whose_display_panics() {
    let Some(state) = std::env::var_os(PANICS) else {
        return;
    };
    log::start(LogFormat::Text, "trace");
    let variable = |name| std::env::var(name).expect("set by the test above");
    let ca = fs::read(variable("RELAY_CA")).expect("a CA");
    let port = variable("RELAY_PORT").parse().expect("a port");
    let relay = Relay::new("127.0.0.1").expect("an address");
    let config = DeviceConfig {
        relay: relay.with_ca(ca).danger_with_port(port),
        serial: Serial::new("SN-1").expect("a serial"),
        model: Label::new("Panics").expect("a label"),
        compartment: Compartment::open(state.as_ref()).expect("a folder"),
    };
    let mut code = String::new();
    std::io::stdin().read_line(&mut code).expect("a code");
    let code = AccessCode::parse(code.trim()).expect("a code");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (device, handle, _events) =
            Device::new(config, Arc::new(MfdPanel::new()), Arc::new(Broken)).expect("a device");
        let (_end, _entered) = tokio::join!(device.run(Until::FirstCode), handle.enter_code(code));
    });
}

/// A display that panics when the session begins.
#[derive(Debug)]
struct Broken;

impl Customer for Broken {
    fn show(&self, status: &Status) {
        assert!(
            !matches!(status, Status::Active(_)),
            "the display broke at {status:?}"
        );
    }
}

#[test]
fn a_canary_is_found_in_whatever_form_it_is_printed() {
    let code = Canary::of_code("123456789012");
    for text in [
        "code=123456789012",
        "typed 1234 5678 9012 here",
        "secret: 678901,",
        "tail=6789012",
        "[6, 7, 8, 9, 0, 1]",
        "[54, 55, 56, 57, 48, 49]",
        "363738393031",
    ] {
        assert!(code.find(text).is_some(), "{text}");
    }
    for text in [
        "06:37:12.678901Z",
        "cid=a678901f",
        "16789012",
        "t=1678901234",
    ] {
        assert!(code.find(text).is_none(), "{text}");
    }
    let bytes: Vec<u8> = (100..132).collect();
    let key = Canary::of_key("a key".to_owned(), &bytes);
    for shift in 0..3 {
        let text = STANDARD.encode([&vec![9; shift][..], &bytes[..], &[1, 2, 3]].concat());
        assert!(key.find(&text).is_some(), "{text}");
    }
    assert!(key.find(&format!("{bytes:?}")).is_some());
    assert!(
        key.find(&format!("{:02X?}", bytes).replace(", ", ""))
            .is_some()
    );
}
