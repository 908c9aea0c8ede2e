//! Why a command was not done, coded and in words.

use std::fmt;

use alongside::protocol::{
    code::{CodeError, CodePart},
    obstacle::Obstacle,
};
use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[$meta:meta])* $variant:ident = $word:literal,)*) => {
        /// The word of an error, for programs; the message beside it is for people and may change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode { $($(#[$meta])* $variant,)* }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

codes! {
    /// The line is not a command, or one of its fields is out of bounds.
    BadRequest = "bad-request",
    /// This panel or this side cannot do it at all.
    Unsupported = "unsupported",
    /// There is no session.
    NotConnected = "not-connected",
    /// The active mode does not allow it, or the owner's switch does not.
    NotAllowed = "not-allowed",
    /// Nobody has asked the customer anything.
    NotAsked = "not-asked",
    /// Another question is open.
    Busy = "busy",
    /// The connection broke before the other side confirmed.
    Interrupted = "interrupted",
    /// The code is not twelve digits.
    CodeMalformed = "code-malformed",
    /// One digit of the code is wrong, or two are swapped; it cost no attempt.
    CodeCheckDigit = "code-check-digit",
    /// The relay knows no such code.
    CodeUnknown = "code-unknown",
    /// The code's time is over.
    CodeExpired = "code-expired",
    /// The secret part is wrong.
    CodeWrong = "code-wrong",
    /// The code was tried too often and is dead.
    CodeBurnt = "code-burnt",
    /// Too many wrong codes were entered on this device.
    EntryLocked = "entry-locked",
    /// The system administrator's ID must be entered as well.
    AdminIdNeeded = "admin-id-needed",
    /// It is not the system administrator's ID.
    AdminIdWrong = "admin-id-wrong",
    /// Too many wrong system administrator's IDs.
    AdminIdLocked = "admin-id-locked",
    /// The device cannot check a system administrator's ID now.
    AdminIdUnavailable = "admin-id-unavailable",
    /// The relay's name does not resolve.
    NoDns = "no-dns",
    /// The relay does not answer.
    RelayUnreachable = "relay-unreachable",
    /// The relay's certificate is not trusted.
    RelayUntrusted = "relay-untrusted",
    /// The relay's certificate is for another name.
    RelayName = "relay-name",
    /// The relay does not want this side.
    RelayRefused = "relay-refused",
    /// The operator's side did not answer in time.
    OperatorUnreachable = "operator-unreachable",
    /// The two programs do not speak the same version.
    Incompatible = "incompatible",
    /// The proxy refuses the credentials.
    ProxyCredentialsWrong = "proxy-credentials-wrong",
    /// The proxy wants credentials and there are none.
    ProxyCredentialsNeeded = "proxy-credentials-needed",
    /// The proxy wants a way to log in that is not supported.
    ProxyScheme = "proxy-scheme",
    /// The proxy does not open the tunnel.
    ProxyRefused = "proxy-refused",
    /// What answers at the proxy's address is no proxy.
    ProxyNot = "proxy-not",
    /// The tunnel opens, but something in it refuses the WebSocket.
    ProxyUpgrade = "proxy-upgrade",
    /// The proxy does not answer.
    ProxyUnreachable = "proxy-unreachable",
    /// There is no setting of this name.
    SettingsUnknown = "settings-unknown",
    /// A value does not fit its setting.
    SettingsInvalid = "settings-invalid",
    /// A setting has changed since it was read.
    SettingsConflict = "settings-conflict",
    /// The device cannot tell its settings now.
    SettingsUnreadable = "settings-unreadable",
    /// A record could not be made durable, so nothing was done.
    RecordFailed = "record-failed",
    /// A fault of this program.
    Internal = "internal",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// For programs.
    pub code: ErrorCode,
    /// For people; holds no secret.
    pub message: String,
    /// What stands in the way to the relay, more exactly than the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Whom to ask about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<&'static str>,
    /// Group of the access code to look at again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<&'static str>,
    /// Attempts left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u8>,
    /// Seconds until the next try is looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_s: Option<u64>,
}

impl Failure {
    /// A failure that `message` explains.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            reason: None,
            ask: None,
            part: None,
            tries_left: None,
            wait_s: None,
        }
    }

    /// A command that is not one.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    /// There is no way to the relay, for `obstacle`.
    pub fn no_way(obstacle: &Obstacle, message: impl Into<String>) -> Self {
        let kind = obstacle.kind;
        let code = ErrorCode::ALL
            .iter()
            .find(|code| code.as_str() == kind.code());
        Self {
            reason: Some(kind.as_str()),
            ask: Some(kind.contact().as_str()),
            ..Self::new(code.copied().unwrap_or(ErrorCode::Internal), message)
        }
    }

    /// Says how many attempts are left.
    #[must_use]
    pub fn with_tries_left(mut self, tries: u8) -> Self {
        self.tries_left = Some(tries);
        self
    }

    /// Says how many seconds to wait.
    #[must_use]
    pub fn with_wait_s(mut self, seconds: u64) -> Self {
        self.wait_s = Some(seconds);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

impl From<CodeError> for Failure {
    fn from(error: CodeError) -> Self {
        let code = match error {
            CodeError::CheckDigit => ErrorCode::CodeCheckDigit,
            CodeError::NotADigit(_) | CodeError::TooShort(_) | CodeError::TooLong | _ => {
                ErrorCode::CodeMalformed
            }
        };
        Self {
            part: error.part().map(CodePart::as_str),
            ..Self::new(code, error.to_string())
        }
    }
}
