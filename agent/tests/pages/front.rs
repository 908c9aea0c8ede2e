//! The front panel of the device in a real browser.

use std::sync::Arc;

use alongside::protocol::{
    PanelPoint, PublicKey, SessionId,
    annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
    input::KeyMotion,
    label::Label,
    reason::{EndReason, Party},
    units::{Color, PanelRect, Pressure},
};
use alongside_agent::api::{Event, device, event, event::Role};
use serde_json::json;

use crate::{
    common::chromium::Hand,
    scene::{Scene, browse, ink, shows, with},
};

#[tokio::test]
async fn the_front_panel_is_touched_pressed_and_held() {
    let mut scene = Scene::<device::Command>::start(Role::Device).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    with(&tab, |tab| {
        tab.until(&shows(4, 4, 0x22_3a5e));
        let at = tab.at("al-screen", 0.5, 0.25);
        tab.pointer(Hand::Mouse, "mousePressed", at, true);
        tab.pointer(Hand::Mouse, "mouseReleased", at, false);
    })
    .await;
    for want in [device::TouchPhase::Down, device::TouchPhase::Up] {
        let device::Command::Touch(touch) = scene.next().await else {
            panic!("a touch")
        };
        assert_eq!(touch.phase, want);
        let (x, y) = touch.at().to_decimal();
        assert!(
            (x - 512.0).abs() < 1.5 && (y - 150.0).abs() < 1.5,
            "({x}, {y})"
        );
    }
    with(&tab, |tab| {
        let at = tab.middle("[data-key='#']");
        tab.pointer(Hand::Mouse, "mousePressed", at, true);
    })
    .await;
    key(&mut scene, "#", KeyMotion::Down).await;
    with(&tab, |tab| {
        tab.shot("device-hold.png");
        // A hand that slides off the key lets go of it where it lifts.
        let away = tab.middle("al-screen");
        tab.pointer(Hand::Mouse, "mouseMoved", away, true);
        tab.pointer(Hand::Mouse, "mouseReleased", away, false);
    })
    .await;
    key(&mut scene, "#", KeyMotion::Up).await;
    // The same with the keyboard: its own digits, and a key that has the focus.
    with(&tab, |tab| tab.press("7")).await;
    key(&mut scene, "7", KeyMotion::Down).await;
    key(&mut scene, "7", KeyMotion::Up).await;
    with(&tab, |tab| {
        tab.eval("document.querySelector('[data-key=Start]').focus()");
        tab.key("keyDown", "Enter");
        // The window loses the focus: nobody holds the key any more.
        tab.eval("dispatchEvent(new Event('blur'))");
    })
    .await;
    key(&mut scene, "Start", KeyMotion::Down).await;
    key(&mut scene, "Start", KeyMotion::Up).await;
    with(&tab, |tab| {
        tab.eval("document.querySelector('al-screen').focus()");
        tab.press("ArrowRight");
        tab.press("Enter");
    })
    .await;
    let device::Command::Touch(touch) = scene.next().await else {
        panic!("a touch")
    };
    assert_eq!(
        (touch.phase, touch.at()),
        (device::TouchPhase::Tap, PanelPoint::from_pixels(520, 300))
    );
    with(&tab, |tab| {
        let names: Vec<_> = tab
            .accessible()
            .into_iter()
            .filter(|(role, _)| role == "button")
            .map(|(_, name)| name)
            .collect();
        let want = [
            "1",
            "2",
            "3",
            "4",
            "5",
            "6",
            "7",
            "8",
            "9",
            "star",
            "0",
            "number sign",
            "Reset",
            "Clear",
            "Stop",
            "Start",
        ];
        assert_eq!(names, want);
        assert_eq!(tab.complaints(), Vec::<String>::new());
    })
    .await;
}

async fn key(scene: &mut Scene<device::Command>, name: &str, motion: KeyMotion) {
    let device::Command::Key(key) = scene.next().await else {
        panic!("a key")
    };
    let event = key.event();
    assert_eq!((event.key.as_str(), event.motion), (name, motion));
}

#[tokio::test]
async fn ink_lies_on_the_front_panel_where_it_was_drawn_and_goes_with_the_session() {
    let scene = Scene::<device::Command>::start(Role::Device).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    let operator = event::OperatorCard {
        name: Some(Label::new("Ada").expect("a name")),
        organisation: None,
        confirmed: false,
        confirmed_by: None,
        key: PublicKey([7; 32]),
    };
    scene
        .events
        .send(Event::Connected(event::Connected::Device {
            session: SessionId([1; 16]),
            operator,
        }));
    let points = (0..=60)
        .map(|n| {
            let turn = f64::from(n) / 60.0 * 6.6 - 0.4;
            let at =
                PanelPoint::from_decimal(888.0 + 128.0 * turn.sin(), 459.0 - 120.0 * turn.cos())
                    .expect("a point");
            let pressure = Pressure::from_unit(0.3 + f64::from(n) / 100.0).expect("a pressure");
            StrokePoint { at, pressure }
        })
        .collect();
    let stroke = Stroke {
        id: StrokeId(1),
        color: Color::rgb(0xe5, 0x34, 0x2b),
        width: StrokeWidth::new(8).expect("a width"),
        points,
        done: true,
    };
    let dot = Stroke {
        id: StrokeId(2),
        points: vec![StrokePoint {
            at: PanelPoint::from_pixels(300, 200),
            pressure: Pressure::FULL,
        }],
        ..stroke.clone()
    };
    let pointer = Annotation::Pointer {
        at: PanelPoint::from_pixels(140, 176),
        color: Color::rgb(0x14, 0x73, 0xe6),
    };
    for annotation in [Annotation::Stroke(stroke), Annotation::Stroke(dot), pointer] {
        scene.events.send(Event::Annotation((&annotation).into()));
    }
    let (there, left, above) = (ink(300, 200), ink(292, 200), ink(300, 192));
    let (board, changes) = (Arc::clone(&scene.board), scene.page.changes());
    with(&tab, move |tab| {
        tab.until(&shows(4, 4, 0x22_3a5e));
        tab.until(&format!("{there} === '229,52,43,255'"));
        tab.until(&format!("{left} === '0,0,0,0' && {above} === '0,0,0,0'"));
        // The panel's own, such as a question, is drawn over by nobody, and the ink is there again after it.
        let covered = PanelRect {
            x: 250,
            y: 150,
            width: 100,
            height: 100,
        };
        *board.1.lock().expect("no panic") = vec![covered];
        changes.notify();
        tab.until(&format!("{there} === '0,0,0,0'"));
        board.1.lock().expect("no panic").clear();
        changes.notify();
        tab.until(&format!("{there} === '229,52,43,255'"));
        tab.prefer("light");
        tab.shot("device-light.png");
        tab.prefer("dark");
        tab.shot("device-dark.png");
        tab.resize(800, 1000);
        tab.until("document.querySelector('al-screen').getBoundingClientRect().width < 760");
        tab.shot("device-small.png");
        tab.resize(1440, 860);
        // Both canvases lie on each other to the pixel.
        let same = "(() => { const [a, b] = [...document.querySelectorAll('al-screen canvas')].map(c => c.getBoundingClientRect()); \
            return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height; })()";
        assert_eq!(tab.eval(same), json!(true));
    })
    .await;
    scene.events.send(Event::Ended {
        by: Party::Operator,
        reason: EndReason::OperatorEnded,
    });
    let there = ink(300, 200);
    with(&tab, move |tab| {
        tab.until(&format!("{there} === '0,0,0,0'"));
        assert_eq!(tab.complaints(), Vec::<String>::new());
    })
    .await;
}
