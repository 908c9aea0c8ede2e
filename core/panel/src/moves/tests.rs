use alongside_protocol::PanelSize;

use super::*;

const SIZE: (u16, u16) = (200, 160);

/// A picture whose every pixel says where it is, displaced.
fn picture(right: i32, down: i32) -> Frame {
    let size = PanelSize::new(SIZE.0, SIZE.1).unwrap();
    let pixels = (0..i32::from(SIZE.1)).flat_map(|y| {
        (0..i32::from(SIZE.0)).map(move |x| {
            let (x, y) = ((x - right).cast_unsigned(), (y - down).cast_unsigned());
            let mixed = (x.wrapping_mul(0x9e37_79b1) ^ y).wrapping_mul(0x85eb_ca6b);
            (mixed ^ mixed >> 15).wrapping_mul(0xc2b2_ae35)
        })
    });
    Frame::new(size, pixels.collect()).unwrap()
}

fn whole() -> PanelRect {
    PanelRect {
        x: 0,
        y: 0,
        width: SIZE.0,
        height: SIZE.1,
    }
}

#[test]
fn a_scrolled_picture_is_one_move() {
    for (right, down) in [(0, 5), (0, -37), (11, 0), (-64, 0)] {
        let (mut shown, target) = (picture(0, 0), picture(right, down));
        let moves = Search::default().find(&shown, &target, whole());
        assert_eq!(moves.len(), 1, "{moves:?}");
        assert_eq!(moves[0].by, (right as i16, down as i16));
        apply(&mut shown, &moves, &mut Vec::new()).unwrap();
        let grid = TileGrid::new(shown.size());
        let left = grid.changed(&shown, &target).len();
        assert!(left <= grid.count() / 2, "{left} tiles left");
    }
}

#[test]
fn a_new_picture_has_no_move() {
    let (shown, target) = (picture(0, 0), picture(5000, 7000));
    assert_eq!(Search::default().find(&shown, &target, whole()), []);
}

#[test]
fn moves_of_one_way_need_no_second_picture() {
    let rect = |x, y, width, height| PanelRect {
        x,
        y,
        width,
        height,
    };
    for by in [(0, 1), (0, -1), (0, 37), (-3, -20), (5, 20), (7, 0)] {
        let moves = [
            rect(10, 40, 50, 70),
            rect(60, 50, 100, 60),
            rect(30, 60, 80, 9),
        ];
        let moves = moves.map(|to| Move { to, by });
        let (mut shown, before) = (picture(0, 0), picture(0, 0));
        apply(&mut shown, &moves, &mut Vec::new()).unwrap();
        let width = usize::from(SIZE.0);
        for (at, pixel) in shown.pixels().iter().enumerate() {
            let (x, y) = ((at % width) as u16, (at / width) as u16);
            let is_moved = moves.iter().any(|it| {
                (it.to.x..it.to.x + it.to.width).contains(&x)
                    && (it.to.y..it.to.y + it.to.height).contains(&y)
            });
            let from = if is_moved {
                at.wrapping_add_signed(
                    -(isize::from(by.1) * width.cast_signed() + isize::from(by.0)),
                )
            } else {
                at
            };
            assert_eq!(*pixel, before.pixels()[from], "{x} {y} by {by:?}");
        }
    }
}

#[test]
fn moves_that_cross_read_what_was_there_before() {
    let size = PanelSize::new(32, 1).unwrap();
    let mut shown = Frame::new(size, (0..32).collect()).unwrap();
    let swap = |x, by| Move {
        to: PanelRect {
            x,
            y: 0,
            width: 16,
            height: 1,
        },
        by: (by, 0),
    };
    let mut touched = Vec::new();
    apply(&mut shown, &[swap(0, -16), swap(16, 16)], &mut touched).unwrap();
    assert_eq!(shown.pixels()[..2], [16, 17]);
    assert_eq!(shown.pixels()[16..18], [0, 1]);
    assert_eq!(touched, [0, 1]);
}

#[test]
fn a_move_out_of_the_picture_is_none() {
    let mut shown = picture(0, 0);
    let rect = |x, y, width, height| PanelRect {
        x,
        y,
        width,
        height,
    };
    for (to, by) in [
        (rect(0, 0, 16, 16), (1, 0)),
        (rect(0, 0, 16, 16), (0, 1)),
        (rect(190, 0, 16, 16), (1, 0)),
        (rect(184, 0, 16, 16), (-1, 0)),
        (rect(0, 144, 16, 16), (0, -1)),
        (rect(u16::MAX, u16::MAX, u16::MAX, 1), (0, 0)),
        (rect(0, 0, 0, 16), (0, 0)),
        (rect(0, 0, 16, 16), (i16::MIN, 0)),
    ] {
        let moved = apply(&mut shown, &[Move { to, by }], &mut Vec::new());
        assert_eq!(moved, None, "{to:?} {by:?}");
    }
    let all = Move {
        to: whole(),
        by: (0, 0),
    };
    assert_eq!(apply(&mut shown, &[all], &mut Vec::new()), Some(()));
    assert_eq!(apply(&mut shown, &[all, all], &mut Vec::new()), None);
    assert!(shown == picture(0, 0));
}
