//! Both halves of operator control, over a perfect wire.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use alongside_mode::protocol::{
    PanelPoint,
    annotation::Annotation,
    fuzzing::mutations,
    input::{Buttons, KeyEvent, KeyMotion, KeyName, PointerEvent, PointerPhase},
    units::Pressure,
};
use alongside_mode::{Capabilities, Effect, Side, TypedText, harness::Pair, host::Vetted};
use alongside_operator_control::{
    HAND, Input, MODULE, OperatorControl, POINTER_REST, RIPPLE, TOO_OLD, ToDevice,
};
use serde_json::json;

const ALL: Capabilities = Capabilities::VIEW
    .with(Capabilities::ANNOTATE)
    .with(Capabilities::INPUT);

fn allowed() -> Pair<OperatorControl> {
    Pair::started(ALL)
}

fn pointer(x: u16, phase: PointerPhase) -> PointerEvent {
    let buttons = match phase {
        PointerPhase::Down | PointerPhase::Move => Buttons::LEFT,
        PointerPhase::Hover | PointerPhase::Up | PointerPhase::Leave => Buttons::NONE,
    };
    PointerEvent {
        at: PanelPoint::from_pixels(x, 20),
        phase,
        buttons,
        pressure: Pressure::FULL,
    }
}

fn key(name: &str, motion: KeyMotion) -> KeyEvent {
    KeyEvent {
        key: KeyName::new(name).unwrap(),
        motion,
    }
}

/// What a half of another program sends, with a stamp of its own.
fn forge(pair: &mut Pair<OperatorControl>, sent: Duration, input: Input) {
    let message = ToDevice {
        sent: u64::try_from(sent.as_micros()).unwrap(),
        input: Some(input),
    };
    let bytes = postcard::to_allocvec(&message).unwrap();
    pair.forge(Side::Device, &bytes);
}

#[test]
fn a_touch_a_key_and_text_are_done_in_order() {
    let mut pair = allowed();
    pair.point(pointer(5, PointerPhase::Down));
    pair.point(pointer(6, PointerPhase::Move));
    pair.point(pointer(6, PointerPhase::Up));
    pair.press(key("Start", KeyMotion::Down));
    pair.press(key("Start", KeyMotion::Up));
    pair.type_text(TypedText::new("Meyer").unwrap());
    assert_eq!(
        pair.inputs(),
        [
            Effect::Pointer(pointer(5, PointerPhase::Down)),
            Effect::Pointer(pointer(6, PointerPhase::Move)),
            Effect::Pointer(pointer(6, PointerPhase::Up)),
            Effect::Key(key("Start", KeyMotion::Down)),
            Effect::Key(key("Start", KeyMotion::Up)),
            Effect::Text(TypedText::new("Meyer").unwrap()),
        ]
    );
}

#[test]
fn the_customer_sees_the_hand_the_press_and_the_keys_name() {
    let mut pair = allowed();
    pair.point(pointer(5, PointerPhase::Down));
    pair.point(pointer(5, PointerPhase::Up));
    let drawn = pair.take_annotations();
    let hand = Annotation::Pointer {
        at: PanelPoint::from_pixels(5, 20),
        color: HAND,
    };
    assert_eq!(drawn.iter().filter(|drawn| **drawn == hand).count(), 2);
    let Some(Annotation::Stroke(mark)) = drawn.get(1) else {
        panic!("{drawn:?}")
    };
    assert_eq!(mark.points[0].at, PanelPoint::from_pixels(5, 20));
    pair.wait(RIPPLE);
    assert_eq!(pair.take_annotations(), [Annotation::Undo(Some(mark.id))]);
    pair.wait(POINTER_REST);
    assert_eq!(pair.take_annotations(), [Annotation::PointerGone]);
    pair.press(key("Start", KeyMotion::Down));
    assert_eq!(pair.notices()[0].as_str(), "Start");
}

#[test]
fn nothing_is_done_without_the_capability_and_the_operator_hears_it_once() {
    let mut pair = Pair::<OperatorControl>::started(Capabilities::VIEW);
    for x in 0..9 {
        pair.point(pointer(x, PointerPhase::Down));
        pair.press(key("5", KeyMotion::Down));
    }
    assert_eq!(pair.inputs(), []);
    assert_eq!(pair.console(), [json!({ "input": "refused" })]);
}

#[test]
fn input_that_took_too_long_is_dropped_and_never_done_later() {
    let mut pair = allowed();
    pair.wait(Duration::from_secs(60));
    let old = pair.now() - TOO_OLD - Duration::from_millis(20);
    forge(&mut pair, old, Input::Key(key("Start", KeyMotion::Down)));
    forge(
        &mut pair,
        old,
        Input::Pointer(pointer(5, PointerPhase::Down)),
    );
    assert_eq!(pair.inputs(), []);
    assert_eq!(pair.take_console(), [json!({ "input": "late" })]);
    let now = pair.now();
    forge(&mut pair, now, Input::Key(key("Stop", KeyMotion::Down)));
    assert_eq!(pair.inputs(), [Effect::Key(key("Stop", KeyMotion::Down))]);
}

#[test]
fn a_release_that_took_too_long_still_lets_go_and_does_not_count_as_a_tap() {
    let mut pair = allowed();
    pair.point(pointer(5, PointerPhase::Down));
    pair.press(key("5", KeyMotion::Down));
    pair.wait(Duration::from_secs(60));
    let old = pair.now() - TOO_OLD - Duration::from_millis(20);
    forge(&mut pair, old, Input::Pointer(pointer(5, PointerPhase::Up)));
    forge(&mut pair, old, Input::Key(key("5", KeyMotion::Up)));
    assert_eq!(
        pair.inputs()[2..],
        [
            Effect::Pointer(pointer(5, PointerPhase::Leave)),
            Effect::Key(key("5", KeyMotion::Up)),
        ]
    );
}

#[test]
fn a_drag_that_leaves_the_panel_stays_at_its_edge_and_a_press_outside_is_none() {
    let mut pair = allowed();
    pair.point(pointer(2_000, PointerPhase::Down));
    assert_eq!(pair.inputs(), []);
    pair.point(pointer(5, PointerPhase::Down));
    pair.point(pointer(2_000, PointerPhase::Move));
    let Some(Effect::Pointer(moved)) = pair.inputs().last() else {
        panic!()
    };
    assert!(pair.panel().contains(moved.at));
}

#[test]
fn the_manifest_and_the_table_agree() {
    let vetted = Vetted::check(&MODULE).unwrap();
    assert_eq!(vetted.manifest().capabilities, ALL);
    assert_eq!(
        vetted.manifest().consent,
        alongside_mode::manifest::Consent::Ask
    );
}

#[test]
fn whatever_a_hostile_operator_sends_the_half_lives_on() {
    let stamped = |input| {
        let sent = 1_000_000;
        postcard::to_allocvec(&ToDevice { sent, input }).unwrap()
    };
    let seeds = [
        stamped(None),
        stamped(Some(Input::Pointer(pointer(5, PointerPhase::Down)))),
        stamped(Some(Input::Key(key("#", KeyMotion::Down)))),
        stamped(Some(Input::Text(TypedText::new("0000").unwrap()))),
    ];
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    let mut pair = allowed();
    mutations(&seeds, 10_000, |bytes| pair.forge(Side::Device, bytes));
    // Only bytes that are no message make a half give up; this one must not.
    pair.wait(Duration::from_secs(10));
    let now = pair.now();
    let before = pair.inputs().len();
    forge(&mut pair, now, Input::Text(TypedText::new("x").unwrap()));
    assert!(pair.inputs().len() >= before);
}
