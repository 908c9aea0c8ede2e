//! What a device brings: the ports that an embedder implements.
//!
//! All are dyn-compatible and may be called from any thread. A port never blocks for long except
//! [`Panel::capture`], which the driver runs where blocking is allowed.

use std::{fmt, sync::Arc, time::Duration};

use alongside_panel::Frame;
use alongside_protocol::{
    PanelSize, PublicKey, Serial, annotation::Annotation, label::Label, units::PanelRect,
};
pub use alongside_session::{Action, device::AdminVerdict};
use tokio::sync::watch;

use crate::{
    audit::SessionCard,
    device::AdminIdEntry,
    status::{ModeName, Status},
};

/// What a panel is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelInfo {
    /// Kind of panel in a word, such as `mfd` or `x11`.
    pub kind: Label<16>,
    /// Size in pixels; fixed for the life of the panel.
    pub size: PanelSize,
}

/// The control screen of a device.
pub trait Panel: Send + Sync + fmt::Debug {
    /// What it is. Cheap.
    fn describe(&self) -> PanelInfo;

    /// The picture that the customer sees now, without annotations that are drawn as a layer of their own.
    ///
    /// May block for the time of a capture; it is called where blocking is allowed, at most 30 times a second.
    ///
    /// # Errors
    ///
    /// [`PanelError`] when the screen cannot be read; the session then ends with `panel-failed`.
    fn capture(&self) -> Result<Capture, PanelError>;

    /// A counter that moves whenever the picture may have changed.
    ///
    /// A panel that cannot tell moves it on its own clock, up to 30 times a second.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Draws, or takes back, what the operator points out.
    fn annotate(&self, annotation: &Annotation);

    /// Performs an action of the operator's on the panel, as if a hand had done it. Answers at once.
    ///
    /// It must reach nothing that speaks for the customer: no stop key, no EXIT, no answer to a question, no digit of
    /// an administrator's ID.
    ///
    /// # Errors
    ///
    /// [`PanelError`] when the panel did not take it.
    fn inject(&self, action: &Action) -> Result<(), PanelError> {
        let _ = action;
        Err(PanelError::Unsupported)
    }

    /// A second surface of the same size that a service engineer works with and the customer does not see; pictures of it
    /// are all that an operator is shown in sleep. Devices without one have none.
    fn service_surface(&self) -> Option<Arc<dyn Panel>> {
        None
    }

    /// Keeps the panel from dimming, resetting itself or locking while help is under way.
    fn hold_awake(&self, hold: Awake) {
        let _ = hold;
    }
}

/// Whether a panel must stay awake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awake {
    /// Stay awake until told otherwise.
    Hold,
    /// Back to the panel's own rules.
    Release,
}

/// A picture of the panel.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The picture.
    pub frame: Arc<Frame>,
    /// What of it the operator must not see, such as where a secret is typed. It is covered before anything is compared
    /// or coded, and while anything is masked the operator's hand is off the panel.
    ///
    /// While the customer is asked for the system administrator's ID and nothing is masked, all of it is covered.
    pub masked: Vec<PanelRect>,
}

/// A picture that the operator may see all of.
impl From<Arc<Frame>> for Capture {
    fn from(frame: Arc<Frame>) -> Self {
        Self {
            frame,
            masked: Vec::new(),
        }
    }
}

/// Why a panel did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PanelError {
    /// This panel cannot do that at all.
    #[error("this panel does not support it")]
    Unsupported,
    /// The screen is gone or does not answer.
    #[error("the panel does not answer")]
    Gone(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The device's own check of the system administrator's ID.
pub trait AdminId: Send + Sync + fmt::Debug {
    /// Checks an ID as it was entered on the panel.
    ///
    /// May block: it is called where blocking is allowed, one at a time. Whoever implements it counts the wrong ones,
    /// durably and before it looks, and makes them wait.
    fn verify(&self, id: &str) -> AdminVerdict;

    /// Whether there is an ID to check against; asked when a session begins. Without one, what wants it is refused
    /// unasked.
    fn is_set(&self) -> bool {
        true
    }

    /// Whether [`AdminId::change`] can do anything; without it the ID is none of the panel's business.
    fn can_change(&self) -> bool {
        false
    }

    /// Sets the ID to `new`. `old` must be the one that stands, and counts as a try like any other; without one, none
    /// may be set yet.
    ///
    /// May block, as [`AdminId::verify`] may.
    fn change(&self, old: Option<&str>, new: &str) -> AdminChange {
        let _ = (old, new);
        AdminChange::Failed
    }
}

/// Fewest characters of an administrator's ID that is set on this side.
pub(crate) const ADMIN_ID_MIN_LEN: usize = 8;

/// What came of setting the administrator's ID at the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdminChange {
    /// The new one counts from now on.
    Done,
    /// The old one was not right, or is not looked at now.
    Old(AdminVerdict),
    /// The new one is refused.
    Weak(Weakness),
    /// It could not be changed: it cannot be kept, there is none to change, or another was set meanwhile.
    Failed,
}

/// What a new administrator's ID lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Weakness {
    /// It has too few characters.
    #[error("an administrator's ID has at least {ADMIN_ID_MIN_LEN} digits or characters")]
    TooShort,
    /// It has too many characters.
    #[error(
        "an administrator's ID has at most {} characters",
        AdminIdEntry::MAX_LEN
    )]
    TooLong,
    /// It has characters that a panel has no key for.
    #[error("an administrator's ID has digits, letters and signs of ASCII alone, and no spaces")]
    Unprintable,
    /// It is one of the first that anybody would try.
    #[error(
        "this ID is too easy to guess: no row of digits or keys, no repetition, no date, no common word"
    )]
    TooCommon,
}

/// What the device's owner has laid down about operators who work in sleep: unasked and unseen, and only in a session that
/// a customer's code began.
pub trait OwnerPolicy: Send + Sync + fmt::Debug {
    /// For how long from `unix_ms`, the time by the device's clock, this operator may; `None` if not at all.
    ///
    /// Asked when a session begins. Blocks no longer than it takes to read a small file.
    fn sleep(&self, operator: PublicKey, serial: &Serial, unix_ms: u64) -> Option<Duration>;
}

/// The person in front of the panel, as far as the session is concerned: what to show them.
///
/// What they do comes back through [`DeviceHandle`](crate::DeviceHandle).
pub trait Customer: Send + Sync + fmt::Debug {
    /// Shows how things stand. Called on every change, and once a second while something counts down.
    ///
    /// From the first [`Status::Active`] until [`Status::Ended`] the panel must show who is connected and how to end
    /// it, unless the status says that the session is silent.
    fn show(&self, status: &Status);

    /// The modes that the session which begins has on this side, and what people call them: for words such as "uses
    /// Checklist". Called once a session, before its first [`Status::Active`].
    fn offers(&self, modes: &[ModeName]) {
        let _ = modes;
    }

    /// A session is over, and this is what the audit says of it: to be shown until somebody has read it. Comes after
    /// [`Status::Ended`], once nothing of the session is under way any more.
    fn session_over(&self, card: &SessionCard) {
        let _ = card;
    }

    /// The person's language, such as `de` or `zh-TW` (BCP 47), for the modes of a session; asked when one begins.
    fn locale(&self) -> String {
        "en".to_owned()
    }
}
