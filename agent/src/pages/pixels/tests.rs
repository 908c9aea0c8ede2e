//! A page that paints every batch shows the picture.

use super::*;

/// What a page's canvas would hold.
struct Canvas {
    width: usize,
    pixels: Vec<u32>,
    clear: Vec<[usize; 4]>,
    painted: usize,
}

impl Canvas {
    fn new(width: u16, height: u16) -> Self {
        Self {
            width: width.into(),
            pixels: vec![0x12_3456; usize::from(width) * usize::from(height)],
            clear: Vec::new(),
            painted: 0,
        }
    }

    fn paint(&mut self, bytes: &[u8]) {
        let word = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        assert_eq!(bytes[0], 2);
        assert_eq!(word(8), self.width);
        let part = |at: usize| [0, 2, 4, 6].map(|n| word(at + n));
        let mut at = 12 + 8 * usize::from(bytes[1]);
        self.clear = (12..at).step_by(8).map(part).collect();
        for _ in 0..word(2) {
            let [x, y, width, height] = [0, 2, 4, 6].map(|n| word(at + n));
            at += 8;
            for row in y..y + height {
                for column in x..x + width {
                    assert_eq!(bytes[at + 3], 0xff);
                    self.pixels[row * self.width + column] =
                        u32::from_be_bytes([0, bytes[at], bytes[at + 1], bytes[at + 2]]);
                    at += 4;
                    self.painted += 1;
                }
            }
        }
        assert_eq!(at, bytes.len());
    }

    fn catch_up(&mut self, mirror: &mut Mirror, frame: &Frame) -> usize {
        let mut batches = 0;
        while let Some(batch) = mirror.step(frame, &[]) {
            assert!(batch.bytes.len() <= MAX_PIXELS * 4 + 64 * 1024);
            self.paint(&batch.bytes);
            batches += 1;
        }
        assert!(self.pixels == frame.pixels());
        batches
    }
}

fn size(width: u16, height: u16) -> PanelSize {
    PanelSize::new(width, height).expect("a size")
}

#[test]
fn the_first_batch_is_the_whole_picture_even_if_it_is_black() {
    let (mut mirror, mut canvas) = (Mirror::default(), Canvas::new(1024, 600));
    assert_eq!(
        canvas.catch_up(&mut mirror, &Frame::black(size(1024, 600))),
        1
    );
    assert_eq!(canvas.painted, 1024 * 600);
}

#[test]
fn a_changed_pixel_costs_one_cell() {
    let (mut mirror, mut canvas) = (Mirror::default(), Canvas::new(100, 70));
    let mut frame = Frame::black(size(100, 70));
    canvas.catch_up(&mut mirror, &frame);
    canvas.painted = 0;
    frame.pixels_mut()[69 * 100 + 99] = 0xff_0000;
    canvas.catch_up(&mut mirror, &frame);
    // The last column of cells is 4 pixels wide, the last row 6 high.
    assert_eq!(canvas.painted, 4 * 6);
    assert!(mirror.step(&frame, &[]).is_none());
}

#[test]
fn changes_merge_and_the_newest_wins() {
    let (mut mirror, mut canvas) = (Mirror::default(), Canvas::new(320, 200));
    let mut frame = Frame::black(size(320, 200));
    canvas.catch_up(&mut mirror, &frame);
    let mut state = 1_u32;
    for round in 0..50 {
        for _ in 0..=round {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = state as usize % frame.pixels().len();
            frame.pixels_mut()[at] = state >> 8;
        }
        assert!(canvas.catch_up(&mut mirror, &frame) <= 1);
    }
}

#[test]
fn a_large_panel_comes_in_pieces_and_a_new_size_from_the_start() {
    let (mut mirror, mut canvas) = (Mirror::default(), Canvas::new(3840, 2160));
    let black = Frame::black(size(3840, 2160));
    assert!(canvas.catch_up(&mut mirror, &black) > 1);
    let mut canvas = Canvas::new(64, 64);
    canvas.catch_up(&mut mirror, &Frame::black(size(64, 64)));
}

#[test]
fn what_is_kept_clear_is_told_also_when_no_pixel_changes_and_once() {
    let (mut mirror, mut canvas) = (Mirror::default(), Canvas::new(320, 200));
    let frame = Frame::black(size(320, 200));
    canvas.catch_up(&mut mirror, &frame);
    assert!(canvas.clear.is_empty());
    let banner = PanelRect {
        x: 0,
        y: 0,
        width: 320,
        height: 40,
    };
    let batch = mirror.step(&frame, &[banner]).expect("news");
    canvas.paint(&batch.bytes);
    assert_eq!(canvas.clear, [[0, 0, 320, 40]]);
    assert!(mirror.step(&frame, &[banner]).is_none());
    let many = vec![banner; MAX_CLEAR + 1];
    canvas.paint(&mirror.step(&frame, &many).expect("news").bytes);
    assert_eq!(canvas.clear, [[0, 0, 320, 200]], "all of it");
    canvas.paint(&mirror.step(&frame, &[]).expect("news").bytes);
    assert!(canvas.clear.is_empty());
}
