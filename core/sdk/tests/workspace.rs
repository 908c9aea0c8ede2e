//! The shape of the workspace: which crate may lean on which, and on what from outside.
#![allow(missing_docs, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// What a crate may use from outside the workspace.
enum Outside {
    /// Anything that `deny.toml` lets in.
    Any,
    /// These alone, and `bytes`: the crate is pure, or all that a plugin's author has to trust.
    Only(&'static [&'static str]),
}

/// Every crate, the crates inside that it builds on, and what it may use from outside. Arrows only point down.
const CRATES: &[(&str, &[&str], Outside)] = &[
    (
        "alongside-protocol",
        &[],
        Outside::Only(&["serde", "postcard"]),
    ),
    (
        "alongside-panel",
        &["alongside-protocol"],
        Outside::Only(&["zstd", "twox-hash", "zeroize"]),
    ),
    (
        "alongside-mode",
        &["alongside-protocol"],
        Outside::Only(&["serde", "postcard", "serde_json"]),
    ),
    (
        "alongside-session",
        &["alongside-protocol", "alongside-panel", "alongside-mode"],
        Outside::Only(&[
            "curve25519-dalek",
            "sha2",
            "hmac",
            "hkdf",
            "subtle",
            "zeroize",
        ]),
    ),
    ("alongside-transport", &["alongside-protocol"], Outside::Any),
    (
        "alongside",
        &[
            "alongside-protocol",
            "alongside-panel",
            "alongside-mode",
            "alongside-session",
            "alongside-transport",
            "alongside-engineer-config",
            "alongside-operator-control",
            "alongside-user-guide",
        ],
        Outside::Any,
    ),
    (
        "alongside-engineer-config",
        &["alongside-mode"],
        Outside::Any,
    ),
    (
        "alongside-engineer-config-so",
        &["alongside-mode", "alongside-engineer-config"],
        Outside::Any,
    ),
    (
        "alongside-operator-control",
        &["alongside-mode"],
        Outside::Any,
    ),
    (
        "alongside-operator-control-so",
        &["alongside-mode", "alongside-operator-control"],
        Outside::Any,
    ),
    ("alongside-user-guide", &["alongside-mode"], Outside::Any),
    (
        "alongside-user-guide-so",
        &["alongside-mode", "alongside-user-guide"],
        Outside::Any,
    ),
    (
        "alongside-agent",
        &["alongside", "alongside-relay"],
        Outside::Any,
    ),
    (
        "alongside-relay",
        &["alongside-protocol", "alongside-transport"],
        Outside::Any,
    ),
    ("behind-proxy", &["alongside"], Outside::Any),
    ("custom-mode", &["alongside-mode"], Outside::Any),
    (
        "custom-mode-so",
        &["alongside-mode", "custom-mode"],
        Outside::Any,
    ),
    ("custom-mode-c", &[], Outside::Only(&[])),
    ("custom-panel", &["alongside"], Outside::Any),
    ("embed-device", &["alongside"], Outside::Any),
    ("embed-operator", &["alongside"], Outside::Any),
];

/// Crates whose work needs `unsafe`: the C ABI of modes, its host, and what the export macro writes.
const UNSAFE: &[&str] = &[
    "alongside-mode",
    "alongside",
    "alongside-engineer-config-so",
    "alongside-operator-control-so",
    "alongside-user-guide-so",
    "custom-mode-so",
];

/// Where Alongside has to run; the rules on dependencies hold for what is built there.
const TARGETS: &[&str] = &["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

#[test]
fn crates_build_on_what_the_map_says_and_on_nothing_else() {
    let members = members();
    let known: BTreeSet<&str> = CRATES.iter().map(|(name, ..)| *name).collect();
    let found: BTreeSet<&str> = members.keys().map(String::as_str).collect();
    assert_eq!(
        found, known,
        "the workspace's crates and the map of this test differ"
    );
    for (name, inside, outside) in CRATES {
        let used = normal_dependencies(&members[*name]);
        let (used_inside, used_outside): (BTreeSet<_>, BTreeSet<_>) =
            used.iter().partition(|d| known.contains(**d));
        assert_eq!(
            used_inside,
            inside.iter().collect(),
            "what {name} builds on"
        );
        if let Outside::Only(allowed) = outside {
            for dependency in used_outside {
                assert!(
                    allowed.contains(dependency) || *dependency == "bytes",
                    "{name} must not use {dependency}"
                );
            }
        }
    }
}

#[test]
fn the_built_in_modes_can_be_left_out() {
    let members = members();
    for mode in [
        "alongside-engineer-config",
        "alongside-operator-control",
        "alongside-user-guide",
    ] {
        let edge = dependencies(&members["alongside"])
            .find(|d| d["name"] == mode)
            .expect("edge");
        assert_eq!(edge["optional"], true);
    }
    let edge = dependencies(&members["alongside-agent"])
        .find(|d| d["name"] == "alongside-relay")
        .expect("edge");
    assert_eq!(
        edge["optional"], true,
        "firmware does without the demo's relay"
    );
}

#[test]
fn every_crate_tells_its_story_and_says_whether_it_is_safe() {
    for (name, package) in members() {
        let manifest =
            fs::read_to_string(package["manifest_path"].as_str().expect("path")).expect("manifest");
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{name} must take the workspace's lints"
        );
        for root in roots(&package) {
            let source = fs::read_to_string(&root).expect("source");
            let shown = root.display();
            assert!(
                source.starts_with("//! "),
                "{shown} must begin with what it is for"
            );
            let forbids = source.lines().any(|line| line == "#![forbid(unsafe_code)]");
            assert!(
                forbids || UNSAFE.contains(&name.as_str()),
                "{shown} must forbid unsafe code"
            );
        }
    }
}

#[test]
fn sources_stay_readable() {
    // Our choice: 300 lines are the aim, and beyond 600 a second noun has moved in. Lists of tests may be longer.
    for package in members().values() {
        let folder = Path::new(package["manifest_path"].as_str().expect("path"))
            .parent()
            .expect("folder")
            .join("src");
        for file in sources(&folder) {
            if file.ends_with("tests.rs") {
                continue;
            }
            let lines = fs::read_to_string(&file).expect("source").lines().count();
            assert!(lines <= 600, "{} has {lines} lines", file.display());
            assert_ne!(
                file.file_name(),
                Some("mod.rs".as_ref()),
                "{}: a module foo is foo.rs",
                file.display()
            );
        }
    }
}

#[test]
fn nothing_banned_is_built() {
    let policy = policy();
    let banned: Vec<_> = policy["bans"]["deny"]
        .as_array()
        .expect("deny")
        .iter()
        .map(|b| text(&b["name"]))
        .collect();
    for name in ["ring", "openssl", "openssl-sys", "native-tls"] {
        assert!(
            banned.iter().any(|b| b == name),
            "deny.toml must ban {name}"
        );
    }
    for target in TARGETS {
        for Built { name, .. } in built(target) {
            assert!(
                !banned.contains(&name),
                "{name} is banned and in the build for {target}"
            );
        }
    }
}

#[test]
fn every_licence_is_one_that_the_policy_allows() {
    let policy = policy();
    let allowed: Vec<_> = policy["licenses"]["allow"]
        .as_array()
        .expect("allow")
        .iter()
        .map(text)
        .collect();
    for target in TARGETS {
        for Built { name, licence, .. } in built(target) {
            assert!(
                is_allowed(&licence, &allowed),
                "{name} is under {licence:?}"
            );
        }
    }
}

#[test]
fn everything_comes_from_crates_io_or_from_here() {
    let here = workspace_root();
    for target in TARGETS {
        for Built { name, source, .. } in built(target) {
            // Nothing for crates.io, else a folder, a repository or another registry.
            assert!(
                source.is_none_or(|source| Path::new(&source).starts_with(&here)),
                "{name}"
            );
        }
    }
}

/// Whether an SPDX expression can be met: one side of an OR, both sides of an AND, which binds tighter.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.trim();
    if let Some((left, right)) = split_outside_brackets(expression, " OR ") {
        return is_allowed(left, allowed) || is_allowed(right, allowed);
    }
    if let Some((left, right)) = split_outside_brackets(expression, " AND ") {
        return is_allowed(left, allowed) && is_allowed(right, allowed);
    }
    match expression
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'))
    {
        Some(inner) => is_allowed(inner, allowed),
        None => allowed.iter().any(|licence| licence == expression),
    }
}

fn split_outside_brackets<'a>(expression: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let outside = |at: &usize| {
        expression[..*at].matches('(').count() == expression[..*at].matches(')').count()
    };
    let (at, _) = expression.match_indices(word).find(|(at, _)| outside(at))?;
    Some((&expression[..at], &expression[at + word.len()..]))
}

#[test]
fn licence_expressions_are_read_as_spdx_means_them() {
    let allowed = ["MIT".to_owned(), "Unicode-3.0".to_owned()];
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(GPL-3.0 OR Apache-2.0) AND Unicode-3.0", false),
        ("GPL-3.0 OR (MIT AND Unicode-3.0)", true),
        ("MIT AND Unicode-3.0 OR GPL-3.0", true),
        ("GPL-3.0 AND MIT OR Apache-2.0", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}

/// The workspace's packages by name.
fn members() -> BTreeMap<String, Value> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"]))
            .expect("JSON");
    metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|p| (text(&p["name"]), p.clone()))
        .collect()
}

/// A package that a build contains.
struct Built {
    name: String,
    licence: String,
    /// Folder or address, unless it is crates.io.
    source: Option<String>,
}

/// What a build for `target` contains with every feature. `cargo metadata` would list more than is built.
fn built(target: &str) -> Vec<Built> {
    let edges = [
        "--all-features",
        "--edges",
        "normal,build",
        "--target",
        target,
    ];
    let tree = cargo(
        &[
            &[
                "tree",
                "--workspace",
                "--prefix",
                "none",
                "--format",
                "{p}\t{l}",
            ],
            &edges[..],
        ]
        .concat(),
    );
    tree.lines()
        .filter(|line| !line.is_empty())
        .map(read_built)
        .collect()
}

/// Reads `name v1.2.3 (source)`, a tab and the licence; marks such as `(*)` are no source.
fn read_built(line: &str) -> Built {
    let (package, licence) = line.split_once('\t').expect("a tab");
    let marks = ["(*)", "(proc-macro)"];
    let mut words = package.split(' ').filter(|word| !marks.contains(word));
    let name = words.next().unwrap_or_default().to_owned();
    let source = words
        .nth(1)
        .map(|word| word.trim_matches(['(', ')']).to_owned());
    let licence = licence.trim_end_matches(" (*)").replace('/', " OR ");
    Built {
        name,
        licence,
        source,
    }
}

fn cargo(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(args)
        .current_dir(workspace_root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// `deny.toml`, as JSON like everything else here.
fn policy() -> Value {
    let text = fs::read_to_string(workspace_root().join("deny.toml")).expect("deny.toml");
    serde_json::to_value(text.parse::<toml::Table>().expect("TOML")).expect("plain values")
}

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace")
}

fn dependencies(package: &Value) -> impl Iterator<Item = &Value> {
    package["dependencies"].as_array().into_iter().flatten()
}

/// Names of what ends up in the crate or builds it; what only its tests use is not counted.
fn normal_dependencies(package: &Value) -> BTreeSet<&str> {
    dependencies(package)
        .filter(|d| d["kind"] != "dev")
        .filter_map(|d| d["name"].as_str())
        .collect()
}

/// Root files of a package's library and binaries.
fn roots(package: &Value) -> Vec<PathBuf> {
    let built = |target: &&Value| {
        let kinds = target["kind"].as_array().into_iter().flatten();
        kinds
            .filter_map(Value::as_str)
            .any(|kind| ["lib", "bin", "cdylib", "rlib"].contains(&kind))
    };
    let targets = package["targets"].as_array().into_iter().flatten();
    targets
        .filter(built)
        .map(|target| PathBuf::from(text(&target["src_path"])))
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
