//! The panels that the agent brings: the control screens that a customer stands in front of.

mod annotations;
pub mod mfd;
mod stop;
pub mod x11;

use alongside::{
    device::AdminIdEntry,
    protocol::{AccessCode, input::KeyMotion},
};

pub use annotations::{Annotations, Drawn, DrawnPointer, DrawnStroke};
pub use mfd::{Mfd, MfdPanel};
pub use stop::{Corner, StopKey};
pub use x11::X11Panel;

/// What the customer does that the session must hear of.
#[derive(Debug)]
pub enum CustomerAction {
    /// Typed a whole access code, after reading the notice.
    EnterCode(AccessCode),
    /// Pressed EXIT, or Cancel while the connection was being made.
    Exit,
    /// Pressed or released the stop key.
    StopKey(KeyMotion),
    /// Touched the panel or pressed a key during a session.
    Touched,
    /// Used the screen or its keys where the panel itself shows nothing, as on a screen of other programs.
    Elsewhere,
    /// Allowed what the operator asked for, with the administrator's ID where it was wanted.
    Allow(Option<AdminIdEntry>),
    /// Did not allow it.
    Refuse,
    /// Took back what was allowed.
    TakeBack,
    /// Typed the administrator's ID for something that is no question of the operator's.
    CheckId(AdminIdEntry),
    /// Opened the settings page of Remote Assistance: what it shows may have changed.
    OpenSettings,
    /// Wants to know whether the service can be reached by the way that is chosen on the page.
    Test(mfd::Route),
    /// Chose another administrator's ID, or the first.
    ChangeId {
        /// The one that counts, where there is one.
        old: Option<AdminIdEntry>,
        /// The one that shall count.
        new: AdminIdEntry,
    },
}
