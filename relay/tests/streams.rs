//! Legs over TCP: whole legs of the transport against a relay on loopback.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use alongside_protocol::{Serial, relay::Role};
use alongside_relay::config::Limits;
use alongside_transport::{
    Connection as _, Identity, Leg, LegConfig, LegEvent, LegEvents, PathKind, Paths,
    QuicConnection, RelayAddress, Trust,
    leg::{
        network::{Network, Resolving, SystemNetwork},
        tls,
        tunnel::{Dialling, StreamDialer},
        websocket,
    },
};
use common::{RelayAt, TestRelay, eventually, patient};
use quinn::{
    AsyncUdpSocket, UdpPoller,
    udp::{RecvMeta, Transmit},
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

/// This machine's network, with a switch for UDP.
#[derive(Clone, Debug, Default)]
struct Switchable {
    system: SystemNetwork,
    no_udp: Arc<AtomicBool>,
}

impl StreamDialer for Switchable {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialling<'a> {
        self.system.dial(host, port)
    }
}

impl Network for Switchable {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        self.system.resolve(host, port)
    }

    fn udp(&self, relay: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Ok(Arc::new(SwitchableSocket {
            system: self.system.udp(relay)?,
            no_udp: Arc::clone(&self.no_udp),
        }))
    }
}

#[derive(Debug)]
struct SwitchableSocket {
    system: Arc<dyn AsyncUdpSocket>,
    no_udp: Arc<AtomicBool>,
}

impl AsyncUdpSocket for SwitchableSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.system).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if self.no_udp.load(Relaxed) {
            return Ok(());
        }
        self.system.try_send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = ready!(self.system.poll_recv(cx, buffers, metas))?;
        if self.no_udp.load(Relaxed) {
            metas.iter_mut().for_each(|meta| meta.len = 0);
        }
        Poll::Ready(Ok(received))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.system.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.system.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.system.max_receive_segments()
    }
}

/// A leg whose packets go through the relay.
async fn leg(relay: &RelayAt, role: Role, network: &Switchable) -> (Leg, LegEvents) {
    let relayed = Paths {
        direct: false,
        ..Paths::default()
    };
    leg_with(relay, role, network, relayed).await
}

async fn leg_with(
    relay: &RelayAt,
    role: Role,
    network: &Switchable,
    paths: Paths,
) -> (Leg, LegEvents) {
    let ca = std::fs::read(relay.dir.path().join("ca.pem")).unwrap();
    let address = RelayAddress::new("127.0.0.1").with_danger_port(relay.address.port());
    let identity = Arc::new(Identity::generate().unwrap());
    let mut config = LegConfig::new(role, identity, address, Trust::CaFile(ca));
    config.paths = paths;
    patient(Leg::connect_on(config, Arc::new(network.clone())))
        .await
        .unwrap()
}

fn without_udp() -> Switchable {
    let network = Switchable::default();
    network.no_udp.store(true, Relaxed);
    network
}

async fn meet(operator: &mut (Leg, LegEvents), device: &Leg) -> (QuicConnection, QuicConnection) {
    let allocated = operator
        .0
        .allocate(Duration::from_secs(600), None)
        .await
        .unwrap();
    let accept = async {
        let serial = Serial::new("SN-1").unwrap();
        let prepare = device.claim(allocated.nameplate, serial).await.unwrap();
        device.accept(&prepare).await.unwrap()
    };
    let dial = async {
        let LegEvent::Peer(peer) = operator.1.next().await else {
            panic!("no device came")
        };
        operator.0.dial(&peer).await.unwrap()
    };
    patient(async { tokio::join!(dial, accept) }).await
}

/// Sends `bytes` one way and reads them at the other end.
async fn carries(from: &QuicConnection, to: &QuicConnection, bytes: usize) -> bool {
    let send = async {
        let (mut send, recv) = from.open_bi(0).await.unwrap();
        send.write_all(&vec![7; bytes]).await.unwrap();
        send.shutdown().await.unwrap();
        recv
    };
    let receive = async {
        let (_send, mut recv) = to.accept_bi().await.unwrap();
        recv.read_to_end(bytes).await.unwrap()
    };
    let (_recv, got) = patient(async { tokio::join!(send, receive) }).await;
    got == vec![7; bytes]
}

#[tokio::test]
async fn legs_meet_over_tcp_and_udp_in_any_combination() {
    let relay = TestRelay::start();
    for (operator_network, device_network) in [
        (without_udp(), without_udp()),
        (Switchable::default(), without_udp()),
        (without_udp(), Switchable::default()),
    ] {
        let mut operator = leg(&relay, Role::Operator, &operator_network).await;
        let (device, _events) = leg(&relay, Role::Device, &device_network).await;
        assert!(device.welcome().observed.ip().is_loopback());
        let (at_operator, at_device) = meet(&mut operator, &device).await;
        for (connection, network) in [
            (&at_operator, &operator_network),
            (&at_device, &device_network),
        ] {
            let expected = if network.no_udp.load(Relaxed) {
                PathKind::RelayTls
            } else {
                PathKind::RelayQuic
            };
            assert_eq!(connection.path().borrow().kind, expected);
        }
        assert!(carries(&at_device, &at_operator, 500_000).await);
        assert!(carries(&at_operator, &at_device, 500_000).await);
    }
}

#[tokio::test]
async fn a_session_moves_to_tcp_when_udp_dies_and_back() {
    let relay = TestRelay::start();
    let network = Switchable::default();
    let mut operator = leg(&relay, Role::Operator, &Switchable::default()).await;
    let (device, _events) = leg(&relay, Role::Device, &network).await;
    let (at_operator, at_device) = meet(&mut operator, &device).await;
    let (mut send, _recv) = at_device.open_bi(0).await.unwrap();
    let numbers = tokio::spawn(async move {
        for n in 0_u32.. {
            if send.write_u32(n).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let (_send, mut recv) = at_operator.accept_bi().await.unwrap();
    let mut way = at_device.path();
    let mut expected = 0;
    for (no_udp, kind) in [
        (false, PathKind::RelayQuic),
        (true, PathKind::RelayTls),
        (false, PathKind::RelayQuic),
    ] {
        network.no_udp.store(no_udp, Relaxed);
        patient(way.wait_for(|way| way.kind == kind)).await.unwrap();
        for _ in 0..50 {
            assert_eq!(patient(recv.read_u32()).await.unwrap(), expected);
            expected += 1;
        }
    }
    numbers.abort();
}

#[tokio::test]
async fn a_session_between_two_that_reach_each_other_leaves_the_relay_alone() {
    let relay = TestRelay::start();
    let network = Switchable::default();
    let mut operator = leg_with(&relay, Role::Operator, &network, Paths::default()).await;
    let (device, _events) = leg_with(&relay, Role::Device, &network, Paths::default()).await;
    let (at_operator, at_device) = meet(&mut operator, &device).await;
    for end in [&at_operator, &at_device] {
        end.admit();
    }
    for end in [&at_operator, &at_device] {
        let mut way = end.path();
        patient(way.wait_for(|way| way.kind == PathKind::Direct))
            .await
            .unwrap();
    }
    let before = relay.running.forwarded().forwarded_bytes;
    assert!(carries(&at_device, &at_operator, 500_000).await);
    let forwarded = relay.running.forwarded().forwarded_bytes - before;
    assert!(
        forwarded < 5_000,
        "{forwarded} bytes went through the relay"
    );
}

async fn tls_stream(relay: &RelayAt) -> impl AsyncRead + AsyncWrite + Unpin {
    let ca = std::fs::read(relay.dir.path().join("ca.pem")).unwrap();
    let (config, _) = tls::stream_client_config(&Trust::CaFile(ca)).unwrap();
    let stream = TcpStream::connect(relay.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    patient(connector.connect(name, stream)).await.unwrap()
}

async fn answer_to(relay: &RelayAt, request: &str) -> String {
    let mut stream = tls_stream(relay).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = patient(stream.read_to_string(&mut answer)).await;
    answer
}

#[tokio::test]
async fn who_asks_for_something_else_is_answered_and_turned_away() {
    let relay = TestRelay::start();
    for (request, status) in [
        ("GET /healthz HTTP/1.1\r\n\r\n", "200 OK"),
        ("GET /leg HTTP/1.1\r\n\r\n", "426 Upgrade Required"),
        ("GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
        ("POST /healthz HTTP/1.1\r\n\r\n", "404 Not Found"),
    ] {
        let answer = answer_to(&relay, request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{answer}"
        );
    }
    let endless = format!("GET /leg HTTP/1.1\r\n{}", "a: b\r\n".repeat(2000));
    assert_eq!(answer_to(&relay, &endless).await, "");
}

#[tokio::test]
async fn a_stream_on_which_nobody_authenticates_is_closed() {
    let mut limits = Limits::default();
    limits.auth_timeout_s = 1;
    let relay = TestRelay::with(limits);
    // One that never speaks TLS, one that never asks, one that sends its request too slowly, one that asks and
    // says no more.
    let mut silent = TcpStream::connect(relay.address).await.unwrap();
    let mut no_request = tls_stream(&relay).await;
    let mut slow = tls_stream(&relay).await;
    slow.write_all(b"GET /leg HT").await.unwrap();
    let mut no_leg = tls_stream(&relay).await;
    websocket::ask(&mut no_leg, "localhost").await.unwrap();
    let mut rest = Vec::new();
    let _ = patient(silent.read_to_end(&mut rest)).await;
    let _ = patient(no_request.read_to_end(&mut rest)).await;
    let _ = patient(slow.read_to_end(&mut rest)).await;
    assert_eq!(rest, b"");
    let _ = patient(no_leg.read_to_end(&mut rest)).await;
}

#[tokio::test]
async fn a_stream_that_carries_anything_but_packets_is_closed() {
    let relay = TestRelay::start();
    for frame in [
        &b"\x81\x81\0\0\0\0a"[..],
        b"\x82\x01a",
        b"\x82\xfe\x05\xdd\0\0\0\0",
    ] {
        let mut stream = tls_stream(&relay).await;
        websocket::ask(&mut stream, "localhost").await.unwrap();
        stream.write_all(frame).await.unwrap();
        let mut rest = Vec::new();
        let _ = patient(stream.read_to_end(&mut rest)).await;
    }
}

#[tokio::test]
async fn one_source_has_only_so_many_streams_that_have_not_authenticated() {
    let mut limits = Limits::default();
    limits.unauthenticated_per_source = 4;
    let relay = TestRelay::with(limits);
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(tls_stream(&relay).await);
    }
    let mut refused = TcpStream::connect(relay.address).await.unwrap();
    assert_eq!(patient(refused.read(&mut [0])).await.unwrap_or(0), 0);
    // Legs that authenticate do not count.
    drop(held);
    let mut legs = Vec::new();
    for _ in 0..8 {
        legs.push(leg(&relay, Role::Device, &without_udp()).await);
    }
    eventually(|| relay.running.legs() == 8).await;
}
