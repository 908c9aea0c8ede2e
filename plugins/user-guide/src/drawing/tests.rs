use alongside_mode::protocol::{annotation::MAX_POINTS as MAX_OPERATION, units::Pressure};

use super::*;

const RED: Color = Color::rgb(255, 0, 0);

fn panel() -> PanelSize {
    PanelSize::new(100, 50).unwrap()
}

fn piece(id: u32, points: usize, done: bool) -> Stroke {
    let point = StrokePoint {
        at: PanelPoint::from_pixels(5, 5),
        pressure: Pressure::FULL,
    };
    let width = StrokeWidth::new(4).unwrap();
    Stroke {
        id: StrokeId(id),
        color: RED,
        width,
        points: vec![point; points],
        done,
    }
}

/// Draws a piece as the device half does.
fn draw(drawing: &mut Drawing, stroke: Stroke) -> Option<Added> {
    let admitted = drawing.admit(stroke, panel())?;
    Some(drawing.add(Held::from(&admitted)))
}

#[test]
fn a_stroke_keeps_the_colour_and_width_that_it_began_with() {
    let mut drawing = Drawing::default();
    draw(&mut drawing, piece(1, 2, false));
    let other = Stroke {
        color: Color::rgb(0, 0, 9),
        width: StrokeWidth::new(9).unwrap(),
        ..piece(1, 3, false)
    };
    let admitted = drawing.admit(other, panel()).unwrap();
    assert_eq!(admitted, piece(1, 3, false));
    assert_eq!(
        drawing.add(Held::from(&admitted)),
        Added {
            points: 5,
            gone: vec![]
        }
    );
}

#[test]
fn nothing_is_added_to_a_stroke_that_is_whole_or_taken_back() {
    let mut drawing = Drawing::default();
    draw(&mut drawing, piece(1, 2, true));
    draw(&mut drawing, piece(2, 2, false));
    assert_eq!(drawing.undo(None), Some(StrokeId(2)));
    assert_eq!(drawing.admit(piece(1, 1, false), panel()), None);
    assert_eq!(drawing.admit(piece(2, 1, false), panel()), None);
    assert!(drawing.admit(piece(3, 1, false), panel()).is_some());
}

#[test]
fn undo_takes_the_newest_or_the_one_named_and_nothing_twice() {
    let mut drawing = Drawing::default();
    for id in 1..=3 {
        draw(&mut drawing, piece(id, 1, true));
    }
    assert_eq!(drawing.undo(Some(StrokeId(2))), Some(StrokeId(2)));
    assert_eq!(drawing.undo(Some(StrokeId(2))), None);
    assert_eq!(drawing.undo(None), Some(StrokeId(3)));
    assert_eq!(drawing.undo(None), Some(StrokeId(1)));
    assert_eq!(drawing.undo(None), None);
    assert!(drawing.is_empty());
}

#[test]
fn the_oldest_goes_when_there_are_more_than_512_strokes() {
    let mut drawing = Drawing::default();
    for id in 1..=512 {
        assert_eq!(draw(&mut drawing, piece(id, 1, true)).unwrap().gone, []);
    }
    assert_eq!(
        draw(&mut drawing, piece(513, 1, true)).unwrap().gone,
        [StrokeId(1)]
    );
}

#[test]
fn no_more_than_65536_points_stand_and_an_operation_makes_two_strokes_go_at_most() {
    let mut drawing = Drawing::default();
    for id in 1..2_000 {
        for part in 0..id % 7 {
            let added = draw(&mut drawing, piece(id, MAX_OPERATION, part == 6)).unwrap();
            assert!(added.gone.len() <= 2, "{added:?}");
            let points: usize = drawing.strokes.iter().map(|held| held.points).sum();
            assert!(points <= MAX_POINTS);
        }
        draw(&mut drawing, piece(id, 1, true));
        assert_eq!(
            drawing.cost,
            drawing.strokes.iter().map(Held::cost).sum::<usize>()
        );
    }
}

#[test]
fn the_rest_of_an_endless_stroke_is_not_drawn() {
    let mut drawing = Drawing::default();
    for _ in 0..MAX_STROKE_POINTS / MAX_OPERATION {
        draw(&mut drawing, piece(1, MAX_OPERATION, false)).unwrap();
    }
    assert_eq!(drawing.admit(piece(1, MAX_OPERATION, false), panel()), None);
    let end = draw(&mut drawing, piece(1, 1, true)).unwrap();
    assert_eq!(end.points, MAX_STROKE_POINTS);
}

#[test]
fn a_point_far_out_is_drawn_in_to_where_it_can_do_no_harm() {
    let far = StrokePoint {
        at: PanelPoint {
            x: i32::MIN,
            y: i32::MAX,
        },
        pressure: Pressure::FULL,
    };
    let edge = StrokePoint {
        at: PanelPoint { x: -20, y: 51 * 16 },
        pressure: Pressure::FULL,
    };
    let stroke = Stroke {
        points: vec![far, edge],
        ..piece(1, 0, false)
    };
    let admitted = Drawing::default().admit(stroke, panel()).unwrap();
    assert_eq!(
        admitted.points[0].at,
        PanelPoint {
            x: -100 * 16,
            y: 2 * 50 * 16
        }
    );
    assert_eq!(admitted.points[1], edge);
}
