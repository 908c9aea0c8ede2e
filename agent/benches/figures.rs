//! The figures of a session between real processes on this machine, as a table.
//!
//! `cargo bench -p alongside-agent --bench figures` starts a relay, and for every round a device and an operator that
//! speak JSON Lines, and measures from outside: what a person waits for, and what the device's process costs. Bytes of an
//! idle minute and round trips until the code is proved are printed by the example `data-sheet`, where nothing else is
//! on the line.
#![expect(clippy::disallowed_methods, reason = "it measures real time")]
#![expect(clippy::print_stdout, reason = "it prints a table")]
#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot measure has nothing to say"
)]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use alongside_relay::{Config, Relay, Socket, StateDir};
use serde_json::{Value, json};

#[path = "figures/settings.rs"]
mod settings;

use settings::ID;

/// Sessions that are set up one after the other.
const SESSIONS: usize = 50;
/// Pointer events that are timed.
const POINTERS: usize = 200;
/// Clicks on an X screen that are timed.
const CLICKS: usize = 200;
/// How long a session is watched at rest.
const REST: Duration = Duration::from_secs(20);

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let state = folder.path().join("relay");
    let opened = StateDir::open(&state).unwrap();
    fs::write(state.join("operators.toml"), "allow = \"any\"\n").unwrap();
    let mut config = Config::default();
    config.listen = Some(Ipv4Addr::LOCALHOST.into());
    config.danger_port = Some(0);
    // One operator and one device meet more often here than people do.
    config.limits.allocations_per_minute = 10_000;
    config.limits.codes_per_operator = 1_000;
    config.limits.connects_per_minute = 100_000;
    let relay = runtime.block_on(async { Relay::start(&config, opened, Socket::Bind).unwrap() });
    let ca = relay.ca().unwrap().to_owned();
    let lab = Lab {
        folder: folder.path().to_owned(),
        port: relay.udp().port().to_string(),
        ca,
    };

    let mut first = Vec::new();
    let mut exact = Vec::new();
    let mut bytes = Vec::new();
    for _ in 0..SESSIONS {
        let mut pair = lab.meet();
        let panel = pair.operator.until("panel");
        first.push(pair.entered.elapsed());
        let mut total = panel["bytes"].as_u64().unwrap();
        let mut last = panel;
        while last["exact"] != true {
            last = pair.operator.until("panel");
            total += last["bytes"].as_u64().unwrap();
        }
        exact.push(pair.entered.elapsed());
        bytes.push(total);
        pair.end();
    }

    let x11 = lab.x11();

    let mut pair = lab.meet();
    while pair.operator.until("panel")["exact"] != true {}
    let way = pair.operator.until("path")["kind"].to_string();
    let pointers = pair.pointers();
    let before = pair.device.cpu();
    std::thread::sleep(REST);
    let rest = (pair.device.cpu() - before).as_secs_f64() / REST.as_secs_f64() * 100.0;
    let peak = pair.device.peak_rss_kb();
    pair.end();

    println!("| what | figure |");
    println!("| --- | --- |");
    println!(
        "| code entered to first panel message, p50 / p99 of {SESSIONS} | {} / {} ms |",
        ms(&mut first, 50),
        ms(&mut first, 99)
    );
    println!(
        "| code entered to exact picture, p50 / p99 | {} / {} ms |",
        ms(&mut exact, 50),
        ms(&mut exact, 99)
    );
    bytes.sort_unstable();
    println!(
        "| bytes of the first exact picture, median | {} |",
        bytes[bytes.len() / 2]
    );
    let mut pointers = pointers;
    println!(
        "| pointer moved to drawn on the panel, p50 / p99 of {POINTERS} | {} / {} ms |",
        ms(&mut pointers, 50),
        ms(&mut pointers, 99)
    );
    match x11 {
        Some((mut clicks, rest)) => {
            println!(
                "| x11: click on the operator's side to injected event, p50 / p99 of {CLICKS} | {} / {} ms |",
                ms(&mut clicks, 50),
                ms(&mut clicks, 99)
            );
            println!("| x11: device's CPU at rest in a session | {rest:.2} % of a core |");
        }
        None => println!("| x11 | not measured: Xvfb is not there |"),
    }
    println!(
        "| device's peak resident memory in a session | {:.1} MB |",
        peak as f64 / 1000.0
    );
    println!("| device's CPU at rest in a session | {rest:.2} % of a core |");
    println!("| way that the packets took | {way} |");
    settings::print(&lab);
    println!("| {} |", binary(folder.path()));
    runtime.block_on(relay.shutdown());
}

/// The size of the agent's binary, without symbols where this machine has a program that strips them.
fn binary(folder: &Path) -> String {
    let built = Path::new(env!("CARGO_BIN_EXE_alongside-agent"));
    let stripped = folder.join("stripped");
    let is_stripped = Command::new("strip")
        .arg("-o")
        .args([&stripped, &built.to_owned()])
        .status()
        .is_ok_and(|status| status.success());
    let (what, file) = if is_stripped {
        ("stripped", stripped.as_path())
    } else {
        ("as built, as there is no `strip` here", built)
    };
    let bytes = fs::metadata(file).unwrap().len();
    format!(
        "size of the agent's binary, {what} | {:.1} MB",
        bytes as f64 / 1e6
    )
}

/// Milliseconds at a percentile.
fn ms(times: &mut [Duration], percentile: usize) -> String {
    times.sort_unstable();
    let at = (times.len() * percentile).div_ceil(100).saturating_sub(1);
    format!("{:.1}", times[at].as_secs_f64() * 1e3)
}

/// A relay and how to reach it.
struct Lab {
    folder: PathBuf,
    port: String,
    ca: PathBuf,
}

/// A device and an operator in a session.
struct Pair {
    device: Side,
    operator: Side,
    /// When the code was entered.
    entered: Instant,
}

impl Lab {
    /// Clicks under a grant on an X screen without a monitor, and processor time at rest; `None` without Xvfb.
    fn x11(&self) -> Option<(Vec<Duration>, f64)> {
        let mut server = Command::new("Xvfb")
            .args([
                "-noreset",
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1024x600x24",
                "-nolisten",
                "tcp",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut number = String::new();
        let stdout = server.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut number).unwrap();
        settings::set_id(self);
        let display = format!(":{}", number.trim());
        let mut pair = self.meet_at(&["--panel", "x11", "--x11-display", &display]);
        while pair.operator.until("panel")["exact"] != true {}
        let before = pair.device.cpu();
        std::thread::sleep(REST);
        let rest = (pair.device.cpu() - before).as_secs_f64() / REST.as_secs_f64() * 100.0;
        pair.operator
            .tell(json!({"do": "mode", "mode": "operator-control"}));
        pair.device.until("asked");
        pair.device.tell(json!({"do": "allow", "admin_id": ID}));
        while pair.device.until("mode")["state"] != "active" {}
        // Until the question is off the screen and out of the picture.
        std::thread::sleep(Duration::from_secs(2));
        let times = (0..CLICKS).map(|_| pair.click()).collect();
        pair.end();
        server.kill().unwrap();
        server.wait().unwrap();
        Some((times, rest))
    }

    fn meet(&self) -> Pair {
        self.meet_at(&[])
    }

    fn meet_at(&self, more: &[&str]) -> Pair {
        let mut device = self.side("device", &[&["--serial", "BENCH-1"], more].concat());
        let mut operator = self.side("assist", &[]);
        device.until("ready");
        operator.until("ready");
        operator.tell(json!({"do": "code"}));
        let code = operator.until("code");
        let entered = Instant::now();
        device.tell(json!({"do": "enter-code", "code": code["code"]}));
        operator.until("connected");
        Pair {
            device,
            operator,
            entered,
        }
    }

    fn side(&self, role: &str, more: &[&str]) -> Side {
        let mut child = Command::new(env!("CARGO_BIN_EXE_alongside-agent"))
            .args([
                role,
                "--stdio",
                "--relay",
                "127.0.0.1",
                "--danger-relay-port",
                &self.port,
            ])
            .arg("--relay-ca")
            .arg(&self.ca)
            .arg("--state")
            .arg(self.folder.join(role))
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (
            child.stdin.take().unwrap(),
            BufReader::new(child.stdout.take().unwrap()),
        );
        Side {
            child,
            stdin,
            stdout,
        }
    }
}

impl Pair {
    /// Times from a pointer command on the operator's side to the device's word that its panel draws it.
    fn pointers(&mut self) -> Vec<Duration> {
        let mut times = Vec::new();
        for n in 0..POINTERS {
            let x = 100 + n;
            let sent = Instant::now();
            self.operator
                .tell(json!({"do": "pointer", "x": x, "y": 100, "phase": "hover"}));
            loop {
                let drawn = self.device.until("annotation");
                if drawn["points"][0][0].as_f64() == Some(x as f64) {
                    break;
                }
            }
            times.push(sent.elapsed());
        }
        times
    }

    /// Presses in the middle of the panel and lets go; answers how long the press took until it was injected.
    fn click(&mut self) -> Duration {
        let event = |phase, buttons| json!({"do": "pointer", "x": 500, "y": 300, "phase": phase, "buttons": buttons});
        self.operator.tell(event("down", 1));
        let sent = Instant::now();
        assert_eq!(self.device.until("injected")["ok"], true);
        let taken = sent.elapsed();
        self.operator.tell(event("up", 0));
        self.device.until("injected");
        taken
    }

    fn end(mut self) {
        self.operator.tell(json!({"do": "end"}));
        self.device.until("ended");
        drop(self.device.stdin);
        self.operator.child.wait().unwrap();
        self.device.child.wait().unwrap();
    }
}

/// One process.
struct Side {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Side {
    fn tell(&mut self, command: Value) {
        writeln!(self.stdin, "{command}").unwrap();
    }

    /// Reads until an event of this name.
    fn until(&mut self, name: &str) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.stdout.read_line(&mut line).unwrap(),
                0,
                "the process ended before `{name}`"
            );
            let event: Value = serde_json::from_str(&line).unwrap();
            assert_ne!(event["event"], "error", "{line}");
            if event["event"] == name {
                return event;
            }
        }
    }

    fn peak_rss_kb(&self) -> u64 {
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Processor time so far, user and system.
    fn cpu(&self) -> Duration {
        /// Ticks in a second, on every Linux that people run.
        const TICKS: u64 = 100;
        let stat = fs::read_to_string(self.proc("stat")).unwrap();
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 1_000 / TICKS)
    }

    fn proc(&self, file: &str) -> PathBuf {
        Path::new("/proc")
            .join(self.child.id().to_string())
            .join(file)
    }
}
