//! A relay, a device and an operator in a lab of their own.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    agent::Agent,
    ground::{Ground, Ns},
    relay, world,
};

/// Where the relay is.
pub const RELAY: &str = "203.0.113.2";

/// A lab with a relay that lets everybody in.
pub struct House {
    pub ground: Ground,
    relay: Child,
    /// The relay's private authority.
    pub ca: PathBuf,
    folder: TempDir,
}

impl House {
    pub fn new() -> Self {
        Self::with(RELAY, RELAY, |_| ())
    }

    /// A lab in which `relay.lab` is at `named`, and the relay listens on `listen` once `prepare` is done.
    pub fn with(named: &str, listen: &str, prepare: impl FnOnce(&Ground)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ground = Ground::new(folder.path(), named);
        prepare(&ground);
        let state = folder.path().join("relay-state");
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&state)
            .expect("a folder for the relay");
        fs::write(state.join("operators.toml"), world::ANYBODY).expect("written");
        let config = folder.path().join("relay.toml");
        fs::write(&config, "[tls]\nnames = [\"relay.lab\"]\n").expect("written");
        let (relay, ca) = start_relay(&ground.relay, folder.path(), listen);
        Self {
            ground,
            relay,
            ca,
            folder,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file that nobody else may read.
    pub fn secret(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
        path
    }

    /// Kills the relay, as `kill -9` does.
    pub fn kill_relay(&mut self) {
        self.relay.kill().expect("it runs");
        self.relay.wait().expect("it was killed");
    }

    /// `alongside-agent WHAT` on the device's host, with the relay's authority.
    pub fn on_device(&self, what: &str) -> Command {
        self.agent(&self.ground.device.host, what)
    }

    /// The same on the operator's host.
    pub fn on_operator(&self, what: &str) -> Command {
        self.agent(&self.ground.operator.host, what)
    }

    fn agent(&self, place: &Ns, what: &str) -> Command {
        let mut command = place.command(env!("CARGO_BIN_EXE_alongside-agent"));
        command.env_clear().env("ALONGSIDE_RELAY", "relay.lab");
        command.arg(what).arg("--relay-ca").arg(&self.ca);
        command
    }

    /// Starts a device whose command `change` has had a look at.
    pub fn device(&self, change: impl FnOnce(&mut Command)) -> Agent {
        let mut command = self.on_device("device");
        command.args(["--stdio", "--serial", "SN-1", "--state"]);
        command.arg(self.path("device"));
        change(&mut command);
        let mut device = Agent::start(command, &self.path("device.stderr"));
        device.event("ready");
        device
    }

    /// Starts an operator likewise, and waits until the relay has let it in.
    pub fn operator(&self, change: impl FnOnce(&mut Command)) -> Agent {
        let mut operator = self.stranded_operator(change);
        operator.event("ready");
        operator
    }

    /// Starts an operator that may not come through.
    pub fn stranded_operator(&self, change: impl FnOnce(&mut Command)) -> Agent {
        let mut command = self.on_operator("assist");
        command.args(["--stdio", "--name", "Dana", "--state"]);
        command.arg(self.path("operator"));
        change(&mut command);
        Agent::start(command, &self.path("operator.stderr"))
    }

    /// What the doctor says on the device's host, and how it ends.
    pub fn doctor(&self, change: impl FnOnce(&mut Command)) -> (Value, Option<i32>) {
        let mut command = self.on_device("doctor");
        command.arg("--json");
        change(&mut command);
        let output = command.output().expect("the agent's program");
        let said = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        (said, output.status.code())
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.relay.kill();
        let _ = self.relay.wait();
    }
}

/// A server that runs; killed when it is dropped.
pub struct Running(Child);

impl Running {
    /// Starts `command` and waits until it takes connections at `host` and `port` of `place`.
    pub fn start(mut command: Command, place: &Ns, host: &str, port: u16) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server's program");
        let mut server = Self(child);
        place.inside(|| {
            while TcpStream::connect((host, port)).is_err() {
                let ended = server.0.try_wait().expect("a child");
                assert!(ended.is_none(), "the server ends: {ended:?}");
                thread::yield_now();
            }
        });
        server
    }

    /// Kills it, and whatever it serves.
    pub fn kill(&mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it was killed");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_relay(place: &Ns, folder: &Path, listen: &str) -> (Child, PathBuf) {
    let log = fs::File::create(folder.join("relay.stderr")).expect("a file for the log");
    let mut child = place
        .command(relay::program())
        .env_clear()
        .args(["--json", "--listen", listen, "--state"])
        .arg(folder.join("relay-state"))
        .arg("--config")
        .arg(folder.join("relay.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the relay's program");
    let mut line = String::new();
    let stdout = child.stdout.as_mut().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| {
        let log = fs::read_to_string(folder.join("relay.stderr"));
        panic!("{error}: {line:?}; {}", log.unwrap_or_default())
    });
    let ca = said["ca"].as_str().expect("its authority").into();
    (child, ca)
}

/// One line of what the doctor says.
pub fn rung<'a>(said: &'a Value, name: &str) -> &'a Value {
    let mut rungs = said["rungs"].as_array().expect("rungs").iter();
    let found = rungs.find(|rung| rung["rung"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {said}"))
}

/// Waits until packets of `side` take this way.
pub fn takes(side: &mut Agent, kind: &str) {
    side.until(kind, |line| line["event"] == "path" && line["kind"] == kind);
}

/// Waits until `side` tells that this way is closed to it, and answers why.
pub fn closed(side: &mut Agent, kind: &str) -> Value {
    let why = |line: &Value| {
        let mut ways = line["closed"].as_array()?.iter();
        ways.find(|way| way["kind"] == kind).cloned()
    };
    let line = side.until("a closed way", |line| why(line).is_some());
    why(&line).expect("found")
}

/// Shows that the session lives: what the operator draws now, at `x`, is seen on the device.
pub fn still_works(operator: &mut Agent, device: &mut Agent, x: u32) {
    let points = [[x, 200, 1], [x + 8, 200, 1]];
    operator.ok(json!({"do": "stroke", "id": x, "color": "#d02020", "width": 4, "points": points, "done": true}));
    device.until("the stroke", |line| {
        line["event"] == "annotation" && line["points"][0][0] == f64::from(x)
    });
}

/// Enters a code that no relay knows, to see whether the relay is reached; answers the refusal.
pub fn refusal(device: &mut Agent) -> Value {
    device.ask(json!({"do": "enter-code", "code": world::wrong("000000000000", 0)}))
}
