//! Carries a session: one end-to-end QUIC connection, and the leg to the relay that it goes through.
//!
//! The crate knows neither session nor mode. A session sees a [`Connection`], whatever the path: over
//! [QUIC](quic), or [in memory](memory). [`connection_conformance!`] proves an implementation. [`leg`] is what
//! stands between one process and the relay, and is used by both ends of it.
#![forbid(unsafe_code)]

pub mod conformance;
pub mod congestion;
pub mod connection;
pub mod fuzzing;
pub mod identity;
pub mod leg;
pub mod memory;
pub mod path;
pub mod quic;
mod random;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
pub mod straight;

pub use connection::{Binding, Connection, DatagramError, Lost, PathReport};
pub use identity::Identity;
pub use leg::{
    Attempt, ConnectError, DialError, Leg, LegConfig, LegError, LegEvent, LegEvents, LegLost,
    LinkState, Paths, RelayAddress,
    proxy::{Credentials, Proxy, ProxyError, ProxySettingError},
    tls::Trust,
};
pub use path::{ClosedWay, PathKind};
pub use quic::QuicConnection;
