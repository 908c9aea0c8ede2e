//! Makes the programs that read settings files look again, and sees whether they are well.

use std::{
    fmt,
    os::unix::process::CommandExt,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use alongside::settings::SettingsError;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How often the health check is tried within the time limit.
const TRIES: u32 = 10;

/// The commands that run after settings files have changed. No shell is between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// A program that ends with 0 once all is well; tried again until the time is over.
    pub health: Option<Vec<String>>,
    /// How long the command may take, and how long the health check may be tried.
    pub limit: Duration,
}

impl Reload {
    /// Time limit unless another is set (our choice: a quarter of the time in which a change has to be confirmed).
    pub const LIMIT: Duration = Duration::from_secs(15);

    /// Runs the command, then the health check.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Slow`] if one takes too long, and then all of its processes are ended;
    /// [`SettingsError::Failed`] if one cannot be started or does not end with 0.
    pub(super) fn run(&self) -> Result<(), SettingsError> {
        run(&self.command, "the reload command", self.limit)?;
        let Some(health) = &self.health else {
            return Ok(());
        };
        let mut last = Ok(());
        for n in 0..TRIES {
            if n > 0 {
                thread::sleep(self.limit / TRIES);
            }
            last = run(health, "the health check", self.limit);
            match &last {
                Ok(()) | Err(SettingsError::Slow { .. }) => break,
                Err(_) => {}
            }
        }
        last
    }
}

fn run(argv: &[String], what: &str, limit: Duration) -> Result<(), SettingsError> {
    let doing = || format!("run {what}");
    let Some((program, arguments)) = argv.split_first() else {
        return Err(SettingsError::failed(doing(), "it has no name"));
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        // Standard output may carry the agent's own protocol.
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| SettingsError::failed(doing(), error))?;
    let pid = Pid::from_child(&child);
    let (sender, ended) = mpsc::channel();
    // Only looks: until it is reaped below, the number is that of the child and of nobody else.
    let watcher = thread::spawn(move || {
        let _ = waitid(
            WaitId::Pid(pid),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
        );
        let _ = sender.send(());
    });
    let is_slow = ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
    if is_slow {
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let _ = watcher.join();
    let status = child
        .wait()
        .map_err(|error| SettingsError::failed(doing(), error))?;
    if is_slow {
        let what = what.to_owned();
        return Err(SettingsError::Slow { what, limit });
    }
    if !status.success() {
        return Err(SettingsError::failed(doing(), Ended(status)));
    }
    Ok(())
}

/// A program ended with something else than 0.
#[derive(Debug)]
struct Ended(ExitStatus);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it ended with {}", self.0)
    }
}

impl std::error::Error for Ended {}
