//! The transport's whole legs at a relay on a simulated network, in virtual time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod common;

use std::{net::IpAddr, sync::Arc, time::Duration};

use alongside_protocol::{
    Serial,
    label::Ticket,
    relay::{Departure, Release, ReleaseReason, Role},
};
use alongside_relay::{Config, Relay, Running, Socket, StateDir};
use alongside_transport::{
    Connection as _, Identity, QuicConnection, Trust,
    leg::{Leg, LegConfig, LegEvent, LegEvents, RelayAddress},
    sim::{Host, Nat, Quality, Reach, SimNet},
};
use bytes::Bytes;
use common::TempDir;
use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, timeout},
};

/// A relay in the middle; an operator 10 ms and a device 20 ms away from it, both behind translators.
struct World {
    dir: TempDir,
    relay: Running,
    hosts: [Host; 3],
    operator: (Leg, LegEvents),
    device: (Leg, LegEvents),
}

impl World {
    async fn new() -> Self {
        let net = SimNet::new(7);
        let line = |delay| Quality::with_delay(Duration::from_millis(delay));
        let hosts = [
            net.host(
                IpAddr::from([203, 0, 113, 2]),
                Quality::default(),
                Nat::None,
            ),
            net.host(IpAddr::from([198, 51, 100, 2]), line(10), Nat::Symmetric),
            net.host(IpAddr::from([192, 0, 2, 2]), line(20), Nat::Cone),
        ];
        let [relay_host, operator_host, device_host] = &hosts;
        let dir = TempDir::new();
        std::fs::write(dir.path().join("operators.toml"), "allow = \"any\"\n").unwrap();
        let mut config = Config::default();
        config.tls.names = vec!["relay.test".into()];
        let state = StateDir::open(dir.path()).unwrap();
        let relay = Relay::start(&config, state, Socket::Given(relay_host.socket(443))).unwrap();
        let ca = std::fs::read(relay.ca().unwrap()).unwrap();
        let leg = |role, host: &Host| {
            let identity = Arc::new(Identity::generate().unwrap());
            let relay = RelayAddress::new("relay.test");
            let config = LegConfig::new(role, identity, relay, Trust::CaFile(ca.clone()));
            Leg::connect_over(config, host.socket(0), relay_host.address(443))
        };
        let operator = leg(Role::Operator, operator_host).await.unwrap();
        let device = leg(Role::Device, device_host).await.unwrap();
        Self {
            dir,
            relay,
            hosts,
            operator,
            device,
        }
    }

    async fn meet(
        &mut self,
    ) -> (
        QuicConnection,
        QuicConnection,
        alongside_protocol::RendezvousId,
    ) {
        let ticket = Ticket::new("T-1").unwrap();
        let (operator, events) = &mut self.operator;
        let allocated = operator
            .allocate(Duration::from_secs(600), Some(ticket))
            .await
            .unwrap();
        let device = &self.device.0;
        let accept = async {
            let prepare = device
                .claim(allocated.nameplate, Serial::new("MFD-1").unwrap())
                .await
                .unwrap();
            device.accept(&prepare).await.unwrap()
        };
        let dial = async {
            match events.next().await {
                LegEvent::Peer(peer) => (operator.dial(&peer).await.unwrap(), peer.rendezvous),
                other => panic!("{other:?}"),
            }
        };
        let ((dialled, rendezvous), accepted) = tokio::join!(dial, accept);
        (dialled, accepted, rendezvous)
    }
}

/// Time until a message on a new stream has come back.
async fn echo(from: &QuicConnection, to: &QuicConnection) -> Duration {
    let start = Instant::now();
    let there = async {
        let (mut send, mut receive) = from.open_bi(0).await.unwrap();
        send.write_all(b"there").await.unwrap();
        let mut back = [0; 5];
        receive.read_exact(&mut back).await.unwrap();
    };
    let back = async {
        let (mut send, mut receive) = to.accept_bi().await.unwrap();
        let mut got = [0; 5];
        receive.read_exact(&mut got).await.unwrap();
        send.write_all(&got).await.unwrap();
        send.shutdown().await.unwrap();
    };
    tokio::join!(there, back);
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_session_runs_through_the_relay_and_leaves_its_line() {
    let mut world = World::new().await;
    let (operator, device, rendezvous) = world.meet().await;
    assert!(echo(&operator, &device).await < Duration::from_millis(70));
    world.device.0.release(Release {
        rendezvous,
        reason: ReleaseReason::SessionEnded,
    });
    match world.operator.1.next().await {
        LegEvent::PeerGone(gone) => {
            assert_eq!(gone.how, Departure::Released(ReleaseReason::SessionEnded))
        }
        other => panic!("{other:?}"),
    }
    let World { dir, relay, .. } = world;
    relay.shutdown().await;
    let line = std::fs::read_to_string(dir.path().join("access.jsonl")).unwrap();
    assert!(
        line.contains("\"serial\":\"MFD-1\"") && line.contains("\"ticket\":\"T-1\""),
        "{line}"
    );
    assert_eq!(line.lines().count(), 1, "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_translator_that_forgets_its_mappings_does_not_end_the_session() {
    let mut world = World::new().await;
    let (operator, device, _) = world.meet().await;
    echo(&operator, &device).await;
    for host in [2, 1] {
        world.hosts[host].forget_mappings();
        let there = timeout(Duration::from_secs(20), echo(&device, &operator))
            .await
            .expect("the session goes on");
        // The relay learns of it by the leg's next check, 5 s later at most.
        assert!(there < Duration::from_secs(15), "host {host}: {there:?}");
        assert!(
            echo(&operator, &device).await < Duration::from_millis(500),
            "host {host}"
        );
        // Well after the move the address is proved: more than thrice what comes from there may go there.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let unproven = world.relay.forwarded().unproven;
        let (from, to) = if host == 2 {
            (&operator, &device)
        } else {
            (&device, &operator)
        };
        for _ in 0..20 {
            from.send_datagram(Bytes::from(vec![0; 1000])).unwrap();
        }
        while timeout(Duration::from_secs(1), to.recv_datagram())
            .await
            .is_ok()
        {}
        assert_eq!(world.relay.forwarded().unproven, unproven, "host {host}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_vanishes_is_missed_and_its_operator_told() {
    let mut world = World::new().await;
    let (_operator, _device, rendezvous) = world.meet().await;
    world.hosts[2].set_reachable(&world.hosts[0], Reach::Blocked);
    let start = Instant::now();
    let gone = loop {
        match timeout(Duration::from_secs(120), world.operator.1.next())
            .await
            .expect("told")
        {
            LegEvent::PeerGone(gone) => break gone,
            LegEvent::Lost(lost) => panic!("{lost}"),
            _ => {}
        }
    };
    assert_eq!(
        (gone.rendezvous, gone.how),
        (rendezvous, Departure::LegLost)
    );
    let waited = start.elapsed();
    assert!(
        waited > Duration::from_secs(50) && waited < Duration::from_secs(70),
        "{waited:?}"
    );
    assert_eq!(world.relay.legs(), 1);
}

#[tokio::test(start_paused = true)]
async fn legs_stay_for_an_hour_without_a_session() {
    let mut world = World::new().await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(world.relay.legs(), 2);
    let (operator, device, _) = world.meet().await;
    echo(&operator, &device).await;
}
