//! `mode list`: what there is, and what is refused.
#![expect(
    clippy::print_stdout,
    reason = "the list is what a person starts this for"
)]

use alongside::{
    mode::host::Vetted,
    modes::{Boxing, Found, Package},
};

use super::places::Places;
use crate::exit::{chain, inert};

/// Prints the list.
pub(super) fn run(places: &Places) {
    for module in alongside::modes::linked() {
        if let Ok(vetted) = Vetted::check(module) {
            let manifest = vetted.manifest();
            println!("{} {}", manifest.id, inert(manifest.version.as_str()));
            println!(
                "  {}, by {}",
                inert(manifest.name.as_str()),
                inert(manifest.vendor.as_str())
            );
            println!("  may {}", manifest.capabilities);
            println!("  built in");
        }
    }
    let loader = places.loader();
    for found in loader.find() {
        show(&found);
    }
    println!();
    println!("Policy: {}", places.policy_file.display());
    println!("Signers: {}", places.policy.signers.len());
    println!(
        "Unsigned modes: {}",
        if places.policy.unsigned {
            "let in, sealed"
        } else {
            "refused"
        }
    );
    println!(
        "Landlock: {}",
        if loader.has_landlock() {
            "yes"
        } else {
            "no; only signed modes are let in"
        }
    );
    for path in &places.paths {
        println!("Looked into: {}", path.display());
    }
}

fn show(found: &Found) {
    let name = found.mode.as_ref().map_or("?", |mode| mode.as_str());
    match &found.package {
        Ok(package) => {
            println!("{name} {}", inert(package.manifest().version.as_str()));
            describe(package);
            if let Some(other) = &found.behind {
                println!(
                    "  not used: {} counts in its place",
                    inert(&other.display().to_string())
                );
            }
        }
        Err(refusal) => {
            println!("{name} refused");
            println!("  {}", inert(&chain(refusal)));
        }
    }
    println!("  {}", inert(&found.folder.display().to_string()));
}

/// What a package is, in a few lines.
fn describe(package: &Package) {
    describe_content(package);
    match package.signer() {
        Some((name, key)) => println!("  signed by {} ({key})", inert(name.as_str())),
        None => println!("  not signed by anybody whom the policy names"),
    }
    println!("  {}", package.boxing());
    if package.boxing() == Boxing::InProcess {
        println!("  its signer is trusted with this whole process");
    }
}

/// What is in a package, whoever signed it.
pub(super) fn describe_content(package: &Package) {
    let manifest = package.manifest();
    println!(
        "  {}, by {}",
        inert(manifest.name.as_str()),
        inert(manifest.vendor.as_str())
    );
    println!("  may {}", package.allowed());
}
