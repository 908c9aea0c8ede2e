//! Remote Assistance on this device: what the panel's settings page for it shows and changes.

use super::{id_pad::IdPad, theme::Scale};
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

/// Who may see the page.
#[derive(Debug, Default)]
pub(super) enum Gate {
    /// Anybody: this device has no administrator's ID.
    #[default]
    None,
    /// Whoever types the ID.
    Shut(IdPad),
    /// Whoever stands there: the ID was typed.
    Open,
}
