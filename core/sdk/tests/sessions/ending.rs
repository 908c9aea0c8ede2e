//! How it ends when somebody wants it to.

use std::time::Duration;

use alongside::{
    DeviceEnd, OperatorEnd, device,
    protocol::{
        annotation::Annotation,
        input::KeyMotion,
        reason::{EndReason, Party},
    },
    status::Status,
    transport::sim::Reach,
};
use tokio::time::Instant;

use crate::{
    panel::TestPanel,
    world::{World, line, secs},
};

#[tokio::test(start_paused = true)]
async fn exit_ends_it_at_once_here_and_within_a_round_trip_there() {
    let world = World::new(line(15));
    let (mut device, mut operator) = world.session().await;
    let start = Instant::now();
    device.handle.exit().await.unwrap();
    assert_eq!(device.shown.ended_at(), Some(start));
    assert_eq!(device.ended().await, (Party::Customer, EndReason::Exit));
    assert!(!device.panel.is_held_awake());
    assert!(device.panel.drawn().contains(&Annotation::Clear));
    assert_eq!(operator.ended().await, (Party::Customer, EndReason::Exit));
    assert!(
        start.elapsed() < Duration::from_millis(60),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn exit_with_the_network_dead_is_instant_and_the_device_is_free_again_soon() {
    let world = World::new(line(15));
    let (mut device, operator) = world.session().await;
    device.panel.paint(2);
    world.set_relay_reach(Reach::Blocked);
    tokio::time::sleep(secs(7)).await;
    let start = Instant::now();
    device.handle.exit().await.unwrap();
    assert_eq!(device.shown.ended_at(), Some(start));
    assert_eq!(device.ended().await, (Party::Customer, EndReason::Exit));
    // The goodbye is tried for a second, and then the next code can be entered.
    world.set_relay_reach(Reach::Open);
    operator.task.abort();
    let operator = world.operator();
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
    assert!(start.elapsed() < secs(4), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_stop_key_ends_it_after_five_seconds_and_not_after_4_9() {
    let world = World::new(line(15));
    let (mut device, mut operator) = world.session().await;
    device.handle.stop_key(KeyMotion::Down).await.unwrap();
    tokio::time::sleep(Duration::from_millis(4900)).await;
    device.handle.stop_key(KeyMotion::Up).await.unwrap();
    tokio::time::sleep(secs(5)).await;
    assert!(matches!(device.shown.last(), Status::Active(_)));
    let start = Instant::now();
    device.handle.stop_key(KeyMotion::Down).await.unwrap();
    assert_eq!(device.ended().await, (Party::Customer, EndReason::StopKey));
    assert_eq!(start.elapsed(), secs(5));
    assert_eq!(
        operator.ended().await,
        (Party::Customer, EndReason::StopKey)
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_key_that_went_down_before_the_session_counts_in_it() {
    let world = World::new(line(15));
    let (mut device, operator) = (world.device(), world.operator());
    let code = operator.code().await;
    device.handle.stop_key(KeyMotion::Down).await.unwrap();
    device.enter(&code).await.unwrap();
    device.connected().await;
    let start = Instant::now();
    assert_eq!(device.ended().await, (Party::Customer, EndReason::StopKey));
    assert!(start.elapsed() <= secs(5));
}

#[tokio::test(start_paused = true)]
async fn the_stop_key_gives_up_a_code_that_is_being_tried() {
    let world = World::new(line(15));
    let (device, operator) = (world.device(), world.operator());
    let code = operator.code().await;
    world.set_reach(&world.operator_host, Reach::Blocked);
    device.enter(&code).await.unwrap();
    device.handle.stop_key(KeyMotion::Down).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5100)).await;
    assert_eq!(device.shown.last(), Status::Idle);
}

#[tokio::test(start_paused = true)]
async fn the_operator_ends_it_for_both() {
    let world = World::new(line(15));
    let (mut device, mut operator) = world.session().await;
    let start = Instant::now();
    operator.handle.end().await.unwrap();
    let ended = (Party::Operator, EndReason::OperatorEnded);
    assert_eq!(operator.ended().await, ended);
    assert_eq!(device.ended().await, ended);
    assert!(
        start.elapsed() < Duration::from_millis(60),
        "{:?}",
        start.elapsed()
    );
    // Both can meet again.
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
}

#[tokio::test(start_paused = true)]
async fn stop_ends_the_session_and_the_device() {
    let world = World::new(line(15));
    let (device, mut operator) = world.session().await;
    device.handle.stop().await.unwrap();
    assert_eq!(operator.ended().await, (Party::Device, EndReason::Shutdown));
    assert_eq!(device.task.await.unwrap(), DeviceEnd::Stopped);
    assert!(device.handle.touched().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn dropping_every_handle_ends_the_session_and_the_side() {
    let world = World::new(line(15));
    let (device, operator) = world.session().await;
    drop(operator.handle);
    assert!(matches!(
        operator.task.await.unwrap(),
        Ok(OperatorEnd::Stopped)
    ));
    drop(device.handle);
    assert_eq!(device.task.await.unwrap(), DeviceEnd::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_device_until_its_first_code_ends_with_the_session() {
    let world = World::new(line(15));
    let panel = TestPanel::new(64, 64);
    let mut device = world.device_with(panel, device::Until::FirstCode);
    let operator = world.operator();
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
    operator.handle.end().await.unwrap();
    let (by, reason) = (Party::Operator, EndReason::OperatorEnded);
    assert_eq!(
        device.task.await.unwrap(),
        DeviceEnd::Session { by, reason }
    );
}

#[tokio::test(start_paused = true)]
async fn the_next_devices_picture_begins_from_nothing() {
    let world = World::new(line(15));
    let (device, mut operator) = world.session().await;
    operator.see(&device.panel).await;
    device.handle.stop().await.unwrap();
    let _end = device.task.await.unwrap();
    let mut device = world.device();
    device.panel.paint(9);
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
    operator.connected().await;
    let shows = device.panel.shows();
    operator.handle.screen().with(|shown| {
        // Nothing, or what this device has sent; never a mix with the picture of the one before.
        assert!(shown.is_none_or(|shown| !shown.exact || shown.frame == *shows));
    });
    operator.see(&device.panel).await;
}
