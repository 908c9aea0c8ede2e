//! Modes that are loaded: what is let in, what cannot get out of its box, and whole sessions with them.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "tests"
)]

mod boxed;
mod judged;
mod kit;
mod made;
mod sessions;
mod stage;
mod versions;
mod wrong;
