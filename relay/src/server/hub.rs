//! Where the switchboard's decisions become acts: messages, pairs in the forwarder, access lines.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alongside_protocol::{
    LegToken,
    relay::{Allocate, Claim, Closing, RelayRefusal, Release, Role},
};
use tracing::{debug, info};

use super::{CloseCode, outbox::Outbox};
use crate::{
    access::{AccessLine, AccessLog},
    forward::{Meter, Streams, Table},
    operators::OperatorsFile,
    random,
    state::StateDir,
    switchboard::{Action, CloseReason, LegId, MeetingEnd, NewLeg, Switchboard},
};

/// Probe timeouts within which quinn notices that a new address does not answer (RFC 9000, section 8.2.4).
const VALIDATION_PTOS: u32 = 3;

/// A probe timeout in round trips: one, and four times their variation, of which we do not know more than that it
/// is rarely more than the round trip itself (RFC 9002, section 6.2.1).
const PTO_ROUND_TRIPS: u32 = 5;

/// The probe timeout that quinn takes for an address of which it has not measured a round trip: three times the
/// first guess of 100 ms.
const FIRST_PTO: Duration = Duration::from_millis(300);

/// Added to each probe timeout: the leg's delay of acknowledgements (25 ms), rounded up.
const ACK_DELAY: Duration = Duration::from_millis(35);

/// The switchboard and everything that it decides about, behind one lock: decisions are acted on in their order.
#[derive(Debug)]
pub(super) struct Hub {
    own: LegToken,
    table: Arc<Table>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    next_leg: u64,
    board: Switchboard,
    legs: BTreeMap<LegId, Leg>,
    /// Which leg a token belongs to now.
    holders: BTreeMap<LegToken, LegId>,
    /// Byte counters of the meetings, by the device's token.
    meters: BTreeMap<LegToken, Meter>,
    operators: OperatorsFile,
    /// Until the relay stops.
    files: Option<Files>,
}

#[derive(Debug)]
struct Files {
    access: AccessLog,
    /// Keeps the directory locked.
    _state: StateDir,
}

#[derive(Debug)]
struct Leg {
    token: LegToken,
    connection: quinn::Connection,
    outbox: Arc<Outbox>,
    /// Where it is; behind the connection's own idea when it moved.
    address: SocketAddr,
    rtt: Duration,
    /// When a move is taken for proved.
    proved_at: Option<Instant>,
}

impl Hub {
    pub(super) fn new(
        own: LegToken,
        board: Switchboard,
        table: Arc<Table>,
        access: AccessLog,
        operators: OperatorsFile,
        state: StateDir,
    ) -> Self {
        let inner = Inner {
            next_leg: 0,
            board,
            legs: BTreeMap::new(),
            holders: BTreeMap::new(),
            meters: BTreeMap::new(),
            operators,
            files: Some(Files {
                access,
                _state: state,
            }),
        };
        Self {
            own,
            table,
            inner: Mutex::new(inner),
        }
    }

    /// Takes in an authenticated leg that did its handshake at `address`.
    pub(super) fn join(
        &self,
        new: NewLeg,
        connection: &quinn::Connection,
        address: SocketAddr,
        outbox: &Arc<Outbox>,
    ) -> Result<LegId, RelayRefusal> {
        if new.token == self.own {
            return Err(RelayRefusal::TokenTaken);
        }
        let mut inner = self.inner();
        let id = LegId(inner.next_leg);
        inner.board.admit(id, new)?;
        inner.next_leg = inner.next_leg.saturating_add(1);
        let leg = Leg {
            token: new.token,
            connection: connection.clone(),
            outbox: Arc::clone(outbox),
            address,
            rtt: connection.rtt(),
            proved_at: None,
        };
        inner.legs.insert(id, leg);
        inner.holders.insert(new.token, id);
        self.table.insert(new.token, address, connection.local_ip());
        self.act(&mut inner);
        Ok(id)
    }

    /// A leg's connection is gone.
    pub(super) fn leave(&self, now: Instant, id: LegId) {
        let mut inner = self.inner();
        inner.board.leave(now, id);
        self.act(&mut inner);
        let Some(leg) = inner.legs.remove(&id) else {
            return;
        };
        // Unless the leg came back on another connection in the meantime.
        if inner.holders.get(&leg.token) == Some(&id) {
            inner.holders.remove(&leg.token);
            self.table.remove(leg.token);
        }
    }

    pub(super) fn allocate(&self, now: Instant, id: LegId, allocate: Allocate) {
        let mut inner = self.inner();
        self.refresh_operators(&mut inner, now);
        inner.board.allocate(now, id, allocate, &random::bytes());
        self.act(&mut inner);
    }

    pub(super) fn claim(&self, now: Instant, id: LegId, claim: Claim) {
        let mut inner = self.inner();
        inner.board.claim(now, id, claim);
        self.act(&mut inner);
    }

    pub(super) fn release(&self, now: Instant, id: LegId, release: Release) {
        let mut inner = self.inner();
        inner.board.release(now, id, release);
        self.act(&mut inner);
    }

    /// Once a second: codes expire, the operators' file may have changed.
    pub(super) fn tick(&self, now: Instant) {
        let mut inner = self.inner();
        self.refresh_operators(&mut inner, now);
        inner.board.handle_timeout(now);
        self.act(&mut inner);
    }

    /// Looks whether moves are proved by now; how long until the next one is.
    pub(super) fn prove_moves(&self, now: Instant) -> Option<Duration> {
        let mut inner = self.inner();
        for leg in inner
            .legs
            .values_mut()
            .filter(|leg| leg.proved_at.is_some_and(|at| at <= now))
        {
            follow(&self.table, leg, now);
        }
        let next = inner.legs.values().filter_map(|leg| leg.proved_at).min();
        next.map(|at| at.saturating_duration_since(now))
    }

    /// A leg said something: it may say it from elsewhere.
    pub(super) fn look_at(&self, now: Instant, id: LegId) {
        if let Some(leg) = self.inner().legs.get_mut(&id) {
            follow(&self.table, leg, now);
        }
    }

    /// Somebody spoke to the relay from an address that is no leg's.
    pub(super) fn look_for_moved_legs(&self, now: Instant) {
        for leg in self.inner().legs.values_mut() {
            follow(&self.table, leg, now);
        }
    }

    /// Ends every meeting and says goodbye to every leg.
    pub(super) fn shut_down(&self, now: Instant) {
        let mut inner = self.inner();
        inner.board.shut_down(now);
        self.act(&mut inner);
    }

    /// Writes the last access line and lets another relay have the state directory.
    pub(super) fn close_files(&self) {
        self.inner().files = None;
    }

    /// Legs that are connected and known.
    pub(super) fn legs(&self) -> usize {
        self.inner().legs.len()
    }

    fn refresh_operators(&self, inner: &mut Inner, now: Instant) {
        if let Some(table) = inner.operators.refresh() {
            inner.board.set_operators(now, table);
            self.act(inner);
        }
    }

    /// Does what the switchboard wants done.
    fn act(&self, inner: &mut Inner) {
        while let Some(action) = inner.board.poll_action() {
            match action {
                Action::Send { leg, message } => {
                    if let Some(leg) = inner.legs.get(&leg) {
                        leg.outbox.push(message);
                    }
                }
                Action::Pair { operator, device } => {
                    debug!(?operator, ?device, "paired");
                    if let Some(meter) = self.table.pair(operator, device) {
                        inner.meters.insert(device, meter);
                    }
                }
                Action::Unpair(end) => self.unpair(inner, &end),
                Action::Close { leg, why } => {
                    let Some(leg) = inner.legs.get(&leg) else {
                        continue;
                    };
                    match why {
                        CloseReason::Replaced => leg.outbox.end(CloseCode::Replaced),
                        CloseReason::Shutdown => {
                            leg.outbox.push(Closing {}.into());
                            leg.outbox.end(CloseCode::Shutdown);
                        }
                    }
                }
            }
        }
    }

    fn unpair(&self, inner: &mut Inner, end: &MeetingEnd) {
        self.table.part(end.operator);
        self.table.part(end.device);
        let traffic = inner
            .meters
            .remove(&end.device)
            .map(|meter| meter.read())
            .unwrap_or_default();
        if let Some(files) = &inner.files {
            files.access.write(AccessLine::new(end, traffic));
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the forwarder's idea of where `leg` is up to date with its control connection's.
///
/// quinn goes to a new address with the first packet from there, tests it, and comes back if it does not answer
/// within three probe timeouts. So a move that has stood for longer is real.
fn follow(table: &Table, leg: &mut Leg, now: Instant) {
    let address = leg.connection.remote_address();
    if address != leg.address {
        // Of another port of the same host quinn takes the round trip to be the same.
        let first = if address.ip() == leg.address.ip() {
            Duration::ZERO
        } else {
            FIRST_PTO
        };
        let pto = leg
            .rtt
            .saturating_mul(PTO_ROUND_TRIPS)
            .max(first)
            .saturating_add(ACK_DELAY);
        leg.proved_at = now.checked_add(pto.saturating_mul(VALIDATION_PTOS));
        leg.address = address;
        if table.move_to(leg.token, address, leg.connection.local_ip()) {
            info!(leg = ?leg.token, "a leg's address changed");
        }
        if Streams::is_one(address) {
            // A stream's other end is where it says.
            leg.proved_at = None;
            table.prove(leg.token, address);
        }
    } else if leg.proved_at.is_some_and(|at| at <= now) {
        leg.proved_at = None;
        table.prove(leg.token, address);
    } else if leg.proved_at.is_none() {
        leg.rtt = leg.connection.rtt();
    }
}

/// A role in a word, for the log.
pub(super) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Device => "device",
        Role::Operator => "operator",
    }
}
