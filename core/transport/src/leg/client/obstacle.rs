//! What stands in the way, in the vocabulary of everything that shows it.

use std::io;

use alongside_protocol::{
    obstacle::{Obstacle, ObstacleKind},
    relay::RelayRefusal,
};

use super::{Attempt, ConnectError, error::most_telling};
use crate::leg::{
    inert::inert,
    tls::{CertificateFault, TrustError},
};

impl ConnectError {
    /// What stands in the way; where several ways were tried, in the way of all of them.
    pub fn obstacle(&self) -> Obstacle {
        match self {
            Self::NoDns { .. } => ObstacleKind::NoDns.into(),
            Self::Unreachable { .. } => ObstacleKind::UdpBlocked.into(),
            Self::NoStream { source, .. } => of_silence(source.as_ref()).into(),
            Self::NotARelay { .. } | Self::NoWebSocket { .. } => ObstacleKind::NotARelay.into(),
            Self::Broke { .. } => ObstacleKind::RelayUnreachable.into(),
            Self::WrongName { .. } => ObstacleKind::RelayName.into(),
            Self::Untrusted { fault, issuer, .. } => {
                Obstacle::with_detail(of_fault(*fault), issuer.clone())
            }
            Self::Trust(error) => of_trust(error).into(),
            Self::Refused { refusal, .. } => of_refusal(*refusal).into(),
            Self::Socket { .. } | Self::Listen { .. } => ObstacleKind::NoSocket.into(),
            Self::Tls(_) => ObstacleKind::Internal.into(),
            Self::Proxy(error) => error.obstacle(),
            Self::Intercepted { issuer, .. } => {
                Obstacle::with_detail(ObstacleKind::Intercepted, issuer.clone())
            }
            Self::StreamTls { .. } => ObstacleKind::TlsBroken.into(),
            Self::UpgradeRefused { status, .. } => {
                Obstacle::with_detail(ObstacleKind::UpgradeRefused, inert(&status.to_string()))
            }
            Self::CaptivePortal { .. } => ObstacleKind::CaptivePortal.into(),
            Self::AutomaticProxy { .. } => ObstacleKind::ProxyAutomatic.into(),
            Self::NoWayAllowed | Self::NoRelay => ObstacleKind::NotAllowed.into(),
            Self::Every { attempts } => of_all(attempts),
        }
    }
}

/// What stands in the way of all of `attempts`: the most telling of them, or, where each only met silence, what the
/// silence of all means.
fn of_all(attempts: &[Attempt]) -> Obstacle {
    let telling = most_telling(attempts).map(ConnectError::obstacle);
    let met = |kind| {
        attempts
            .iter()
            .any(|attempt| attempt.error().obstacle().kind == kind)
    };
    match telling {
        Some(telling) if !is_silence(telling.kind) => telling,
        Some(_) => [
            ObstacleKind::NoNetwork,
            ObstacleKind::NoDns,
            ObstacleKind::RelayDown,
        ]
        .into_iter()
        .find(|kind| met(*kind))
        .unwrap_or(ObstacleKind::RelayUnreachable)
        .into(),
        None => ObstacleKind::NotAllowed.into(),
    }
}

const fn is_silence(kind: ObstacleKind) -> bool {
    matches!(
        kind,
        ObstacleKind::UdpBlocked
            | ObstacleKind::TcpBlocked
            | ObstacleKind::NoDns
            | ObstacleKind::NoNetwork
            | ObstacleKind::RelayDown
    )
}

fn of_silence(said: Option<&io::Error>) -> ObstacleKind {
    match said.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => ObstacleKind::RelayDown,
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown) => {
            ObstacleKind::NoNetwork
        }
        _ => ObstacleKind::TcpBlocked,
    }
}

const fn of_fault(fault: CertificateFault) -> ObstacleKind {
    match fault {
        CertificateFault::Untrusted | CertificateFault::Unusable => ObstacleKind::RelayUntrusted,
        CertificateFault::WrongName => ObstacleKind::RelayName,
        CertificateFault::OutOfDate => ObstacleKind::CertificateDate,
        CertificateFault::NoClock => ObstacleKind::Clock,
        CertificateFault::WrongPin => ObstacleKind::RelayPin,
    }
}

const fn of_trust(error: &TrustError) -> ObstacleKind {
    match error {
        TrustError::NoPlatformRoots => ObstacleKind::NoRoots,
        TrustError::NoCertificate
        | TrustError::NotPem
        | TrustError::BadCertificate(_)
        | TrustError::Verifier(_)
        | TrustError::Tls(_) => ObstacleKind::RelayUntrusted,
    }
}

fn of_refusal(refusal: RelayRefusal) -> ObstacleKind {
    if refusal == RelayRefusal::Full {
        ObstacleKind::RelayFull
    } else {
        ObstacleKind::RelayRefused
    }
}
