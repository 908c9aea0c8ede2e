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

/// A setting of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Whether a code can be entered.
    Allowed,
    /// The panel's language.
    Language,
    /// The size of its text.
    TextSize,
    /// The relay.
    Relay,
    /// The network interface that leads to it.
    Interface,
    /// The proxy on the way to it.
    Proxy,
}

/// What stands for no proxy, where the machine has one.
pub const NO_PROXY: &str = "none";

/// The way to the service, as far as it was chosen on the panel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Host name of the relay.
    pub relay: Option<String>,
    /// The network interface.
    pub interface: Option<String>,
    /// The proxy, or [`NO_PROXY`].
    pub proxy: Option<String>,
}

impl Route {
    pub(super) fn get(&self, field: Field) -> Option<&str> {
        match field {
            Field::Relay => self.relay.as_deref(),
            Field::Interface => self.interface.as_deref(),
            Field::Proxy => self.proxy.as_deref(),
            Field::Allowed | Field::Language | Field::TextSize => None,
        }
    }

    pub(super) fn set(&mut self, field: Field, value: Option<String>) {
        match field {
            Field::Relay => self.relay = value,
            Field::Interface => self.interface = value,
            Field::Proxy => self.proxy = value,
            Field::Allowed | Field::Language | Field::TextSize => {}
        }
    }
}

/// What the page shows and others set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The way to the service where nothing was chosen on the panel.
    pub route: Route,
    /// Whether there is a user name and a password for a proxy.
    pub has_credentials: bool,
    /// What is laid down for this device and cannot be changed on the panel.
    pub fixed: Vec<Field>,
    /// Whether the way to the service can be tested.
    pub can_test: bool,
    /// Whether the last change could not be kept.
    pub is_not_kept: bool,
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

impl Gate {
    /// Whether what is behind it may be seen and changed.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self, Self::None | Self::Open)
    }
}
