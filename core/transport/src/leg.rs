//! The leg: what stands between one process and the relay, shared by both ends of it.

pub mod auth;
pub mod cid;
mod client;
pub mod control;
pub mod http;
pub(crate) mod inert;
pub mod network;
pub(crate) mod probe;
pub mod proxy;
pub(crate) mod pulse;
pub(crate) mod shared_socket;
pub mod tls;
pub mod tuning;
pub mod tunnel;
pub mod websocket;

pub use client::{
    Attempt, ConnectError, DialError, Leg, LegConfig, LegError, LegEvent, LegEvents, LegLost,
    LinkState, Paths, RelayAddress,
};
