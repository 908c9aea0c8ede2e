use alongside_protocol::PanelSize;

use super::*;
use crate::{
    coder::{Reader, Writer},
    frame::Frame,
};

fn band(frame: &Frame) -> Band {
    let mut band = Band::default();
    band.load(frame, 0, 0..frame.size().width().into());
    band
}

/// Codes the whole of a small picture as one tile, both ways; gives what it shows, and its bytes.
fn code(picture: &Frame, steps: u8) -> (Vec<u32>, usize) {
    let (width, height) = (
        usize::from(picture.size().width()),
        usize::from(picture.size().height()),
    );
    let coarseness = Coarseness::new(steps).unwrap();
    let black = Frame::black(picture.size());
    let mut writer = Writer::new(usize::MAX);
    let mut there = band(&black);
    let line = there.at(0, 0)..there.at(0, 0) + width;
    let pixel = |x: usize, y: usize| picture.pixels()[y * width + x];
    Soft::new().tile(
        &mut writer,
        &mut there,
        line.clone(),
        height,
        coarseness,
        Some(&pixel),
    );
    let bytes = writer.finish();
    let mut reader = Reader::new(&bytes, None);
    let mut here = band(&black);
    Soft::new().tile(&mut reader, &mut here, line, height, coarseness, None);
    assert!(reader.is_sound());
    let pixels = |band: &Band| -> Vec<u32> {
        let all = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        all.map(|(x, y)| band.now(band.at(x, y))).collect()
    };
    assert_eq!(pixels(&there), pixels(&here));
    (pixels(&here), bytes.len())
}

fn picture(width: u16, height: u16, pixel: impl Fn(u32, u32) -> u32) -> Frame {
    let size = PanelSize::new(width, height).unwrap();
    let all = (0..u32::from(height)).flat_map(|y| (0..u32::from(width)).map(move |x| (x, y)));
    Frame::new(size, all.map(|(x, y)| pixel(x, y)).collect()).unwrap()
}

/// Mean square error of a channel.
fn error(a: &[u32], b: &[u32]) -> f64 {
    let channels = |pixel: u32| pixel.to_be_bytes().map(f64::from);
    let sum: f64 = a
        .iter()
        .zip(b)
        .flat_map(|(a, b)| channels(*a).into_iter().zip(channels(*b)))
        .map(|(a, b)| (a - b) * (a - b))
        .sum();
    sum / (3 * a.len()) as f64
}

#[test]
fn the_finer_the_nearer_and_the_dearer() {
    let wave = picture(16, 16, |x, y| {
        (x * y) << 16 | (100 + 9 * x) << 8 | (250 - 8 * y)
    });
    let (fine, much) = code(&wave, 8);
    let (coarse, little) = code(&wave, 40);
    let errors = [error(&fine, wave.pixels()), error(&coarse, wave.pixels())];
    assert!(
        errors[0] < 30.0 && errors[0] < errors[1] && errors[1] < 200.0,
        "{errors:?}"
    );
    assert!(little < much && much < 120, "{little} and {much} bytes");
}

#[test]
fn one_colour_costs_a_few_bytes_and_is_nearly_right() {
    for colour in [
        0,
        0x00ff_ffff,
        0x00ff_0000,
        0x0000_ff00,
        0x0000_00ff,
        0x0012_3456,
    ] {
        let (shown, bytes) = code(&picture(16, 16, |_, _| colour), 16);
        assert!(bytes < 24, "{bytes} bytes");
        let off = error(&shown, &[colour; 256]);
        assert!(off < 30.0, "{colour:06x} became {:06x}", shown[0]);
    }
}

#[test]
fn a_tile_cut_off_by_the_edge_comes_back() {
    for (width, height) in [(1, 1), (16, 3), (5, 16), (9, 9)] {
        let tile = picture(width, height, |x, y| (x * 13) << 16 | (y * 11));
        let (shown, _) = code(&tile, 10);
        assert!(error(&shown, tile.pixels()) < 150.0);
    }
}

#[test]
fn frequencies_come_back() {
    let values: [i32; AREA] = std::array::from_fn(|at| (at as i32 * 7919) % 255 - 127);
    let back = frequency::inverse(&frequency::forward(&values));
    for (value, back) in values.into_iter().zip(back) {
        assert!((value - back).abs() <= 1, "{value} became {back}");
    }
}

#[test]
fn no_amount_overflows() {
    for amount in [i32::MIN, -1_450_000, 1_450_000, i32::MAX] {
        let _ = frequency::inverse(&[amount; AREA]);
    }
}

#[test]
fn the_zigzag_goes_through_every_place_once() {
    let mut places = ZIGZAG;
    assert_eq!(&places[..6], [0, 1, 8, 16, 9, 2]);
    places.sort_unstable();
    assert!(
        places
            .iter()
            .enumerate()
            .all(|(at, place)| at == usize::from(*place))
    );
}
