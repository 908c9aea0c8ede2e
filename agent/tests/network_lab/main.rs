//! Whole programs in networks of namespaces: a customer's firewall, translator and proxy are the kernel's, squid's and
//! tinyproxy's own.
//!
//! Needs root, `ip`, `nft`, squid, tinyproxy and nginx, so it only runs with `ALONGSIDE_LAB=1`. With
//! `ALONGSIDE_LAB_LONG=1` besides, a blackout lasts 90 s too.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

#[path = "../processes/agent.rs"]
#[allow(dead_code, reason = "shared with the tests of processes")]
mod agent;
#[path = "../common/mod.rs"]
mod common;
#[path = "../processes/relay.rs"]
#[allow(dead_code, reason = "shared with the tests of processes")]
mod relay;
#[path = "../processes/world.rs"]
#[allow(dead_code, reason = "shared with the tests of processes")]
mod world;

mod authority;
mod capture;
mod gateway;
mod ground;
mod house;
mod proxies;

mod blackout;
mod blocked;
mod clock;
mod inspected;
mod moves;
mod proxied;
mod translated;

/// Whether these tests run here.
fn is_lab() -> bool {
    common::is_lab("networks of namespaces need root, ip, nft, squid, tinyproxy and nginx")
}
