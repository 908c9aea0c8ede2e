//! What waits to be sent within a budget, most urgent first.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use alongside_panel::pacing::Bucket;
use alongside_protocol::{Kbps, frame::Channel, mode::ModeMessage};

use crate::{Outbound, grant::Denial};

/// Refill of the bucket. With its depth and the debt of one message of 4 KiB, any 10 s stay below 250 kbps.
pub(crate) const UPLINK_RATE: Kbps = Kbps::new(230);
/// Refill of the bucket on a device: what is said there is no pointer and no pen, and a tree of settings is to be there in
/// a moment.
const DEVICE_RATE: Kbps = Kbps::new(4_000);
/// Depth of the bucket (our choice: nothing waits longer than this behind a burst of its own kind).
pub(crate) const UPLINK_DEPTH: Duration = Duration::from_millis(60);

/// Bytes waiting from which a person's next action is refused (our choice: two seconds of the budget).
const CROWDED: usize = 64 * 1024;
/// Most bytes that wait at all.
const FULL: usize = 128 * 1024;
/// Most requests that wait.
const MAX_REQUESTS: usize = 16;

/// Sends requests before pointers before strokes, as fast as the bucket allows.
///
/// What cannot wait (the end, checks, acknowledgements) is sent past it and [charged](Uplink::charge).
#[derive(Debug)]
pub(crate) struct Uplink {
    bucket: Bucket,
    /// Bytes that the mode channel's stream takes now.
    room: usize,
    requests: VecDeque<Vec<u8>>,
    latest: Option<Vec<u8>>,
    reliable: VecDeque<Vec<u8>>,
    waiting: usize,
}

impl Uplink {
    pub(crate) fn new(now: Instant) -> Self {
        Self::at(now, UPLINK_RATE)
    }

    /// The device's side of it.
    pub(crate) fn of_device(now: Instant) -> Self {
        Self::at(now, DEVICE_RATE)
    }

    fn at(now: Instant, rate: Kbps) -> Self {
        Self {
            bucket: Bucket::new(now, rate, UPLINK_DEPTH),
            room: usize::MAX,
            requests: VecDeque::new(),
            latest: None,
            reliable: VecDeque::new(),
            waiting: 0,
        }
    }

    /// Counts what was sent past the queue.
    pub(crate) fn charge(&mut self, now: Instant, bytes: usize) {
        self.bucket.take(now, bytes);
    }

    /// How many bytes the mode channel's stream takes now.
    pub(crate) const fn set_room(&mut self, bytes: usize) {
        self.room = bytes;
    }

    /// Whether a person's next action should wait.
    pub(crate) const fn is_crowded(&self) -> bool {
        self.waiting >= CROWDED
    }

    /// Queues a message of the control channel.
    pub(crate) fn request(&mut self, frame: Vec<u8>) -> Result<(), Denial> {
        if self.requests.len() >= MAX_REQUESTS {
            return Err(Denial::OverLimit);
        }
        self.requests.push_back(frame);
        Ok(())
    }

    /// Queues a message to the other half of the mode; a latest-wins one takes the place of the one before it.
    pub(crate) fn send(&mut self, message: &ModeMessage) -> Result<(), Denial> {
        if matches!(message, ModeMessage::Latest(_)) {
            self.latest = Some(message.to_datagram());
            return Ok(());
        }
        let frame = message.to_frame();
        if self.waiting + frame.len() > FULL {
            return Err(Denial::OverLimit);
        }
        self.waiting += frame.len();
        self.reliable.push_back(frame);
        Ok(())
    }

    /// Forgets what the mode wanted to say.
    pub(crate) fn clear_mode(&mut self) {
        self.latest = None;
        self.reliable.clear();
        self.waiting = 0;
    }

    /// Forgets everything that waits, and what the stream took.
    pub(crate) fn clear(&mut self) {
        self.clear_mode();
        self.requests.clear();
        self.room = usize::MAX;
    }

    /// The next message that may go now.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Outbound> {
        if self.is_empty() || !self.bucket.is_open(now) {
            return None;
        }
        let out = if let Some(frame) = self.requests.pop_front() {
            Outbound::reliable(Channel::Control, frame)
        } else if let Some(datagram) = self.latest.take() {
            Outbound::datagram(Channel::Mode, datagram)
        } else if self.room > 0 {
            let frame = self.reliable.pop_front()?;
            self.waiting -= frame.len();
            self.room = self.room.saturating_sub(frame.len());
            Outbound::reliable(Channel::Mode, frame)
        } else {
            return None;
        };
        self.bucket.take(now, out.bytes.len());
        Some(out)
    }

    /// When something that waits may go.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.is_empty() {
            None
        } else {
            self.bucket.opens_at()
        }
    }

    /// Whether nothing waits but what has no room.
    fn is_empty(&self) -> bool {
        self.requests.is_empty()
            && self.latest.is_none()
            && (self.reliable.is_empty() || self.room == 0)
    }
}

#[cfg(test)]
mod tests {
    use alongside_protocol::{
        Bytes,
        mode::{Latest, Peer},
    };

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "an instant to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    fn stroke(len: usize) -> ModeMessage {
        Peer {
            activation: 1,
            body: Bytes::from(vec![0; len]),
        }
        .into()
    }

    fn pointer(n: u32) -> ModeMessage {
        Latest {
            activation: 1,
            n,
            body: Bytes::from(vec![n as u8; 8]),
        }
        .into()
    }

    #[test]
    fn requests_go_before_the_pointer_and_the_pointer_before_strokes() {
        let now = start();
        let mut uplink = Uplink::new(now);
        uplink.send(&stroke(100)).unwrap();
        uplink.send(&pointer(1)).unwrap();
        uplink.send(&pointer(2)).unwrap();
        uplink.request(vec![9]).unwrap();
        let sent: Vec<_> = std::iter::from_fn(|| uplink.pop(now)).collect();
        assert_eq!(sent.len(), 3, "the older pointer was replaced");
        assert_eq!(sent[0].channel, Channel::Control);
        assert_eq!(sent[1].bytes, pointer(2).to_datagram());
        assert_eq!(sent[2].bytes, stroke(100).to_frame());
        assert_eq!(uplink.deadline(), None);
    }

    #[test]
    fn strokes_wait_for_room_and_pointers_do_not() {
        let now = start();
        let mut uplink = Uplink::new(now);
        uplink.set_room(0);
        uplink.send(&stroke(10)).unwrap();
        assert_eq!(uplink.pop(now), None);
        assert_eq!(uplink.deadline(), None, "time alone does not help");
        uplink.send(&pointer(1)).unwrap();
        assert!(uplink.pop(now).is_some());
        uplink.set_room(1);
        assert!(uplink.pop(now).is_some());
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut uplink = Uplink::new(start());
        let mut taken = 0;
        while uplink.send(&stroke(4_000)).is_ok() {
            taken += 1;
        }
        assert!(uplink.is_crowded());
        assert_eq!(taken, 32);
        uplink.clear_mode();
        assert!(!uplink.is_crowded());
        assert!(uplink.send(&stroke(4_000)).is_ok());
    }
}
