//! What a device's side can be told to do: the customer's hand, from a script or from the front panel's page.

use std::{net::SocketAddr, time::Duration};

use alongside::{
    device::AdminIdEntry,
    protocol::{
        AccessCode, PanelPoint, PanelSize,
        input::{KeyEvent, KeyName},
    },
};
use serde::Deserialize;
use zeroize::Zeroizing;

pub use super::field::SecretText;
use super::{error::Failure, field, operator, request::commands};

commands! {
    /// A command to a device's side.
    pub enum Command {
        /// Enter an access code.
        "enter-code" => EnterCode(EnterCode),
        /// Touch the screen.
        "touch" => Touch(Touch),
        /// Press or release a key of the front panel.
        "key" => Key(operator::Key),
        /// Hold a key for a while.
        "hold" => Hold(Hold),
        /// Say yes to the open question.
        "allow" => Allow(Allow),
        /// Say no to the open question.
        "refuse" => Refuse,
        /// End the session.
        "exit" => Exit,
        /// Write the framebuffer, as it is before encoding, to a file.
        "snapshot" => Snapshot(operator::Snapshot),
    }
}

impl Command {
    /// Refuses what lies outside of a panel of `size`.
    ///
    /// # Errors
    ///
    /// `bad-request` that names the point.
    pub fn check(&self, size: PanelSize) -> Result<(), Failure> {
        match self {
            Self::Touch(touch) => field::on_panel(touch.at(), size),
            Self::EnterCode(_)
            | Self::Key(_)
            | Self::Hold(_)
            | Self::Allow(_)
            | Self::Refuse
            | Self::Exit
            | Self::Snapshot(_) => Ok(()),
        }
    }
}

/// An access code as it was typed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnterCode {
    #[serde(deserialize_with = "field::secret_text::<_, 64>")]
    code: SecretText,
    /// Where the operator's side listens, to be tried in the place of the relay.
    #[serde(default)]
    pub operator: Option<SocketAddr>,
}

impl EnterCode {
    /// The code, if it is one.
    ///
    /// # Errors
    ///
    /// `code-malformed` with the group to look at, or `code-check-digit`; neither costs an attempt.
    pub fn code(&self) -> Result<AccessCode, Failure> {
        AccessCode::parse(self.code.as_str()).map_err(Failure::from)
    }
}

/// What a finger does on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TouchPhase {
    /// Down and up at once.
    #[default]
    Tap,
    /// Touches down.
    Down,
    /// Moves while touching.
    Move,
    /// Lifts.
    Up,
}

/// A finger on the screen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Touch {
    #[serde(deserialize_with = "field::coordinate")]
    x: i32,
    #[serde(deserialize_with = "field::coordinate")]
    y: i32,
    /// What it does.
    #[serde(default)]
    pub phase: TouchPhase,
}

impl Touch {
    /// Where.
    pub const fn at(&self) -> PanelPoint {
        PanelPoint {
            x: self.x,
            y: self.y,
        }
    }
}

/// A key that is held.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    #[serde(deserialize_with = "field::key")]
    key: KeyName,
    /// For how long, at most a minute.
    #[serde(rename = "ms", deserialize_with = "field::millis::<_, 1, 60_000>")]
    pub time: Duration,
}

impl Hold {
    /// The key that goes down, and up again after [`Hold::time`].
    pub fn key(&self) -> &KeyName {
        &self.key
    }

    /// The event at its beginning or its end.
    pub fn event(&self, motion: alongside::protocol::input::KeyMotion) -> KeyEvent {
        KeyEvent {
            key: self.key.clone(),
            motion,
        }
    }
}

/// The customer's yes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// The system administrator's ID.
    #[serde(default)]
    pub admin_id: Option<SecretText>,
}

impl Allow {
    /// The system administrator's ID, where there is one.
    ///
    /// # Errors
    ///
    /// `bad-request` if it is empty or too long to be one.
    pub fn entry(&self) -> Result<Option<AdminIdEntry>, Failure> {
        let Some(id) = &self.admin_id else {
            return Ok(None);
        };
        AdminIdEntry::new(Zeroizing::new(id.as_str().to_owned()))
            .map(Some)
            .ok_or_else(|| Failure::bad_request("`admin_id`: must have 1 to 64 bytes"))
    }
}
