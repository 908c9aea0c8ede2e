//! What people do in each mode.

use std::{pin::Pin, time::Duration};

use alongside::{
    TypedText,
    operator::{OperatorError, SettingsAsk},
    protocol::{
        PanelPoint,
        annotation::{Annotation, MAX_POINTS, Stroke, StrokeId, StrokePoint, StrokeWidth},
        ids::ModeId,
        input::{Buttons, KeyEvent, KeyMotion, KeyName, PointerEvent, PointerPhase},
        setting::{SettingChange, SettingPath, SettingValue},
        units::{Color, Pressure},
    },
};
use alongside_agent::panel::mfd::{Choice, MfdPanel, Place, Step, Target};

use super::world::Stage;

type Work<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A mode and what is done in it.
pub(crate) struct Mode {
    /// In a person's words.
    pub(crate) name: &'static str,
    pub(crate) id: &'static str,
    /// What goes from the operator to the device.
    pub(crate) data: &'static str,
    /// A person is helped, without an end.
    pub(crate) help: for<'a> fn(&'a Stage, &'a MfdPanel) -> Work<'a>,
    /// As much as the operator's side lets through, without an end.
    pub(crate) stress: for<'a> fn(&'a Stage) -> Work<'a>,
}

/// Every mode that ships.
pub(crate) const ALL: &[Mode] = &[
    Mode {
        name: "user guide",
        id: ModeId::USER_GUIDE,
        data: "pointer and pen data",
        help: |stage, panel| Box::pin(guide(stage, panel)),
        stress: |stage| Box::pin(scribble(stage)),
    },
    Mode {
        name: "operator control",
        id: ModeId::OPERATOR_CONTROL,
        data: "UI operation data",
        help: |stage, panel| Box::pin(control(stage, panel)),
        stress: |stage| Box::pin(type_on(stage)),
    },
    Mode {
        name: "engineer config",
        id: ModeId::ENGINEER_CONFIG,
        data: "settings data",
        help: |stage, panel| Box::pin(config(stage, panel)),
        stress: |stage| Box::pin(read_on(stage)),
    },
];

/// A mouse tells where it is this often: once for each picture of a browser.
const FRAME: Duration = Duration::from_micros(16_667);
/// A customer does one thing in so long.
const THINKS: Duration = Duration::from_secs(4);

/// A way through the panel's screens.
const WALK: [Target; 12] = [
    Target::Go(Place::Copy),
    Target::Step(Step::CopiesUp),
    Target::Choose(Choice::TwoSided),
    Target::Start,
    Target::Go(Place::Home),
    Target::Go(Place::Scan),
    Target::Go(Place::Address),
    Target::Letter('A'),
    Target::Shift,
    Target::Go(Place::Home),
    Target::Go(Place::Settings),
    Target::Go(Place::Home),
];

/// The customer's finger on something, if it is there.
fn touch(panel: &MfdPanel, target: Target) {
    if let Some(at) = panel.find(target) {
        panel.touch(at, PointerPhase::Down);
        panel.touch(at, PointerPhase::Up);
    }
}

/// The customer opens another screen.
pub(crate) fn go_on(panel: &MfdPanel) {
    touch(panel, Target::Go(Place::Copy));
}

/// The operator points for a while, circles something with the pen, and waits; the customer does what was shown.
async fn guide(stage: &Stage, panel: &MfdPanel) {
    let customer = async {
        for target in WALK.iter().cycle() {
            tokio::time::sleep(THINKS).await;
            touch(panel, *target);
        }
    };
    let operator = async {
        for id in 1.. {
            for n in 0..240 {
                let at = on_circle(n, 240);
                stage.operator.pointer(hover(at)).await.unwrap();
                tokio::time::sleep(FRAME).await;
            }
            for n in 0..120 {
                // A pen tells more often than pictures are shown.
                let points = [on_circle(2 * n, 240), on_circle(2 * n + 1, 240)];
                let part = stroke(id, &points, n == 119);
                stage.operator.draw(part).await.unwrap();
                tokio::time::sleep(FRAME).await;
            }
            tokio::time::sleep(THINKS).await;
            stage.operator.draw(Annotation::Clear).await.unwrap();
        }
    };
    tokio::join!(customer, operator);
}

/// The operator moves to a control, presses it, types a little, and looks; the customer watches.
async fn control(stage: &Stage, panel: &MfdPanel) {
    let mut from = PanelPoint::from_pixels(512, 300);
    for target in WALK.iter().cycle() {
        if let Some(to) = panel.find(*target) {
            for n in 1..=60 {
                let at = between(from, to, n, 60);
                stage.operator.pointer(hover(at)).await.unwrap();
                tokio::time::sleep(FRAME).await;
            }
            for (phase, buttons) in [
                (PointerPhase::Down, Buttons::LEFT),
                (PointerPhase::Up, Buttons::NONE),
            ] {
                let event = PointerEvent {
                    phase,
                    buttons,
                    ..hover(to)
                };
                stage.operator.pointer(event).await.unwrap();
                tokio::time::sleep(4 * FRAME).await;
            }
            from = to;
        }
        for digit in ["2", "0"] {
            press(stage, digit).await.unwrap();
            tokio::time::sleep(THINKS / 16).await;
        }
        if *target == Target::Shift {
            let text = TypedText::new("front.desk@example.com").unwrap();
            stage.operator.text(text).await.unwrap();
        }
        tokio::time::sleep(THINKS / 2).await;
    }
}

/// The operator looks at all settings, then at one group after the other and changes something there; the customer reads
/// the difference and allows it, and looks at the screens meanwhile.
async fn config(stage: &Stage, panel: &MfdPanel) {
    let customer = async {
        for target in WALK.iter().cycle() {
            tokio::time::sleep(THINKS).await;
            // Where nothing is asked there is nothing to allow.
            let _ = stage.device.allow(None).await;
            touch(panel, *target);
        }
    };
    let operator = async {
        for ask in [SettingsAsk::Schema, SettingsAsk::Get { group: None }] {
            stage.operator.settings(&ask).await.unwrap();
            tokio::time::sleep(THINKS).await;
        }
        for n in 0.. {
            for group in ["timers", "copy", "scan", "trays"] {
                let group = SettingPath::new(group).ok();
                let ask = SettingsAsk::Get { group };
                stage.operator.settings(&ask).await.unwrap();
                tokio::time::sleep(THINKS).await;
            }
            let changes = vec![sleep_after(30 + n % 60), resolution(n)];
            let if_version = None;
            let ask = SettingsAsk::Apply {
                if_version,
                changes,
            };
            stage.operator.settings(&ask).await.unwrap();
            tokio::time::sleep(THINKS).await;
        }
    };
    tokio::join!(customer, operator);
}

/// Everything there is, read and proposed again and again.
async fn read_on(stage: &Stage) {
    for n in 0.. {
        for ask in [
            SettingsAsk::Schema,
            SettingsAsk::Get { group: None },
            SettingsAsk::Apply {
                if_version: None,
                changes: vec![sleep_after(1 + n % 60)],
            },
        ] {
            crowd(stage.operator.settings(&ask).await).await;
        }
    }
}

fn sleep_after(minutes: i64) -> SettingChange {
    set("timers.sleep", SettingValue::Integer(minutes))
}

fn resolution(n: i64) -> SettingChange {
    set(
        "scan.resolution",
        SettingValue::Integer(if n % 2 == 0 { 600 } else { 300 }),
    )
}

fn set(path: &str, value: SettingValue) -> SettingChange {
    SettingChange {
        path: SettingPath::new(path).unwrap(),
        value: Some(value),
    }
}

/// The longest strokes there are, one after the other.
async fn scribble(stage: &Stage) {
    let points: Vec<_> = (0..MAX_POINTS).map(|n| on_circle(n * 7, 240)).collect();
    for id in 1.. {
        crowd(stage.operator.draw(stroke(id, &points, true)).await).await;
        crowd(stage.operator.pointer(hover(points[0])).await).await;
    }
}

/// The longest texts there are, keys and the pointer, one after the other.
async fn type_on(stage: &Stage) {
    let text = TypedText::new(&"x".repeat(256)).unwrap();
    for n in 0.. {
        crowd(stage.operator.pointer(hover(on_circle(n, 240))).await).await;
        crowd(stage.operator.text(text.clone()).await).await;
        crowd(press(stage, "5").await).await;
    }
}

/// Goes on at once, or a moment later when the operator's side is full.
async fn crowd(done: Result<(), OperatorError>) {
    match done {
        Ok(()) => tokio::task::yield_now().await,
        Err(OperatorError::Congested) => tokio::time::sleep(FRAME).await,
        Err(error) => panic!("{error}"),
    }
    // A hand that does a thousand things in a second.
    tokio::time::sleep(Duration::from_millis(1)).await;
}

async fn press(stage: &Stage, key: &str) -> Result<(), OperatorError> {
    for motion in [KeyMotion::Down, KeyMotion::Up] {
        let key = KeyName::new(key).unwrap();
        stage.operator.key(KeyEvent { key, motion }).await?;
    }
    Ok(())
}

fn hover(at: PanelPoint) -> PointerEvent {
    PointerEvent {
        at,
        phase: PointerPhase::Hover,
        buttons: Buttons::NONE,
        pressure: Pressure::FULL,
    }
}

fn stroke(id: u32, points: &[PanelPoint], done: bool) -> Annotation {
    let point = |at: &PanelPoint| StrokePoint {
        at: *at,
        pressure: Pressure::FULL,
    };
    Annotation::Stroke(Stroke {
        id: StrokeId(id),
        color: Color::rgb(0xe5, 0x34, 0x2b),
        width: StrokeWidth::new(6).unwrap(),
        points: points.iter().map(point).collect(),
        done,
    })
}

/// Step `n` of `steps` round a tile, on a panel of at least 320 by 240 pixels.
fn on_circle(n: usize, steps: usize) -> PanelPoint {
    let turn = n as f64 / steps as f64 * std::f64::consts::TAU;
    let to = |middle: f64, size: f64| (16.0 * (middle + size * turn.sin())) as i32;
    PanelPoint {
        x: to(160.0, 120.0),
        y: (16.0 * (120.0 - 90.0 * turn.cos())) as i32,
    }
}

fn between(from: PanelPoint, to: PanelPoint, n: i32, steps: i32) -> PanelPoint {
    let on = |from: i32, to: i32| from + (to - from) * n / steps;
    PanelPoint {
        x: on(from.x, to.x),
        y: on(from.y, to.y),
    }
}
