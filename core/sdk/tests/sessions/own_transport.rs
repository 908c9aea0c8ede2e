//! A session over a connection that is not Alongside's own.

use std::{sync::Arc, time::Duration};

use alongside::{
    Compartment, Device, DeviceConfig, DeviceEnd, DeviceEvent, Identity, Operator, OperatorConfig,
    OperatorEnd, Relay,
    operator::IssuedCode,
    protocol::{
        AccessCode, Nameplate, PublicKey, Serial,
        code::CodeSecret,
        frame::Channel,
        label::Label,
        reason::{EndReason, Party},
    },
    status::{CodeRefusal, ConnectProblem, OperatorIdentity},
    transport::memory::{self, MemoryConnection},
};
use tokio::time::Instant;

use crate::{
    panel::{Shown, TestPanel},
    world::{DeviceSide, OperatorSide, Scratch},
};

pub const OPERATOR: PublicKey = PublicKey([1; 32]);
pub const DEVICE: PublicKey = PublicKey([2; 32]);

pub fn code(secret: u8) -> AccessCode {
    let secret = CodeSecret::draw(&[secret; 48]).unwrap();
    AccessCode::new(Nameplate::new(12_345).unwrap(), secret)
}

pub fn issued(secret: u8) -> IssuedCode {
    let expires_at = Instant::now() + Duration::from_secs(600);
    IssuedCode::new(code(secret), expires_at.into_std())
}

pub fn identity(key: PublicKey) -> OperatorIdentity {
    OperatorIdentity {
        key,
        name: None,
        organisation: None,
        confirmed_by: None,
    }
}

/// A device that tries the code with this secret over `connection`.
pub fn device(
    scratch: &Scratch,
    connection: MemoryConnection,
    operator: PublicKey,
    secret: u8,
) -> DeviceSide {
    let config = DeviceConfig {
        relay: Relay::none(),
        serial: Serial::new("B7-0042").unwrap(),
        model: Label::new("Example B7").unwrap(),
        compartment: Compartment::open(&scratch.path().join("device")).unwrap(),
    };
    let (panel, shown) = (TestPanel::new(320, 240), Arc::new(Shown::default()));
    let (device, handle, events) =
        Device::new(config, Arc::clone(&panel) as _, Arc::clone(&shown) as _).unwrap();
    let run = device.run_over(connection, identity(operator), code(secret));
    DeviceSide {
        handle,
        events,
        panel,
        shown,
        task: tokio::spawn(run),
    }
}

/// An operator that has issued the code over `connection`.
pub fn operator(connection: MemoryConnection, code: IssuedCode) -> OperatorSide {
    let (operator, handle, events) = Operator::new(OperatorConfig {
        relay: Relay::none(),
        identity: Arc::new(Identity::generate().unwrap()),
        name: None,
    });
    let run = async move { Ok(operator.run_over(connection, code).await) };
    OperatorSide {
        handle,
        events,
        task: tokio::spawn(run),
    }
}

#[tokio::test(start_paused = true)]
async fn a_whole_session_runs_in_memory() {
    let scratch = Scratch::new();
    let (one, other) = memory::pair(OPERATOR, DEVICE);
    let mut operator = operator(one, issued(1));
    let mut device = device(&scratch, other, OPERATOR, 1);
    device.connected().await;
    for n in 2..5 {
        operator.see(&device.panel).await;
        device.panel.paint(n);
    }
    operator.see(&device.panel).await;
    let (theirs, ours) = (operator.handle.volume(), device.handle.volume());
    assert_eq!(theirs.received(Channel::Panel), ours.sent(Channel::Panel));
    assert!(
        ours.sent(Channel::Panel) > 1_000,
        "{ours:?}: four pictures came"
    );
    assert_eq!(ours.received(Channel::Panel), theirs.sent(Channel::Panel));
    device.handle.exit().await.unwrap();
    let (by, reason) = (Party::Customer, EndReason::Exit);
    assert_eq!(
        device.task.await.unwrap(),
        DeviceEnd::Session { by, reason }
    );
    let end = operator.task.await.unwrap().unwrap();
    let OperatorEnd::Session {
        by: Party::Customer,
        reason: EndReason::Exit,
    } = end
    else {
        panic!("{end:?}");
    };
}

#[tokio::test(start_paused = true)]
async fn a_wrong_code_gives_the_issued_one_back() {
    let scratch = Scratch::new();
    let mut issued = issued(1);
    for left in [2, 1] {
        let (one, other) = memory::pair(OPERATOR, DEVICE);
        let operator = operator(one, issued);
        let device = device(&scratch, other, OPERATOR, 2);
        assert_eq!(
            device.task.await.unwrap(),
            DeviceEnd::Refused(CodeRefusal::Wrong { tries_left: left })
        );
        let end = operator.task.await.unwrap().unwrap();
        let OperatorEnd::NotProved(again) = end else {
            panic!("{end:?}");
        };
        assert_eq!(again.tries_left(), left);
        issued = again;
    }
}

#[tokio::test(start_paused = true)]
async fn another_key_than_announced_is_refused_before_anything_is_said() {
    let scratch = Scratch::new();
    let (one, other) = memory::pair(PublicKey([3; 32]), DEVICE);
    let operator = operator(one, issued(1));
    let mut device = device(&scratch, other, OPERATOR, 1);
    let refusal = CodeRefusal::NoConnection(ConnectProblem::Incompatible);
    device
        .event(|event| match event {
            DeviceEvent::CodeRefused(told) if told == refusal => Some(()),
            other => panic!("{other:?}"),
        })
        .await;
    assert_eq!(device.task.await.unwrap(), DeviceEnd::Refused(refusal));
    let end = operator.task.await.unwrap().unwrap();
    let OperatorEnd::NotProved(code) = end else {
        panic!("{end:?}");
    };
    assert_eq!(code.tries_left(), 3, "nothing was there to guess at");
}
