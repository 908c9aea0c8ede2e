//! All ways to the relay at once.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    CONNECT_TIMEOUT, ConnectError, Leg, LegConfig, LegEvents, Opener, Prospect, no_socket,
};
use crate::{
    leg::{
        client::{Attempt, RelayAddress},
        network::{Network, announces_proxy},
        pulse::Pulse,
        shared_socket::SharedSocket,
    },
    path::{PathKind, Way},
};

/// Head start of each address before the next is tried as well (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Head start of UDP before the stream. UDP is up after four round trips, the stream after six, so up to a round
/// trip of 50 ms no stream is opened in vain.
const UDP_HEAD_START: Duration = Duration::from_millis(200);

/// Addresses of the relay that are tried.
const MAX_ADDRESSES: usize = 4;

/// A way on which something came has so long again, up to the longest of all: a line of 20 kbit/s needs its seconds for
/// the handshake.
const SILENT_AFTER: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(45);

/// How long the stream waits while something comes over UDP, and how long at most: two handshakes beside each other
/// take a narrow line more than twice as long.
const UDP_SPEAKS: Duration = Duration::from_millis(1500);
const LEFT_TO_UDP: Duration = Duration::from_secs(5);

/// What UDP has to be heard at all when every other way has failed for good: a person is waiting for the sentence.
const UDP_ALONE: Duration = Duration::from_secs(3);

/// Pause before a stream that failed is opened again; it doubles.
const REOPEN: Duration = Duration::from_millis(250);

/// What each way has heard of the relay, so that none costs the others what a narrow line has.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    udp: Arc<Mutex<Vec<Weak<SharedSocket>>>>,
    stream: Option<Pulse>,
}

impl Heard {
    fn new(opener: Option<&Opener>) -> Self {
        Self {
            stream: opener.map(|opener| opener.pulse().clone()),
            ..Self::default()
        }
    }

    /// By this socket, too.
    pub(super) fn over_udp(&self, socket: &Arc<SharedSocket>) {
        if let Some(stream) = &self.stream {
            socket.make_room_for(stream.clone());
        }
        self.sockets().push(Arc::downgrade(socket));
    }

    /// Waits as long as UDP is on its way to bring up the leg.
    pub(super) async fn leave_to_udp(&self) {
        let longest = Instant::now() + LEFT_TO_UDP;
        while let Some(at) = self.last_over_udp() {
            let until = (at + UDP_SPEAKS).min(longest);
            if until <= Instant::now() {
                break;
            }
            sleep_until(until).await;
        }
    }

    fn last_over_udp(&self) -> Option<Instant> {
        let sockets = self.sockets();
        let alive = sockets.iter().filter_map(Weak::upgrade);
        alive.filter_map(|socket| socket.heard_udp_at()).max()
    }

    /// When something last came, whatever the way.
    fn last(&self) -> Option<Instant> {
        let stream = self.stream.as_ref().and_then(Pulse::last);
        self.last_over_udp().max(stream)
    }

    fn sockets(&self) -> MutexGuard<'_, Vec<Weak<SharedSocket>>> {
        self.udp.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Outcome = (PathKind, Result<Prospect, ConnectError>);

/// Brings up a leg over `network`.
pub(in crate::leg::client) async fn on(
    config: LegConfig,
    network: Arc<dyn Network>,
) -> Result<(Leg, LegEvents), ConnectError> {
    let opener = Opener::new(&config, Arc::clone(&network));
    if opener.is_none() && !config.paths.relay_quic {
        return Err(ConnectError::NoWayAllowed);
    }
    let mut failures = Vec::new();
    let addresses = match resolve(&config, network.as_ref()).await {
        Ok(addresses) => addresses,
        Err(error) if opener.as_ref().is_some_and(Opener::needs_no_dns) => {
            failures.push(Attempt::new(PathKind::RelayQuic, error));
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let mut attempts = JoinSet::new();
    let heard = Heard::new(opener.as_ref());
    if config.paths.relay_quic {
        for (before, address) in (0..).zip(&addresses) {
            attempts.spawn(udp(
                config.clone(),
                Arc::clone(&network),
                *address,
                HEAD_START * before,
                heard.clone(),
            ));
        }
    }
    if let Some(opener) = opener.clone() {
        let wait = if attempts.is_empty() {
            Duration::ZERO
        } else {
            UDP_HEAD_START
        };
        let first = addresses.first().copied();
        let network = Arc::clone(&network);
        attempts.spawn(stream(
            config.clone(),
            network,
            first,
            opener,
            wait,
            heard.clone(),
        ));
    }
    let (prospect, failures) = match first(&config.relay, attempts, failures, &heard).await {
        Ok(won) => won,
        Err(failures) => {
            let failures = with_automatic_proxy(&config, network.as_ref(), failures).await;
            return Err(ConnectError::of(failures));
        }
    };
    let join = timeout(CONNECT_TIMEOUT, prospect.join(&config, opener, &failures));
    join.await.unwrap_or_else(|_| {
        Err(ConnectError::Unreachable {
            relay: config.relay.clone(),
        })
    })
}

async fn resolve(
    config: &LegConfig,
    network: &dyn Network,
) -> Result<Vec<SocketAddr>, ConnectError> {
    let no_dns = |source| ConnectError::NoDns {
        relay: config.relay.clone(),
        source,
    };
    let found = timeout(
        CONNECT_TIMEOUT,
        network.resolve(&config.relay.host, config.relay.port),
    );
    let mut found = found
        .await
        .map_err(|_| no_dns(None))?
        .map_err(|source| no_dns(Some(source)))?;
    found.truncate(MAX_ADDRESSES);
    if found.is_empty() {
        return Err(no_dns(None));
    }
    Ok(found)
}

/// The first that succeeds, and what had failed before; or everything that failed.
async fn first(
    relay: &RelayAddress,
    mut attempts: JoinSet<Outcome>,
    mut failures: Vec<Attempt>,
    heard: &Heard,
) -> Result<(Prospect, Vec<Attempt>), Vec<Attempt>> {
    let start = Instant::now();
    let mut deadline = start + CONNECT_TIMEOUT;
    loop {
        let outcome = tokio::select! {
            outcome = attempts.join_next() => outcome,
            () = sleep_until(deadline) => {
                // Whoever answers may be slow.
                let alive = heard.last().map(|at| (at + SILENT_AFTER).max(start + CONNECT_TIMEOUT));
                let longer = alive.map(|at| at.min(start + LONGEST));
                if let Some(longer) = longer.filter(|longer| *longer > deadline) {
                    deadline = longer;
                    continue;
                }
                None
            }
        };
        match outcome {
            Some(Ok((_, Ok(prospect)))) => return Ok((prospect, failures)),
            Some(Ok((kind, Err(error)))) => {
                let is_last_word = error.is_last_word();
                if !matches!(kind, PathKind::RelayQuic) {
                    deadline = deadline.min(start + UDP_ALONE);
                }
                failures.push(Attempt::new(kind, error));
                if is_last_word {
                    break;
                }
            }
            Some(Err(_)) => {}
            None => break,
        }
    }
    let udp_is_out = !attempts.is_empty()
        && !failures
            .iter()
            .any(|failure| failure.kind() == PathKind::RelayQuic);
    if udp_is_out {
        let relay = relay.clone();
        failures.push(Attempt::new(
            PathKind::RelayQuic,
            ConnectError::Unreachable { relay },
        ));
    }
    Err(failures)
}

/// Where all was silent and no proxy is set, looks whether the network announces one that is not used.
async fn with_automatic_proxy(
    config: &LegConfig,
    network: &dyn Network,
    mut failures: Vec<Attempt>,
) -> Vec<Attempt> {
    let is_silent = |attempt: &Attempt| attempt.error().weight() <= 1;
    let might_help = config.proxy.is_none() && config.paths.relay_proxy;
    if !might_help || !failures.iter().all(is_silent) {
        return failures;
    }
    if announces_proxy(network).await {
        let relay = config.relay.clone();
        let error = ConnectError::AutomaticProxy { relay };
        failures.push(Attempt::new(PathKind::RelayProxy, error));
    }
    failures
}

async fn udp(
    config: LegConfig,
    network: Arc<dyn Network>,
    relay: SocketAddr,
    wait: Duration,
    heard: Heard,
) -> Outcome {
    sleep(wait).await;
    let attempt = async {
        let io = network
            .udp(relay)
            .map_err(|source| no_socket(&config, source))?;
        Prospect::over_udp(&config, io, relay, &heard).await
    };
    let outcome = timeout(LONGEST, attempt).await;
    let unreachable = ConnectError::Unreachable {
        relay: config.relay.clone(),
    };
    (PathKind::RelayQuic, outcome.unwrap_or(Err(unreachable)))
}

/// Tries again as long as that may help.
async fn stream(
    config: LegConfig,
    network: Arc<dyn Network>,
    relay: Option<SocketAddr>,
    opener: Opener,
    wait: Duration,
    heard: Heard,
) -> Outcome {
    sleep(wait).await;
    heard.leave_to_udp().await;
    let kind = Way::RelayStream(opener.kind()).kind();
    let deadline = Instant::now() + CONNECT_TIMEOUT / 2;
    let mut pause = REOPEN;
    loop {
        let attempt = Prospect::over_stream(&config, network.as_ref(), relay, &opener, &heard);
        let error = match attempt.await {
            Ok(prospect) => return (kind, Ok(prospect)),
            Err(error) => error,
        };
        if !error.is_retryable() || Instant::now() + pause > deadline {
            return (kind, Err(error));
        }
        sleep(pause).await;
        pause *= 2;
    }
}
