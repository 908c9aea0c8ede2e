//! Who may talk to whom: legs, nameplates and meetings, as a pure state machine.
//!
//! Two legs are paired in one way only: an operator's leg allocated a nameplate, and a device's leg claimed that
//! very nameplate while it was live. There is no call that lists legs, nameplates or meetings. A switchboard that has
//! forgotten a pair, because its process is new, makes it again once both legs have shown the ticket of their meeting.
//!
//! Time and random bytes are arguments; what has to happen comes out of [`Switchboard::poll_action`], in order.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    net::IpAddr,
    sync::Arc,
    time::Instant,
};

use alongside_protocol::{
    LegToken, Nameplate, PublicKey, RendezvousId,
    relay::{Departure, FromRelay, Refused, RelayRefusal, Role},
};

use crate::{config::Limits, operators::Operators, source::Source};

mod action;
mod admit;
mod breaker;
mod claim;
mod ending;
mod invitation;
mod ledger;
mod quota;
mod rejoin;
mod strikes;
mod suspects;
mod tickets;

pub use action::{Action, CloseReason, EndReason, MeetingEnd};
pub use invitation::Entropy;
pub use ledger::{Ledger, Month};
pub use tickets::Tickets;

use invitation::{Invitation, Spent};
use quota::Usage;
use strikes::Strikes;
use suspects::Suspects;

/// Names one leg's connection; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegId(pub u64);

/// An authenticated leg that wants in.
#[derive(Clone, Copy, Debug)]
pub struct NewLeg {
    /// What it is.
    pub role: Role,
    /// The key it proved.
    pub key: PublicKey,
    /// The token it chose.
    pub token: LegToken,
    /// The address it came from.
    pub source: IpAddr,
}

/// All legs, nameplates and meetings of one relay.
#[derive(Debug)]
pub struct Switchboard {
    limits: Limits,
    operators: Arc<Operators>,
    legs: BTreeMap<LegId, Leg>,
    tokens: HashMap<LegToken, LegId>,
    legs_by_source: HashMap<Source, u32>,
    plates: HashMap<Nameplate, Plate>,
    /// When each plate changes by itself: a live one expires, a spent one is free again.
    turns: BTreeSet<(Instant, Nameplate)>,
    usage: BTreeMap<PublicKey, Usage>,
    ledger: Ledger,
    strikes: Strikes,
    suspects: Suspects,
    tickets: Tickets,
    actions: VecDeque<Action>,
}

#[derive(Clone, Debug)]
struct Leg {
    role: Role,
    key: PublicKey,
    token: LegToken,
    source: Source,
    /// An operator's own nameplate, or the one a device meets at.
    plate: Option<Nameplate>,
    /// The meeting that it wants back, and has shown the ticket of.
    wants_back: Option<RendezvousId>,
}

#[derive(Debug)]
enum Plate {
    Live(Box<Invitation>),
    Spent(Spent),
}

impl Switchboard {
    /// A switchboard without legs.
    pub fn new(limits: Limits, operators: Arc<Operators>, tickets: Tickets) -> Self {
        Self {
            tickets,
            strikes: Strikes::new(&limits),
            suspects: Suspects::default(),
            limits,
            operators,
            legs: BTreeMap::new(),
            tokens: HashMap::new(),
            legs_by_source: HashMap::new(),
            plates: HashMap::new(),
            turns: BTreeSet::new(),
            usage: BTreeMap::new(),
            ledger: Ledger::default(),
            actions: VecDeque::new(),
        }
    }

    /// Lets another table say who may hand out codes; whoever is not in it any more loses codes and meetings.
    pub fn set_operators(&mut self, now: Instant, operators: Arc<Operators>) {
        self.operators = operators;
        let revoked: Vec<_> = (self.legs.values())
            .filter(|leg| leg.role == Role::Operator && self.operators.find(leg.key).is_none())
            .filter_map(|leg| leg.plate)
            .collect();
        for plate in revoked {
            self.kill(
                now,
                plate,
                EndReason::Revoked,
                Departure::Relay,
                None,
                RelayRefusal::CodeUnknown,
            );
        }
    }

    /// Ends every meeting here and says goodbye to every leg. Who was in one may show the ticket to the next relay.
    pub fn shut_down(&mut self, now: Instant) {
        let plates: Vec<_> = self.legs.values().filter_map(|leg| leg.plate).collect();
        for plate in plates {
            self.kill(
                now,
                plate,
                EndReason::Shutdown,
                Departure::Relay,
                None,
                RelayRefusal::OperatorGone,
            );
        }
        for &leg in self.legs.keys() {
            self.actions.push_back(Action::Close {
                leg,
                why: CloseReason::Shutdown,
            });
        }
    }

    /// Expires codes and frees nameplates whose rest is over; wants to be called about once a second.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(at, plate)) = self.turns.first() {
            if at > now {
                break;
            }
            self.turns.pop_first();
            match self.plates.get(&plate) {
                Some(Plate::Spent(_)) => {
                    self.plates.remove(&plate);
                }
                // A meeting outlives its code: the code only had to be good when it was typed.
                Some(Plate::Live(invitation)) if invitation.guest.is_some() => {}
                Some(Plate::Live(_)) => {
                    self.kill(
                        now,
                        plate,
                        EndReason::Expired,
                        Departure::Relay,
                        None,
                        RelayRefusal::CodeExpired,
                    );
                }
                None => {}
            }
        }
        self.usage.retain(|_, usage| !usage.is_idle(now));
        while let Some(source) = self.suspects.pop_unheard(now) {
            self.strikes.record(now, source);
        }
    }

    /// Goes on with what an earlier process has counted.
    pub fn set_ledger(&mut self, ledger: Ledger) {
        self.ledger = ledger;
    }

    /// What operators' meetings have sent this month.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Another month begins with nothing sent.
    pub fn turn_to(&mut self, month: Month) {
        self.ledger.turn_to(month);
    }

    /// Counts what a meeting of `operator` has sent; whether that used up what it has for the month.
    pub fn count(&mut self, month: Month, operator: PublicKey, bytes: u64) -> bool {
        let sum = self.ledger.add(month, operator, bytes);
        let allowed = self.allowed_bytes(operator);
        sum >= allowed && sum.saturating_sub(bytes) < allowed
    }

    /// Bytes a month that the meetings of `operator` may send.
    fn allowed_bytes(&self, operator: PublicKey) -> u64 {
        let of_its_own = self
            .operators
            .find(operator)
            .and_then(|found| found.gib_per_month);
        let gib = of_its_own.unwrap_or(self.limits.gib_per_operator_month);
        u64::from(gib) << 30
    }

    /// Whether somebody seems to be spraying guesses from many addresses.
    pub fn is_alarmed(&self, now: Instant) -> bool {
        self.strikes.is_alarmed(now)
    }

    /// Next thing to do, in order; `None` once there is nothing left.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn invitation(&mut self, plate: Nameplate) -> Option<&mut Invitation> {
        match self.plates.get_mut(&plate) {
            Some(Plate::Live(invitation)) => Some(invitation),
            Some(Plate::Spent(_)) | None => None,
        }
    }

    fn send(&mut self, leg: LegId, message: impl Into<FromRelay>) {
        self.actions.push_back(Action::Send {
            leg,
            message: message.into(),
        });
    }

    fn refuse(
        &mut self,
        leg: LegId,
        reason: RelayRefusal,
        retry_after: Option<std::time::Duration>,
    ) {
        let whole_seconds = |wait: std::time::Duration| wait.as_millis().div_ceil(1000);
        let retry_after_s =
            retry_after.map(|wait| u16::try_from(whole_seconds(wait)).unwrap_or(u16::MAX));
        self.send(
            leg,
            Refused {
                reason,
                retry_after_s,
            },
        );
    }
}

#[cfg(test)]
mod tests;
