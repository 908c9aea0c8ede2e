//! The Alongside agent: parses the command line, starts the runtime, runs what was asked for.
#![forbid(unsafe_code)]

use std::process::ExitCode;

#[cfg(feature = "demo")]
use alongside_agent::demo;
use alongside_agent::{
    admin_id, assist, audit, cli, device, doctor, exit::Exit, forget, harden::harden, log, mode,
    policy,
};
use clap::Parser;

fn main() -> ExitCode {
    alongside::modes::run_child_if_asked();
    harden();
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return cli::refuse(&error).into(),
    };
    let (format, filter) = cli.log();
    log::start(format, filter);
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("alongside-agent: no runtime: {error}");
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(async {
        match cli.command {
            #[cfg(feature = "demo")]
            cli::Command::Demo(args) => demo::run(args).await,
            cli::Command::Device(args) => device::run(*args).await,
            cli::Command::Assist(args) => assist::run(*args).await,
            cli::Command::Doctor(args) => doctor::run(*args).await,
            cli::Command::AdminId(args) => admin_id::run(&args),
            cli::Command::Audit(args) => audit::run(&args),
            cli::Command::Mode(command) => mode::run(&command).await,
            cli::Command::Forget(args) => forget::run(&args),
            cli::Command::Policy(args) => policy::run(&args),
        }
    });
    // Standard input is read by a thread that only returns with the next line; do not wait for it.
    runtime.shutdown_background();
    exit.into()
}
