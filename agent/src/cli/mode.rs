//! Options of `mode`, and those that say which modes there are.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Which modes there are beside those that are built in.
#[derive(Args, Clone, Debug, Default)]
pub struct ModeArgs {
    /// Folder with packages of modes; may be given more than once, and comes before the usual ones
    /// [default: ~/.local/share/alongside/modes, /usr/local/lib/alongside/modes, /usr/lib/alongside/modes].
    #[arg(
        long,
        env = "ALONGSIDE_MODE_PATH",
        value_name = "DIR",
        value_delimiter = ':'
    )]
    pub mode_path: Vec<PathBuf>,
    /// File that says whose modes are let in, in TOML [default: /etc/alongside/modes.toml, else
    /// ~/.config/alongside/modes.toml].
    #[arg(long, env = "ALONGSIDE_MODE_POLICY", value_name = "FILE")]
    pub mode_policy: Option<PathBuf>,
}

/// What is said below the help of `mode`.
pub(super) const HELP: &str = "\
From an empty folder to a mode of your own:

  alongside-agent mode new acme.counter       a package's source in Rust; with --c in C
  cd acme.counter
  cargo test                                  (make test)
  cargo build --release                       (make)
  alongside-agent mode pack                   collects and signs what was built
  alongside-agent mode check                  tries it out, sealed
  alongside-agent mode install                lets you in as a signer, and puts the package where modes are found
  alongside-agent demo";

/// Options of `mode`.
#[derive(Args, Clone, Debug)]
pub struct ModeCommand {
    /// What to do.
    #[command(subcommand)]
    pub what: ModeDo,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show the comment as help")]
    pub modes: ModeArgs,
}

/// What can be done with modes.
#[derive(Clone, Debug, Subcommand)]
pub enum ModeDo {
    /// Makes the source of a package that builds and passes its own tests at once.
    New {
        /// The mode's id: lower case, with a dot, such as `acme.counter`. The folder gets the same name.
        id: String,
        /// Write it in C and not in Rust.
        #[arg(long)]
        c: bool,
        /// Where Cargo takes alongside-mode from: a checkout of Alongside, or the URL of its Git repository [default: the
        /// checkout in which this program was built, if there is one, else crates.io].
        #[arg(long, value_name = "DIR|URL", conflicts_with = "c")]
        alongside: Option<String>,
    },
    /// Collects what was built into a package, `package/<id>`, and signs it.
    Pack {
        /// Folder of the source.
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// The module that was built [default: the newest below target/release, target/debug or build].
        #[arg(long, value_name = "FILE")]
        module: Option<PathBuf>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "clap would show the comment as help")]
        key: KeyArgs,
    },
    /// Signs a package: writes its file `signature`.
    Sign {
        /// The package.
        dir: PathBuf,
        #[command(flatten)]
        #[allow(missing_docs, reason = "clap would show the comment as help")]
        key: KeyArgs,
    },
    /// Tries a package out in a sealed process: random events twice on each half, and what comes of them.
    Check {
        /// The package, or the source that it was packed from.
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// How many events each half is told of.
        #[arg(long, default_value_t = 20_000, value_name = "N")]
        events: u32,
        /// Where the random events begin.
        #[arg(long, default_value_t = 1, value_name = "N")]
        seed: u64,
    },
    /// Copies a package to where modes are found, and lets its signer in if it is you.
    Install {
        /// The package, or the source that it was packed from.
        #[arg(default_value = ".")]
        dir: PathBuf,
        #[command(flatten)]
        #[allow(missing_docs, reason = "clap would show the comment as help")]
        key: KeyArgs,
    },
    /// Lets a signer's modes in: adds the key to the policy.
    Trust {
        /// The signer's public key, 64 hexadecimal digits.
        key: String,
        /// What to call them.
        #[arg(long)]
        name: String,
    },
    /// Lists the modes there are: by whom signed, what they may do, how they are boxed; and those refused, and why.
    List,
}

/// The key that signs.
#[derive(Args, Clone, Debug)]
pub struct KeyArgs {
    /// Folder with the key that signs, made at first use [default: ~/.local/state/alongside/author].
    #[arg(long, value_name = "DIR")]
    pub author: Option<PathBuf>,
}
