//! Both sides of a session against each other, in virtual time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod control;
mod ending;
mod fuzz;
#[path = "../../../fuzz/in_corpus.rs"]
mod in_corpus;
mod life;
mod mask;
mod modes;
mod pair;
mod picture;
mod proof;
mod resume;
mod settings;
