//! Drawing: rectangles, text and icons as a list of operations, and a painter that repaints what differs.
//!
//! A [`Sketch`] is plain data. Two sketches are compared operation by operation, and only the part of the screen
//! between the first and the last difference is painted again.

pub(super) mod font;
pub(super) mod geometry;
pub(super) mod icon;
mod layout;
mod paint;

pub(super) use geometry::{Point, Rect};
pub(super) use icon::Icon;
pub use layout::Flaw;
pub(super) use layout::{Align, Stand, Style, Wrap};
pub(super) use paint::Painter;

use font::Weight;
use layout::Line;

use super::theme::{Ink, Rgb, Scale};
use crate::text::Words;

/// One thing to draw.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Op {
    /// A filled rectangle with rounded corners; `alpha` of 255 covers.
    Fill {
        rect: Rect,
        radius: i32,
        color: Rgb,
        alpha: u8,
    },
    /// The edge of a rectangle, drawn inside it.
    Outline {
        rect: Rect,
        radius: i32,
        width: i32,
        color: Rgb,
    },
    /// An arc from the top, clockwise, in thousandths of a turn.
    Ring {
        rect: Rect,
        width: i32,
        thousandths: u16,
        color: Rgb,
    },
    /// A line icon.
    Icon { rect: Rect, icon: Icon, color: Rgb },
    /// Lines of text.
    Text {
        rect: Rect,
        size: i32,
        weight: Weight,
        color: Rgb,
        lines: Vec<Line>,
    },
}

impl Op {
    /// Every pixel that the operation can touch.
    fn bounds(&self) -> Rect {
        match self {
            Self::Fill { rect, .. } | Self::Outline { rect, .. } => rect.inset(-1),
            Self::Ring { rect, .. } | Self::Icon { rect, .. } => rect.inset(-2),
            // Accents and italics may reach over the line box by less than a third of an em.
            Self::Text { rect, size, .. } => rect.inset(-(size / 3 + 1)),
        }
    }
}

/// A picture as a list of operations, with what did not fit.
#[derive(Clone, Debug, Default)]
pub(super) struct Sketch {
    ops: Vec<Op>,
    flaws: Vec<Flaw>,
    scale: Scale,
    /// Whether text may be set smaller than it was meant to, as there is less room than the screens were drawn for.
    pub(super) is_small: bool,
}

impl Sketch {
    /// An empty one whose text is set at `scale`.
    pub(super) fn new(scale: Scale) -> Self {
        Self {
            scale,
            ..Self::default()
        }
    }

    /// Fills a rectangle.
    pub(super) fn fill(&mut self, rect: Rect, radius: i32, color: Rgb) {
        self.ops.push(Op::Fill {
            rect,
            radius,
            color,
            alpha: 255,
        });
    }

    /// Darkens or tints a rectangle.
    pub(super) fn tint(&mut self, rect: Rect, radius: i32, color: Rgb, alpha: u8) {
        self.ops.push(Op::Fill {
            rect,
            radius,
            color,
            alpha,
        });
    }

    /// Draws the edge of a rectangle.
    pub(super) fn outline(&mut self, rect: Rect, radius: i32, width: i32, color: Rgb) {
        self.ops.push(Op::Outline {
            rect,
            radius,
            width,
            color,
        });
    }

    /// Draws an arc of `thousandths` of a turn.
    pub(super) fn ring(&mut self, rect: Rect, width: i32, thousandths: u16, color: Rgb) {
        self.ops.push(Op::Ring {
            rect,
            width,
            thousandths: thousandths.min(1000),
            color,
        });
    }

    /// Draws an icon as large as fits into the middle of `rect`.
    pub(super) fn icon(&mut self, rect: Rect, icon: Icon, color: Rgb) {
        let side = rect.w.min(rect.h);
        self.ops.push(Op::Icon {
            rect: rect.center_box(side, side),
            icon,
            color,
        });
    }

    /// Sets text into `rect`: as large as the style says, smaller down to its least size, wrapped if it may.
    ///
    /// What still does not fit is cut with an ellipsis and kept as a [`Flaw`], unless the style says that cutting
    /// is all right. Answers the rectangle that the text takes.
    pub(super) fn text(&mut self, rect: Rect, style: Style, ink: Ink, words: &Words) -> Rect {
        let style = if self.is_small { style.denser() } else { style };
        let laid = layout::lay(rect, style.scaled(self.scale), words.as_str());
        if let Some(flaw) = laid.flaw {
            self.flaws.push(flaw);
        }
        if !laid.lines.is_empty() {
            let color = ink.color();
            self.ops.push(Op::Text {
                rect: laid.rect,
                size: laid.size,
                weight: style.weight,
                color,
                lines: laid.lines,
            });
        }
        laid.rect
    }

    /// The sizes of all texts, in the order in which they are drawn.
    #[cfg(test)]
    pub(super) fn text_sizes(&self) -> Vec<i32> {
        let size = |op: &Op| match op {
            Op::Text { size, .. } => Some(*size),
            Op::Fill { .. } | Op::Outline { .. } | Op::Ring { .. } | Op::Icon { .. } => None,
        };
        self.ops.iter().filter_map(size).collect()
    }

    /// What did not fit.
    pub(super) fn flaws(&self) -> &[Flaw] {
        &self.flaws
    }

    /// The part of the screen in which this picture differs from `old`; `None` if they are the same.
    pub(super) fn damage(&self, old: &Self) -> Option<Rect> {
        let same_ahead = self
            .ops
            .iter()
            .zip(&old.ops)
            .take_while(|(a, b)| a == b)
            .count();
        let (new_rest, old_rest) = (self.ops.get(same_ahead..)?, old.ops.get(same_ahead..)?);
        let same_behind = new_rest
            .iter()
            .rev()
            .zip(old_rest.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        let differing = |ops: &[Op]| {
            let ops = ops.get(..ops.len() - same_behind).unwrap_or_default();
            ops.iter().map(Op::bounds).reduce(Rect::union)
        };
        match (differing(new_rest), differing(old_rest)) {
            (Some(a), Some(b)) => Some(a.union(b)),
            (a, b) => a.or(b),
        }
    }
}
