//! What the operator wants while no session is live.

use std::{collections::VecDeque, pin::pin};

use tokio::sync::mpsc;

use super::{Command, OperatorError};

/// Requests for a code that wait until the operator's side is ready for one (our choice; each has a caller waiting).
const MAX_WAITING: usize = 16;

/// The operator ended what was going on, or nobody is left to want anything.
#[derive(Debug)]
pub(super) struct Ended;

/// Commands from the handles.
#[derive(Debug)]
pub(super) struct Desk {
    commands: mpsc::Receiver<Command>,
    /// Requests for a code that came while something else was going on.
    waiting: VecDeque<Command>,
}

impl Desk {
    pub(super) const fn new(commands: mpsc::Receiver<Command>) -> Self {
        Self {
            commands,
            waiting: VecDeque::new(),
        }
    }

    /// Next command; `None` once nobody can give one. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<Command> {
        match self.waiting.pop_front() {
            Some(command) => Some(command),
            None => self.commands.recv().await,
        }
    }

    /// Lets `work` go on until it is done or the operator ends it.
    pub(super) async fn unless_ended<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, Ended> {
        let mut work = pin!(work);
        loop {
            let command = tokio::select! {
                biased;
                command = self.commands.recv() => command,
                done = &mut work => return Ok(done),
            };
            match command {
                Some(command @ Command::Code { .. }) if self.waiting.len() < MAX_WAITING => {
                    self.waiting.push_back(command);
                }
                Some(Command::Code { reply, .. }) => drop(reply.send(Err(OperatorError::Busy))),
                Some(Command::Act { reply, .. }) => {
                    drop(reply.send(Err(OperatorError::NotConnected)));
                }
                Some(Command::End { reply }) => {
                    let _ = reply.send(Ok(()));
                    return Err(Ended);
                }
                None => return Err(Ended),
            }
        }
    }
}
