use alongside_protocol::PanelSize;

use super::*;

/// A picture of 100x60 pixels.
fn draw(colour: impl Fn(u32, u32) -> u32) -> Frame {
    let size = PanelSize::new(100, 60).unwrap();
    let pixels = (0..60).flat_map(|y| (0..100).map(move |x| (x, y)));
    Frame::new(size, pixels.map(|(x, y)| colour(x, y)).collect()).unwrap()
}

fn photo(x: u32, y: u32) -> u32 {
    (x * x * 7919 + y * y * 104_729 + x * y).wrapping_mul(0x9e37_79b1)
}

/// Sends what differs in pieces of `room` bytes; returns all of the bytes.
fn send(pair: &mut (Model, Model), shown: &mut Frame, target: &Frame, room: usize) -> Vec<u8> {
    let grid = TileGrid::new(target.size());
    let mut all = Vec::new();
    loop {
        let changed = grid.changed(shown, target);
        if changed.is_empty() {
            return all;
        }
        let changed = &changed[..changed.len().min(MAX_TILES)];
        let mut other = shown.clone();
        let mut bytes = Vec::new();
        let drawn = pair
            .0
            .pack(
                shown,
                target,
                &Order {
                    tiles: changed,
                    room,
                    enough: usize::MAX,
                    softly: None,
                },
                &mut bytes,
            )
            .unwrap();
        assert!(bytes.len() <= room, "{} of {room} bytes", bytes.len());
        assert!(changed.starts_with(&drawn.tiles) && drawn.whole <= drawn.tiles.len());
        let whole = &drawn.tiles[..drawn.whole];
        let left = grid.changed(shown, target);
        assert!(left.iter().all(|tile| !whole.contains(tile)));
        assert_eq!(pair.1.unpack(&mut other, &bytes), Ok(drawn));
        assert!(*shown == other);
        all.extend(bytes);
    }
}

fn pair() -> (Model, Model) {
    (Model::new(13), Model::new(13))
}

#[test]
fn drawings_and_photographs_come_back_however_small_the_message() {
    for room in [2_000, 3_000, 16_000] {
        let mut pair = pair();
        let mut shown = draw(|_, _| 0);
        for target in [
            draw(|x, y| (x + y) % 2 * 0x00ff_ffff),
            draw(photo),
            draw(|x, y| {
                if x < 40 {
                    photo(x, y)
                } else {
                    x * y / 9 * 0x0001_0101
                }
            }),
            draw(|x, y| photo(x, y) ^ 0x00ff_ffff),
            draw(|_, _| 0x0012_3456),
        ] {
            send(&mut pair, &mut shown, &target, room);
        }
    }
}

#[test]
fn what_was_learnt_costs_less_the_next_time() {
    let mut pair = pair();
    let text = draw(|x, y| (photo(x / 2, y / 2) >> 31) * 0x0080_ff40);
    let plain = draw(|_, _| 0x0080_ff40);
    let mut shown = draw(|_, _| 0);
    let first = send(&mut pair, &mut shown, &text, 16_000).len();
    send(&mut pair, &mut shown, &plain, 16_000);
    let second = send(&mut pair, &mut shown, &text, 16_000).len();
    assert!(second < first, "{second} after {first} bytes");
}

#[test]
fn a_fade_costs_its_colours_once() {
    let mut pair = pair();
    let step = |n: u32| draw(|x, y| (x / 7 + y / 5 * 31) % 40 * n * 0x0001_0101);
    let mut shown = step(1);
    send(&mut pair, &mut shown, &step(2), 16_000);
    let bytes = send(&mut pair, &mut shown, &step(3), 16_000).len();
    assert!(bytes < 250, "{bytes} bytes");
}

#[test]
fn places_beyond_the_picture_are_refused() {
    let mut model = Model::new(13);
    let large = TileGrid::new(PanelSize::new(400, 400).unwrap());
    for tiles in [vec![8], vec![200]] {
        let mut writer = Writer::new(usize::MAX);
        Model::new(13).code_places(&mut writer, large, tiles);
        let body = [&[0], writer.finish().as_slice()].concat();
        let mut shown = draw(|_, _| 0);
        assert_eq!(model.unpack(&mut shown, &body), Err(StageError));
    }
}
