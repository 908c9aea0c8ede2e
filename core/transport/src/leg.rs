//! The leg: what stands between one process and the relay, shared by both ends of it.

pub mod auth;
pub mod cid;
pub mod control;
pub mod tls;
pub mod tuning;
