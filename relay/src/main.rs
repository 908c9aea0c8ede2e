//! `alongside-relay`: parse, start, wait, stop.
#![forbid(unsafe_code)]

use std::{io::Write as _, process::ExitCode};

use alongside_relay::{Relay, Running, Socket, StateDir};
use tokio::signal::unix::{SignalKind, signal};

mod cli;

use cli::{Command, Failure};

fn main() -> ExitCode {
    let command = match cli::parse() {
        Ok(command) => command,
        Err(failure) => return failure.report(),
    };
    cli::start_log(command.config.log);
    match run(&command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: &Command) -> Result<(), Failure> {
    // The relay's keys must not end up in a core file.
    let none = rustix::process::Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.map_err(Failure::failed)?.block_on(async {
        let state = StateDir::open(&command.state).map_err(Failure::failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::failed)?;
        let relay = Relay::start(&command.config, state, Socket::Bind).map_err(Failure::failed)?;
        if command.json {
            announce(&relay).map_err(Failure::failed)?;
        }
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        relay.shutdown().await;
        Ok(())
    })
}

/// The one line that scripts wait for.
fn announce(relay: &Running) -> std::io::Result<()> {
    let line = serde_json::json!({
        "event": "listening",
        "udp": relay.udp().to_string(),
        "tcp": relay.tcp().map(|address| address.to_string()),
        "ca": relay.ca().map(|path| path.display().to_string()),
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
