//! Whole sessions: the real relay, device and operator on a simulated network, in virtual time; and those who would
//! break in.
#![allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod alone;
mod attackers;
mod codes;
mod countersigned;
mod ending;
mod escape;
mod faults;
mod figures;
mod hour;
mod languages;
mod links;
mod matrix;
mod outages;
mod own_transport;
mod panel;
mod records;
mod rogue;
mod watched;
mod world;
