//! The fuzzers' committed corpus, replayed without a fuzzer.
#![allow(missing_docs, reason = "tests")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

/// A fuzz target: its name, and what it does with bytes.
type Target = (&'static str, fn(&[u8]));

/// Every fuzz target and the function that it calls.
const TARGETS: &[Target] = &[
    ("protocol_frame", alongside_protocol::fuzzing::frame),
    ("protocol_proof", alongside_protocol::fuzzing::proof),
    ("protocol_control", alongside_protocol::fuzzing::control),
    ("protocol_mode", alongside_protocol::fuzzing::mode),
    ("protocol_relay", alongside_protocol::fuzzing::relay),
    ("protocol_code", alongside_protocol::fuzzing::code),
    ("protocol_cid", alongside_protocol::fuzzing::cid),
    (
        "protocol_vocabulary",
        alongside_protocol::fuzzing::vocabulary,
    ),
    ("panel_decode", alongside_panel::fuzzing::decode),
    ("panel_tiles", alongside_panel::fuzzing::tiles),
    ("panel_model", alongside_panel::fuzzing::model),
    ("panel_handle", alongside_panel::fuzzing::handle),
    ("mode_decode", alongside_mode::fuzzing::decode),
    #[cfg(feature = "dynamic-modes")]
    ("sdk_frame", alongside::modes::fuzzing::frame),
    ("session_device", |data| {
        alongside_session::fuzzing::device(start(), data)
    }),
    ("session_operator", |data| {
        alongside_session::fuzzing::operator(start(), data)
    }),
    (
        "transport_control_stream",
        alongside_transport::fuzzing::control_stream,
    ),
    ("transport_received", |data| {
        alongside_transport::fuzzing::received(data, start())
    }),
    (
        "transport_certificate",
        alongside_transport::fuzzing::certificate,
    ),
    (
        "transport_proxy_answer",
        alongside_transport::fuzzing::proxy_answer,
    ),
    (
        "transport_websocket",
        alongside_transport::fuzzing::websocket,
    ),
    ("transport_probe", alongside_transport::fuzzing::probe),
    ("relay_route", alongside_relay::fuzzing::route),
    ("relay_operators", alongside_relay::fuzzing::operators),
];

#[test]
fn nothing_in_the_corpus_breaks_a_promise() {
    for (name, body) in TARGETS {
        let files = names(&fuzz().join("corpus").join(name));
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            let path = fuzz().join("corpus").join(name).join(file);
            body(&fs::read(&path).expect("readable"));
        }
    }
}

/// Knows all targets only if all features are there.
#[cfg(feature = "dynamic-modes")]
#[test]
fn fuzz_targets_corpus_and_this_list_agree() {
    let listed: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let sources = names(&fuzz().join("fuzz_targets"));
    let sources: BTreeSet<String> = sources
        .iter()
        .map(|file| file.trim_end_matches(".rs").to_owned())
        .collect();
    assert_eq!(sources, listed);
    assert_eq!(names(&fuzz().join("corpus")), listed);
    let manifest: toml::Table = fs::read_to_string(fuzz().join("Cargo.toml"))
        .expect("manifest")
        .parse()
        .expect("TOML");
    let bins = manifest["bin"].as_array().expect("targets").iter();
    let bins: BTreeSet<String> = bins
        .filter_map(|bin| bin["name"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(bins, listed);
}

fn start() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    entries
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect()
}
