//! Messages of the control channel, once the code is proved.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    ids::{ModeId, Serial, SessionId},
    label::{Label, Name},
    reason::{EndReason, ModePhase, Party, Refusal},
    units::PanelSize,
    wire::messages,
};

mod seal;

pub use seal::{Countersigned, MAX_LINE, Seal};

messages! {
    /// A message of the control channel.
    pub enum Control {
        /// Device to operator: what it is. First message after the proof.
        0x10 => HelloDevice(HelloDevice),
        /// Operator to device: what it says of itself. First message after the proof.
        0x11 => HelloOperator(HelloOperator),
        /// Either way, every 5 s: the end-to-end accessible check.
        0x12 => Check(Check),
        /// Operator to device: please change to this mode.
        0x13 => ModeAsk(ModeAsk),
        /// Device to operator: how a mode stands now.
        0x14 => ModeState(ModeState),
        /// Either way: the session is over. Last message.
        0x15 => End(End),
        /// Device to operator: nobody has acted for a while; the session ends unless somebody does.
        0x16 => IdleWarning(IdleWarning),
        /// Operator to device: the operator is still there.
        0x17 => StillHere(StillHere),
        /// Either way: how the sender stands, once the session goes on over another connection. First message after the
        /// proof of that.
        0x18 => Resumed(Resumed),
        /// Device to operator: a record of its audit, to be countersigned.
        0x19 => Seal(Seal),
        /// Operator to device: the countersignature.
        0x1a => Countersigned(Countersigned),
        /// Either way, after the hello: the modes that the sender has beside the user guide.
        0x1f => Modes(Modes),
    }
}

/// What a device tells an operator who has proved the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloDevice {
    /// The session's id on both sides.
    pub session: SessionId,
    /// The device's serial number.
    pub serial: Serial,
    /// What kind of device it is, in the maker's words.
    pub model: Label<64>,
    /// Kind of panel, such as `mfd` or `x11`.
    pub panel: Label<16>,
    /// Size of the panel.
    pub size: PanelSize,
}

/// What an operator tells a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloOperator {
    /// The name the operator gives; unverified, and shown so.
    pub name: Option<Name>,
}

/// An end-to-end accessible check. With its frame and packet it stays far below 125 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Counts up from 1.
    pub n: u32,
}

/// Asks the device's side for a mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeAsk {
    /// The mode wanted.
    pub mode: ModeId,
}

/// How a mode stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeState {
    /// Which mode.
    pub mode: ModeId,
    /// Counts activations in this session, from 1; mode messages carry it, so that late ones can be told.
    pub activation: u16,
    /// How it stands.
    pub phase: ModePhase,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
    /// Seconds until the open ask counts as a no.
    pub expires_in_s: Option<u16>,
}

/// Says goodbye.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Who ended it.
    pub by: Party,
    /// Why.
    pub reason: EndReason,
}

/// The session is about to end because nobody acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleWarning {
    /// Seconds until it ends; 0 takes the warning back.
    pub ends_in_s: u16,
}

/// How one side stands when the session goes on over another connection.
///
/// What was on its way is lost on both sides. A mode on which the two do not agree is over; nothing in here grants
/// anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// The mode that runs, and number of its activation.
    pub mode: Option<(ModeId, u16)>,
    /// What that mode may do, as bits.
    pub granted: u32,
    /// The picture's epoch and the number of its last message: on the operator's side the last one applied; on the
    /// device's the one after which it goes on, or `None` if it begins anew.
    pub picture: Option<(u64, u64)>,
}

/// Answers an [`IdleWarning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillHere {}

/// The modes that a side has beside the user guide, and the versions of their halves' own protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modes {
    /// At most [`Modes::MOST`].
    #[serde(deserialize_with = "few")]
    pub modes: Vec<Spoken>,
}

impl Modes {
    /// Most modes in one message: each has a name of up to 64 bytes, and all fit into a message of the channel.
    pub const MOST: usize = 32;
}

/// A mode, and the versions of its halves' own protocol that one side speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// Which mode.
    pub mode: ModeId,
    /// The oldest version.
    pub oldest: u16,
    /// The newest version.
    pub newest: u16,
}

fn few<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Spoken>, D::Error> {
    let modes = Vec::deserialize(deserializer)?;
    if modes.len() > Modes::MOST {
        return Err(serde::de::Error::custom("more modes than a side can have"));
    }
    Ok(modes)
}
