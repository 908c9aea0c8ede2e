//! The running relay: one UDP socket, streams beside it, the QUIC endpoint of the legs' control connections, and the tasks on it.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use alongside_protocol::label::Label;
use alongside_transport::leg::{cid, tls, tuning, tunnel::Stream};
use aws_lc_rs::hmac;
use quinn::{
    AsyncUdpSocket, IdleTimeout, TransportConfig, VarInt, crypto::rustls::QuicServerConfig,
};
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};

use crate::{
    access::{AccessLog, TRAFFIC_FILE},
    certificate::{Certificate, Renewal, Shown, host_name},
    clock,
    config::{Config, Limits, seconds},
    forward::{ForwardStats, ForwardingSocket, Rest, Table},
    operators::{self, OperatorsFile},
    state::StateDir,
    switchboard::{Ledger, Month, Switchboard, Tickets},
};

mod admission;
mod bind;
mod close;
mod control;
mod error;
mod hub;
mod leg;
mod mail;
mod slim;
mod streams;

pub use bind::BindError;
pub use close::CloseCode;
pub use error::StartError;

use admission::Admission;
use control::Quic;
use hub::Hub;
use mail::{Letter, Mail};
use slim::SlimTls;

/// How often codes are expired, and files that may have changed are looked at (our choice).
const TICK: Duration = Duration::from_secs(1);

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
    /// This UDP socket, and streams from elsewhere with where they come from: the same, with TCP.
    GivenBoth(
        Arc<dyn AsyncUdpSocket>,
        mpsc::Receiver<(Stream, SocketAddr)>,
    ),
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
    quic: Quic,
    limits: Limits,
    name: Label<255>,
    table: Arc<Table>,
    socket: Arc<ForwardingSocket>,
    hub: Hub,
    mail: Arc<Mail>,
    admission: Arc<Admission>,
    /// Control connections, until they are over.
    connections: watch::Sender<usize>,
    is_closing: AtomicBool,
}

impl Shared {
    /// Whether nobody is taken in any more.
    fn is_closing(&self) -> bool {
        self.is_closing.load(Relaxed)
    }
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
        let shown = Arc::new(Shown::new(&certificate)?);
        let renewal = Renewal::new(config, Arc::clone(&shown));
        let server = server_config(&limits, &certificate, &shown)?;

        let (inner, rest, listener, given) = match socket {
            Socket::Bind => {
                let bound = bind::bind(config)?;
                let rest = Rest::new().map_err(StartError::Endpoint)?;
                (bound.udp, Some(rest), Some(bound.tcp), None)
            }
            Socket::Given(socket) => (socket, None, None, None),
            Socket::GivenBoth(socket, streams) => (socket, None, None, Some(streams)),
        };
        let table = Arc::new(Table::new(own, &limits));
        let socket = Arc::new(ForwardingSocket::new(inner, Arc::clone(&table)));
        let udp = socket.local_addr().map_err(StartError::Endpoint)?;
        let mut endpoint = cid::endpoint_config(own);
        endpoint
            .reset_key(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &reset_key)))
            .supported_versions(vec![slim::VERSION_1]);
        let quic = Quic {
            endpoint: Arc::new(endpoint),
            on_stream: Arc::new(on_stream(&limits, &server)),
            server: Arc::new(server),
        };

        let operators = read_operators(&state)?;
        let tickets = Tickets::new(
            &key.ticket_key().ok_or(StartError::Derive)?,
            clock::now(),
            clock::since_1970(),
        );
        let mut board = Switchboard::new(limits.clone(), operators.table(), tickets);
        if let Some(json) = state.read(TRAFFIC_FILE)? {
            match Ledger::read(Month::of(clock::since_1970()), &json) {
                Some(ledger) => board.set_ledger(ledger),
                None => warn!(
                    file = TRAFFIC_FILE,
                    "this makes no sense: the month's traffic is counted from nothing"
                ),
            }
        }
        let access = AccessLog::open(&state)?;
        let mail = Arc::new(Mail::default());
        let hub_mail = Arc::clone(&mail);
        let hub = Hub::new(
            own,
            board,
            Arc::clone(&table),
            hub_mail,
            access,
            operators,
            state,
        );
        let shared = Arc::new(Shared {
            quic,
            name: shown_name(config),
            hub,
            mail,
            table,
            socket,
            admission: Arc::new(Admission::new(&limits)),
            connections: watch::Sender::new(0),
            is_closing: AtomicBool::new(false),
            limits,
        });
        let (stop, stopped) = watch::channel(());
        tokio::spawn(control::run(Arc::clone(&shared)));
        let socket = Arc::clone(&shared.socket);
        tokio::spawn(until(
            stopped.clone(),
            async move { socket.pump(rest).await },
        ));
        let mut tcp = None;
        if let Some(listener) = listener {
            tcp = listener.local_addr().ok();
            let tls = stream_config(&certificate, &shown)?;
            let take = streams::accept(Arc::clone(&shared), listener, tls, stopped.clone());
            tokio::spawn(until(stopped.clone(), take));
        }
        if let Some(given) = given {
            let tls = stream_config(&certificate, &shown)?;
            let take = streams::accept(Arc::clone(&shared), given, tls, stopped.clone());
            tokio::spawn(until(stopped.clone(), take));
        }
        tokio::spawn(until(stopped, tick(Arc::clone(&shared), renewal)));
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

    /// Says goodbye to every leg, and waits for the legs as long as the limits say. Sessions hold on, and go on at a
    /// relay with the same state that comes next.
    pub async fn shutdown(self) {
        self.shared.is_closing.store(true, Relaxed);
        self.shared.mail.push(Letter::ShutDoors);
        self.shared.hub.shut_down(clock::now());
        let wait = seconds(self.shared.limits.shutdown_wait_s);
        let mut connections = self.shared.connections.subscribe();
        let all_gone = connections.wait_for(|count| *count == 0);
        if tokio::time::timeout(wait, all_gone).await.is_err() {
            debug!("some legs did not say goodbye in time");
        }
        info!("relay stopped");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.hub.shut_down(clock::now());
        self.shared.hub.close_files();
        self.shared.is_closing.store(true, Relaxed);
        self.shared.mail.push(Letter::Stop);
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

async fn tick(shared: Arc<Shared>, mut renewal: Renewal) {
    loop {
        tokio::time::sleep(TICK).await;
        shared.hub.tick(clock::now());
        renewal.look();
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
    shown: &Arc<Shown>,
) -> Result<quinn::ServerConfig, StartError> {
    let (chain, key) = (certificate.chain.clone(), certificate.key.clone_key());
    let mut tls = tls::relay_server_config(chain, key)?;
    tls.cert_resolver = Arc::<Shown>::clone(shown);
    let tls = Arc::new(tls);
    let quic = QuicServerConfig::try_from(Arc::clone(&tls)).map_err(tls::TlsError::from)?;
    let mut server = quinn::ServerConfig::with_crypto(Arc::new(SlimTls::new(quic, tls)));
    server
        .transport_config(Arc::new(transport_config(limits, tuning::relay_control())))
        .max_incoming(usize::try_from(limits.max_incoming).unwrap_or(usize::MAX))
        .incoming_buffer_size(limits.incoming_buffer_bytes.into())
        .incoming_buffer_size_total(limits.incoming_buffer_total_bytes.into());
    Ok(server)
}

fn stream_config(
    certificate: &Certificate,
    shown: &Arc<Shown>,
) -> Result<Arc<rustls::ServerConfig>, StartError> {
    let (chain, key) = (certificate.chain.clone(), certificate.key.clone_key());
    let mut tls = tls::stream_server_config(chain, key)?;
    tls.cert_resolver = Arc::<Shown>::clone(shown);
    Ok(Arc::new(tls))
}

/// The same for connections that come over a stream.
fn on_stream(limits: &Limits, server: &quinn::ServerConfig) -> quinn::ServerConfig {
    let mut server = server.clone();
    let transport = transport_config(limits, tuning::relay_control_on_stream());
    server.transport_config(Arc::new(transport));
    server
}

fn transport_config(limits: &Limits, mut transport: TransportConfig) -> TransportConfig {
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
