//! What stands in the way to the relay: one vocabulary for the panel, the console, `--stdio`, the doctor and records.

use std::fmt;

use crate::{label::Label, reason::reasons};

reasons! {
    /// Kinds of obstacle, each of which a person can do something else about.
    pub enum ObstacleKind {
        /// The relay's name leads to no address.
        NoDns = "no-dns",
        /// This machine has no network, or no way out of it.
        NoNetwork = "no-network",
        /// UDP to port 443 gets no answer.
        UdpBlocked = "udp-blocked",
        /// TCP to port 443 gets no answer.
        TcpBlocked = "tcp-blocked",
        /// Nothing at all answers on port 443.
        RelayUnreachable = "relay-unreachable",
        /// The relay's machine, or a firewall in its place, refuses connections to port 443.
        RelayDown = "relay-down",
        /// What answers is not a relay.
        NotARelay = "not-a-relay",
        /// The relay's certificate leads to nobody who is trusted here.
        RelayUntrusted = "relay-untrusted",
        /// The relay's key is not the pinned one.
        RelayPin = "relay-pin",
        /// The relay's certificate is for another name.
        RelayName = "relay-name",
        /// The relay's certificate is not valid today.
        CertificateDate = "certificate-date",
        /// The clock of this machine cannot be right, so that no date can be judged by it.
        Clock = "clock",
        /// This machine trusts nobody: it has no list of certificate authorities.
        NoRoots = "no-roots",
        /// Somebody on the way opens the TLS connection, and is not trusted here.
        Intercepted = "tls-intercepted",
        /// The TLS connection breaks on the way.
        TlsBroken = "tls-broken",
        /// The connection is let through, but not the WebSocket in it.
        UpgradeRefused = "proxy-upgrade",
        /// A sign-in page of the network answers in the relay's place.
        CaptivePortal = "captive-portal",
        /// The relay does not want this side.
        RelayRefused = "relay-refused",
        /// The relay has no room.
        RelayFull = "relay-full",
        /// The proxy refuses the user name or the password.
        ProxyCredentialsWrong = "proxy-credentials-wrong",
        /// The proxy wants a user name and a password.
        ProxyCredentialsNeeded = "proxy-credentials-needed",
        /// The proxy wants another way to log in than Basic.
        ProxyScheme = "proxy-scheme",
        /// The proxy does not let this through.
        ProxyRefused = "proxy-refused",
        /// What answers in the proxy's place is not a proxy.
        ProxyNot = "proxy-not",
        /// The proxy does not answer.
        ProxyUnreachable = "proxy-unreachable",
        /// The proxy's name leads to no address.
        ProxyName = "proxy-name",
        /// The proxy's own certificate is not trusted here.
        ProxyUntrusted = "proxy-untrusted",
        /// The network announces its proxy by a file (PAC, WPAD), which is not read.
        ProxyAutomatic = "proxy-automatic",
        /// No direct way was found between the two networks.
        NoDirect = "no-direct",
        /// No proxy is set.
        NoProxy = "no-proxy",
        /// The settings forbid this way.
        NotAllowed = "not-allowed",
        /// This machine gives no socket, on the interface that is set or at all.
        NoSocket = "no-socket",
        /// A fault of this program.
        Internal = "internal",
    }
}

reasons! {
    /// Who can clear an obstacle away.
    pub enum Contact {
        /// Whoever runs this network.
        Network = "network",
        /// Whoever runs the relay.
        Relay = "relay",
        /// Whoever set this machine up.
        Settings = "settings",
        /// Nobody: it passes by itself.
        Nobody = "nobody",
    }
}

impl ObstacleKind {
    /// The error code of the command line: a coarser word, of which there are few.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoDns => "no-dns",
            Self::NoNetwork
            | Self::UdpBlocked
            | Self::TcpBlocked
            | Self::RelayUnreachable
            | Self::RelayDown
            | Self::NotARelay
            | Self::TlsBroken
            | Self::CaptivePortal
            | Self::NoDirect => "relay-unreachable",
            Self::RelayUntrusted
            | Self::RelayPin
            | Self::CertificateDate
            | Self::Clock
            | Self::NoRoots
            | Self::Intercepted => "relay-untrusted",
            Self::RelayName => "relay-name",
            Self::UpgradeRefused => "proxy-upgrade",
            Self::RelayRefused | Self::RelayFull => "relay-refused",
            Self::ProxyCredentialsWrong => "proxy-credentials-wrong",
            Self::ProxyCredentialsNeeded => "proxy-credentials-needed",
            Self::ProxyScheme => "proxy-scheme",
            Self::ProxyRefused => "proxy-refused",
            Self::ProxyNot => "proxy-not",
            Self::ProxyUnreachable
            | Self::ProxyName
            | Self::ProxyUntrusted
            | Self::ProxyAutomatic
            | Self::NoProxy => "proxy-unreachable",
            Self::NotAllowed | Self::NoSocket | Self::Internal => "internal",
        }
    }

    /// Whom to ask.
    pub const fn contact(self) -> Contact {
        match self {
            Self::NoNetwork
            | Self::NoDns
            | Self::UdpBlocked
            | Self::TcpBlocked
            | Self::RelayUnreachable
            | Self::Intercepted
            | Self::TlsBroken
            | Self::UpgradeRefused
            | Self::CaptivePortal
            | Self::NoDirect
            | Self::ProxyCredentialsWrong
            | Self::ProxyCredentialsNeeded
            | Self::ProxyScheme
            | Self::ProxyRefused
            | Self::ProxyUnreachable
            | Self::ProxyUntrusted
            | Self::ProxyAutomatic => Contact::Network,
            Self::RelayDown | Self::RelayRefused | Self::CertificateDate => Contact::Relay,
            Self::NotARelay
            | Self::RelayUntrusted
            | Self::RelayPin
            | Self::RelayName
            | Self::Clock
            | Self::NoRoots
            | Self::ProxyNot
            | Self::ProxyName
            | Self::NoProxy
            | Self::NotAllowed
            | Self::NoSocket
            | Self::Internal => Contact::Settings,
            Self::RelayFull => Contact::Nobody,
        }
    }
}

/// What stands in the way, and the words that came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// What it is.
    pub kind: ObstacleKind,
    /// Somebody else's words: an issuer, a realm, the schemes that a proxy offers, its status.
    pub detail: Option<Label<64>>,
}

impl Obstacle {
    /// An obstacle that came with these words.
    pub const fn with_detail(kind: ObstacleKind, detail: Option<Label<64>>) -> Self {
        Self { kind, detail }
    }
}

impl From<ObstacleKind> for Obstacle {
    fn from(kind: ObstacleKind) -> Self {
        Self { kind, detail: None }
    }
}

/// The word, and the words that came with it in brackets.
impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{} ({detail})", self.kind),
            None => write!(f, "{}", self.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_said_once() {
        let words: std::collections::BTreeSet<_> =
            ObstacleKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(words.len(), ObstacleKind::ALL.len());
    }

    #[test]
    fn a_code_is_the_word_of_an_obstacle_too() {
        let words: std::collections::BTreeSet<_> =
            ObstacleKind::ALL.iter().map(|kind| kind.as_str()).collect();
        for kind in ObstacleKind::ALL {
            assert!(words.contains(kind.code()), "{kind}: {}", kind.code());
        }
    }
}
