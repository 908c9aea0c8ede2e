//! What the relay does not take.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod common;

use std::{net::UdpSocket, time::Duration};

use alongside_protocol::{
    frame::to_frame,
    relay::{Auth, Closing, FromRelay, LegCheck, Refused, RelayRefusal, Role, Signature},
};
use alongside_relay::config::Limits;
use alongside_transport::{
    Identity,
    leg::{auth::sign, cid},
};
use common::{TestLeg, TestRelay, loopback_endpoint, patient};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

async fn join_with(relay: &TestRelay, change: impl FnOnce(&mut Auth)) -> Option<RelayRefusal> {
    let (identity, token) = (Identity::generate().unwrap(), cid::random_token());
    let joined = TestLeg::join_with(relay, identity, token, |identity, challenge, binding| {
        let mut auth = sign(identity, challenge, binding, Role::Operator, token);
        change(&mut auth);
        auth
    });
    match joined.await {
        Ok(_) => None,
        Err(FromRelay::Refused(Refused { reason, .. })) => Some(reason),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_proof_that_is_not_for_this_leg_is_refused() {
    let relay = TestRelay::start();
    assert_eq!(join_with(&relay, |_| {}).await, None);
    let bad = Some(RelayRefusal::BadSignature);
    assert_eq!(
        join_with(&relay, |auth| auth.role = Role::Device).await,
        bad
    );
    assert_eq!(
        join_with(&relay, |auth| auth.token = cid::random_token()).await,
        bad
    );
    assert_eq!(join_with(&relay, |auth| auth.key.0[0] ^= 1).await, bad);
    for bit in [0, 255, 511] {
        let flip = |auth: &mut Auth| {
            let mut bytes = auth.signature.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            auth.signature = Signature::from_bytes(bytes);
        };
        assert_eq!(join_with(&relay, flip).await, bad, "bit {bit}");
    }
    assert_eq!(
        join_with(&relay, |auth| auth.version += 1).await,
        Some(RelayRefusal::Version)
    );
}

#[tokio::test]
async fn what_is_no_proof_ends_the_connection() {
    let relay = TestRelay::start();
    let first_bytes: [&[u8]; 5] = [
        &[0xff; 64],                 // announces 16 MiB
        &[0x00, 0x10, 0x01, 0x40],   // one byte above the cap
        &to_frame(0x40, &[1, 2, 3]), // an answer that ends early
        &alongside_protocol::relay::ToRelay::from(LegCheck { n: 1 }).to_frame(), // not the answer
        &FromRelay::from(Closing {}).to_frame(), // of the other direction
    ];
    for bytes in first_bytes {
        let connection = relay.connect(&loopback_endpoint(cid::random_token())).await;
        let (mut send, mut receive) = patient(connection.accept_bi()).await.unwrap();
        send.write_all(bytes).await.unwrap();
        let end = patient(async {
            let mut buffer = [0; 256];
            while let Ok(Some(_)) = receive.read(&mut buffer).await {}
            connection.closed().await
        })
        .await;
        assert!(
            matches!(end, quinn::ConnectionError::ApplicationClosed(_)),
            "{bytes:?}: {end:?}"
        );
    }
    assert_eq!(relay.running.legs(), 0);
}

#[tokio::test]
async fn who_does_not_authenticate_in_time_is_cut() {
    let relay = TestRelay::with(limits(|limits| limits.auth_timeout_s = 1));
    let connection = relay.connect(&loopback_endpoint(cid::random_token())).await;
    let (mut send, _receive) = patient(connection.accept_bi()).await.unwrap();
    let slow = async {
        loop {
            let _ = send.write_all(&[0]).await; // a byte at a time does not help
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
    };
    tokio::select! {
        end = patient(connection.closed()) => assert!(matches!(end, quinn::ConnectionError::ApplicationClosed(_)), "{end:?}"),
        () = slow => {}
    }
}

#[tokio::test]
async fn however_slowly_each_step_goes_all_of_them_together_have_an_end() {
    let relay = TestRelay::with(limits(|limits| limits.unauthenticated_total_s = 1));
    let start = tokio::time::Instant::now();
    let connection = relay.connect(&loopback_endpoint(cid::random_token())).await;
    let mut stream = tokio::net::TcpStream::connect(relay.address).await.unwrap();
    let drip = async {
        loop {
            // A record that never ends, as TLS begins one.
            let _ = stream.write_all(&[0x16]).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        end = patient(connection.closed()) => assert!(matches!(end, quinn::ConnectionError::ApplicationClosed(_)), "{end:?}"),
        () = drip => {}
    }
    let mut rest = Vec::new();
    let _ = patient(stream.read_to_end(&mut rest)).await;
    let took = start.elapsed();
    assert!(
        took < Duration::from_secs(4),
        "each step may take 5 s: {took:?}"
    );
}

#[tokio::test]
async fn a_leg_that_says_too_much_is_cut() {
    let relay = TestRelay::start();
    let mut leg = relay.device().await;
    for n in 0..200 {
        if leg.writer.send(LegCheck { n }).await.is_err() {
            break;
        }
    }
    let end = patient(leg.connection.closed()).await;
    assert!(
        matches!(end, quinn::ConnectionError::ApplicationClosed(_)),
        "{end:?}"
    );
    patient(async {
        while relay.running.legs() > 0 {
            tokio::task::yield_now().await
        }
    })
    .await;
}

#[tokio::test]
async fn a_leg_that_authenticates_twice_is_cut() {
    let relay = TestRelay::start();
    let mut leg = relay.device().await;
    let auth = Auth {
        version: 1,
        role: Role::Device,
        key: leg.identity.public_key(),
        token: leg.token,
        signature: Signature::from_bytes([0; 64]),
    };
    leg.send(auth).await;
    patient(leg.connection.closed()).await;
}

#[tokio::test]
async fn a_source_that_keeps_failing_is_turned_away() {
    let relay = TestRelay::with(limits(|limits| {
        limits.connect_burst = 3;
        limits.connects_per_minute = 1;
    }));
    for _ in 0..10 {
        relay.device().await; // who authenticates is not counted
    }
    for _ in 0..3 {
        assert!(join_with(&relay, |auth| auth.version += 1).await.is_some());
    }
    let endpoint = loopback_endpoint(cid::random_token());
    let refused = patient(
        endpoint
            .connect_with(relay.client(), relay.address, "localhost")
            .unwrap(),
    )
    .await;
    assert!(
        matches!(refused, Err(quinn::ConnectionError::ConnectionClosed(_))),
        "{refused:?}"
    );
}

/// The first flight of a connection attempt, as it is on the wire.
async fn first_flight(relay: &TestRelay) -> Vec<Vec<u8>> {
    let sink = UdpSocket::bind("127.0.0.1:0").unwrap();
    sink.set_nonblocking(true).unwrap();
    let sink = tokio::net::UdpSocket::from_std(sink).unwrap();
    let endpoint = loopback_endpoint(cid::random_token());
    let _connecting = endpoint
        .connect_with(relay.client(), sink.local_addr().unwrap(), "localhost")
        .unwrap();
    let mut flight = Vec::new();
    let mut buffer = [0; 2048];
    for _ in 0..2 {
        let len = patient(sink.recv(&mut buffer)).await.unwrap();
        flight.push(buffer[..len].to_vec());
    }
    flight
}

#[tokio::test]
async fn spoofed_first_flights_draw_a_fifth_of_their_bytes_at_most() {
    let relay = TestRelay::start();
    let live = relay.meeting().await;
    let (operator, device) = live.dial().await;
    let flight = first_flight(&relay).await;
    let (mut bytes_in, mut bytes_out) = (0, 0);
    let mut buffer = [0; 2048];
    for _ in 0..200 {
        // Whoever is at the spoofed address answers nothing.
        let victim = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        for datagram in &flight {
            victim.send_to(datagram, relay.address).await.unwrap();
            bytes_in += datagram.len();
        }
        while let Ok(Ok(len)) =
            tokio::time::timeout(Duration::from_millis(5), victim.recv(&mut buffer)).await
        {
            bytes_out += len;
        }
    }
    assert!(bytes_out > 0, "not even a Retry");
    assert!(
        bytes_out * 5 <= bytes_in,
        "{bytes_out} bytes out for {bytes_in} in"
    );
    assert!(
        common::echo(&operator, &device, 10_000).await,
        "the live session suffered"
    );
}

#[tokio::test]
async fn strangers_short_packets_draw_nothing() {
    let relay = TestRelay::start();
    let leg = relay.device().await;
    let stranger = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut buffer = [0; 2048];
    for token in [[9; 8], leg.token.0] {
        for first in [0x00, 0x40, 0x7f] {
            for len in [1, 8, 9, 21, 60, 1200] {
                let mut packet = vec![first];
                packet.extend_from_slice(&token);
                packet.resize(1200, 0xaa);
                packet.truncate(len);
                stranger.send_to(&packet, relay.address).await.unwrap();
            }
        }
    }
    let answer = tokio::time::timeout(common::A_WHILE, stranger.recv(&mut buffer)).await;
    assert!(answer.is_err(), "an answer of {answer:?}");
}
