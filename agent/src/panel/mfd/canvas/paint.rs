//! Painting a sketch into a frame.

use std::collections::HashMap;

use ab_glyph::{Font, point};
use alongside::{Frame, protocol::PanelSize};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap,
    PremultipliedColorU8, Rect as FloatRect, Stroke, Transform,
};

use super::{
    Op, Sketch,
    font::{self, Letter, SUBPIXELS, Weight},
    geometry::Rect,
    icon::GRID,
    layout::Line,
};
use crate::panel::mfd::theme::{BACKGROUND, Rgb};

/// A cached glyph: how much of each pixel it covers, and where its box begins from the pen's position.
#[derive(Debug, Default)]
struct Coverage {
    left: i32,
    top: i32,
    width: i32,
    values: Vec<u8>,
}

/// One shape of a letter: weight, size, letter and place within a pixel.
type Shape = (Weight, i32, Letter, i32);

/// Most cached shapes; a few hundred are in use on all screens together, so this only bounds what data can add.
const MAX_CACHED: usize = 4096;

/// Paints sketches, and keeps the letters it has drawn before.
///
/// Shapes are always rasterised on the whole canvas and then masked: cut to a part of it they would come out a shade
/// different at their edges, and the picture would depend on what was painted before.
#[derive(Debug)]
pub(in crate::panel::mfd) struct Painter {
    letters: HashMap<Shape, Coverage>,
    canvas: Pixmap,
    mask: Mask,
}

impl Painter {
    /// A painter of pictures of this size; `None` for a size that no pixmap can have.
    pub(in crate::panel::mfd) fn new(size: PanelSize) -> Option<Self> {
        let (width, height) = (size.width().into(), size.height().into());
        Some(Self {
            letters: HashMap::new(),
            canvas: Pixmap::new(width, height)?,
            mask: Mask::new(width, height)?,
        })
    }

    /// Paints the part of `sketch` that lies in `damage` into `frame`, which has the painter's size.
    pub(in crate::panel::mfd) fn paint(
        &mut self,
        sketch: &Sketch,
        damage: Rect,
        frame: &mut Frame,
    ) {
        let canvas = Rect::new(
            0,
            0,
            self.canvas.width() as i32,
            self.canvas.height() as i32,
        );
        let Some(damage) = damage.intersection(canvas) else {
            return;
        };
        let rows = || {
            (damage.y..damage.bottom())
                .map(|y| (y * canvas.w + damage.x) as usize)
                .map(|from| from..from + damage.w as usize)
        };

        self.mask.data_mut().fill(0);
        for row in rows() {
            self.mask
                .data_mut()
                .get_mut(row.clone())
                .unwrap_or_default()
                .fill(255);
            let ground = color(BACKGROUND, 255).premultiply().to_color_u8();
            self.canvas
                .pixels_mut()
                .get_mut(row)
                .unwrap_or_default()
                .fill(ground);
        }
        for op in sketch
            .ops
            .iter()
            .filter(|op| op.bounds().intersection(damage).is_some())
        {
            self.op(damage, op);
        }
        for row in rows() {
            let source = self.canvas.pixels().get(row.clone()).unwrap_or_default();
            let target = frame.pixels_mut().get_mut(row).unwrap_or_default();
            for (pixel, source) in target.iter_mut().zip(source) {
                *pixel = u32::from_be_bytes([0, source.red(), source.green(), source.blue()]);
            }
        }
    }

    fn op(&mut self, damage: Rect, op: &Op) {
        match op {
            Op::Fill {
                rect,
                radius,
                color: rgb,
                alpha,
            } => {
                self.fill(rounded(*rect, *radius, 0.0), &paint(*rgb, *alpha));
            }
            Op::Outline {
                rect,
                radius,
                width,
                color: rgb,
            } => {
                self.stroke(
                    rounded(*rect, *radius, *width as f32 / 2.0),
                    *width as f32,
                    *rgb,
                    Transform::identity(),
                );
            }
            Op::Ring {
                rect,
                width,
                thousandths,
                color: rgb,
            } => {
                let path = arc(*rect, *width as f32 / 2.0, f32::from(*thousandths) / 1000.0);
                self.stroke(path, *width as f32, *rgb, Transform::identity());
            }
            Op::Icon {
                rect,
                icon,
                color: rgb,
            } => {
                let scale = rect.w as f32 / GRID;
                let place =
                    Transform::from_translate(rect.x as f32, rect.y as f32).pre_scale(scale, scale);
                self.stroke(icon.path(), 2.0, *rgb, place);
            }
            Op::Text {
                size,
                weight,
                color: rgb,
                lines,
                ..
            } => {
                for line in lines {
                    self.line(damage, *weight, *size, *rgb, line);
                }
            }
        }
    }

    fn fill(&mut self, path: Option<Path>, paint: &Paint<'_>) {
        if let Some(path) = path {
            self.canvas.fill_path(
                &path,
                paint,
                FillRule::Winding,
                Transform::identity(),
                Some(&self.mask),
            );
        }
    }

    fn stroke(&mut self, path: Option<Path>, width: f32, rgb: Rgb, place: Transform) {
        if let Some(path) = path {
            self.canvas.stroke_path(
                &path,
                &paint(rgb, 255),
                &pen(width),
                place,
                Some(&self.mask),
            );
        }
    }

    fn line(&mut self, damage: Rect, weight: Weight, size: i32, rgb: Rgb, line: &Line) {
        if self.letters.len() > MAX_CACHED {
            self.letters.clear();
        }
        for &(letter, quarters) in &line.glyphs {
            let (x, part) = (
                quarters.div_euclid(SUBPIXELS),
                quarters.rem_euclid(SUBPIXELS),
            );
            let coverage = self
                .letters
                .entry((weight, size, letter, part))
                .or_insert_with(|| rasterise(weight, size, letter, part).unwrap_or_default());
            blend(&mut self.canvas, damage, x, line.baseline, coverage, rgb);
        }
    }
}

/// Draws the letter once, with the pen at `part` quarters of a pixel; `None` for one without an outline, as a space.
fn rasterise(weight: Weight, size: i32, letter: Letter, part: i32) -> Option<Coverage> {
    let at = point(part as f32 / SUBPIXELS as f32, 0.0);
    let font = letter.face.font(weight)?;
    let glyph = letter
        .id
        .with_scale_and_position(font::scale(font, size), at);
    let outline = font.outline_glyph(glyph)?;
    let bounds = outline.px_bounds();
    let (width, height) = (
        bounds.width().ceil() as usize,
        bounds.height().ceil() as usize,
    );
    let mut values = vec![0; width * height];
    outline.draw(|x, y, covered| {
        if let Some(value) = values.get_mut(y as usize * width + x as usize) {
            *value = (covered.clamp(0.0, 1.0) * 255.0).round() as u8;
        }
    });
    Some(Coverage {
        left: bounds.min.x.floor() as i32,
        top: bounds.min.y.floor() as i32,
        width: width as i32,
        values,
    })
}

/// Lays a letter over the part of the canvas in `damage`; the canvas is opaque there.
fn blend(canvas: &mut Pixmap, damage: Rect, x: i32, y: i32, letter: &Coverage, rgb: Rgb) {
    if letter.width == 0 {
        return;
    }
    let width = canvas.width() as i32;
    let pixels = canvas.pixels_mut();
    for (y, values) in (y + letter.top..).zip(letter.values.chunks_exact(letter.width as usize)) {
        if y < damage.y || y >= damage.bottom() {
            continue;
        }
        for (x, covered) in (x + letter.left..).zip(values) {
            if *covered == 0 || x < damage.x || x >= damage.right() {
                continue;
            }
            if let Some(pixel) = pixels.get_mut((y * width + x) as usize) {
                *pixel = over(*pixel, rgb, *covered);
            }
        }
    }
}

fn over(under: PremultipliedColorU8, rgb: Rgb, covered: u8) -> PremultipliedColorU8 {
    let covered = u32::from(covered);
    let mix = |under: u8, over: u8| {
        ((u32::from(over) * covered + u32::from(under) * (255 - covered) + 127) / 255) as u8
    };
    let [r, g, b] = rgb.0;
    PremultipliedColorU8::from_rgba(
        mix(under.red(), r),
        mix(under.green(), g),
        mix(under.blue(), b),
        255,
    )
    .unwrap_or(under)
}

fn color(rgb: Rgb, alpha: u8) -> Color {
    let [r, g, b] = rgb.0;
    Color::from_rgba8(r, g, b, alpha)
}

fn paint(rgb: Rgb, alpha: u8) -> Paint<'static> {
    let mut paint = Paint {
        anti_alias: true,
        ..Paint::default()
    };
    paint.set_color(color(rgb, alpha));
    paint
}

fn pen(width: f32) -> Stroke {
    Stroke {
        width,
        line_cap: LineCap::Round,
        line_join: LineJoin::Round,
        ..Stroke::default()
    }
}

/// A rounded rectangle, smaller by `inset` on every side.
fn rounded(rect: Rect, radius: i32, inset: f32) -> Option<Path> {
    let (w, h) = (rect.w as f32 - 2.0 * inset, rect.h as f32 - 2.0 * inset);
    let rect = FloatRect::from_xywh(rect.x as f32 + inset, rect.y as f32 + inset, w, h)?;
    let mut path = PathBuilder::new();
    push_rounded(&mut path, rect, radius as f32 - inset);
    path.finish()
}

/// Distance of a control point from the end of a quarter circle of radius 1 (the customary 4/3 (sqrt 2 - 1)).
const KAPPA: f32 = 0.552_285;

pub(super) fn push_rounded(path: &mut PathBuilder, rect: FloatRect, radius: f32) {
    let r = radius.min(rect.width() / 2.0).min(rect.height() / 2.0);
    if r <= 0.0 {
        path.push_rect(rect);
        return;
    }
    let (l, t, right, bottom, k) = (
        rect.left(),
        rect.top(),
        rect.right(),
        rect.bottom(),
        r * (1.0 - KAPPA),
    );
    path.move_to(l + r, t);
    path.line_to(right - r, t);
    path.cubic_to(right - k, t, right, t + k, right, t + r);
    path.line_to(right, bottom - r);
    path.cubic_to(right, bottom - k, right - k, bottom, right - r, bottom);
    path.line_to(l + r, bottom);
    path.cubic_to(l + k, bottom, l, bottom - k, l, bottom - r);
    path.line_to(l, t + r);
    path.cubic_to(l, t + k, l + k, t, l + r, t);
    path.close();
}

/// An arc along the inner edge of `rect`, from the top, clockwise.
fn arc(rect: Rect, inset: f32, turn: f32) -> Option<Path> {
    /// Straight pieces in a whole turn; at the sizes here, each is about 2 pixels long.
    const PIECES: f32 = 96.0;
    let radius = rect.w.min(rect.h) as f32 / 2.0 - inset;
    let (x, y) = (
        rect.x as f32 + rect.w as f32 / 2.0,
        rect.y as f32 + rect.h as f32 / 2.0,
    );
    let mut path = PathBuilder::new();
    if turn >= 1.0 {
        path.push_circle(x, y, radius);
        return path.finish();
    }
    let at = |turn: f32| (turn * std::f32::consts::TAU).sin_cos();
    path.move_to(x, y - radius);
    let whole = (turn * PIECES).floor() as i32;
    for turn in (1..=whole).map(|n| n as f32 / PIECES).chain([turn]) {
        let (sin, cos) = at(turn);
        path.line_to(x + radius * sin, y - radius * cos);
    }
    path.finish()
}
