//! What others want done on control connections, until their task does it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use alongside_protocol::relay::FromRelay;
use tokio::sync::Notify;

use super::CloseCode;
use crate::switchboard::LegId;

/// Filled by whoever decides, emptied by the task of the control connections.
#[derive(Debug, Default)]
pub(super) struct Mail {
    letters: Mutex<Vec<Letter>>,
    news: Notify,
}

/// One thing to do.
#[derive(Debug)]
pub(super) enum Letter {
    /// Send this to the leg.
    Send(LegId, FromRelay),
    /// Close the leg's connection once everything is sent.
    End(LegId, CloseCode),
    /// Take no new connection.
    ShutDoors,
    /// Close every connection at once, and stop.
    Stop,
}

impl Mail {
    pub(super) fn push(&self, letter: Letter) {
        self.letters().push(letter);
        self.news.notify_one();
    }

    /// Waits until there are letters. Cancel safe.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    /// Takes all letters, oldest first.
    pub(super) fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut *self.letters())
    }

    fn letters(&self) -> MutexGuard<'_, Vec<Letter>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
