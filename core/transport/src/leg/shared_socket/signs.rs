//! Signs of life: what the socket has seen of the relay and of sessions, for who decides about the ways.

use std::{
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use alongside_protocol::LegToken;
use quinn::udp::Transmit;
use tokio::time::Instant;

use super::SharedSocket;
use crate::{leg::pulse::Pulse, path::relay::Observed, random::random};

/// What packets to the relay and back take.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    /// When the leg came up, with packets as long as they get.
    long: Duration,
    /// Now, with the short ones of a leg at rest.
    short: Duration,
}

/// How long UDP makes room for a way on which the relay has been heard.
const ROOM: Duration = Duration::from_secs(3);

impl SharedSocket {
    /// As long as UDP is not heard at all and `rival` is, nothing is repeated over UDP: most likely it is blocked, and
    /// on a narrow line the other way needs the room.
    pub(crate) fn make_room_for(&self, rival: Pulse) {
        // Set once, before the first packet.
        let _set = self.rival.set(rival);
    }

    pub(super) fn makes_room(&self) -> bool {
        let rival = self.rival.get();
        rival.is_some_and(|rival| rival.is_felt_within(ROOM)) && !self.has_heard_udp()
    }

    /// The handshake with the relay is over, and its round trips took so long.
    pub(crate) fn note_handshake(&self, rtt: Duration) {
        self.line().long = rtt;
    }

    /// Round trips to the relay take so long now.
    pub(crate) fn note_rtt(&self, rtt: Duration) {
        self.line().short = rtt;
    }

    /// The least that a long packet to a peer takes until it is answered, as far as is known here.
    pub(crate) fn least_round_trip(&self) -> Duration {
        let line = *self.line();
        line.long.max(line.short.saturating_mul(2))
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything has come from the relay over UDP.
    pub(crate) fn has_heard_udp(&self) -> bool {
        self.table().has_heard_udp()
    }

    /// When something last came from the relay over UDP, if anything did.
    pub(crate) fn heard_udp_at(&self) -> Option<Instant> {
        let table = self.table();
        let heard = table.observed(Instant::now().into_std()).heard_udp;
        table.has_heard_udp().then(|| heard.into())
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
