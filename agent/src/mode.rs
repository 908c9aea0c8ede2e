//! `alongside-agent mode`: makes, packs, signs, checks, installs and lists modes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use alongside::{CompartmentError, modes::Refusal, protocol::ids::ModeId};

use crate::{
    cli::mode::{ModeCommand, ModeDo},
    config::Surroundings,
    exit::{Exit, chain, fail},
};

mod check;
mod install;
mod list;
mod new;
mod pack;
pub mod places;

use places::{PlaceError, Places};

/// Why it cannot be done.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(
        "{0:?} is not the id of a mode: lower-case letters, digits and `-`, with a dot, such as acme.counter"
    )]
    Id(String),
    #[error("{} is there already: choose another id, or remove it", .0.display())]
    Exists(PathBuf),
    #[error("cannot {doing} {}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("{} is no package: it has no mode.json", .0.display())]
    NoPackage(PathBuf),
    #[error("there is no package in {} yet: build the module, then `alongside-agent mode pack`", .0.display())]
    NotPacked(PathBuf),
    #[error("nothing is built in {}: run `cargo build --release`, or `make` for C; or name the file with --module", .0.display())]
    NotBuilt(PathBuf),
    #[error("{} is no checkout of Alongside: it has no core/mode", .0.display())]
    NoCheckout(PathBuf),
    #[error("{0} is not a public key: 64 hexadecimal digits")]
    Key(String),
    #[error("{0:?} is not a name")]
    Name(String),
    #[error("the package in {} is refused", path.display())]
    Refused { path: PathBuf, source: Refusal },
    #[error("{} is refused: correct mode.json", path.display())]
    Manifest {
        path: PathBuf,
        source: alongside::mode::ManifestError,
    },
    #[error("the module does not behave as it must")]
    Misconduct,
    #[error(transparent)]
    Places(#[from] PlaceError),
    #[error(transparent)]
    Compartment(#[from] CompartmentError),
}

/// Does what the command line asks.
pub async fn run(command: &ModeCommand) -> Exit {
    let around = Surroundings::of_process();
    let done = match &command.what {
        ModeDo::New { id, c, alongside } => new::run(id, *c, alongside.as_deref()),
        ModeDo::Pack { dir, module, key } => pack::run(dir, module.as_deref(), key, &around),
        ModeDo::Sign { dir, key } => pack::sign(dir, key, &around),
        ModeDo::Check { dir, events, seed } => check::run(dir, *events, *seed).await,
        ModeDo::Install { dir, key } => install::run(dir, key, &command.modes, &around),
        ModeDo::Trust { key, name } => install::trust_by_hand(key, name, &command.modes, &around),
        ModeDo::List => Places::resolve(&command.modes, &around)
            .map_err(Problem::from)
            .map(|places| list::run(&places)),
    };
    match done {
        Ok(()) => Exit::Done,
        Err(problem @ (Problem::Id(_) | Problem::Key(_) | Problem::Name(_))) => {
            fail(Exit::Usage, &chain(&problem))
        }
        Err(problem) => fail(Exit::Failed, &chain(&problem)),
    }
}

/// The package that `dir` is, or the one that was packed there.
fn package_in(dir: &Path) -> Result<PathBuf, Problem> {
    if !dir.join("mode.json").exists() {
        return Err(Problem::NoPackage(dir.to_owned()));
    }
    let has_module = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .any(|entry| entry.path().extension().is_some_and(|e| e == "so"));
    if has_module {
        return Ok(dir.to_owned());
    }
    let packed = fs::read_dir(dir.join("package")).into_iter().flatten();
    let packed = packed.filter_map(Result::ok).map(|entry| entry.path());
    packed
        .filter(|path| path.join("mode.json").exists())
        .max()
        .ok_or_else(|| Problem::NotPacked(dir.to_owned()))
}

/// A file in a package or a policy, with what is wrong if it cannot be had.
fn io_problem(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Problem {
    let path = path.to_owned();
    move |source| Problem::Io {
        doing,
        path,
        source,
    }
}

/// Whether `id` can be the id of a vendor's own mode.
fn own_id(id: &str) -> Result<ModeId, Problem> {
    let mode = ModeId::new(id).filter(|mode| {
        let mut parts = mode.as_str().split('.');
        mode.as_str().contains('.')
            && parts.all(|part| part.starts_with(|c: char| c.is_ascii_lowercase()))
    });
    mode.ok_or_else(|| Problem::Id(id.to_owned()))
}
