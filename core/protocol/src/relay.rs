//! Messages between a leg and the relay, on the leg's control stream.
//!
//! The relay opens the stream and sends a [`Challenge`]; the leg answers with [`Auth`]. After [`Welcome`] an
//! operator may [`Allocate`] a nameplate and a device may [`Claim`] one. The relay then tells the device who
//! invites it ([`Prepare`]) and the operator who came ([`Peer`]), and forwards packets between the two until
//! either [releases](Release) the meeting. Each keeps a [`PairingTicket`], so that a relay which was restarted can pair
//! them again.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{LegToken, Nameplate, PublicKey, RendezvousId, Serial},
    label::{Label, Name, Ticket},
    wire::messages,
};

mod ticket;

pub use ticket::{PairingTicket, Seat};

/// Version of the relay protocol.
pub const RELAY_VERSION: u8 = 1;

/// ALPN of a leg's control connection.
pub const ALPN: &[u8] = b"alongside-relay/1";

/// Longest body on a leg's control stream, in bytes: far above any message, so only garbage is cut off.
pub const MAX_BODY: usize = 4 * 1024;

/// TLS exporter label for a leg's authentication (RFC 8446, section 7.5).
pub const LEG_EXPORTER: &[u8] = b"EXPORTER-alongside-leg-1";

messages! {
    /// A message from a leg to the relay.
    pub enum ToRelay {
        /// Proves the leg's key; answers the [`Challenge`].
        0x40 => Auth(Auth),
        /// Operator: a nameplate, please.
        0x41 => Allocate(Allocate),
        /// Device: the customer typed this nameplate.
        0x42 => Claim(Claim),
        /// Either: this meeting is over, or this code is dead.
        0x43 => Release(Release),
        /// Every 5 s in a session, else every 15 s: the accessible check of the leg.
        0x44 => Check(LegCheck),
        /// The leg's address may have changed; look.
        0x45 => Moved(Moved),
        /// Either: we are in this meeting; please forward again. Answered once both legs have said so, or refused.
        0x46 => Rejoin(PairingTicket),
    }
}

messages! {
    /// A message from the relay to a leg.
    pub enum FromRelay {
        /// First message: what to sign.
        0x60 => Challenge(Challenge),
        /// The leg is known.
        0x61 => Welcome(Welcome),
        /// Operator: the nameplate.
        0x62 => Allocated(Allocated),
        /// Device: who invites it. At most 1,000 bytes.
        0x63 => Prepare(Prepare),
        /// Operator: who came.
        0x64 => Peer(Peer),
        /// The last request was refused.
        0x65 => Refused(Refused),
        /// Answers every [`LegCheck`].
        0x66 => Check(LegCheck),
        /// The other leg of a meeting is gone.
        0x67 => PeerGone(PeerGone),
        /// The relay shuts down.
        0x68 => Closing(Closing),
        /// Either leg of a meeting: the two are paired, and this is the ticket to show if they must be again.
        0x69 => Paired(PairingTicket),
    }
}

/// What a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// The device's side.
    Device,
    /// The operator's side.
    Operator,
}

/// What the leg has to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// [`RELAY_VERSION`] of the relay.
    pub version: u8,
    /// Fresh random bytes.
    pub nonce: [u8; 32],
    /// The relay's clock, seconds since 1970.
    pub time: u64,
}

/// A leg's proof of its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    /// [`RELAY_VERSION`] of the leg.
    pub version: u8,
    /// What the leg is.
    pub role: Role,
    /// Its long-term key.
    pub key: PublicKey,
    /// The token that starts its end-to-end connection IDs.
    pub token: LegToken,
    /// Ed25519 over [`auth_transcript`].
    pub signature: Signature,
}

/// An Ed25519 signature (RFC 8032), carried as two halves because serde's arrays end at 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature([u8; 32], [u8; 32]);

impl Signature {
    /// A signature from its 64 bytes.
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        let mut halves = ([0; 32], [0; 32]);
        let (a, b) = bytes.split_at(32);
        halves.0.copy_from_slice(a);
        halves.1.copy_from_slice(b);
        Self(halves.0, halves.1)
    }

    /// The 64 bytes.
    pub fn to_bytes(self) -> [u8; 64] {
        let mut bytes = [0; 64];
        let (a, b) = bytes.split_at_mut(32);
        a.copy_from_slice(&self.0);
        b.copy_from_slice(&self.1);
        bytes
    }
}

/// The bytes that a leg signs: its key is proved for this challenge, this connection, this role and this token.
pub fn auth_transcript(
    nonce: &[u8; 32],
    exporter: &[u8; 32],
    role: Role,
    key: PublicKey,
    token: LegToken,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    out.extend_from_slice(b"alongside-leg-1");
    out.push(RELAY_VERSION);
    out.push(match role {
        Role::Device => 1,
        Role::Operator => 2,
    });
    out.extend_from_slice(nonce);
    out.extend_from_slice(exporter);
    out.extend_from_slice(&key.0);
    out.extend_from_slice(&token.0);
    out
}

/// The leg is authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Address and port that the relay sees: what a peer could reach directly.
    pub observed: SocketAddr,
    /// The name by which the relay confirms operators to customers.
    pub relay: Label<255>,
}

/// Asks for a nameplate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocate {
    /// Seconds that the code shall live: 120 to 3600.
    pub ttl_s: u16,
    /// Goes into the relay's access line.
    pub ticket: Option<Ticket>,
}

/// A nameplate, valid for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocated {
    /// The five digits.
    pub nameplate: Nameplate,
    /// The meeting that it leads to.
    pub rendezvous: RendezvousId,
    /// Seconds until it expires.
    pub expires_in_s: u16,
}

/// The customer typed a code; only its nameplate is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The five digits.
    pub nameplate: Nameplate,
    /// The device's serial number.
    pub serial: Serial,
}

/// Tells a device who invites it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepare {
    /// The meeting.
    pub rendezvous: RendezvousId,
    /// Who the operator is, as far as the relay knows.
    pub operator: OperatorCard,
    /// Token of the operator's leg.
    pub token: LegToken,
    /// Seconds until the code expires.
    pub expires_in_s: u16,
}

/// What the relay knows of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorCard {
    /// The operator's long-term key.
    pub key: PublicKey,
    /// Display name in the relay's `operators.toml`; `None` if the relay lets anybody in.
    pub name: Option<Name>,
    /// Organisation in the relay's `operators.toml`.
    pub organisation: Option<Name>,
}

/// Tells an operator who came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// The meeting.
    pub rendezvous: RendezvousId,
    /// The device's serial number.
    pub serial: Serial,
    /// The device's long-term key.
    pub key: PublicKey,
    /// Token of the device's leg.
    pub token: LegToken,
}

/// Ends a meeting, or one try of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The meeting.
    pub rendezvous: RendezvousId,
    /// Why; goes into the access line.
    pub reason: ReleaseReason,
}

/// Why a meeting is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ReleaseReason {
    /// The code was not proved; the nameplate may be claimed again.
    WrongCode,
    /// The code is dead: burnt, replaced by a new one, or given up.
    CodeDead,
    /// The session is over.
    SessionEnded,
}

/// The accessible check between a leg and the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegCheck {
    /// Counts up from 1; the answer carries the same.
    pub n: u32,
}

/// The leg's address may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {}

/// The relay says no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Why.
    pub reason: RelayRefusal,
    /// Seconds after which it may be tried again, where that helps.
    pub retry_after_s: Option<u16>,
}

/// Why the relay refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RelayRefusal {
    /// The signature does not fit the key.
    BadSignature,
    /// The versions differ.
    Version,
    /// Another leg holds this token.
    TokenTaken,
    /// This operator's key is not in `operators.toml`.
    UnknownOperator,
    /// The operator has as many codes as its quota allows.
    Quota,
    /// No such nameplate, or it is spent.
    CodeUnknown,
    /// The nameplate's time is over.
    CodeExpired,
    /// The nameplate was claimed too often.
    CodeBurnt,
    /// Too many failed claims from this address.
    TooManyClaims,
    /// The operator's leg is gone.
    OperatorGone,
    /// The relay is full.
    Full,
    /// The request does not fit the leg's role or state.
    NotAllowed,
    /// The ticket is not this relay's, not this leg's, or of a meeting that may not go on.
    BadTicket,
    /// The ticket's time is over.
    TicketExpired,
}

/// The other leg is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerGone {
    /// The meeting.
    pub rendezvous: RendezvousId,
    /// How it went.
    pub how: Departure,
}

/// How a leg left a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Departure {
    /// It said so.
    Released(ReleaseReason),
    /// Its connection to the relay was closed or timed out.
    LegLost,
    /// The relay ended it: expired, or over a limit.
    Relay,
}

/// The relay shuts down; meetings end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {}
