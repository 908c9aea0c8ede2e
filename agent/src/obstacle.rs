//! What stands in the way to the relay, in the words of the command line: what is wrong, then what to do.

use alongside::protocol::obstacle::{Contact, Obstacle, ObstacleKind};

/// The sentence of an obstacle.
pub fn sentence(obstacle: &Obstacle) -> String {
    let words = plain(obstacle.kind);
    match &obstacle.detail {
        // Before the advice: somebody else's words belong to what is wrong.
        Some(detail) => match words.split_once(": ") {
            Some((what, advice)) => format!("{what} ({detail}): {advice}"),
            None => format!("{words} ({detail})"),
        },
        None => words.to_owned(),
    }
}

const fn plain(kind: ObstacleKind) -> &'static str {
    match kind {
        ObstacleKind::NoDns => {
            "the relay's name does not resolve: check its spelling and this network's DNS"
        }
        ObstacleKind::NoNetwork => {
            "this machine has no way into any network: check its cable and its address"
        }
        ObstacleKind::UdpBlocked => {
            "the relay does not answer on UDP port 443: ask whoever runs this network's firewall to let it out"
        }
        ObstacleKind::TcpBlocked => {
            "the relay does not answer on TCP port 443: ask whoever runs this network's firewall to let it out"
        }
        ObstacleKind::RelayUnreachable => {
            "the relay does not answer, neither on UDP nor on TCP port 443: ask whoever runs this network's firewall"
        }
        ObstacleKind::RelayDown => {
            "the relay does not answer on UDP port 443 and refuses TCP: it is down, or a firewall answers for it"
        }
        ObstacleKind::NotARelay => "what answers is not an Alongside relay: check --relay",
        ObstacleKind::RelayUntrusted => {
            "the relay's certificate is not trusted: give its authority with --relay-ca or its key with --relay-pin"
        }
        ObstacleKind::RelayPin => {
            "the relay's key is not the pinned one, so it is not trusted: if the relay's key was changed, change --relay-pin"
        }
        ObstacleKind::RelayName => "the relay's certificate is for another name: check --relay",
        ObstacleKind::CertificateDate => {
            "the relay's certificate is not valid today: check this machine's date, then tell whoever runs the relay"
        }
        ObstacleKind::Clock => {
            "the clock of this machine cannot be right, so no certificate can be judged by it: set its date"
        }
        ObstacleKind::NoRoots => {
            "this machine has no list of certificate authorities, so nobody is trusted: give the relay's with --relay-ca or its key with --relay-pin"
        }
        ObstacleKind::Intercepted => {
            "TLS to the relay is intercepted by somebody who is not trusted here: ask whoever runs this network to except the relay from inspection"
        }
        ObstacleKind::TlsBroken => {
            "TLS to the relay is broken on the way: ask whoever runs this network whether it is inspected"
        }
        ObstacleKind::UpgradeRefused => {
            "something before the relay lets the connection through but no WebSocket: ask whoever runs this network to allow WebSockets to the relay"
        }
        ObstacleKind::CaptivePortal => {
            "a page of this network answers in the relay's place: sign in to the network first"
        }
        ObstacleKind::RelayRefused => "the relay does not want this side",
        ObstacleKind::RelayFull => "the relay is full: try again later",
        ObstacleKind::ProxyCredentialsWrong => {
            "the proxy refuses the user name or the password: correct them before the next try, accounts lock"
        }
        ObstacleKind::ProxyCredentialsNeeded => {
            "the proxy asks for a user name and a password: put user:password into a file and name it with --proxy-credentials-file"
        }
        ObstacleKind::ProxyScheme => {
            "the proxy wants another way to log in, and only Basic is spoken here: ask whoever runs this network for a way around it"
        }
        ObstacleKind::ProxyRefused => {
            "the proxy does not let this through: ask whoever runs this network to allow the relay on port 443"
        }
        ObstacleKind::ProxyNot => {
            "what answers in the proxy's place is not an HTTP proxy: check the proxy's host and port"
        }
        ObstacleKind::ProxyUnreachable => {
            "the proxy does not answer: check its host and port, then ask whoever runs this network"
        }
        ObstacleKind::ProxyName => "the proxy's name does not resolve: check its spelling",
        ObstacleKind::ProxyUntrusted => {
            "the proxy's own certificate is not trusted: ask whoever runs this network for its authority"
        }
        ObstacleKind::ProxyAutomatic => {
            "nothing answers, and this network announces its proxy by a file (PAC, WPAD), which is not read: name the proxy with --proxy"
        }
        ObstacleKind::NoDirect => {
            "the address translators or firewalls of the two networks let no direct way through: the relay carries the session"
        }
        ObstacleKind::NoProxy => "no proxy is set: name one with --proxy if this network has one",
        ObstacleKind::NotAllowed => "the settings forbid this way: see `paths`",
        ObstacleKind::NoSocket => {
            "this machine gives no socket: check the name of the network interface"
        }
        ObstacleKind::Internal | _ => "this program is at fault: please report it",
    }
}

/// Whom to ask, in words.
pub const fn whom(contact: Contact) -> &'static str {
    match contact {
        Contact::Network => "whoever runs this network",
        Contact::Relay => "whoever runs the relay",
        Contact::Settings => "whoever set this machine up",
        Contact::Nobody | _ => "nobody: it passes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_elses_words_stand_with_what_is_wrong() {
        let detail = "Web Gateway CA".parse().ok();
        let obstacle = Obstacle::with_detail(ObstacleKind::Intercepted, detail);
        let words = sentence(&obstacle);
        assert!(
            words.contains("trusted here (Web Gateway CA): ask"),
            "{words}"
        );
    }

    #[test]
    fn every_obstacle_has_a_sentence_of_its_own() {
        let sentences: std::collections::BTreeSet<_> = ObstacleKind::ALL
            .iter()
            .map(|kind| sentence(&(*kind).into()))
            .collect();
        assert_eq!(sentences.len(), ObstacleKind::ALL.len());
    }
}
