//! The panel's picture on its way out: asked for when it can be sent, never queued.

use std::time::{Duration, Instant};

use alongside_panel::{Encoder, Frame, Profile, message::ToDevice, pacing::Bucket};
use alongside_protocol::{PanelSize, frame::Channel, units::Millis, wire::DecodeError};

use crate::{Outbound, grant::Permit};

/// Most bytes sent and not acknowledged before the next step: one second's worth of the budget, so that a path
/// that has stalled holds no more than that.
const MAX_IN_FLIGHT: usize = 45_000;
/// Shortest time between two pictures: 30 in a second.
const FRAME_INTERVAL: Duration = Duration::from_micros(33_333);

/// Which picture the session wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The newest there is, at once: the operator does not show the last one in full yet.
    Now,
    /// The next that differs from the last one handed in, which the operator shows exactly.
    Changed,
}

/// Whether a part of the picture is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IsMasked {
    No,
    Yes,
}

/// Paces the picture.
pub(super) struct Picture {
    encoder: Encoder,
    bucket: Bucket,
    /// Bytes that the panel channel's stream takes now.
    room: usize,
    wanted: Option<Freshness>,
    /// Whether everything that was handed in has been sent.
    is_complete: bool,
    next_at: Instant,
}

impl Picture {
    pub(super) fn new(now: Instant, size: PanelSize, epoch: u64) -> Self {
        Self {
            encoder: Encoder::new(size, epoch, Profile::default()),
            bucket: Bucket::new(now, Bucket::PANEL_RATE, Bucket::PANEL_DEPTH),
            room: usize::MAX,
            wanted: None,
            is_complete: false,
            next_at: now,
        }
    }

    pub(super) const fn set_room(&mut self, bytes: usize) {
        self.room = bytes;
    }

    /// Takes in the operator's acknowledgement, or its wish to begin again.
    pub(super) fn on_message(&mut self, kind: u8, body: &[u8]) -> Result<(), DecodeError> {
        self.encoder.handle(kind, body)?;
        if let Ok(ToDevice::Reset(_)) = ToDevice::from_frame(kind, body) {
            self.is_complete = false;
        }
        Ok(())
    }

    /// What to ask the driver for, if that is news.
    pub(super) fn wish(&mut self, now: Instant) -> Option<Freshness> {
        if now < self.next_at || !self.can_send(now) {
            return None;
        }
        let wish = if self.is_complete {
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

    /// One step towards `frame`. Only with the customer's permit does a pixel become a message.
    pub(super) fn step(
        &mut self,
        now: Instant,
        _permit: &Permit<'_>,
        frame: &Frame,
        is_masked: IsMasked,
        captured_at: Millis,
    ) -> Option<Outbound> {
        self.wanted = None;
        self.next_at = now + FRAME_INTERVAL;
        if !self.can_send(now) {
            self.is_complete = false;
            return None;
        }
        if is_masked == IsMasked::Yes && frame == self.encoder.shown() {
            // Not even a check of the picture goes out: when something happens behind the mask is nobody's business.
            self.is_complete = true;
            return None;
        }
        let step = self.encoder.step(frame, captured_at);
        self.is_complete = step.as_ref().is_none_or(|step| step.exact);
        let bytes = step?.frame;
        self.bucket.take(now, bytes.len());
        self.room = self.room.saturating_sub(bytes.len());
        Some(Outbound::reliable(Channel::Panel, bytes))
    }

    /// A frame came without a permit for it: nothing was seen of it.
    pub(super) const fn decline(&mut self) {
        self.wanted = None;
        self.is_complete = false;
    }

    /// When there is a new wish, if time alone brings one.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let is_wanting = match self.wanted {
            None => false,
            Some(Freshness::Changed) => self.is_complete,
            Some(Freshness::Now) => true,
        };
        if !is_wanting && self.has_room() {
            self.bucket.opens_at().map(|at| at.max(self.next_at))
        } else {
            None
        }
    }

    fn can_send(&mut self, now: Instant) -> bool {
        self.has_room() && self.bucket.is_open(now)
    }

    fn has_room(&self) -> bool {
        self.room > 0 && self.encoder.in_flight() < MAX_IN_FLIGHT
    }
}
