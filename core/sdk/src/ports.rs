//! What a device brings: the ports that an embedder implements.
//!
//! All are dyn-compatible and may be called from any thread. A port never blocks for long except
//! [`Panel::capture`], which the driver runs where blocking is allowed.

use std::{fmt, sync::Arc};

use alongside_panel::Frame;
use alongside_protocol::{
    PanelSize,
    annotation::Annotation,
    input::{KeyEvent, PointerEvent},
    label::Label,
};
use tokio::sync::watch;

use crate::status::Status;

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
    fn capture(&self) -> Result<Arc<Frame>, PanelError>;

    /// A counter that moves whenever the picture may have changed.
    ///
    /// A panel that cannot tell moves it on its own clock, up to 30 times a second.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Draws, or takes back, what the operator points out.
    fn annotate(&self, annotation: &Annotation);

    /// Performs an action of the operator's on the panel, as if a hand had done it.
    ///
    /// # Errors
    ///
    /// [`PanelError`] when the panel did not take it.
    fn inject(&self, action: &Action) -> Result<(), PanelError> {
        let _ = action;
        Err(PanelError::Unsupported)
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

/// What an operator does on the panel under a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A pointer event.
    Pointer(PointerEvent),
    /// A key event.
    Key(KeyEvent),
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

/// The person in front of the panel, as far as the session is concerned: what to show them.
///
/// What they do comes back through [`DeviceHandle`](crate::DeviceHandle).
pub trait Customer: Send + Sync + fmt::Debug {
    /// Shows how things stand. Called on every change, and once a second while something counts down.
    ///
    /// From the first [`Status::Active`] until [`Status::Ended`] the panel must show who is connected and how to end
    /// it, unless the status says that the session is silent.
    fn show(&self, status: &Status);
}
