//! What breaks alone: a bug met by one packet must not end what others do.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use alongside_protocol::relay::{FromRelay, LegCheck};
use alongside_relay::{Config, Relay, Running, Socket, StateDir};
use alongside_transport::leg::cid;
use common::{RelayAt, TempDir, TestLeg, echo, loopback_endpoint, patient};
use quinn::{
    AsyncUdpSocket, Runtime as _, TokioRuntime, UdpPoller,
    udp::{RecvMeta, Transmit},
};

/// A socket with a bug: the next packet to the victim panics.
#[derive(Debug)]
struct Faulty {
    inner: Arc<dyn AsyncUdpSocket>,
    victim: Mutex<Option<SocketAddr>>,
}

impl Faulty {
    fn break_at(&self, victim: SocketAddr) {
        *self.victim.lock().unwrap() = Some(victim);
    }
}

impl AsyncUdpSocket for Faulty {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.inner).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let is_hit = |victim: &mut SocketAddr| *victim == transmit.destination;
        let hit = self.victim.lock().unwrap().take_if(is_hit);
        assert_eq!(hit, None, "a bug");
        self.inner.try_send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_recv(cx, buffers, metas)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.inner.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.inner.max_receive_segments()
    }
}

fn faulty_relay() -> (Arc<Faulty>, RelayAt, Running) {
    let dir = TempDir::new();
    std::fs::write(dir.path().join("operators.toml"), "allow = \"any\"\n").unwrap();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let faulty = Arc::new(Faulty {
        inner: TokioRuntime.wrap_udp_socket(socket).unwrap(),
        victim: Mutex::default(),
    });
    let state = StateDir::open(dir.path()).unwrap();
    let given = Socket::Given(Arc::clone(&faulty) as Arc<dyn AsyncUdpSocket>);
    let running = Relay::start(&Config::default(), state, given).unwrap();
    let address = running.udp();
    (faulty, RelayAt { dir, address }, running)
}

/// Whether the relay answers a check of the leg.
async fn is_answered(leg: &mut TestLeg) -> bool {
    let check = LegCheck { n: 7 };
    leg.send(check).await;
    leg.next().await == FromRelay::from(check)
}

#[tokio::test]
async fn a_bug_in_one_connection_costs_its_leg_alone() {
    let (faulty, relay, running) = faulty_relay();
    let mut meeting = relay.meeting().await;
    let (operator, device) = meeting.dial().await;
    let mut unlucky = relay.device().await;
    faulty.break_at(unlucky.endpoint.local_addr().unwrap());

    unlucky.send(LegCheck { n: 1 }).await;
    let lost = patient(unlucky.connection.closed()).await;
    assert!(matches!(lost, quinn::ConnectionError::Reset), "{lost:?}");
    assert!(is_answered(&mut meeting.device).await);
    assert!(is_answered(&mut meeting.operator).await);
    assert!(echo(&operator, &device, 10_000).await);
    assert_eq!(running.legs(), 2);
    relay.device().await;
}

#[tokio::test]
async fn when_all_control_connections_break_sessions_go_on_and_legs_come_again() {
    let (faulty, relay, running) = faulty_relay();
    let mut meeting = relay.meeting().await;
    let (operator, device) = meeting.dial().await;
    let stranger = loopback_endpoint(cid::random_token());
    faulty.break_at(stranger.local_addr().unwrap());

    // What breaks is the answer to a first packet, before there is any connection. The next attempt is fine.
    let connecting = stranger.connect_with(relay.client(), relay.address, "localhost");
    patient(connecting.unwrap()).await.unwrap();
    assert!(echo(&operator, &device, 10_000).await);
    let _known_by_now = meeting.device.writer.send(LegCheck { n: 1 }).await;
    let lost = patient(meeting.device.connection.closed()).await;
    assert!(matches!(lost, quinn::ConnectionError::Reset), "{lost:?}");
    assert!(echo(&operator, &device, 10_000).await);
    assert!(is_answered(&mut relay.device().await).await);
    assert_eq!(running.legs(), 3, "those two may come again");
}
