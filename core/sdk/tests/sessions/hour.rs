//! An hour in which nobody does anything.

use std::time::Duration;

use alongside::{
    DeviceEvent, OperatorEvent,
    protocol::reason::{EndReason, Party},
    status::Status,
};
use tokio::{sync::mpsc::UnboundedReceiver, time::Instant};

use crate::world::{World, line, secs};

const MINUTE: Duration = secs(60);

fn all(sizes: &mut UnboundedReceiver<usize>) -> Vec<usize> {
    std::iter::from_fn(|| sizes.try_recv().ok()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_hour_costs_small_packets_and_few_of_them() {
    let world = World::new(line(15));
    let (device, mut operator) = world.session().await;
    operator.see(&device.panel).await;
    tokio::time::sleep(secs(10)).await;
    let mut sizes = [world.device_host.sizes(), world.operator_host.sizes()];
    let before = [world.device_host.traffic(), world.operator_host.traffic()];
    for _ in 0..12 {
        operator.handle.still_here().await.unwrap();
        tokio::time::sleep(5 * MINUTE).await;
    }
    let after = [world.device_host.traffic(), world.operator_host.traffic()];
    for ((side, sizes), (before, after)) in ["device", "operator"]
        .iter()
        .zip(&mut sizes)
        .zip(before.iter().zip(&after))
    {
        let sizes = all(sizes);
        let (sent, received) = (
            (after.sent - before.sent) / 60,
            (after.received - before.received) / 60,
        );
        let largest = sizes.iter().max().unwrap();
        println!(
            "{side}: {sent} bytes sent and {received} received an idle minute, {} packets, the largest of {largest} bytes",
            sizes.len() / 60,
        );
        // IP and UDP headers, both accessible checks, their acknowledgements and QUIC's own life signs: everything.
        assert!(sent <= 24_000 && received <= 24_000, "{side}");
        assert!(*largest <= 125, "{side}: a packet of {largest} bytes");
        // Two checks each 5 s at the least.
        assert!(sizes.len() >= 2 * 720, "{side}: {} packets", sizes.len());
    }
    device.panel.paint(2);
    operator.see(&device.panel).await;
}

#[tokio::test(start_paused = true)]
async fn fifteen_idle_minutes_warn_both_and_a_sixteenth_ends_it() {
    let world = World::new(line(15));
    let (mut device, mut operator) = world.session().await;
    let start = Instant::now();
    let warned = operator
        .event(|event| match event {
            OperatorEvent::IdleWarning { ends_in } => Some(ends_in),
            _ => None,
        })
        .await;
    assert_eq!(warned, MINUTE);
    let about =
        |at: Duration, expected: Duration| at >= expected - secs(1) && at <= expected + secs(1);
    assert!(about(start.elapsed(), 15 * MINUTE), "{:?}", start.elapsed());
    tokio::time::sleep(secs(30)).await;
    let Status::Active(active) = device.shown.last() else {
        panic!("{:?}", device.shown.last());
    };
    let left = active.idle_ends_in.unwrap();
    assert!(about(left, secs(30)), "the countdown stands at {left:?}");
    assert_eq!(device.ended().await, (Party::Policy, EndReason::Idle));
    assert!(about(start.elapsed(), 16 * MINUTE), "{:?}", start.elapsed());
    assert_eq!(operator.ended().await, (Party::Policy, EndReason::Idle));
    assert!(!device.panel.is_held_awake());
}

#[tokio::test(start_paused = true)]
async fn who_answers_the_warning_goes_on() {
    let world = World::new(line(15));
    let (mut device, mut operator) = world.session().await;
    for by_device in [false, true] {
        operator
            .event(|event| matches!(event, OperatorEvent::IdleWarning { .. }).then_some(()))
            .await;
        if by_device {
            device.handle.touched().await.unwrap();
        } else {
            operator.handle.still_here().await.unwrap();
        }
        operator
            .event(|event| matches!(event, OperatorEvent::IdleOver).then_some(()))
            .await;
    }
    while let Ok(event) = device.events.try_recv() {
        assert!(!matches!(event, DeviceEvent::Ended { .. }), "{event:?}");
    }
}
