//! Codes that are right, wrong, dead or none.

use alongside::{
    DeviceEnd, DeviceEvent, OperatorEnd, OperatorEvent,
    device::{self, DeviceError},
    operator,
    protocol::{AccessCode, Nameplate, code::CodeSecret},
    status::{CodeRefusal, ConnectProblem, Status},
    transport::sim::Reach,
};
use tokio::time::Instant;

use crate::{
    panel::TestPanel,
    world::{DeviceSide, OperatorSide, World, line, secs, wrong},
};

/// A code that nobody has given out.
fn unknown() -> String {
    let secret = CodeSecret::draw(&[7; 48]).unwrap();
    AccessCode::new(Nameplate::new(1).unwrap(), secret).reveal()
}

/// Why the next code came to nothing, on the device.
async fn refusal(device: &mut DeviceSide) -> CodeRefusal {
    device
        .event(|event| match event {
            DeviceEvent::CodeRefused(refusal) => Some(refusal),
            DeviceEvent::Connected { .. } => panic!("the code was taken"),
            _ => None,
        })
        .await
}

/// What becomes of the code, on the operator's side.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Wrong(u8),
    Burnt,
    Expired,
    DialFailed,
    Connected,
}

async fn fate(operator: &mut OperatorSide) -> Fate {
    operator
        .event(|event| match event {
            OperatorEvent::CodeWrong { tries_left } => Some(Fate::Wrong(tries_left)),
            OperatorEvent::CodeBurnt => Some(Fate::Burnt),
            OperatorEvent::CodeExpired => Some(Fate::Expired),
            OperatorEvent::DialFailed(_) => Some(Fate::DialFailed),
            OperatorEvent::Connected(_) => Some(Fate::Connected),
            _ => None,
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn a_wrong_code_is_told_on_both_sides_and_the_right_one_still_works() {
    let world = World::new(line(15));
    let (mut device, mut operator) = (world.device(), world.operator());
    let code = operator.code().await;
    for left in [2, 1] {
        device.enter(&wrong(&code)).await.unwrap();
        assert_eq!(fate(&mut operator).await, Fate::Wrong(left));
        let told = refusal(&mut device).await;
        assert_eq!(told, CodeRefusal::Wrong { tries_left: left });
        assert_eq!(device.shown.last(), Status::CodeRefused(told));
        // Before anything else can have happened: what is left of the last try must not end this one.
        if left == 1 {
            device.enter(&code).await.unwrap();
        }
    }
    assert_eq!(fate(&mut operator).await, Fate::Connected);
    device.connected().await;
    operator.see(&device.panel).await;
}

#[tokio::test(start_paused = true)]
async fn the_third_wrong_code_burns_it_and_the_right_one_is_refused_from_then_on() {
    let world = World::new(line(15));
    let (mut device, mut operator) = (world.device(), world.operator());
    let code = operator.code().await;
    for expected in [Fate::Wrong(2), Fate::Wrong(1), Fate::Burnt] {
        device.enter(&wrong(&code)).await.unwrap();
        assert_eq!(fate(&mut operator).await, expected);
        let _told = refusal(&mut device).await;
    }
    // The relay may know already, or learn it while the device waits for the operator.
    match device.enter(&code).await {
        Ok(()) => assert_eq!(refusal(&mut device).await, CodeRefusal::Burnt),
        Err(DeviceError::Code(told)) => assert_eq!(told, CodeRefusal::Unknown),
        Err(error) => panic!("{error}"),
    }
    // The operator asks for another and goes on.
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    assert_eq!(fate(&mut operator).await, Fate::Connected);
}

#[tokio::test(start_paused = true)]
async fn a_code_expires_on_its_second_on_both_sides() {
    let world = World::new(line(15));
    let (device, mut operator) = (world.device(), world.operator());
    let code = operator.code().await;
    let start = Instant::now();
    assert_eq!(fate(&mut operator).await, Fate::Expired);
    let lived = start.elapsed();
    assert!(lived <= secs(600) && lived > secs(599), "{lived:?}");
    let Err(DeviceError::Code(told)) = device.enter(&code).await else {
        panic!("an expired code is dead");
    };
    assert!(
        matches!(told, CodeRefusal::Expired | CodeRefusal::Unknown),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_outlives_its_code() {
    let world = World::new(line(15));
    let (device, mut operator) = (world.device(), world.operator());
    let code = operator.code().await;
    tokio::time::sleep(secs(590)).await;
    device.enter(&code).await.unwrap();
    assert_eq!(fate(&mut operator).await, Fate::Connected);
    tokio::time::sleep(secs(300)).await;
    device.panel.paint(2);
    operator.see(&device.panel).await;
}

#[tokio::test(start_paused = true)]
async fn a_code_that_nobody_gave_out_is_unknown_and_ends_a_single_try() {
    let world = World::new(line(15));
    let panel = TestPanel::new(64, 64);
    let device = world.device_with(panel, device::Until::FirstCode);
    let Err(DeviceError::Code(told)) = device.enter(&unknown()).await else {
        panic!("nobody gave it out");
    };
    assert_eq!(told, CodeRefusal::Unknown);
    let end = device.task.await.unwrap();
    assert_eq!(end, DeviceEnd::Refused(CodeRefusal::Unknown));
}

#[tokio::test(start_paused = true)]
async fn five_failed_entries_lock_the_panel_for_a_minute_and_a_restart_does_not_open_it() {
    let world = World::new(line(15));
    let mut device = world.device();
    for _ in 0..5 {
        let Err(DeviceError::Code(told)) = device.enter(&unknown()).await else {
            panic!("nobody gave it out");
        };
        assert_eq!(told, CodeRefusal::Unknown);
    }
    let mut wait = secs(0);
    for is_restarted in [false, true] {
        if is_restarted {
            device.handle.stop().await.unwrap();
            assert_eq!((&mut device.task).await.unwrap(), DeviceEnd::Stopped);
            device = world.device();
        }
        let sent = world.device_host.traffic().sent;
        let Err(DeviceError::Code(CodeRefusal::EntryLocked { wait: left })) =
            device.enter(&unknown()).await
        else {
            panic!("locked");
        };
        assert!(left <= secs(60) && left > secs(55), "{left:?}");
        assert_eq!(world.device_host.traffic().sent, sent, "nobody is asked");
        wait = left;
    }
    tokio::time::sleep(wait).await;
    let mut operator = world.operator();
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    assert_eq!(fate(&mut operator).await, Fate::Connected);
}

#[tokio::test(start_paused = true)]
async fn a_new_code_kills_the_one_before() {
    let world = World::new(line(15));
    let (device, mut operator) = (world.device(), world.operator());
    let (old, new) = (operator.code().await, operator.code().await);
    assert!(matches!(
        device.enter(&old).await,
        Err(DeviceError::Code(CodeRefusal::Unknown))
    ));
    device.enter(&new).await.unwrap();
    assert_eq!(fate(&mut operator).await, Fate::Connected);
}

#[tokio::test(start_paused = true)]
async fn one_code_is_tried_at_a_time_and_the_customer_can_give_it_up() {
    let world = World::new(line(15));
    let (device, mut operator) = (world.device(), world.operator());
    let code = operator.code().await;
    // The operator cannot be reached: the device waits for the connection.
    world.set_reach(&world.operator_host, Reach::Blocked);
    device.enter(&code).await.unwrap();
    let Status::Connecting { .. } = device.shown.last() else {
        panic!("{:?}", device.shown.last());
    };
    assert!(matches!(device.enter(&code).await, Err(DeviceError::Busy)));
    let start = Instant::now();
    device.handle.exit().await.unwrap();
    assert_eq!(start.elapsed(), secs(0));
    tokio::time::sleep(secs(1)).await;
    assert_eq!(device.shown.last(), Status::Idle);
    // Giving up costs the try and not the code.
    world.set_reach(&world.operator_host, Reach::Open);
    tokio::time::sleep(secs(5)).await;
    device.enter(&code).await.unwrap();
    while fate(&mut operator).await != Fate::Connected {}
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_never_dials_is_told_as_such_and_the_device_goes_on() {
    let world = World::new(line(15));
    let (mut device, operator) = (world.device(), world.operator());
    let code = operator.code().await;
    world.set_reach(&world.operator_host, Reach::Blocked);
    let start = Instant::now();
    device.enter(&code).await.unwrap();
    let told = refusal(&mut device).await;
    assert_eq!(
        told,
        CodeRefusal::NoConnection(ConnectProblem::OperatorUnreachable)
    );
    assert!(start.elapsed() <= secs(16), "{:?}", start.elapsed());
    world.set_reach(&world.operator_host, Reach::Open);
    let operator = world.operator();
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_vanishes_before_the_dial_leaves_the_code_alive() {
    let world = World::new(line(15));
    let (device, mut operator) = (world.device(), world.operator());
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    world.set_reach(&world.device_host, Reach::Blocked);
    assert_eq!(fate(&mut operator).await, Fate::DialFailed);
    world.set_reach(&world.device_host, Reach::Open);
    device.task.abort();
    tokio::time::sleep(secs(5)).await;
    let device = world.device();
    device.enter(&code).await.unwrap();
    assert_eq!(fate(&mut operator).await, Fate::Connected);
}

#[tokio::test(start_paused = true)]
async fn the_operator_can_end_at_every_step() {
    // While the relay does not answer, and while the device does not.
    for step in 0..2 {
        let world = World::new(line(15));
        if step == 0 {
            world.set_reach(&world.operator_host, Reach::Blocked);
        }
        let (device, operator) = (world.device(), world.operator());
        if step == 1 {
            let code = operator.code().await;
            device.enter(&code).await.unwrap();
            world.set_reach(&world.device_host, Reach::Blocked);
            tokio::time::sleep(secs(1)).await;
        }
        let start = Instant::now();
        operator.handle.end().await.unwrap();
        assert_eq!(start.elapsed(), secs(0), "step {step}");
        let end = operator.task.await.unwrap().unwrap();
        assert!(matches!(end, OperatorEnd::Stopped), "{end:?}");
        assert!(start.elapsed() <= secs(2), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn an_operator_until_the_first_session_ends_with_a_burnt_code() {
    let world = World::new(line(15));
    let mut device = world.device();
    let (operator, handle, mut events) = world.operator_at_rest();
    let task = tokio::spawn(operator.run(operator::Until::FirstSession));
    let code = handle
        .code(secs(600), None)
        .await
        .unwrap()
        .digits
        .to_string();
    for _ in 0..3 {
        device.enter(&wrong(&code)).await.unwrap();
        let _told = refusal(&mut device).await;
    }
    assert!(matches!(task.await.unwrap(), Ok(OperatorEnd::CodeBurnt)));
    let mut burnt = 0;
    while let Some(event) = events.recv().await {
        burnt += usize::from(matches!(event, OperatorEvent::CodeBurnt));
    }
    assert_eq!(burnt, 1, "told once");
}

#[tokio::test(start_paused = true)]
async fn a_device_leaves_the_relay_when_nobody_tries_again() {
    let world = World::new(line(15));
    let device = world.device();
    let _refused = device.enter(&unknown()).await;
    let relay = world.relay.as_ref().unwrap();
    tokio::time::sleep(secs(60)).await;
    assert_eq!(relay.legs(), 1);
    tokio::time::sleep(secs(65)).await;
    assert_eq!(relay.legs(), 0);
    let sent = world.device_host.traffic().sent;
    tokio::time::sleep(secs(3600)).await;
    assert_eq!(
        world.device_host.traffic().sent,
        sent,
        "a device at rest is silent"
    );
}

#[tokio::test(start_paused = true)]
async fn where_wrong_codes_cannot_be_counted_none_is_tried_until_they_can() {
    let world = World::new(line(15));
    let mut device = world.device();
    let operator = world.operator();
    let code = operator.code().await;
    let in_the_way = world.folder("device").join("entry.new");
    std::fs::create_dir_all(&in_the_way).unwrap();
    // Nobody has the first code, and not even that is told. For the second the relay is not asked.
    for digits in [&unknown(), &code] {
        let refused = device.enter(digits).await;
        assert!(
            matches!(refused, Err(DeviceError::Code(CodeRefusal::RecordFailed))),
            "{refused:?}"
        );
    }
    std::fs::remove_dir(&in_the_way).unwrap();
    device.enter(&code).await.unwrap();
    device.connected().await;
}
