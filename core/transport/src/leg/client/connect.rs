//! From a name to a leg that the relay has let in.
//!
//! All ways race: UDP at once, the stream a moment later, and the first that brings the relay's challenge wins.
//! Nothing waits for UDP to time out.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use alongside_protocol::{
    LegToken,
    label::Label,
    obstacle::{Obstacle, ObstacleKind},
    relay::{Challenge, FromRelay, Refused, RelayRefusal, ToRelay, Welcome},
};
use quinn::{AsyncUdpSocket, ConnectionError, Endpoint, TokioRuntime, TransportErrorCode};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use super::{
    Attempt, ConnectError, Inner, Leg, LegConfig, LegEvents, LegLost, RelayAddress,
    closed::Closed,
    driver,
    stream::{LiveStream, Opener},
};
use crate::{
    congestion::PathGeneration,
    connection::Lost,
    leg::{
        cid::{endpoint_config, random_token},
        control::{ControlReader, ControlWriter},
        network::Network,
        shared_socket::SharedSocket,
        tls::{CertificateFault, Verdict},
    },
    path::relay::{Allowed, Hop, RelayLink, RelayWays},
};

mod race;
mod registrar;

use race::Heard;
pub(super) use race::on;
use registrar::Caller;
pub(super) use registrar::{Member, Registrar};

/// Longest wait for a way to the relay, handshake and authentication together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests that wait for the leg's driver; callers wait beyond that.
const REQUESTS: usize = 16;

/// Events that nobody has taken; a relay that sends more of them is flooding.
pub(super) const EVENTS: usize = 64;

pub(super) type Reader = ControlReader<FromRelay, quinn::RecvStream>;
pub(super) type Writer = ControlWriter<ToRelay, quinn::SendStream>;

/// Over one socket and UDP through the relay alone.
pub(super) async fn over(
    mut config: LegConfig,
    io: Arc<dyn AsyncUdpSocket>,
    relay: SocketAddr,
) -> Result<(Leg, LegEvents), ConnectError> {
    config.paths.direct = false;
    let unreachable = || ConnectError::Unreachable {
        relay: config.relay.clone(),
    };
    let connect = async {
        let prospect = Prospect::over_udp(&config, io, relay, &Heard::default()).await?;
        prospect.join(&config, None, &[]).await
    };
    timeout(CONNECT_TIMEOUT, connect)
        .await
        .unwrap_or_else(|_| Err(unreachable()))
}

/// A connection on which the relay has sent its challenge.
struct Prospect {
    registrar: Registrar,
    socket: Arc<SharedSocket>,
    caller: Caller,
    stream: Option<LiveStream>,
    /// Who issued the relay's certificate.
    issuer: Option<Label<64>>,
    /// What a person should know, though it stands in nobody's way.
    remarks: Vec<Obstacle>,
}

impl Prospect {
    async fn over_udp(
        config: &LegConfig,
        io: Arc<dyn AsyncUdpSocket>,
        relay: SocketAddr,
        heard: &Heard,
    ) -> Result<Self, ConnectError> {
        let token = random_token();
        let socket = share(config, io, token, relay)?;
        heard.over_udp(&socket);
        Self::dial(config, token, socket, None).await
    }

    async fn over_stream(
        config: &LegConfig,
        network: &dyn Network,
        relay: Option<SocketAddr>,
        opener: &Opener,
        heard: &Heard,
    ) -> Result<Self, ConnectError> {
        let opened = opener.open().await?;
        heard.leave_to_udp().await;
        let outer = opened.outer();
        // UDP may pass later, or to the peer.
        let nowhere = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), config.relay.port);
        let relay = relay.unwrap_or(nowhere);
        let io = network
            .udp(relay)
            .map_err(|source| no_socket(config, source))?;
        let token = random_token();
        let socket = share(config, io, token, relay)?;
        let stream = opened.start(&socket);
        stream.attach(&socket);
        socket.set_ways(RelayWays::all(Hop::Stream));
        let mut prospect = Self::dial(config, token, socket, Some(stream)).await?;
        if let Some(issuer) = outer
            .inspector()
            .filter(|issuer| *issuer != prospect.issuer)
        {
            tracing::warn!(
                issuer = issuer.as_ref().map_or("unnamed", Label::as_str),
                "TLS to the relay is opened on the way; what it carries stays sealed"
            );
            let remark = Obstacle::with_detail(ObstacleKind::Intercepted, issuer);
            prospect.remarks.push(remark);
        }
        Ok(prospect)
    }

    async fn dial(
        config: &LegConfig,
        token: LegToken,
        socket: Arc<SharedSocket>,
        stream: Option<LiveStream>,
    ) -> Result<Self, ConnectError> {
        let control = endpoint(random_token(), socket.control());
        let control = control.map_err(|source| no_socket(config, source))?;
        let registrar = Registrar::new(config.clone(), token, control);
        let caller = match stream {
            Some(_) => registrar.call_on_stream().await?,
            None => registrar.call().await?,
        };
        let remarks = (caller.is_undated().then(|| ObstacleKind::Clock.into()))
            .into_iter()
            .collect();
        Ok(Self {
            issuer: caller.issuer(),
            remarks,
            registrar,
            socket,
            caller,
            stream,
        })
    }

    /// Becomes a leg; `opener` opens further streams for it, `failures` is what else was tried.
    async fn join(
        self,
        config: &LegConfig,
        opener: Option<Opener>,
        failures: &[Attempt],
    ) -> Result<(Leg, LegEvents), ConnectError> {
        let (member, welcome) = self.registrar.introduce(self.caller).await?;
        self.socket.note_handshake(member.connection.rtt());
        let end_to_end = endpoint(self.registrar.token(), self.socket.end_to_end());
        let end_to_end = end_to_end.map_err(|source| no_socket(config, source))?;
        let (requests, asked) = mpsc::channel(REQUESTS);
        let (happened, events) = mpsc::channel(EVENTS);
        let hop = match self.stream {
            Some(_) => Hop::Stream,
            None => Hop::Udp,
        };
        let allowed = Allowed {
            udp: config.paths.relay_quic && self.socket.knows_relay(),
            stream: opener.is_some(),
        };
        self.socket.set_ways(RelayWays::all(hop));
        let (way, kind) = watch::channel(self.socket.kind());
        let lost = Arc::new(OnceLock::new());
        let generation = PathGeneration::default();
        let control = self.registrar.control();
        let now = tokio::time::Instant::now().into_std();
        let closed = Closed::new(config, failures);
        let driver = driver::Driver::new(driver::Parts {
            registrar: self.registrar,
            member,
            socket: Arc::clone(&self.socket),
            events: happened,
            lost: Arc::clone(&lost),
            ways: driver::Ways {
                link: RelayLink::new(now, allowed, hop),
                opener,
                stream: self.stream,
                opening: None,
                way,
                generation: generation.clone(),
                sign: driver::Sign::NotWanted,
                closed: closed.clone(),
            },
        });
        tokio::spawn(driver.run(asked));
        let candidates = config.paths.direct.then(|| {
            let mut candidates = self.socket.local_candidates();
            if hop == Hop::Udp && !candidates.contains(&welcome.observed) {
                candidates.push(welcome.observed);
            }
            candidates
        });
        let inner = Inner {
            remarks: self.remarks,
            closed,
            candidates,
            role: config.role,
            identity: Arc::clone(&config.identity),
            welcome,
            requests,
            socket: self.socket,
            control,
            end_to_end,
            generation,
            kind,
            lost: Arc::clone(&lost),
            accepting: tokio::sync::Mutex::default(),
        };
        let leg = Leg {
            inner: Arc::new(inner),
        };
        Ok((leg, LegEvents { events, lost }))
    }
}

fn share(
    config: &LegConfig,
    io: Arc<dyn AsyncUdpSocket>,
    token: LegToken,
    relay: SocketAddr,
) -> Result<Arc<SharedSocket>, ConnectError> {
    SharedSocket::new(io, token, relay).map_err(|source| no_socket(config, source))
}

fn endpoint(token: LegToken, io: Arc<dyn AsyncUdpSocket>) -> std::io::Result<Endpoint> {
    Endpoint::new_with_abstract_socket(endpoint_config(token), None, io, Arc::new(TokioRuntime))
}

fn no_socket(config: &LegConfig, source: std::io::Error) -> ConnectError {
    ConnectError::Socket {
        interface: config.interface.clone(),
        source,
    }
}

fn broke(config: &LegConfig, source: LegLost) -> ConnectError {
    ConnectError::Broke {
        relay: config.relay.clone(),
        source,
    }
}

fn refused(config: &LegConfig, no: &Refused) -> ConnectError {
    ConnectError::Refused {
        relay: config.relay.clone(),
        refusal: no.reason,
        retry_after_s: no.retry_after_s,
    }
}

/// What the relay may say before a leg is up.
enum Answer {
    Challenge(Challenge),
    Welcome(Welcome),
    Refused(Refused),
}

async fn next(reader: &mut Reader, connection: &quinn::Connection) -> Result<Answer, LegLost> {
    let message = reader
        .next()
        .await
        .map_err(|error| LegLost::of_stream(&error, connection))?;
    match message {
        Some(FromRelay::Challenge(challenge)) => Ok(Answer::Challenge(challenge)),
        Some(FromRelay::Welcome(welcome)) => Ok(Answer::Welcome(welcome)),
        Some(FromRelay::Refused(refused)) => Ok(Answer::Refused(refused)),
        None | Some(_) => Err(LegLost::Protocol),
    }
}

fn why_no_connection(
    error: ConnectionError,
    verdict: &Verdict,
    relay: &RelayAddress,
) -> ConnectError {
    let relay = relay.clone();
    match verdict.fault() {
        Some(CertificateFault::WrongName) => return ConnectError::WrongName { relay },
        Some(fault) => {
            return ConnectError::Untrusted {
                relay,
                fault,
                issuer: verdict.issuer(),
            };
        }
        None => {}
    }
    if let ConnectionError::ConnectionClosed(close) = &error
        && close.error_code == TransportErrorCode::CONNECTION_REFUSED
    {
        return ConnectError::Refused {
            relay,
            refusal: RelayRefusal::Full,
            retry_after_s: None,
        };
    }
    match Lost::from(error) {
        Lost::Silent => ConnectError::Unreachable { relay },
        Lost::Refused { alert } => ConnectError::NotARelay { relay, alert },
        lost @ (Lost::ClosedHere | Lost::ClosedByPeer { .. } | Lost::Restarted | Lost::Broken) => {
            ConnectError::Broke {
                relay,
                source: LegLost::Connection(lost),
            }
        }
    }
}
