//! Signs of life: what the socket has seen of the relay and of sessions, for who decides about the ways.

use std::time::Duration;

use alongside_protocol::LegToken;
use quinn::udp::Transmit;
use tokio::time::Instant;

use super::SharedSocket;
use crate::{path::relay::Observed, random::random};

impl SharedSocket {
    /// Whether anything has come from the relay over UDP.
    pub(crate) fn has_heard_udp(&self) -> bool {
        self.table().has_heard_udp()
    }

    /// How long nothing at all came from the relay.
    pub(crate) fn silence(&self) -> Duration {
        self.table().silence(Instant::now().into_std())
    }

    /// What a decision about the ways needs to know.
    pub(crate) fn observed(&self, now: std::time::Instant) -> Observed {
        Observed {
            is_wanted: self.has_doubt(),
            ..self.table().observed(now)
        }
    }

    /// Sends a probe over UDP; [`SharedSocket::probe_answered`] tells when it was answered.
    pub(crate) fn probe(&self) {
        let (destination, packet) = self.table().probe(LegToken(random()));
        let transmit = Transmit {
            destination,
            ecn: None,
            contents: &packet,
            segment_size: None,
            src_ip: None,
        };
        // A full socket loses it like a full router; there will be another.
        let _lost = self.io.try_send(&transmit);
    }

    /// Waits until a session begins to send through the relay.
    pub(crate) async fn becomes_busy(&self) {
        self.busy.notified().await;
    }

    pub(crate) async fn probe_answered(&self) {
        self.probe_answered.notified().await;
    }
}
