//! A relay and whoever meets there, in a folder of their own.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{agent::Agent, relay::Relay};

/// A table of operators that lets everybody in.
pub const ANYBODY: &str = "allow = \"any\"\n";

/// A relay that runs.
pub struct World {
    pub relay: Relay,
    folder: TempDir,
}

impl World {
    /// With a relay that lets every operator in.
    pub fn new() -> Self {
        Self::with_operators(ANYBODY)
    }

    /// With a relay that lets these operators in.
    pub fn with_operators(table: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let relay = Relay::start(&folder.path().join("relay"), table);
        Self { relay, folder }
    }

    /// With a relay that lets every operator in and reads this configuration.
    pub fn with_config(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let relay = Relay::start_with(&folder.path().join("relay"), ANYBODY, config);
        Self { relay, folder }
    }

    /// A path in the world's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// How `alongside-agent ROLE --stdio` is started here; the state is in the folder `name`.
    pub fn command(&self, role: &str, name: &str) -> Command {
        let mut command = self.command_to(role, name, "127.0.0.1", self.relay.port);
        command.arg("--relay-ca").arg(&self.relay.ca);
        command
    }

    /// The same to another relay, which has to be trusted yet.
    pub fn command_to(&self, role: &str, name: &str, host: &str, port: u16) -> Command {
        let mut command = bare();
        command.args([role, "--stdio", "--relay", host, "--danger-relay-port"]);
        command.arg(port.to_string());
        command.arg("--state").arg(self.path(name));
        command
    }

    /// Starts what `command` says.
    pub fn start(&self, command: Command, name: &str) -> Agent {
        Agent::start(command, &self.path(&format!("{name}.stderr")))
    }

    /// A device that is ready.
    pub fn device(&self) -> Agent {
        let mut command = self.command("device", "device");
        command.args(["--serial", "SN-1"]);
        let mut device = self.start(command, "device");
        let ready = device.event("ready");
        assert_eq!(
            (&ready["role"], &ready["serial"]),
            (&json!("device"), &json!("SN-1"))
        );
        device
    }

    /// An operator that is ready.
    pub fn operator(&self) -> Agent {
        let mut command = self.command("assist", "operator");
        command.args(["--name", "Dana"]);
        let mut operator = self.start(command, "operator");
        assert_eq!(operator.event("ready")["role"], "operator");
        operator
    }

    /// An operator and a device in a session, with an exact picture.
    pub fn session(&self) -> (Agent, Agent) {
        let (mut operator, mut device) = (self.operator(), self.device());
        meet(&mut operator, &mut device);
        (operator, device)
    }

    /// Writes both sides' pictures and answers what is said of them: the operator's, and the device's.
    pub fn snapshots(&self, operator: &mut Agent, device: &mut Agent) -> (Value, Value) {
        let (of_operator, of_device) = (self.path("operator.png"), self.path("device.png"));
        (
            snapshot(operator, &of_operator),
            snapshot(device, &of_device),
        )
    }
}

/// The program with nothing in its environment but a trusted log.
pub fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alongside-agent"));
    command.env_clear();
    command
}

/// A code from the operator.
pub fn code(operator: &mut Agent) -> String {
    operator.ok(json!({"do": "code"}));
    let code = operator.event("code");
    code["code"].as_str().expect("digits").to_owned()
}

/// The code with its digit number `at` (from 0) raised by one, and the check digit put right again.
pub fn wrong(code: &str, at: usize) -> String {
    let mut digits: Vec<u8> = code.bytes().map(|digit| digit - b'0').collect();
    digits[at] = (digits[at] + 1) % 10;
    for check in 0..10 {
        digits[11] = check;
        let text: String = digits.iter().map(u8::to_string).collect();
        if alongside::protocol::AccessCode::parse(&text).is_ok() {
            return text;
        }
    }
    unreachable!("one of ten check digits is right")
}

/// Brings both into a session with an exact picture; answers the code.
pub fn meet(operator: &mut Agent, device: &mut Agent) -> String {
    let code = code(operator);
    device.ok(json!({"do": "enter-code", "code": code}));
    let (theirs, ours) = (device.event("connected"), operator.event("connected"));
    assert_eq!(theirs["session"], ours["session"]);
    operator.until("an exact picture", |line| {
        line["event"] == "panel" && line["exact"] == true
    });
    code
}

fn snapshot(agent: &mut Agent, file: &Path) -> Value {
    agent.ok(json!({"do": "snapshot", "file": file}))
}

/// The rows of a picture that was written.
pub fn pixels(file: &Path) -> Vec<u8> {
    let file = BufReader::new(File::open(file).expect("a picture"));
    let mut reader = png::Decoder::new(file).read_info().expect("a PNG");
    let mut rows = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut rows).expect("pixels");
    rows
}
