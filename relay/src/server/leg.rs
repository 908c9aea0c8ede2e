//! One leg's control connection, from its first packet to its end.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use alongside_protocol::{
    LegToken,
    frame::FrameReader,
    relay::{
        Auth, Challenge, FromRelay, MAX_BODY, RELAY_VERSION, Refused, RelayRefusal, ToRelay,
        Welcome,
    },
    wire::DecodeError,
};
use alongside_transport::leg::auth::{self, LegBinding};
use quinn_proto::{
    Connection, ConnectionHandle, Dir, Event, ReadError, StreamEvent, StreamId, WriteError,
};
use tracing::{debug, info};

use super::{CloseCode, Shared, admission::Pending, hub::role_word};
use crate::{
    bucket::Bucket,
    clock,
    config::seconds,
    forward::Streams,
    random,
    switchboard::{LegId, NewLeg},
};

/// How long a leg has to take a refusal or a goodbye before the connection closes (our choice).
const FAREWELL: Duration = Duration::from_secs(1);

/// Bytes that may wait for a leg to take them: more than every answer to a full burst of requests (our choice).
const MAX_UNSENT: usize = 16 * 1024;

/// Probe timeouts within which QUIC notices that a new address does not answer (RFC 9000, section 8.2.4).
const VALIDATION_PTOS: u32 = 3;

/// A probe timeout in round trips: one, and four times their variation, of which we do not know more than that it
/// is rarely more than the round trip itself (RFC 9002, section 6.2.1).
const PTO_ROUND_TRIPS: u32 = 5;

/// The probe timeout that is taken for an address of which no round trip has been measured: three times the
/// first guess of 100 ms.
const FIRST_PTO: Duration = Duration::from_millis(300);

/// Added to each probe timeout: the leg's delay of acknowledgements (25 ms), rounded up.
const ACK_DELAY: Duration = Duration::from_millis(35);

/// Why a leg's control connection ends.
#[derive(Debug, thiserror::Error)]
enum LegEnd {
    #[error("refused: {0:?}")]
    Refused(RelayRefusal),
    #[error("not authenticated in time")]
    TooSlow,
    #[error("sent something else than the answer to the challenge")]
    NotAuth,
    #[error("too many messages")]
    TooManyMessages,
    #[error("takes no messages")]
    Stalled,
    #[error("closed by the relay: {0:?}")]
    Closed(CloseCode),
    #[error("the leg left")]
    Left,
    #[error("connection lost")]
    Lost,
    #[error("control stream failed")]
    Control(#[from] DecodeError),
}

/// One control connection.
pub(super) struct Line {
    pub(super) connection: Connection,
    /// When it is looked at next.
    pub(super) looked_at: Option<Instant>,
    stage: Stage,
    /// When the stage has to be over.
    stage_ends: Option<Instant>,
    /// And all of them until the leg is known.
    known_by: Option<Instant>,
    pending: Option<Pending>,
    stream: Option<StreamId>,
    frames: FrameReader,
    /// Bytes that the leg does not take yet, and when it is given up for that.
    unsent: Vec<u8>,
    stalls_at: Option<Instant>,
    place: Place,
}

/// How far the leg has come.
enum Stage {
    /// Keys are exchanged.
    Handshake,
    /// The challenge is sent.
    Challenged(Box<Challenge>),
    /// The leg has authenticated.
    Known(Box<Known>),
    /// Everything is said; the leg gets a moment to read it and to close.
    Farewell(CloseCode),
    /// Nothing more is done.
    Over,
}

struct Known {
    id: LegId,
    token: LegToken,
    messages: Bucket,
    /// Set when the connection is to be closed once everything is sent.
    ends_with: Option<CloseCode>,
}

/// Where the leg is, as the forwarder knows it; behind the connection's own idea when the leg moved.
struct Place {
    address: SocketAddr,
    rtt: Duration,
    /// When a move is taken for proved.
    proved_at: Option<Instant>,
}

impl Line {
    pub(super) fn new(
        shared: &Shared,
        now: Instant,
        connection: Connection,
        pending: Option<Pending>,
    ) -> Self {
        Self {
            place: Place {
                address: connection.remote_address(),
                rtt: connection.rtt(),
                proved_at: None,
            },
            connection,
            looked_at: None,
            stage: Stage::Handshake,
            stage_ends: now.checked_add(seconds(shared.limits.auth_timeout_s)),
            known_by: now.checked_add(seconds(shared.limits.unauthenticated_total_s)),
            pending,
            stream: None,
            frames: FrameReader::new(MAX_BODY),
            unsent: Vec::new(),
            stalls_at: None,
        }
    }

    /// Whether it is the connection of this leg, and serves it.
    pub(super) fn is_of(&self, leg: LegId) -> bool {
        matches!(&self.stage, Stage::Known(known) if known.id == leg)
    }

    /// When something has to be done at the latest.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        let own = [self.stage_ends, self.stalls_at, self.place.proved_at];
        let quic = self.connection.poll_timeout();
        own.into_iter().chain([quic]).flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, shared: &Shared, now: Instant) {
        let is_over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_over(self.connection.poll_timeout()) {
            self.connection.handle_timeout(now);
        }
        if is_over(self.stalls_at) {
            self.end(shared, now, &LegEnd::Stalled);
        }
        if is_over(self.stage_ends) {
            let end = match &self.stage {
                Stage::Farewell(code) => LegEnd::Closed(*code),
                Stage::Handshake | Stage::Challenged(_) | Stage::Known(_) | Stage::Over => {
                    LegEnd::TooSlow
                }
            };
            self.end(shared, now, &end);
        }
    }

    /// Handles what happened on the connection.
    pub(super) fn handle(
        &mut self,
        shared: &Shared,
        now: Instant,
        handle: ConnectionHandle,
        event: Event,
    ) {
        match event {
            Event::Connected => self.challenge(shared, now),
            Event::Stream(StreamEvent::Readable { id }) if Some(id) == self.stream => {
                self.read(shared, now, handle);
            }
            Event::ConnectionLost { reason } => {
                debug!(%reason, "control connection lost");
                self.end(shared, now, &LegEnd::Lost);
            }
            // What can be written is tried with every event.
            Event::Stream(_)
            | Event::HandshakeDataReady
            | Event::DatagramReceived
            | Event::DatagramsUnblocked => {}
        }
    }

    fn challenge(&mut self, shared: &Shared, now: Instant) {
        // Before anybody can pretend that it moved.
        self.place.address = self.connection.remote_address();
        self.place.rtt = self.connection.rtt();
        let Some(stream) = self.connection.streams().open(Dir::Bi) else {
            return self.end(shared, now, &LegEnd::Lost);
        };
        let challenge = Challenge {
            version: RELAY_VERSION,
            nonce: random::bytes(),
            time: clock::since_1970().as_secs(),
        };
        self.stream = Some(stream);
        self.send(challenge.clone());
        self.stage = Stage::Challenged(Box::new(challenge));
        let ends = now.checked_add(seconds(shared.limits.auth_timeout_s));
        self.stage_ends = ends.min(self.known_by);
    }

    /// Reads what came on the control stream.
    fn read(&mut self, shared: &Shared, now: Instant, handle: ConnectionHandle) {
        let Some(stream) = self.stream else { return };
        let mut end = None;
        if let Ok(mut chunks) = self.connection.recv_stream(stream).read(true) {
            loop {
                match chunks.next(usize::MAX) {
                    Ok(Some(chunk)) => self.frames.push(&chunk.bytes),
                    Ok(None) | Err(ReadError::Reset(_)) => {
                        end = Some(LegEnd::Left);
                        break;
                    }
                    Err(ReadError::Blocked) => break,
                }
            }
            let _ = chunks.finalize();
        }
        while !matches!(self.stage, Stage::Farewell(_) | Stage::Over) {
            let message = match self.frames.next_frame() {
                Ok(Some(frame)) => ToRelay::from_frame(frame.kind, &frame.body),
                Ok(None) => break,
                Err(error) => Err(error),
            };
            match message {
                Ok(message) => self.take(shared, now, handle, message),
                Err(error) => self.end(shared, now, &error.into()),
            }
        }
        if self.frames.pending() == 0 {
            // A leg that waits holds no buffer.
            self.frames = FrameReader::new(MAX_BODY);
        }
        if let Some(end) = end {
            self.end(shared, now, &end);
        }
    }

    fn take(&mut self, shared: &Shared, now: Instant, handle: ConnectionHandle, message: ToRelay) {
        match &mut self.stage {
            Stage::Challenged(challenge) => {
                let ToRelay::Auth(auth) = message else {
                    return self.end(shared, now, &LegEnd::NotAuth);
                };
                let challenge = challenge.clone();
                match self.enter(shared, now, handle, &auth, &challenge) {
                    Ok(()) => {}
                    Err(reason) => {
                        self.send(Refused {
                            reason,
                            retry_after_s: None,
                        });
                        debug!(end = %LegEnd::Refused(reason), "leg refused");
                        self.say_goodbye(shared, now, CloseCode::Refused);
                    }
                }
            }
            Stage::Known(known) => {
                let id = known.id;
                if !known.messages.take(now, 1) {
                    return self.end(shared, now, &LegEnd::TooManyMessages);
                }
                if !self.handle_message(shared, now, id, message) {
                    self.end(shared, now, &LegEnd::NotAuth);
                }
            }
            Stage::Handshake | Stage::Farewell(_) | Stage::Over => {}
        }
    }

    /// The leg's answer to the challenge: who it is, proved, and let in.
    fn enter(
        &mut self,
        shared: &Shared,
        now: Instant,
        handle: ConnectionHandle,
        auth: &Auth,
        challenge: &Challenge,
    ) -> Result<(), RelayRefusal> {
        let binding = LegBinding::from_exporter(|bytes, label, context| {
            let session = self.connection.crypto_session();
            session
                .export_keying_material(bytes, label, context)
                .is_ok()
        });
        auth::verify(
            auth,
            challenge,
            binding.map_err(|_| RelayRefusal::BadSignature)?,
        )?;
        let origin = shared.socket.streams().origin(self.place.address);
        let new = NewLeg {
            role: auth.role,
            key: auth.key,
            token: auth.token,
            source: origin.ip(),
        };
        let local = self.connection.local_ip();
        let id = shared.hub.join(new, handle, self.place.address, local)?;
        self.stage_ends = None;
        self.stage = Stage::Known(Box::new(Known {
            id,
            token: auth.token,
            messages: Bucket::new(
                shared.limits.control_per_s.into(),
                Duration::from_secs(1),
                shared.limits.control_burst.into(),
            ),
            ends_with: None,
        }));
        self.pending
            .take()
            .into_iter()
            .for_each(Pending::authenticated);
        self.send(Welcome {
            observed: SocketAddr::new(origin.ip().to_canonical(), origin.port()),
            relay: shared.name.clone(),
        });
        shared.socket.streams().use_by_leg(self.place.address);
        // Now, as the leg may send and be sent to from here on.
        self.look(shared, now);
        info!(role = role_word(auth.role), key = ?auth.key, token = ?auth.token, "leg joined");
        Ok(())
    }

    /// Handles one message; whether it was one that a known leg may send.
    fn handle_message(
        &mut self,
        shared: &Shared,
        now: Instant,
        id: LegId,
        message: ToRelay,
    ) -> bool {
        match message {
            ToRelay::Check(check) => self.send(check),
            ToRelay::Allocate(allocate) => shared.hub.allocate(now, id, allocate),
            ToRelay::Claim(claim) => shared.hub.claim(now, id, claim),
            ToRelay::Release(release) => shared.hub.release(now, id, release),
            ToRelay::Rejoin(ticket) => shared.hub.rejoin(now, id, ticket),
            ToRelay::Moved(_) => {} // every packet makes the relay look
            ToRelay::Auth(_) | _ => return false,
        }
        true
    }

    /// Keeps the forwarder's idea of where the leg is up to date with the connection's.
    ///
    /// QUIC goes to a new address with the first packet from there, tests it, and comes back if it does not answer
    /// within three probe timeouts. So a move that has stood for longer is real.
    pub(super) fn look(&mut self, shared: &Shared, now: Instant) {
        let Stage::Known(known) = &self.stage else {
            return;
        };
        let (table, place) = (&shared.table, &mut self.place);
        let address = self.connection.remote_address();
        if address != place.address {
            // Of another port of the same host QUIC takes the round trip to be the same.
            let first = if address.ip() == place.address.ip() {
                Duration::ZERO
            } else {
                FIRST_PTO
            };
            let pto = place
                .rtt
                .saturating_mul(PTO_ROUND_TRIPS)
                .max(first)
                .saturating_add(ACK_DELAY);
            place.proved_at = now.checked_add(pto.saturating_mul(VALIDATION_PTOS));
            place.address = address;
            if table.move_to(known.token, address, self.connection.local_ip()) {
                info!(leg = ?known.token, "a leg's address changed");
            }
            if Streams::is_one(address) {
                // A stream's other end is where it says.
                place.proved_at = Some(now);
                shared.socket.streams().use_by_leg(address);
            }
        }
        if place.proved_at.is_some_and(|at| at <= now) {
            place.proved_at = None;
            table.prove(known.token, address);
        } else if place.proved_at.is_none() {
            place.rtt = self.connection.rtt();
        }
    }

    /// Queues a message for the leg.
    pub(super) fn send(&mut self, message: impl Into<FromRelay>) {
        self.unsent.extend_from_slice(&message.into().to_frame());
    }

    /// Has the connection closed once everything is sent.
    pub(super) fn end_with(&mut self, code: CloseCode) {
        if let Stage::Known(known) = &mut self.stage {
            known.ends_with.get_or_insert(code);
        }
    }

    /// Hands QUIC what it takes, and does what was to be done after it.
    pub(super) fn flush(&mut self, shared: &Shared, now: Instant) {
        let Some(stream) = self.stream else { return };
        if matches!(self.stage, Stage::Over) {
            return;
        }
        let before = self.unsent.len();
        while !self.unsent.is_empty() {
            match self.connection.send_stream(stream).write(&self.unsent) {
                Ok(taken) => drop(self.unsent.drain(..taken)),
                Err(WriteError::Blocked) => break,
                Err(WriteError::Stopped(_) | WriteError::ClosedStream) => {
                    return self.end(shared, now, &LegEnd::Left);
                }
            }
        }
        if self.unsent.is_empty() {
            // A leg that waits holds no buffer.
            self.unsent = Vec::new();
            self.stalls_at = None;
            if let Stage::Known(known) = &self.stage
                && let Some(code) = known.ends_with
            {
                self.say_goodbye(shared, now, code);
            } else if let Stage::Farewell(_) = self.stage {
                // Said before, and finished then or now.
                let _ = self.connection.send_stream(stream).finish();
            }
        } else if self.unsent.len() > MAX_UNSENT {
            self.end(shared, now, &LegEnd::TooManyMessages);
        } else if self.unsent.len() < before || self.stalls_at.is_none() {
            self.stalls_at = now.checked_add(seconds(shared.limits.write_stall_s));
        }
    }

    /// Ends the stream once everything is sent, and gives the leg a moment to read it to its end and to close.
    fn say_goodbye(&mut self, shared: &Shared, now: Instant, code: CloseCode) {
        self.leave(shared, now);
        self.stage = Stage::Farewell(code);
        // Nobody looks at where it is any more, so nothing may become due for that.
        self.place.proved_at = None;
        self.stage_ends = now.checked_add(FAREWELL);
        if let (Some(stream), true) = (self.stream, self.unsent.is_empty()) {
            let _ = self.connection.send_stream(stream).finish();
        }
    }

    fn end(&mut self, shared: &Shared, now: Instant, end: &LegEnd) {
        if matches!(self.stage, Stage::Over) {
            return;
        }
        debug!(from = %self.place.address, %end, "leg's connection ends");
        self.close(shared, now, end.code());
    }

    /// Closes the connection at once.
    pub(super) fn close(&mut self, shared: &Shared, now: Instant, code: CloseCode) {
        self.leave(shared, now);
        self.stage = Stage::Over;
        self.stage_ends = None;
        self.stalls_at = None;
        self.place.proved_at = None;
        self.pending = None;
        if !self.connection.is_closed() {
            self.connection.close(now, code.into(), bytes::Bytes::new());
        }
    }

    /// The connection is no more, whatever became of the leg.
    pub(super) fn is_lost(mut self: Box<Self>, shared: &Shared, now: Instant) {
        self.leave(shared, now);
    }

    fn leave(&mut self, shared: &Shared, now: Instant) {
        if let Stage::Known(known) = &self.stage {
            shared.hub.leave(now, known.id);
        }
    }
}

impl LegEnd {
    fn code(&self) -> CloseCode {
        match self {
            Self::Refused(_) => CloseCode::Refused,
            Self::NotAuth | Self::Control(_) => CloseCode::Protocol,
            Self::TooSlow | Self::TooManyMessages | Self::Stalled => CloseCode::Limit,
            Self::Closed(code) => *code,
            Self::Left | Self::Lost => CloseCode::Done,
        }
    }
}
