//! A leg with its control connection, over a socket or a stream of its own.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use alongside_protocol::{
    LegToken, Serial,
    relay::{Allocate, Claim, FromRelay, LegCheck, Role, ToRelay},
};
use alongside_transport::{
    Identity, Trust,
    leg::{
        auth::{LegBinding, sign},
        cid,
        control::{ControlReader, ControlWriter},
        tls, tuning, tunnel,
        websocket::{self, PacketQueue, Side},
    },
};
use quinn::{Endpoint, RecvStream, SendStream};
use rustls::pki_types::ServerName;
use tokio::{
    net::{TcpStream, UdpSocket},
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;

use crate::{
    Failure,
    process::RelayProcess,
    seen::Seen,
    way::{Arrived, Link, Way, is_marked},
};

/// How often a leg shows that it is there; as often as a real one.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// Packets that wait for a leg's stream.
const QUEUE: usize = 16;

/// Opens legs at one relay.
pub(crate) struct Opener {
    relay: SocketAddr,
    control: rustls::ClientConfig,
    stream: Option<TlsConnector>,
    seen: Seen,
}

/// A leg that is known to the relay.
pub(crate) struct Leg {
    pub(crate) way: Arc<Way>,
    pub(crate) token: LegToken,
    reader: ControlReader<FromRelay, RecvStream>,
    writer: ControlWriter<ToRelay, SendStream>,
    _connection: quinn::Connection,
    _endpoint: Endpoint,
}

impl Opener {
    pub(crate) fn new(relay: &RelayProcess, over_tls: bool, seen: Seen) -> Result<Self, Failure> {
        let trust = Trust::CaFile(relay.ca.clone());
        let stream = match over_tls {
            true => Some(TlsConnector::from(Arc::new(
                tls::stream_client_config(&trust)?.0,
            ))),
            false => None,
        };
        Ok(Self {
            relay: relay.address,
            control: tls::relay_client_config(&trust)?.0,
            stream,
            seen,
        })
    }

    pub(crate) async fn open(&self, role: Role) -> Result<Leg, Failure> {
        let link = match &self.stream {
            None => {
                let socket = UdpSocket::bind("127.0.0.1:0").await?;
                socket.connect(self.relay).await?;
                // Until then a packet finds no room, and a handshake starts with its first time-out.
                socket.writable().await?;
                Link::Udp(socket)
            }
            Some(connector) => self.open_stream(connector).await?,
        };
        let way = Arc::new(Way::new(link, self.seen.clone(), self.relay));
        let token = cid::random_token();
        let endpoint = Endpoint::new_with_abstract_socket(
            cid::endpoint_config(token),
            None,
            Arc::clone(&way) as Arc<dyn quinn::AsyncUdpSocket>,
            Arc::new(quinn::TokioRuntime),
        )?;
        let config = tls::quic_client(self.control.clone(), tuning::leg_control())?;
        let connection = endpoint
            .connect_with(config, self.relay, "localhost")?
            .await?;
        let (send, receive) = connection.accept_bi().await?;
        let (mut reader, mut writer) = (ControlReader::new(receive), ControlWriter::new(send));
        let Some(FromRelay::Challenge(challenge)) = reader.next().await? else {
            return Err("no challenge".into());
        };
        let identity = Identity::generate()?;
        let binding = LegBinding::of(&connection)?;
        writer
            .send(sign(&identity, &challenge, binding, role, token))
            .await?;
        let Some(FromRelay::Welcome(_)) = reader.next().await? else {
            return Err("not welcome".into());
        };
        Ok(Leg {
            way,
            token,
            reader,
            writer,
            _connection: connection,
            _endpoint: endpoint,
        })
    }

    async fn open_stream(&self, connector: &TlsConnector) -> Result<Link, Failure> {
        let stream = TcpStream::connect(self.relay).await?;
        tunnel::tune(&stream);
        let name = ServerName::try_from("localhost")?;
        let mut stream = connector.connect(name, stream).await?;
        let rest = websocket::ask(&mut stream, "localhost").await?;
        let queue = Arc::new(PacketQueue::new(QUEUE));
        let arrived = Arc::new(Arrived::default());
        let (outgoing, control, seen) =
            (Arc::clone(&queue), Arc::clone(&arrived), self.seen.clone());
        tokio::spawn(async move {
            websocket::carry(stream, Side::Client, rest, &outgoing, |packet| {
                if is_marked(packet) {
                    seen.take(packet);
                } else {
                    control.push(packet);
                }
            })
            .await
        });
        Ok(Link::Stream { queue, arrived })
    }
}

/// An operator's and a device's leg that have met.
pub(crate) async fn meet(opener: &Opener, n: usize) -> Result<[Leg; 2], Failure> {
    let mut operator = opener.open(Role::Operator).await?;
    let mut device = opener.open(Role::Device).await?;
    let allocate = Allocate {
        ttl_s: 600,
        ticket: None,
    };
    operator.writer.send(allocate).await?;
    let Some(FromRelay::Allocated(allocated)) = operator.reader.next().await? else {
        return Err("no nameplate".into());
    };
    let claim = Claim {
        nameplate: allocated.nameplate,
        serial: Serial::new(&format!("LOAD-{n}"))?,
    };
    device.writer.send(claim).await?;
    let Some(FromRelay::Prepare(_)) = device.reader.next().await? else {
        return Err("no operator".into());
    };
    let Some(FromRelay::Peer(_)) = operator.reader.next().await? else {
        return Err("no device".into());
    };
    Ok([operator, device])
}

impl Leg {
    /// Checks now and then, as real legs do; the n-th of `all` in its turn.
    pub(crate) fn stay(self, n: usize, all: usize) -> JoinHandle<Self> {
        let mut leg = self;
        let turn = CHECK_EVERY.mul_f64(n as f64 / all.max(1) as f64);
        tokio::spawn(async move {
            tokio::time::sleep(turn).await;
            for n in 0_u32.. {
                if leg.writer.send(LegCheck { n }).await.is_err()
                    || leg.reader.next().await.is_err()
                {
                    break;
                }
                tokio::time::sleep(CHECK_EVERY).await;
            }
            leg
        })
    }
}
