//! What the switchboard wants done.

use std::time::Instant;

use alongside_protocol::{
    LegToken, PublicKey, RendezvousId, Serial,
    label::{Name, Ticket},
    relay::{FromRelay, ReleaseReason, Role},
};

use super::LegId;

/// One thing to do, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Send this on the leg's control stream.
    Send {
        /// To whom.
        leg: LegId,
        /// What.
        message: FromRelay,
    },
    /// From now on forward packets between these two, and only these two.
    Pair {
        /// Token of the operator's leg.
        operator: LegToken,
        /// Token of the device's leg.
        device: LegToken,
        /// The operator's key, for whose account what they send is.
        key: PublicKey,
    },
    /// Stop forwarding between two legs and write the access line.
    Unpair(Box<MeetingEnd>),
    /// Close the leg's connection.
    Close {
        /// Whose.
        leg: LegId,
        /// Why.
        why: CloseReason,
    },
}

/// Why the relay closes a leg that is known to the switchboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The same leg came back on a new connection.
    Replaced,
    /// The relay shuts down.
    Shutdown,
}

/// A meeting that is over: all that the access line says of it, but the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeetingEnd {
    /// The meeting.
    pub rendezvous: RendezvousId,
    /// Token of the operator's leg.
    pub operator: LegToken,
    /// Token of the device's leg.
    pub device: LegToken,
    /// The operator's key.
    pub operator_key: PublicKey,
    /// The operator's name, where the relay confirmed one.
    pub name: Option<Name>,
    /// The operator's organisation, where the relay confirmed one.
    pub organisation: Option<Name>,
    /// What the operator's side calls the matter.
    pub ticket: Option<Ticket>,
    /// The device's key.
    pub device_key: PublicKey,
    /// The device's serial number, as it says.
    pub serial: Serial,
    /// When the device claimed the nameplate.
    pub start: Instant,
    /// When the meeting ended.
    pub end: Instant,
    /// Why it ended.
    pub why: EndReason,
}

/// Why a meeting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// One side said so.
    Released {
        /// Which side.
        by: Role,
        /// What it said.
        reason: ReleaseReason,
    },
    /// The connection of this side's leg is gone.
    LegLost(Role),
    /// The operator asked for a new code, which ends the old one.
    Reallocated,
    /// The code's time or its claims were used up.
    Expired,
    /// The operator is not in the table any more.
    Revoked,
    /// The relay shut down.
    Shutdown,
}
