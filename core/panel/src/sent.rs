//! Messages that the operator has not acknowledged, kept for the case that the connection breaks.

use std::{collections::VecDeque, time::Duration};

/// How far an operator's side has come: the last message that it applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The epoch that is under way.
    pub epoch: u64,
    /// Number of the last OPEN or UPDATE applied.
    pub seq: u64,
}

/// How a stream goes on over a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resumed {
    /// From the position: what was lost on the way is sent again, and nothing else.
    Here,
    /// With a new epoch: the two sides do not have enough in common.
    Anew,
}

/// How long a device keeps an encoder whose connection is gone (our choice, the same on either side).
pub const RESUMABLE: Duration = Duration::from_secs(600);

/// Messages sent, the oldest first; the last of them may have to be sent again.
#[derive(Default)]
pub(crate) struct Sent {
    messages: VecDeque<Message>,
    /// How many of the newest the new connection has not carried yet.
    again: usize,
    /// Bytes of all others.
    in_flight: usize,
}

struct Message {
    seq: u64,
    /// Empty if it is of an epoch that is over.
    frame: Vec<u8>,
    len: usize,
}

impl Sent {
    pub(crate) fn push(&mut self, seq: u64, frame: &[u8]) {
        self.in_flight += frame.len();
        self.messages.push_back(Message {
            seq,
            frame: frame.to_vec(),
            len: frame.len(),
        });
    }

    /// Forgets what is acknowledged.
    pub(crate) fn acknowledge(&mut self, seq: u64) {
        while self.messages.len() > self.again
            && self.messages.front().is_some_and(|first| first.seq <= seq)
            && let Some(first) = self.messages.pop_front()
        {
            self.in_flight -= first.len;
        }
    }

    /// The epoch is over: nothing of it will be wanted again, though it still arrives.
    pub(crate) fn close_epoch(&mut self) {
        self.messages
            .truncate(self.messages.len() - std::mem::take(&mut self.again));
        for message in &mut self.messages {
            message.frame = Vec::new();
        }
    }

    /// The connection is gone: whatever comes after `seq`, up to `last`, is to be sent again, if all of it is here.
    pub(crate) fn rewind(&mut self, seq: u64, last: u64) -> bool {
        let lost = self.messages.partition_point(|message| message.seq <= seq);
        let is_here = match self.messages.get(lost) {
            Some(next) => next.seq.checked_sub(1) == Some(seq) && !next.frame.is_empty(),
            None => seq == last,
        };
        if !is_here {
            return false;
        }
        self.messages.drain(..lost);
        self.again = self.messages.len();
        self.in_flight = 0;
        true
    }

    /// The connection is gone, and all that it carried.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The next message to be sent again.
    pub(crate) fn repeat(&mut self) -> Option<Vec<u8>> {
        let at = self.messages.len() - self.again;
        let message = self.messages.get(at)?;
        self.again -= 1;
        self.in_flight += message.len;
        Some(message.frame.clone())
    }

    /// How many messages have to be sent again.
    pub(crate) fn again(&self) -> usize {
        self.again
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }
}
