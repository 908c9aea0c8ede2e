//! What the operator's hand does over the picture.

use alongside::protocol::{PanelPoint, annotation::StrokePoint, input::PointerPhase, units::Color};
use alongside_agent::api::{event::Role, operator};

use crate::{
    common::chromium::Hand,
    scene::{Scene, browse, in_session, ink, shows, with},
};

#[tokio::test]
async fn the_console_paints_what_changes_and_acknowledges() {
    let scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    in_session(&scene, &tab).await;
    // Each picture waits for the acknowledgement of the one before; a lost one would stop the row.
    for n in 0..20_u32 {
        let color = 0x10_2030 + n;
        scene.board.0.lock().expect("no panic").pixels_mut()[599 * 1024 + 1023] = color;
        scene.page.changed();
        with(&tab, move |tab| tab.until(&shows(1023, 599, color))).await;
    }
    // What changes meanwhile is merged: the page ends at the newest picture.
    for n in 0..200_usize {
        scene.board.0.lock().expect("no panic").pixels_mut()[n * 1024 + n] = 0xff_00ff;
        scene.page.changed();
    }
    with(&tab, |tab| {
        tab.until(&shows(199, 199, 0xff_00ff));
        tab.until(&shows(0, 0, 0xff_00ff));
        assert_eq!(tab.complaints(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_pen_stroke_becomes_commands_in_panel_coordinates() {
    let mut scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    in_session(&scene, &tab).await;
    with(&tab, |tab| {
        tab.click("al-tools [aria-label='Pen']");
        tab.click("al-tools [aria-label='Green']");
        tab.click("al-tools [aria-label='Broad']");
        let place = |n: u32| tab.at("al-panel al-screen", 0.25 + f64::from(n) * 0.05, 0.5);
        tab.pointer(Hand::Pen(0.25), "mousePressed", place(0), true);
        for n in 1..=10 {
            tab.pointer(
                Hand::Pen(0.25 + f64::from(n) * 0.05),
                "mouseMoved",
                place(n),
                true,
            );
        }
        tab.pointer(Hand::Pen(0.75), "mouseReleased", place(10), false);
    })
    .await;
    let mut stroke: Vec<StrokePoint> = Vec::new();
    let mut ids = Vec::new();
    loop {
        let operator::Command::Stroke(part) = scene.next().await else {
            continue;
        };
        assert_eq!(
            (part.color.to_string().as_str(), part.width.pixels()),
            ("#18a058", 12)
        );
        ids.push(part.id);
        stroke.extend(part.points);
        if part.done {
            break;
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "one stroke");
    let near = |point: &StrokePoint, x: f64, pressure: f64| {
        let (at_x, at_y) = point.at.to_decimal();
        assert!(
            (at_x - x).abs() < 1.5 && (at_y - 300.0).abs() < 1.5,
            "({at_x}, {at_y}) is not ({x}, 300)"
        );
        assert!(
            (point.pressure.to_unit() - pressure).abs() < 0.02,
            "{point:?}"
        );
    };
    near(&stroke[0], 256.0, 0.25);
    near(stroke.last().expect("points"), 768.0, 0.75);
    assert!(stroke.is_sorted_by_key(|point| point.at.x), "{stroke:?}");

    // It stands on the console at once, and goes with undo.
    let there = ink(512, 300);
    with(&tab, move |tab| {
        tab.until(&format!("{there} === '24,160,88,255'"));
        tab.click("#undo");
        tab.until(&format!("{there} === '0,0,0,0'"));
    })
    .await;
    assert!(matches!(scene.next().await, operator::Command::Undo));
    with(&tab, |tab| tab.click("#clear")).await;
    assert!(matches!(scene.next().await, operator::Command::Clear));
}

#[tokio::test]
async fn the_pointer_hovers_presses_and_leaves() {
    let mut scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    in_session(&scene, &tab).await;
    with(&tab, |tab| {
        tab.pointer(
            Hand::Mouse,
            "mouseMoved",
            tab.at("al-panel al-screen", 0.75, 0.25),
            false,
        );
    })
    .await;
    let operator::Command::Pointer(hover) = scene.next().await else {
        panic!("a pointer")
    };
    let (x, y) = hover.at().to_decimal();
    assert_eq!(hover.event().phase, PointerPhase::Hover);
    assert!(
        (x - 768.0).abs() < 1.5 && (y - 150.0).abs() < 1.5,
        "({x}, {y})"
    );
    with(&tab, |tab| {
        tab.click("al-panel al-screen");
        tab.pointer(Hand::Mouse, "mouseMoved", tab.middle("#end"), false);
    })
    .await;
    let mut phases = Vec::new();
    while phases.last() != Some(&PointerPhase::Leave) {
        let operator::Command::Pointer(pointer) = scene.next().await else {
            panic!("a pointer")
        };
        phases.push(pointer.event().phase);
    }
    phases.dedup();
    assert_eq!(
        phases,
        [
            PointerPhase::Hover,
            PointerPhase::Down,
            PointerPhase::Up,
            PointerPhase::Leave
        ]
    );
}

#[tokio::test]
async fn everything_on_the_console_can_be_done_with_the_keyboard() {
    let mut scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    in_session(&scene, &tab).await;
    // The panel has the focus when a session begins.
    with(&tab, |tab| {
        tab.press("ArrowRight");
        tab.press("d");
        tab.press("3");
        tab.press(" ");
        tab.press("ArrowDown");
        tab.press(" ");
    })
    .await;
    let operator::Command::Pointer(pointer) = scene.next().await else {
        panic!("a pointer")
    };
    assert_eq!(pointer.at(), PanelPoint::from_pixels(520, 300));
    let mut points = Vec::new();
    loop {
        let operator::Command::Stroke(part) = scene.next().await else {
            panic!("a stroke")
        };
        assert_eq!(part.color, Color::rgb(0x18, 0xa0, 0x58));
        points.extend(part.points.iter().map(|point| point.at));
        if part.done {
            break;
        }
    }
    assert_eq!(
        points,
        [
            PanelPoint::from_pixels(520, 300),
            PanelPoint::from_pixels(520, 308)
        ]
    );
    // Tab reaches every control and comes round: no trap.
    let reached = with(&tab, |tab| {
        let mut reached = Vec::new();
        for _ in 0..30 {
            tab.press("Tab");
            let name = tab.eval(
                "(document.activeElement.ariaLabel ?? document.activeElement.textContent).trim() || document.activeElement.tagName",
            );
            reached.push(name.as_str().unwrap_or_default().to_owned());
        }
        reached
    })
    .await;
    for name in [
        "Guide on",
        "Control ask first, with ID",
        "Engineer ask first, with ID",
        "End session",
        "Pen",
        "Green",
        "Medium",
        "Undo",
        "Clear all",
        "Customer's panel, live",
        "Fit",
        "1:1",
        "Keys",
        "Session",
    ] {
        assert!(
            reached.iter().any(|reached| reached == name),
            "{name} is not among {reached:?}"
        );
    }
}
