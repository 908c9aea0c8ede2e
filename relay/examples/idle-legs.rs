//! Prints what an idle leg costs the relay in memory: `cargo run --release -p alongside-relay --example idle-legs`.
//!
//! Starts the relay's program, opens legs from this process, and divides the growth of its resident memory.

use std::{
    error::Error,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use alongside_protocol::relay::{FromRelay, Role, ToRelay};
use alongside_transport::{
    Identity, Trust,
    leg::{
        auth::{LegBinding, sign},
        cid,
        control::{ControlReader, ControlWriter},
        tls, tuning,
    },
};
use quinn::{Connection, Endpoint, RecvStream, SendStream};

type Failure = Box<dyn Error + Send + Sync>;

/// Legs opened before the first look, so that the relay has all it needs once.
const WARM_UP: usize = 200;

/// One leg, kept alive.
struct Leg {
    _connection: Connection,
    _reader: ControlReader<FromRelay, RecvStream>,
    _writer: ControlWriter<ToRelay, SendStream>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let count = std::env::args()
        .nth(1)
        .map_or(Ok(2000), |text| text.parse())?;
    let state = std::env::temp_dir().join(format!("alongside-idle-legs-{}", std::process::id()));
    let mut relay = start(&state)?;
    let measured = measure(&mut relay, &state, count).await;
    relay.kill()?;
    relay.wait()?;
    std::fs::remove_dir_all(&state)?;
    measured
}

async fn measure(relay: &mut Child, state: &Path, count: usize) -> Result<(), Failure> {
    let address = listening_at(relay)?;
    let ca = std::fs::read(state.join("ca.pem"))?;
    let endpoint = Endpoint::client("127.0.0.1:0".parse()?)?;
    let mut legs = Vec::new();
    while legs.len() < WARM_UP {
        legs.push(open(&endpoint, address, &ca).await?);
    }
    let before = resident_kib(relay)?;
    while legs.len() < WARM_UP + count {
        legs.push(open(&endpoint, address, &ca).await?);
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let grown = resident_kib(relay)?.saturating_sub(before);
    #[expect(clippy::print_stdout, reason = "this is what the example is for")]
    {
        println!(
            "{count} idle legs: {grown} KiB, {:.1} KiB a leg",
            grown as f64 / count as f64
        );
    }
    Ok(())
}

fn start(state: &Path) -> Result<Child, Failure> {
    std::fs::create_dir_all(state)?;
    let config = state.join("relay.toml");
    std::fs::write(
        &config,
        "[limits]\nlegs = 100000\nlegs_per_source = 100000\n",
    )?;
    let program = program()?;
    let mut command = Command::new(&program);
    command.args(["--listen", "127.0.0.1", "--danger-port", "0", "--json"]);
    command
        .arg("--state")
        .arg(state)
        .arg("--config")
        .arg(config)
        .env("RUST_LOG", "error");
    let child = command.stdout(Stdio::piped()).spawn();
    child.map_err(|error| {
        format!(
            "{}: {error}; build it with cargo build --release -p alongside-relay",
            program.display()
        )
        .into()
    })
}

/// The relay's program lies one directory above the examples.
fn program() -> Result<PathBuf, Failure> {
    let here = std::env::current_exe()?;
    let build = here
        .parent()
        .and_then(Path::parent)
        .ok_or("no build directory")?;
    Ok(std::env::var_os("RELAY").map_or_else(|| build.join("alongside-relay"), PathBuf::from))
}

fn listening_at(relay: &mut Child) -> Result<SocketAddr, Failure> {
    let mut line = String::new();
    let out = relay.stdout.as_mut().ok_or("no standard output")?;
    BufReader::new(out).read_line(&mut line)?;
    let line: serde_json::Value = serde_json::from_str(&line)?;
    Ok(line["udp"].as_str().ok_or("no address")?.parse()?)
}

async fn open(endpoint: &Endpoint, relay: SocketAddr, ca: &[u8]) -> Result<Leg, Failure> {
    let (client, _) = tls::relay_client_config(&Trust::CaFile(ca.to_vec()))?;
    let mut transport = tuning::leg_control();
    transport.keep_alive_interval(Some(Duration::from_secs(15)));
    let client = tls::quic_client(client, transport)?;
    let connection = endpoint.connect_with(client, relay, "localhost")?.await?;
    let (send, receive) = connection.accept_bi().await?;
    let (mut reader, mut writer) = (ControlReader::new(receive), ControlWriter::new(send));
    let Some(FromRelay::Challenge(challenge)) = reader.next().await? else {
        return Err("no challenge".into());
    };
    let identity = Arc::new(Identity::generate()?);
    let binding = LegBinding::of(&connection)?;
    writer
        .send(sign(
            &identity,
            &challenge,
            binding,
            Role::Device,
            cid::random_token(),
        ))
        .await?;
    match reader.next().await? {
        Some(FromRelay::Welcome(_)) => Ok(Leg {
            _connection: connection,
            _reader: reader,
            _writer: writer,
        }),
        other => Err(format!("not welcome: {other:?}").into()),
    }
}

fn resident_kib(child: &Child) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
