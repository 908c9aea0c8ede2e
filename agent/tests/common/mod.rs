//! What several tests of the agent need.
#![allow(dead_code, unreachable_pub, reason = "each test uses its own part")]

pub mod chromium;
pub mod foreign;
pub mod x11;

/// Whether tests that need more than a compiler run here; says what is skipped if not.
pub fn is_lab(what: &str) -> bool {
    let lab = std::env::var_os("ALONGSIDE_LAB").is_some_and(|value| value == "1");
    if !lab {
        eprintln!("skipped: {what}; set ALONGSIDE_LAB=1 to run it");
    }
    lab
}
