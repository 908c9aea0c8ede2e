//! The control connections of all legs, in one task.
//!
//! It drives QUIC itself rather than through tasks, channels and timers of each connection's own: a relay holds
//! thousands of legs that wait, and those are what such a leg would cost most.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::{pending, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use quinn::udp;
use quinn_proto::{
    ConnectionHandle, DatagramEvent, EcnCodepoint, Endpoint, EndpointEvent, Incoming, ServerConfig,
    Transmit,
};
use tokio::time::sleep_until;
use tracing::{debug, error};

use super::{
    CloseCode, Shared,
    admission::{Admission, Pending},
    leg::Line,
    mail::Letter,
};
use crate::{
    clock,
    config::seconds,
    forward::{Own, Streams},
    random,
    source::Source,
    switchboard::LegId,
};

/// All control connections.
pub(super) struct Control {
    shared: Arc<Shared>,
    endpoint: Endpoint,
    lines: BTreeMap<ConnectionHandle, Box<Line>>,
    timers: BTreeSet<(Instant, ConnectionHandle)>,
    /// The packet that is being written.
    packet: Vec<u8>,
}

/// Runs the control connections until the relay stops. Should they break, the legs are told by their next packets
/// and come again, and packets of sessions are forwarded all the while.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        let control = Control::new(Arc::clone(&shared));
        let Err(broken) = tokio::spawn(control.work()).await else {
            return;
        };
        if broken.is_cancelled() {
            return;
        }
        error!("the control connections broke; every leg has to come again");
        let until = clock::now().checked_add(seconds(shared.limits.idle_timeout_s));
        shared.hub.expect_everybody(until);
    }
}

impl Control {
    fn new(shared: Arc<Shared>) -> Self {
        let server = (!shared.is_closing()).then(|| Arc::clone(&shared.quic.server));
        Self {
            endpoint: Endpoint::new(Arc::clone(&shared.quic.endpoint), server, false, None),
            shared,
            lines: BTreeMap::new(),
            timers: BTreeSet::new(),
            packet: Vec::new(),
        }
    }

    async fn work(mut self) {
        let mut packets = VecDeque::new();
        loop {
            let shared = Arc::clone(&self.shared);
            let next = self.timers.first().map(|(at, _)| *at);
            let timeout = async {
                match next {
                    Some(at) => sleep_until(at.into()).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = poll_fn(|cx| shared.socket.own().poll_take(cx, &mut packets)) => {
                    let now = clock::now();
                    packets.drain(..).for_each(|own| self.take(now, own));
                }
                () = shared.mail.news() => {}
                () = timeout => self.handle_timeouts(clock::now()),
            }
            for letter in shared.mail.take() {
                let now = clock::now();
                match letter {
                    Letter::Send(leg, message) => {
                        self.with_leg(now, leg, |line| line.send(message))
                    }
                    Letter::End(leg, code) => self.with_leg(now, leg, |line| line.end_with(code)),
                    Letter::ShutDoors => self.endpoint.set_server_config(None),
                    Letter::Stop => return self.stop(now),
                }
            }
            self.shared.connections.send_if_modified(|count| {
                let is_new = *count != self.lines.len();
                *count = self.lines.len();
                is_new
            });
        }
    }

    /// A packet that is the relay's own.
    fn take(&mut self, now: Instant, own: Own) {
        let Own {
            from,
            local,
            ecn,
            bytes,
        } = own;
        self.packet.clear();
        let ecn = ecn.and_then(|ecn| EcnCodepoint::from_bits(ecn as u8));
        match self
            .endpoint
            .handle(now, from, local, ecn, bytes, &mut self.packet)
        {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                self.step(now, handle, |line| line.connection.handle_event(event));
            }
            Some(DatagramEvent::NewConnection(incoming)) => self.greet(now, incoming),
            Some(DatagramEvent::Response(transmit)) => self.transmit(&transmit),
            None => {}
        }
    }

    /// Takes in whoever is validated; everybody else has to come back with a token first, so that a spoofed packet
    /// draws less than it costs to send (measured: 0.04 to 0.09 bytes out for one in).
    fn greet(&mut self, now: Instant, incoming: Incoming) {
        let from = incoming.remote_address();
        if Streams::is_one(from) {
            // Who opened the stream has been counted, and is where it says.
            if self.shared.socket.streams().may_shake_hands(from) {
                let server = Some(Arc::clone(&self.shared.quic.on_stream));
                self.accept(now, incoming, None, server);
            } else {
                self.refuse(incoming);
            }
            return;
        }
        if !incoming.remote_address_validated() {
            self.packet.clear();
            match self.endpoint.retry(incoming, &mut self.packet) {
                Ok(retry) => self.transmit(&retry),
                Err(error) => self.endpoint.ignore(error.into_incoming()),
            }
            return;
        }
        let source = Source::of(from.ip());
        match Admission::enter(&self.shared.admission, now, source, random::bytes()) {
            Ok(pending) => self.accept(now, incoming, Some(pending), None),
            Err(why) => {
                debug!(%from, %why, "connection refused");
                self.refuse(incoming);
            }
        }
    }

    /// `server` is another configuration than that of most legs.
    fn accept(
        &mut self,
        now: Instant,
        incoming: Incoming,
        pending: Option<Pending>,
        server: Option<Arc<ServerConfig>>,
    ) {
        self.packet.clear();
        match self
            .endpoint
            .accept(incoming, now, &mut self.packet, server)
        {
            Ok((handle, connection)) => {
                let line = Line::new(&self.shared, now, connection, pending);
                self.lines.insert(handle, Box::new(line));
                self.step(now, handle, |_| ());
            }
            Err(error) => {
                debug!(error = %error.cause, "no connection");
                if let Some(answer) = error.response {
                    self.transmit(&answer);
                }
            }
        }
    }

    fn refuse(&mut self, incoming: Incoming) {
        self.packet.clear();
        let answer = self.endpoint.refuse(incoming, &mut self.packet);
        self.transmit(&answer);
    }

    /// Does `first` to a connection, and then everything that follows from it. A bug in it costs this leg alone.
    fn step(&mut self, now: Instant, handle: ConnectionHandle, first: impl FnOnce(&mut Line)) {
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            let line = self.lines.get_mut(&handle)?;
            first(line);
            self.follow_up(now, handle)
        }));
        match stepped {
            Ok(Some(())) => self.schedule(handle),
            // It was drained just now, or before.
            Ok(None) => self.forget(now, handle),
            Err(_) => {
                error!("a control connection broke; its leg has to come again");
                self.forget(now, handle);
                self.endpoint.handle_event(handle, EndpointEvent::drained());
            }
        }
    }

    /// `None` once the connection is over.
    fn follow_up(&mut self, now: Instant, handle: ConnectionHandle) -> Option<()> {
        let line = self.lines.get_mut(&handle)?;
        loop {
            let mut rests = true;
            while let Some(event) = line.connection.poll() {
                rests = false;
                line.handle(&self.shared, now, handle, event);
            }
            line.flush(&self.shared, now);
            while let Some(event) = line.connection.poll_endpoint_events() {
                rests = false;
                if let Some(event) = self.endpoint.handle_event(handle, event) {
                    line.connection.handle_event(event);
                }
            }
            self.packet.clear();
            // One packet at a time: a control connection never has two to send at once, not for long.
            while let Some(transmit) = line.connection.poll_transmit(now, 1, &mut self.packet) {
                transmit_on(&self.shared, &transmit, &self.packet);
                self.packet.clear();
            }
            if rests {
                break;
            }
        }
        line.look(&self.shared, now);
        (!line.connection.is_drained()).then_some(())
    }

    /// Puts the connection's next deadline into the order of all, unless it is looked at earlier anyway.
    fn schedule(&mut self, handle: ConnectionHandle) {
        let Some(line) = self.lines.get_mut(&handle) else {
            return;
        };
        let Some(next) = line.deadline() else { return };
        if line.looked_at.is_some_and(|at| at <= next) {
            return;
        }
        if let Some(later) = line.looked_at.replace(next) {
            self.timers.remove(&(later, handle));
        }
        self.timers.insert((next, handle));
    }

    fn handle_timeouts(&mut self, now: Instant) {
        while let Some(&(at, handle)) = self.timers.first() {
            if at > now {
                break;
            }
            self.timers.pop_first();
            let shared = Arc::clone(&self.shared);
            self.step(now, handle, |line| {
                line.looked_at = None;
                line.handle_timeout(&shared, now);
            });
        }
    }

    fn with_leg(&mut self, now: Instant, leg: LegId, act: impl FnOnce(&mut Line)) {
        if let Some(handle) = self.shared.hub.connection_of(leg) {
            self.step(now, handle, |line| {
                if line.is_of(leg) {
                    act(line);
                }
            });
        }
    }

    fn forget(&mut self, now: Instant, handle: ConnectionHandle) {
        let Some(line) = self.lines.remove(&handle) else {
            return;
        };
        if let Some(at) = line.looked_at {
            self.timers.remove(&(at, handle));
        }
        line.is_lost(&self.shared, now);
    }

    fn stop(mut self, now: Instant) {
        let handles: Vec<_> = self.lines.keys().copied().collect();
        let shared = Arc::clone(&self.shared);
        for handle in handles {
            self.step(now, handle, |line| {
                line.close(&shared, now, CloseCode::Shutdown)
            });
        }
        self.shared.connections.send_replace(0);
    }

    fn transmit(&self, transmit: &Transmit) {
        transmit_on(&self.shared, transmit, &self.packet);
    }
}

/// A full socket loses the packet, as a full router would: QUIC sends it again.
fn transmit_on(shared: &Shared, transmit: &Transmit, packet: &[u8]) {
    let ecn = transmit
        .ecn
        .and_then(|ecn| udp::EcnCodepoint::from_bits(ecn as u8));
    let sent = shared.socket.send(&udp::Transmit {
        destination: transmit.destination,
        ecn,
        contents: packet.get(..transmit.size).unwrap_or_default(),
        segment_size: transmit.segment_size,
        src_ip: transmit.src_ip,
    });
    if let Err(error) = sent {
        debug!(%error, "a control packet was lost");
    }
    shared.socket.flush();
}

/// What QUIC is set up with.
pub(super) struct Quic {
    pub(super) endpoint: Arc<quinn_proto::EndpointConfig>,
    pub(super) server: Arc<ServerConfig>,
    /// For legs that come over a stream.
    pub(super) on_stream: Arc<ServerConfig>,
}
