//! Loads a relay of its own and prints what that cost, one line of JSON for each run.
//!
//! ```console
//! cargo build --release -p alongside-relay --bins --examples
//! target/release/examples/load sessions --n 1000            # many paced sessions at once, over UDP
//! target/release/examples/load sessions --n 500 --tls       # the same over TLS streams
//! target/release/examples/load search                       # sessions that a core carries at 70 %
//! target/release/examples/load idle --n 2000                # memory of a leg that waits
//! target/release/examples/load bulk                         # one session, as fast as it goes
//! ```
//!
//! The relay is a process of its own. `--pin` puts it on the first core and the load on the second, so that its
//! share of a core means something.

mod bulk;
mod idle;
mod leg;
mod pace;
mod process;
mod seen;
mod sessions;
mod way;

use clap::{Args, Parser, Subcommand};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Paired sessions at once, each 150 kbit/s from the device and 100 kbit/s to it.
    Sessions(Load),
    /// Looks for the number of sessions at which the relay takes 70 % of a core.
    Search(Load),
    /// Legs that wait, and the memory that the relay needs for them.
    Idle(Load),
    /// One meeting of two whole legs that sends as fast as it can.
    Bulk(Load),
}

/// What all runs have in common.
#[derive(Clone, Debug, Args)]
struct Load {
    /// Sessions, or legs of `idle`.
    #[arg(long, default_value_t = 1000)]
    n: usize,
    /// Over TLS streams instead of UDP.
    #[arg(long)]
    tls: bool,
    /// Seconds measured.
    #[arg(long, default_value_t = 6.0)]
    secs: f64,
    /// Seconds of traffic before that.
    #[arg(long, default_value_t = 2.0)]
    warm: f64,
    /// MiB sent by `bulk`.
    #[arg(long, default_value_t = 256)]
    mib: u64,
    /// Relay on core 0, load on core 1.
    #[arg(long)]
    pin: bool,
}

fn main() -> Result<(), Failure> {
    let Cli { what } = Cli::parse();
    let (What::Sessions(load) | What::Search(load) | What::Idle(load) | What::Bulk(load)) = &what;
    if load.pin {
        process::pin_self(1)?;
    }
    process::allow_many_files()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match &what {
            What::Sessions(load) => print(&sessions::run(load).await?),
            What::Search(load) => search(load).await?,
            What::Idle(load) => print(&idle::run(load).await?),
            What::Bulk(load) => print(&bulk::run(load).await?),
        }
        Ok(())
    })
}

/// Doubles until the relay takes more than 70 %, and then looks between the two last.
async fn search(load: &Load) -> Result<(), Failure> {
    let mut load = load.clone();
    let mut below = (0.0, 0.0);
    for n in [
        250, 500, 750, 1000, 1250, 1500, 1750, 2000, 2500, 3000, 4000,
    ] {
        load.n = n;
        let row = sessions::run(&load).await?;
        let busy = row["relay_cpu_percent"].as_f64().unwrap_or(f64::NAN);
        print(&row);
        if busy >= 70.0 {
            let (n_below, busy_below) = below;
            let share = (70.0 - busy_below) / (busy - busy_below);
            let at_70 = n_below + share * (n as f64 - n_below);
            print(&serde_json::json!({ "tls": load.tls, "sessions_at_70_percent": at_70.round() }));
            return Ok(());
        }
        below = (n as f64, busy);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what the example is for")]
fn print(row: &serde_json::Value) {
    println!("{row}");
}
