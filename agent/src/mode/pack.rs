//! `mode pack` and `mode sign`: from what was built to a package.
#![expect(
    clippy::print_stdout,
    reason = "says what was made, and what comes next"
)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use alongside::{Compartment, Identity, mode::Manifest, modes};

use super::{Problem, io_problem, places::PlaceError};
use crate::{cli::mode::KeyArgs, config::Surroundings};

/// Packs what was built in `dir`, and signs it.
pub(super) fn run(
    dir: &Path,
    module: Option<&Path>,
    key: &KeyArgs,
    around: &Surroundings,
) -> Result<(), Problem> {
    let manifest_file = dir.join("mode.json");
    let text =
        fs::read_to_string(&manifest_file).map_err(|_| Problem::NoPackage(dir.to_owned()))?;
    let manifest = Manifest::parse(&text).map_err(|source| Problem::Manifest {
        path: manifest_file.clone(),
        source,
    })?;
    let module = match module {
        Some(module) => module.to_owned(),
        None => newest(dir).ok_or_else(|| Problem::NotBuilt(dir.to_owned()))?,
    };
    let package = dir.join("package").join(manifest.id.as_str());
    if package.exists() {
        fs::remove_dir_all(&package).map_err(io_problem("replace", &package))?;
    }
    make_folder(&package)?;
    copy(&manifest_file, &package.join("mode.json"), 0o644)?;
    copy(&module, &package.join(format!("{}.so", manifest.id)), 0o755)?;
    if let Some(console) = &manifest.console {
        let inside = Path::new(console.panel.as_str());
        let to = package.join(inside);
        if let Some(folder) = to.parent() {
            make_folder(folder)?;
        }
        copy(&dir.join(inside), &to, 0o644)?;
    }
    sign(&package, key, around)?;
    println!(
        "Try it out with:  alongside-agent mode check {}",
        package.display()
    );
    Ok(())
}

/// Signs the package in `dir` with the author's key.
pub(super) fn sign(dir: &Path, key: &KeyArgs, around: &Surroundings) -> Result<(), Problem> {
    let identity = author(key, around)?;
    modes::sign(dir, &identity).map_err(|source| Problem::Refused {
        path: dir.to_owned(),
        source,
    })?;
    println!("Signed {} with {}", dir.display(), identity.public_key());
    Ok(())
}

/// The key that signs, made at first use.
pub(super) fn author(key: &KeyArgs, around: &Surroundings) -> Result<Arc<Identity>, Problem> {
    let folder = match &key.author {
        Some(folder) => folder.clone(),
        None => around.state_of("author").ok_or(PlaceError::NoHome)?,
    };
    Ok(Compartment::open(&folder)?.identity()?)
}

/// The newest library below the folders that builds write to.
fn newest(dir: &Path) -> Option<PathBuf> {
    let mut newest = None;
    for folder in ["target/release", "target/debug", "build"] {
        for entry in fs::read_dir(dir.join(folder))
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
        {
            let path = entry.path();
            let built = entry.metadata().and_then(|metadata| metadata.modified());
            if let (true, Ok(built)) = (path.extension().is_some_and(|e| e == "so"), built)
                && newest.as_ref().is_none_or(|(before, _)| built > *before)
            {
                newest = Some((built, path));
            }
        }
    }
    newest.map(|(_, path)| path)
}

pub(super) fn make_folder(path: &Path) -> Result<(), Problem> {
    fs::create_dir_all(path).map_err(io_problem("make", path))?;
    plain(path, 0o755)
}

pub(super) fn copy(from: &Path, to: &Path, mode: u32) -> Result<(), Problem> {
    let bytes = fs::read(from).map_err(io_problem("read", from))?;
    fs::write(to, bytes).map_err(io_problem("write", to))?;
    plain(to, mode)
}

fn plain(path: &Path, mode: u32) -> Result<(), Problem> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(io_problem("change", path))
}
