//! The mode in C, built and tried out as its author would.
#![allow(missing_docs, reason = "tests")]

use std::{fs, path::Path, process::Command};

#[test]
fn the_mode_builds_without_warnings_and_does_what_it_says() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let text = fs::read_to_string(here.join("mode.json")).expect("a manifest");
    let quoted: String = text
        .lines()
        .map(|line| {
            format!(
                "\"{}\\n\"\n",
                line.replace('\\', "\\\\").replace('"', "\\\"")
            )
        })
        .collect();
    fs::write(built.join("manifest.h"), quoted).expect("written");
    let test = built.join("test");
    let compiled = Command::new("cc")
        .args([
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-o",
        ])
        .arg(&test)
        .arg("-I")
        .arg(here.join("../../core/mode/include"))
        .arg("-I")
        .arg(built)
        .args([here.join("test.c"), here.join("label.c")])
        .output()
        .expect("a C compiler");
    assert!(
        compiled.status.success(),
        "{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    let said = Command::new(&test).output().expect("it runs");
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stdout)
    );
}
