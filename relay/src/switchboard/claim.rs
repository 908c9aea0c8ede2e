//! The two halves of a meeting: an operator allocates, a device claims.

use std::time::{Duration, Instant};

use alongside_protocol::{
    Nameplate,
    relay::{
        Allocate, Allocated, Claim, Departure, OperatorCard, Peer, Prepare, RelayRefusal,
        ReleaseReason, Role,
    },
};

use super::{
    Action, EndReason, Entropy, LegId, Plate, Switchboard,
    invitation::{Guest, Invitation, MAX_PLATES, draw},
};
use crate::source::Source;

/// Shortest life of a code in seconds: time to read twelve digits out and to type them twice (our choice).
const MIN_TTL_S: u32 = 120;

impl Switchboard {
    /// An operator wants a nameplate. Its leg's old one, if any, is dead from then on.
    ///
    /// The time to live is held to 120 s and the relay's limit; the answer says what it became.
    pub fn allocate(&mut self, now: Instant, id: LegId, allocate: Allocate, entropy: &Entropy) {
        if let Err((reason, retry_after)) = self.try_allocate(now, id, allocate, entropy) {
            self.refuse(id, reason, retry_after);
        }
    }

    fn try_allocate(
        &mut self,
        now: Instant,
        id: LegId,
        allocate: Allocate,
        entropy: &Entropy,
    ) -> Result<(), (RelayRefusal, Option<Duration>)> {
        let leg = self
            .legs
            .get(&id)
            .filter(|leg| leg.role == Role::Operator)
            .cloned();
        let leg = leg.ok_or((RelayRefusal::NotAllowed, None))?;
        let operator = self
            .operators
            .find(leg.key)
            .ok_or((RelayRefusal::UnknownOperator, None))?;

        if self.ledger.of(leg.key) >= self.allowed_bytes(leg.key) {
            return Err((RelayRefusal::Quota, None));
        }
        let codes = operator.codes.unwrap_or(self.limits.codes_per_operator);
        let rate = operator
            .allocations_per_minute
            .unwrap_or(self.limits.allocations_per_minute);
        let replaced = u32::from(leg.plate.is_some());
        let usage = self.usage.entry(leg.key).or_default();
        usage
            .check(now, codes.saturating_add(replaced), rate)
            .map_err(|wait| (RelayRefusal::Quota, wait))?;
        if self.plates.len() >= MAX_PLATES {
            return Err((RelayRefusal::Full, None));
        }
        let (nameplate, rendezvous) =
            draw(entropy, &self.plates).ok_or((RelayRefusal::Full, None))?;

        if let Some(old) = leg.plate {
            let how = Departure::Released(ReleaseReason::CodeDead);
            self.kill(
                now,
                old,
                EndReason::Reallocated,
                how,
                Some(id),
                RelayRefusal::CodeUnknown,
            );
        }
        if let Some(usage) = self.usage.get_mut(&leg.key) {
            usage.take(now);
        }
        let ttl_s = u32::from(allocate.ttl_s)
            .max(MIN_TTL_S)
            .min(self.limits.code_ttl_max_s);
        let expires = now + Duration::from_secs(u64::from(ttl_s));
        let invitation = Invitation {
            rendezvous,
            operator: id,
            operator_token: leg.token,
            operator_key: leg.key,
            card: OperatorCard {
                key: leg.key,
                name: operator.name,
                organisation: operator.organisation,
            },
            ticket: allocate.ticket,
            expires,
            claims_left: self.limits.claims_per_code,
            tries: 0,
            guest: None,
        };
        self.plates
            .insert(nameplate, Plate::Live(Box::new(invitation)));
        self.turns.insert((expires, nameplate));
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.plate = Some(nameplate);
        }
        let expires_in_s = u16::try_from(ttl_s).unwrap_or(u16::MAX);
        self.send(
            id,
            Allocated {
                nameplate,
                rendezvous,
                expires_in_s,
            },
        );
        Ok(())
    }

    /// A device claims the nameplate that its customer typed. If it is live and free the two legs meet.
    pub fn claim(&mut self, now: Instant, id: LegId, claim: Claim) {
        let Some(leg) = self
            .legs
            .get(&id)
            .filter(|leg| leg.role == Role::Device && leg.plate.is_none())
            .cloned()
        else {
            return self.refuse(id, RelayRefusal::NotAllowed, None);
        };
        if let Some(wait) = self.wait_of(now, leg.source) {
            return self.refuse(id, RelayRefusal::TooManyClaims, Some(wait));
        }
        let Claim { nameplate, serial } = claim;
        let guest = Guest {
            leg: id,
            token: leg.token,
            key: leg.key,
            serial: serial.clone(),
            source: leg.source,
            since: now,
        };
        let (operator, prepare) = match self.seat(now, nameplate, guest) {
            Ok(seated) => seated,
            Err(reason) => {
                self.strikes.record(now, leg.source);
                return self.refuse(id, reason, None);
            }
        };
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.plate = Some(nameplate);
        }
        let ticket = self.ticket(now, nameplate);
        let peer = Peer {
            rendezvous: prepare.rendezvous,
            serial,
            key: leg.key,
            token: leg.token,
        };
        self.actions.push_back(Action::Pair {
            operator: prepare.token,
            device: leg.token,
            key: prepare.operator.key,
        });
        self.send(id, prepare);
        self.send(operator, peer);
        if let Some(ticket) = ticket {
            self.send(id, ticket.clone());
            self.send(operator, ticket);
        }
    }

    /// How long `source` must wait before it may claim. A suspect counts as a failure until it is heard.
    fn wait_of(&self, now: Instant, source: Source) -> Option<Duration> {
        if let Some(wait) = self.strikes.wait(now, source) {
            return Some(wait);
        }
        let (suspects, first) = self.suspects.of(source);
        if !self.strikes.would_wait(now, source, suspects) {
            return None;
        }
        first.map(|until| until.saturating_duration_since(now))
    }

    /// Gives `guest` the free seat at `nameplate`.
    fn seat(
        &mut self,
        now: Instant,
        nameplate: Nameplate,
        guest: Guest,
    ) -> Result<(LegId, Prepare), RelayRefusal> {
        let invitation = match self.plates.get_mut(&nameplate) {
            None => return Err(RelayRefusal::CodeUnknown),
            Some(Plate::Spent(spent)) => return Err(spent.answer),
            Some(Plate::Live(invitation)) => invitation,
        };
        if invitation.guest.is_some() {
            return Err(RelayRefusal::CodeUnknown);
        }
        if now >= invitation.expires {
            return Err(RelayRefusal::CodeExpired);
        }
        invitation.claims_left = invitation
            .claims_left
            .checked_sub(1)
            .ok_or(RelayRefusal::CodeBurnt)?;
        invitation.tries = invitation.tries.wrapping_add(1);
        invitation.rendezvous = invitation.rendezvous.of_try(invitation.tries);
        invitation.guest = Some(guest);
        let left = invitation.expires.saturating_duration_since(now).as_secs();
        let prepare = Prepare {
            rendezvous: invitation.rendezvous,
            operator: invitation.card.clone(),
            token: invitation.operator_token,
            expires_in_s: u16::try_from(left).unwrap_or(u16::MAX),
        };
        Ok((invitation.operator, prepare))
    }
}
