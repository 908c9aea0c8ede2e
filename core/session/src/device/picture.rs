//! The panel's picture on its way out: asked for when it can be sent, never queued.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use alongside_panel::{
    Frame, Position, Profile, Progress, Resumed, Sameness, Sender, message::ToDevice,
};
use alongside_protocol::{PanelPoint, PanelSize, frame::Channel, units::Millis, wire::DecodeError};

use crate::{Outbound, grant::Permit};

/// Which picture the session wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The newest there is, at once: the operator does not show the last one in full yet.
    Now,
    /// The next that differs from the last one handed in, which the operator shows exactly.
    Changed,
}

/// A picture, as it may be shown.
pub(super) enum View<'a> {
    /// As the panel has it.
    Whole(&'a Arc<Frame>),
    /// With a part of it covered.
    Masked(&'a Frame),
}

/// Paces the picture.
pub(super) struct Picture {
    sender: Sender,
    /// The picture of the last step, if it was whole.
    last: Weak<Frame>,
    /// Bytes that the panel channel's stream takes now.
    room: usize,
    wanted: Option<Freshness>,
    /// Whether there is nothing more to send of what was handed in, for now.
    is_complete: bool,
    /// Whether the last step sent something.
    has_sent: bool,
    next_at: Instant,
}

impl Picture {
    pub(super) fn new(now: Instant, size: PanelSize, epoch: u64) -> Self {
        Self {
            sender: Sender::new(now, size, epoch, Profile::default()),
            last: Weak::new(),
            room: usize::MAX,
            wanted: None,
            is_complete: false,
            has_sent: false,
            next_at: now,
        }
    }

    pub(super) const fn set_room(&mut self, bytes: usize) {
        self.room = bytes;
    }

    /// The operator's hand is there.
    pub(super) fn touched(&mut self, now: Instant, at: PanelPoint) {
        let pixel = |sixteenths: i32| u16::try_from(sixteenths / 16).unwrap_or(0);
        self.sender.touched(now, pixel(at.x), pixel(at.y));
    }

    /// Takes in the operator's acknowledgement, or a wish.
    pub(super) fn on_message(
        &mut self,
        now: Instant,
        kind: u8,
        body: &[u8],
    ) -> Result<(), DecodeError> {
        self.sender.handle(now, kind, body)?;
        match ToDevice::from_frame(kind, body)? {
            ToDevice::Reset(_) => self.is_complete = false,
            ToDevice::Want(_) => self.is_complete &= self.sender.progress() == Progress::Exact,
            ToDevice::Ack { .. } => {}
        }
        Ok(())
    }

    /// Goes on over a new connection, with an operator's side that is at this position. Whether it goes on from there; else
    /// the picture begins anew.
    pub(super) fn resume(&mut self, now: Instant, at: Option<Position>) -> bool {
        self.room = usize::MAX;
        self.wanted = None;
        self.is_complete = false;
        self.last = Weak::new();
        self.next_at = now;
        match self.sender.resume(at) {
            Resumed::Here => true,
            Resumed::Anew => false,
        }
    }

    /// What to ask the driver for, if that is news.
    pub(super) fn wish(&mut self, now: Instant) -> Option<Freshness> {
        if now < self.next_at || !self.can_send(now) {
            return None;
        }
        let is_awake = self.sender.wakes_at().is_some_and(|at| at <= now);
        let wish = if self.is_complete && !is_awake {
            Freshness::Changed
        } else {
            Freshness::Now
        };
        if self.wanted == Some(wish) || self.wanted == Some(Freshness::Now) {
            return None;
        }
        self.wanted = Some(wish);
        self.wanted
    }

    /// One step towards a picture. Only with the customer's permit does a pixel become a message.
    pub(super) fn step(
        &mut self,
        now: Instant,
        _permit: &Permit<'_>,
        view: &View<'_>,
        captured_at: Millis,
    ) -> Option<Outbound> {
        self.wanted = None;
        self.has_sent = false;
        // Whatever comes of it: not before as long as after the step before.
        self.next_at = now + self.sender.interval();
        if !self.can_send(now) {
            self.is_complete = false;
            return None;
        }
        let last = match view {
            View::Whole(frame) => Arc::downgrade(frame),
            View::Masked(_) => Weak::new(),
        };
        let (frame, sameness) = match view {
            View::Whole(frame) if last.ptr_eq(&self.last) => (frame.as_ref(), Sameness::Same),
            View::Whole(frame) => (frame.as_ref(), Sameness::Unknown),
            View::Masked(frame) => (*frame, Sameness::Unknown),
        };
        self.last = last;
        let is_masked = matches!(view, View::Masked(_));
        if is_masked && frame == self.sender.shown() && !self.sender.is_mending() {
            // Not even a check of the picture goes out: when something happens behind the mask is nobody's business.
            self.is_complete = true;
            return None;
        }
        let step = self.sender.step(now, frame, sameness, captured_at);
        self.next_at = now + self.sender.interval();
        self.is_complete = step.as_ref().is_none_or(|step| step.exact);
        let bytes = step?.frame;
        self.has_sent = true;
        Some(self.outbound(bytes))
    }

    /// The driver tells how long the last picture took; once a second the operator is told.
    pub(super) fn time(
        &mut self,
        now: Instant,
        _permit: &Permit<'_>,
        capture: Duration,
        encode: Duration,
    ) -> Option<Outbound> {
        if !std::mem::take(&mut self.has_sent) || !self.has_room() {
            return None;
        }
        let bytes = self.sender.time(now, capture, encode)?;
        Some(self.outbound(bytes))
    }

    fn outbound(&mut self, bytes: Vec<u8>) -> Outbound {
        self.room = self.room.saturating_sub(bytes.len());
        Outbound::reliable(Channel::Panel, bytes)
    }

    /// What the operator may see of the last picture has changed, though the panel has not: it is wanted once more.
    pub(super) fn renew(&mut self) {
        self.wanted = None;
        self.is_complete = false;
        self.last = Weak::new();
    }

    /// A frame came without a permit for it: nothing was seen of it.
    pub(super) const fn decline(&mut self) {
        self.wanted = None;
        self.is_complete = false;
    }

    /// When there is a new wish, if time alone brings one.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if !self.has_room() {
            return None;
        }
        let opens_at = self.sender.opens_at()?.max(self.next_at);
        match self.wanted {
            Some(Freshness::Now) => None,
            Some(Freshness::Changed) if self.is_complete => {
                Some(self.sender.wakes_at()?.max(opens_at))
            }
            Some(Freshness::Changed) | None => Some(opens_at),
        }
    }

    fn can_send(&mut self, now: Instant) -> bool {
        self.has_room() && self.sender.can_send(now)
    }

    fn has_room(&self) -> bool {
        self.room > 0
    }
}
