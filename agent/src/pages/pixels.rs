//! Batches of pixels for a page: what differs from what it shows, as rectangles of raw RGBA.
//!
//! A batch is, all little endian: version `u8` = 2, number of clear parts `u8`, number of rectangles `u16`, number of the
//! batch `u32`, width and height of the picture `u16` each; then x, y, width, height `u16` each of the parts of the panel
//! over which the page draws no annotation from now on; then for each rectangle the same four and its pixels, four bytes
//! each, row by row. Raw, because a loopback socket is faster than any decoder in a page.

use alongside::{
    Frame,
    protocol::{PanelSize, units::PanelRect},
};

/// Side of the squares that are compared, in pixels: half the codec's tile, so that little is sent for nothing.
const CELL: usize = 32;
/// Most bytes of pixels in a batch: a whole panel of 1024x600, and 4K panels in a few pieces.
const MAX_PIXELS: usize = 1 << 20;

/// Most parts that are kept clear; beyond that the whole picture is.
const MAX_CLEAR: usize = 16;

/// What one page shows.
#[derive(Debug, Default)]
pub struct Mirror {
    shown: Option<Shown>,
    clear: Vec<PanelRect>,
    batches: u32,
}

#[derive(Debug)]
struct Shown {
    size: PanelSize,
    pixels: Vec<u32>,
}

/// A pixel that the page has not painted yet; equal to none of a frame's.
const UNPAINTED: u32 = u32::MAX;

/// Pixels on their way to a page.
#[derive(Debug)]
pub struct Batch {
    /// Its number, from 1; the page answers with it once it has painted.
    pub number: u32,
    /// The message.
    pub bytes: Vec<u8>,
}

/// A rectangle of cells that differ, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Area {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl Mirror {
    /// One step towards `frame` with nothing drawn over `clear`; `None` if the page shows it already.
    ///
    /// What does not fit into one batch still differs afterwards and comes with the next.
    pub fn step(&mut self, frame: &Frame, clear: &[PanelRect]) -> Option<Batch> {
        let size = frame.size();
        let whole = [PanelRect {
            x: 0,
            y: 0,
            width: size.width(),
            height: size.height(),
        }];
        let clear = if clear.len() > MAX_CLEAR {
            &whole
        } else {
            clear
        };
        let is_clear_known = self.clear == clear;
        let shown = match self.shown.take().filter(|shown| shown.size == size) {
            Some(shown) => shown,
            None => Shown {
                size,
                pixels: vec![UNPAINTED; size.pixels()],
            },
        };
        let shown = self.shown.insert(shown);
        let areas = differences(frame, &shown.pixels);
        if areas.is_empty() && is_clear_known {
            return None;
        }
        self.clear.clear();
        self.clear.extend_from_slice(clear);
        self.batches = self.batches.wrapping_add(1);
        Some(Batch {
            number: self.batches,
            bytes: encode(frame, &mut shown.pixels, clear, &areas, self.batches),
        })
    }
}

/// Cells of `frame` that differ from `shown`, those beside each other joined.
fn differences(frame: &Frame, shown: &[u32]) -> Vec<Area> {
    let (width, height) = (
        usize::from(frame.size().width()),
        usize::from(frame.size().height()),
    );
    let mut areas: Vec<Area> = Vec::new();
    for y in (0..height).step_by(CELL) {
        let rows = CELL.min(height - y);
        let band = y * width..(y + rows) * width;
        let (Some(new), Some(old)) = (frame.pixels().get(band.clone()), shown.get(band)) else {
            continue;
        };
        if new == old {
            continue;
        }
        let mut last: Option<Area> = None;
        for x in (0..width).step_by(CELL) {
            let columns = CELL.min(width - x);
            let differs = new
                .chunks_exact(width)
                .zip(old.chunks_exact(width))
                .any(|(new, old)| new.get(x..x + columns) != old.get(x..x + columns));
            match (&mut last, differs) {
                (Some(area), true) => area.width += columns,
                (None, true) => {
                    last = Some(Area {
                        x,
                        y,
                        width: columns,
                        height: rows,
                    });
                }
                (_, false) => areas.extend(last.take()),
            }
        }
        areas.extend(last);
    }
    areas
}

/// Writes as many of `areas` as fit, and notes in `shown` that the page has them.
fn encode(
    frame: &Frame,
    shown: &mut [u32],
    clear: &[PanelRect],
    areas: &[Area],
    number: u32,
) -> Vec<u8> {
    let width = usize::from(frame.size().width());
    let mut count: u16 = 0;
    let mut pixels = 0;
    let mut body = Vec::new();
    for area in areas {
        let more = area.width * area.height;
        if count == u16::MAX || (count > 0 && pixels + more > MAX_PIXELS) {
            break;
        }
        pixels += more;
        count += 1;
        for number in [area.x, area.y, area.width, area.height] {
            // A panel's sides are at most 4,096.
            body.extend_from_slice(&(number as u16).to_le_bytes());
        }
        for y in area.y..area.y + area.height {
            let row = y * width + area.x..y * width + area.x + area.width;
            let (Some(from), Some(to)) = (frame.pixels().get(row.clone()), shown.get_mut(row))
            else {
                continue;
            };
            to.copy_from_slice(from);
            body.extend(from.iter().flat_map(|pixel| {
                let [_, r, g, b] = pixel.to_be_bytes();
                [r, g, b, 0xff]
            }));
        }
    }
    let mut bytes = Vec::with_capacity(12 + body.len());
    // At most MAX_CLEAR.
    bytes.extend_from_slice(&[2, clear.len() as u8]);
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&frame.size().width().to_le_bytes());
    bytes.extend_from_slice(&frame.size().height().to_le_bytes());
    for part in clear {
        for number in [part.x, part.y, part.width, part.height] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }
    bytes.append(&mut body);
    bytes
}

#[cfg(test)]
mod tests;
