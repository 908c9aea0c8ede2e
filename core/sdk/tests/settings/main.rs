//! Settings through a desk: each way a change can end, and the program dying at every point of it.
#![allow(
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::print_stdout,
    reason = "tests"
)]

mod desk;
mod killed;
mod shelf;
