//! Annotations as shapes: no compositor is assumed, so a pixel is either covered or not.

use alongside::protocol::{PanelSize, units::Color};
use x11rb::protocol::xproto::Rectangle;

use crate::panel::{Drawn, DrawnPointer, DrawnStroke, mfd::Rect};

/// Something to fill with one colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Patch {
    pub(super) color: Color,
    /// Runs of pixels, from the picture's own corner.
    pub(super) runs: Vec<Rectangle>,
}

/// Patches in the order in which they are laid, and where they lie on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) place: Rect,
    pub(super) patches: Vec<Patch>,
}

/// Light edge around everything, so that it stands out from a picture of its own colour.
const EDGE: f32 = 1.5;
const LIGHT: Color = Color::rgb(255, 255, 255);
/// Radii of the pointer: its dot, its light ring, and the ring of its colour around that.
const DOT: f32 = 8.0;
const RING: f32 = 11.0;
const HALO: f32 = 15.0;

/// Thresholds of an ordered pattern, in sixteenths: so many of its pixels are left as there is opacity.
const PATTERN: [[u8; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];

/// The strokes; `None` if there is nothing to see of them.
pub(super) fn strokes(drawn: &Drawn, screen: PanelSize) -> Option<Picture> {
    let discs: Vec<Vec<Disc>> = drawn.strokes.iter().map(discs).collect();
    let place = bounds(discs.iter().flatten(), screen)?;
    let mut patches = Vec::new();
    for (stroke, discs) in drawn.strokes.iter().zip(&discs) {
        for (edge, color) in [(EDGE, LIGHT), (0.0, stroke.color)] {
            let mut grid = Grid::new(place);
            discs.iter().for_each(|disc| grid.disc(disc, edge));
            patches.push(Patch {
                color,
                runs: grid.runs(),
            });
        }
    }
    Some(Picture { place, patches })
}

/// The pointer; `None` if it lies outside of the screen or has faded.
pub(super) fn pointer(pointer: &DrawnPointer, screen: PanelSize) -> Option<Picture> {
    let (x, y) = pointer.at.to_decimal();
    let disc = |r| Disc {
        x: x as f32,
        y: y as f32,
        r,
    };
    let place = bounds([disc(HALO)].iter(), screen)?;
    let left = (pointer.opacity.clamp(0.0, 1.0) * 16.0).ceil() as u8;
    let patches = [(HALO, pointer.color), (RING, LIGHT), (DOT, pointer.color)]
        .into_iter()
        .map(|(radius, color)| {
            let mut grid = Grid::new(place);
            grid.disc(&disc(radius), 0.0);
            grid.thin(left);
            Patch {
                color,
                runs: grid.runs(),
            }
        })
        .collect();
    Some(Picture { place, patches })
}

/// A dot of the pen.
#[derive(Clone, Copy, Debug)]
struct Disc {
    x: f32,
    y: f32,
    r: f32,
}

/// A stroke as dots so close to each other that they are a line, each as wide as the pen was pressed.
fn discs(stroke: &DrawnStroke) -> Vec<Disc> {
    let width = f32::from(stroke.width.pixels());
    let at = |point: &alongside::protocol::annotation::StrokePoint| {
        let (x, y) = point.at.to_decimal();
        let breadth = (width * point.pressure.to_unit() as f32).max(1.0);
        Disc {
            x: x as f32,
            y: y as f32,
            r: breadth / 2.0,
        }
    };
    let mut discs: Vec<Disc> = stroke.points.first().map(at).into_iter().collect();
    for pair in stroke.points.windows(2) {
        let [from, to] = pair else { continue };
        let (a, b) = (at(from), at(to));
        let length = (b.x - a.x).hypot(b.y - a.y);
        let steps = (length / a.r.min(b.r).max(1.0)).ceil().clamp(1.0, 4096.0) as u16;
        discs.extend((1..=steps).map(|n| {
            let part = f32::from(n) / f32::from(steps);
            Disc {
                x: a.x + (b.x - a.x) * part,
                y: a.y + (b.y - a.y) * part,
                r: a.r + (b.r - a.r) * part,
            }
        }));
    }
    discs
}

/// The part of the screen that the dots and their edges lie in.
fn bounds<'a>(discs: impl Iterator<Item = &'a Disc>, screen: PanelSize) -> Option<Rect> {
    let around = discs
        .map(|disc| {
            let reach = disc.r + EDGE + 1.0;
            let (x, y) = (
                (disc.x - reach).floor() as i32,
                (disc.y - reach).floor() as i32,
            );
            let side = (2.0 * reach).ceil() as i32 + 1;
            Rect {
                x,
                y,
                w: side,
                h: side,
            }
        })
        .reduce(Rect::union)?;
    let (w, h) = (screen.width().into(), screen.height().into());
    around.intersection(Rect { x: 0, y: 0, w, h })
}

/// Which pixels are covered.
struct Grid {
    place: Rect,
    cells: Vec<bool>,
}

impl Grid {
    fn new(place: Rect) -> Self {
        let cells = usize::try_from(place.w * place.h).unwrap_or(0);
        Self {
            place,
            cells: vec![false; cells],
        }
    }

    fn disc(&mut self, disc: &Disc, edge: f32) {
        let r = disc.r + edge;
        let (x, y) = (disc.x - self.place.x as f32, disc.y - self.place.y as f32);
        let rows = ((y - r).floor() as i32).max(0)..((y + r).ceil() as i32 + 1).min(self.place.h);
        for row in rows {
            let dy = row as f32 + 0.5 - y;
            let half = r * r - dy * dy;
            if half < 0.0 {
                continue;
            }
            let half = half.sqrt();
            // Pixels whose middle lies in the disc.
            let from = ((x - half - 0.5).ceil() as i32).max(0);
            let to = ((x + half - 0.5).floor() as i32 + 1).min(self.place.w);
            if from < to {
                let start = (row * self.place.w) as usize;
                if let Some(cells) = self
                    .cells
                    .get_mut(start + from as usize..start + to as usize)
                {
                    cells.fill(true);
                }
            }
        }
    }

    /// Leaves `left` sixteenths of the pixels.
    fn thin(&mut self, left: u8) {
        let width = self.place.w.max(1) as usize;
        for (row, thresholds) in self.cells.chunks_mut(width).zip(PATTERN.iter().cycle()) {
            for (cell, threshold) in row.iter_mut().zip(thresholds.iter().cycle()) {
                *cell &= *threshold < left;
            }
        }
    }

    /// The covered pixels as runs, row by row.
    fn runs(&self) -> Vec<Rectangle> {
        let mut runs = Vec::new();
        for (y, row) in (0_i16..).zip(self.cells.chunks(self.place.w.max(1) as usize)) {
            let mut from = None;
            for (x, covered) in (0_i16..).zip(row.iter().copied().chain([false])) {
                match (from, covered) {
                    (None, true) => from = Some(x),
                    (Some(start), false) => {
                        runs.push(Rectangle {
                            x: start,
                            y,
                            width: x.abs_diff(start),
                            height: 1,
                        });
                        from = None;
                    }
                    (None, false) | (Some(_), true) => {}
                }
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use alongside::protocol::{
        PanelPoint,
        annotation::{StrokeId, StrokePoint, StrokeWidth},
        units::Pressure,
    };

    use super::*;

    const RED: Color = Color::rgb(255, 0, 0);

    fn screen() -> PanelSize {
        PanelSize::new(100, 60).expect("a size")
    }

    fn stroke(points: &[(u16, u16, f64)]) -> Drawn {
        let points = points.iter().map(|(x, y, pressure)| StrokePoint {
            at: PanelPoint::from_pixels(*x, *y),
            pressure: Pressure::from_unit(*pressure).expect("a pressure"),
        });
        Drawn {
            strokes: vec![DrawnStroke {
                id: StrokeId(1),
                color: RED,
                width: StrokeWidth::new(10).expect("a width"),
                points: points.collect(),
                done: true,
            }],
            pointer: None,
        }
    }

    fn covered(patch: &Patch) -> u32 {
        patch.runs.iter().map(|run| u32::from(run.width)).sum()
    }

    #[test]
    fn a_line_is_as_broad_as_the_pen_was_pressed() {
        let broad = |pressure| {
            let drawn = stroke(&[(20, 30, pressure), (80, 30, pressure)]);
            let picture = strokes(&drawn, screen()).expect("a picture");
            covered(&picture.patches[1])
        };
        // 60 by 10 pixels and two half discs of radius 5; half of it across for half the pressure.
        assert!((640..=700).contains(&broad(1.0)), "{}", broad(1.0));
        assert!((240..=340).contains(&broad(0.5)), "{}", broad(0.5));
    }

    #[test]
    fn what_lies_outside_is_cut_off_and_nothing_is_no_picture() {
        let picture = strokes(&stroke(&[(98, 58, 1.0)]), screen()).expect("a picture");
        assert!(picture.place.right() <= 100 && picture.place.bottom() <= 60);
        assert_eq!(strokes(&Drawn::default(), screen()), None);
        assert_eq!(strokes(&stroke(&[(900, 900, 1.0)]), screen()), None);
    }

    #[test]
    fn a_fading_pointer_loses_pixels_until_none_is_left() {
        let count = |opacity| {
            let drawn = DrawnPointer {
                at: PanelPoint::from_pixels(50, 30),
                color: RED,
                opacity,
            };
            let picture = pointer(&drawn, screen()).expect("a picture");
            picture.patches.iter().map(covered).sum::<u32>()
        };
        assert!(count(1.0) > count(0.6) && count(0.6) > count(0.2));
        assert_eq!(count(0.0), 0);
    }
}
