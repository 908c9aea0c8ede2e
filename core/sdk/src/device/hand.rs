//! The customer's hand: what it does, whatever else is going on.

use std::{net::SocketAddr, pin::pin, time::Instant};

use alongside_protocol::{AccessCode, input::KeyMotion};
use alongside_session::STOP_HOLD;
use tokio::sync::mpsc;

use super::{Command, DeviceError, handle::Reply};
use crate::clock;

/// A code, and who waits to hear what becomes of it.
pub(super) struct Entry {
    pub(super) code: AccessCode,
    /// Where the operator's side listens, if it was said with the code.
    pub(super) at: Option<SocketAddr>,
    pub(super) reply: Reply,
}

/// Why the customer, or the embedder, breaks off what is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// The customer no longer wants it.
    GivenUp,
    /// The device is to stop.
    Stopped,
}

/// Commands from the handles, and the stop key, which may go down at any time.
#[derive(Debug)]
pub(super) struct Hand {
    commands: mpsc::Receiver<Command>,
    is_stopped: bool,
    /// Since when the stop key is down.
    held_since: Option<Instant>,
}

impl Hand {
    pub(super) const fn new(commands: mpsc::Receiver<Command>) -> Self {
        Self {
            commands,
            is_stopped: false,
            held_since: None,
        }
    }

    /// Next command; [`Command::Stop`] for ever once there was one or every handle is gone. Cancel safe.
    pub(super) async fn next(&mut self) -> Command {
        if self.is_stopped {
            return Command::Stop;
        }
        let command = self.commands.recv().await.unwrap_or(Command::Stop);
        match &command {
            Command::Stop => self.is_stopped = true,
            Command::StopKey(KeyMotion::Down) => {
                self.held_since.get_or_insert_with(clock::now);
            }
            Command::StopKey(KeyMotion::Up) => self.held_since = None,
            Command::EnterCode { .. }
            | Command::Exit { .. }
            | Command::Allow { .. }
            | Command::Refuse { .. }
            | Command::Touched
            | Command::DialogKey
            | Command::TakeBack => {}
        }
        command
    }

    /// What has ended used up the hold that may have ended it; the key must go down again to end anything more.
    pub(super) const fn use_up_stop_key(&mut self) {
        self.held_since = None;
    }

    pub(super) const fn holds_stop_key(&self) -> bool {
        self.held_since.is_some()
    }

    /// Next code, while nothing else is going on; `None` once told to stop. Cancel safe.
    pub(super) async fn entry(&mut self) -> Option<Entry> {
        loop {
            match self.next().await {
                Command::EnterCode { code, at, reply } => return Some(Entry { code, at, reply }),
                Command::Exit { reply } => drop(reply.send(Err(DeviceError::NotConnected))),
                Command::Allow { reply, .. } | Command::Refuse { reply } => {
                    let _ = reply.send(Err(DeviceError::NotAsked));
                }
                Command::StopKey(_) | Command::Touched | Command::DialogKey | Command::TakeBack => {
                }
                Command::Stop => return None,
            }
        }
    }

    /// Lets `work` go on until it is done or the customer leaves: EXIT, or the stop key held as long as in a session.
    pub(super) async fn unless_left<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, Left> {
        let mut work = pin!(work);
        loop {
            let stops_at = self.held_since.map(|since| since + STOP_HOLD);
            let command = tokio::select! {
                biased;
                command = self.next() => command,
                () = clock::sleep_until(stops_at) => return Err(Left::GivenUp),
                done = &mut work => return Ok(done),
            };
            match command {
                Command::EnterCode { reply, .. } => drop(reply.send(Err(DeviceError::Busy))),
                Command::Exit { reply } => {
                    let _ = reply.send(Ok(()));
                    return Err(Left::GivenUp);
                }
                Command::Allow { reply, .. } | Command::Refuse { reply } => {
                    let _ = reply.send(Err(DeviceError::NotAsked));
                }
                Command::StopKey(_) | Command::Touched | Command::DialogKey | Command::TakeBack => {
                }
                Command::Stop => return Err(Left::Stopped),
            }
        }
    }
}
