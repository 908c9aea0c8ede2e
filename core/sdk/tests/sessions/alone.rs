//! Sessions without a relay: the operator listens, the device is told where.

use std::{net::SocketAddr, sync::Arc};

use alongside::{
    Compartment, ConnectError, Device, DeviceConfig, DeviceEnd, DeviceEvent, Identity, Operator,
    OperatorConfig, OperatorEnd, OperatorEvent, PathKind, Relay,
    device::{self, DeviceError},
    operator,
    protocol::{
        AccessCode, Nameplate, Serial,
        code::CodeSecret,
        label::Label,
        reason::{EndReason, Party},
    },
    status::{CodeRefusal, ConnectProblem, Link},
    transport::sim::{Host, Nat, Reach, SimNet},
};
use tokio::time::{Instant, sleep};

use crate::{
    panel::{Shown, TestPanel},
    world::{DeviceSide, OperatorSide, Scratch, line, patient, secs, wrong},
};

/// Two machines and nobody between.
struct Lab {
    device_host: Host,
    operator_host: Host,
    at: SocketAddr,
    scratch: Scratch,
}

impl Lab {
    fn new() -> Self {
        let net = SimNet::new(3);
        // The device may be behind a translator; the operator has an address of its own.
        let device_host = net.host([192, 0, 2, 1].into(), line(15), Nat::Cone);
        let operator_host = net.host([198, 51, 100, 1].into(), line(15), Nat::None);
        Self {
            at: operator_host.address(7443),
            device_host,
            operator_host,
            scratch: Scratch::new(),
        }
    }

    fn device_at(&self, at: Option<SocketAddr>) -> DeviceSide {
        let config = DeviceConfig {
            relay: Relay::none().over(Arc::new(self.device_host.clone())),
            serial: Serial::new("B7-0042").unwrap(),
            model: Label::new("Example B7").unwrap(),
            compartment: Compartment::open(&self.scratch.path().join("device")).unwrap(),
        };
        let (panel, shown) = (TestPanel::new(320, 240), Arc::new(Shown::default()));
        let (device, handle, events) =
            Device::new(config, Arc::clone(&panel) as _, Arc::clone(&shown) as _).unwrap();
        let device = match at {
            Some(at) => device.calling(at),
            None => device,
        };
        DeviceSide {
            handle,
            events,
            panel,
            shown,
            task: tokio::spawn(device.run(device::Until::Stopped)),
        }
    }

    fn device(&self) -> DeviceSide {
        self.device_at(Some(self.at))
    }

    async fn operator(&self) -> OperatorSide {
        let (operator, handle, events) = Operator::new(OperatorConfig {
            relay: Relay::none().over(Arc::new(self.operator_host.clone())),
            identity: Arc::new(Identity::generate().unwrap()),
            name: None,
        });
        let run = operator.listening_on(self.at).run(operator::Until::Stopped);
        let mut operator = OperatorSide {
            handle,
            events,
            task: tokio::spawn(run),
        };
        let listens = operator
            .event(|event| match event {
                OperatorEvent::Listening(at) => Some(at),
                _ => None,
            })
            .await;
        assert_eq!(listens, self.at);
        operator
    }

    async fn session(&self) -> (DeviceSide, OperatorSide) {
        let (mut device, mut operator) = (self.device(), self.operator().await);
        let code = operator.code().await;
        device.enter(&code).await.unwrap();
        device.connected().await;
        operator.connected().await;
        (device, operator)
    }
}

async fn refusal(device: &mut DeviceSide) -> CodeRefusal {
    device
        .event(|event| match event {
            DeviceEvent::CodeRefused(refusal) => Some(refusal),
            DeviceEvent::Connected { .. } => panic!("the code was taken"),
            _ => None,
        })
        .await
}

fn told(result: Result<(), DeviceError>) -> CodeRefusal {
    match result {
        Err(DeviceError::Code(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_needs_no_relay() {
    let lab = Lab::new();
    let (device, mut operator) = lab.session().await;
    for n in 2..5 {
        operator.see(&device.panel).await;
        device.panel.paint(n);
    }
    operator.see(&device.panel).await;
    let way = operator
        .event(|event| match event {
            OperatorEvent::Path(path) => Some(path.kind),
            _ => None,
        })
        .await;
    assert_eq!(way, PathKind::Direct);
    device.handle.exit().await.unwrap();
    assert_eq!(operator.ended().await, (Party::Customer, EndReason::Exit));
    // The operator is there for the next.
    let code = operator.code().await;
    let mut device = device;
    assert_eq!(device.ended().await, (Party::Customer, EndReason::Exit));
    device.enter(&code).await.unwrap();
    device.connected().await;
}

#[tokio::test(start_paused = true)]
async fn the_address_may_come_with_the_code() {
    let lab = Lab::new();
    let (mut device, operator) = (lab.device_at(None), lab.operator().await);
    let code = AccessCode::parse(&operator.code().await).unwrap();
    device.handle.enter_code_at(code, lab.at).await.unwrap();
    device.connected().await;
}

#[tokio::test(start_paused = true)]
async fn three_wrong_secrets_burn_a_code_and_both_sides_hear_each() {
    let lab = Lab::new();
    let (mut device, mut operator) = (lab.device(), lab.operator().await);
    let code = operator.code().await;
    for left in [2, 1, 0] {
        device.enter(&wrong(&code)).await.unwrap();
        let expected = match left {
            0 => CodeRefusal::Burnt,
            tries_left => CodeRefusal::Wrong { tries_left },
        };
        assert_eq!(refusal(&mut device).await, expected);
        let heard = operator
            .event(|event| match event {
                OperatorEvent::CodeWrong { tries_left } => Some(tries_left),
                OperatorEvent::CodeBurnt => Some(0),
                _ => None,
            })
            .await;
        assert_eq!(heard, left);
    }
    assert_eq!(told(device.enter(&code).await), CodeRefusal::Burnt);
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
}

#[tokio::test(start_paused = true)]
async fn a_code_expires_and_a_new_one_kills_the_one_before() {
    let lab = Lab::new();
    let (mut device, mut operator) = (lab.device(), lab.operator().await);
    let (old, code) = (operator.code().await, operator.code().await);
    assert_eq!(told(device.enter(&old).await), CodeRefusal::Unknown);
    let start = Instant::now();
    operator
        .event(|event| matches!(event, OperatorEvent::CodeExpired).then_some(()))
        .await;
    assert!(start.elapsed() <= secs(600), "{:?}", start.elapsed());
    assert_eq!(told(device.enter(&code).await), CodeRefusal::Expired);
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
}

#[tokio::test(start_paused = true)]
async fn where_nobody_listens_the_customer_hears_it_within_ten_seconds() {
    let lab = Lab::new();
    let device = lab.device();
    let secret = CodeSecret::draw(&[7; 48]).unwrap();
    let code = AccessCode::new(Nameplate::new(1).unwrap(), secret).reveal();
    let start = Instant::now();
    let refusal = told(device.enter(&code).await);
    let nobody = CodeRefusal::NoConnection(ConnectProblem::NobodyListens);
    assert_eq!(refusal, nobody);
    assert!(start.elapsed() <= secs(10), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn whoever_guesses_numbers_waits_and_the_code_lives_on() {
    let lab = Lab::new();
    let (mut device, operator) = (lab.device(), lab.operator().await);
    let code = AccessCode::parse(&operator.code().await).unwrap();
    // As somebody would who does not keep to the device's own lock.
    let other = |n: u32| {
        let number = (code.nameplate().number() + n) % Nameplate::COUNT;
        let secret = CodeSecret::draw(&[7; 48]).unwrap();
        AccessCode::new(Nameplate::new(number).unwrap(), secret).reveal()
    };
    for n in 1..=4 {
        assert_eq!(told(device.enter(&other(n)).await), CodeRefusal::Unknown);
    }
    // The device's own guard would lock after the fifth.
    device.handle.stop().await.unwrap();
    patient(&mut device.task).await.unwrap();
    std::fs::remove_dir_all(lab.scratch.path().join("device")).unwrap();
    let mut device = lab.device();
    assert_eq!(told(device.enter(&other(5)).await), CodeRefusal::Unknown);
    let CodeRefusal::EntryLocked { wait } = told(device.enter(&code.reveal()).await) else {
        panic!("five numbers were guessed");
    };
    assert!(wait <= secs(60) && wait > secs(50), "{wait:?}");
    sleep(wait).await;
    device.enter(&code.reveal()).await.unwrap();
    device.connected().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_goes_on_after_minutes_of_darkness() {
    let lab = Lab::new();
    let (mut device, mut operator) = lab.session().await;
    operator.see(&device.panel).await;
    lab.operator_host
        .set_reachable(&lab.device_host, Reach::Blocked);
    device.panel.paint(2);
    for is_lost in [true, false] {
        if !is_lost {
            sleep(secs(40)).await;
            lab.operator_host
                .set_reachable(&lab.device_host, Reach::Open);
        }
        let is_it = move |link| {
            matches!(link, Link::Lost { .. }) == is_lost && !matches!(link, Link::Missing { .. })
        };
        device
            .event(|event| match event {
                DeviceEvent::Link(link) if is_it(link) => Some(()),
                _ => None,
            })
            .await;
        operator
            .event(|event| match event {
                OperatorEvent::Link(link) if is_it(link) => Some(()),
                _ => None,
            })
            .await;
    }
    operator.see(&device.panel).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_survives_another_address_of_the_devices() {
    let lab = Lab::new();
    let (device, mut operator) = lab.session().await;
    operator.see(&device.panel).await;
    lab.device_host.forget_mappings();
    device.panel.paint(2);
    let took = operator.see(&device.panel).await;
    assert!(took <= secs(2), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn without_relay_or_address_there_is_a_sentence() {
    let lab = Lab::new();
    let device = lab.device_at(None);
    let secret = CodeSecret::draw(&[7; 48]).unwrap();
    let code = AccessCode::new(Nameplate::new(1).unwrap(), secret).reveal();
    let CodeRefusal::NoConnection(ConnectProblem::NoWay(_)) = told(device.enter(&code).await)
    else {
        panic!("there is no way");
    };
    let (operator, _handle, _events) = Operator::new(OperatorConfig {
        relay: Relay::none(),
        identity: Arc::new(Identity::generate().unwrap()),
        name: None,
    });
    let error = operator.run(operator::Until::Stopped).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoRelay), "{error}");
    device.handle.stop().await.unwrap();
    assert_eq!(patient(device.task).await.unwrap(), DeviceEnd::Stopped);
}

#[tokio::test(start_paused = true)]
async fn one_code_one_session_then_the_operator_is_done() {
    let lab = Lab::new();
    let mut device = lab.device();
    let (operator, handle, events) = Operator::new(OperatorConfig {
        relay: Relay::none().over(Arc::new(lab.operator_host.clone())),
        identity: Arc::new(Identity::generate().unwrap()),
        name: None,
    });
    let run = operator
        .listening_on(lab.at)
        .run(operator::Until::FirstSession);
    let operator = OperatorSide {
        handle,
        events,
        task: tokio::spawn(run),
    };
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
    device.handle.exit().await.unwrap();
    let end = patient(operator.task).await.unwrap().unwrap();
    assert!(matches!(end, OperatorEnd::Session { .. }), "{end:?}");
}
