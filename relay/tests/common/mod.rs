//! A relay on loopback and legs made of the transport's own parts.
#![allow(
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    reason = "each test file uses its share"
)]
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "any other message is the test's failure"
)]

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use alongside_protocol::{
    LegToken, Nameplate, PublicKey, RendezvousId, Serial,
    relay::{
        Allocate, Allocated, Auth, Claim, FromRelay, Peer, Prepare, Release, ReleaseReason, Role,
        ToRelay, Welcome,
    },
};
use alongside_relay::{Config, Relay, Running, Socket, StateDir, config::Limits};
use alongside_transport::{
    Identity, Trust,
    congestion::PathGeneration,
    leg::{
        auth::{LegBinding, sign},
        cid,
        control::{ControlError, ControlReader, ControlWriter},
        tls, tuning,
    },
};
use quinn::{Connection, Endpoint, RecvStream, SendStream};

/// An answer that takes longer than this does not come.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Long enough for a packet over loopback, short enough to wait for one that must not come.
pub const A_WHILE: Duration = Duration::from_millis(300);

/// An empty directory, removed with the value.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("alongside-relay-it-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A relay with a state directory of its own, in which everybody may hand out codes.
#[derive(Debug)]
pub struct TestRelay {
    pub at: RelayAt,
    pub running: Running,
}

/// Where a relay is: its address and its state directory.
#[derive(Debug)]
pub struct RelayAt {
    pub dir: TempDir,
    pub address: SocketAddr,
}

impl std::ops::Deref for TestRelay {
    type Target = RelayAt;

    fn deref(&self) -> &RelayAt {
        &self.at
    }
}

impl TestRelay {
    pub fn start() -> Self {
        Self::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        let dir = TempDir::new();
        std::fs::write(dir.path().join("operators.toml"), "allow = \"any\"\n").unwrap();
        Self::in_dir(dir, limits)
    }

    pub fn in_dir(dir: TempDir, limits: Limits) -> Self {
        let mut config = Config::default();
        config.listen = Some([127, 0, 0, 1].into());
        config.danger_port = Some(0);
        config.limits = limits;
        let state = StateDir::open(dir.path()).unwrap();
        let running = Relay::start(&config, state, Socket::Bind).unwrap();
        let address = running.udp();
        Self {
            at: RelayAt { dir, address },
            running,
        }
    }
}

impl RelayAt {
    pub fn access_lines(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.dir.path().join("access.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Client configuration that trusts this relay.
    pub fn client(&self) -> quinn::ClientConfig {
        let ca = std::fs::read(self.dir.path().join("ca.pem")).unwrap();
        let (tls, _) = tls::relay_client_config(&Trust::CaFile(ca)).unwrap();
        tls::quic_client(tls, tuning::leg_control()).unwrap()
    }

    /// A connection that has not authenticated, with the relay's challenge waiting in it.
    pub async fn connect(&self, endpoint: &Endpoint) -> Connection {
        let connecting = endpoint
            .connect_with(self.client(), self.address, "localhost")
            .unwrap();
        patient(connecting).await.unwrap()
    }

    pub async fn device(&self) -> TestLeg {
        TestLeg::join(
            self,
            Role::Device,
            Identity::generate().unwrap(),
            cid::random_token(),
        )
        .await
        .unwrap()
    }

    pub async fn operator(&self) -> TestLeg {
        TestLeg::join(
            self,
            Role::Operator,
            Identity::generate().unwrap(),
            cid::random_token(),
        )
        .await
        .unwrap()
    }

    /// An operator and a device that have met.
    pub async fn meeting(&self) -> Meeting {
        let (mut operator, mut device) = (self.operator().await, self.device().await);
        let allocated = operator.allocate().await.unwrap();
        let prepare = device.claim(allocated.nameplate).await.unwrap();
        let peer = match operator.next().await {
            FromRelay::Peer(peer) => peer,
            other => panic!("{other:?}"),
        };
        Meeting {
            operator,
            device,
            allocated,
            prepare,
            peer,
        }
    }
}

pub async fn patient<F: Future>(work: F) -> F::Output {
    tokio::time::timeout(PATIENCE, work).await.expect("in time")
}

/// Waits until `done` says so, looking every few milliseconds.
pub async fn eventually(mut done: impl FnMut() -> bool) {
    patient(async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

pub fn loopback_endpoint(token: LegToken) -> Endpoint {
    endpoint_at([127, 0, 0, 1], token)
}

/// An endpoint with an address of its own: another source, as far as limits are concerned.
pub fn endpoint_at(ip: [u8; 4], token: LegToken) -> Endpoint {
    let socket = std::net::UdpSocket::bind(SocketAddr::from((ip, 0))).unwrap();
    Endpoint::new(
        cid::endpoint_config(token),
        None,
        socket,
        Arc::new(quinn::TokioRuntime),
    )
    .unwrap()
}

#[derive(Debug)]
pub struct Meeting {
    pub operator: TestLeg,
    pub device: TestLeg,
    pub allocated: Allocated,
    pub prepare: Prepare,
    pub peer: Peer,
}

impl Meeting {
    /// The end-to-end connection: operator's and device's end.
    pub async fn dial(&self) -> (Connection, Connection) {
        let device = self.device.expect_dial(self.prepare.operator.key);
        let (dialled, accepted) = tokio::join!(
            patient(self.operator.dial(self.peer.token, self.peer.key)),
            patient(device)
        );
        (dialled.unwrap(), accepted)
    }
}

/// One leg: control connection and end-to-end connections on one endpoint.
#[derive(Debug)]
pub struct TestLeg {
    pub endpoint: Endpoint,
    pub connection: Connection,
    pub identity: Arc<Identity>,
    pub token: LegToken,
    pub welcome: Welcome,
    pub reader: ControlReader<FromRelay, RecvStream>,
    pub writer: ControlWriter<ToRelay, SendStream>,
    relay: SocketAddr,
}

impl TestLeg {
    pub async fn join(
        relay: &RelayAt,
        role: Role,
        identity: Identity,
        token: LegToken,
    ) -> Result<Self, FromRelay> {
        Self::join_with(relay, identity, token, |identity, challenge, binding| {
            sign(identity, challenge, binding, role, token)
        })
        .await
    }

    /// Joins with whatever `answer` makes of the challenge; the error is what the relay said instead of a welcome.
    pub async fn join_with(
        relay: &RelayAt,
        identity: Identity,
        token: LegToken,
        answer: impl FnOnce(&Identity, &alongside_protocol::relay::Challenge, LegBinding) -> Auth,
    ) -> Result<Self, FromRelay> {
        Self::join_over(relay, loopback_endpoint(token), identity, token, answer).await
    }

    /// A leg that comes from another source than all others.
    pub async fn join_from(relay: &RelayAt, ip: [u8; 4], role: Role) -> Self {
        let (identity, token) = (Identity::generate().unwrap(), cid::random_token());
        let endpoint = endpoint_at(ip, token);
        let joined = Self::join_over(
            relay,
            endpoint,
            identity,
            token,
            |identity, challenge, binding| sign(identity, challenge, binding, role, token),
        );
        joined.await.unwrap()
    }

    async fn join_over(
        relay: &RelayAt,
        endpoint: Endpoint,
        identity: Identity,
        token: LegToken,
        answer: impl FnOnce(&Identity, &alongside_protocol::relay::Challenge, LegBinding) -> Auth,
    ) -> Result<Self, FromRelay> {
        let connection = relay.connect(&endpoint).await;
        let (send, receive) = patient(connection.accept_bi()).await.unwrap();
        let (mut reader, mut writer) = (ControlReader::new(receive), ControlWriter::new(send));
        let challenge = match patient(reader.next()).await.unwrap() {
            Some(FromRelay::Challenge(challenge)) => challenge,
            other => panic!("{other:?}"),
        };
        let binding = LegBinding::of(&connection).unwrap();
        writer
            .send(answer(&identity, &challenge, binding))
            .await
            .unwrap();
        let welcome = match patient(reader.next()).await.unwrap() {
            Some(FromRelay::Welcome(welcome)) => welcome,
            other => return Err(other.unwrap()),
        };
        let identity = Arc::new(identity);
        Ok(Self {
            endpoint,
            connection,
            identity,
            token,
            welcome,
            reader,
            writer,
            relay: relay.address,
        })
    }

    /// Next message but for a meeting's ticket, which comes whenever two legs are paired.
    pub async fn next(&mut self) -> FromRelay {
        loop {
            let message = patient(self.reader.next())
                .await
                .unwrap()
                .expect("a message");
            if !matches!(message, FromRelay::Paired(_)) {
                return message;
            }
        }
    }

    /// What the stream gives once the relay has given up on it.
    pub async fn end(&mut self) -> Result<Option<FromRelay>, ControlError> {
        patient(self.reader.next()).await
    }

    pub async fn send(&mut self, message: impl Into<ToRelay>) {
        self.writer.send(message).await.unwrap();
    }

    pub async fn allocate(&mut self) -> Result<Allocated, FromRelay> {
        self.send(Allocate {
            ttl_s: 600,
            ticket: None,
        })
        .await;
        match self.next().await {
            FromRelay::Allocated(allocated) => Ok(allocated),
            other => Err(other),
        }
    }

    pub async fn claim(&mut self, nameplate: Nameplate) -> Result<Prepare, FromRelay> {
        self.send(Claim {
            nameplate,
            serial: Serial::new("SN-1").unwrap(),
        })
        .await;
        match self.next().await {
            FromRelay::Prepare(prepare) => Ok(prepare),
            other => Err(other),
        }
    }

    pub async fn release(&mut self, rendezvous: RendezvousId, reason: ReleaseReason) {
        self.send(Release { rendezvous, reason }).await;
    }

    pub async fn dial(
        &self,
        token: LegToken,
        key: PublicKey,
    ) -> Result<Connection, quinn::ConnectionError> {
        let tls = tls::e2e_client_config(&self.identity, key).unwrap();
        let mut config =
            tls::quic_client(tls, tuning::e2e(&PathGeneration::default(), Duration::ZERO)).unwrap();
        cid::dial_to(&mut config, token);
        self.endpoint
            .connect_with(config, self.relay, "device")
            .unwrap()
            .await
    }

    pub fn expect_dial(&self, operator: PublicKey) -> impl Future<Output = Connection> + use<> {
        let tls = tls::e2e_server_config(&self.identity, operator).unwrap();
        let config =
            tls::quic_server(tls, tuning::e2e(&PathGeneration::default(), Duration::ZERO)).unwrap();
        self.endpoint.set_server_config(Some(config));
        let endpoint = self.endpoint.clone();
        async move { endpoint.accept().await.unwrap().await.unwrap() }
    }
}

/// Whether a byte sent on a new stream of `from` comes back from `to`.
pub async fn echo(from: &Connection, to: &Connection, bytes: usize) -> bool {
    let there = async {
        let (mut send, mut receive) = from.open_bi().await.ok()?;
        send.write_all(&vec![7; bytes]).await.ok()?;
        send.finish().ok()?;
        receive.read_to_end(bytes).await.ok()
    };
    let back = async {
        let (mut send, mut receive) = to.accept_bi().await.ok()?;
        let got = receive.read_to_end(bytes).await.ok()?;
        send.write_all(&got).await.ok()?;
        send.finish().ok()
    };
    let both = async { tokio::join!(there, back) };
    match tokio::time::timeout(PATIENCE, both).await {
        Ok((Some(got), Some(()))) => got.len() == bytes,
        _ => false,
    }
}
