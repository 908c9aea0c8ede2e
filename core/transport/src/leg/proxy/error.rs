//! What can go wrong with a proxy, in sentences that say what to do.

use std::io;

use alongside_protocol::{
    label::Label,
    obstacle::{Obstacle, ObstacleKind},
};

use crate::leg::{http::HeadError, inert::inert};

/// Why a proxy gives no way to the relay.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The proxy refused the credentials, now or before; they are not sent again.
    #[error(
        "the proxy {proxy} refuses the user name or the password: correct them before the next try, accounts lock"
    )]
    CredentialsWrong {
        /// The proxy.
        proxy: String,
    },
    /// The proxy wants credentials and there are none.
    #[error("the proxy {proxy} asks for a user name and a password{}: get them from who runs this network", in_realm(realm.as_ref()))]
    CredentialsNeeded {
        /// The proxy.
        proxy: String,
        /// What it calls the place that they are for.
        realm: Option<Label<64>>,
    },
    /// The proxy knows no Basic credentials.
    #[error(
        "the proxy {proxy} wants {}, and only Basic is spoken here: ask who runs this network for a way around it",
        or(offered)
    )]
    Scheme {
        /// The proxy.
        proxy: String,
        /// The schemes that it offers.
        offered: Vec<Label<64>>,
    },
    /// The proxy does not let anybody through to the relay.
    #[error("the proxy {proxy} does not let this through ({status}{}): ask who runs this network to allow the relay on port 443", words(reason.as_ref()))]
    Refused {
        /// The proxy.
        proxy: String,
        /// Its status code (RFC 9110, section 15).
        status: u16,
        /// Its own words.
        reason: Option<Label<64>>,
    },
    /// What answers is no HTTP proxy.
    #[error("what answers at {proxy} is not an HTTP proxy: check its host and port")]
    NotAProxy {
        /// The proxy.
        proxy: String,
        /// What it said instead.
        source: Option<HeadError>,
    },
    /// Nothing answers, or not in time.
    #[error("the proxy {proxy} does not answer: check its host and port")]
    Unreachable {
        /// The proxy.
        proxy: String,
        /// What the system said; nothing if it took too long.
        source: Option<io::Error>,
    },
    /// The proxy's name leads nowhere.
    #[error("no address was found for the proxy {proxy}: check its name and this machine's DNS")]
    NoDns {
        /// The proxy.
        proxy: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The proxy's own certificate is not trusted.
    #[error(
        "the certificate of the proxy {proxy}{} is not trusted here: ask who runs this network for its authority",
        by(issuer.as_ref())
    )]
    Untrusted {
        /// The proxy.
        proxy: String,
        /// Who issued it, in the issuer's own words.
        issuer: Option<Label<64>>,
    },
    /// TLS to the proxy failed.
    #[error(
        "no TLS connection to the proxy {proxy}: check that this system trusts its certificate"
    )]
    Tls {
        /// The proxy.
        proxy: String,
        /// Why.
        source: io::Error,
    },
}

impl ProxyError {
    /// What stands in the way.
    pub fn obstacle(&self) -> Obstacle {
        match self {
            Self::CredentialsWrong { .. } => ObstacleKind::ProxyCredentialsWrong.into(),
            Self::CredentialsNeeded { realm, .. } => {
                Obstacle::with_detail(ObstacleKind::ProxyCredentialsNeeded, realm.clone())
            }
            Self::Scheme { offered, .. } => {
                Obstacle::with_detail(ObstacleKind::ProxyScheme, inert(&or(offered)))
            }
            Self::Refused { status, reason, .. } => {
                let kind = if is_sign_in(*status) {
                    ObstacleKind::CaptivePortal
                } else {
                    ObstacleKind::ProxyRefused
                };
                let detail = inert(&format!("{status}{}", words(reason.as_ref())));
                Obstacle::with_detail(kind, detail)
            }
            Self::NotAProxy { .. } => ObstacleKind::ProxyNot.into(),
            Self::NoDns { .. } => ObstacleKind::ProxyName.into(),
            Self::Untrusted { issuer, .. } => {
                Obstacle::with_detail(ObstacleKind::ProxyUntrusted, issuer.clone())
            }
            Self::Unreachable { .. } | Self::Tls { .. } => ObstacleKind::ProxyUnreachable.into(),
        }
    }

    /// Word for records and the command line.
    pub fn code(&self) -> &'static str {
        self.obstacle().kind.code()
    }

    /// Whether the same attempt may succeed later without a person changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            // 5xx: the proxy or its own way out, which may come back.
            Self::Refused { status, .. } => *status >= 500,
            Self::Unreachable { .. } | Self::NoDns { .. } => true,
            Self::CredentialsWrong { .. }
            | Self::CredentialsNeeded { .. }
            | Self::Scheme { .. }
            | Self::NotAProxy { .. }
            | Self::Untrusted { .. }
            | Self::Tls { .. } => false,
        }
    }
}

fn in_realm(realm: Option<&Label<64>>) -> String {
    realm.map_or_else(String::new, |realm| {
        format!(" for \u{201c}{}\u{201d}", realm.as_str())
    })
}

/// Status codes by which a network sends a newcomer to its sign-in page (RFC 9110, section 15.4; RFC 6585, section 6).
pub(crate) const fn is_sign_in(status: u16) -> bool {
    matches!(status, 300..=399 | 511)
}

/// ` (issued by “X”)`, if that can be said.
pub(crate) fn by(issuer: Option<&Label<64>>) -> String {
    issuer.map_or_else(String::new, |issuer| {
        format!(" (issued by \u{201c}{issuer}\u{201d})")
    })
}

fn words(reason: Option<&Label<64>>) -> String {
    reason.map_or_else(String::new, |reason| format!(" {}", reason.as_str()))
}

fn or(offered: &[Label<64>]) -> String {
    if offered.is_empty() {
        return "another kind of credentials".to_owned();
    }
    let names: Vec<&str> = offered.iter().map(Label::as_str).collect();
    names.join(" or ")
}
