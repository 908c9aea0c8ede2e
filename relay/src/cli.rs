//! The command line: flag over environment over file over default.

use std::{error::Error, io::IsTerminal as _, net::IpAddr, path::PathBuf, process::ExitCode};

use alongside_relay::{
    Config,
    config::{ConfigError, LogFormat},
};
use clap::Parser;
use tracing_subscriber::{
    Layer as _, Registry,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

const AFTER_HELP: &str = "\
Who may hand out access codes is said in operators.toml in the state directory, which is read again
whenever it changes:

  [operators.KEY]              KEY: 64 hexadecimal digits, shown by `alongside-agent assist`
  name = \"Ana Silva\"           what the customer sees
  organisation = \"Example\"

Without [tls] certificate and key in the configuration the relay makes a private CA in its state
directory; give ca.pem from there to every device and operator (--relay-ca).

Exit status: 0 stopped when asked to, 1 failed, 2 wrong usage or configuration.";

/// Relay of Alongside: introduces device and operator and forwards what cannot go direct. It reads nothing of a
/// session.
#[derive(Debug, Parser)]
#[command(name = "alongside-relay", version, after_help = AFTER_HELP)]
struct Args {
    /// Configuration (TOML). Every key has a default.
    #[arg(long, env = "ALONGSIDE_RELAY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    /// Directory for keys, operators.toml and access lines, made if it is not there [default:
    /// /var/lib/alongside-relay for root, else alongside-relay in the user's state directory].
    #[arg(long, env = "ALONGSIDE_RELAY_STATE", value_name = "DIR")]
    state: Option<PathBuf>,

    /// Address to listen on [default: all, IPv6 and IPv4].
    #[arg(long, env = "ALONGSIDE_RELAY_LISTEN", value_name = "IP")]
    listen: Option<IpAddr>,

    /// Another port than 443, UDP and TCP, 0 for any free one. For tests and labs: customers' firewalls do not let it out.
    #[arg(long, env = "ALONGSIDE_RELAY_DANGER_PORT", value_name = "N")]
    danger_port: Option<u16>,

    /// Print one line of JSON to standard output once the relay listens:
    /// {"event":"listening","udp":"IP:PORT","tcp":"IP:PORT","ca":"FILE"}.
    #[arg(long)]
    json: bool,

    /// How the log is written to standard error: text or json [default: text]. ALONGSIDE_LOG_FILTER sets how much.
    #[arg(long, env = "ALONGSIDE_RELAY_LOG", value_name = "FORMAT")]
    log: Option<LogFormat>,
}

/// What the command line, the environment and the file together ask for.
#[derive(Debug, PartialEq)]
pub(crate) struct Command {
    pub(crate) config: Config,
    pub(crate) state: PathBuf,
    pub(crate) json: bool,
}

/// Why the program ends without having done its work.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    chain: String,
}

/// Reads the command line; clap itself ends the process on `--help`, `--version` and unknown flags.
pub(crate) fn parse() -> Result<Command, Failure> {
    Args::parse().into_command().map_err(|error| Failure {
        status: 2,
        chain: chain(&error),
    })
}

impl Args {
    fn into_command(self) -> Result<Command, ConfigError> {
        let mut config = self
            .config
            .as_deref()
            .map_or_else(|| Ok(Config::default()), Config::read)?;
        config.listen = self.listen.or(config.listen);
        config.danger_port = self.danger_port.or(config.danger_port);
        config.log = self.log.unwrap_or(config.log);
        let state = self
            .state
            .or_else(|| config.state.clone())
            .unwrap_or_else(default_state);
        Ok(Command {
            config,
            state,
            json: self.json,
        })
    }
}

fn default_state() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return "/var/lib/alongside-relay".into();
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let base = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(home);
    base.unwrap_or_default().join("alongside-relay")
}

impl Failure {
    /// The work was begun and failed.
    pub(crate) fn failed(error: impl Error) -> Self {
        Self {
            status: 1,
            chain: chain(&error),
        }
    }

    /// Says it on one line, and gives the status to end with.
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("alongside-relay: {}", self.chain);
        ExitCode::from(self.status)
    }
}

/// The error and its sources on one line; a source whose words are in the line already is not said twice.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        source = error.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is logged without [`LOG_FILTER`].
const DEFAULT_FILTER: LevelFilter = LevelFilter::INFO;

/// The variable that says how much is logged, as of every program of Alongside: `debug`, or
/// `info,alongside_relay=trace`.
const LOG_FILTER: &str = "ALONGSIDE_LOG_FILTER";

/// Starts the log on standard error. A filter that cannot be understood is said, and the default taken.
pub(crate) fn start_log(format: LogFormat) {
    let (filter, bad) = match std::env::var(LOG_FILTER).map(|filter| filter.parse::<Targets>()) {
        Ok(Ok(filter)) => (filter, None),
        Ok(Err(error)) => (Targets::new().with_default(DEFAULT_FILTER), Some(error)),
        Err(_) => (Targets::new().with_default(DEFAULT_FILTER), None),
    };
    let lines = fmt::layer::<Registry>().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Json => lines.json().boxed(),
        LogFormat::Text | _ => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .init();
    if let Some(error) = bad {
        tracing::warn!(%error, "{LOG_FILTER} is not understood; logging {DEFAULT_FILTER}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arguments as clap makes them of flags and environment together.
    fn args(flags: &[&str]) -> Args {
        Args::try_parse_from([&["alongside-relay"], flags].concat()).unwrap()
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let file =
            std::env::temp_dir().join(format!("alongside-relay-cli-{}.toml", std::process::id()));
        std::fs::write(
            &file,
            "listen = \"192.0.2.1\"\ndanger_port = 5\nstate = \"of-file\"\nlog = \"json\"\n",
        )
        .unwrap();
        let config = ["--config", file.to_str().unwrap()];
        let of_file = args(&config).into_command().unwrap();
        let of_flags = [
            &config[..],
            &[
                "--listen",
                "::1",
                "--danger-port",
                "6",
                "--state",
                "of-flag",
                "--log",
                "text",
            ],
        ];
        let of_flags = args(&of_flags.concat()).into_command().unwrap();
        let of_default = args(&[]).into_command().unwrap();
        std::fs::remove_file(&file).unwrap();

        let ip = |text: &str| Some(text.parse().unwrap());
        for (command, listen, port, log) in [
            (&of_default, None, 443, LogFormat::Text),
            (&of_file, ip("192.0.2.1"), 5, LogFormat::Json),
            (&of_flags, ip("::1"), 6, LogFormat::Text),
        ] {
            assert_eq!(
                (
                    command.config.listen,
                    command.config.port(),
                    command.config.log
                ),
                (listen, port, log)
            );
        }
        assert_eq!(of_file.state, PathBuf::from("of-file"));
        assert_eq!(of_flags.state, PathBuf::from("of-flag"));
        assert!(of_default.state.ends_with("alongside-relay"));
    }

    #[test]
    fn every_flag_but_json_has_its_variable() {
        use clap::CommandFactory as _;
        for arg in Args::command().get_arguments() {
            let expected = match arg.get_id().as_str() {
                "json" => None,
                name => Some(format!("ALONGSIDE_RELAY_{}", name.to_uppercase())),
            };
            assert_eq!(
                arg.get_env()
                    .map(|name| name.to_string_lossy().into_owned()),
                expected
            );
        }
    }

    #[test]
    fn an_error_is_one_line_without_saying_anything_twice() {
        let error = Config::read("missing\n.toml".as_ref()).unwrap_err();
        let line = chain(&error);
        assert!(
            !line.contains('\n') && line.matches("No such file").count() == 1,
            "{line}"
        );
    }
}
