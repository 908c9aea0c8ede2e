//! From an empty folder to an installed mode, as an integrator would: with the real program, in Rust and in C.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::made::{AGENT, manifest};

/// Somebody's home, and what they type.
struct Integrator {
    home: TempDir,
}

impl Integrator {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs a command in a folder of theirs; gives whether it went well, and all it said.
    fn tries(&self, folder: &str, program: &str, args: &[&str]) -> (bool, String) {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.path(folder));
        if program == AGENT {
            command.env("HOME", self.home.path());
            for name in [
                "XDG_STATE_HOME",
                "STATE_DIRECTORY",
                "ALONGSIDE_MODE_PATH",
                "ALONGSIDE_MODE_POLICY",
            ] {
                command.env_remove(name);
            }
        }
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    fn types(&self, folder: &str, program: &str, args: &[&str]) -> String {
        let (good, said) = self.tries(folder, program, args);
        assert!(good, "{program} {args:?}: {said}");
        said
    }

    /// What comes after the build is the same in any language.
    fn packs_checks_and_installs(&self, id: &str) {
        self.types(id, AGENT, &["mode", "pack"]);
        let report = self.types(id, AGENT, &["mode", "check", "--events", "2000"]);
        assert!(
            report.contains("Good.") && !report.contains("WRONG"),
            "{report}"
        );
        let said = self.types(id, AGENT, &["mode", "install"]);
        assert!(said.contains("may sign modes from now on"), "{said}");
        let list = self.types(".", AGENT, &["mode", "list"]);
        assert!(list.contains(&format!("{id} 0.1.0")), "{list}");
        assert!(
            list.contains("signed by The author at this machine")
                && list.contains("sealed: landlock"),
            "{list}"
        );
        assert!(
            list.contains("user-guide") && list.contains("built in"),
            "{list}"
        );
    }
}

#[test]
fn a_new_mode_in_c_needs_a_c_compiler_and_nothing_else() {
    let kim = Integrator::new();
    kim.types(".", AGENT, &["mode", "new", "acme.counter", "--c"]);
    let said = kim.types(
        "acme.counter",
        "make",
        &["test", "CFLAGS=-O2 -Wall -Wextra -Wpedantic -Werror"],
    );
    assert!(said.contains("ok"), "{said}");
    kim.types(
        "acme.counter",
        "make",
        &["CFLAGS=-O2 -Wall -Wextra -Wpedantic -Werror"],
    );
    kim.packs_checks_and_installs("acme.counter");
}

#[test]
fn a_new_mode_in_rust_builds_and_passes_its_own_tests_at_once() {
    let kim = Integrator::new();
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let checkout = checkout.to_str().unwrap();
    kim.types(
        ".",
        AGENT,
        &["mode", "new", "acme.tally", "--alongside", checkout],
    );
    // Built beside the workspace's own programs, so that a second run has little to do.
    let target = Path::new(AGENT)
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("kit");
    let target = target.to_str().unwrap();
    let said = kim.types(
        "acme.tally",
        env!("CARGO"),
        &["test", "--lib", "--offline", "--target-dir", target],
    );
    assert!(said.contains("2 passed"), "{said}");
    kim.types(
        "acme.tally",
        env!("CARGO"),
        &["build", "--offline", "--target-dir", target],
    );
    let module = Path::new(target).join("debug/libacme_tally_so.so");
    kim.types(
        "acme.tally",
        AGENT,
        &["mode", "pack", "--module", module.to_str().unwrap()],
    );
    let report = kim.types("acme.tally", AGENT, &["mode", "check", "--events", "2000"]);
    assert!(report.contains("Good."), "{report}");
}

#[test]
fn what_is_missing_or_wrong_is_said_with_what_to_do() {
    let kim = Integrator::new();
    for (args, says) in [
        (&["mode", "new", "Counter"][..], "lower-case letters"),
        (
            &["mode", "new", "acme.x", "--alongside", "nowhere"],
            "no checkout",
        ),
        (&["mode", "check"], "no mode.json"),
        (
            &["mode", "trust", "ab", "--name", "Kim"],
            "64 hexadecimal digits",
        ),
    ] {
        let (good, said) = kim.tries(".", AGENT, args);
        assert!(!good && said.contains(says), "{args:?}: {said}");
    }
    kim.types(".", AGENT, &["mode", "new", "acme.counter", "--c"]);
    let (good, said) = kim.tries("acme.counter", AGENT, &["mode", "pack"]);
    assert!(!good && said.contains("nothing is built"), "{said}");
    let (good, said) = kim.tries("acme.counter", AGENT, &["mode", "check"]);
    assert!(!good && said.contains("mode pack"), "{said}");
}

#[test]
fn a_package_whose_id_leads_out_of_its_folder_costs_nobody_a_file() {
    let kim = Integrator::new();
    for id in [".", "..", "a..b", ".a", "a."] {
        let package = kim.path("evil");
        fs::create_dir_all(package.join("package")).unwrap();
        fs::write(package.join("evil.so"), "a module").unwrap();
        fs::write(package.join("mode.json"), manifest(id, &["view"])).unwrap();
        let own = kim.path(".local/share/alongside/modes");
        fs::create_dir_all(&own).unwrap();
        for args in [
            &["mode", "pack", "--module", "evil.so"][..],
            &["mode", "install"],
        ] {
            let (good, said) = kim.tries("evil", AGENT, args);
            let says = "a dot between two labels";
            assert!(!good && said.contains(says), "{id} {args:?}: {said}");
            assert!(
                package.join("mode.json").exists() && own.exists(),
                "{id} {args:?}"
            );
        }
    }
}

#[test]
fn a_signature_that_does_not_hold_lets_nobody_in() {
    let kim = Integrator::new();
    kim.types(".", AGENT, &["mode", "new", "acme.counter", "--c"]);
    kim.types("acme.counter", "make", &[]);
    kim.types("acme.counter", AGENT, &["mode", "pack"]);
    let package = "acme.counter/package/acme.counter";
    let module = kim.path(package).join("acme.counter.so");
    let mut bytes = fs::read(&module).unwrap();
    bytes.push(0);
    fs::write(&module, bytes).unwrap();
    let (good, said) = kim.tries(package, AGENT, &["mode", "install"]);
    assert!(!good && said.contains("is refused"), "{said}");
    assert!(!said.contains("may sign"), "{said}");
    let (_, said) = kim.tries(package, AGENT, &["mode", "list"]);
    assert!(!said.contains("The author at this machine"), "{said}");
    // What was not changed is still let in.
    kim.types("acme.counter", AGENT, &["mode", "pack"]);
    let said = kim.types("acme.counter", AGENT, &["mode", "install"]);
    assert!(said.contains("may sign modes from now on"), "{said}");
}

#[test]
fn what_misbehaves_does_not_pass_the_check() {
    let shop = crate::made::Shop::new();
    let kim = Integrator::new();
    for (source, says) in [
        ("loop.c", "does not answer within 50 ms"),
        ("moody.c", "other effects the second time"),
        ("greedy.c", "need a capability"),
    ] {
        let package = shop.pack_c("test.bad", source, &[], &["view"]);
        let (good, said) = kim.tries(
            ".",
            AGENT,
            &[
                "mode",
                "check",
                package.to_str().unwrap(),
                "--events",
                "200",
            ],
        );
        assert!(!good && said.contains(says), "{source}: {said}");
    }
}
