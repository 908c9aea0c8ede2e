//! What happened, for the audit.

use alongside_mode::{Capabilities, Effect, Line, StopReason};
use alongside_protocol::{
    PublicKey, SessionId,
    ids::ModeId,
    proof::ProofFailure,
    reason::{EndReason, Party, Refusal},
    setting::SettingPath,
};

use crate::{action::Deed, device::AdminVerdict, grant::Denial};

/// One thing that is about to happen, or has been refused.
///
/// A record precedes its act in the outputs, so whoever makes it durable before polling on has a record of
/// everything that ever happened. It says that something happened, never what was drawn, typed or shown, and holds
/// no key press and no code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// An attempt at the code is charged; the proof goes on.
    AttemptCharged,
    /// The code was not proved.
    ProofFailed(ProofFailure),
    /// Both sides have proved the code.
    SessionStarted {
        /// The session's id on both sides.
        session: SessionId,
        /// The other side's long-term key.
        peer: PublicKey,
    },
    /// A mode begins.
    ModeActivated {
        /// Which mode.
        mode: ModeId,
        /// Number of the activation.
        activation: u16,
        /// What it may do.
        granted: Capabilities,
    },
    /// The customer is asked for a mode, or whether it may go on.
    ModeAsked {
        /// Which mode.
        mode: ModeId,
        /// Whether the system administrator's ID is wanted as well.
        wants_admin_id: bool,
    },
    /// A system administrator's ID was checked. Nothing of the ID is kept.
    AdminId(AdminVerdict),
    /// The customer allows a mode.
    ModeAllowed {
        /// Which mode.
        mode: ModeId,
        /// Whether the system administrator's ID was wanted, and right.
        with_admin_id: bool,
    },
    /// The operator asked for a mode and did not get it.
    ModeRefused {
        /// Which mode.
        mode: ModeId,
        /// Why not.
        refusal: Refusal,
    },
    /// A mode ends.
    ModeEnded {
        /// Which mode.
        mode: ModeId,
        /// Number of its activation.
        activation: u16,
        /// Why.
        why: StopReason,
    },
    /// A half of a mode broke down; the mode ends.
    ModeFailed {
        /// Which mode.
        mode: ModeId,
    },
    /// The mode does something that the customer sees.
    Released {
        /// Number of the mode's activation.
        activation: u16,
        /// What kind of thing.
        act: Act,
    },
    /// The operator does something on the panel.
    Input {
        /// Number of the mode's activation.
        activation: u16,
        /// Number of the action in this session, from 1.
        n: u64,
        /// What kind of thing.
        deed: Deed,
    },
    /// The panel has performed an action, or could not. A move that it performed leaves none.
    Performed {
        /// Number of the action.
        n: u64,
        /// Whether it did.
        done: bool,
    },
    /// The settings are read. One stands for its like within a second.
    SettingsRead {
        /// Number of the mode's activation.
        activation: u16,
    },
    /// The operator wants settings changed. Nothing is changed yet.
    SettingsProposed {
        /// Number of the mode's activation.
        activation: u16,
        /// How many.
        count: u16,
    },
    /// The operator wants the last change of settings taken back. Nothing is changed yet.
    SettingsUndo {
        /// Number of the mode's activation.
        activation: u16,
    },
    /// The customer is shown what a change of settings would change, and asked.
    SettingsAsked {
        /// The device's number for the change.
        change: u64,
    },
    /// A change of settings is allowed.
    SettingsAllowed {
        /// The device's number for the change.
        change: u64,
        /// Whether by the owner's policy, in sleep, and not by the customer.
        by_policy: bool,
    },
    /// A setting is about to be set, as part of a change. What to is not recorded.
    SettingSet {
        /// The device's number for the change.
        change: u64,
        /// Which setting.
        path: SettingPath,
    },
    /// A change of settings is about to stay.
    SettingsConfirm {
        /// The device's number for the change.
        change: u64,
    },
    /// How a change of settings stands.
    SettingsStage {
        /// The device's number for the change; 0 where it has none.
        change: u64,
        /// The stage, in a word.
        stage: &'static str,
        /// Why, in a word.
        why: Option<&'static str>,
    },
    /// The customer's hand is on the panel and the operator's off it.
    Paused,
    /// The operator's hand may be on the panel again.
    Resumed,
    /// The mode wanted something that it may not have, and it does not happen. One stands for its like within a second.
    Denied {
        /// What kind of thing.
        act: Act,
        /// Why not.
        why: Denial,
    },
    /// The mode's own words for the audit.
    ModeSays(Line),
    /// Nothing has come from the other side for 15 s.
    LinkMissing,
    /// The other side is there again.
    LinkBack,
    /// The connection is lost; nothing happens until the session goes on over another.
    Interrupted,
    /// The session goes on over another connection.
    WentOn {
        /// How often it has.
        epoch: u32,
    },
    /// Somebody connected in the operator's place and did not prove to be in the session.
    ResumeRefused,
    /// The session is over.
    SessionEnded {
        /// Who ended it.
        by: Party,
        /// Why.
        reason: EndReason,
    },
}

/// What kind of thing a mode wants done, without what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Act {
    /// Tell the other half.
    Peer,
    /// Draw over the panel, or take back.
    Annotate,
    /// Point on the panel.
    Pointer,
    /// Press a key of the panel.
    Key,
    /// Type on the panel.
    Text,
    /// Set a timer.
    Timer,
    /// Tell the console.
    Console,
    /// Show words to the customer.
    Notice,
    /// Write into the record.
    Audit,
    /// End the mode.
    Finish,
    /// Read or change settings.
    Settings,
}

impl Act {
    /// What `effect` does.
    pub const fn of(effect: &Effect) -> Self {
        match effect {
            Effect::Peer { .. } => Self::Peer,
            Effect::Annotate(_) => Self::Annotate,
            Effect::Pointer(_) => Self::Pointer,
            Effect::Key(_) => Self::Key,
            Effect::Text(_) => Self::Text,
            Effect::SetTimer { .. } => Self::Timer,
            Effect::Console(_) => Self::Console,
            Effect::Notice(_) => Self::Notice,
            Effect::Audit(_) => Self::Audit,
            Effect::Finish(_) => Self::Finish,
            Effect::Settings(_) => Self::Settings,
        }
    }

    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Annotate => "annotate",
            Self::Pointer => "pointer",
            Self::Key => "key",
            Self::Text => "text",
            Self::Timer => "timer",
            Self::Console => "console",
            Self::Notice => "notice",
            Self::Audit => "audit",
            Self::Finish => "finish",
            Self::Settings => "settings",
        }
    }
}
