//! From a name to a leg that the relay has let in.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use alongside_protocol::relay::{
    Challenge, FromRelay, RELAY_VERSION, Refused, RelayRefusal, ToRelay, Welcome,
};
use quinn::{AsyncUdpSocket, ConnectionError, Endpoint, TokioRuntime, TransportErrorCode};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    ConnectError, Inner, Leg, LegConfig, LegEvents, LegLost, RelayAddress, driver, socket,
};
use crate::{
    congestion::PathGeneration,
    connection::Lost,
    leg::{
        auth::{self, LegBinding},
        cid::{endpoint_config, random_token},
        control::{ControlReader, ControlWriter},
        shared_socket::SharedSocket,
        tls::{CertificateFault, Verdict, quic_client, relay_client_config},
        tuning,
    },
    path::PathKind,
};

/// Longest wait for one address of the relay, handshake and authentication together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Head start of each address before the next is tried as well (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Addresses of the relay that are tried.
const MAX_ADDRESSES: usize = 4;

/// Requests that wait for the leg's driver; callers wait beyond that.
const REQUESTS: usize = 16;

/// Events that nobody has taken; a relay that sends more of them is flooding.
pub(super) const EVENTS: usize = 64;

pub(super) type Reader = ControlReader<FromRelay, quinn::RecvStream>;
pub(super) type Writer = ControlWriter<ToRelay, quinn::SendStream>;

pub(super) async fn by_name(config: LegConfig) -> Result<(Leg, LegEvents), ConnectError> {
    let relay = config.relay.clone();
    let no_dns = |source| ConnectError::NoDns {
        relay: relay.clone(),
        source,
    };
    let found = timeout(
        CONNECT_TIMEOUT,
        tokio::net::lookup_host((relay.host.as_str(), relay.port)),
    );
    let found = found
        .await
        .map_err(|_| no_dns(None))?
        .map_err(|source| no_dns(Some(source)))?;

    let mut attempts = JoinSet::new();
    for (addresses_before, address) in (0..).zip(found.take(MAX_ADDRESSES)) {
        let config = config.clone();
        attempts.spawn(async move {
            sleep(HEAD_START * addresses_before).await;
            let socket = socket::open(address, config.interface.as_deref())?;
            over(config, socket, address).await
        });
    }
    let mut failure = no_dns(None);
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            Ok(Ok(leg)) => return Ok(leg),
            Ok(Err(error)) if error.weight() >= failure.weight() => failure = error,
            Ok(Err(_)) | Err(_) => {}
        }
    }
    Err(failure)
}

pub(super) async fn over(
    config: LegConfig,
    io: Arc<dyn AsyncUdpSocket>,
    relay: SocketAddr,
) -> Result<(Leg, LegEvents), ConnectError> {
    let unreachable = || ConnectError::Unreachable {
        relay: config.relay.clone(),
    };
    timeout(CONNECT_TIMEOUT, establish(&config, io, relay))
        .await
        .unwrap_or_else(|_| Err(unreachable()))
}

async fn establish(
    config: &LegConfig,
    io: Arc<dyn AsyncUdpSocket>,
    relay: SocketAddr,
) -> Result<(Leg, LegEvents), ConnectError> {
    let no_socket = |source| ConnectError::Socket {
        interface: config.interface.clone(),
        source,
    };
    let token = random_token();
    let socket = SharedSocket::new(io, token, relay).map_err(no_socket)?;
    let endpoint = |token, io| {
        Endpoint::new_with_abstract_socket(endpoint_config(token), None, io, Arc::new(TokioRuntime))
    };
    let control = endpoint(random_token(), socket.control()).map_err(no_socket)?;

    let (tls, verdict) = relay_client_config(&config.trust)?;
    let client = quic_client(tls, tuning::leg_control())?;
    let dial = control
        .connect_with(client, relay, &config.relay.host)
        .map_err(|error| {
            tracing::debug!(%error, "the relay cannot be dialled");
            ConnectError::NoDns {
                relay: config.relay.clone(),
                source: None,
            }
        })?;
    let failed = |error| why_no_connection(error, &verdict, &config.relay);
    let connection = dial.await.map_err(failed)?;
    let (send, recv) = connection.accept_bi().await.map_err(failed)?;
    let (mut writer, mut reader) = (Writer::new(send), Reader::new(recv));
    let welcome = introduce(config, token, &connection, &mut writer, &mut reader).await?;

    let end_to_end = endpoint(token, socket.end_to_end()).map_err(no_socket)?;
    let (requests, asked) = mpsc::channel(REQUESTS);
    let (happened, events) = mpsc::channel(EVENTS);
    let (way, kind) = watch::channel(PathKind::RelayQuic);
    let lost = Arc::new(OnceLock::new());
    let driver = driver::Driver::new(driver::Parts {
        connection,
        reader,
        writer,
        socket: Arc::clone(&socket),
        events: happened,
        way,
        lost: Arc::clone(&lost),
    });
    tokio::spawn(driver.run(asked));
    let inner = Inner {
        role: config.role,
        identity: Arc::clone(&config.identity),
        welcome,
        requests,
        socket,
        control,
        end_to_end,
        generation: PathGeneration::default(),
        kind,
        lost: Arc::clone(&lost),
        accepting: tokio::sync::Mutex::default(),
    };
    Ok((
        Leg {
            inner: Arc::new(inner),
        },
        LegEvents { events, lost },
    ))
}

/// Answers the relay's challenge and waits to be let in.
async fn introduce(
    config: &LegConfig,
    token: alongside_protocol::LegToken,
    connection: &quinn::Connection,
    writer: &mut Writer,
    reader: &mut Reader,
) -> Result<Welcome, ConnectError> {
    let broke = |source| ConnectError::Broke {
        relay: config.relay.clone(),
        source,
    };
    let refused = |refusal, retry_after_s| ConnectError::Refused {
        relay: config.relay.clone(),
        refusal,
        retry_after_s,
    };
    let challenge = match next(reader, connection).await.map_err(broke)? {
        Answer::Challenge(challenge) => challenge,
        Answer::Refused(no) => return Err(refused(no.reason, no.retry_after_s)),
        Answer::Welcome(_) => return Err(broke(LegLost::Protocol)),
    };
    let Challenge {
        version: RELAY_VERSION,
        ..
    } = challenge
    else {
        return Err(refused(RelayRefusal::Version, None));
    };
    let binding =
        LegBinding::of(connection).map_err(|_| broke(LegLost::Connection(Lost::Broken)))?;
    let answer = auth::sign(&config.identity, &challenge, binding, config.role, token);
    writer
        .send(answer)
        .await
        .map_err(|error| broke(LegLost::of_stream(&error, connection)))?;
    match next(reader, connection).await.map_err(broke)? {
        Answer::Welcome(welcome) => Ok(welcome),
        Answer::Refused(no) => Err(refused(no.reason, no.retry_after_s)),
        Answer::Challenge(_) => Err(broke(LegLost::Protocol)),
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
        Some(fault) => return ConnectError::Untrusted { relay, fault },
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
