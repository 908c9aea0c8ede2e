//! Who may talk to whom: legs, nameplates and meetings, as a pure state machine.
//!
//! Two legs are paired in one way only: an operator's leg allocated a nameplate, and a device's leg claimed that
//! very nameplate while it was live. There is no call that lists legs, nameplates or meetings.
//!
//! Time and random bytes are arguments; what has to happen comes out of [`Switchboard::poll_action`], in order.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    net::IpAddr,
    sync::Arc,
    time::Instant,
};

use alongside_protocol::{
    LegToken, Nameplate, PublicKey,
    relay::{Departure, FromRelay, PeerGone, Refused, RelayRefusal, Release, ReleaseReason, Role},
};

use crate::{config::Limits, operators::Operators, source::Source};

mod action;
mod claim;
mod invitation;
mod quota;
mod strikes;

pub use action::{Action, CloseReason, EndReason, MeetingEnd};
pub use invitation::Entropy;

use invitation::{Invitation, Spent};
use quota::Usage;
use strikes::Strikes;

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
    strikes: Strikes,
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
}

#[derive(Debug)]
enum Plate {
    Live(Box<Invitation>),
    Spent(Spent),
}

impl Switchboard {
    /// A switchboard without legs.
    pub fn new(limits: Limits, operators: Arc<Operators>) -> Self {
        Self {
            strikes: Strikes::new(&limits),
            limits,
            operators,
            legs: BTreeMap::new(),
            tokens: HashMap::new(),
            legs_by_source: HashMap::new(),
            plates: HashMap::new(),
            turns: BTreeSet::new(),
            usage: BTreeMap::new(),
            actions: VecDeque::new(),
        }
    }

    /// Takes in an authenticated leg.
    ///
    /// A token that is taken is given over only to the same role with the same key: the leg that held it is
    /// closed, and its meeting goes on with the new one.
    ///
    /// # Errors
    ///
    /// The refusal to tell the leg; nothing has changed then.
    pub fn admit(&mut self, id: LegId, new: NewLeg) -> Result<(), RelayRefusal> {
        let source = Source::of(new.source);
        if let Some(&old) = self.tokens.get(&new.token) {
            return self.replace(old, id, new, source);
        }
        let of_source = self.legs_by_source.get(&source).copied().unwrap_or(0);
        let full = self.legs.len() >= usize::try_from(self.limits.legs).unwrap_or(usize::MAX);
        if full || of_source >= self.limits.legs_per_source {
            return Err(RelayRefusal::Full);
        }
        self.insert(
            id,
            Leg {
                role: new.role,
                key: new.key,
                token: new.token,
                source,
                plate: None,
            },
        );
        Ok(())
    }

    fn replace(
        &mut self,
        old: LegId,
        id: LegId,
        new: NewLeg,
        source: Source,
    ) -> Result<(), RelayRefusal> {
        let same = self
            .legs
            .get(&old)
            .is_some_and(|leg| leg.key == new.key && leg.role == new.role);
        if !same {
            return Err(RelayRefusal::TokenTaken);
        }
        let Some(leg) = self.forget(old) else {
            return Err(RelayRefusal::TokenTaken);
        };
        if let Some(invitation) = leg.plate.and_then(|plate| self.invitation(plate)) {
            invitation.replace_leg(old, id);
        }
        self.insert(id, Leg { source, ..leg });
        self.actions.push_back(Action::Close {
            leg: old,
            why: CloseReason::Replaced,
        });
        Ok(())
    }

    fn insert(&mut self, id: LegId, leg: Leg) {
        self.tokens.insert(leg.token, id);
        let count = self.legs_by_source.entry(leg.source).or_insert(0);
        *count = count.saturating_add(1);
        self.legs.insert(id, leg);
    }

    /// Removes a leg from the books, not from its meeting.
    fn forget(&mut self, id: LegId) -> Option<Leg> {
        let leg = self.legs.remove(&id)?;
        self.tokens.remove(&leg.token);
        if let Some(count) = self.legs_by_source.get_mut(&leg.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.legs_by_source.remove(&leg.source);
            }
        }
        Some(leg)
    }

    /// A leg's connection is gone. Its meeting ends; a device's nameplate may be claimed again, an operator's is dead.
    pub fn leave(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.forget(id) else { return };
        let Some(plate) = leg.plate else { return };
        let end = EndReason::LegLost(leg.role);
        match leg.role {
            Role::Operator => self.kill(
                now,
                plate,
                end,
                Departure::LegLost,
                Some(id),
                RelayRefusal::OperatorGone,
            ),
            Role::Device => self.reopen(now, plate, end, Departure::LegLost, Some(id)),
        }
    }

    /// A leg ends its meeting, or one try of it. A meeting that is not the leg's own (any more) is ignored, for both
    /// sides may release at once.
    pub fn release(&mut self, now: Instant, id: LegId, release: Release) {
        let Some(leg) = self.legs.get(&id) else {
            return;
        };
        let by = leg.role;
        let Some(plate) = leg.plate else { return };
        let Some(invitation) = self.invitation(plate) else {
            return;
        };
        if invitation.rendezvous != release.rendezvous {
            return;
        }
        let reason = release.reason;
        let end = EndReason::Released { by, reason };
        let how = Departure::Released(reason);
        if reason != ReleaseReason::WrongCode {
            return self.kill(now, plate, end, how, Some(id), RelayRefusal::CodeUnknown);
        }
        if invitation.guest.is_some() {
            self.reopen(now, plate, end, how, Some(id));
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

    /// Ends every meeting and says goodbye to every leg.
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

    /// Separates the two legs of `plate`, if it has two, and tells those that did not cause it.
    fn part(
        &mut self,
        now: Instant,
        plate: Nameplate,
        end: EndReason,
        how: Departure,
        cause: Option<LegId>,
    ) {
        let Some(invitation) = self.invitation(plate) else {
            return;
        };
        let (operator, rendezvous) = (invitation.operator, invitation.rendezvous);
        let Some(guest) = invitation.guest.take() else {
            return;
        };
        let meeting_end = invitation.end(guest.clone(), now, end);
        if guest.may_have_guessed(now, end) {
            self.strikes.record(now, guest.source);
        }
        self.actions
            .push_back(Action::Unpair(Box::new(meeting_end)));
        if let Some(device) = self.legs.get_mut(&guest.leg) {
            device.plate = None;
        }
        for leg in [operator, guest.leg] {
            if cause != Some(leg) && self.legs.contains_key(&leg) {
                self.send(leg, PeerGone { rendezvous, how });
            }
        }
    }

    /// Ends the meeting of `plate`, if there is one, and lets the nameplate be claimed again if it still may.
    fn reopen(
        &mut self,
        now: Instant,
        plate: Nameplate,
        end: EndReason,
        how: Departure,
        cause: Option<LegId>,
    ) {
        self.part(now, plate, end, how, cause);
        let Some(invitation) = self.invitation(plate) else {
            return;
        };
        if now >= invitation.expires {
            self.kill(
                now,
                plate,
                EndReason::Expired,
                Departure::Relay,
                None,
                RelayRefusal::CodeExpired,
            );
        } else if invitation.claims_left == 0 {
            self.kill(
                now,
                plate,
                EndReason::Expired,
                Departure::Relay,
                None,
                RelayRefusal::CodeBurnt,
            );
        }
    }

    /// Ends the meeting of `plate`, if there is one, and lets the nameplate rest. Later claims hear `answer`.
    fn kill(
        &mut self,
        now: Instant,
        plate: Nameplate,
        end: EndReason,
        how: Departure,
        cause: Option<LegId>,
        answer: RelayRefusal,
    ) {
        let Some(invitation) = self.invitation(plate) else {
            return;
        };
        let (operator, key) = (invitation.operator, invitation.operator_key);
        let (rendezvous, expires, alone) = (
            invitation.rendezvous,
            invitation.expires,
            invitation.guest.is_none(),
        );
        if alone && cause != Some(operator) && self.legs.contains_key(&operator) {
            self.send(operator, PeerGone { rendezvous, how });
        }
        self.part(now, plate, end, how, cause);
        if let Some(leg) = self.legs.get_mut(&operator) {
            leg.plate = None;
        }
        if let Some(usage) = self.usage.get_mut(&key) {
            usage.give_back();
        }
        let free_at = now + self.limits.quarantine();
        self.turns.remove(&(expires, plate));
        self.turns.insert((free_at, plate));
        self.plates.insert(plate, Plate::Spent(Spent { answer }));
    }
}

#[cfg(test)]
mod tests;
