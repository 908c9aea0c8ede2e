//! The session state machine of both sides of Alongside.
//!
//! A session takes inputs, each with the instant at which it came, and gives outputs in one ordered queue. It has no
//! socket, clock, thread or random source: whoever drives it brings time as an argument and entropy as bytes. So
//! whether a byte can reach the panel without consent is answered by reading this crate and `alongside-mode`.
//!
//! - [`device`] and [`operator`] are the two sides: proof of the code, then a mode, then the end.
//! - [`grant`] is the one place where the customer's consent is checked: no effect leaves without a
//!   [`Permit`](grant::Permit).
//! - [`Record`] precedes the act it records. Making each one durable before polling on gives an audit without holes.
//! - [`EntryGuard`] and [`IssuedCode`] outlive a session: they count failed codes, one on each side.
//!
//! ```
//! # use std::time::Instant;
//! # use alongside_session::{SessionError, device::{Input, Output, Session}};
//! # fn send(_: alongside_session::Outbound) {}
//! # fn example(mut session: Session, now: Instant, input: Input) -> Result<Option<Instant>, SessionError> {
//! session.handle_input(now, input)?;
//! loop {
//!     match session.poll_output() {
//!         Output::Record(record) => println!("{record:?}"),
//!         Output::Send(outbound) => send(outbound),
//!         Output::WantFrame(_) | Output::ModeEvent { .. } | Output::Event(_) => {}
//!         Output::Wait(until) => return Ok(until),
//!     }
//! }
//! # }
//! ```
#![forbid(unsafe_code)]

mod action;
mod binding;
pub mod device;
mod ending;
pub mod entry;
mod error;
pub mod fuzzing;
pub mod grant;
mod hosting;
mod identity;
mod idle;
mod issued;
mod kdf;
mod ladder;
mod limits;
mod line;
pub mod liveness;
mod lv;
mod mask;
pub mod operator;
mod outbound;
mod pake;
mod proof;
mod record;
mod resume;
mod spoken;
mod stop;
mod uplink;

pub use action::{Action, Deed};
pub use binding::Binding;
pub use ending::Cause;
pub use entry::EntryGuard;
pub use error::SessionError;
pub use identity::OperatorIdentity;
pub use issued::{IssuedCode, TRIES};
pub use ladder::{Consent, Offer};
pub use limits::{LimitError, Limits, PROOF_DEADLINE};
pub use liveness::Link;
pub use outbound::{Delivery, Outbound};
pub use record::{Act, Record};
pub use stop::STOP_HOLD;
