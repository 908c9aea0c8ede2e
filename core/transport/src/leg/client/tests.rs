//! Whole legs over a simulated network in virtual time, and over UDP on this machine.

use std::net::IpAddr;

use alongside_protocol::relay::{FromRelay, ReleaseReason, ToRelay};
use bytes::Bytes;
use quinn::Runtime as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

use super::*;
use crate::{
    connection::{Connection as _, Lost},
    leg::{
        control::{ControlReader, ControlWriter},
        tls::CertificateFault,
    },
    sim::{Host, Nat, Quality, Reach, SimNet},
};

mod direct;
mod moves;
mod obstacles;
mod relay;

use relay::{RENDEZVOUS, TestRelay};

const RELAY: [u8; 4] = [203, 0, 113, 2];
const OPERATOR: [u8; 4] = [198, 51, 100, 2];
const DEVICE: [u8; 4] = [192, 0, 2, 2];

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn config(role: Role, ca: &[u8]) -> LegConfig {
    LegConfig {
        role,
        identity: Arc::new(Identity::generate().unwrap()),
        relay: RelayAddress::new("relay.test"),
        trust: Trust::CaFile(ca.to_vec()),
        interface: None,
        proxy: None,
        paths: Paths::default(),
    }
}

/// A relay, an operator 20 ms and a device 40 ms away from it (both behind translators), and both legs.
struct World {
    relay: TestRelay,
    hosts: Hosts,
    operator: (Leg, LegEvents),
    device: (Leg, LegEvents),
}

struct Hosts {
    relay: Host,
    operator: Host,
    device: Host,
}

impl Hosts {
    fn new(loss_permille: u32) -> Self {
        Self::on_net(loss_permille).1
    }

    fn on_net(loss_permille: u32) -> (SimNet, Self) {
        Self::with_nat(loss_permille, Nat::Symmetric, Nat::Cone)
    }

    fn with_nat(loss_permille: u32, operator: Nat, device: Nat) -> (SimNet, Self) {
        let net = SimNet::new(7);
        let quality = |delay| Quality {
            delay: ms(delay),
            loss_permille,
            ..Quality::default()
        };
        let hosts = Self {
            relay: net.host(IpAddr::from(RELAY), Quality::default(), Nat::None),
            operator: net.host(IpAddr::from(OPERATOR), quality(10), operator),
            device: net.host(IpAddr::from(DEVICE), quality(20), device),
        };
        (net, hosts)
    }
}

impl World {
    async fn new(loss_permille: u32) -> Self {
        let hosts = Hosts::new(loss_permille);
        let relay = TestRelay::start(hosts.relay.socket(443));
        let leg = |role, host: &Host| {
            Leg::connect_over(
                config(role, &relay.ca),
                host.socket(0),
                hosts.relay.address(443),
            )
        };
        let operator = leg(Role::Operator, &hosts.operator).await.unwrap();
        let device = leg(Role::Device, &hosts.device).await.unwrap();
        Self {
            relay,
            hosts,
            operator,
            device,
        }
    }

    /// Code, claim, dial: both ends of a session's connection.
    async fn meet(&mut self) -> (QuicConnection, QuicConnection) {
        let (operator, events) = &mut self.operator;
        let (device, _) = &self.device;
        let allocated = operator
            .allocate(Duration::from_secs(600), None)
            .await
            .unwrap();
        let accept = async {
            let serial = Serial::new("MFD-1").unwrap();
            let prepare = device.claim(allocated.nameplate, serial).await.unwrap();
            device.accept(&prepare).await.unwrap()
        };
        let dial = async {
            let LegEvent::Peer(peer) = events.next().await else {
                panic!("no device came")
            };
            operator.dial(&peer).await.unwrap()
        };
        tokio::join!(dial, accept)
    }
}

#[tokio::test(start_paused = true)]
async fn an_operator_and_a_device_meet_and_talk_through_the_relay() {
    let mut world = World::new(0).await;
    let start = Instant::now();
    let (operator, device) = world.meet().await;
    // Allocate 20 ms, claim 40 ms, handshake 60 ms, and what the timers round up.
    assert!(start.elapsed() < ms(150), "met after {:?}", start.elapsed());
    assert!(operator.binding().exporter == device.binding().exporter);
    assert_eq!(operator.path().borrow().kind, PathKind::RelayQuic);

    let (mut send, mut recv) = operator.open_bi(20).await.unwrap();
    send.write_all(b"hello").await.unwrap();
    let (mut answer, mut heard) = device.accept_bi().await.unwrap();
    let mut got = [0; 5];
    heard.read_exact(&mut got).await.unwrap();
    answer.write_all(&got).await.unwrap();
    recv.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"hello");
    operator
        .send_datagram(Bytes::from_static(b"hover"))
        .unwrap();
    assert_eq!(device.recv_datagram().await.unwrap(), "hover");

    device.close(close_code::DONE, "bye");
    assert_eq!(
        operator.closed().await,
        Lost::closed_by_peer(close_code::DONE, "bye")
    );
}

#[tokio::test(start_paused = true)]
async fn they_meet_where_every_tenth_packet_is_lost() {
    let mut world = World::new(100).await;
    let (operator, device) = world.meet().await;
    let (mut send, _recv) = operator.open_bi(0).await.unwrap();
    let write = async {
        send.write_all(&[7; 200_000]).await.unwrap();
        send.shutdown().await.unwrap();
    };
    let read = async {
        let (_, mut recv) = device.accept_bi().await.unwrap();
        recv.read_to_end(10_000_000).await.unwrap()
    };
    let ((), got) = tokio::join!(write, read);
    assert!(got == [7; 200_000]);
}

#[tokio::test(start_paused = true)]
async fn they_meet_again_over_the_same_legs() {
    let mut world = World::new(0).await;
    for _ in 0..3 {
        let (operator, device) = world.meet().await;
        operator.close(close_code::PROOF, "");
        assert_eq!(
            device.closed().await,
            Lost::closed_by_peer(close_code::PROOF, "")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_accepts_nobody_outside_a_claim_and_nobody_but_the_announced_operator() {
    let mut world = World::new(0).await;
    let (operator, device) = (world.operator.0.clone(), &world.device.0);
    let device_key = device.inner.identity.public_key();
    let token = world
        .relay
        .legs
        .lock()
        .unwrap()
        .iter()
        .find(|(_, leg)| leg.key() == device_key)
        .map(|(t, _)| *t);
    let peer = Peer {
        rendezvous: RENDEZVOUS,
        serial: Serial::new("MFD-1").unwrap(),
        key: device_key,
        token: token.unwrap(),
    };
    assert!(matches!(operator.dial(&peer).await, Err(DialError::Silent)));

    // Announced is somebody else than who dials.
    let (_, events) = &mut world.operator;
    let accept = async {
        let claimed = device
            .claim(
                Nameplate::new(12_345).unwrap(),
                Serial::new("MFD-1").unwrap(),
            )
            .await;
        let mut prepare = claimed.unwrap();
        prepare.operator.key = Identity::generate().unwrap().public_key();
        device.accept(&prepare).await.err()
    };
    let dial = async {
        let LegEvent::Peer(peer) = events.next().await else {
            panic!("no device came")
        };
        let dialled = operator.dial(&peer).await;
        match dialled {
            Ok(connection) => connection.closed().await,
            Err(error) => panic!("{error}"),
        }
    };
    let (dialled, accepted) = tokio::join!(dial, accept);
    assert!(
        matches!(accepted, Some(DialError::Failed(Lost::Refused { .. }))),
        "{accepted:?}"
    );
    assert!(matches!(dialled, Lost::Refused { .. }), "{dialled:?}");
}

#[tokio::test(start_paused = true)]
async fn each_side_has_its_own_part() {
    let world = World::new(0).await;
    let not_allowed = LegError::Refused {
        refusal: RelayRefusal::NotAllowed,
        retry_after_s: None,
    };
    let serial = Serial::new("MFD-1").unwrap();
    let claimed = world
        .operator
        .0
        .claim(Nameplate::new(1).unwrap(), serial)
        .await;
    assert_eq!(claimed.unwrap_err(), not_allowed);
    assert_eq!(
        world
            .device
            .0
            .allocate(Duration::from_secs(600), None)
            .await
            .unwrap_err(),
        not_allowed
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_comes_back_to_who_asked() {
    let world = World::new(0).await;
    let (device, serial) = (&world.device.0, Serial::new("MFD-1").unwrap());
    let refused = device
        .claim(Nameplate::new(1).unwrap(), serial)
        .await
        .unwrap_err();
    assert_eq!(
        refused,
        LegError::Refused {
            refusal: RelayRefusal::CodeUnknown,
            retry_after_s: None
        }
    );
    assert!(refused.to_string().contains("no such code"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn the_relays_news_arrive_in_order() {
    let mut world = World::new(0).await;
    let _session = world.meet().await;
    world.device.0.release(Release {
        rendezvous: RENDEZVOUS,
        reason: ReleaseReason::SessionEnded,
    });
    let events = &mut world.operator.1;
    assert!(
        matches!(events.next().await, LegEvent::PeerGone(gone) if gone.rendezvous == RENDEZVOUS)
    );
    world.relay.announce_closing();
    assert_eq!(events.next().await, LegEvent::Closing);
    world.relay.endpoint.close(0u32.into(), b"maintenance");
    let lost = LegEvent::Lost(LegLost::Connection(Lost::closed_by_peer(0, "maintenance")));
    assert_eq!(events.next().await, lost);
    assert_eq!(events.next().await, lost);
    let asked = world
        .operator
        .0
        .allocate(Duration::from_secs(600), None)
        .await;
    assert!(
        matches!(asked, Err(LegError::Lost(LegLost::Connection(_)))),
        "{asked:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_falls_silent_is_missed_within_16_s_and_found_again() {
    let mut world = World::new(0).await;
    let start = Instant::now();
    world
        .hosts
        .device
        .set_reachable(&world.hosts.relay, Reach::Blocked);
    let events = &mut world.device.1;
    let LegEvent::Link(LinkState::Missing { silent }) = events.next().await else {
        panic!("not missed")
    };
    assert!(silent >= Duration::from_secs(15) && start.elapsed() <= Duration::from_secs(16));
    world
        .hosts
        .device
        .set_reachable(&world.hosts.relay, Reach::Open);
    assert_eq!(events.next().await, LegEvent::Link(LinkState::Ok));

    world
        .hosts
        .device
        .set_reachable(&world.hosts.relay, Reach::Blocked);
    assert!(matches!(
        events.next().await,
        LegEvent::Link(LinkState::Missing { .. })
    ));
    assert_eq!(
        events.next().await,
        LegEvent::Lost(LegLost::Connection(Lost::Silent))
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_survives_an_outage_of_half_a_minute() {
    let mut world = World::new(0).await;
    let (operator, device) = world.meet().await;
    let (mut send, _recv) = operator.open_bi(0).await.unwrap();
    send.write_all(b"1").await.unwrap();
    let (_send, mut heard) = device.accept_bi().await.unwrap();
    assert_eq!(heard.read_u8().await.unwrap(), b'1');
    world
        .hosts
        .device
        .set_reachable(&world.hosts.relay, Reach::Blocked);
    send.write_all(b"2").await.unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    world
        .hosts
        .device
        .set_reachable(&world.hosts.relay, Reach::Open);
    assert_eq!(heard.read_u8().await.unwrap(), b'2');
}

#[tokio::test(start_paused = true)]
async fn an_idle_leg_checks_every_5_s_with_less_than_125_bytes_each_way() {
    let world = World::new(0).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let before = world.hosts.device.traffic();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let after = world.hosts.device.traffic();
    let (sent, received) = (after.sent - before.sent, after.received - before.received);
    // Check and answer, acknowledged once each: at most two packets each way, headers of IP and UDP included.
    println!(
        "per check: {} bytes sent, {} received",
        sent / 720,
        received / 720
    );
    assert!(
        sent / 720 < 2 * 125 && received / 720 < 2 * 125,
        "{sent} and {received} bytes in 720 checks"
    );
    assert!(
        sent / 720 > 40 && received / 720 > 40,
        "{sent} and {received} bytes in 720 checks"
    );
}

#[tokio::test(start_paused = true)]
async fn dropping_the_leg_ends_it_at_the_relay_at_once() {
    let world = World::new(0).await;
    assert_eq!(world.relay.legs.lock().unwrap().len(), 2);
    let start = Instant::now();
    drop(world.operator);
    world.device.0.close().await;
    while !world.relay.legs.lock().unwrap().is_empty() {
        tokio::time::sleep(ms(10)).await;
    }
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_released_last_is_heard_before_the_end() {
    let mut world = World::new(0).await;
    let (_operator, session) = world.meet().await;
    let (device, mut events) = world.device;
    device.release(Release {
        rendezvous: RENDEZVOUS,
        reason: ReleaseReason::SessionEnded,
    });
    device.close().await;
    assert!(matches!(
        world.operator.1.next().await,
        LegEvent::PeerGone(_)
    ));
    assert_eq!(session.closed().await, Lost::ClosedHere);
    assert_eq!(events.next().await, LegEvent::Lost(LegLost::ClosedHere));
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_was_restarted_is_noticed_with_the_next_check() {
    let hosts = Hosts::new(0);
    let first = TestRelay::start(hosts.relay.socket(443));
    let config = config(Role::Device, &first.ca);
    let (_leg, mut events) =
        Leg::connect_over(config, hosts.device.socket(0), hosts.relay.address(443))
            .await
            .unwrap();
    // The socket of the first hears no more, as after a kill.
    let _second = TestRelay::start(hosts.relay.socket(443));
    let start = Instant::now();
    assert_eq!(
        events.next().await,
        LegEvent::Lost(LegLost::Connection(Lost::Restarted))
    );
    assert!(
        start.elapsed() < Duration::from_secs(6),
        "{:?}",
        start.elapsed()
    );
}

async fn refused_by(trust: Trust, name: &str) -> ConnectError {
    let hosts = Hosts::new(0);
    let relay = TestRelay::start(hosts.relay.socket(443));
    let mut config = config(Role::Device, &relay.ca);
    config.relay = RelayAddress::new(name);
    if trust != Trust::Platform {
        config.trust = trust;
    }
    Leg::connect_over(config, hosts.device.socket(0), hosts.relay.address(443))
        .await
        .unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_wrong_name_and_an_untrusted_certificate_are_told_apart() {
    let wrong_name = refused_by(Trust::Platform, "other.test").await;
    assert!(
        matches!(wrong_name, ConnectError::WrongName { .. }),
        "{wrong_name}"
    );
    assert_eq!(
        (wrong_name.code(), wrong_name.is_retryable()),
        ("relay-name", false)
    );

    let wrong_pin = refused_by(Trust::Pin([0; 32]), "relay.test").await;
    assert!(
        matches!(
            wrong_pin,
            ConnectError::Untrusted {
                fault: CertificateFault::WrongPin,
                ..
            }
        ),
        "{wrong_pin}"
    );
    assert_eq!(
        (wrong_pin.code(), wrong_pin.is_retryable()),
        ("relay-untrusted", false)
    );
    assert!(wrong_pin.to_string().contains("pin"), "{wrong_pin}");

    let no_ca = refused_by(Trust::CaFile(b"nothing".to_vec()), "relay.test").await;
    assert_eq!(
        (no_ca.code(), no_ca.is_retryable()),
        ("relay-untrusted", false)
    );
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_is_not_there_is_unreachable_after_10_s() {
    let hosts = Hosts::new(0);
    let start = Instant::now();
    let device = hosts.device.socket(0);
    let failed = Leg::connect_over(
        config(Role::Device, &[]),
        Arc::clone(&device),
        hosts.relay.address(443),
    )
    .await;
    assert_eq!(
        failed.unwrap_err().code(),
        "relay-untrusted",
        "an empty CA file is found before anything is sent"
    );

    let ca = rcgen::generate_simple_self_signed(vec!["relay.test".to_owned()])
        .unwrap()
        .cert
        .pem()
        .into_bytes();
    let failed = Leg::connect_over(config(Role::Device, &ca), device, hosts.relay.address(443))
        .await
        .unwrap_err();
    assert_eq!(
        (failed.code(), failed.is_retryable()),
        ("relay-unreachable", true)
    );
    assert!(failed.to_string().contains("UDP port 443"), "{failed}");
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn a_leg_comes_up_by_name_over_udp_on_this_machine() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let relay = TestRelay::start(quinn::TokioRuntime.wrap_udp_socket(socket).unwrap());
    let pin = {
        use rustls::pki_types::{CertificateDer, pem::PemObject as _};
        let certificate = CertificateDer::from_pem_slice(&relay.ca).unwrap();
        let spki = rustls::server::ParsedCertificate::try_from(&certificate)
            .unwrap()
            .subject_public_key_info();
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &spki)
            .as_ref()
            .try_into()
            .unwrap()
    };
    let leg = |role| {
        let mut config = config(role, &relay.ca);
        config.relay = RelayAddress::new("127.0.0.1").with_danger_port(port);
        config.trust = Trust::Pin(pin);
        Leg::connect(config)
    };
    let operator = leg(Role::Operator).await.unwrap();
    let device = leg(Role::Device).await.unwrap();
    let hosts = Hosts::new(0);
    let mut world = World {
        relay,
        hosts,
        operator,
        device,
    };
    let (operator, device) = world.meet().await;

    // Enough for GSO and GRO to mix both endpoints' packets.
    let (mut send, _recv) = operator.open_bi(0).await.unwrap();
    let write = async {
        send.write_all(&[7; 3_000_000]).await.unwrap();
        send.shutdown().await.unwrap();
    };
    let read = async {
        let (_, mut recv) = device.accept_bi().await.unwrap();
        recv.read_to_end(10_000_000).await.unwrap()
    };
    let checks = async {
        for _ in 0..20 {
            world
                .operator
                .0
                .allocate(Duration::from_secs(600), None)
                .await
                .unwrap();
        }
    };
    let ((), got, ()) = tokio::join!(write, read, checks);
    assert!(got == [7; 3_000_000]);
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_no_dns() {
    let mut config = config(Role::Device, &[]);
    // A label beyond 63 bytes (RFC 1035, section 2.3.4): refused without asking a server.
    config.relay = RelayAddress::new(&format!("{}.test", "a".repeat(64)));
    let failed = Leg::connect(config).await.unwrap_err();
    assert_eq!((failed.code(), failed.is_retryable()), ("no-dns", true));
}

#[test]
fn addresses_show_as_people_write_them() {
    assert_eq!(
        RelayAddress::new("relay.example").to_string(),
        "relay.example"
    );
    assert_eq!(
        RelayAddress::new("[::1]")
            .with_danger_port(5000)
            .to_string(),
        "[::1]:5000"
    );
}

#[test]
fn futures_of_a_leg_may_move_between_threads() {
    fn send<T: Send>(_: impl FnOnce(Leg, LegConfig, Peer, Prepare) -> T) {}
    send(|_, config, _, _| Leg::connect(config));
    send(|leg, _, peer, prepare| async move {
        let _ = leg
            .claim(Nameplate::new(1).unwrap(), peer.serial.clone())
            .await;
        let _ = leg.dial(&peer).await;
        let _ = leg.accept(&prepare).await;
        leg.close().await;
    });
}
