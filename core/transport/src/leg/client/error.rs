//! What can go wrong with a leg, in sentences that say what to do.

use std::{io, net::SocketAddr};

use alongside_protocol::{label::Label, relay::RelayRefusal, wire::DecodeError};
use quinn::ConnectionError;

use super::RelayAddress;
use crate::{
    connection::Lost,
    leg::{
        control::ControlError,
        proxy::{ProxyError, by},
        tls::{CertificateFault, TlsError, TrustError},
        websocket::UpgradeError,
    },
    path::PathKind,
    quic::NotBound,
};

/// Why there is no leg.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The relay's name leads nowhere.
    #[error("no address was found for the relay {relay}: check its name and this machine's DNS")]
    NoDns {
        /// The relay.
        relay: RelayAddress,
        /// What the resolver said, if it said anything.
        source: Option<io::Error>,
    },
    /// Nothing answered.
    #[error("the relay {relay} does not answer: check that UDP port {} may leave this network", relay.port)]
    Unreachable {
        /// The relay.
        relay: RelayAddress,
    },
    /// Something answered, but it is no Alongside relay, or one without post-quantum key exchange.
    #[error(
        "what answers at {relay} is not an Alongside relay: check the relay's name (TLS alert {alert})"
    )]
    NotARelay {
        /// The relay.
        relay: RelayAddress,
        /// The alert's number (RFC 8446, section 6).
        alert: u8,
    },
    /// The certificate is for another name.
    #[error("the certificate of the relay is not for {relay}: use the name that it was made for")]
    WrongName {
        /// The relay.
        relay: RelayAddress,
    },
    /// The certificate cannot be trusted.
    #[error("the relay {relay} is not trusted: {}{}", certificate_sentence(*fault), by(issuer.as_ref()))]
    Untrusted {
        /// The relay.
        relay: RelayAddress,
        /// What is wrong with its certificate.
        fault: CertificateFault,
        /// Who issued it, in the issuer's own words.
        issuer: Option<Label<64>>,
    },
    /// The configured CA file or pin is of no use.
    #[error("the relay cannot be trusted with these settings")]
    Trust(#[from] TrustError),
    /// The relay does not let this leg in.
    #[error("the relay {relay} refuses: {}", refusal_sentence(*refusal))]
    Refused {
        /// The relay.
        relay: RelayAddress,
        /// Why.
        refusal: RelayRefusal,
        /// Seconds after which it may be tried again, where that helps.
        retry_after_s: Option<u16>,
    },
    /// The connection broke before the leg was up.
    #[error("the connection to the relay {relay} broke before it was ready: try again")]
    Broke {
        /// The relay.
        relay: RelayAddress,
        /// How.
        source: LegLost,
    },
    /// No socket could be had.
    #[error("no UDP socket could be opened on this machine{}", on_interface(interface.as_deref()))]
    Socket {
        /// The interface it should have been bound to.
        interface: Option<String>,
        /// Why not.
        source: io::Error,
    },
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls(#[from] TlsError),
    /// The proxy gives no way.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// Nothing answered over TCP.
    #[error("the relay {relay} does not answer: check that TCP port {} may leave this network", relay.port)]
    NoStream {
        /// The relay.
        relay: RelayAddress,
        /// What the system said; nothing if it took too long.
        source: Option<io::Error>,
    },
    /// Something between here and the relay shows a certificate of its own.
    #[error(
        "the TLS connection to the relay {relay} is intercepted by {}, who is not trusted here: ask who runs this network to except the relay",
        somebody(issuer.as_ref())
    )]
    Intercepted {
        /// The relay.
        relay: RelayAddress,
        /// Who issued that certificate, in the issuer's own words.
        issuer: Option<Label<64>>,
    },
    /// Something answers in the relay's place, as a network's sign-in page does.
    #[error(
        "a page of this network answers in the place of the relay {relay}{}: sign in to the network first, or ask who runs it",
        with_status(*status)
    )]
    CaptivePortal {
        /// The relay.
        relay: RelayAddress,
        /// The status code, if what answers speaks TLS at all.
        status: Option<u16>,
    },
    /// Nothing answered, and the network has a proxy that is announced by a file.
    #[error(
        "the relay {relay} does not answer, and this network announces a proxy by a file (WPAD), which is not read: ask who runs this network for the proxy's host and port"
    )]
    AutomaticProxy {
        /// The relay.
        relay: RelayAddress,
    },
    /// TLS over TCP failed.
    #[error(
        "no TLS connection to the relay {relay}: ask who runs this network whether it is inspected"
    )]
    StreamTls {
        /// The relay.
        relay: RelayAddress,
        /// How.
        source: io::Error,
    },
    /// The WebSocket was refused: by the relay, or by what stands in front of it or in between.
    #[error(
        "the WebSocket to the relay {relay} was refused (status {status}): ask who runs this network to allow WebSockets to the relay"
    )]
    UpgradeRefused {
        /// The relay.
        relay: RelayAddress,
        /// The status code.
        status: u16,
    },
    /// What answers over TCP is no relay.
    #[error("what answers at {relay} over TCP is not an Alongside relay: check the relay's name")]
    NoWebSocket {
        /// The relay.
        relay: RelayAddress,
        /// What it said instead.
        source: UpgradeError,
    },
    /// There is no relay.
    #[error("no relay is set")]
    NoRelay,
    /// Nobody can come to this operator.
    #[error(
        "cannot listen on {at}: it must be an address of this machine that nobody else listens on"
    )]
    Listen {
        /// Where.
        at: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The settings leave no way to the relay.
    #[error(
        "the settings allow no way to the relay: `paths` must name one of relay-quic, relay-tls and relay-proxy"
    )]
    NoWayAllowed,
    /// Every way failed; the sentence is that of the one that says most.
    #[error("{}", sentence_of(attempts))]
    Every {
        /// All that was tried.
        attempts: Vec<Attempt>,
    },
}

/// One way that was tried, and why it failed.
#[derive(Debug)]
pub struct Attempt {
    kind: PathKind,
    error: Box<ConnectError>,
}

impl Attempt {
    pub(super) fn new(kind: PathKind, error: ConnectError) -> Self {
        Self {
            kind,
            error: Box::new(error),
        }
    }

    /// Which way.
    pub fn kind(&self) -> PathKind {
        self.kind
    }

    /// Why not.
    pub fn error(&self) -> &ConnectError {
        &self.error
    }
}

pub(super) fn most_telling(attempts: &[Attempt]) -> Option<&ConnectError> {
    // Of equals the first.
    let first_of_heaviest = attempts
        .iter()
        .rev()
        .max_by_key(|attempt| attempt.error.weight());
    first_of_heaviest.map(Attempt::error)
}

fn sentence_of(attempts: &[Attempt]) -> String {
    match most_telling(attempts) {
        // Silence on one port says nothing of the other.
        Some(ConnectError::Unreachable { relay } | ConnectError::NoStream { relay, .. })
            if attempts.len() > 1 =>
        {
            let port = relay.port;
            format!(
                "the relay {relay} does not answer: check that UDP or TCP port {port} may leave this network"
            )
        }
        Some(error) => error.to_string(),
        None => String::new(),
    }
}

impl ConnectError {
    /// What `attempts` came to.
    pub(super) fn of(mut attempts: Vec<Attempt>) -> Self {
        match attempts.pop() {
            Some(only) if attempts.is_empty() => *only.error,
            Some(last) => {
                attempts.push(last);
                Self::Every { attempts }
            }
            None => Self::NoWayAllowed,
        }
    }

    /// All that was tried, if it was more than one way.
    pub fn attempts(&self) -> &[Attempt] {
        if let Self::Every { attempts } = self {
            attempts
        } else {
            &[]
        }
    }

    /// Whether no other way would do better: it was the relay itself that said so.
    pub(super) fn is_last_word(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::Untrusted { .. }
                | Self::WrongName { .. }
                | Self::Trust(_)
                | Self::Tls(_)
        )
    }

    /// Word for records and the command line.
    pub fn code(&self) -> &'static str {
        self.obstacle().kind.code()
    }

    /// Whether the same attempt may succeed later without a person changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NoDns { .. } | Self::Unreachable { .. } | Self::Broke { .. } => true,
            Self::NoStream { .. } | Self::StreamTls { .. } => true,
            Self::Proxy(error) => error.is_retryable(),
            // 5xx: the relay, or what stands in front of it, which may come back.
            Self::UpgradeRefused { status, .. } => *status >= 500,
            Self::Every { attempts } => most_telling(attempts).is_some_and(Self::is_retryable),
            Self::Refused { refusal, .. } => is_refusal_retryable(*refusal),
            Self::NotARelay { .. }
            | Self::WrongName { .. }
            | Self::Untrusted { .. }
            | Self::Trust(_)
            | Self::Socket { .. }
            | Self::Intercepted { .. }
            | Self::CaptivePortal { .. }
            | Self::AutomaticProxy { .. }
            | Self::NoWebSocket { .. }
            | Self::NoWayAllowed
            | Self::NoRelay
            | Self::Listen { .. }
            | Self::Tls(_) => false,
        }
    }

    /// How much this says: of several attempts the one that got furthest is reported.
    pub(super) fn weight(&self) -> u8 {
        match self {
            Self::Socket { .. } | Self::Listen { .. } | Self::NoWayAllowed | Self::NoRelay => 0,
            Self::NoDns { .. } | Self::Unreachable { .. } | Self::NoStream { .. } => 1,
            Self::AutomaticProxy { .. } | Self::Broke { .. } => 2,
            Self::Proxy(ProxyError::Unreachable { .. } | ProxyError::NoDns { .. }) => 2,
            Self::NotARelay { .. } | Self::StreamTls { .. } | Self::NoWebSocket { .. } => 3,
            Self::Proxy(_)
            | Self::UpgradeRefused { .. }
            | Self::CaptivePortal { .. }
            | Self::Intercepted { .. } => 4,
            Self::Every { attempts } => most_telling(attempts).map_or(0, Self::weight),
            // Over UDP nobody stands between, so the certificate is the relay's own.
            Self::WrongName { .. } | Self::Untrusted { .. } => 5,
            Self::Refused { .. } | Self::Trust(_) | Self::Tls(_) => 6,
        }
    }
}

fn on_interface(interface: Option<&str>) -> String {
    interface
        .map(|name| format!(" (interface {name:?}: check its name)"))
        .unwrap_or_default()
}

fn somebody(issuer: Option<&Label<64>>) -> String {
    issuer.map_or_else(
        || "somebody without a name".to_owned(),
        |issuer| format!("\u{201c}{issuer}\u{201d}"),
    )
}

fn with_status(status: Option<u16>) -> String {
    status.map_or_else(String::new, |status| format!(" (status {status})"))
}

fn certificate_sentence(fault: CertificateFault) -> &'static str {
    match fault {
        CertificateFault::Untrusted => {
            "its certificate leads to no authority that is trusted here; give the relay's CA file or its pin"
        }
        CertificateFault::WrongPin => {
            "its key is not the pinned one; if the relay's key was changed, so must the pin be"
        }
        CertificateFault::OutOfDate => {
            "its certificate is not valid today; check this machine's date, then the relay's certificate"
        }
        CertificateFault::NoClock => {
            "neither this machine's clock nor the relay's can be right, so no date can be judged; set this machine's date"
        }
        CertificateFault::WrongName => "its certificate is for another name",
        CertificateFault::Unusable => {
            "its certificate cannot be used; whoever runs the relay must replace it"
        }
    }
}

/// What a person makes of a refusal.
pub(super) fn refusal_sentence(refusal: RelayRefusal) -> &'static str {
    match refusal {
        RelayRefusal::BadSignature => "this side's key was not proved; try again",
        RelayRefusal::Version => "it speaks another version; update the older of the two",
        RelayRefusal::TokenTaken => "another connection holds this one's place; try again",
        RelayRefusal::UnknownOperator => {
            "it does not know this operator; whoever runs it adds the operator's key to operators.toml"
        }
        RelayRefusal::Quota => {
            "this operator has used what it may: end a code, wait until one expires, or ask whoever runs the relay for more"
        }
        RelayRefusal::CodeUnknown => "there is no such code; ask for a new one",
        RelayRefusal::CodeExpired => "the code's time is over; ask for a new one",
        RelayRefusal::CodeBurnt => "the code was tried too often; ask for a new one",
        RelayRefusal::TooManyClaims => "too many wrong codes came from here; wait and try again",
        RelayRefusal::OperatorGone => "the operator is not there any more; ask for a new code",
        RelayRefusal::Full => "it is full; try again later",
        RelayRefusal::NotAllowed => "this is not allowed now",
        RelayRefusal::BadTicket => "it does not know this meeting",
        RelayRefusal::TicketExpired => "the meeting has lasted too long",
        _ => "for a reason that this version does not know; update it",
    }
}

fn is_refusal_retryable(refusal: RelayRefusal) -> bool {
    matches!(
        refusal,
        RelayRefusal::TokenTaken | RelayRefusal::Full | RelayRefusal::TooManyClaims
    )
}

/// Why a leg is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LegLost {
    /// This side closed it.
    #[error("the connection to the relay was closed here")]
    ClosedHere,
    /// The relay closed it or cannot be heard any more.
    #[error("the relay is gone: {0}")]
    Connection(Lost),
    /// The relay sent something that is no message, or floods this side.
    #[error("the relay broke the protocol")]
    Protocol,
}

impl From<ConnectionError> for LegLost {
    fn from(error: ConnectionError) -> Self {
        match Lost::from(error) {
            Lost::ClosedHere => Self::ClosedHere,
            lost @ (Lost::ClosedByPeer { .. }
            | Lost::Silent
            | Lost::Restarted
            | Lost::Refused { .. }
            | Lost::Broken) => Self::Connection(lost),
        }
    }
}

impl From<DecodeError> for LegLost {
    fn from(_: DecodeError) -> Self {
        Self::Protocol
    }
}

impl LegLost {
    /// What broke the control stream of `connection`.
    pub(super) fn of_stream(error: &ControlError, connection: &quinn::Connection) -> Self {
        match (error, connection.close_reason()) {
            (ControlError::Io(_) | ControlError::Truncated, Some(reason)) => reason.into(),
            (ControlError::Io(_), None) => Self::Connection(Lost::Broken),
            (ControlError::Protocol(_), _) | (ControlError::Truncated, None) => Self::Protocol,
        }
    }
}

/// Why a request to the relay came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LegError {
    /// The relay says no.
    #[error("the relay refuses: {}", refusal_sentence(*refusal))]
    Refused {
        /// Why.
        refusal: RelayRefusal,
        /// Seconds after which it may be tried again, where that helps.
        retry_after_s: Option<u16>,
    },
    /// No answer came in 15 s.
    #[error("the relay does not answer: try again")]
    NoAnswer,
    /// The leg is over.
    #[error(transparent)]
    Lost(#[from] LegLost),
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls,
}

impl LegError {
    /// Whether the same request may succeed later without a person changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } => is_refusal_retryable(*refusal),
            Self::NoAnswer | Self::Lost(_) => true,
            Self::Tls => false,
        }
    }
}

impl From<TlsError> for LegError {
    fn from(error: TlsError) -> Self {
        tracing::error!(%error, "TLS could not be set up");
        Self::Tls
    }
}

/// Why there is no end-to-end connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// The other side was not heard in 15 s.
    #[error("the other side does not answer")]
    Silent,
    /// The handshake failed, or the connection broke in it.
    #[error("no secure connection to the other side")]
    Failed(#[source] Lost),
    /// What answered is not bound to a key.
    #[error("no secure connection to the other side")]
    NotBound(#[from] NotBound),
    /// The leg is over.
    #[error("no way to the other side: the leg is over")]
    LegGone,
    /// The operator accepts no connection, a device dials none.
    #[error("this side may not make that connection")]
    NotAllowed,
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls(#[from] TlsError),
}

impl From<Lost> for DialError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Silent => Self::Silent,
            Lost::ClosedHere => Self::LegGone,
            Lost::ClosedByPeer { .. } | Lost::Restarted | Lost::Refused { .. } | Lost::Broken => {
                Self::Failed(lost)
            }
        }
    }
}
