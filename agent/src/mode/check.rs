//! `mode check`: tries a package out, and says what is wrong with it.
#![expect(
    clippy::print_stdout,
    reason = "the report is what a person starts this for"
)]

use std::{path::Path, sync::Arc};

use alongside::{
    mode::Side,
    modes::{
        Loader, Policy,
        conformance::{self, Conduct},
    },
};

use super::{Problem, list, package_in};
use crate::exit::inert;

/// Judges the package in `dir` and tries out both of its halves.
pub(super) async fn run(dir: &Path, events: u32, seed: u64) -> Result<(), Problem> {
    let path = package_in(dir)?;
    let loader = Loader::new(Policy::default());
    let package = loader
        .open_untrusted(&path)
        .map_err(|source| Problem::Refused {
            path: path.clone(),
            source,
        })?;
    let package = Arc::new(package);
    println!(
        "{} {}",
        package.manifest().id,
        inert(package.manifest().version.as_str())
    );
    list::describe_content(&package);
    println!("  {}", package.boxing());
    println!(
        "  who signed it does not count here: `mode install` and `mode trust` let a signer in"
    );
    println!(
        "  module {}, {} KiB",
        package.module_name(),
        package.module_len().div_ceil(1024)
    );
    let conducts = conformance::check(&package, &loader, events.max(10), seed).await;
    for conduct in &conducts {
        show(conduct);
    }
    if conducts.iter().all(Conduct::is_good) {
        println!(
            "Good. Use it with:  alongside-agent mode install {}",
            path.display()
        );
        Ok(())
    } else {
        Err(Problem::Misconduct)
    }
}

fn show(conduct: &Conduct) {
    let half = match conduct.side {
        Side::Device => "device",
        Side::Operator => "operator",
    };
    let say =
        |good: bool, text: String| println!("  {} {text}", if good { "ok   " } else { "WRONG" });
    println!("The {half} half:");
    say(
        conduct.fault.is_none(),
        match &conduct.fault {
            None => format!(
                "{} events, twice, and {} effects; it gave up {} times",
                conduct.events, conduct.effects, conduct.gave_up
            ),
            Some(fault) => inert(fault),
        },
    );
    say(
        conduct.differs_at.is_none(),
        match conduct.differs_at {
            None => "the same events gave the same effects".to_owned(),
            Some(n) => format!(
                "event {n} gave other effects the second time: a half has no clock, no random source and no memory outside of itself"
            ),
        },
    );
    say(
        conduct.denied == 0,
        match conduct.denied {
            0 => "it asked for nothing that mode.json does not name".to_owned(),
            n => format!(
                "{n} effects need a capability that mode.json does not name: add it under `capabilities` and `why`"
            ),
        },
    );
    let mark = if conduct.slow == 0 { "ok   " } else { "note " };
    println!(
        "  {mark} {:.1} us for an event, {:.1} ms at most; {} took more than 5 ms; {:.1} ms to start",
        conduct.mean.as_secs_f64() * 1e6,
        conduct.slowest.as_secs_f64() * 1e3,
        conduct.slow,
        conduct.start.as_secs_f64() * 1e3,
    );
    if conduct.slow > 0 {
        println!(
            "        a machine that is busy with something else shows here as well: try again when it is not"
        );
    }
}
