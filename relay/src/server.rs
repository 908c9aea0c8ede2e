//! The running relay: one UDP socket, streams beside it, the QUIC endpoint of the legs' control connections, and the tasks on it.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alongside_protocol::label::Label;
use alongside_transport::leg::{cid, tls, tuning};
use aws_lc_rs::hmac;
use quinn::{AsyncUdpSocket, Endpoint, IdleTimeout, Incoming, TransportConfig, VarInt};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, info};

use crate::{
    access::AccessLog,
    certificate::{Certificate, host_name},
    clock,
    config::{Config, Limits, seconds},
    forward::{ForwardStats, ForwardingSocket, Streams, Table},
    operators::{self, OperatorsFile},
    random,
    source::Source,
    state::StateDir,
    switchboard::Switchboard,
};

mod admission;
mod bind;
mod close;
mod error;
mod hub;
mod leg;
mod outbox;
mod streams;

pub use bind::BindError;
pub use close::CloseCode;
pub use error::StartError;

use admission::{Admission, Pending};
use hub::Hub;

/// How often codes are expired and the operators' file is looked at (our choice).
const TICK: Duration = Duration::from_secs(1);

/// A packet for the relay from an unknown address makes it look for legs that moved; quinn's task for that
/// connection handles the packet after us, so wait that long before looking.
const LOOK_AFTER: Duration = Duration::from_millis(2);

/// And look no more often than this, which bounds the work that a flood can cause.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The relay.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Relay;

/// Where the relay's packets come from.
#[derive(Debug)]
#[non_exhaustive]
pub enum Socket {
    /// A UDP socket and a TCP listener beside it, bound as the configuration says.
    Bind,
    /// This UDP socket alone: a simulated network, for tests in virtual time.
    Given(Arc<dyn AsyncUdpSocket>),
}

/// A relay at work; dropping it closes every connection at once.
pub struct Running {
    udp: SocketAddr,
    tcp: Option<SocketAddr>,
    ca: Option<PathBuf>,
    shared: Arc<Shared>,
    stop: watch::Sender<()>,
}

/// What every task of the relay needs.
struct Shared {
    endpoint: Endpoint,
    limits: Limits,
    name: Label<255>,
    table: Arc<Table>,
    socket: Arc<ForwardingSocket>,
    hub: Hub,
    admission: Arc<Admission>,
}

impl Relay {
    /// Starts a relay that keeps its state in `state`; to be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StartError`]; nothing is listening then.
    pub fn start(config: &Config, state: StateDir, socket: Socket) -> Result<Running, StartError> {
        config.check().map_err(StartError::Config)?;
        let limits = config.limits.clone();
        let key = state.key()?;
        let own = key.token().ok_or(StartError::Derive)?;
        let reset_key = key.reset_key().ok_or(StartError::Derive)?;
        let certificate = Certificate::load(config, &state)?;
        let server = server_config(&limits, &certificate)?;

        let (inner, listener) = match socket {
            Socket::Bind => {
                let bound = bind::bind(config)?;
                (bound.udp, Some(bound.tcp))
            }
            Socket::Given(socket) => (socket, None),
        };
        let table = Arc::new(Table::new(own, &limits));
        let socket = Arc::new(ForwardingSocket::new(inner, Arc::clone(&table)));
        let udp = socket.local_addr().map_err(StartError::Endpoint)?;
        let mut endpoint = cid::endpoint_config(own);
        endpoint.reset_key(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &reset_key)));
        let runtime = Arc::new(quinn::TokioRuntime);
        let below = Arc::clone(&socket) as Arc<dyn AsyncUdpSocket>;
        let endpoint = Endpoint::new_with_abstract_socket(endpoint, Some(server), below, runtime);
        let endpoint = endpoint.map_err(StartError::Endpoint)?;

        let operators = read_operators(&state)?;
        let board = Switchboard::new(limits.clone(), operators.table());
        let access = AccessLog::open(&state)?;
        let shared = Arc::new(Shared {
            endpoint,
            name: shown_name(config),
            hub: Hub::new(own, board, Arc::clone(&table), access, operators, state),
            table,
            socket,
            admission: Arc::new(Admission::new(&limits)),
            limits,
        });
        let (stop, stopped) = watch::channel(());
        tokio::spawn(accept(Arc::clone(&shared)));
        let mut tcp = None;
        if let Some(listener) = listener {
            tcp = listener.local_addr().ok();
            let (chain, key) = (certificate.chain.clone(), certificate.key.clone_key());
            let tls = TlsAcceptor::from(Arc::new(tls::stream_server_config(chain, key)?));
            let take = streams::accept(Arc::clone(&shared), listener, tls, stopped.clone());
            tokio::spawn(until(stopped.clone(), take));
        }
        tokio::spawn(until(stopped.clone(), tick(Arc::clone(&shared))));
        tokio::spawn(until(stopped, follow(Arc::clone(&shared))));
        info!(%udp, name = %shared.name, "relay listens");
        Ok(Running {
            udp,
            tcp,
            ca: certificate.ca,
            shared,
            stop,
        })
    }
}

impl Running {
    /// Where the relay takes UDP.
    pub fn udp(&self) -> SocketAddr {
        self.udp
    }

    /// Where the relay takes TCP; on the same port, but nowhere on a simulated network.
    pub fn tcp(&self) -> Option<SocketAddr> {
        self.tcp
    }

    /// File of the private CA that legs have to be given, if the relay made one.
    pub fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    /// What the forwarder has done so far.
    pub fn forwarded(&self) -> ForwardStats {
        self.shared.table.stats()
    }

    /// Legs that are connected and known.
    pub fn legs(&self) -> usize {
        self.shared.hub.legs()
    }

    /// Ends every meeting, says goodbye to every leg, and waits for the legs as long as the limits say.
    pub async fn shutdown(self) {
        self.shared.endpoint.set_server_config(None);
        self.shared.hub.shut_down(clock::now());
        let wait = seconds(self.shared.limits.shutdown_wait_s);
        if tokio::time::timeout(wait, self.shared.endpoint.wait_idle())
            .await
            .is_err()
        {
            debug!("some legs did not say goodbye in time");
        }
        info!("relay stopped");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.hub.shut_down(clock::now());
        self.shared.hub.close_files();
        self.shared.endpoint.close(CloseCode::Shutdown.into(), b"");
        self.stop.send_replace(());
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("udp", &self.udp)
            .field("tcp", &self.tcp)
            .field("ca", &self.ca)
            .finish_non_exhaustive()
    }
}

/// Takes in whoever is validated; everybody else has to come back with a token first, so that a spoofed packet
/// draws less than it costs to send (measured: 0.04 to 0.09 bytes out for one in).
async fn accept(shared: Arc<Shared>) {
    while let Some(incoming) = shared.endpoint.accept().await {
        let from = incoming.remote_address();
        if Streams::is_one(from) {
            // Who opened the stream has been counted, and is where it says.
            if shared.socket.streams().may_shake_hands(from) {
                spawn_leg(&shared, incoming, None);
            } else {
                incoming.refuse();
            }
            continue;
        }
        if !incoming.remote_address_validated() {
            if let Err(error) = incoming.retry() {
                error.into_incoming().ignore();
            }
            continue;
        }
        let source = Source::of(from.ip());
        match Admission::enter(&shared.admission, clock::now(), source, random::bytes()) {
            Ok(pending) => spawn_leg(&shared, incoming, Some(pending)),
            Err(why) => {
                debug!(%from, %why, "connection refused");
                incoming.refuse();
            }
        }
    }
}

fn spawn_leg(shared: &Arc<Shared>, incoming: Incoming, pending: Option<Pending>) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move { leg::serve(&shared, incoming, pending).await });
}

async fn tick(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(TICK).await;
        shared.hub.tick(clock::now());
    }
}

/// Follows legs that move: when they say so, when a stranger speaks, and until each move is proved.
async fn follow(shared: Arc<Shared>) {
    loop {
        let proof = shared
            .hub
            .prove_moves(clock::now())
            .unwrap_or(TICK)
            .clamp(LOOK_EVERY, TICK);
        tokio::select! {
            () = tokio::time::sleep(proof) => continue,
            () = shared.table.stranger() => {}
        }
        tokio::time::sleep(LOOK_AFTER).await;
        shared.hub.look_for_moved_legs(clock::now());
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn until(mut stopped: watch::Receiver<()>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = stopped.changed() => {}
    }
}

fn server_config(
    limits: &Limits,
    certificate: &Certificate,
) -> Result<quinn::ServerConfig, StartError> {
    let tls = tls::relay_server_config(certificate.chain.clone(), certificate.key.clone_key())?;
    let mut server = tls::quic_server(tls, transport_config(limits))?;
    server
        .max_incoming(usize::try_from(limits.max_incoming).unwrap_or(usize::MAX))
        .incoming_buffer_size(limits.incoming_buffer_bytes.into())
        .incoming_buffer_size_total(limits.incoming_buffer_total_bytes.into());
    Ok(server)
}

fn transport_config(limits: &Limits) -> TransportConfig {
    let mut transport = tuning::relay_control();
    let idle_ms = VarInt::from_u32(limits.idle_timeout_s.saturating_mul(1000));
    transport.max_idle_timeout(Some(IdleTimeout::from(idle_ms)));
    transport
}

fn shown_name(config: &Config) -> Label<255> {
    let first = config
        .tls
        .names
        .first()
        .and_then(|name| Label::new(name).ok());
    let host = || host_name().and_then(|name| Label::new(&name).ok());
    let name = config.name.clone().or(first).or_else(host);
    name.unwrap_or_else(|| Label::new("localhost").expect("nine letters are a label"))
}

fn read_operators(state: &StateDir) -> Result<OperatorsFile, StartError> {
    if state.read(operators::FILE_NAME)?.is_none() {
        state.write(operators::FILE_NAME, operators::TEMPLATE.as_bytes())?;
    }
    let mut operators = OperatorsFile::new(state.file(operators::FILE_NAME));
    operators.refresh();
    if operators.table().is_empty() {
        info!(
            file = %operators.path().display(),
            "nobody may hand out codes yet: add [operators.KEY] with a name, KEY being what `alongside-agent assist` shows"
        );
    }
    Ok(operators)
}
