//! How meetings and codes end.

use std::time::Instant;

use alongside_protocol::{
    Nameplate,
    relay::{Departure, PeerGone, RelayRefusal, Release, ReleaseReason, Role},
};

use super::{Action, EndReason, LegId, Plate, Spent, Switchboard, invitation::Guess};

/// Whether legs are told that their meeting ended so. Of a shutdown they hear as such: a session may go on at the relay
/// that comes next, and so its meeting is not over for them.
const fn is_told(end: EndReason) -> bool {
    !matches!(end, EndReason::Shutdown)
}

impl Switchboard {
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
    /// sides may release at once, and the next may have begun.
    pub fn release(&mut self, now: Instant, id: LegId, release: Release) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        if leg.wants_back == Some(release.rendezvous) {
            leg.wants_back = None;
        }
        let by = leg.role;
        if by == Role::Operator
            && let Some(source) = self.suspects.hear(release.rendezvous, leg.key)
            && release.reason != ReleaseReason::SessionEnded
        {
            self.strikes.record(now, source);
        }
        let Some(plate) = leg.plate else { return };
        let Some(invitation) = self.invitation(plate) else {
            return;
        };
        let reason = release.reason;
        let is_about = match (by, reason) {
            // The operator's code is dead, whoever is trying it by now.
            (Role::Operator, ReleaseReason::CodeDead | ReleaseReason::SessionEnded) => {
                invitation.rendezvous.is_same_code(release.rendezvous)
            }
            _ => invitation.rendezvous == release.rendezvous,
        };
        if !is_about {
            return;
        }
        let end = EndReason::Released { by, reason };
        let how = Departure::Released(reason);
        if reason != ReleaseReason::WrongCode {
            // The operator's side may find out first that the code's time is over.
            let answer = if reason == ReleaseReason::CodeDead && now >= invitation.expires {
                RelayRefusal::CodeExpired
            } else {
                RelayRefusal::CodeUnknown
            };
            return self.kill(now, plate, end, how, Some(id), answer);
        }
        if invitation.guest.is_some() {
            self.reopen(now, plate, end, how, Some(id));
        }
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
        let operator_key = invitation.operator_key;
        let Some(guest) = invitation.guest.take() else {
            return;
        };
        let meeting_end = invitation.end(guest.clone(), now, end);
        match guest.guess(now, end) {
            Guess::None => {}
            Guess::Wrong => self.strikes.record(now, guest.source),
            Guess::Unknown => self
                .suspects
                .add(now, rendezvous, operator_key, guest.source),
        }
        self.actions
            .push_back(Action::Unpair(Box::new(meeting_end)));
        if let Some(device) = self.legs.get_mut(&guest.leg) {
            device.plate = None;
        }
        for leg in [operator, guest.leg] {
            if is_told(end) && cause != Some(leg) && self.legs.contains_key(&leg) {
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
            // A meeting whose leg is lost may go on, and is not over because its code is: the operator is told of the
            // leg alone.
            let told = (how == Departure::LegLost).then_some(invitation.operator);
            self.kill(
                now,
                plate,
                EndReason::Expired,
                Departure::Relay,
                told,
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
    pub(super) fn kill(
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
        if alone && is_told(end) && cause != Some(operator) && self.legs.contains_key(&operator) {
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
