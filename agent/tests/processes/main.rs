//! The real programs against each other: relay, device and operator as processes, told what to do over `--stdio`.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod agent;
mod alone;
mod relay;
mod world;

mod administrator;
mod audit;
mod canary;
mod clocks;
mod codes;
mod console;
mod disk;
mod engineers;
mod front;
mod front_page;
mod hostile;
mod killed;
mod session;
mod settings;
mod trouble;
mod x11;
mod x11_control;
