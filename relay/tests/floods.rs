//! Many at once: whoever floods the relay gets nowhere, and takes nothing from others.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod common;

use alongside_protocol::{
    Nameplate,
    relay::{FromRelay, RelayRefusal, Role},
};
use alongside_relay::config::Limits;
use common::{TestLeg, TestRelay, echo, patient};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

const ELSEWHERE: [u8; 4] = [127, 0, 0, 2];

#[tokio::test]
async fn a_flood_of_connections_neither_ends_sessions_nor_keeps_others_out() {
    let relay = TestRelay::start();
    let meeting = relay.meeting().await;
    let (operator, device) = meeting.dial().await;
    let mut flood = Vec::new();
    for _ in 0..200 {
        flood.push(TcpStream::connect(relay.address).await.unwrap());
    }
    // Those that were let in wait for TLS; the others are closed at once.
    let mut closed = 0;
    for stream in flood.iter_mut().skip(16) {
        if patient(stream.read(&mut [0])).await.unwrap_or(0) == 0 {
            closed += 1;
        }
    }
    assert_eq!(closed, 184);
    assert!(echo(&operator, &device, 10_000).await);
    TestLeg::join_from(&relay, ELSEWHERE, Role::Device).await;
}

#[tokio::test]
async fn who_sprays_codes_waits_and_honest_devices_elsewhere_do_not() {
    let relay = TestRelay::start();
    let mut operator = relay.operator().await;
    let live = operator.allocate().await.unwrap().nameplate;
    let mut sprayer = relay.device().await;
    let mut heard = Vec::new();
    for n in 0..8 {
        let guess = Nameplate::new((live.number() + 1 + n) % Nameplate::COUNT).unwrap();
        match sprayer.claim(guess).await {
            Err(FromRelay::Refused(refused)) => heard.push(refused),
            other => panic!("{other:?}"),
        }
    }
    let waits = heard.iter().filter(|refused| {
        refused.reason == RelayRefusal::TooManyClaims && refused.retry_after_s.is_some()
    });
    let allowed = usize::try_from(Limits::default().failed_claims).unwrap();
    assert_eq!(waits.count(), 8 - allowed, "{heard:?}");
    // Another leg of the same source waits as well, even with the right nameplate.
    let refused = relay.device().await.claim(live).await;
    assert!(matches!(refused, Err(FromRelay::Refused(_))), "{refused:?}");
    let mut honest = TestLeg::join_from(&relay, ELSEWHERE, Role::Device).await;
    honest.claim(live).await.unwrap();
}
