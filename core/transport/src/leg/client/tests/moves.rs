//! Every way to the relay, and moves between them in mid-session.

use std::sync::Mutex;

use tokio::io::copy_bidirectional;

use super::*;
use crate::leg::{
    proxy::{Credentials, Proxy},
    tunnel::StreamDialer as _,
};

const PROXY: [u8; 4] = [192, 0, 2, 9];

/// A network on which the relay takes streams as well, with a proxy beside the device.
pub(super) struct Net {
    relay: TestRelay,
    pub(super) hosts: Hosts,
    proxy: Host,
}

impl Net {
    fn new(loss_permille: u32) -> Self {
        Self::with_nat(loss_permille, Nat::Symmetric, Nat::Cone)
    }

    pub(super) fn with_nat(loss_permille: u32, operator: Nat, device: Nat) -> Self {
        let (net, hosts) = Hosts::with_nat(loss_permille, operator, device);
        let relay = TestRelay::start(hosts.relay.socket(443));
        relay.listen(hosts.relay.listen(443));
        hosts.relay.set_name("relay.test");
        let proxy = net.host(IpAddr::from(PROXY), Quality::default(), Nat::None);
        proxy.set_name("proxy.test");
        Self {
            relay,
            hosts,
            proxy,
        }
    }

    pub(super) fn config(&self, role: Role) -> LegConfig {
        config(role, &self.relay.ca)
    }

    pub(super) async fn leg(&self, role: Role) -> (Leg, LegEvents) {
        let host = self.host(role).clone();
        Leg::connect_on(self.config(role), Arc::new(host))
            .await
            .unwrap()
    }

    fn host(&self, role: Role) -> &Host {
        match role {
            Role::Device => &self.hosts.device,
            Role::Operator => &self.hosts.operator,
        }
    }

    /// Lets the proxy answer `answer` to whoever asks, and carry on if it is 200.
    fn start_proxy(&self, answer: &'static str) -> Arc<Mutex<Vec<String>>> {
        let (listener, proxy) = (self.proxy.listen(3128), self.proxy.clone());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heads = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await;
                let (proxy, heads) = (proxy.clone(), Arc::clone(&heads));
                tokio::spawn(async move {
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n") {
                        head.push(char::from(stream.read_u8().await?));
                    }
                    heads.lock().unwrap().push(head);
                    stream.write_all(answer.as_bytes()).await?;
                    if answer.contains(" 200 ") {
                        let mut relay = proxy.dial("relay.test", 443).await?;
                        copy_bidirectional(&mut stream, &mut relay).await?;
                    }
                    std::io::Result::Ok(())
                });
            }
        });
        asked
    }

    /// Nothing but the proxy is reached by the device.
    fn wall_device_in(&self) {
        self.hosts
            .device
            .set_reachable(&self.hosts.relay, Reach::Blocked);
    }
}

/// Both ends of a session's connection over two legs.
pub(super) async fn meet(
    operator: &mut (Leg, LegEvents),
    device: &Leg,
) -> (QuicConnection, QuicConnection) {
    let allocated = operator.0.allocate(Duration::from_secs(600), None).await;
    let nameplate = allocated.unwrap().nameplate;
    let accept = async {
        let serial = Serial::new("MFD-1").unwrap();
        let prepare = device.claim(nameplate, serial).await.unwrap();
        device.accept(&prepare).await.unwrap()
    };
    let dial = async {
        let LegEvent::Peer(peer) = operator.1.next().await else {
            panic!("no device came")
        };
        operator.0.dial(&peer).await.unwrap()
    };
    tokio::join!(dial, accept)
}

/// Both sides admit each other as a session does: the device first, and the operator by its answer.
pub(super) async fn admit(operator: &QuicConnection, device: &QuicConnection) {
    let ask = async {
        let (mut send, mut recv) = operator.open_bi(0).await.unwrap();
        send.write_all(b"proof").await.unwrap();
        recv.read_exact(&mut [0; 5]).await.unwrap();
        operator.admit();
    };
    let answer = async {
        let (mut send, mut recv) = device.accept_bi().await.unwrap();
        recv.read_exact(&mut [0; 5]).await.unwrap();
        device.admit();
        send.write_all(b"proof").await.unwrap();
    };
    tokio::join!(ask, answer);
}

/// Numbers that come every 33 ms, and when they came.
pub(super) struct Flow {
    arrived: Arc<Mutex<Vec<Instant>>>,
}

impl Flow {
    /// From `from` to `to`, in order or not at all.
    pub(super) async fn start(from: &QuicConnection, to: &QuicConnection) -> Self {
        let (mut send, recv_back) = from.open_bi(0).await.unwrap();
        tokio::spawn(async move {
            let _keep = recv_back;
            for n in 0_u32.. {
                let mut message = [0; 600];
                message[..4].copy_from_slice(&n.to_be_bytes());
                if send.write_all(&message).await.is_err() {
                    break;
                }
                tokio::time::sleep(ms(33)).await;
            }
        });
        let (send_back, mut recv) = to.accept_bi().await.unwrap();
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let times = Arc::clone(&arrived);
        tokio::spawn(async move {
            let _keep = send_back;
            let mut message = [0; 600];
            for n in 0_u32.. {
                if recv.read_exact(&mut message).await.is_err() {
                    break;
                }
                assert_eq!(message[..4], n.to_be_bytes(), "out of order");
                times.lock().unwrap().push(Instant::now());
            }
        });
        Self { arrived }
    }

    /// Longest time without a message since `since`.
    pub(super) fn longest_gap(&self, since: Instant) -> Duration {
        let arrived = self.arrived.lock().unwrap();
        let mut times: Vec<Instant> = arrived.iter().copied().filter(|at| *at >= since).collect();
        times.insert(0, since);
        times.push(Instant::now());
        times
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn where_udp_passes_the_stream_is_not_even_tried() {
    let net = Net::new(0);
    let start = Instant::now();
    let (leg, _events) = net.leg(Role::Device).await;
    assert!(start.elapsed() < ms(130), "{:?}", start.elapsed());
    assert_eq!(*leg.inner.kind.borrow(), PathKind::RelayQuic);
}

#[tokio::test(start_paused = true)]
async fn where_udp_is_blocked_a_leg_is_usable_within_400_ms_and_two_round_trips() {
    let net = Net::new(0);
    for (role, round_trip) in [(Role::Operator, 20), (Role::Device, 40)] {
        net.host(role).set_udp(Reach::Blocked);
        let start = Instant::now();
        let (leg, _events) = net.leg(role).await;
        println!(
            "usable after {:?} at a round trip of {round_trip} ms",
            start.elapsed()
        );
        assert!(
            start.elapsed() <= ms(400 + 2 * round_trip),
            "{:?}",
            start.elapsed()
        );
        assert_eq!(*leg.inner.kind.borrow(), PathKind::RelayTls);
    }
}

#[tokio::test(start_paused = true)]
async fn each_side_chooses_its_own_way() {
    let net = Net::new(0);
    net.wall_device_in();
    let asked = net.start_proxy("HTTP/1.1 200 Connection established\r\n\r\n");
    let mut config = net.config(Role::Device);
    let proxy = Proxy::from_argument("proxy.test:3128").unwrap();
    config.proxy = Some(proxy.with_credentials(Credentials::new("lab:s3cret").unwrap()));
    let device = Leg::connect_on(config, Arc::new(net.hosts.device.clone())).await;
    let (device, _events) = device.unwrap();
    let mut operator = net.leg(Role::Operator).await;
    let (at_operator, at_device) = meet(&mut operator, &device).await;
    assert_eq!(at_operator.path().borrow().kind, PathKind::RelayQuic);
    assert_eq!(at_device.path().borrow().kind, PathKind::RelayProxy);
    let flow = Flow::start(&at_device, &at_operator).await;
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(
        flow.longest_gap(start) < ms(120),
        "{:?}",
        flow.longest_gap(start)
    );
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("CONNECT relay.test:443 HTTP/1.1\r\n"));
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_the_reason_given_and_all_attempts_are_kept() {
    let net = Net::new(0);
    net.wall_device_in();
    let asked = net.start_proxy("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n");
    let mut config = net.config(Role::Device);
    let proxy = Proxy::from_argument("proxy.test:3128").unwrap();
    config.proxy = Some(proxy.with_credentials(Credentials::new("lab:wrong").unwrap()));
    let start = Instant::now();
    let device = Arc::new(net.hosts.device.clone());
    let failed = Leg::connect_on(config.clone(), device.clone())
        .await
        .unwrap_err();
    assert!(
        start.elapsed() <= Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(
        (failed.code(), failed.is_retryable()),
        ("proxy-credentials-wrong", false)
    );
    let tried: Vec<_> = failed
        .attempts()
        .iter()
        .map(|at| (at.kind(), at.error().code()))
        .collect();
    assert_eq!(
        tried,
        [
            (PathKind::RelayProxy, "proxy-credentials-wrong"),
            (PathKind::RelayQuic, "relay-unreachable"),
        ]
    );
    assert!(!format!("{failed} {failed:?}").contains("wrong:"));
    Leg::connect_on(config, device).await.unwrap_err();
    assert_eq!(asked.lock().unwrap().len(), 1, "credentials went out twice");
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_way_carries_nothing() {
    let net = Net::new(0);
    let mut config = net.config(Role::Device);
    (config.paths.relay_quic, config.paths.direct) = (false, false);
    let (leg, _events) = Leg::connect_on(config.clone(), Arc::new(net.hosts.device.clone()))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(*leg.inner.kind.borrow(), PathKind::RelayTls);
    assert_eq!(net.hosts.device.traffic().sent, 0, "UDP went out");
    (config.paths.relay_tls, config.paths.relay_proxy) = (false, false);
    let nothing = Leg::connect_on(config, Arc::new(net.hosts.device.clone())).await;
    assert!(matches!(nothing, Err(ConnectError::NoWayAllowed)));
}

#[tokio::test(start_paused = true)]
async fn a_leg_that_came_up_over_tls_moves_to_udp_when_that_answers_late() {
    let net = Net::new(0);
    net.hosts.device.set_udp(Reach::Blocked);
    let (leg, _events) = net.leg(Role::Device).await;
    net.hosts.device.set_udp(Reach::Open);
    let mut kind = leg.inner.kind.clone();
    let start = Instant::now();
    kind.wait_for(|kind| *kind == PathKind::RelayQuic)
        .await
        .unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "{:?}",
        start.elapsed()
    );
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(*kind.borrow(), PathKind::RelayQuic);
}

#[tokio::test(start_paused = true)]
async fn udp_dies_in_mid_session_and_comes_back_and_nothing_is_lost() {
    for blocked in [Role::Device, Role::Operator] {
        let net = Net::new(0);
        let (device, _events) = net.leg(Role::Device).await;
        let mut operator = net.leg(Role::Operator).await;
        let (at_operator, at_device) = meet(&mut operator, &device).await;
        let panel = Flow::start(&at_device, &at_operator).await;
        let input = Flow::start(&at_operator, &at_device).await;
        tokio::time::sleep(Duration::from_secs(5)).await;

        let died = Instant::now();
        net.host(blocked).set_udp(Reach::Blocked);
        tokio::time::sleep(Duration::from_secs(20)).await;
        let moved = if blocked == Role::Device {
            &at_device
        } else {
            &at_operator
        };
        assert_eq!(moved.path().borrow().kind, PathKind::RelayTls);
        let gaps = (panel.longest_gap(died), input.longest_gap(died));
        println!(
            "{blocked:?} loses UDP: longest gap of the panel {:?}, of input {:?}",
            gaps.0, gaps.1
        );
        assert!(gaps.0.max(gaps.1) < ms(1000), "{gaps:?}");

        let back = Instant::now();
        net.host(blocked).set_udp(Reach::Open);
        tokio::time::sleep(Duration::from_secs(70)).await;
        assert_eq!(moved.path().borrow().kind, PathKind::RelayQuic);
        let gaps = (panel.longest_gap(back), input.longest_gap(back));
        println!(
            "{blocked:?} has UDP again: longest gap of the panel {:?}, of input {:?}",
            gaps.0, gaps.1
        );
        assert!(gaps.0.max(gaps.1) < ms(150), "{gaps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_stream_is_opened_again() {
    let net = Net::new(0);
    net.hosts.device.set_udp(Reach::Blocked);
    let (device, mut events) = net.leg(Role::Device).await;
    let mut operator = net.leg(Role::Operator).await;
    let (at_operator, at_device) = meet(&mut operator, &device).await;
    let panel = Flow::start(&at_device, &at_operator).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let broken = Instant::now();
    net.hosts.device.break_streams();
    tokio::time::sleep(Duration::from_secs(10)).await;
    println!("stream broken: longest gap {:?}", panel.longest_gap(broken));
    assert!(
        panel.longest_gap(broken) < ms(1000),
        "{:?}",
        panel.longest_gap(broken)
    );
    assert!(
        tokio::time::timeout(ms(1), events.next()).await.is_err(),
        "the leg went on"
    );
}

#[tokio::test(start_paused = true)]
async fn a_blackout_of_3_s_over_tls_loses_nothing() {
    let net = Net::new(0);
    net.hosts.device.set_udp(Reach::Blocked);
    let (device, _events) = net.leg(Role::Device).await;
    let mut operator = net.leg(Role::Operator).await;
    let (at_operator, at_device) = meet(&mut operator, &device).await;
    let panel = Flow::start(&at_device, &at_operator).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let black = Instant::now();
    net.wall_device_in();
    tokio::time::sleep(Duration::from_secs(3)).await;
    net.hosts
        .device
        .set_reachable(&net.hosts.relay, Reach::Open);
    tokio::time::sleep(Duration::from_secs(10)).await;
    println!(
        "3 s without anything: longest gap {:?}",
        panel.longest_gap(black)
    );
    assert!(
        panel.longest_gap(black) < ms(4500),
        "{:?}",
        panel.longest_gap(black)
    );
}

#[tokio::test(start_paused = true)]
async fn five_in_a_hundred_lost_packets_move_nobody_for_long() {
    let net = Net::new(50);
    let (device, _events) = net.leg(Role::Device).await;
    let mut operator = net.leg(Role::Operator).await;
    let (at_operator, at_device) = meet(&mut operator, &device).await;
    let panel = Flow::start(&at_device, &at_operator).await;
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(60)).await;
    println!("5 % loss: longest gap {:?}", panel.longest_gap(start));
    assert!(
        panel.longest_gap(start) < ms(600),
        "{:?}",
        panel.longest_gap(start)
    );
    assert_eq!(at_device.path().borrow().kind, PathKind::RelayQuic);
}
