//! `mode install` and `mode trust`: to where modes are found, and into the policy.
#![expect(clippy::print_stdout, reason = "says what was changed")]

use std::{fs, path::Path};

use alongside::{
    modes::{Package, Refusal},
    protocol::{PublicKey, label::Label},
};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::{
    Problem, io_problem, pack, package_in,
    places::{PlaceError, Places},
};
use crate::{
    cli::mode::{KeyArgs, ModeArgs},
    config::Surroundings,
};

/// Copies a package to where modes are found. Its signer is let in if it is the author at this machine.
pub(super) fn run(
    dir: &Path,
    key: &KeyArgs,
    args: &ModeArgs,
    around: &Surroundings,
) -> Result<(), Problem> {
    let package = package_in(dir)?;
    let mut places = Places::resolve(args, around)?;
    let identity = pack::author(key, around)?;
    let own = identity.public_key();
    let signed = fs::read_to_string(package.join("signature")).unwrap_or_default();
    let is_own = signed.lines().nth(1) == Some(&format!("signer {own}"));
    if is_own && places.policy.signer(own).is_none() {
        // The signature first: a line that names the author is nobody's word yet.
        judge(&package, |dir| places.loader().open_untrusted(dir))?;
        trust(&places.policy_file, own, "The author at this machine")?;
        places = Places::resolve(args, around)?;
    }
    let judged = judge(&package, |dir| places.loader().open(dir))?;
    pack::make_folder(&places.own)?;
    let to = places.own.join(judged.manifest().id.as_str());
    if to.exists() {
        fs::remove_dir_all(&to).map_err(io_problem("replace", &to))?;
    }
    copy_all(&package, &to)?;
    println!("Installed {} in {}", judged.manifest().id, to.display());
    println!("Sessions that begin from now on have it; `alongside-agent demo` does.");
    Ok(())
}

fn judge(
    package: &Path,
    open: impl FnOnce(&Path) -> Result<Package, Refusal>,
) -> Result<Package, Problem> {
    open(package).map_err(|source| Problem::Refused {
        path: package.to_owned(),
        source,
    })
}

fn copy_all(from: &Path, to: &Path) -> Result<(), Problem> {
    pack::make_folder(to)?;
    for entry in fs::read_dir(from).map_err(io_problem("read", from))? {
        let path = entry.map_err(io_problem("read", from))?.path();
        let inner = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_all(&path, &inner)?;
        } else {
            let mode = if path.extension().is_some_and(|e| e == "so") {
                0o755
            } else {
                0o644
            };
            pack::copy(&path, &inner, mode)?;
        }
    }
    Ok(())
}

/// Adds a signer that somebody typed.
pub(super) fn trust_by_hand(
    key: &str,
    name: &str,
    args: &ModeArgs,
    around: &Surroundings,
) -> Result<(), Problem> {
    let public = PublicKey::from_hex(key).ok_or_else(|| Problem::Key(key.to_owned()))?;
    let places = Places::resolve(args, around)?;
    if let Some(signer) = places.policy.signer(public) {
        println!("{} is let in already.", signer.name.as_str());
        return Ok(());
    }
    trust(&places.policy_file, public, name)
}

/// Adds a signer to the policy, whose other lines stay as they are.
fn trust(file: &Path, key: PublicKey, name: &str) -> Result<(), Problem> {
    let name = Label::<64>::new(name).map_err(|_| Problem::Name(name.to_owned()))?;
    if let Some(folder) = file.parent().filter(|folder| !folder.exists()) {
        pack::make_folder(folder)?;
    }
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut document: DocumentMut =
        text.parse()
            .map_err(|error: toml_edit::TomlError| PlaceError::Policy {
                path: file.to_owned(),
                message: error.to_string(),
            })?;
    let signers = document
        .entry("signers")
        .or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let mut signer = Table::new();
    signer.insert("name", value(name.as_str()));
    signer.insert("key", value(key.to_string()));
    match signers.as_array_of_tables_mut() {
        Some(tables) => tables.push(signer),
        None => {
            return Err(PlaceError::Policy {
                path: file.to_owned(),
                message: "`signers` is no list of tables: write it as [[signers]]".to_owned(),
            }
            .into());
        }
    }
    fs::write(file, document.to_string()).map_err(io_problem("write", file))?;
    println!(
        "{} may sign modes from now on: {}",
        name.as_str(),
        file.display()
    );
    Ok(())
}
