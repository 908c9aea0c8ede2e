//! The command line: what can be asked for, parsed straight into the types it means.

use std::{net::SocketAddr, path::PathBuf};

mod link;
pub mod mode;

pub use link::{LinkArgs, ProxyText, Way};

use alongside::{
    audit::Head,
    protocol::{Serial, label::Name},
};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    panel::{StopKey, mfd::Scale},
    preferences::Switch,
    text::Locale,
};

use crate::exit::{Exit, inert};

/// Remote assistance for devices with a control panel.
///
/// A customer at the device types a short code; an operator far away sees the panel, points and draws on it. The
/// customer can end it at any moment: EXIT, or the stop key held for five seconds.
#[derive(Debug, Parser)]
#[command(name = "alongside-agent", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 failed, 2 usage, 3 no path to the relay, 4 refused by the other side, 5 wrong code (4 and 5 of
`assist` with --stdio alone: without, it stays for the next customer).
Every option can also stand in the file given by --config or in the environment as ALONGSIDE_<OPTION>; the command line
wins over the environment, the environment over the file. The file is TOML, and unknown keys are errors: what device and
operator share at its top (relay, relay-pin, state, proxy, ...), the rest below [device] (panel, serial,
remote-assistance, ...) and [assist] (name, listen).

Try it on one machine:   alongside-agent demo
A device of your own:    alongside-agent device --relay relay.example.com
The support person:      alongside-agent assist --relay relay.example.com --name 'Dana, Acme Support'
Without any relay:       alongside-agent assist --listen 192.0.2.7:7443, and device --operator 192.0.2.7:7443
Nothing gets through?    alongside-agent doctor --relay relay.example.com";

impl Cli {
    /// The log's format and how much of it there is unless the environment says otherwise.
    pub fn log(&self) -> (LogFormat, &'static str) {
        match &self.command {
            // Whoever tries it out wants to see the pages, not warnings about a relay that is a demo.
            #[cfg(feature = "demo")]
            Command::Demo(args) => (args.log.log.unwrap_or_default(), "error"),
            Command::Device(args) => (args.shared.link.log.unwrap_or_default(), "info"),
            Command::Assist(args) => (args.shared.link.log.unwrap_or_default(), "info"),
            // What is wrong stands in the table.
            Command::Doctor(args) => (args.link.log.unwrap_or_default(), "off"),
            Command::AdminId(_)
            | Command::Audit(_)
            | Command::Forget(_)
            | Command::Mode(_)
            | Command::Policy(_) => (LogFormat::Text, "warn"),
        }
    }
}

/// Prints what clap has to say: the help that was asked for, or what is wrong with the command line.
///
/// clap repeats values as they were given, so one that could take over the terminal is shown as what it is.
pub fn refuse(error: &clap::Error) -> Exit {
    let text = error.to_string();
    let shown = inert(&text);
    if shown == text || !error.use_stderr() {
        // In colour, where the terminal has it. Nothing can be done if nobody reads it.
        let _ = error.print();
    } else {
        eprintln!("{}", shown.trim_end());
    }
    if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    }
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Relay, device and operator on this machine: prints two pages to open.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// The device's side: shows the panel, takes the code that the operator reads out.
    Device(Box<DeviceArgs>),
    /// The operator's side: asks the relay for a code, shows the panel of whoever types it; with --stdio of one customer, else
    /// of one after another.
    Assist(Box<AssistArgs>),
    /// Tries each way to the relay: whether it works, how long it takes, why not, whom to ask. Exit code 0 if any works.
    Doctor(Box<DoctorArgs>),
    /// Sets or forgets the system administrator's ID, which operator control asks for on the device's panel.
    AdminId(AdminIdArgs),
    /// Exports the audit, then wipes everything that this program keeps: keys, counters, settings of its own.
    Forget(ForgetArgs),
    /// Checks the owner's policy: who may work in sleep, unasked and unseen.
    #[command(after_help = POLICY_HELP)]
    Policy(PolicyArgs),
    /// Shows, verifies or exports what happened: the records that a device or an operator keeps.
    #[command(after_help = AUDIT_HELP)]
    Audit(AuditArgs),
    /// Makes, packs, signs, checks, installs and lists modes of your own.
    #[command(after_help = mode::HELP)]
    Mode(mode::ModeCommand),
}

const AUDIT_HELP: &str = "\
A device and an operator each keep `audit.jsonl` in their state folder: one JSON object a line, written before what it
tells of happens. It says what was done, when and in which session, and never what was typed, pressed, drawn or shown.
When the file is full another begins; a folder in the place of FILE stands for all of them, oldest first.

Every line is bound to all lines before it by its hash, and a signature with the long-term key follows each turn of a
session and every 64 lines. `verify` exits with 0, or with 1 and the index and reason of the first bad record.

What an operator is given in a session, and its end, the operator's side countersigns and keeps. A signature that does not
hold is a bad record; one that is missing, because the link broke or the operator's side withheld it, is said. A copy of
the operator's audit, given with --with, shows whether the device's was cut or written anew since.

What it cannot see by itself: lines cut off the end. Write down the `head` that it prints, or send it to somebody, and
give it with --head the next time. Whoever holds the key can write another history.

What happened today:     alongside-agent audit show ~/.local/state/alongside/device
Is it as it was written: alongside-agent audit verify ~/.local/state/alongside/device --key 5f1c...
Keep a copy:             alongside-agent audit export ~/.local/state/alongside/device > copy.jsonl";

const POLICY_HELP: &str = "\
In sleep the panel is dark, nobody is asked, and whoever comes sees who is connected and EXIT. A session begins with a code
typed at the device even so. Without a policy nobody may. The file belongs to the folder's owner or root, and nobody else
can write it; it is read anew for each session.

[[sleep]]
operator = \"5f1c...\"       # the operator's public key, as a refused `assist` says it
serials = [\"B7-*\"]         # serial numbers; a * at the end stands for anything
hours = [\"22:00-06:00\"]    # when; always, without it
utc-offset = \"+01:00\"      # where these hours are; UTC, without it";

/// Options of `forget`.
#[derive(Args, Clone, Debug)]
pub struct ForgetArgs {
    /// File that the audit is written to first; it must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub export: PathBuf,
    /// The device's folder [default: the user's state folder].
    #[arg(long, env = "ALONGSIDE_STATE", value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// File with more settings, in TOML.
    #[arg(long, env = "ALONGSIDE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Options of `policy`.
#[derive(Args, Clone, Debug)]
pub struct PolicyArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub what: PolicyDo,
    /// The device's folder [default: the user's state folder].
    #[arg(long, env = "ALONGSIDE_STATE", value_name = "DIR", global = true)]
    pub state: Option<PathBuf>,
    /// File with more settings, in TOML.
    #[arg(long, env = "ALONGSIDE_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// What can be done with the owner's policy.
#[derive(Clone, Debug, Subcommand)]
pub enum PolicyDo {
    /// Tell what is wrong with it, or what it comes to: exit code 0 if it is good, 1 if not.
    Check {
        /// The policy [default: policy.toml in the device's folder].
        file: Option<PathBuf>,
    },
}

/// Options of `audit`.
#[derive(Args, Clone, Debug)]
pub struct AuditArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub what: AuditDo,
}

/// What can be done with an audit.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditDo {
    /// Print the records for people, one a line, up to the first bad one.
    Show {
        /// An audit, or the folder that it is in.
        file: PathBuf,
    },
    /// Tell whether the audit is as it was written: exit code 0, or 1 with the index and reason of the first bad record.
    Verify {
        /// An audit, or the folder that it is in.
        file: PathBuf,
        /// The public key that must have signed it, 64 hexadecimal digits [default: any one key].
        #[arg(long, value_name = "HEX")]
        key: Option<String>,
        /// A head that was printed before: the audit must go at least that far, by the same records.
        #[arg(long, value_name = "COUNT:HASH")]
        head: Option<Head>,
        /// The operator's audit, or the folder that it is in: FILE is a device's, and the two must agree.
        #[arg(long, value_name = "FILE")]
        with: Option<PathBuf>,
    },
    /// Write a whole audit to standard output, all its files in one, if it is as it was written.
    Export {
        /// An audit, or the folder that it is in.
        file: PathBuf,
    },
}

/// Options of `admin-id`.
#[derive(Args, Clone, Debug)]
pub struct AdminIdArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub what: AdminIdDo,
    /// The device's folder [default: the user's state folder].
    #[arg(long, env = "ALONGSIDE_STATE", value_name = "DIR", global = true)]
    pub state: Option<PathBuf>,
    /// File with more settings, in TOML.
    #[arg(long, env = "ALONGSIDE_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// What can be done with the system administrator's ID.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum AdminIdDo {
    /// Set it, in the place of any other: at least 8 digits or characters. Wrong ones are forgiven.
    Set {
        /// Read it as one line from standard input instead of asking on the terminal.
        #[arg(long)]
        stdin: bool,
    },
    /// Forget it, and wrong ones with it.
    Reset,
}

/// Options of `demo`.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Print one JSON line with the addresses of the two pages instead of text.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show the comment as help")]
    pub log: LogArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show the comment as help")]
    pub modes: mode::ModeArgs,
}

/// How to log.
#[derive(Args, Clone, Debug)]
pub struct LogArgs {
    /// Format of the log on standard error [default: text].
    #[arg(long, env = "ALONGSIDE_LOG", value_name = "FORMAT")]
    pub log: Option<LogFormat>,
}

/// Formats of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Options of `doctor`.
#[derive(Args, Clone, Debug, Default)]
pub struct DoctorArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show the comment as help")]
    pub link: LinkArgs,
    /// Folder of the device's state: what was chosen on its panel counts here as it does there [default: the user's
    /// state folder].
    #[arg(long, env = "ALONGSIDE_STATE", value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Print one JSON line instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Options that device and operator share.
#[derive(Args, Clone, Debug, Default)]
pub struct SharedArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show the comment as help")]
    pub link: LinkArgs,
    /// Folder of its own for keys and counters, made with mode 0700 [default: the user's state folder].
    #[arg(long, env = "ALONGSIDE_STATE", value_name = "DIR")]
    pub state: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show the comment as help")]
    pub modes: mode::ModeArgs,
}

/// Options of `device`.
#[derive(Args, Clone, Debug, Default)]
pub struct DeviceArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show the comment as help")]
    pub shared: SharedArgs,
    /// Kind of panel [default: mfd].
    #[arg(long, env = "ALONGSIDE_PANEL", value_name = "KIND")]
    pub panel: Option<PanelKind>,
    /// Whether a code can be entered on the panel or its page [default: as set there, at first off]. Codes that come by
    /// --stdio or --code-file are the owner's own doing: this does not keep them out.
    #[arg(long, env = "ALONGSIDE_REMOTE_ASSISTANCE", value_name = "SWITCH")]
    pub remote_assistance: Option<Switch>,
    /// Language of the panel: en, de, zh-TW, or qps-ploc for tests [default: as set there, at first en].
    #[arg(long, env = "ALONGSIDE_LANGUAGE", value_name = "TAG", value_parser = language)]
    pub language: Option<Locale>,
    /// Size of the panel's text in percent: 100, 150 or 200 [default: as set there, at first 100].
    #[arg(long, env = "ALONGSIDE_TEXT_SIZE", value_name = "PERCENT", value_parser = text_size)]
    pub text_size: Option<Scale>,
    /// Font file (TTF or OTF) to write with before the built-in ones, such as one with every Chinese character.
    #[arg(long, env = "ALONGSIDE_FONT", value_name = "FILE")]
    pub font: Option<PathBuf>,
    /// What the customer holds for 5 s to end a session: a key of the panel, on x11 a keysym name, or a corner of the
    /// screen such as `corner-top-left` (default: `#`).
    #[arg(long, env = "ALONGSIDE_STOP_KEY", value_name = "KEY")]
    pub stop_key: Option<StopKey>,
    /// X display to show, such as `:0` [default: $DISPLAY].
    #[arg(long, env = "ALONGSIDE_X11_DISPLAY", value_name = "D")]
    pub x11_display: Option<String>,
    /// The device's serial number, at most 32 bytes [default: the host's name].
    #[arg(long, env = "ALONGSIDE_SERIAL", value_name = "S")]
    pub serial: Option<Serial>,
    /// Try codes without a relay, at the operator's own address and port: what `assist --listen` says there.
    #[arg(long, env = "ALONGSIDE_OPERATOR", value_name = "ADDR:PORT")]
    pub operator: Option<SocketAddr>,
    /// Read the access code from this file, or from standard input with `-`, and end with its session.
    /// A file, because arguments show in the process list.
    #[arg(long, env = "ALONGSIDE_CODE_FILE", value_name = "FILE|-")]
    pub code_file: Option<PathBuf>,
    /// Speak JSON Lines on standard input and output.
    #[arg(long)]
    pub stdio: bool,
}

fn language(tag: &str) -> Result<Locale, String> {
    Locale::from_tag(tag).ok_or_else(|| "the panel speaks en, de and zh-TW".to_owned())
}

fn text_size(percent: &str) -> Result<Scale, String> {
    percent
        .parse()
        .ok()
        .and_then(Scale::from_percent)
        .ok_or_else(|| "100, 150 or 200".to_owned())
}

/// Kinds of panel that the agent brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PanelKind {
    /// A multifunction printer's touch panel, drawn by the agent itself.
    #[default]
    Mfd,
    /// A whole X11 screen.
    X11,
}

/// Options of `assist`.
#[derive(Args, Clone, Debug, Default)]
pub struct AssistArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show the comment as help")]
    pub shared: SharedArgs,
    /// Your name, shown to the customer as unverified unless the relay confirms another.
    #[arg(long, env = "ALONGSIDE_NAME", value_name = "NAME")]
    pub name: Option<Name>,
    /// Without a relay: listen on this address and port (UDP), give codes out here, and print a first one beside the
    /// address. For a lab, or where nothing leads out.
    #[arg(long, env = "ALONGSIDE_LISTEN", value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// Serve the console page and print its address (the default without --stdio).
    #[arg(long)]
    pub console: bool,
    /// Speak JSON Lines on standard input and output.
    #[arg(long)]
    pub stdio: bool,
}
