//! What a device adds to a program that has a runtime already: bytes of the stripped program, and memory while it waits.
//!
//! ```sh
//! cargo bench -p alongside --bench weigh
//! ```
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// Time that a program has to come to rest after it says that it is up.
const REST: Duration = Duration::from_secs(2);

fn main() {
    let bare = Weight::of("weigh_bare", "");
    println!("a program with a tokio runtime: {bare}");
    for (features, what) in [
        ("", "with a device, no default features"),
        ("builtin-modes", "with `builtin-modes`, the default"),
        ("dynamic-modes", "with `dynamic-modes`"),
        (
            "builtin-modes,admin-id,dynamic-modes,bundled-roots",
            "with all features",
        ),
    ] {
        let with = Weight::of("weigh_device", features);
        let adds = Weight {
            file: with.file - bare.file,
            resident: with.resident - bare.resident,
            anonymous: with.anonymous - bare.anonymous,
        };
        println!("{what} it has {adds} more");
    }
}

/// All in KiB.
struct Weight {
    file: i64,
    resident: i64,
    anonymous: i64,
}

impl std::fmt::Display for Weight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            file,
            resident,
            anonymous,
        } = self;
        write!(
            f,
            "{file} KiB of program, {resident} KiB resident of which {anonymous} KiB its own"
        )
    }
}

impl Weight {
    fn of(example: &str, features: &str) -> Self {
        let program = built(example, features);
        let state = tempfile::tempdir().unwrap();
        let shipped = state.path().join("shipped");
        let stripped = Command::new("strip")
            .arg("-o")
            .args([&shipped, &program])
            .status();
        assert!(stripped.unwrap().success());
        let file = i64::try_from(fs::metadata(&shipped).unwrap().len()).unwrap() / 1024;
        let mut child = Command::new(&program)
            .arg(state.path().join("state"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let said = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
        std::thread::sleep(REST);
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        said.unwrap();
        assert_eq!(line, "up\n", "{example} did not start");
        let field = |name: &str| -> i64 {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        Self {
            file,
            resident: field("VmRSS:"),
            anonymous: field("RssAnon:"),
        }
    }
}

/// Builds the example as this program was built.
fn built(example: &str, features: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "-p",
            "alongside",
        ])
        .args(["--no-default-features", "--features", features])
        .args(["--example", example, "--target-dir"])
        .arg(target)
        .status()
        .unwrap();
    assert!(built.success());
    target.join("release/examples").join(example)
}
