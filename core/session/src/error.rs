//! Why an input was not taken.

use std::fmt;

use alongside_panel::PanelError;
use alongside_protocol::wire::DecodeError;

/// Why an input was not taken.
///
/// If the other side is [at fault](SessionError::is_peers_fault) the session is over, and the outputs still hold the
/// farewell and its record. Otherwise the caller asked for something that cannot be now, and nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionError {
    /// The other side sent bytes that are no message of their channel.
    Decode(DecodeError),
    /// The other side sent a message that has no place now.
    Unexpected {
        /// Type byte of the message.
        kind: u8,
    },
    /// The other side sent something that is no step of the picture.
    Picture(PanelError),
    /// The other side is not who the relay said it was.
    OtherKey,
    /// The caller's input has no place now: there is no session yet, or no mode runs that it could go to.
    NotNow,
    /// The active mode does not allow it.
    NotAllowed,
    /// The connection is lost, and another one is being tried.
    Interrupted,
    /// The caller sends faster than the budget allows; try again once something has been sent.
    Congested,
}

impl SessionError {
    /// Whether the other side broke the protocol, which ends the session.
    pub const fn is_peers_fault(&self) -> bool {
        match self {
            Self::Decode(_) | Self::Unexpected { .. } | Self::Picture(_) | Self::OtherKey => true,
            Self::NotNow | Self::NotAllowed | Self::Interrupted | Self::Congested => false,
        }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(_) => f.write_str("the other side sent bytes that are no message"),
            Self::Unexpected { kind } => {
                write!(f, "the other side sent message {kind:#04x} out of turn")
            }
            Self::Picture(_) => f.write_str("the other side sent a picture that cannot be"),
            Self::OtherKey => f.write_str("the other side has another key than the relay said"),
            Self::NotNow => f.write_str("the session is not ready for this"),
            Self::NotAllowed => f.write_str("the active mode does not allow this"),
            Self::Interrupted => f.write_str("the connection is lost for now"),
            Self::Congested => f.write_str("too much waits to be sent already"),
        }
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Decode(error) => Some(error),
            Self::Picture(error) => Some(error),
            Self::Unexpected { .. }
            | Self::OtherKey
            | Self::NotNow
            | Self::NotAllowed
            | Self::Interrupted
            | Self::Congested => None,
        }
    }
}

impl From<DecodeError> for SessionError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}
