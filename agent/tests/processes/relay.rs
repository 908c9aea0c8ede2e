//! A relay as a process, on a free port of this machine.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

/// A running relay; killed when it is dropped.
pub struct Relay {
    child: Child,
    folder: PathBuf,
    listen: &'static str,
    /// UDP port that it listens on.
    pub port: u16,
    /// Its private CA.
    pub ca: PathBuf,
}

impl Relay {
    /// Starts one in `folder`, with `operators` as its table of operators.
    pub fn start(folder: &Path, operators: &str) -> Self {
        Self::start_on(folder, operators, "127.0.0.1")
    }

    /// The same, with this configuration.
    pub fn start_with(folder: &Path, operators: &str, config: &str) -> Self {
        make(folder, operators);
        fs::write(folder.join(CONFIG), config).expect("written");
        Self::run(folder, "127.0.0.1", 0)
    }

    /// The same, listening on the address `listen`.
    pub fn start_on(folder: &Path, operators: &str, listen: &'static str) -> Self {
        make(folder, operators);
        Self::run(folder, listen, 0)
    }

    fn run(folder: &Path, listen: &'static str, port: u16) -> Self {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("stderr"))
            .expect("a file for the log");
        let mut command = Command::new(program());
        let config = folder.join(CONFIG);
        if config.exists() {
            command.arg("--config").arg(config);
        }
        let mut child = command
            .env_clear()
            .env("ALONGSIDE_LOG_FILTER", "trace")
            .args(["--json", "--listen", listen, "--danger-port"])
            .arg(port.to_string())
            .arg("--state")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the relay's program");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| {
            panic!(
                "{error}: {line:?}; the relay says: {}",
                fs::read_to_string(folder.join("stderr")).unwrap_or_default()
            )
        });
        let (_, port) = (said["udp"].as_str().and_then(|udp| udp.rsplit_once(':'))).expect("udp");
        Self {
            child,
            folder: folder.to_owned(),
            listen,
            port: port.parse().expect("a port"),
            ca: said["ca"].as_str().expect("ca").into(),
        }
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it was killed");
    }

    /// Starts it once more where it was.
    pub fn restart(&mut self) {
        *self = Self::run(&self.folder, self.listen, self.port);
    }

    /// Tells it to stop, and waits until it has.
    pub fn stop(&mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        self.child.wait().expect("it stops").code()
    }

    /// Everything that it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("stderr")).expect("its log")
    }

    /// Folder of its state.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Id of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Its configuration, where it has one.
const CONFIG: &str = "relay.toml";

fn make(folder: &Path, operators: &str) {
    fs::DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .expect("a folder for the relay");
    fs::write(folder.join("operators.toml"), operators).expect("written");
}

/// The relay's program. It belongs to another package, so cargo does not build it for these tests by itself.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let agent = Path::new(env!("CARGO_BIN_EXE_alongside-agent"));
        let profile = agent.parent().expect("a folder");
        let program = profile.join(format!("alongside-relay{}", std::env::consts::EXE_SUFFIX));
        if !is_fresh(&program) {
            build(profile);
        }
        program
    })
}

/// Whether the program is there, and newer than every file that it is made of (which cargo lists beside it).
fn is_fresh(program: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    let Ok(list) = fs::read_to_string(program.with_extension("d")) else {
        return false;
    };
    let Some((_, sources)) = list.split_once(": ") else {
        return false;
    };
    let made = modified(program);
    let mut sources = sources.split_whitespace();
    made.is_some()
        && sources.all(|source| modified(Path::new(source)).is_some_and(|at| Some(at) <= made))
}

fn build(profile: &Path) {
    let name = profile
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a profile");
    let status = Command::new(env!("CARGO"))
        // The agent is named for its features: what both need is then built already.
        .args([
            "build",
            "--quiet",
            "-p",
            "alongside-agent",
            "-p",
            "alongside-relay",
            "--bin",
            "alongside-relay",
        ])
        .args(["--profile", if name == "debug" { "dev" } else { name }])
        .arg("--target-dir")
        .arg(profile.parent().expect("a target directory"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo");
    assert!(status.success(), "the relay does not build");
}
