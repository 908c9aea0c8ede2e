//! This process's leg: its place at the relay, and the end-to-end connections that go through it.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use alongside_protocol::{
    Nameplate, RendezvousId, Serial,
    label::Ticket,
    obstacle::Obstacle,
    relay::{
        Allocate, Allocated, Claim, Peer, PeerGone, Prepare, RelayRefusal, Release, Role, Welcome,
    },
};
use quinn::AsyncUdpSocket;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    congestion::PathGeneration,
    connection::close_code,
    identity::Identity,
    leg::{
        network::{Network, SystemNetwork},
        proxy::Proxy,
        shared_socket::SharedSocket,
        tls::Trust,
    },
    path::{ClosedWay, PathKind},
    quic::QuicConnection,
};

mod closed;
mod connect;
mod direct;
mod driver;
mod error;
mod obstacle;
mod peer;
mod stream;
#[cfg(test)]
mod tests;

use driver::{Question, Request};
pub use error::{Attempt, ConnectError, DialError, LegError, LegLost};

/// Longest wait for the relay's answer to a request.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Longest wait for the farewells to be acknowledged.
const FAREWELL: Duration = Duration::from_millis(500);

/// Where the relay is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RelayAddress {
    /// DNS name or IP address; its certificate must be for it.
    pub host: String,
    /// Port, the same for UDP and TCP: 443, but for tests and labs.
    pub port: u16,
}

impl RelayAddress {
    /// The relay on `host`, at the port that every relay has. An IPv6 address may stand in brackets.
    pub fn new(host: &str) -> Self {
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(host);
        Self {
            host: bare.to_owned(),
            port: 443,
        }
    }

    /// Another port than 443. For tests and labs: networks let 443 pass and little else.
    pub fn with_danger_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Host and port as a request names them (RFC 3986, section 3.2): always with the port.
    pub(crate) fn authority(&self) -> String {
        let (open, close) = self.brackets();
        format!("{open}{}{close}:{}", self.host, self.port)
    }

    fn brackets(&self) -> (&'static str, &'static str) {
        if self.host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        }
    }
}

impl fmt::Display for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = self.brackets();
        write!(f, "{open}{}{close}", self.host)?;
        if self.port == 443 {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

/// What a leg needs to come up.
#[derive(Clone, Debug)]
pub struct LegConfig {
    /// What this side is.
    pub role: Role,
    /// This side's long-term key.
    pub identity: Arc<Identity>,
    /// The relay.
    pub relay: RelayAddress,
    /// What makes it the right one.
    pub trust: Trust,
    /// Network interface that the sockets are bound to; any if `None`. Linux only.
    pub interface: Option<String>,
    /// The proxy through which streams go out, if there is one.
    pub proxy: Option<Proxy>,
    /// The ways that packets may take.
    pub paths: Paths,
}

impl LegConfig {
    /// A leg that may take every way, without a proxy.
    pub fn new(role: Role, identity: Arc<Identity>, relay: RelayAddress, trust: Trust) -> Self {
        Self {
            role,
            identity,
            relay,
            trust,
            interface: None,
            proxy: None,
            paths: Paths::default(),
        }
    }
}

/// The ways that packets may take; all of them, unless somebody says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paths {
    /// UDP from peer to peer.
    pub direct: bool,
    /// UDP through the relay.
    pub relay_quic: bool,
    /// TLS to the relay.
    pub relay_tls: bool,
    /// TLS to the relay through the proxy.
    pub relay_proxy: bool,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            direct: true,
            relay_quic: true,
            relay_tls: true,
            relay_proxy: true,
        }
    }
}

/// What happens to a leg.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum LegEvent {
    /// Operator: a device claimed the nameplate; [`Leg::dial`] it.
    Peer(Peer),
    /// The other leg of a meeting is gone.
    PeerGone(PeerGone),
    /// The relay forwards again between the two legs of this meeting.
    Rejoined(RendezvousId),
    /// The relay shuts down. A leg that is in a meeting comes back to it, or to the one that takes its place.
    Closing,
    /// Whether the relay can be heard changed.
    Link(LinkState),
    /// The leg is over; nothing comes after it.
    Lost(LegLost),
}

/// Whether the relay can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Something came lately.
    Ok,
    /// Nothing came for [`MISSING_AFTER`](crate::path::MISSING_AFTER) or longer.
    Missing {
        /// How long.
        silent: Duration,
    },
}

/// A leg that the relay knows. Clones are the same leg; it ends with the last of them, and with it every
/// connection that goes through it.
#[derive(Clone, Debug)]
pub struct Leg {
    inner: Arc<Inner>,
}

/// What happens to a [`Leg`], in order.
#[derive(Debug)]
pub struct LegEvents {
    events: mpsc::Receiver<LegEvent>,
    lost: Arc<OnceLock<LegLost>>,
}

#[derive(Debug)]
struct Inner {
    role: Role,
    identity: Arc<Identity>,
    welcome: Welcome,
    requests: mpsc::Sender<Request>,
    socket: Arc<SharedSocket>,
    control: quinn::Endpoint,
    end_to_end: quinn::Endpoint,
    generation: PathGeneration,
    kind: watch::Receiver<PathKind>,
    lost: Arc<OnceLock<LegLost>>,
    remarks: Vec<Obstacle>,
    closed: closed::Closed,
    /// Where peers may reach this side; nowhere if direct ways are not allowed.
    candidates: Option<Vec<SocketAddr>>,
    /// One accept at a time.
    accepting: tokio::sync::Mutex<()>,
}

impl Drop for Inner {
    /// Ends what goes through the leg; its driver sees that nobody can ask any more, and ends the leg itself.
    fn drop(&mut self) {
        self.end_to_end.close(close_code::SHUTDOWN.into(), b"");
    }
}

impl Leg {
    /// Finds the relay, connects to port 443 of it and proves `config.identity`.
    ///
    /// UDP is tried at once and a stream, through the proxy if there is one, 200 ms later; the first that works
    /// is taken, and given up for a better one as soon as that works. Of several addresses each next one gets
    /// 250 ms (RFC 8305). Takes at most 20 s.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what to do about it, and keeps [all attempts](ConnectError::attempts).
    pub async fn connect(config: LegConfig) -> Result<(Self, LegEvents), ConnectError> {
        let network = SystemNetwork::new(config.interface.clone());
        Self::connect_on(config, Arc::new(network)).await
    }

    /// The same on another network than this machine's.
    ///
    /// # Errors
    ///
    /// As [`Leg::connect`].
    pub async fn connect_on(
        config: LegConfig,
        network: Arc<dyn Network>,
    ) -> Result<(Self, LegEvents), ConnectError> {
        connect::on(config, network).await
    }

    /// The same over a socket of the caller's, without DNS, and over UDP through the relay alone.
    ///
    /// # Errors
    ///
    /// As [`Leg::connect`].
    pub async fn connect_over(
        config: LegConfig,
        socket: Arc<dyn AsyncUdpSocket>,
        relay: SocketAddr,
    ) -> Result<(Self, LegEvents), ConnectError> {
        connect::over(config, socket, relay).await
    }

    /// What the relay said when it let the leg in.
    pub fn welcome(&self) -> &Welcome {
        &self.inner.welcome
    }

    /// What a person should know about the way to the relay, though it stands in nobody's way: that somebody opens the
    /// TLS around what is sealed, or that this machine's clock cannot be right.
    pub fn remarks(&self) -> &[Obstacle] {
        &self.inner.remarks
    }

    /// The ways that are closed to this leg, and why.
    pub fn closed_ways(&self) -> watch::Receiver<Vec<ClosedWay>> {
        self.inner.closed.subscribe()
    }

    /// Whether the leg is gone, so that another is needed.
    pub fn is_over(&self) -> bool {
        self.inner.lost.get().is_some()
    }

    /// Operator: asks for a nameplate that lives for `ttl`; `ticket` goes into the relay's access line.
    ///
    /// # Errors
    ///
    /// [`LegError::Refused`] if the operator is unknown or has too many codes; [`LegError`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a nameplate that nobody waits for any more is given back.
    pub async fn allocate(
        &self,
        ttl: Duration,
        ticket: Option<Ticket>,
    ) -> Result<Allocated, LegError> {
        self.inner.check_role(Role::Operator)?;
        let ttl_s = u16::try_from(ttl.as_secs()).unwrap_or(u16::MAX);
        let (reply, answer) = oneshot::channel();
        self.ask(
            Question::Allocate(Allocate { ttl_s, ticket }, reply),
            answer,
        )
        .await
    }

    /// Device: says that the customer typed `nameplate`, and learns who invites the device. From now on that
    /// operator may dial; [`Leg::accept`] it.
    ///
    /// # Errors
    ///
    /// [`LegError::Refused`] if the code is unknown, expired or burnt; [`LegError`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a meeting that nobody waits for any more is released.
    pub async fn claim(&self, nameplate: Nameplate, serial: Serial) -> Result<Prepare, LegError> {
        self.inner.check_role(Role::Device)?;
        let (reply, answer) = oneshot::channel();
        let door = self.inner.open_door()?;
        let prepare = self
            .ask(Question::Claim(Claim { nameplate, serial }, reply), answer)
            .await?;
        door.leave_open();
        Ok(prepare)
    }

    /// Tells the relay that a meeting, or one try of it, is over. Never waits.
    pub fn release(&self, release: Release) {
        if let Ok(_nobody_accepts) = self.inner.accepting.try_lock() {
            self.inner.close_door();
        }
        if self
            .inner
            .requests
            .try_send(Request::Release(release))
            .is_err()
        {
            tracing::debug!(rendezvous = ?release.rendezvous, "meeting not released: the leg is gone or busy");
        }
    }

    /// Operator: connects end to end to the device that came, and goes on only with the key that the relay
    /// announced. Whether that key is the device's is for the access code to prove.
    ///
    /// # Errors
    ///
    /// [`DialError`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future gives the dial up.
    pub async fn dial(&self, peer: &Peer) -> Result<QuicConnection, DialError> {
        self.inner.dial(peer).await
    }

    /// Device: takes the connection of the operator that [`Leg::claim`] announced, and of nobody else.
    ///
    /// # Errors
    ///
    /// [`DialError`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future turns the operator away.
    pub async fn accept(&self, prepare: &Prepare) -> Result<QuicConnection, DialError> {
        self.inner.accept(prepare).await
    }

    /// Device: takes another connection of the same operator, in the same meeting, when the first is lost.
    ///
    /// # Errors
    ///
    /// [`DialError`].
    ///
    /// # Cancel safety
    ///
    /// As [`Leg::accept`].
    pub async fn accept_again(&self, prepare: &Prepare) -> Result<QuicConnection, DialError> {
        self.inner.open_door()?.leave_open();
        self.inner.accept(prepare).await
    }

    /// Ends the leg and whatever goes through it, clones or not. Waits at most a second for the releases before
    /// it and the farewells to arrive.
    pub async fn close(self) {
        self.inner
            .end_to_end
            .close(close_code::SHUTDOWN.into(), b"");
        let (done, closed) = oneshot::channel();
        if self.inner.requests.send(Request::Close(done)).await.is_ok() {
            // Resolves by the sender being dropped.
            let _dropped = closed.await;
        }
        let idle = async {
            tokio::join!(
                self.inner.control.wait_idle(),
                self.inner.end_to_end.wait_idle()
            )
        };
        // Without an answer the others find out by themselves.
        let _unanswered = tokio::time::timeout(FAREWELL, idle).await;
    }

    async fn ask<T>(
        &self,
        question: Question,
        answer: oneshot::Receiver<Result<T, LegError>>,
    ) -> Result<T, LegError> {
        self.inner
            .requests
            .send(Request::Ask(question))
            .await
            .map_err(|_| self.gone())?;
        match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(self.gone()),
            Err(_) => Err(LegError::NoAnswer),
        }
    }

    fn gone(&self) -> LegError {
        LegError::Lost(
            self.inner
                .lost
                .get()
                .cloned()
                .unwrap_or(LegLost::ClosedHere),
        )
    }
}

impl Inner {
    fn check_role(&self, role: Role) -> Result<(), LegError> {
        if self.role == role {
            return Ok(());
        }
        Err(LegError::Refused {
            refusal: RelayRefusal::NotAllowed,
            retry_after_s: None,
        })
    }
}

impl LegEvents {
    /// Next event. After [`LegEvent::Lost`] it gives the same again.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no event is lost.
    pub async fn next(&mut self) -> LegEvent {
        match self.events.recv().await {
            Some(event) => event,
            None => LegEvent::Lost(self.lost.get().cloned().unwrap_or(LegLost::ClosedHere)),
        }
    }
}
