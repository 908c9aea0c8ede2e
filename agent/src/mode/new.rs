//! `mode new`: the source of a package that builds and passes its own tests at once.
#![expect(
    clippy::print_stdout,
    reason = "says what was made, and what comes next"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Problem, io_problem, own_id, pack::make_folder};

/// A file of a template, and its text.
type File = (&'static str, &'static str);

macro_rules! files {
    ($folder:literal: $($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../templates/", $folder, "/", $file, ".in")))),*]
    };
}

/// What a mode in Rust begins with.
const RUST: &[File] = files!("rust": "Cargo.toml", "README.md", "mode.json", "so/Cargo.toml", "so/src/lib.rs", "src/lib.rs", "ui/panel.js");
/// What a mode in C begins with.
const C: &[File] =
    files!("c": "Makefile", "README.md", "mode.c", "mode.json", "test.c", "ui/panel.js");
/// The header of the ABI, which goes with a mode in C.
const HEADER: &str = include_str!("../../../core/mode/include/alongside_mode.h");

/// Makes the folder `id` with a mode of that name.
pub(super) fn run(id: &str, in_c: bool, source: Option<&str>) -> Result<(), Problem> {
    let mode = own_id(id)?;
    let folder = PathBuf::from(mode.as_str());
    if folder.exists() {
        return Err(Problem::Exists(folder));
    }
    let source = Source::find(source)?;
    let name = mode.as_str().replace('.', "-");
    let words = [
        ("@ID@", mode.as_str().to_owned()),
        ("@CRATE@", name.clone()),
        ("@IDENT@", name.replace('-', "_")),
        ("@ELEMENT@", name),
        (
            "@VENDOR@",
            mode.as_str()
                .split('.')
                .next()
                .unwrap_or_default()
                .to_owned(),
        ),
        ("@NAME@", title(mode.as_str())),
        ("@ALONGSIDE@", source.dependency()),
    ];
    for (file, text) in if in_c { C } else { RUST } {
        write(&folder.join(file), &fill(text, &words))?;
    }
    write(&folder.join(".gitignore"), "/target\n/build\n/package\n")?;
    if in_c {
        write(&folder.join("alongside_mode.h"), HEADER)?;
    } else if let Source::Checkout(dir) = &source {
        // The versions that the checkout was built with, so that nothing has to be fetched.
        if let Ok(lock) = fs::read_to_string(dir.join("Cargo.lock")) {
            write(&folder.join("Cargo.lock"), &lock)?;
        }
    }
    println!("Made {}. Next:", folder.display());
    println!();
    println!("  cd {}", folder.display());
    let [test, build] = if in_c {
        ["make test", "make"]
    } else {
        ["cargo test", "cargo build --release"]
    };
    println!("  {test}");
    println!("  {build}");
    println!("  alongside-agent mode pack");
    println!("  alongside-agent mode check");
    println!("  alongside-agent mode install");
    println!("  alongside-agent demo");
    if !in_c {
        println!();
        println!("{}", source.says());
    }
    Ok(())
}

/// Where Cargo takes alongside-mode from.
enum Source {
    /// A folder with all of Alongside.
    Checkout(PathBuf),
    /// A Git repository with all of Alongside.
    Git(String),
    /// The registry.
    Registry,
}

impl Source {
    /// What was named; else the checkout in which this program was built, if it still lies there.
    fn find(named: Option<&str>) -> Result<Self, Problem> {
        match named {
            Some(url) if url.contains("://") => Ok(Self::Git(url.to_owned())),
            Some(dir) => checkout(Path::new(dir))
                .map(Self::Checkout)
                .ok_or_else(|| Problem::NoCheckout(dir.into())),
            None => {
                let program = std::env::current_exe().unwrap_or_default();
                let around = program.ancestors().skip(1).find_map(checkout);
                Ok(around.map_or(Self::Registry, Self::Checkout))
            }
        }
    }

    fn dependency(&self) -> String {
        match self {
            Self::Checkout(dir) => format!("{{ path = {:?} }}", dir.join("core/mode")),
            Self::Git(url) => format!("{{ git = {url:?} }}"),
            Self::Registry => format!("\"{}\"", env!("CARGO_PKG_VERSION")),
        }
    }

    fn says(&self) -> String {
        match self {
            Self::Checkout(dir) => format!(
                "Cargo takes alongside-mode from {}; --alongside names another folder, or a Git repository.",
                dir.display()
            ),
            Self::Git(url) => format!("Cargo takes alongside-mode from {url}."),
            Self::Registry => format!(
                "Cargo takes alongside-mode {} from crates.io. If it is not there yet: --alongside DIR, a checkout of Alongside, or --alongside URL, its Git repository.",
                env!("CARGO_PKG_VERSION")
            ),
        }
    }
}

/// `dir`, if it is a checkout of Alongside.
fn checkout(dir: &Path) -> Option<PathBuf> {
    let manifest = fs::read_to_string(dir.join("core/mode/Cargo.toml")).ok()?;
    let is_ours = manifest.contains("name = \"alongside-mode\"");
    is_ours.then(|| dir.canonicalize().ok()).flatten()
}

/// What people call the mode until its author finds a better name: the last part of its id.
fn title(id: &str) -> String {
    let last = id.rsplit('.').next().unwrap_or(id).replace('-', " ");
    let mut letters = last.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn fill(text: &str, words: &[(&str, String)]) -> String {
    words.iter().fold(text.to_owned(), |text, (word, meaning)| {
        text.replace(word, meaning)
    })
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    fs::write(path, text).map_err(io_problem("write", path))
}
