//! Two legs meet, talk and part.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod common;

use alongside_protocol::relay::{
    Departure, FromRelay, LegCheck, Moved, PeerGone, Refused, RelayRefusal, ReleaseReason, Role,
};
use alongside_relay::{config::Limits, switchboard::Month};
use alongside_transport::{Identity, leg::cid};
use common::{A_WHILE, TempDir, TestLeg, TestRelay, echo, eventually, patient};

fn refusal(message: FromRelay) -> RelayRefusal {
    match message {
        FromRelay::Refused(Refused { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_connection_runs_through_the_relay_and_leaves_an_access_line() {
    let relay = TestRelay::start();
    let mut meeting = relay.meeting().await;
    assert_eq!(meeting.prepare.token, meeting.operator.token);
    assert_eq!(meeting.peer.serial.as_str(), "SN-1");
    assert_eq!(
        meeting.device.welcome.observed,
        meeting.device.endpoint.local_addr().unwrap()
    );

    let (operator, device) = meeting.dial().await;
    assert!(echo(&operator, &device, 300_000).await);

    meeting
        .operator
        .release(meeting.peer.rendezvous, ReleaseReason::SessionEnded)
        .await;
    let how = Departure::Released(ReleaseReason::SessionEnded);
    let gone = PeerGone {
        rendezvous: meeting.peer.rendezvous,
        how,
    };
    assert_eq!(meeting.device.next().await, FromRelay::PeerGone(gone));
    eventually(|| relay.access_lines().len() == 1).await;
    let line = &relay.access_lines()[0];
    assert_eq!(
        (&line["serial"], &line["by"], &line["reason"]),
        (&"SN-1".into(), &"operator".into(), &"session-ended".into())
    );
    assert_eq!(
        line["operator"],
        meeting.operator.identity.public_key().to_string()
    );
    for way in ["bytes_to_device", "bytes_to_operator"] {
        assert!(line[way].as_u64().unwrap() > 300_000, "{line}");
    }
    assert!(line["end"].as_u64() >= line["start"].as_u64());
}

#[tokio::test]
async fn after_a_release_nothing_gets_through_any_more() {
    let relay = TestRelay::start();
    let mut meeting = relay.meeting().await;
    let (operator, device) = meeting.dial().await;
    meeting
        .device
        .release(meeting.peer.rendezvous, ReleaseReason::CodeDead)
        .await;
    meeting.operator.next().await;
    let before = relay.running.forwarded();
    operator.send_datagram(vec![1; 20].into()).unwrap();
    assert!(
        tokio::time::timeout(A_WHILE, device.read_datagram())
            .await
            .is_err()
    );
    assert_eq!(relay.running.forwarded().forwarded, before.forwarded);
    assert!(relay.running.forwarded().denied > before.denied);
}

#[tokio::test]
async fn a_leg_that_is_not_paired_reaches_nobody() {
    let relay = TestRelay::start();
    let meeting = relay.meeting().await;
    let intruder = relay.operator().await;
    let device = meeting.device.expect_dial(intruder.identity.public_key());
    let dial = intruder.dial(meeting.device.token, meeting.device.identity.public_key());
    let both = async {
        tokio::select! { _ = dial => {}, _ = device => {} }
    };
    assert!(
        tokio::time::timeout(A_WHILE, both).await.is_err(),
        "an unpaired leg got an answer"
    );
    let stats = relay.running.forwarded();
    assert!(stats.forwarded == 0 && stats.denied > 0, "{stats:?}");
}

#[tokio::test]
async fn a_wrong_code_can_be_tried_again_and_a_lost_device_frees_the_nameplate() {
    let relay = TestRelay::start();
    let mut meeting = relay.meeting().await;
    let nameplate = meeting.allocated.nameplate;
    meeting
        .device
        .release(meeting.peer.rendezvous, ReleaseReason::WrongCode)
        .await;
    meeting.operator.next().await;
    let again = meeting.device.claim(nameplate).await.unwrap();
    meeting.operator.next().await;
    assert_ne!(again.rendezvous, meeting.peer.rendezvous);

    meeting.device.connection.close(0u32.into(), b"");
    let gone = PeerGone {
        rendezvous: again.rendezvous,
        how: Departure::LegLost,
    };
    assert_eq!(meeting.operator.next().await, FromRelay::PeerGone(gone));
    relay.device().await.claim(nameplate).await.unwrap();
}

#[tokio::test]
async fn only_operators_in_the_file_hand_out_codes_and_the_file_may_change() {
    let relay = TestRelay::in_dir(TempDir::new(), Limits::default());
    let mut operator = relay.operator().await;
    assert_eq!(
        refusal(operator.allocate().await.unwrap_err()),
        RelayRefusal::UnknownOperator
    );
    let key = operator.identity.public_key();
    let text = format!("[operators.{key}]\nname = \"Ana\"\norganisation = \"Support\"\n");
    std::fs::write(relay.dir.path().join("operators.toml"), text).unwrap();
    let allocated = operator.allocate().await.unwrap();
    let prepare = relay
        .device()
        .await
        .claim(allocated.nameplate)
        .await
        .unwrap();
    assert_eq!(prepare.operator.name.unwrap().as_str(), "Ana");

    std::fs::write(relay.dir.path().join("operators.toml"), "# nobody\n").unwrap();
    loop {
        match operator.next().await {
            FromRelay::PeerGone(gone) if gone.how == Departure::Relay => break,
            _ => {}
        }
    }
}

#[tokio::test]
async fn checks_are_answered() {
    let relay = TestRelay::start();
    let mut device = relay.device().await;
    for n in 1..=10 {
        device.send(LegCheck { n }).await;
        assert_eq!(device.next().await, FromRelay::Check(LegCheck { n }));
    }
}

#[tokio::test]
async fn a_leg_that_moves_takes_its_session_along() {
    let relay = TestRelay::start();
    let mut meeting = relay.meeting().await;
    let (operator, device) = meeting.dial().await;
    assert!(echo(&operator, &device, 1000).await);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    meeting.device.endpoint.rebind(socket).unwrap();
    meeting.device.send(Moved {}).await;
    assert!(echo(&operator, &device, 200_000).await);
    assert!(echo(&device, &operator, 200_000).await);
}

#[tokio::test]
async fn a_leg_comes_back_with_its_token_and_the_meeting_goes_on() {
    let relay = TestRelay::start();
    let identity = Identity::generate().unwrap();
    let copy = Identity::from_pkcs8(&identity.to_pkcs8().unwrap()).unwrap();
    let token = cid::random_token();
    let mut operator = relay.operator().await;
    let mut device = TestLeg::join(&relay, Role::Device, identity, token)
        .await
        .unwrap();
    let allocated = operator.allocate().await.unwrap();
    let prepare = device.claim(allocated.nameplate).await.unwrap();

    let thief = TestLeg::join(&relay, Role::Device, Identity::generate().unwrap(), token).await;
    assert_eq!(refusal(thief.unwrap_err()), RelayRefusal::TokenTaken);

    let again = TestLeg::join(&relay, Role::Device, copy, token)
        .await
        .unwrap();
    patient(device.connection.closed()).await;
    let (dialled, accepted) = tokio::join!(
        patient(operator.dial(token, again.identity.public_key())),
        patient(again.expect_dial(prepare.operator.key)),
    );
    assert!(echo(&dialled.unwrap(), &accepted, 1000).await);
}

#[tokio::test]
async fn a_shutdown_says_goodbye_and_writes_the_line() {
    let relay = TestRelay::start();
    let mut meeting = relay.meeting().await;
    let (operator, device) = meeting.dial().await;
    assert!(echo(&operator, &device, 1000).await);
    let TestRelay { at, running } = relay;
    patient(async {
        let read = async {
            let mut last = Vec::new();
            while let Ok(Some(message)) = meeting.device.reader.next().await {
                last.push(message);
            }
            meeting.device.connection.close(0u32.into(), b"");
            last
        };
        let ((), messages) = tokio::join!(running.shutdown(), read);
        assert!(
            matches!(messages.last(), Some(FromRelay::Closing(_))),
            "{messages:?}"
        );
    })
    .await;
    let line = &at.access_lines()[0];
    assert_eq!(line["reason"], "shutdown");
    let traffic = std::fs::read(at.dir.path().join("traffic.json")).unwrap();
    let traffic: serde_json::Value = serde_json::from_slice(&traffic).unwrap();
    let sent = ["bytes_to_device", "bytes_to_operator"].map(|way| line[way].as_u64().unwrap());
    assert_eq!(
        traffic["bytes"][line["operator"].as_str().unwrap()],
        sent[0] + sent[1],
        "{traffic}"
    );
}

#[tokio::test]
async fn a_months_traffic_outlives_the_relay() {
    let relay = TestRelay::start();
    let operator = Identity::generate().unwrap();
    let month = Month::of(std::time::UNIX_EPOCH.elapsed().unwrap());
    let TestRelay { at, running } = relay;
    running.shutdown().await;
    let key = operator.public_key();
    let written = format!(r#"{{"month":"{month}","bytes":{{"{key}":{}}}}}"#, u64::MAX);
    std::fs::write(at.dir.path().join("traffic.json"), written).unwrap();
    let relay = TestRelay::in_dir(at.dir, Limits::default());
    let join = TestLeg::join(&relay, Role::Operator, operator, cid::random_token());
    let refused = join.await.unwrap().allocate().await.unwrap_err();
    assert_eq!(refusal(refused), RelayRefusal::Quota);
    assert!(relay.operator().await.allocate().await.is_ok());
}

#[tokio::test]
async fn a_leg_may_change_its_keys() {
    let relay = TestRelay::start();
    let mut leg = relay.device().await;
    for n in 0..5 {
        leg.connection.force_key_update();
        leg.send(LegCheck { n }).await;
        assert_eq!(leg.next().await, FromRelay::from(LegCheck { n }));
    }
}
