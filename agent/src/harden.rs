//! Keeps what this process knows out of core files, other programs' reach and its own last words.

use std::panic::{self, Location};

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Hardens this process; what the system refuses is left as it is.
///
/// No core file is written, no other program of the same user reads its memory, and a panic says where it happened and
/// nothing else: what it would say can have been typed, pressed or drawn.
pub fn harden() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    panic::set_hook(Box::new(|info| {
        eprintln!("{}", last_words(info.location()))
    }));
}

fn last_words(location: Option<&Location<'_>>) -> String {
    match location {
        Some(at) => format!("alongside-agent: a fault of this program at {at}"),
        None => "alongside-agent: a fault of this program".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::{env, process::Command};

    use rustix::process::{dumpable_behavior, getrlimit};

    use super::*;

    /// Set in the process that is hardened, which is another one than that of the other tests.
    const INSIDE: &str = "ALONGSIDE_TEST_HARDENED";
    const TYPED: &str = "what somebody typed";

    #[test]
    fn a_panic_says_where_and_not_what() {
        if env::var_os(INSIDE).is_some() {
            harden();
            assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
            let dumpable = dumpable_behavior().expect("said");
            assert_eq!(dumpable, DumpableBehavior::NotDumpable);
            panic!("{TYPED}");
        }
        let name = "harden::tests::a_panic_says_where_and_not_what";
        let output = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", name, "--nocapture"])
            .env(INSIDE, "1")
            .output()
            .expect("it runs");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(
            said.contains("a fault of this program at agent/src/harden.rs"),
            "{said}"
        );
        assert!(!said.contains(TYPED), "{said}");
    }
}
