//! A live nameplate, and how one is drawn.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use alongside_protocol::{
    LegToken, Nameplate, PublicKey, RendezvousId, Serial,
    label::Ticket,
    relay::{OperatorCard, RelayRefusal, ReleaseReason, Role},
};

use crate::source::Source;

use super::{EndReason, LegId, MeetingEnd, Plate};

/// Fresh random bytes of the operating system for one allocation.
///
/// 16 name the meeting; the others are 37 draws of a nameplate, so that a free one is found with all but 2^-36
/// certainty as long as half of them are free.
pub type Entropy = [u8; 128];

/// Most nameplates in use or at rest: half of all, so that drawing one stays cheap.
pub(super) const MAX_PLATES: usize = 50_000;

/// Multiples of [`Nameplate::COUNT`] below 2^24: drawing under it and dividing leaves no nameplate more likely.
const FAIR_BELOW: u32 = 16_700_000;

/// Longest that a meeting lasts with the code not proved: the operator's side waits 15 s for a connection and 10 s
/// for each frame of the proof, and then says that it failed.
const UNPROVED: Duration = Duration::from_secs(60);

/// A code that an operator holds, and the device that is trying it.
#[derive(Debug)]
pub(super) struct Invitation {
    /// The code, or the latest meeting that it led to.
    pub rendezvous: RendezvousId,
    pub operator: LegId,
    pub operator_token: LegToken,
    pub operator_key: PublicKey,
    pub card: OperatorCard,
    pub ticket: Option<Ticket>,
    pub expires: Instant,
    pub claims_left: u32,
    /// Devices that have claimed the code: 100 at most.
    pub tries: u8,
    pub guest: Option<Guest>,
}

/// The device at the other end of a meeting.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    pub leg: LegId,
    pub token: LegToken,
    pub key: PublicKey,
    pub serial: Serial,
    /// Where it claimed from.
    pub source: Source,
    pub since: Instant,
}

impl Guest {
    /// What the end of its meeting says of the code that it tried.
    pub(super) fn guess(&self, now: Instant, end: EndReason) -> Guess {
        match end {
            EndReason::Released {
                reason: ReleaseReason::WrongCode,
                ..
            } => Guess::Wrong,
            EndReason::Released {
                by: Role::Device, ..
            }
            | EndReason::LegLost(Role::Device)
                if now.saturating_duration_since(self.since) < UNPROVED =>
            {
                Guess::Unknown
            }
            EndReason::Released { .. }
            | EndReason::LegLost(_)
            | EndReason::Reallocated
            | EndReason::Expired
            | EndReason::Revoked
            | EndReason::Shutdown => Guess::None,
        }
    }
}

/// What a device's try of a code was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// Nothing that the device is to answer for.
    None,
    /// A wrong code.
    Wrong,
    /// Perhaps one: the device's side left before the operator's said anything.
    Unknown,
}

/// A nameplate at rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent {
    /// What a claim of it hears.
    pub answer: RelayRefusal,
}

impl Invitation {
    /// One of the two legs came back on another connection.
    pub(super) fn replace_leg(&mut self, old: LegId, new: LegId) {
        if self.operator == old {
            self.operator = new;
        }
        if let Some(guest) = self.guest.as_mut().filter(|guest| guest.leg == old) {
            guest.leg = new;
        }
    }

    /// The facts of the meeting with `guest`, which is over.
    pub(super) fn end(&self, guest: Guest, now: Instant, why: EndReason) -> MeetingEnd {
        MeetingEnd {
            rendezvous: self.rendezvous,
            operator: self.operator_token,
            device: guest.token,
            operator_key: self.operator_key,
            name: self.card.name.clone(),
            organisation: self.card.organisation.clone(),
            ticket: self.ticket.clone(),
            device_key: guest.key,
            serial: guest.serial,
            start: guest.since,
            end: now,
            why,
        }
    }
}

/// A free nameplate and the name of its meeting, each uniform over all it could be; `None` if none was found.
pub(super) fn draw(
    entropy: &Entropy,
    plates: &HashMap<Nameplate, Plate>,
) -> Option<(Nameplate, RendezvousId)> {
    let (meeting, draws) = entropy.split_first_chunk::<16>()?;
    let nameplate = draws.chunks_exact(3).find_map(|draw| {
        let &[a, b, c] = draw else { return None };
        let number = u32::from_be_bytes([0, a, b, c]);
        let nameplate = (number < FAIR_BELOW)
            .then(|| Nameplate::new(number % Nameplate::COUNT))
            .flatten()?;
        (!plates.contains_key(&nameplate)).then_some(nameplate)
    })?;
    Some((nameplate, RendezvousId(*meeting).of_try(0)))
}
