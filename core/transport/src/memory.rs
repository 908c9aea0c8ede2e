//! A pair of connections inside one process: for tests, and to show what else can carry a session.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use alongside_protocol::PublicKey;
use bytes::Bytes;
use tokio::sync::{Notify, watch};

use crate::{
    connection::{Binding, Connection, DatagramError, Lost, PathReport, close_code},
    path::PathKind,
    random::random,
};

mod pipe;

use pipe::{Pipe, pipe};
pub use pipe::{PipeReader, PipeWriter};

/// Longest datagram, in bytes: about what QUIC leaves of a packet of 1200.
const MAX_DATAGRAM: usize = 1150;

/// Datagrams that wait; the oldest gives way.
const MAX_WAITING: usize = 64;

/// One end of an in-memory pair.
#[derive(Clone, Debug)]
pub struct MemoryConnection {
    end: Arc<End>,
}

/// Both ends of a connection between the holders of two keys; the first is the one that dialled.
pub fn pair(first: PublicKey, second: PublicKey) -> (MemoryConnection, MemoryConnection) {
    let link = Arc::new(Link::default());
    let exporter = random();
    let end = |side, local, peer| MemoryConnection {
        end: Arc::new(End {
            side,
            binding: Binding {
                exporter,
                local,
                peer,
            },
            path: watch::Sender::new(PathReport {
                kind: PathKind::Direct,
                rtt: Duration::ZERO,
                sent: 0,
                received: 0,
            }),
            link: Arc::clone(&link),
        }),
    };
    (
        end(Side::First, first, second),
        end(Side::Second, second, first),
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    First,
    Second,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// Closes the connection when the last handle and the last stream of one end are gone.
#[derive(Debug)]
pub(crate) struct End {
    side: Side,
    binding: Binding,
    path: watch::Sender<PathReport>,
    link: Arc<Link>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.link.close(self.side, close_code::DONE, "");
    }
}

#[derive(Debug, Default)]
struct Link {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    closed: Option<Closed>,
    first: Inbox,
    second: Inbox,
    pipes: Vec<Weak<Pipe>>,
}

#[derive(Debug)]
struct Closed {
    by: Side,
    code: u32,
    reason: String,
}

/// What waits to be taken by one side.
#[derive(Debug, Default)]
struct Inbox {
    streams: VecDeque<(Arc<Pipe>, Arc<Pipe>)>,
    datagrams: VecDeque<Bytes>,
}

impl State {
    fn inbox(&mut self, side: Side) -> &mut Inbox {
        match side {
            Side::First => &mut self.first,
            Side::Second => &mut self.second,
        }
    }

    fn check_open(&self, side: Side) -> Result<(), Lost> {
        match &self.closed {
            None => Ok(()),
            Some(closed) if closed.by == side => Err(Lost::ClosedHere),
            Some(closed) => Err(Lost::closed_by_peer(closed.code, &closed.reason)),
        }
    }
}

impl Link {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, by: Side, code: u32, reason: &str) {
        let mut state = self.lock();
        if state.closed.is_some() {
            return;
        }
        state.closed = Some(Closed {
            by,
            code,
            reason: reason.to_owned(),
        });
        let unread = (
            std::mem::take(&mut state.first),
            std::mem::take(&mut state.second),
        );
        let pipes = std::mem::take(&mut state.pipes);
        drop(state);
        drop(unread);
        pipes
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|pipe| pipe.abort());
        self.changed.notify_waiters();
    }

    /// Waits until `take` finds something, or the connection is over.
    async fn take<T>(
        &self,
        side: Side,
        mut take: impl FnMut(&mut Inbox) -> Option<T>,
    ) -> Result<T, Lost> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut state = self.lock();
                state.check_open(side)?;
                if let Some(taken) = take(state.inbox(side)) {
                    return Ok(taken);
                }
            }
            changed.await;
        }
    }
}

impl MemoryConnection {
    fn halves(&self, write: Arc<Pipe>, read: Arc<Pipe>) -> (PipeWriter, PipeReader) {
        (
            PipeWriter::new(write, Arc::clone(&self.end)),
            PipeReader::new(read, Arc::clone(&self.end)),
        )
    }
}

impl Connection for MemoryConnection {
    type Send = PipeWriter;
    type Recv = PipeReader;

    async fn open_bi(&self, _priority: i32) -> Result<(PipeWriter, PipeReader), Lost> {
        let (there, back) = (pipe(), pipe());
        let mut state = self.end.link.lock();
        state.check_open(self.end.side)?;
        state.pipes.retain(|pipe| pipe.strong_count() > 0);
        state
            .pipes
            .extend([Arc::downgrade(&there), Arc::downgrade(&back)]);
        let inbox = state.inbox(self.end.side.other());
        inbox
            .streams
            .push_back((Arc::clone(&there), Arc::clone(&back)));
        drop(state);
        self.end.link.changed.notify_waiters();
        Ok(self.halves(there, back))
    }

    async fn accept_bi(&self) -> Result<(PipeWriter, PipeReader), Lost> {
        let (there, back) = self
            .end
            .link
            .take(self.end.side, |inbox| inbox.streams.pop_front())
            .await?;
        Ok(self.halves(back, there))
    }

    fn set_priority(&self, _stream: &PipeWriter, _priority: i32) {}

    fn send_datagram(&self, datagram: Bytes) -> Result<(), DatagramError> {
        if datagram.len() > MAX_DATAGRAM {
            return Err(DatagramError::TooLarge {
                got: datagram.len(),
                max: MAX_DATAGRAM,
            });
        }
        let mut state = self.end.link.lock();
        state.check_open(self.end.side)?;
        let waiting = &mut state.inbox(self.end.side.other()).datagrams;
        if !datagram.is_empty() {
            waiting.push_back(datagram);
        }
        if waiting.len() > MAX_WAITING {
            waiting.pop_front();
        }
        drop(state);
        self.end.link.changed.notify_waiters();
        Ok(())
    }

    async fn recv_datagram(&self) -> Result<Bytes, Lost> {
        self.end
            .link
            .take(self.end.side, |inbox| inbox.datagrams.pop_front())
            .await
    }

    fn max_datagram(&self) -> usize {
        MAX_DATAGRAM
    }

    fn binding(&self) -> Binding {
        self.end.binding
    }

    fn path(&self) -> watch::Receiver<PathReport> {
        self.end.path.subscribe()
    }

    fn close(&self, code: u32, reason: &str) {
        self.end.link.close(self.end.side, code, reason);
    }

    async fn closed(&self) -> Lost {
        match self
            .end
            .link
            .take(self.end.side, |_| None::<std::convert::Infallible>)
            .await
        {
            Err(lost) => lost,
            Ok(never) => match never {},
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::connection_conformance!(async {
        let (first, second) = pair(PublicKey([1; 32]), PublicKey([2; 32]));
        (first, second, ())
    });
}
