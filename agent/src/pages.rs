//! The agent's pages: the operator's console and the front panel of the device that the agent draws itself.
//!
//! A [`Page`] is served on 127.0.0.1, on a port of its own, to the one browser that shows its ticket. Everything that
//! other web sites, other programs' pages or a rebound name could try is turned away by the guard before any handler
//! sees it; nothing is reachable without the ticket but the page's own files, which hold nothing.
//!
//! The page speaks one WebSocket. Text messages are the commands and events of [`api`](crate::api), the very same as on
//! `--stdio`; binary messages are [batches of pixels](pixels), one of which is under way at a time: while the page
//! paints it, changes pile up in the picture and not in a queue.

pub mod device;
pub mod operator;
pub mod page;
pub mod pixels;

mod assets;
mod guard;
mod panels;
mod retained;
mod socket;
mod tickets;

pub use page::{Page, Pictures};
