//! The stream to the relay, straight or through a proxy.

use std::{
    io,
    sync::{Arc, Weak},
    time::Duration,
};

use rustls::pki_types::ServerName;
use tokio::{task::JoinHandle, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{ConnectError, LegConfig, Paths, RelayAddress};
use crate::{
    leg::{
        network::Network,
        proxy::{Proxy, ProxyError, is_sign_in},
        pulse::{Felt, Pulse},
        shared_socket::SharedSocket,
        tls::{CertificateFault, PRIVATE_CA_NAME, Trust, Verdict, stream_client_config},
        tunnel::{Stream, is_unknown_name},
        websocket::{self, PacketQueue, Side, StreamEnd, UpgradeError},
    },
    path::StreamKind,
};

/// Longest wait for TCP, and longest silence until TLS and the WebSocket are there.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// And longest wait for TLS and the WebSocket together: a relay gives up earlier.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(20);

/// Packets that wait for the stream. With 64 a panel took 254 ms beside a bulk transfer, with 16 it took 117 ms
/// (measured at 4 Mbit/s).
const QUEUE: usize = 16;

/// Opens streams to one relay.
#[derive(Clone, Debug)]
pub(super) struct Opener {
    relay: RelayAddress,
    trust: Trust,
    proxy: Option<Proxy>,
    paths: Paths,
    network: Arc<dyn Network>,
    /// What came over the newest stream.
    pulse: Pulse,
}

/// A stream that has become a WebSocket.
#[derive(Debug)]
pub(super) struct Opened {
    kind: StreamKind,
    stream: TlsStream<Stream>,
    rest: Vec<u8>,
    /// What the TLS around the WebSocket found.
    outer: Verdict,
}

/// A stream that carries packets; closes when dropped.
#[derive(Debug)]
pub(super) struct LiveStream {
    kind: StreamKind,
    queue: Arc<PacketQueue>,
    carrier: JoinHandle<StreamEnd>,
}

impl Opener {
    /// For what `config` asks for; `None` if it allows no stream.
    pub(super) fn new(config: &LegConfig, network: Arc<dyn Network>) -> Option<Self> {
        let paths = config.paths;
        let is_allowed = match config.proxy {
            Some(_) => paths.relay_proxy || paths.relay_tls,
            None => paths.relay_tls,
        };
        is_allowed.then(|| Self {
            relay: config.relay.clone(),
            trust: config.trust.clone(),
            proxy: config.proxy.clone(),
            paths,
            network,
            pulse: Pulse::default(),
        })
    }

    /// When the relay, or what stands before it, was last heard on a stream.
    pub(super) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// How the first attempt is shown.
    pub(super) fn kind(&self) -> StreamKind {
        match self.proxy {
            Some(_) if self.paths.relay_proxy => StreamKind::Proxy,
            Some(_) | None => StreamKind::Tls,
        }
    }

    /// Whether it can do without knowing the relay's address.
    pub(super) fn needs_no_dns(&self) -> bool {
        self.kind() == StreamKind::Proxy
    }

    /// Opens one: through the proxy where there is one, and straight where that does not answer.
    pub(super) async fn open(&self) -> Result<Opened, ConnectError> {
        let Some(proxy) = self.proxy.as_ref().filter(|_| self.paths.relay_proxy) else {
            return self.upgrade(StreamKind::Tls, self.dial().await?).await;
        };
        match proxy.tunnel(self.network.as_ref(), &self.relay).await {
            Ok(stream) => self.upgrade(StreamKind::Proxy, stream).await,
            Err(error @ (ProxyError::Unreachable { .. } | ProxyError::NoDns { .. }))
                if self.paths.relay_tls =>
            {
                match self.dial().await {
                    Ok(stream) => self.upgrade(StreamKind::Tls, stream).await,
                    Err(_) => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn dial(&self) -> Result<Stream, ConnectError> {
        let dial = self.network.dial(&self.relay.host, self.relay.port);
        let silent = |source| ConnectError::NoStream {
            relay: self.relay.clone(),
            source,
        };
        let stream = timeout(STEP_TIMEOUT, dial).await;
        stream.map_err(|_| silent(None))?.map_err(|error| {
            if !is_unknown_name(&error) {
                return silent(Some(error));
            }
            ConnectError::NoDns {
                relay: self.relay.clone(),
                source: Some(error),
            }
        })
    }

    async fn upgrade(&self, kind: StreamKind, stream: Stream) -> Result<Opened, ConnectError> {
        let silent = || ConnectError::NoStream {
            relay: self.relay.clone(),
            source: None,
        };
        let stream: Stream = Box::new(Felt::new(stream, self.pulse.clone()));
        let upgrade = async {
            let (mut stream, outer) = self.start_tls(stream).await?;
            let asked = websocket::ask(&mut stream, &self.host_field()).await;
            let rest = asked.map_err(|error| self.why_no_websocket(error))?;
            Ok(Opened {
                kind,
                stream,
                rest,
                outer,
            })
        };
        let upgraded = self
            .pulse
            .while_felt(STEP_TIMEOUT, UPGRADE_TIMEOUT, upgrade);
        upgraded.await.unwrap_or_else(|| Err(silent()))
    }

    async fn start_tls(
        &self,
        stream: Stream,
    ) -> Result<(TlsStream<Stream>, Verdict), ConnectError> {
        let (config, verdict) = stream_client_config(&self.trust)?;
        let name =
            ServerName::try_from(self.relay.host.clone()).map_err(|_| ConnectError::WrongName {
                relay: self.relay.clone(),
            })?;
        let tls = TlsConnector::from(Arc::new(config)).connect(name, stream);
        match tls.await {
            Ok(stream) => Ok((stream, verdict)),
            Err(error) => Err(self.why_no_tls(error, &verdict)),
        }
    }

    fn host_field(&self) -> String {
        match self.relay.port {
            443 => self.relay.to_string(),
            _ => self.relay.authority(),
        }
    }

    fn why_no_tls(&self, source: io::Error, verdict: &Verdict) -> ConnectError {
        let relay = self.relay.clone();
        let issuer = verdict.issuer();
        let is_own_authority = issuer
            .as_ref()
            .is_some_and(|issuer| issuer.as_str() == PRIVATE_CA_NAME);
        match verdict.fault() {
            Some(CertificateFault::WrongName) => ConnectError::WrongName { relay },
            Some(CertificateFault::Untrusted | CertificateFault::WrongPin) if !is_own_authority => {
                ConnectError::Intercepted { relay, issuer }
            }
            Some(fault) => ConnectError::Untrusted {
                relay,
                fault,
                issuer,
            },
            None if is_not_tls(&source) => ConnectError::CaptivePortal {
                relay,
                status: None,
            },
            None => ConnectError::StreamTls { relay, source },
        }
    }

    fn why_no_websocket(&self, error: UpgradeError) -> ConnectError {
        let relay = self.relay.clone();
        match error {
            // Whoever signs in gets a page, or is sent to one.
            UpgradeError::Refused { status } if status == 200 || is_sign_in(status) => {
                ConnectError::CaptivePortal {
                    relay,
                    status: Some(status),
                }
            }
            UpgradeError::Refused { status } => ConnectError::UpgradeRefused { relay, status },
            UpgradeError::NotOurs | UpgradeError::Head(_) => ConnectError::NoWebSocket {
                relay,
                source: error,
            },
        }
    }
}

/// Whether what answered does not speak TLS at all.
fn is_not_tls(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(rustls::Error::InvalidMessage(_)))
}

impl Opened {
    /// What the TLS around the WebSocket found out about who ends it.
    pub(super) fn outer(&self) -> Verdict {
        self.outer.clone()
    }

    /// Lets packets of `socket` go over the stream, from now until it ends.
    pub(super) fn start(self, socket: &Arc<SharedSocket>) -> LiveStream {
        let queue = Arc::new(PacketQueue::new(QUEUE));
        let (outgoing, socket) = (Arc::clone(&queue), Arc::downgrade(socket));
        let carrier = async move {
            websocket::carry(self.stream, Side::Client, self.rest, &outgoing, |packet| {
                if let Some(socket) = Weak::upgrade(&socket) {
                    socket.deliver(packet);
                }
            })
            .await
        };
        LiveStream {
            kind: self.kind,
            queue,
            carrier: tokio::spawn(carrier),
        }
    }
}

impl LiveStream {
    /// Makes `socket` use it.
    pub(super) fn attach(&self, socket: &SharedSocket) {
        socket.set_stream(self.kind, &self.queue);
    }

    /// Resolves when the stream is over.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn ended(&mut self) -> StreamEnd {
        match (&mut self.carrier).await {
            Ok(end) => end,
            Err(_) => StreamEnd::Closed,
        }
    }
}

impl Drop for LiveStream {
    /// The carrier says goodbye and ends by itself.
    fn drop(&mut self) {
        self.queue.close();
    }
}
