use alongside_protocol::PanelSize;

use super::*;

fn size() -> PanelSize {
    PanelSize::new(100, 60).unwrap()
}

fn plain(colour: u32) -> Frame {
    Frame::new(size(), vec![colour; size().pixels()]).unwrap()
}

fn memory(keeps_pixels: bool) -> Memory {
    let profile = Profile::SMALL.with_cache_log(8).unwrap();
    Memory::new(TileGrid::new(size()), profile, 7, keeps_pixels)
}

/// Both sides, which have seen two pictures of one colour each: ids 0 to 3 and 4 to 7.
fn pair() -> [Memory; 2] {
    [false, true].map(|keeps_pixels| {
        let mut memory = memory(keeps_pixels);
        for colour in [1, 2] {
            let mut all: Vec<usize> = (0..28).collect();
            memory.enter(&plain(colour), &mut all, &[], |_| 0);
        }
        memory
    })
}

fn moved(x: u16, by: (i16, i16)) -> Move {
    Move {
        to: PanelRect {
            x,
            y: 16,
            width: 16,
            height: 20,
        },
        by,
    }
}

#[test]
fn fronts_come_back() {
    let [mut device, mut operator] = pair();
    for (moves, known) in [
        (vec![moved(16, (-3, 0)), moved(40, (0, 7))], vec![]),
        (vec![], vec![(0, 4), (1, 4), (2, 4), (6, 5)]),
        (vec![moved(16, (1, -16))], vec![(3, 0), (24, 2), (27, 3)]),
        (vec![], vec![(27, 7)]),
    ] {
        let mut front = Front { moves, known };
        let bytes = device.write(&mut front, 16_000);
        assert_eq!(operator.read(&bytes), Some(front.clone()));
        let mut shown = plain(0);
        operator
            .draw(&front, &mut shown, &mut Vec::new())
            .expect("tiles of the right size");
    }
}

#[test]
fn a_screen_seen_before_is_a_few_bytes() {
    let [mut device, mut operator] = pair();
    let back = plain(1);
    let mut find = |place| {
        let hash = device.cache.hash_of(&back, place);
        device.cache.find(hash).unwrap()
    };
    let known = (0..28).map(|place| (place, find(place)));
    let mut front = Front {
        moves: Vec::new(),
        known: known.collect(),
    };
    let bytes = device.write(&mut front, 16_000);
    assert!(bytes.len() < 12, "{} bytes", bytes.len());
    let front = operator.read(&bytes).unwrap();
    let mut shown = plain(0);
    operator.draw(&front, &mut shown, &mut Vec::new()).unwrap();
    assert!(shown == back);
}

#[test]
fn what_does_not_fit_is_left_for_the_next_message() {
    let [mut device, mut operator] = pair();
    let mut front = Front {
        moves: Vec::new(),
        known: (0..28).map(|place| (place, 0)).collect(),
    };
    let bytes = device.write(&mut front, 0);
    assert_eq!(front.known.len(), 7, "one row of tiles");
    assert_eq!(operator.read(&bytes), Some(front));
}

#[test]
fn tiles_that_are_not_there_are_refused() {
    let [mut device, _] = pair();
    // The operator's side has seen nothing yet.
    for known in [vec![(0, 4)], vec![(0, 200)], vec![(0, 0), (1, 1)]] {
        let mut operator = memory(true);
        let mut front = Front {
            moves: Vec::new(),
            known,
        };
        let bytes = device.write(&mut front, 16_000);
        let front = operator.read(&bytes);
        let drawn = front.and_then(|front| operator.draw(&front, &mut plain(0), &mut Vec::new()));
        assert_eq!(drawn, None);
    }
    assert_eq!(memory(true).read(&[]), None, "a front of nothing");
    assert_eq!(memory(true).read(&[0xff; 40]), None);
}
