//! Remote Assistance on this device: what the panel's settings page for it shows and changes.

use super::{id_pad::IdPad, new_id::NewId, theme::Scale};
use crate::text::Locale;

/// Whether a code can be entered on this panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Allowed {
    /// It can.
    On,
    /// It cannot, until the owner turns it on.
    #[default]
    Off,
}

/// What can be changed on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// Whether a code can be entered.
    pub allowed: Allowed,
    /// The panel's language.
    pub locale: Locale,
    /// The size of its text.
    pub scale: Scale,
}

/// What the page shows and others set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Host name of the relay.
    pub relay: Option<String>,
    /// The network interface, where one is named.
    pub interface: Option<String>,
    /// The proxy, where there is one.
    pub proxy: Option<String>,
}

/// What this device has of an administrator's ID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Administrator {
    /// Nothing that could check one.
    #[default]
    None,
    /// A check, and no ID to check against, which can be chosen at the panel.
    Unset,
    /// An ID.
    Set {
        /// Whether it can be changed at the panel.
        can_change: bool,
    },
}

/// Who may see the page.
#[derive(Debug, Default)]
pub(super) enum Gate {
    /// Anybody: this device has no administrator's ID.
    #[default]
    None,
    /// Whoever types the ID.
    Shut(IdPad),
    /// Whoever chooses the first ID of this device.
    First(NewId),
    /// Whoever stands there: the ID was typed.
    Open,
}
