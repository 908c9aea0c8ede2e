//! The operator's signatures for what it was given, and for the end.

use std::{fs, sync::Arc};

use alongside::{
    DeviceEvent, Identity,
    audit::{
        Agreement, AuditLog, AuditStore as _, Bad, Disagreement, Entry, Expect, Flaw, Lines, What,
        agree, verify,
    },
    operator::Until,
    protocol::{
        PublicKey, SessionId,
        control::{Check, Control, End},
        frame::Channel,
        reason::{EndReason, Party},
        relay::Signature,
    },
    status::Link,
    transport::sim::Reach,
};
use alongside_session::Record;
use tokio::time::Instant;

use crate::{
    own_transport,
    records::{names, read},
    rogue::{Rogue, pair},
    world::{OperatorSide, Scratch, World, line, secs},
};

/// Who ends the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Customer,
    Operator,
    /// The customer, after the network broke.
    Alone,
    /// The customer, after the network broke before the operator's first signature was there, and came back.
    Resumed,
}

/// The audits of a device and of its operator after a session.
async fn audits(ends: Ends) -> (World, Vec<u8>, Vec<u8>) {
    let world = World::new(line(15));
    let mut device = world.device();
    let (operator, handle, events) = world.operator_at_rest();
    let theirs = world.folder("operator");
    fs::create_dir(&theirs).unwrap();
    let identity = Arc::new(Identity::generate().unwrap());
    let operator = operator.with_audit(Arc::new(AuditLog::new(&theirs, identity)));
    let mut operator = OperatorSide {
        handle,
        events,
        task: tokio::spawn(operator.run(Until::Stopped)),
    };
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
    operator.connected().await;
    if ends == Ends::Resumed {
        world.set_relay_reach(Reach::Blocked);
    }
    tokio::time::sleep(secs(1)).await;
    match ends {
        Ends::Customer => device.handle.exit().await.unwrap(),
        Ends::Operator => operator.handle.end().await.unwrap(),
        Ends::Alone => {
            world.set_relay_reach(Reach::Blocked);
            tokio::time::sleep(secs(20)).await;
            device.handle.exit().await.unwrap();
        }
        Ends::Resumed => {
            tokio::time::sleep(secs(70)).await;
            let before = names(&read(&world, "device"));
            assert!(!before.contains(&"countersigned".to_owned()), "{before:?}");
            world.set_relay_reach(Reach::Open);
            let is_back = |event| matches!(event, DeviceEvent::Link(Link::Ok)).then_some(());
            device.event(is_back).await;
            tokio::time::sleep(secs(1)).await;
            device.handle.exit().await.unwrap();
        }
    }
    device.ended().await;
    if ends != Ends::Alone {
        operator.ended().await;
    }
    operator.handle.end().await.unwrap();
    device.handle.stop().await.unwrap();
    device.task.await.unwrap();
    if ends != Ends::Alone {
        operator.task.await.unwrap().unwrap();
    }
    let (ours, theirs) = (read(&world, "device"), read(&world, "operator"));
    (world, ours, theirs)
}

fn missing(audit: &[u8]) -> Vec<String> {
    let summary = verify(audit, &Expect::default()).unwrap();
    summary
        .missing
        .into_iter()
        .map(|missing| missing.record)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn both_audits_have_the_same_records_with_both_signatures_whoever_ends_the_session() {
    for ends in [Ends::Customer, Ends::Operator, Ends::Resumed] {
        let (_world, ours, theirs) = audits(ends).await;
        // The mode and the end; a session that goes on begins its mode anew.
        let count = if ends == Ends::Resumed { 3 } else { 2 };
        let device = verify(&ours, &Expect::default()).unwrap();
        assert_eq!((device.countersigned, device.kept), (count, 0), "{ends:?}");
        assert_eq!(device.missing, [], "{ends:?}");
        let operator = verify(&theirs, &Expect::default()).unwrap();
        assert_eq!(
            (operator.countersigned, operator.kept),
            (0, count),
            "{ends:?}"
        );
        assert_eq!(operator.missing, [], "{ends:?}");
        let agreed = Agreement {
            records: count,
            older: 0,
        };
        assert_eq!(agree(&ours, &theirs), Ok(agreed), "{ends:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_the_operator_cannot_hear_of_lacks_its_signature_and_says_so() {
    let (_world, ours, theirs) = audits(Ends::Alone).await;
    assert_eq!(missing(&ours), ["session-ended"]);
    assert_eq!(agree(&ours, &theirs).unwrap().records, 1);
}

#[tokio::test(start_paused = true)]
async fn an_operator_who_does_not_countersign_is_seen_and_keeps_nobody_from_leaving() {
    let scratch = Scratch::new();
    let (one, other) = pair();
    let mut device = own_transport::device(&scratch, other, own_transport::OPERATOR, 1);
    let rogue = Rogue::operator(one, 1).await;
    device.connected().await;
    let before = Instant::now();
    device.handle.exit().await.unwrap();
    assert_eq!(device.ended().await, (Party::Customer, EndReason::Exit));
    assert_eq!(before.elapsed(), secs(0), "the panel shows the end at once");
    device.task.await.unwrap();
    assert!(before.elapsed() <= secs(1), "{:?}", before.elapsed());
    drop(rogue);
    let audit = fs::read(scratch.path().join("device/audit.jsonl")).unwrap();
    assert_eq!(missing(&audit), ["mode-activated", "session-ended"]);
}

#[tokio::test(start_paused = true)]
async fn an_operator_who_talks_on_after_the_end_keeps_no_device_busy() {
    let scratch = Scratch::new();
    let (one, other) = pair();
    let mut device = own_transport::device(&scratch, other, own_transport::OPERATOR, 1);
    let mut rogue = Rogue::operator(one, 1).await.listening();
    device.connected().await;
    let flood = tokio::spawn(async move {
        let check = Control::from(Check { n: 1 }).to_frame().repeat(100);
        for _ in 0..1_000_000 {
            rogue.say(Channel::Control, &check).await;
            // A closed connection takes it all at once.
            tokio::task::yield_now().await;
        }
    });
    device.handle.exit().await.unwrap();
    assert_eq!(device.ended().await, (Party::Customer, EndReason::Exit));
    let before = Instant::now();
    device.task.await.unwrap();
    assert!(before.elapsed() <= secs(1), "{:?}", before.elapsed());
    flood.abort();
}

#[tokio::test(start_paused = true)]
async fn a_signature_that_does_not_hold_is_not_kept() {
    let scratch = Scratch::new();
    let (one, other) = pair();
    let mut device = own_transport::device(&scratch, other, own_transport::OPERATOR, 1);
    let mut rogue = Rogue::operator(one, 1).await;
    device.connected().await;
    for index in 0..8 {
        let signature = Signature::from_bytes([7; 64]);
        let signed = alongside::protocol::control::Countersigned { index, signature };
        rogue
            .say(Channel::Control, &Control::from(signed).to_frame())
            .await;
    }
    let end = End {
        by: Party::Operator,
        reason: EndReason::OperatorEnded,
    };
    rogue
        .say(Channel::Control, &Control::from(end).to_frame())
        .await;
    assert_eq!(
        device.ended().await,
        (Party::Operator, EndReason::OperatorEnded)
    );
    device.task.await.unwrap();
    let audit = fs::read(scratch.path().join("device/audit.jsonl")).unwrap();
    assert_eq!(missing(&audit), ["mode-activated", "session-ended"]);
    assert!(!names(&audit).contains(&"countersigned".to_owned()));
}

/// A line of a device's audit that says this, put behind `audit` by whoever has the device's key.
fn forged(world: &World, of: u64, key: PublicKey, signature: Signature) -> Bad {
    let folder = world.folder("device");
    let compartment = alongside::Compartment::open(&folder).unwrap();
    let session = Lines::new(&read(world, "device"), Expect::default())
        .find_map(|line| line.unwrap().session)
        .unwrap();
    // An id is 32 digits, as is half of a key.
    let half = PublicKey::from_hex(&session.repeat(2)).unwrap().0;
    let session = SessionId(*half.first_chunk().unwrap());
    let log = AuditLog::new(&folder, compartment.identity().unwrap());
    let what = What::Countersigned { of, key, signature };
    let entry = Entry {
        at: 1,
        session: Some(session),
        what,
    };
    let before = read(world, "device");
    log.append(&[entry]).unwrap();
    let bad = verify(&read(world, "device"), &Expect::default()).unwrap_err();
    fs::write(folder.join("audit.jsonl"), before).unwrap();
    bad
}

#[tokio::test(start_paused = true)]
async fn a_countersignature_that_a_device_makes_up_is_named() {
    let (world, ours, _) = audits(Ends::Alone).await;
    let end = verify(&ours, &Expect::default()).unwrap();
    let of = end.missing[0].index;
    let mut lines = Lines::new(&ours, Expect::default());
    let signed = lines.find_map(|line| {
        let line = line.unwrap();
        (line.record == "countersigned").then_some(line.fields)
    });
    let signed = signed.unwrap();
    let key = PublicKey::from_hex(signed["key"].as_str().unwrap()).unwrap();
    let other = Identity::generate().unwrap();
    let at = end.head.count;
    // No signature, one of somebody else's, and one for a record that there is not.
    for (of, key, signature) in [
        (of, key, Signature::from_bytes([0; 64])),
        (of, other.public_key(), other.sign(b"anything")),
        (of + 1, key, Signature::from_bytes([0; 64])),
    ] {
        let bad = forged(&world, of, key, signature);
        assert_eq!((bad.index, bad.reason), (at, Flaw::Countersignature));
    }
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_cut_or_written_anew_is_named_by_the_other_sides_audit() {
    let (world, ours, theirs) = audits(Ends::Customer).await;
    let lines: Vec<_> = ours.split_inclusive(|byte| *byte == b'\n').collect();
    let end = names(&ours)
        .iter()
        .position(|name| name == "session-ended")
        .unwrap();
    let cut = lines[..end].concat();
    assert!(
        verify(&cut, &Expect::default()).is_ok(),
        "by itself it is whole"
    );
    let index = end as u64;
    assert_eq!(agree(&cut, &theirs), Err(Disagreement::CutOff { index }));

    // The device's own key signs another history of the same length.
    let folder = tempfile::tempdir().unwrap();
    let compartment = alongside::Compartment::open(&world.folder("device")).unwrap();
    let log = AuditLog::new(folder.path(), compartment.identity().unwrap());
    for at in 0..20 {
        let entry = Entry {
            at,
            session: None,
            what: What::Record(Record::Paused),
        };
        log.append(&[entry]).unwrap();
    }
    let other = fs::read(log.path()).unwrap();
    let activated = names(&ours)
        .iter()
        .position(|name| name == "mode-activated")
        .unwrap();
    let index = activated as u64;
    assert_eq!(agree(&other, &theirs), Err(Disagreement::Other { index }));

    // The operator's is cut.
    let lines: Vec<_> = theirs.split_inclusive(|byte| *byte == b'\n').collect();
    let kept = names(&theirs)
        .iter()
        .rposition(|name| name == "device-record")
        .unwrap();
    let cut = lines[..kept].concat();
    let index = end as u64;
    assert_eq!(agree(&ours, &cut), Err(Disagreement::NotKept { index }));
}
