//! `alongside-agent forget`: exports the audit, then wipes the compartment: keys, counters, caches and all.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use alongside::{
    Compartment, CompartmentError,
    audit::{self, Expect},
};

use crate::{
    cli::ForgetArgs,
    config::{self, ConfigError, Surroundings},
    exit::{Exit, chain, fail},
};

/// Why nothing, or not all, was forgotten.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Compartment(#[from] CompartmentError),
    #[error("there is nothing to forget in {}", .0.display())]
    Nothing(PathBuf),
    #[error("cannot {doing} {}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("{} holds a folder, which is none of this program's: nothing was wiped", .0.display())]
    Foreign(PathBuf),
}

/// Does what the command line asks.
pub fn run(args: &ForgetArgs) -> Exit {
    match act(args) {
        Ok((state, exported)) => {
            eprintln!(
                "alongside-agent: forgot everything in {}; {exported} bytes of audit are in {}",
                state.display(),
                args.export.display()
            );
            Exit::Done
        }
        Err(problem @ Problem::Config(_)) => fail(Exit::Usage, &chain(&problem)),
        Err(problem) => fail(Exit::Failed, &chain(&problem)),
    }
}

fn act(args: &ForgetArgs) -> Result<(PathBuf, usize), Problem> {
    let state = config::device_state(
        args.state.as_deref(),
        args.config.as_deref(),
        &Surroundings::of_process(),
    )?;
    let cannot = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| Problem::Io {
            doing,
            path,
            source,
        }
    };
    if !state.is_dir() {
        return Err(Problem::Nothing(state));
    }
    // Somebody else's folder is not wiped.
    let compartment = Compartment::open(&state)?;
    let _claim = compartment.claim()?;
    let mut inside = Vec::new();
    for entry in fs::read_dir(compartment.path()).map_err(cannot("list", &state))? {
        let entry = entry.map_err(cannot("list", &state))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            return Err(Problem::Foreign(state));
        }
        inside.push(entry.path());
    }
    let mut bytes = Vec::new();
    for file in audit::files(&state).map_err(cannot("list", &state))? {
        bytes.extend(fs::read(&file).map_err(cannot("read", &file))?);
    }
    if bytes.is_empty() {
        eprintln!("alongside-agent: there was no session yet: the exported audit is empty");
    } else if let Err(bad) = audit::verify(&bytes, &Expect::default()) {
        // Kept all the same: a damaged audit is evidence too.
        eprintln!(
            "alongside-agent: the audit is exported as it is, which is not as it was written: {bad}"
        );
    }
    let mut copy = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&args.export)
        .map_err(cannot("make", &args.export))?;
    copy.write_all(&bytes)
        .and_then(|()| copy.sync_all())
        .map_err(cannot("write", &args.export))?;
    for path in inside {
        wipe(&path).map_err(cannot("wipe", &path))?;
    }
    fs::remove_dir(&state).map_err(cannot("remove", &state))?;
    Ok((state, bytes.len()))
}

/// Overwrites a file before it is removed; what a disk keeps of it elsewhere is beyond a program's reach.
fn wipe(path: &Path) -> io::Result<()> {
    let about = fs::symlink_metadata(path)?;
    if about.is_file() {
        let mut file = OpenOptions::new().write(true).open(path)?;
        let mut left = about.len();
        let zeros = [0; 4096];
        while left > 0 {
            let most = usize::try_from(left)
                .unwrap_or(zeros.len())
                .min(zeros.len());
            file.write_all(zeros.get(..most).unwrap_or(&zeros))?;
            left -= most as u64;
        }
        file.sync_all()?;
    }
    fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_is_kept_and_everything_else_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("device");
        let compartment = Compartment::open(&state).expect("a compartment");
        let _key = compartment.identity().expect("a key");
        fs::write(state.join("audit.jsonl"), "{}\n").expect("written");
        let args = ForgetArgs {
            export: folder.path().join("kept.jsonl"),
            state: Some(state.clone()),
            config: None,
        };
        let (_, exported) = act(&args).expect("forgotten");
        assert_eq!(exported, 3);
        assert!(!state.exists());
        assert_eq!(fs::read(&args.export).expect("kept"), b"{}\n");
        assert!(matches!(act(&args), Err(Problem::Nothing(_))));
    }

    #[test]
    fn a_folder_in_which_a_program_works_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("device");
        let compartment = Compartment::open(&state).expect("a compartment");
        let _works = compartment.claim().expect("its own");
        let args = ForgetArgs {
            export: folder.path().join("kept.jsonl"),
            state: Some(state.clone()),
            config: None,
        };
        let refused = act(&args).expect_err("refused");
        assert!(
            refused.to_string().contains("another program works in"),
            "{refused}"
        );
        assert!(state.exists() && !args.export.exists());
    }

    #[test]
    fn an_export_that_is_there_already_is_not_overwritten_and_nothing_is_wiped() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("device");
        let compartment = Compartment::open(&state).expect("a compartment");
        let _key = compartment.identity().expect("a key");
        let export = folder.path().join("kept.jsonl");
        fs::write(&export, "mine").expect("written");
        let args = ForgetArgs {
            export,
            state: Some(state.clone()),
            config: None,
        };
        assert!(matches!(act(&args), Err(Problem::Io { .. })));
        assert!(state.join("identity.key").exists());
    }
}
