//! Both halves of the user guide, over a perfect wire.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use alongside_mode::protocol::{
    PanelPoint,
    annotation::{Annotation, MAX_POINTS, Stroke, StrokeId, StrokePoint, StrokeWidth},
    fuzzing::mutations,
    input::{Buttons, PointerEvent, PointerPhase},
    units::{Color, Pressure},
};
use alongside_mode::{Capabilities, Line, Side, StopReason, harness::Pair, host::Vetted};
use alongside_user_guide::{MODULE, POINTER_COLOR, POINTER_REST, ToDevice, UserGuide};
use serde_json::json;

const BLUE: Color = Color::rgb(0x0a, 0x50, 0xff);

fn allowed() -> Pair<UserGuide> {
    Pair::started(Capabilities::VIEW | Capabilities::ANNOTATE)
}

fn pointer(x: u16, y: u16, phase: PointerPhase) -> PointerEvent {
    PointerEvent {
        at: PanelPoint::from_pixels(x, y),
        phase,
        buttons: Buttons::NONE,
        pressure: Pressure::FULL,
    }
}

fn hover(x: u16, y: u16) -> PointerEvent {
    pointer(x, y, PointerPhase::Hover)
}

fn shown_at(x: u16, y: u16) -> Annotation {
    Annotation::Pointer {
        at: PanelPoint::from_pixels(x, y),
        color: POINTER_COLOR,
    }
}

fn stroke(id: u32, points: &[(u16, u16, u16)], done: bool) -> Stroke {
    let points = points.iter().map(|(x, y, pressure)| StrokePoint {
        at: PanelPoint::from_pixels(*x, *y),
        pressure: Pressure::new(*pressure).unwrap(),
    });
    Stroke {
        id: StrokeId(id),
        color: BLUE,
        width: StrokeWidth::new(4).unwrap(),
        points: points.collect(),
        done,
    }
}

fn draw(pair: &mut Pair<UserGuide>, stroke: Stroke) {
    pair.draw(Annotation::Stroke(stroke));
}

#[test]
fn a_stroke_of_the_operators_stands_on_the_panel_with_its_pressure_and_colour() {
    let mut pair = allowed();
    let drawn = stroke(1, &[(10, 20, 100), (11, 22, 900)], false);
    draw(&mut pair, drawn.clone());
    assert_eq!(pair.annotations(), [Annotation::Stroke(drawn)]);
}

#[test]
fn the_console_hears_what_the_device_shows() {
    let mut pair = allowed();
    draw(&mut pair, stroke(1, &[(1, 1, 9), (2, 2, 9)], false));
    draw(&mut pair, stroke(1, &[(3, 3, 9)], true));
    pair.draw(Annotation::Undo(None));
    assert_eq!(
        pair.take_console(),
        [
            json!({ "shown": { "stroke": { "id": 1, "points": 2, "done": false } } }),
            json!({ "shown": { "stroke": { "id": 1, "points": 3, "done": true } } }),
            json!({ "shown": { "gone": { "id": 1 } } }),
        ],
    );
    draw(&mut pair, stroke(2, &[(1, 1, 9)], true));
    pair.take_console();
    pair.draw(Annotation::Clear);
    assert_eq!(pair.console(), [json!({ "shown": "cleared" })]);
}

#[test]
fn undo_takes_the_whole_of_one_stroke_back() {
    let mut pair = allowed();
    for part in 0..3 {
        draw(&mut pair, stroke(1, &[(part, 1, 9)], part == 2));
    }
    draw(&mut pair, stroke(2, &[(7, 7, 9)], true));
    pair.take_annotations();
    pair.draw(Annotation::Undo(Some(StrokeId(1))));
    pair.draw(Annotation::Undo(None));
    pair.draw(Annotation::Undo(None));
    assert_eq!(
        pair.annotations(),
        [
            Annotation::Undo(Some(StrokeId(1))),
            Annotation::Undo(Some(StrokeId(2)))
        ],
    );
}

#[test]
fn a_stroke_taken_back_while_it_is_drawn_does_not_come_again() {
    let mut pair = allowed();
    draw(&mut pair, stroke(1, &[(1, 1, 9)], false));
    pair.draw(Annotation::Undo(None));
    pair.take_annotations();
    draw(&mut pair, stroke(1, &[(2, 2, 9)], false));
    draw(&mut pair, stroke(1, &[(3, 3, 9)], true));
    assert_eq!(pair.annotations(), []);
}

#[test]
fn a_console_that_starts_over_draws_new_strokes_and_undoes_its_own() {
    let mut pair = allowed();
    draw(&mut pair, stroke(1, &[(1, 1, 9)], true));
    // The page is loaded again and counts from 1.
    draw(&mut pair, stroke(1, &[(5, 5, 9)], true));
    assert_eq!(
        pair.take_annotations()[1],
        Annotation::Stroke(stroke(2, &[(5, 5, 9)], true))
    );
    assert_eq!(
        pair.take_console()[1],
        json!({ "shown": { "stroke": { "id": 1, "points": 1, "done": true } } })
    );
    pair.draw(Annotation::Undo(Some(StrokeId(1))));
    assert_eq!(pair.annotations(), [Annotation::Undo(Some(StrokeId(2)))]);
}

#[test]
fn a_stroke_has_the_number_that_the_console_gave_it_as_long_as_those_count_up() {
    let mut pair = allowed();
    let drawn = |pair: &mut Pair<UserGuide>, id| {
        draw(pair, stroke(id, &[(1, 1, 9)], true));
        match pair.take_annotations().as_slice() {
            [Annotation::Stroke(stroke)] => stroke.id.0,
            other => panic!("{other:?}"),
        }
    };
    for (given, shown) in [(7, 7), (5, 8), (9, 9), (u32::MAX, 10), (11, 11)] {
        assert_eq!(drawn(&mut pair, given), shown, "{given}");
    }
    pair.draw(Annotation::Undo(Some(StrokeId(5))));
    assert_eq!(pair.annotations(), [Annotation::Undo(Some(StrokeId(8)))]);
}

#[test]
fn the_pointer_shows_where_the_operators_is_and_goes_when_it_leaves() {
    let mut pair = allowed();
    pair.point(hover(10, 20));
    pair.point(pointer(11, 20, PointerPhase::Down));
    pair.point(pointer(0, 0, PointerPhase::Leave));
    pair.point(pointer(0, 0, PointerPhase::Leave));
    assert_eq!(
        pair.annotations(),
        [shown_at(10, 20), shown_at(11, 20), Annotation::PointerGone]
    );
    assert_eq!(
        pair.console(),
        [
            json!({ "shown": { "pointer": true } }),
            json!({ "shown": { "pointer": false } })
        ]
    );
}

#[test]
fn a_pointer_that_rests_goes_after_3_seconds_and_not_before() {
    let mut pair = allowed();
    pair.point(hover(10, 20));
    pair.wait(Duration::from_secs(2));
    pair.point(hover(11, 20));
    pair.take_annotations();
    pair.wait(POINTER_REST - Duration::from_millis(1));
    assert_eq!(pair.annotations(), []);
    pair.wait(Duration::from_millis(1));
    assert_eq!(pair.take_annotations(), [Annotation::PointerGone]);
    pair.wait(Duration::from_secs(60));
    assert_eq!(pair.take_annotations(), []);
    pair.point(hover(12, 20));
    assert_eq!(pair.annotations(), [shown_at(12, 20)]);
}

#[test]
fn a_pointer_off_the_panel_is_not_shown() {
    let mut pair = allowed();
    pair.point(hover(1023, 599));
    pair.point(hover(1024, 599));
    assert_eq!(
        pair.annotations(),
        [shown_at(1023, 599), Annotation::PointerGone]
    );
}

#[test]
fn a_late_pointer_does_not_bring_back_one_that_has_left() {
    let mut pair = allowed();
    let gone = postcard_of(&ToDevice::PointerGone { n: 2 });
    let late = postcard_of(&ToDevice::Pointer {
        n: 1,
        at: PanelPoint::default(),
        color: BLUE,
    });
    pair.forge(Side::Device, &gone);
    pair.forge(Side::Device, &late);
    assert_eq!(pair.annotations(), []);
}

#[test]
fn the_console_chooses_the_pointers_colour() {
    let mut pair = allowed();
    pair.from_console(&json!({ "pointer": { "color": "#0a50ff" } }));
    pair.from_console(&json!({ "pointer": { "color": "blue" } }));
    pair.from_console(&json!([1, 2]));
    pair.point(hover(1, 1));
    assert_eq!(
        pair.annotations(),
        [Annotation::Pointer {
            at: PanelPoint::from_pixels(1, 1),
            color: BLUE
        }]
    );
}

#[test]
fn nothing_is_drawn_without_permission_and_the_console_is_told_once() {
    let mut pair = Pair::<UserGuide>::started(Capabilities::VIEW);
    for x in 0..5 {
        pair.point(hover(x, 1));
        draw(&mut pair, stroke(1, &[(x, 1, 9)], false));
    }
    assert_eq!(pair.annotations(), []);
    assert_eq!(pair.denied(), 10);
    assert_eq!(pair.take_console(), [json!({ "shown": "refused" })]);
    // A refusal ends nothing.
    pair.grant(Capabilities::ANNOTATE);
    draw(&mut pair, stroke(2, &[(1, 1, 9)], true));
    assert_eq!(pair.annotations().len(), 1);
    assert_eq!(pair.failure(Side::Device), None);
}

#[test]
fn withdrawing_permission_takes_everything_back_at_once() {
    let mut pair = allowed();
    pair.point(hover(1, 1));
    draw(&mut pair, stroke(1, &[(1, 1, 9)], false));
    pair.take_annotations();
    pair.withdraw(Capabilities::ANNOTATE);
    draw(&mut pair, stroke(1, &[(2, 2, 9)], false));
    assert_eq!(pair.annotations(), [Annotation::Clear]);
    // Not even once it is given again: that stroke is over.
    pair.grant(Capabilities::ANNOTATE);
    draw(&mut pair, stroke(1, &[(3, 3, 9)], true));
    assert_eq!(pair.annotations(), [Annotation::Clear]);
}

#[test]
fn the_end_of_the_mode_leaves_nothing_on_the_panel() {
    let mut pair = allowed();
    draw(&mut pair, stroke(1, &[(1, 1, 9)], true));
    pair.take_annotations();
    pair.stop(StopReason::Replaced);
    assert_eq!(pair.annotations(), [Annotation::Clear]);
}

#[test]
fn an_operator_who_never_stops_drawing_is_bounded_and_served() {
    let mut pair = allowed();
    let mut standing = std::collections::BTreeSet::new();
    for id in 1..=600 {
        draw(&mut pair, stroke(id, &[(1, 1, 9)], true));
    }
    for annotation in pair.annotations() {
        if let Annotation::Stroke(stroke) = annotation {
            standing.insert(stroke.id);
        } else if let Annotation::Undo(Some(id)) = annotation {
            assert!(standing.remove(id));
        }
    }
    assert_eq!(standing.len(), 512);
    assert_eq!(standing.first(), Some(&StrokeId(89)));
}

#[test]
fn the_longest_operation_of_the_largest_numbers_goes_through() {
    let mut pair = allowed();
    let point = StrokePoint {
        at: PanelPoint {
            x: -1_048_576,
            y: 1_048_576,
        },
        pressure: Pressure::FULL,
    };
    let longest = Stroke {
        points: vec![point; MAX_POINTS],
        ..stroke(u32::MAX, &[], true)
    };
    draw(&mut pair, longest);
    assert_eq!(pair.annotations().len(), 1);
    assert_eq!(pair.failure(Side::Operator), None);
}

#[test]
fn whatever_the_other_side_sends_the_half_lives_and_draws_near_the_panel_only() {
    let mut pair = allowed();
    let seeds = [
        postcard_of(&ToDevice::Stroke(stroke(
            1,
            &[(900, 500, 9), (2, 2, 1023)],
            false,
        ))),
        postcard_of(&ToDevice::Pointer {
            n: 1,
            at: PanelPoint::default(),
            color: BLUE,
        }),
        postcard_of(&ToDevice::Undo(Some(StrokeId(1)))),
        postcard_of(&ToDevice::Clear),
    ];
    mutations(&seeds, 10_000, |bytes| {
        pair.forge(Side::Device, bytes);
        for annotation in pair.take_annotations() {
            if let Annotation::Stroke(stroke) = annotation {
                let near = |point: &StrokePoint| {
                    point.at.x.abs() <= 2 * 1024 * 16 && point.at.y.abs() <= 2 * 600 * 16
                };
                assert!(stroke.points.iter().all(near));
            }
        }
        assert!(
            pair.failure(Side::Device)
                .is_none_or(|failure| !failure.is_final())
        );
    });
    pair.forge(Side::Operator, b"\xff\xff");
    assert!(
        pair.failure(Side::Operator)
            .is_some_and(|failure| !failure.is_final())
    );
}

#[test]
fn the_manifest_promises_no_more_than_pointing_and_drawing() {
    let vetted = Vetted::check(&MODULE).unwrap();
    assert_eq!(vetted.manifest().id.as_str(), "user-guide");
    assert_eq!(
        vetted.manifest().capabilities,
        Capabilities::VIEW | Capabilities::ANNOTATE
    );
    let why: Vec<&Line> = vetted.manifest().why.values().collect();
    assert_eq!(why.len(), 2);
}

fn postcard_of(message: &ToDevice) -> Vec<u8> {
    postcard::to_allocvec(message).unwrap()
}
