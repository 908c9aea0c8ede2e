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
pub(super) fn run(id: &str, in_c: bool, checkout: Option<&Path>) -> Result<(), Problem> {
    let mode = own_id(id)?;
    let folder = PathBuf::from(mode.as_str());
    if folder.exists() {
        return Err(Problem::Exists(folder));
    }
    let dependency = match checkout {
        None => format!("\"{}\"", env!("CARGO_PKG_VERSION")),
        Some(dir) => {
            let crate_folder = dir.join("core/mode");
            let found = crate_folder
                .canonicalize()
                .ok()
                .filter(|path| path.join("Cargo.toml").exists());
            let path = found.ok_or_else(|| Problem::NoCheckout(dir.to_owned()))?;
            format!("{{ path = \"{}\" }}", path.display())
        }
    };
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
        ("@ALONGSIDE@", dependency),
    ];
    for (file, text) in if in_c { C } else { RUST } {
        write(&folder.join(file), &fill(text, &words))?;
    }
    write(&folder.join(".gitignore"), "/target\n/build\n/package\n")?;
    if in_c {
        write(&folder.join("alongside_mode.h"), HEADER)?;
    } else if let Some(dir) = checkout {
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
    if !in_c && checkout.is_none() {
        println!();
        println!(
            "Cargo takes alongside-mode {} from crates.io; --alongside DIR takes it from a checkout.",
            env!("CARGO_PKG_VERSION")
        );
    }
    Ok(())
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
