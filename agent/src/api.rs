//! Commands and events of the agent: one JSON vocabulary for `--stdio` and for the pages' WebSocket.
//!
//! In comes one object a line, `{"do":…,"id":n?}`, read by [`parse`] into an [`operator::Command`] or a
//! [`device::Command`]. Each is answered once, in order, by `ok` or `error` ([`Event::reply`]). Out go [`Event`]s, each
//! stamped with the time by [`Event::line`].
//!
//! What a person or a script writes is checked here and nowhere else: a command that exists has its numbers within
//! their bounds and its texts inert. What only the session knows, the size of the panel, is checked by
//! [`operator::Command::check`] and [`device::Command::check`].

pub mod device;
pub mod difference;
pub mod error;
pub mod event;
pub mod operator;
pub mod request;

mod field;
#[cfg(test)]
mod tests;

pub use error::{ErrorCode, Failure};
pub use event::{Done, Event, Reply};
pub use request::{Commands, MAX_LINE, Rejected, Request, parse};
