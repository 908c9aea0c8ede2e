//! Networks and processes that go, and some that come back.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use alongside::{
    DeviceEvent, OperatorEvent, PathKind, operator,
    protocol::{
        AccessCode,
        code::CodeSecret,
        reason::{EndReason, Party},
    },
    status::{Link, Status},
    transport::{
        Connection as _, LegEvent,
        sim::{Host, Nat, Reach},
    },
};
use tokio::time::Instant;

use crate::world::{DeviceSide, OperatorSide, World, line, secs};

/// How long it takes both sides to say so, once something has happened.
const TOLD_WITHIN: Duration = secs(16);

async fn device_link(device: &mut DeviceSide, wanted: fn(Link) -> bool) {
    device
        .event(|event| match event {
            DeviceEvent::Link(link) if wanted(link) => Some(()),
            _ => None,
        })
        .await;
}

async fn operator_link(operator: &mut OperatorSide, wanted: fn(Link) -> bool) {
    operator
        .event(|event| match event {
            OperatorEvent::Link(link) if wanted(link) => Some(()),
            _ => None,
        })
        .await;
}

fn is_missing(link: Link) -> bool {
    matches!(link, Link::Missing { .. })
}

fn is_lost(link: Link) -> bool {
    matches!(link, Link::Lost { .. })
}

fn is_ok(link: Link) -> bool {
    link == Link::Ok
}

#[tokio::test(start_paused = true)]
async fn a_silent_relay_is_told_on_both_sides_and_so_is_its_return() {
    let world = World::new(line(15));
    let (mut device, mut operator) = world.session().await;
    operator.see(&device.panel).await;
    let start = Instant::now();
    world.set_relay_reach(Reach::Blocked);
    device_link(&mut device, is_missing).await;
    assert!(start.elapsed() <= TOLD_WITHIN, "{:?}", start.elapsed());
    operator_link(&mut operator, is_missing).await;
    assert!(start.elapsed() <= TOLD_WITHIN, "{:?}", start.elapsed());
    tokio::time::sleep(secs(5)).await;
    let Status::Active(active) = device.shown.last() else {
        panic!("{:?}", device.shown.last());
    };
    let Link::Missing { silent } = active.link else {
        panic!("{:?}", active.link);
    };
    assert!(silent >= secs(19), "the customer sees it grow: {silent:?}");
    world.set_relay_reach(Reach::Open);
    let start = Instant::now();
    device_link(&mut device, is_ok).await;
    operator_link(&mut operator, is_ok).await;
    assert!(start.elapsed() <= secs(10), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_stays_silent_ends_it_after_eleven_minutes_as_the_networks_fault() {
    let world = World::new(line(15));
    let (mut device, mut operator) = world.session().await;
    operator.see(&device.panel).await;
    let start = Instant::now();
    world.set_relay_reach(Reach::Blocked);
    device_link(&mut device, is_lost).await;
    operator_link(&mut operator, is_lost).await;
    let took = start.elapsed();
    assert!(took >= secs(50) && took <= secs(61), "{took:?}");
    tokio::time::sleep(secs(5)).await;
    let Status::Active(active) = device.shown.last() else {
        panic!("{:?}", device.shown.last());
    };
    let Link::Lost { ends_in } = active.link else {
        panic!("{:?}", active.link);
    };
    assert!(
        ends_in <= secs(596),
        "the customer sees it count: {ends_in:?}"
    );
    assert_eq!(device.ended().await, (Party::Network, EndReason::PeerLost));
    assert_eq!(
        operator.ended().await,
        (Party::Network, EndReason::PeerLost)
    );
    let took = start.elapsed();
    assert!(took >= secs(650) && took <= secs(661), "{took:?}");
    assert!(!device.panel.is_held_awake());
}

#[tokio::test(start_paused = true)]
async fn a_session_goes_on_after_minutes_of_darkness_over_another_connection() {
    for dark in [90, 300, 500] {
        let world = World::new(line(15));
        let (mut device, mut operator) = world.session().await;
        operator.see(&device.panel).await;
        world.set_relay_reach(Reach::Blocked);
        device.panel.paint(2);
        device_link(&mut device, is_lost).await;
        operator_link(&mut operator, is_lost).await;
        tokio::time::sleep(secs(dark - 65)).await;
        world.set_relay_reach(Reach::Open);
        let start = Instant::now();
        device_link(&mut device, is_ok).await;
        operator_link(&mut operator, is_ok).await;
        let took = operator.see(&device.panel).await;
        println!(
            "dark for {dark} s: goes on {:?} after the light",
            start.elapsed()
        );
        assert!(start.elapsed() <= secs(30) && took <= secs(2), "{took:?}");
        device.panel.paint(3);
        assert!(operator.see(&device.panel).await <= secs(1));
        device.handle.exit().await.unwrap();
        assert_eq!(operator.ended().await, (Party::Customer, EndReason::Exit));
    }
}

#[tokio::test(start_paused = true)]
async fn an_exit_in_the_dark_is_final() {
    let world = World::new(line(15));
    let (mut device, mut operator) = world.session().await;
    world.set_relay_reach(Reach::Blocked);
    device_link(&mut device, is_lost).await;
    operator_link(&mut operator, is_lost).await;
    device.handle.exit().await.unwrap();
    assert_eq!(device.ended().await, (Party::Customer, EndReason::Exit));
    world.set_relay_reach(Reach::Open);
    let (by, reason) = operator.ended().await;
    assert_eq!((by, reason), (Party::Network, EndReason::PeerLost));
    while let Ok(event) = device.events.try_recv() {
        assert!(!matches!(event, DeviceEvent::Connected { .. }), "{event:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_relay_may_be_restarted_in_the_dark() {
    let mut world = World::new(line(15));
    let (mut device, mut operator) = world.session().await;
    operator.see(&device.panel).await;
    restart_relay(&mut world, secs(100)).await;
    device_link(&mut device, is_ok).await;
    operator_link(&mut operator, is_ok).await;
    device.panel.paint(2);
    operator.see(&device.panel).await;
}

#[tokio::test(start_paused = true)]
async fn half_a_minute_of_darkness_is_survived() {
    let world = World::new(line(15));
    let (mut device, mut operator) = world.session().await;
    operator.see(&device.panel).await;
    world.set_relay_reach(Reach::Blocked);
    device.panel.paint(2);
    tokio::time::sleep(secs(30)).await;
    world.set_relay_reach(Reach::Open);
    let took = operator.see(&device.panel).await;
    assert!(took <= secs(10), "{took:?}");
    device.panel.paint(3);
    let took = operator.see(&device.panel).await;
    assert!(took <= secs(1), "{took:?}");
    while let Ok(event) = device.events.try_recv() {
        assert!(!matches!(event, DeviceEvent::Ended { .. }), "{event:?}");
    }
}

/// Who is still there, when the other's machine goes dark.
async fn goes_dark(host: fn(&World) -> &Host) -> (World, DeviceSide, OperatorSide, Instant) {
    let world = World::new(line(15));
    let (device, mut operator) = world.session().await;
    operator.see(&device.panel).await;
    world.set_reach(host(&world), Reach::Blocked);
    (world, device, operator, Instant::now())
}

#[tokio::test(start_paused = true)]
async fn an_operators_machine_that_goes_dark_is_missed_and_then_given_up() {
    let (world, mut device, _operator, start) = goes_dark(|world| &world.operator_host).await;
    device_link(&mut device, is_missing).await;
    assert!(start.elapsed() <= TOLD_WITHIN, "{:?}", start.elapsed());
    assert_eq!(device.ended().await, (Party::Network, EndReason::PeerLost));
    assert!(start.elapsed() <= secs(666), "{:?}", start.elapsed());
    // The next session works.
    let operator = world.operator();
    world.set_reach(&world.operator_host, Reach::Open);
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
}

#[tokio::test(start_paused = true)]
async fn a_devices_machine_that_goes_dark_is_missed_and_then_given_up() {
    let (_world, _device, mut operator, start) = goes_dark(|world| &world.device_host).await;
    operator_link(&mut operator, is_missing).await;
    assert!(start.elapsed() <= TOLD_WITHIN, "{:?}", start.elapsed());
    assert_eq!(
        operator.ended().await,
        (Party::Network, EndReason::PeerLost)
    );
    assert!(start.elapsed() <= secs(666), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_device_ends_the_operators_session_at_once() {
    let world = World::new(line(15));
    let (device, mut operator) = world.session().await;
    let start = Instant::now();
    device.task.abort();
    assert_eq!(
        operator.ended().await,
        (Party::Network, EndReason::PeerLost)
    );
    assert!(start.elapsed() <= TOLD_WITHIN, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_operator_ends_the_devices_session_at_once() {
    let world = World::new(line(15));
    let (mut device, operator) = world.session().await;
    let start = Instant::now();
    operator.task.abort();
    assert_eq!(device.ended().await, (Party::Network, EndReason::PeerLost));
    assert!(start.elapsed() <= TOLD_WITHIN, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_shuts_down_for_good_ends_a_relayed_session_as_any_outage_does() {
    let mut world = World::new(line(15));
    let (mut device, mut operator) = world.session().await;
    let start = Instant::now();
    world.relay.take().unwrap().shutdown().await;
    assert!(start.elapsed() <= secs(1), "nobody keeps it waiting");
    device_link(&mut device, is_missing).await;
    operator_link(&mut operator, is_missing).await;
    assert!(start.elapsed() <= TOLD_WITHIN, "{:?}", start.elapsed());
    let lost = (Party::Network, EndReason::PeerLost);
    assert_eq!(device.ended().await, lost);
    assert_eq!(operator.ended().await, lost);
    assert!(start.elapsed() <= secs(666), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_session_goes_on_when_the_relay_shut_down_and_came_back() {
    for down in [0, 2, 20] {
        let mut world = World::new(line(15));
        let (mut device, mut operator) = world.session().await;
        operator.see(&device.panel).await;
        for round in 0..2 {
            let start = Instant::now();
            world.relay.take().unwrap().shutdown().await;
            tokio::time::sleep(secs(down)).await;
            world.start_relay();
            device.panel.paint(7 + round);
            operator.see(&device.panel).await;
            let took = start.elapsed();
            println!("relay stopped for {down} s: the picture goes on after {took:?}");
            assert!(took <= secs(2 * down + 2), "{took:?}");
        }
        device.handle.exit().await.unwrap();
        assert_eq!(operator.ended().await, (Party::Customer, EndReason::Exit));
        assert_eq!(device.ended().await, (Party::Customer, EndReason::Exit));
    }
}

/// Another relay takes the place of the one that is gone, as after `kill -9`: nobody hears a word of the old one.
async fn restart_relay(world: &mut World, down: Duration) {
    world.set_relay_reach(Reach::Blocked);
    drop(world.relay.take());
    // Its last words are lost.
    tokio::time::sleep(down + Duration::from_millis(10)).await;
    world.start_relay();
    world.set_relay_reach(Reach::Open);
}

#[tokio::test(start_paused = true)]
async fn a_session_goes_on_when_the_relay_was_restarted() {
    for down in [0, 2, 20] {
        let mut world = World::new(line(15));
        let (device, mut operator) = world.session().await;
        operator.see(&device.panel).await;
        let start = Instant::now();
        restart_relay(&mut world, secs(down)).await;
        device.panel.paint(7);
        operator.see(&device.panel).await;
        let took = start.elapsed();
        println!("relay down for {down} s: the picture goes on after {took:?}");
        assert!(took <= secs(2 * down + 2), "{took:?}");
        // More than once, and it ends as any session does: the relay knows it again.
        restart_relay(&mut world, secs(0)).await;
        device.panel.paint(8);
        let took = operator.see(&device.panel).await;
        assert!(took <= secs(2), "{took:?}");
        device.handle.exit().await.unwrap();
        assert_eq!(operator.ended().await, (Party::Customer, EndReason::Exit));
        let lines = std::fs::read_to_string(world.folder("relay/access.jsonl")).unwrap();
        assert!(lines.contains("B7-0042"), "{lines}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_relay_s_restart_the_next_session_works() {
    let mut world = World::new(line(15));
    let (mut device, mut operator) = world.session().await;
    restart_relay(&mut world, secs(1)).await;
    device.panel.paint(7);
    operator.see(&device.panel).await;
    operator.handle.end().await.unwrap();
    device.ended().await;
    operator.ended().await;
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
}

/// A future that stops being polled, as a hung process.
struct Freezing<F> {
    inner: Pin<Box<F>>,
    is_frozen: Arc<AtomicBool>,
}

impl<F: Future> Future for Freezing<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if self.is_frozen.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        self.inner.as_mut().poll(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_hung_operator_delays_no_stop_and_is_missed() {
    for waits in [false, true] {
        let world = World::new(line(15));
        let mut device = world.device();
        let (operator, handle, mut events) = world.operator_at_rest();
        let is_frozen = Arc::new(AtomicBool::new(false));
        let operator = Freezing {
            inner: Box::pin(operator.run(operator::Until::Stopped)),
            is_frozen: Arc::clone(&is_frozen),
        };
        let _task = tokio::spawn(operator);
        let code = handle.code(secs(600), None).await.unwrap();
        device.enter(&code.digits).await.unwrap();
        device.connected().await;
        while !matches!(events.recv().await, Some(OperatorEvent::Connected(_))) {}
        is_frozen.store(true, Ordering::Relaxed);
        let start = Instant::now();
        for n in 0..100 {
            device.panel.paint(n);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if waits {
            // Its packets are still acknowledged; its session says nothing.
            device_link(&mut device, is_missing).await;
            assert!(start.elapsed() <= TOLD_WITHIN, "{:?}", start.elapsed());
            continue;
        }
        let stopped = Instant::now();
        device.handle.exit().await.unwrap();
        assert_eq!(stopped.elapsed(), secs(0));
        assert_eq!(device.ended().await, (Party::Customer, EndReason::Exit));
        device.handle.stop().await.unwrap();
        let _end = device.task.await.unwrap();
        assert!(stopped.elapsed() <= secs(3), "{:?}", stopped.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_direct_session_needs_no_relay() {
    for shuts_down in [false, true] {
        let mut world = World::behind(line(15), [Nat::Cone, Nat::Cone]);
        let (mut device, mut operator) = world.session().await;
        device
            .event(|event| match event {
                DeviceEvent::Path(path) if path.kind == PathKind::Direct => Some(()),
                _ => None,
            })
            .await;
        let relay = world.relay.take().unwrap();
        if shuts_down {
            relay.shutdown().await;
        } else {
            world.set_relay_reach(Reach::Blocked);
            drop(relay);
        }
        tokio::time::sleep(secs(300)).await;
        device.panel.paint(2);
        let took = operator.see(&device.panel).await;
        assert!(took <= secs(1), "{took:?}");
        device.handle.exit().await.unwrap();
        assert_eq!(operator.ended().await, (Party::Customer, EndReason::Exit));
    }
}

#[tokio::test(start_paused = true)]
async fn who_never_proves_the_code_gets_no_direct_way() {
    let world = World::behind(line(15), [Nat::None, Nat::None]);
    let device = world.device();
    let (leg, mut events) = world.rogue_leg().await;
    let allocated = leg.allocate(secs(600), None).await.unwrap();
    let code = AccessCode::new(allocated.nameplate, CodeSecret::draw(&[1; 48]).unwrap());
    let dial = async {
        let LegEvent::Peer(peer) = events.next().await else {
            panic!("no device came")
        };
        leg.dial(&peer).await.unwrap()
    };
    let digits = code.reveal();
    let (entered, connection) = tokio::join!(device.enter(&digits), dial);
    entered.unwrap();
    // It tells where it is and asks to be probed, for as long as the device waits for a proof.
    connection.admit();
    let mut way = connection.path();
    let start = Instant::now();
    while way.changed().await.is_ok() {
        let kind = way.borrow_and_update().kind;
        assert_ne!(kind, PathKind::Direct, "after {:?}", start.elapsed());
    }
    assert!(start.elapsed() >= secs(5), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_operator_who_stays_finds_the_relay_again_between_two_customers() {
    let mut world = World::new(line(15));
    let mut operator = world.operator();
    let dead = operator.code().await;
    world.relay.take().unwrap().shutdown().await;
    let mut told = Vec::new();
    while told.len() < 2 {
        let seen = operator.event(|event| match event {
            OperatorEvent::CodeExpired => Some("code"),
            OperatorEvent::RelayGone(_) => Some("gone"),
            _ => None,
        });
        told.push(seen.await);
    }
    assert_eq!(told, ["code", "gone"]);
    tokio::time::sleep(secs(100)).await;
    world.start_relay();
    let start = Instant::now();
    operator
        .event(|event| matches!(event, OperatorEvent::Ready).then_some(()))
        .await;
    assert!(start.elapsed() <= secs(60), "{:?}", start.elapsed());

    let device = world.device();
    let fresh = operator.code().await;
    assert_ne!(fresh, dead);
    device.enter(&fresh).await.unwrap();
    operator.connected().await;
    operator.see(&device.panel).await;

    // Whoever ends the wait ends the operator.
    device.handle.exit().await.unwrap();
    operator.ended().await;
    world.relay.take().unwrap().shutdown().await;
    operator
        .event(|event| matches!(event, OperatorEvent::RelayGone(_)).then_some(()))
        .await;
    operator.handle.end().await.unwrap();
    let end = crate::world::patient(operator.task).await.unwrap();
    assert!(
        matches!(end, Ok(alongside::OperatorEnd::Stopped)),
        "{end:?}"
    );
}
