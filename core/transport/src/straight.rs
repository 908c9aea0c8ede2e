//! Without a relay: the operator's side listens on an address, and the device dials it.
//!
//! Nobody introduces the two, so neither knows the other's key before. The handshake binds both keys, the device says
//! which nameplate its customer typed, and whose the keys are is for the access code to prove, as ever. The claim and
//! its answer are those of a [leg](crate::leg); the session's streams follow on the same connection.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use alongside_protocol::{
    LegToken, PublicKey, RendezvousId,
    relay::{Claim, FromRelay, OperatorCard, Prepare, Refused, RelayRefusal, ToRelay},
};
use quinn::{AsyncUdpSocket, Endpoint, EndpointConfig, TokioRuntime};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    Identity, LegError, LegLost,
    congestion::PathGeneration,
    connection::{Lost, close_code},
    leg::{
        DialError,
        control::{ControlReader, ControlWriter},
        network::Network,
        tls::{TlsError, e2e_client_config, e2e_server_config, quic_client, quic_server},
        tuning,
    },
    path::PathKind,
    quic::QuicConnection,
    random::random,
};

/// Longest wait for the other side's handshake, and again for its answer: a link of 20 kbit/s takes three seconds for
/// a handshake, and a person is waiting for the sentence.
const PATIENCE: Duration = Duration::from_secs(8);

/// Longest wait for farewells to be acknowledged.
const FAREWELL: Duration = Duration::from_millis(500);

/// Connections that may be on their way to a claim at once; from half of that on, addresses are checked first
/// (RFC 9000, section 8.1).
const MAX_ARRIVING: usize = 8;

/// Of those, from one address.
const MAX_OF_ONE: usize = 2;

/// Bytes of a connection that is not taken yet which are kept: its two first packets, and as many again.
const WAITING_BYTES: u64 = 8 * 1024;

/// Name that is never sent, as the handshake carries none and keys are what counts.
const NO_NAME: &str = "alongside.invalid";

/// An address on which the operator's side waits for devices. Clones are the same.
#[derive(Clone, Debug)]
pub struct Listener {
    endpoint: Endpoint,
    identity: Arc<Identity>,
    generation: PathGeneration,
}

impl Listener {
    /// Listens on `at`, with port 0 on a free one.
    ///
    /// # Errors
    ///
    /// What the system says: the address is not of this machine, or somebody listens there already.
    pub fn bind(
        identity: Arc<Identity>,
        network: &dyn Network,
        at: SocketAddr,
    ) -> io::Result<Self> {
        let generation = PathGeneration::default();
        let config = server_config(&identity, None, &generation).map_err(io::Error::other)?;
        let endpoint = endpoint(Some(config), network.udp_at(at)?)?;
        Ok(Self {
            endpoint,
            identity,
            generation,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    /// The devices that come.
    pub fn visits(&self) -> Visits {
        Visits {
            listener: self.clone(),
            arriving: JoinSet::new(),
            sources: Vec::new(),
        }
    }

    /// The next connection of the holder of `key`, whom nothing more is asked. Waits for as long as it takes.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future turns away whoever is about to come.
    pub async fn accept_again(&self, key: PublicKey) -> QuicConnection {
        let mut attempts = JoinSet::new();
        loop {
            tokio::select! {
                incoming = self.endpoint.accept() => {
                    let Some(incoming) = incoming else {
                        return std::future::pending().await;
                    };
                    if attempts.len() >= MAX_ARRIVING {
                        incoming.ignore();
                        continue;
                    }
                    if incoming.may_retry() {
                        // So that packets with made-up senders take no place from whom is waited for.
                        let _lost = incoming.retry();
                        continue;
                    }
                    let listener = self.clone();
                    attempts.spawn(async move { listener.take(incoming, Some(key)).await });
                }
                Some(Ok(attempt)) = attempts.join_next() => match attempt {
                    Ok(connection) => return connection,
                    Err(error) => tracing::debug!(%error, "somebody who came is not who was waited for"),
                },
            }
        }
    }

    async fn take(
        &self,
        incoming: quinn::Incoming,
        key: Option<PublicKey>,
    ) -> Result<QuicConnection, DialError> {
        let config = server_config(&self.identity, key, &self.generation)?;
        let connecting = incoming.accept_with(Arc::new(config)).map_err(Lost::from)?;
        bind(connecting, &self.identity).await
    }

    /// Ends the listening and every connection that came of it. Waits at most half a second for the farewells.
    pub async fn close(self) {
        self.endpoint.close(close_code::SHUTDOWN.into(), b"");
        // Without an answer the others find out by themselves.
        let _unanswered = timeout(FAREWELL, self.endpoint.wait_idle()).await;
    }
}

/// Devices that come to a [`Listener`].
#[derive(Debug)]
pub struct Visits {
    listener: Listener,
    arriving: JoinSet<(IpAddr, Result<Visit, DialError>)>,
    /// Where those are from.
    sources: Vec<IpAddr>,
}

/// A device that has come and says for which code.
#[derive(Debug)]
pub struct Visit {
    connection: QuicConnection,
    key: PublicKey,
    source: IpAddr,
    claim: Claim,
    answer: ControlWriter<FromRelay, quinn::SendStream>,
}

impl Visits {
    /// The next device that says for which code it comes. What others do meanwhile keeps it waiting for no longer than
    /// it takes to tell them apart.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nobody is lost by it.
    pub async fn next(&mut self) -> Visit {
        loop {
            tokio::select! {
                incoming = self.listener.endpoint.accept() => match incoming {
                    Some(incoming) => self.admit(incoming),
                    None => return std::future::pending().await,
                },
                Some(Ok((source, visit))) = self.arriving.join_next() => {
                    if let Some(place) = self.sources.iter().position(|known| *known == source) {
                        self.sources.swap_remove(place);
                    }
                    match visit {
                        Ok(visit) => return visit,
                        Err(error) => tracing::debug!(%error, "somebody came and claimed nothing"),
                    }
                }
            }
        }
    }

    fn admit(&mut self, incoming: quinn::Incoming) {
        let source = network(incoming.remote_address().ip());
        let of_one = self.sources.iter().filter(|known| **known == source);
        if self.arriving.len() >= MAX_ARRIVING || of_one.count() >= MAX_OF_ONE {
            return incoming.refuse();
        }
        if self.arriving.len() >= MAX_ARRIVING / 2 && incoming.may_retry() {
            // Fails where no second answer may be given; then the first packet is as good as lost.
            let _lost = incoming.retry();
            return;
        }
        self.sources.push(source);
        let listener = self.listener.clone();
        self.arriving.spawn(async move {
            let visit = timeout(2 * PATIENCE, listener.receive(incoming, source));
            (source, visit.await.unwrap_or(Err(DialError::Silent)))
        });
    }
}

impl Listener {
    async fn receive(&self, incoming: quinn::Incoming, source: IpAddr) -> Result<Visit, DialError> {
        let connection = self.take(incoming, None).await?;
        let key = connection.peer();
        let (send, recv) = connection.quic().accept_bi().await.map_err(Lost::from)?;
        let mut reader = ControlReader::<ToRelay, _>::new(recv);
        let claimed = timeout(PATIENCE, reader.next()).await;
        let Ok(Ok(Some(ToRelay::Claim(claim)))) = claimed else {
            connection
                .quic()
                .close(close_code::PROTOCOL.into(), b"no claim");
            return Err(Lost::Broken.into());
        };
        Ok(Visit {
            connection,
            key,
            source,
            claim,
            answer: ControlWriter::new(send),
        })
    }
}

impl Visit {
    /// What the device claims.
    pub const fn claim(&self) -> &Claim {
        &self.claim
    }

    /// The device's key.
    pub const fn key(&self) -> PublicKey {
        self.key
    }

    /// Where it comes from: its address, or the /64 of an IPv6 address. Never shown, nor logged above debug.
    pub const fn source(&self) -> IpAddr {
        self.source
    }

    /// Lets it prove the code, which expires in `expires_in`. The connection is ready for a session; `None` if the
    /// device has left.
    pub async fn admit(mut self, own: PublicKey, expires_in: Duration) -> Option<QuicConnection> {
        let prepare = Prepare {
            rendezvous: RendezvousId(random()),
            operator: OperatorCard {
                key: own,
                name: None,
                organisation: None,
            },
            token: LegToken(random()),
            expires_in_s: u16::try_from(expires_in.as_secs()).unwrap_or(u16::MAX),
        };
        let answer = async {
            self.answer.send(prepare).await.ok()?;
            self.answer.finish().await.ok()
        };
        // Whoever leaves no room for the answer does not want it.
        timeout(PATIENCE, answer).await.ok()??;
        Some(self.connection)
    }

    /// Tells it why not, and ends the connection. Does not wait for that.
    pub fn refuse(mut self, reason: RelayRefusal, retry_after: Option<Duration>) {
        let retry_after_s = retry_after.map(|wait| {
            let whole = wait.as_millis().div_ceil(1000);
            u16::try_from(whole).unwrap_or(u16::MAX)
        });
        tokio::spawn(async move {
            let refused = Refused {
                reason,
                retry_after_s,
            };
            let tell = async {
                if self.answer.send(refused).await.is_ok() && self.answer.finish().await.is_ok() {
                    // The device leaves once it has heard it.
                    let _left = self.answer.stream().stopped().await;
                    sleep(FAREWELL / 10).await;
                }
            };
            // Nor is anybody waited for who leaves no room for it.
            let _unheard = timeout(FAREWELL, tell).await;
            self.connection.quic().close(close_code::PROOF.into(), b"");
        });
    }
}

/// The device's side: dials one address. Clones are the same.
#[derive(Clone, Debug)]
pub struct Dialer {
    endpoint: Endpoint,
    identity: Arc<Identity>,
    to: SocketAddr,
    generation: PathGeneration,
}

impl Dialer {
    /// Dials `to` from now on, from one socket.
    ///
    /// # Errors
    ///
    /// What the system says when it gives no socket.
    pub fn new(identity: Arc<Identity>, network: &dyn Network, to: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            endpoint: endpoint(None, network.udp(to)?)?,
            identity,
            to,
            generation: PathGeneration::default(),
        })
    }

    /// Connects to whoever listens there, or to the holder of `key` alone.
    ///
    /// # Errors
    ///
    /// [`DialError::Silent`] after 8 s if nobody answers; [`DialError`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future gives the dial up.
    pub async fn dial(&self, key: Option<PublicKey>) -> Result<QuicConnection, DialError> {
        let tls = e2e_client_config(&self.identity, key)?;
        let client = quic_client(tls, tuning::e2e(&self.generation, Duration::ZERO))?;
        let connecting = self.endpoint.connect_with(client, self.to, NO_NAME);
        bind(connecting.map_err(|_| DialError::LegGone)?, &self.identity).await
    }

    /// Says on a fresh `connection` which nameplate the customer typed; the other side then proves the code.
    ///
    /// # Errors
    ///
    /// [`LegError::Refused`] if the code is unknown, expired or burnt; [`LegError`].
    pub async fn claim(&self, connection: &QuicConnection, claim: Claim) -> Result<(), LegError> {
        let lost = |lost: Lost| LegError::Lost(LegLost::Connection(lost));
        let ask = async {
            let streams = connection.quic().open_bi().await;
            let (send, recv) = streams.map_err(|error| lost(error.into()))?;
            let mut writer = ControlWriter::<ToRelay, _>::new(send);
            let mut reader = ControlReader::<FromRelay, _>::new(recv);
            let why = || connection.quic().close_reason().map(Lost::from);
            let broken = || lost(why().unwrap_or(Lost::Broken));
            writer.send(claim).await.map_err(|_| broken())?;
            writer.finish().await.map_err(|_| broken())?;
            match reader.next().await {
                Ok(Some(FromRelay::Prepare(prepare)))
                    if prepare.operator.key == connection.peer() =>
                {
                    Ok(())
                }
                Ok(Some(FromRelay::Refused(refused))) => Err(LegError::Refused {
                    refusal: refused.reason,
                    retry_after_s: refused.retry_after_s,
                }),
                Ok(_) => Err(LegError::Lost(LegLost::Protocol)),
                Err(_) => Err(broken()),
            }
        };
        timeout(PATIENCE, ask)
            .await
            .unwrap_or(Err(LegError::NoAnswer))
    }
}

/// What one customer of a provider has for its own: an IPv4 address, or the /64 of an IPv6 address (RFC 6177).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

fn endpoint(
    server: Option<quinn::ServerConfig>,
    io: Arc<dyn AsyncUdpSocket>,
) -> io::Result<Endpoint> {
    let runtime = Arc::new(TokioRuntime);
    Endpoint::new_with_abstract_socket(EndpointConfig::default(), server, io, runtime)
}

fn server_config(
    identity: &Arc<Identity>,
    key: Option<PublicKey>,
    generation: &PathGeneration,
) -> Result<quinn::ServerConfig, TlsError> {
    let tls = e2e_server_config(identity, key)?;
    let mut config = quic_server(tls, tuning::e2e(generation, Duration::ZERO))?;
    config
        .max_incoming(MAX_ARRIVING)
        .incoming_buffer_size(WAITING_BYTES)
        .incoming_buffer_size_total(WAITING_BYTES * MAX_ARRIVING as u64);
    Ok(config)
}

async fn bind(
    connecting: quinn::Connecting,
    identity: &Identity,
) -> Result<QuicConnection, DialError> {
    let connected = timeout(PATIENCE, connecting).await;
    let connection = connected.map_err(|_| DialError::Silent)?;
    let (_, kind) = watch::channel(PathKind::Direct);
    let connection = connection.map_err(Lost::from)?;
    Ok(QuicConnection::new(
        connection,
        identity.public_key(),
        kind,
    )?)
}

#[cfg(test)]
mod tests;
