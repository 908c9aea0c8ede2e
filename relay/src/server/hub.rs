//! Where the switchboard's decisions become acts: messages, pairs in the forwarder, access lines.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alongside_protocol::{
    LegToken, PublicKey,
    relay::{Allocate, Claim, Closing, PairingTicket, RelayRefusal, Release, Role},
};
use quinn_proto::ConnectionHandle;
use tracing::{debug, error, warn};

use super::{
    CloseCode,
    mail::{Letter, Mail},
};
use crate::{
    access::{AccessLine, AccessLog},
    clock,
    forward::{Meter, Table, Traffic},
    operators::OperatorsFile,
    random,
    state::StateDir,
    switchboard::{Action, CloseReason, Ledger, LegId, MeetingEnd, Month, NewLeg, Switchboard},
};

/// How often it is written: what a relay that crashes forgets (our choice).
const WRITE_EVERY: Duration = Duration::from_secs(60);

/// The switchboard and everything that it decides about, behind one lock: decisions are acted on in their order.
#[derive(Debug)]
pub(super) struct Hub {
    own: LegToken,
    table: Arc<Table>,
    mail: Arc<Mail>,
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
    meters: BTreeMap<LegToken, Metered>,
    operators: OperatorsFile,
    /// Legs without a connection, and how long they have to come again.
    expected: Vec<(Option<Instant>, LegId)>,
    is_alarmed: bool,
    /// When the ledger was written last.
    written: Option<Instant>,
    /// Until the relay stops.
    files: Option<Files>,
}

/// The byte counters of a meeting, and what of them is in the ledger.
#[derive(Debug)]
struct Metered {
    meter: Meter,
    operator: PublicKey,
    counted: u64,
}

#[derive(Debug)]
struct Files {
    access: AccessLog,
    /// As it is on the disk.
    ledger: Ledger,
    /// Keeps the directory locked.
    _state: StateDir,
}

#[derive(Debug)]
struct Leg {
    token: LegToken,
    connection: ConnectionHandle,
}

impl Hub {
    pub(super) fn new(
        own: LegToken,
        board: Switchboard,
        table: Arc<Table>,
        mail: Arc<Mail>,
        access: AccessLog,
        operators: OperatorsFile,
        state: StateDir,
    ) -> Self {
        let ledger = board.ledger().clone();
        let inner = Inner {
            next_leg: 0,
            board,
            legs: BTreeMap::new(),
            holders: BTreeMap::new(),
            meters: BTreeMap::new(),
            operators,
            expected: Vec::new(),
            is_alarmed: false,
            written: None,
            files: Some(Files {
                access,
                ledger,
                _state: state,
            }),
        };
        Self {
            own,
            table,
            mail,
            inner: Mutex::new(inner),
        }
    }

    /// Takes in an authenticated leg that did its handshake at `address`.
    pub(super) fn join(
        &self,
        new: NewLeg,
        connection: ConnectionHandle,
        address: SocketAddr,
        local: Option<IpAddr>,
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
            connection,
        };
        inner.legs.insert(id, leg);
        inner.holders.insert(new.token, id);
        self.table.insert(new.token, address, local);
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

    pub(super) fn rejoin(&self, now: Instant, id: LegId, ticket: PairingTicket) {
        let mut inner = self.inner();
        inner.board.rejoin(now, id, ticket);
        self.act(&mut inner);
    }

    /// Once a second: codes expire, the operators' file may have changed.
    pub(super) fn tick(&self, now: Instant) {
        let mut inner = self.inner();
        self.refresh_operators(&mut inner, now);
        inner.board.handle_timeout(now);
        self.act(&mut inner);
        inner.keep_ledger(now);
        inner.look_for_attack(now);
        let is_lost = |(until, _): &mut (Option<Instant>, LegId)| *until <= Some(now);
        let lost: Vec<_> = inner.expected.extract_if(.., is_lost).collect();
        drop(inner);
        lost.into_iter().for_each(|(_, id)| self.leave(now, id));
    }

    /// The connection that serves a leg.
    pub(super) fn connection_of(&self, id: LegId) -> Option<ConnectionHandle> {
        self.inner().legs.get(&id).map(|leg| leg.connection)
    }

    /// All connections are gone at once. Who has not come again at `until` is lost.
    pub(super) fn expect_everybody(&self, until: Option<Instant>) {
        let mut inner = self.inner();
        let all: Vec<_> = inner.legs.keys().copied().collect();
        inner.expected.extend(all.into_iter().map(|id| (until, id)));
    }

    /// Ends every meeting and says goodbye to every leg.
    pub(super) fn shut_down(&self, now: Instant) {
        let mut inner = self.inner();
        inner.board.shut_down(now);
        self.act(&mut inner);
    }

    /// Writes the last access line and lets another relay have the state directory.
    pub(super) fn close_files(&self) {
        let mut inner = self.inner();
        inner.write_ledger();
        inner.files = None;
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
                    self.mail.push(Letter::Send(leg, message));
                }
                Action::Pair {
                    operator,
                    device,
                    key,
                } => {
                    debug!(?operator, ?device, "paired");
                    if let Some(meter) = self.table.pair(operator, device) {
                        inner.count(device);
                        let metered = Metered {
                            meter,
                            operator: key,
                            counted: 0,
                        };
                        inner.meters.insert(device, metered);
                    }
                }
                Action::Unpair(end) => self.unpair(inner, &end),
                Action::Close { leg, why } => {
                    let code = match why {
                        CloseReason::Replaced => CloseCode::Replaced,
                        CloseReason::Shutdown => {
                            self.mail.push(Letter::Send(leg, Closing {}.into()));
                            CloseCode::Shutdown
                        }
                    };
                    self.mail.push(Letter::End(leg, code));
                }
            }
        }
    }

    fn unpair(&self, inner: &mut Inner, end: &MeetingEnd) {
        self.table.part(end.operator);
        self.table.part(end.device);
        inner.count(end.device);
        let metered = inner.meters.remove(&end.device);
        let traffic = metered.map_or_else(Traffic::default, |metered| metered.meter.read());
        if let Some(files) = &inner.files {
            files.access.write(AccessLine::new(end, traffic));
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Brings the ledger up to date with what a meeting has sent.
    fn count(&mut self, device: LegToken) {
        let Some(metered) = self.meters.get_mut(&device) else {
            return;
        };
        let traffic = metered.meter.read();
        let all = traffic.to_device.saturating_add(traffic.to_operator);
        let new = all.saturating_sub(metered.counted);
        if new == 0 {
            return;
        }
        metered.counted = all;
        let operator = metered.operator;
        let month = Month::of(clock::since_1970());
        if self.board.count(month, operator, new) {
            warn!(%operator, %month, "an operator has used up its traffic of the month: no new codes, running sessions go on");
        }
    }

    /// Counts what all meetings have sent, and writes it down now and then.
    fn keep_ledger(&mut self, now: Instant) {
        let devices: Vec<_> = self.meters.keys().copied().collect();
        devices.into_iter().for_each(|device| self.count(device));
        self.board.turn_to(Month::of(clock::since_1970()));
        let since = *self.written.get_or_insert(now);
        if now.saturating_duration_since(since) >= WRITE_EVERY {
            self.written = Some(now);
            self.write_ledger();
        }
    }

    fn write_ledger(&mut self) {
        let Some(files) = &mut self.files else { return };
        if files.ledger == *self.board.ledger() {
            return;
        }
        let now = self.board.ledger().clone();
        if files.access.keep_traffic(now.to_json()) {
            files.ledger = now;
        }
    }

    fn look_for_attack(&mut self, now: Instant) {
        let is_alarmed = self.board.is_alarmed(now);
        if is_alarmed && !self.is_alarmed {
            error!(
                "many wrong codes from all over: somebody may be guessing; sources wait after one failure"
            );
        } else if !is_alarmed && self.is_alarmed {
            warn!("wrong codes are few again");
        }
        self.is_alarmed = is_alarmed;
    }
}

/// A role in a word, for the log.
pub(super) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Device => "device",
        Role::Operator => "operator",
    }
}
