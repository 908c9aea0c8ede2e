//! The relay as a process of its own, and what the system says about it.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Resource, Rlimit};

use crate::{Failure, Load};

/// Ticks of the system's clock in a second, in which it counts CPU time (Linux shows 100 everywhere).
const TICKS_PER_S: f64 = 100.0;

/// A relay at work; killed with the value.
pub(crate) struct RelayProcess {
    child: Child,
    state: PathBuf,
    pub(crate) address: SocketAddr,
    /// PEM of its private CA.
    pub(crate) ca: Vec<u8>,
}

impl RelayProcess {
    pub(crate) fn start(load: &Load) -> Result<Self, Failure> {
        let state = std::env::temp_dir().join(format!("alongside-load-{}", std::process::id()));
        std::fs::create_dir_all(&state)?;
        let config = state.join("relay.toml");
        // Everybody comes from one address here, and wants as much as a single meeting can give.
        let limits = "[limits]\nunauthenticated_per_source = 4096\nconnect_burst = 100000\nlegs = 100000\nlegs_per_source = 100000\nallocations_per_minute = 10000\n\
            codes_per_operator = 10000\nmeeting_kbps = 10000000\nmeeting_burst_bytes = 1073741824\n";
        std::fs::write(&config, limits)?;
        std::fs::write(state.join("operators.toml"), "allow = \"any\"\n")?;
        let mut command = program(load)?;
        command.args(["--listen", "127.0.0.1", "--danger-port", "0", "--json"]);
        command
            .arg("--state")
            .arg(&state)
            .arg("--config")
            .arg(config);
        command.env("ALONGSIDE_LOG_FILTER", "error");
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let line = first_line(&mut child)?;
        let address = line["udp"].as_str().ok_or("no address")?.parse()?;
        let ca = std::fs::read(state.join("ca.pem"))?;
        Ok(Self {
            child,
            state,
            address,
            ca,
        })
    }

    /// CPU time taken so far.
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        cpu_of(self.child.id())
    }

    /// Resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
        let _left = std::fs::remove_dir_all(&self.state);
    }
}

/// CPU time that this process has taken so far.
pub(crate) fn own_cpu() -> Result<Duration, Failure> {
    cpu_of(std::process::id())
}

fn cpu_of(pid: u32) -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the program's name in brackets, and may hold anything.
    let (_, fields) = stat.rsplit_once(')').ok_or("no stat")?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(Duration::from_secs_f64(ticks / TICKS_PER_S))
}

/// The relay's program lies one directory above the examples.
fn program(load: &Load) -> Result<Command, Failure> {
    let here = std::env::current_exe()?;
    let build = here
        .parent()
        .and_then(Path::parent)
        .ok_or("no build directory")?;
    let program =
        std::env::var_os("RELAY").map_or_else(|| build.join("alongside-relay"), PathBuf::from);
    if !program.exists() {
        return Err(format!("{} is not built", program.display()).into());
    }
    if !load.pin {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program);
    Ok(command)
}

fn first_line(child: &mut Child) -> Result<serde_json::Value, Failure> {
    let mut line = String::new();
    let out = child.stdout.as_mut().ok_or("no standard output")?;
    BufReader::new(out).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

/// Keeps this process to one core.
pub(crate) fn pin_self(core: usize) -> Result<(), Failure> {
    let pid = std::process::id().to_string();
    let status = Command::new("taskset")
        .args(["-cp", &core.to_string(), &pid])
        .stdout(Stdio::null())
        .status()?;
    status
        .success()
        .then_some(())
        .ok_or_else(|| "taskset failed".into())
}

/// Every leg is a socket here and another in the relay.
pub(crate) fn allow_many_files() -> Result<(), Failure> {
    let most = rustix::process::getrlimit(Resource::Nofile).maximum;
    let all = Rlimit {
        current: most,
        maximum: most,
    };
    Ok(rustix::process::setrlimit(Resource::Nofile, all)?)
}
