//! `alongside-agent doctor`: tries each way to the relay, and says why one does not work and whom to ask.

use std::{
    io::{self, Write as _},
    sync::Arc,
    time::Duration,
};

use alongside::{
    Identity, PathKind, Relay,
    protocol::{
        obstacle::{Obstacle, ObstacleKind},
        relay::Role,
    },
    transport::{ConnectError, Paths},
};
use serde::Serialize;

use crate::{
    cli::DoctorArgs,
    config::{Surroundings, device_link},
    exit::{Exit, chain, fail, inert},
    obstacle::{sentence, whom},
    panel::mfd::Route,
};

mod table;

/// Tries the ways, prints what came of them.
pub async fn run(args: DoctorArgs) -> Exit {
    let around = Surroundings::of_process();
    let (link, chosen) = match device_link(&args.link, args.state.as_deref(), &around) {
        Ok(found) => found,
        Err(error) => return fail(Exit::Usage, &chain(&error)),
    };
    let identity = match Identity::generate() {
        Ok(identity) => Arc::new(identity),
        Err(error) => return fail(Exit::Failed, &chain(&error)),
    };
    let found = Found {
        interface: link.interface,
        on_panel: names_of(&chosen),
        ..examine(&link.relay, &identity, &|_| {}).await
    };
    let text = if args.json {
        found.line()
    } else {
        table::of(&found)
    };
    // Nobody who reads it is no reason to fail: the exit code says the most of it.
    let _ = writeln!(io::stdout(), "{text}");
    if found.rungs.iter().any(|rung| rung.works == Some(true)) {
        Exit::Done
    } else {
        Exit::NoPath
    }
}

/// The names of what is chosen.
fn names_of(chosen: &Route) -> Vec<&'static str> {
    let choices = [
        ("relay", &chosen.relay),
        ("interface", &chosen.interface),
        ("proxy", &chosen.proxy),
    ];
    let made = choices.iter().filter(|(_, choice)| choice.is_some());
    made.map(|(name, _)| *name).collect()
}

/// What was found out.
#[derive(Debug, Serialize)]
pub struct Found {
    /// The relay.
    pub relay: String,
    /// The network interface, where one is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The proxy, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// What of `relay`, `interface` and `proxy` was chosen on the device's panel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_panel: Vec<&'static str>,
    /// The ways, best first.
    pub rungs: Vec<Rung>,
    /// What is worth knowing, though it stands in nobody's way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Why>,
}

impl Found {
    /// One JSON line.
    fn line(&self) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            event: &'static str,
            #[serde(flatten)]
            found: &'a Found,
            t: u64,
        }
        let line = Line {
            event: "doctor",
            found: self,
            t: alongside::unix_ms(),
        };
        // Keys are strings and numbers are finite, so this cannot fail.
        serde_json::to_string(&line).unwrap_or_default()
    }
}

/// One way.
#[derive(Debug, Serialize)]
pub struct Rung {
    /// Which, for programs.
    #[serde(skip)]
    pub kind: PathKind,
    /// Which.
    pub rung: &'static str,
    /// Whether it works; unknown of the direct way, which takes two.
    pub works: Option<bool>,
    /// Milliseconds until it worked, or until that was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Why not.
    #[serde(flatten)]
    pub why: Option<Why>,
}

/// Why not, and whom to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
    /// What stands in the way.
    #[serde(skip)]
    pub obstacle: Obstacle,
    /// The exact word.
    pub reason: &'static str,
    /// The error code of the command line.
    pub code: &'static str,
    /// In words.
    pub message: String,
    /// Whom to ask, in a word.
    pub ask: &'static str,
    /// Whom to ask, in words.
    #[serde(skip)]
    pub whom: &'static str,
}

impl Why {
    fn new(obstacle: &Obstacle, message: String) -> Self {
        let (kind, contact) = (obstacle.kind, obstacle.kind.contact());
        Self {
            obstacle: obstacle.clone(),
            reason: kind.as_str(),
            code: kind.code(),
            message: inert(&message),
            ask: contact.as_str(),
            whom: whom(contact),
        }
    }

    fn plain(kind: ObstacleKind) -> Self {
        let obstacle = kind.into();
        Self::new(&obstacle, sentence(&obstacle))
    }
}

/// Who is told of a way as soon as it is tried; what all of them come to can put it in another light.
pub type Tell<'a> = &'a (dyn Fn(&Rung) + Send + Sync);

/// Tries the ways that lead to `relay`, all at once.
pub async fn examine(relay: &Relay, identity: &Arc<Identity>, tell: Tell<'_>) -> Found {
    let allowed = relay.paths();
    let only = |kind, paths| async move {
        let attempt = Attempt::make(relay, paths, identity).await;
        tell(&attempt.rung(kind));
        attempt
    };
    let (quic, tls, proxy) = tokio::join!(
        when(allowed.relay_quic, || only(
            PathKind::RelayQuic,
            Paths {
                relay_quic: true,
                ..NONE
            }
        )),
        when(allowed.relay_tls, || only(
            PathKind::RelayTls,
            Paths {
                relay_tls: true,
                ..NONE
            }
        )),
        when(allowed.relay_proxy && relay.proxy().is_some(), || {
            only(
                PathKind::RelayProxy,
                Paths {
                    relay_proxy: true,
                    ..NONE
                },
            )
        }),
    );
    let remarks = [&quic, &tls, &proxy].into_iter().flatten();
    let mut remarks: Vec<Why> = remarks
        .flat_map(|attempt| attempt.remarks.clone())
        .collect();
    remarks.sort_by_key(|remark| remark.reason);
    remarks.dedup();
    let no_proxy = if relay.announces_proxy().await {
        ObstacleKind::ProxyAutomatic
    } else {
        ObstacleKind::NoProxy
    };
    let forbidden = |is_allowed, otherwise| {
        if is_allowed {
            otherwise
        } else {
            ObstacleKind::NotAllowed
        }
    };
    let over_udp = udp(obstacle(quic.as_ref()), obstacle(tls.as_ref()));
    let mut over_quic = rung(PathKind::RelayQuic, quic, ObstacleKind::NotAllowed);
    if over_udp == Some(ObstacleKind::RelayDown) {
        over_quic.why = over_udp.map(Why::plain);
    }
    let rungs = vec![
        direct(allowed, over_udp),
        over_quic,
        rung(PathKind::RelayTls, tls, ObstacleKind::NotAllowed),
        rung(
            PathKind::RelayProxy,
            proxy,
            forbidden(allowed.relay_proxy, no_proxy),
        ),
    ];
    Found {
        relay: relay.host().unwrap_or_default().to_owned(),
        interface: None,
        proxy: relay.proxy().map(ToString::to_string),
        on_panel: Vec::new(),
        rungs,
        remarks,
    }
}

const NONE: Paths = Paths {
    direct: false,
    relay_quic: false,
    relay_tls: false,
    relay_proxy: false,
};

async fn when<F: Future<Output = Attempt>>(
    condition: bool,
    attempt: impl FnOnce() -> F,
) -> Option<Attempt> {
    if condition {
        Some(attempt().await)
    } else {
        None
    }
}

/// What came of one way.
struct Attempt {
    time: Duration,
    error: Option<ConnectError>,
    remarks: Vec<Why>,
}

impl Attempt {
    async fn make(relay: &Relay, paths: Paths, identity: &Arc<Identity>) -> Self {
        let start = tokio::time::Instant::now();
        let relay = relay.clone().with_paths(paths);
        let connected = relay.connect(Role::Device, Arc::clone(identity)).await;
        let time = start.elapsed();
        match connected {
            Ok((leg, _events)) => {
                let remarks = leg.remarks().iter();
                let remarks = remarks.map(|remark| Why::new(remark, sentence(remark)));
                let remarks = remarks.collect();
                leg.close().await;
                Self {
                    time,
                    error: None,
                    remarks,
                }
            }
            Err(error) => Self {
                time,
                error: Some(error),
                remarks: Vec::new(),
            },
        }
    }
}

impl Attempt {
    fn rung(&self, kind: PathKind) -> Rung {
        Rung {
            kind,
            rung: kind.as_str(),
            works: Some(self.error.is_none()),
            ms: u64::try_from(self.time.as_millis()).ok(),
            why: (self.error.as_ref()).map(|error| Why::new(&error.obstacle(), chain(error))),
        }
    }
}

fn rung(kind: PathKind, attempt: Option<Attempt>, otherwise: ObstacleKind) -> Rung {
    match attempt {
        Some(attempt) => attempt.rung(kind),
        None => Rung {
            kind,
            rung: kind.as_str(),
            works: Some(false),
            ms: None,
            why: Some(Why::plain(otherwise)),
        },
    }
}

fn obstacle(attempt: Option<&Attempt>) -> Option<ObstacleKind> {
    let error = attempt?.error.as_ref()?;
    Some(error.obstacle().kind)
}

/// What keeps UDP from the relay: a relay whose machine refuses TCP is down, and its silence says nothing of the network.
fn udp(quic: Option<ObstacleKind>, tls: Option<ObstacleKind>) -> Option<ObstacleKind> {
    match (quic, tls) {
        (Some(ObstacleKind::UdpBlocked), Some(ObstacleKind::RelayDown)) => {
            Some(ObstacleKind::RelayDown)
        }
        (quic, _) => quic,
    }
}

/// The direct way is found in a session alone; without UDP there is none.
fn direct(allowed: Paths, over_udp: Option<ObstacleKind>) -> Rung {
    let why = if allowed.direct {
        over_udp.filter(|kind| {
            matches!(
                kind,
                ObstacleKind::UdpBlocked | ObstacleKind::NoNetwork | ObstacleKind::NoSocket
            )
        })
    } else {
        Some(ObstacleKind::NotAllowed)
    };
    Rung {
        kind: PathKind::Direct,
        rung: PathKind::Direct.as_str(),
        works: why.map(|_| false),
        ms: None,
        why: why.map(Why::plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_that_is_down_is_not_blamed_on_the_network() {
        let down = udp(
            Some(ObstacleKind::UdpBlocked),
            Some(ObstacleKind::RelayDown),
        );
        assert_eq!(down, Some(ObstacleKind::RelayDown));
        assert_eq!(direct(Paths::default(), down).works, None);

        let blocked = udp(Some(ObstacleKind::UdpBlocked), None);
        assert_eq!(blocked, Some(ObstacleKind::UdpBlocked));
        assert_eq!(direct(Paths::default(), blocked).works, Some(false));
    }
}
