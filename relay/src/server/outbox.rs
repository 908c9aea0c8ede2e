//! What waits to be sent to one leg.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use alongside_protocol::relay::FromRelay;
use tokio::sync::Notify;

use super::CloseCode;

/// Messages that may wait (our choice: more than every answer to a full burst of requests).
const CAPACITY: usize = 64;

/// A leg's queue: filled by whoever decides, emptied by the leg's task.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<FromRelay>,
    end: Option<CloseCode>,
}

/// The next thing for the leg's task to do.
#[derive(Debug)]
pub(super) enum Next {
    Send(FromRelay),
    /// Close the connection; everything was sent.
    End(CloseCode),
}

impl Outbox {
    /// Queues a message. A leg that lets too many wait is given up.
    pub(super) fn push(&self, message: FromRelay) {
        let mut queue = self.queue();
        if queue.messages.len() < CAPACITY {
            queue.messages.push_back(message);
        } else {
            queue.messages.clear();
            queue.end.get_or_insert(CloseCode::Limit);
        }
        drop(queue);
        self.news.notify_one();
    }

    /// Has the connection closed once everything is sent.
    pub(super) fn end(&self, code: CloseCode) {
        self.queue().end.get_or_insert(code);
        self.news.notify_one();
    }

    /// Waits for the next thing to do. Cancel safe.
    pub(super) async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.pop() {
                return next;
            }
            self.news.notified().await;
        }
    }

    fn pop(&self) -> Option<Next> {
        let mut queue = self.queue();
        let message = queue.messages.pop_front().map(Next::Send);
        message.or_else(|| queue.end.map(Next::End))
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
