//! Tiles of photographs: what is left of each pixel once its neighbours have predicted it.
//!
//! The prediction is the median of left, upper and left + upper - upper left (that of LOCO-I, ITU-T T.87). Red and
//! blue are written less green's error, for errors of the three channels go together. Three planes: green, red, blue.

/// Appends three planes of residuals of `pixels`, rows of `width`.
pub(super) fn put(pixels: &[u32], width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    let area = pixels.len();
    out.resize(start + 3 * area, 0);
    let Some(planes) = out.get_mut(start..) else {
        return;
    };
    let (green, rest) = planes.split_at_mut(area);
    let (red, blue) = rest.split_at_mut(area);
    for (at, pixel) in pixels.iter().enumerate() {
        let [_, r, g, b] = error(*pixel, predict(pixels, at, width));
        if let (Some(green), Some(red), Some(blue)) =
            (green.get_mut(at), red.get_mut(at), blue.get_mut(at))
        {
            (*green, *red, *blue) = (g, r.wrapping_sub(g), b.wrapping_sub(g));
        }
    }
}

/// Fills `pixels`, rows of `width`, from three planes of as many residuals.
pub(super) fn get(planes: &[u8], width: usize, pixels: &mut [u32]) {
    let area = pixels.len();
    let (green, rest) = planes.split_at(area.min(planes.len()));
    let (red, blue) = rest.split_at(area.min(rest.len()));
    for (at, ((g, r), b)) in green.iter().zip(red).zip(blue).enumerate() {
        let [_, pr, pg, pb] = predict(pixels, at, width);
        let rgb = [
            0,
            pr.wrapping_add(*r).wrapping_add(*g),
            pg.wrapping_add(*g),
            pb.wrapping_add(*b).wrapping_add(*g),
        ];
        if let Some(pixel) = pixels.get_mut(at) {
            *pixel = u32::from_be_bytes(rgb);
        }
    }
}

fn error(pixel: u32, predicted: [u8; 4]) -> [u8; 4] {
    let mut error = pixel.to_be_bytes();
    for (error, predicted) in error.iter_mut().zip(predicted) {
        *error = error.wrapping_sub(predicted);
    }
    error
}

/// What the pixels before `at` predict: in the first column the upper, in the first row the left, at first black.
fn predict(pixels: &[u32], at: usize, width: usize) -> [u8; 4] {
    let before = |back: usize| {
        at.checked_sub(back)
            .and_then(|at| pixels.get(at))
            .map_or([0; 4], |p| p.to_be_bytes())
    };
    match (!at.is_multiple_of(width), at >= width) {
        (true, true) => {
            let (left, up, corner) = (before(1), before(width), before(width + 1));
            let mut median = [0; 4];
            for (((median, left), up), corner) in median.iter_mut().zip(left).zip(up).zip(corner) {
                *median = predict_channel(left, up, corner);
            }
            median
        }
        (true, false) => before(1),
        (false, true) => before(width),
        (false, false) => [0; 4],
    }
}

fn predict_channel(left: u8, up: u8, corner: u8) -> u8 {
    let (low, high) = (left.min(up), left.max(up));
    if corner >= high {
        low
    } else if corner <= low {
        high
    } else {
        // Between low and high, so between 0 and 255.
        left.wrapping_add(up).wrapping_sub(corner)
    }
}
