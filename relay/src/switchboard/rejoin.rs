//! Legs that come back to a meeting which the switchboard has forgotten, or taken for over.
//!
//! A ticket says that two legs were paired once, not that they still want to be. So it takes both: a leg whose
//! session is over shows none, and nobody gets at it with an old one.

use std::time::Instant;

use alongside_protocol::{
    Nameplate, RendezvousId,
    relay::{OperatorCard, PairingTicket, RelayRefusal, Role, Seat},
};

use super::{
    Action, LegId, Plate, Switchboard,
    invitation::{Guest, Invitation, MAX_PLATES},
};

impl Switchboard {
    /// A leg shows the ticket of its meeting. Once both have, they are paired again, and each gets the ticket back.
    pub fn rejoin(&mut self, now: Instant, id: LegId, ticket: PairingTicket) {
        if let Err(reason) = self.try_rejoin(now, id, ticket) {
            self.refuse(id, reason, None);
        }
    }

    fn try_rejoin(
        &mut self,
        now: Instant,
        id: LegId,
        ticket: PairingTicket,
    ) -> Result<(), RelayRefusal> {
        let leg = self.legs.get(&id).ok_or(RelayRefusal::BadTicket)?;
        let (own, other) = match leg.role {
            Role::Operator => (ticket.operator, ticket.device),
            Role::Device => (ticket.device, ticket.operator),
        };
        let seat = Seat {
            token: leg.token,
            key: leg.key,
        };
        if seat != own || !self.tickets.is_ours(&ticket) {
            return Err(RelayRefusal::BadTicket);
        }
        if self.tickets.is_over(now, &ticket) {
            return Err(RelayRefusal::TicketExpired);
        }
        if self.operators.find(ticket.operator.key).is_none() {
            return Err(RelayRefusal::BadTicket);
        }
        let plate = leg.plate;
        match plate.and_then(|plate| self.invitation(plate)) {
            None => {}
            Some(invitation) if invitation.rendezvous != ticket.rendezvous => {
                return Err(RelayRefusal::BadTicket);
            }
            Some(invitation) if invitation.guest.is_some() => {
                // Nothing was forgotten.
                self.send(id, ticket);
                return Ok(());
            }
            Some(_) => {}
        }
        let rendezvous = ticket.rendezvous;
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.wants_back = Some(rendezvous);
        }
        let waits = |id: &LegId| {
            let leg = self.legs.get(id)?;
            (leg.wants_back == Some(rendezvous) && leg.key == other.key).then_some(*id)
        };
        if let Some(peer) = self.tokens.get(&other.token).and_then(waits) {
            self.seat_again(now, [id, peer], ticket)?;
        }
        Ok(())
    }

    /// Both legs are there: what the switchboard would know of their meeting had it not forgotten.
    fn seat_again(
        &mut self,
        now: Instant,
        legs: [LegId; 2],
        ticket: PairingTicket,
    ) -> Result<(), RelayRefusal> {
        let is_operator = |id: &&LegId| {
            let leg = self.legs.get(*id);
            leg.is_some_and(|leg| leg.role == Role::Operator)
        };
        let operator = *(legs.iter().find(is_operator)).ok_or(RelayRefusal::BadTicket)?;
        let device = *(legs.iter().find(|id| **id != operator)).ok_or(RelayRefusal::BadTicket)?;
        let source = self.legs.get(&device).map(|leg| leg.source);
        let guest = Guest {
            leg: device,
            token: ticket.device.token,
            key: ticket.device.key,
            serial: ticket.serial.clone(),
            source: source.ok_or(RelayRefusal::BadTicket)?,
            since: self.tickets.started(now, &ticket),
        };
        let known = self.legs.get(&operator).and_then(|leg| leg.plate);
        let plate = match known {
            Some(plate) => {
                let invitation = self.invitation(plate).ok_or(RelayRefusal::BadTicket)?;
                invitation.guest = Some(guest);
                plate
            }
            None => self.set_table(now, operator, guest, &ticket)?,
        };
        for id in legs {
            if let Some(leg) = self.legs.get_mut(&id) {
                (leg.plate, leg.wants_back) = (Some(plate), None);
            }
        }
        self.actions.push_back(Action::Pair {
            operator: ticket.operator.token,
            device: ticket.device.token,
            key: ticket.operator.key,
        });
        for id in legs {
            self.send(id, ticket.clone());
        }
        Ok(())
    }

    /// A plate for a meeting that has none: nobody can claim it, and it is spent when the meeting is over.
    fn set_table(
        &mut self,
        now: Instant,
        operator: LegId,
        guest: Guest,
        ticket: &PairingTicket,
    ) -> Result<Nameplate, RelayRefusal> {
        if self.plates.len() >= MAX_PLATES {
            return Err(RelayRefusal::BadTicket);
        }
        let plate = self.free_plate(ticket.rendezvous);
        let plate = plate.ok_or(RelayRefusal::BadTicket)?;
        let known = self.operators.find(ticket.operator.key);
        let known = known.ok_or(RelayRefusal::BadTicket)?;
        let invitation = Invitation {
            rendezvous: ticket.rendezvous,
            operator,
            operator_token: ticket.operator.token,
            operator_key: ticket.operator.key,
            card: OperatorCard {
                key: ticket.operator.key,
                name: known.name,
                organisation: known.organisation,
            },
            ticket: ticket.matter.clone(),
            expires: now,
            claims_left: 0,
            tries: 0,
            guest: Some(guest),
        };
        self.plates.insert(plate, Plate::Live(Box::new(invitation)));
        self.usage
            .entry(ticket.operator.key)
            .or_default()
            .take_back();
        Ok(plate)
    }

    /// One that nobody has; half of them are free.
    fn free_plate(&self, rendezvous: RendezvousId) -> Option<Nameplate> {
        let [a, b, c, d, ..] = rendezvous.0;
        let first = u32::from_be_bytes([a, b, c, d]) % Nameplate::COUNT;
        (first..Nameplate::COUNT)
            .chain(0..first)
            .filter_map(Nameplate::new)
            .find(|plate| !self.plates.contains_key(plate))
    }

    /// The ticket of the meeting at `plate`.
    pub(super) fn ticket(&mut self, now: Instant, plate: Nameplate) -> Option<PairingTicket> {
        let invitation = self.invitation(plate)?;
        let guest = invitation.guest.as_ref()?;
        let ticket = PairingTicket {
            rendezvous: invitation.rendezvous,
            operator: Seat {
                token: invitation.operator_token,
                key: invitation.operator_key,
            },
            device: Seat {
                token: guest.token,
                key: guest.key,
            },
            serial: guest.serial.clone(),
            matter: invitation.ticket.clone(),
            started: 0,
            expires: 0,
            seal: [0; 32],
        };
        Some(self.tickets.seal(now, ticket))
    }
}
