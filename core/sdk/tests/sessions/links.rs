//! Lines good and bad.

use std::time::Duration;

use alongside::{
    DeviceEvent, PathKind, device,
    protocol::{
        annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
        units::{Color, PanelPoint, Pressure},
    },
    transport::{
        Paths,
        sim::{Nat, Quality, Reach},
    },
};
use tokio::time::Instant;

use crate::{
    panel::TestPanel,
    world::{DeviceSide, OperatorSide, World, line, narrow, secs},
};

fn stroke(id: u32) -> Annotation {
    let point = |n: u16| StrokePoint {
        at: PanelPoint::from_pixels(n * 5, 20),
        pressure: Pressure::FULL,
    };
    Annotation::Stroke(Stroke {
        id: StrokeId(id),
        color: Color::rgb(255, 0, 0),
        width: StrokeWidth::new(4).unwrap(),
        points: (0..20).map(point).collect(),
        done: true,
    })
}

/// Draws, and waits until it stands on the panel.
async fn draw(device: &mut DeviceSide, operator: &OperatorSide, id: u32) -> Duration {
    let start = Instant::now();
    operator.handle.draw(stroke(id)).await.unwrap();
    device
        .event(|event| match event {
            DeviceEvent::Annotation(Annotation::Stroke(stroke)) if stroke.done => {
                assert_eq!(stroke.id, StrokeId(id));
                Some(())
            }
            _ => None,
        })
        .await;
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn at_60_ms_the_code_leads_to_the_picture_and_back_to_a_stroke() {
    let world = World::new(line(15));
    let (mut device, mut operator) = (world.device(), world.operator());
    let code = operator.code().await;
    let start = Instant::now();
    device.enter(&code).await.unwrap();
    device.connected().await;
    let path = device
        .event(|event| match event {
            DeviceEvent::Path(path) => Some(path),
            _ => None,
        })
        .await;
    assert_eq!(path.kind, PathKind::RelayQuic);
    operator.see(&device.panel).await;
    let took = start.elapsed();
    assert!(took < Duration::from_millis(900), "{took:?}");
    assert!(device.panel.is_held_awake());

    let took = draw(&mut device, &operator, 1).await;
    assert!(took < Duration::from_millis(60), "{took:?}");
    device.panel.paint(2);
    let took = operator.see(&device.panel).await;
    assert!(took < Duration::from_millis(400), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn at_5_percent_loss_everything_arrives() {
    let world = World::new(Quality {
        loss_permille: 25, // on each of the two links
        ..line(15)
    });
    let (mut device, mut operator) = world.session().await;
    for n in 2..12 {
        device.panel.paint(n);
        let took = operator.see(&device.panel).await;
        assert!(took < secs(5), "picture {n}: {took:?}");
        let took = draw(&mut device, &operator, n).await;
        assert!(took < secs(3), "stroke {n}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn at_380_kbps_a_whole_screen_is_exact_in_seconds() {
    let world = World::new(narrow(15, 380));
    let panel = TestPanel::new(1024, 600);
    let mut device = world.device_with(panel, device::Until::Stopped);
    let mut operator = world.operator();
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
    let took = operator.see(&device.panel).await;
    assert!(took < secs(3), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn at_20_kbps_the_picture_becomes_exact_and_the_link_stays_up() {
    let world = World::new(narrow(100, 20));
    let (mut device, mut operator) = world.session().await;
    let took = operator.see(&device.panel).await;
    assert!(took < secs(30), "{took:?}");
    device.panel.paint(2);
    let took = operator.see(&device.panel).await;
    assert!(took < secs(30), "{took:?}");
    let took = draw(&mut device, &operator, 1).await;
    assert!(took < secs(2), "{took:?}");
    while let Ok(event) = device.events.try_recv() {
        assert!(!matches!(event, DeviceEvent::Link(_)), "{event:?}");
    }
}

/// Neither side has UDP; the device's stream goes through a proxy, if it says so.
async fn narrow_stream(ms: u64, is_proxied: bool) {
    let quality = narrow(ms, 20);
    let mut world = World::seeded(5, [quality; 2], [Nat::Cone, Nat::Symmetric]);
    world.paths = Paths::default();
    world.operator_host.set_udp(Reach::Blocked);
    let way = if is_proxied {
        world.start_proxy();
        world.set_reach(&world.device_host, Reach::Blocked);
        PathKind::RelayProxy
    } else {
        world.device_host.set_udp(Reach::Blocked);
        PathKind::RelayTls
    };
    let start = Instant::now();
    let (mut device, mut operator) = world.session().await;
    let took = start.elapsed();
    assert!(took < secs(30), "{way}: {took:?}");
    let taken = device
        .event(|event| match event {
            DeviceEvent::Path(path) => Some(path.kind),
            _ => None,
        })
        .await;
    assert_eq!(taken, way);
    let took = operator.see(&device.panel).await;
    assert!(took < secs(10), "{way}: {took:?}");
    device.panel.paint(2);
    let took = operator.see(&device.panel).await;
    assert!(took < secs(30), "{way}: {took:?}");
    let took = draw(&mut device, &operator, 1).await;
    assert!(took < secs(2), "{way}: {took:?}");
    while let Ok(event) = device.events.try_recv() {
        assert!(!matches!(event, DeviceEvent::Link(_)), "{way}: {event:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn at_20_kbps_a_session_comes_about_over_streams_on_both_sides_and_through_a_proxy() {
    for ms in [15, 100] {
        for is_proxied in [false, true] {
            narrow_stream(ms, is_proxied).await;
        }
    }
}
