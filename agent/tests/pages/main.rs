//! The two pages, with a made-up agent behind them: who may speak to them, and what a person can do in a real browser.
#![allow(missing_docs, unreachable_pub, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod scene;

mod door;
mod front;
mod hand;
mod invite;
mod looks;
mod modes;
mod settings;
