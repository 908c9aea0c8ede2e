//! The ticket of a pairing: what a relay that has forgotten everything is shown so that it forwards again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{LegToken, PublicKey, RendezvousId, Serial},
    label::Ticket,
};

/// A meeting as the relay wrote it down when it paired the two legs, under a seal that only the relay can make.
///
/// Both legs keep one, and a relay that has no memory of the meeting pairs them again once both have shown it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairingTicket {
    /// The meeting.
    pub rendezvous: RendezvousId,
    /// The operator's leg.
    pub operator: Seat,
    /// The device's leg.
    pub device: Seat,
    /// The device's serial number, as it said when it claimed.
    pub serial: Serial,
    /// What the operator's side calls the matter.
    pub matter: Option<Ticket>,
    /// When the device claimed, in seconds since 1970 by the relay's clock.
    pub started: u64,
    /// When the ticket is worth nothing any more, likewise.
    pub expires: u64,
    /// The relay's seal over [`PairingTicket::sealed`].
    pub seal: [u8; 32],
}

/// One leg of a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// Token of the leg.
    pub token: LegToken,
    /// The key it proved.
    pub key: PublicKey,
}

impl PairingTicket {
    /// The bytes that the seal is over: everything but the seal, each part of its own length or with its length.
    pub fn sealed(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(b"alongside-pairing-1");
        out.extend_from_slice(&self.rendezvous.0);
        for seat in [self.operator, self.device] {
            out.extend_from_slice(&seat.token.0);
            out.extend_from_slice(&seat.key.0);
        }
        out.extend_from_slice(&self.started.to_be_bytes());
        out.extend_from_slice(&self.expires.to_be_bytes());
        let matter = self.matter.as_ref().map(Ticket::as_str);
        out.push(u8::from(matter.is_some()));
        for text in [self.serial.as_str(), matter.unwrap_or_default()] {
            // Neither is longer than 255 bytes.
            out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(text.as_bytes());
        }
        out
    }
}

/// Shows which meeting, and nothing that pairs.
impl fmt::Debug for PairingTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairingTicket")
            .field("rendezvous", &self.rendezvous)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
