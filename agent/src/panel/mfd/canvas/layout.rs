//! Fitting text into rectangles.

use super::{
    font::{self, Letter, Weight},
    geometry::Rect,
};

/// Where text stands in its rectangle, from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::panel::mfd) enum Align {
    Left,
    Center,
    Right,
}

/// Where text stands in its rectangle, from top to bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::panel::mfd) enum Stand {
    Top,
    Middle,
    Bottom,
}

/// What to do with text that is wider than its rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::panel::mfd) enum Wrap {
    /// Make it smaller; never more than one line.
    Line,
    /// Break it into as many lines as fit.
    Lines,
    /// One line, and cut what does not fit: for names that others chose and that are shown whole elsewhere.
    Cut,
}

/// How text is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::panel::mfd) struct Style {
    /// Size of the letters (em) in pixels.
    pub(in crate::panel::mfd) size: i32,
    /// Least size before the text counts as not fitting.
    pub(in crate::panel::mfd) least: i32,
    pub(in crate::panel::mfd) weight: Weight,
    pub(in crate::panel::mfd) align: Align,
    pub(in crate::panel::mfd) wrap: Wrap,
    pub(in crate::panel::mfd) stand: Stand,
}

/// A place where a customer would miss something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A text that does not fit even at its least size.
    Clipped {
        /// The text.
        text: String,
        /// Where it should have stood.
        rect: Rect,
    },
    /// A text with a character that the font does not have.
    NoGlyph {
        /// The text.
        text: String,
    },
}

/// A line of glyphs, in quarter pixels from the left of the screen, on a base line in pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::panel::mfd) struct Line {
    pub(super) baseline: i32,
    pub(super) glyphs: Vec<(Letter, i32)>,
}

/// Text that has found its place.
#[derive(Debug)]
pub(super) struct Laid {
    pub(super) rect: Rect,
    pub(super) size: i32,
    pub(super) lines: Vec<Line>,
    pub(super) flaw: Option<Flaw>,
}

/// Sets `text` into `rect`.
pub(super) fn lay(rect: Rect, style: Style, text: &str) -> Laid {
    if let Some((size, lines)) = largest(rect, style, text) {
        return place(rect, style, size, &lines, missing(style, text));
    }
    let line = cut(rect, style, text);
    let flaw = (style.wrap != Wrap::Cut).then(|| Flaw::Clipped {
        text: text.to_owned(),
        rect,
    });
    place(rect, style, style.least, &[line], flaw)
}

/// A line of a text, and whether it ends within a word.
#[derive(Default)]
struct Broken {
    text: String,
    is_torn: bool,
}

/// The largest size at which `text` fits, found by halving, and its lines.
///
/// Rather small than with a word torn apart; torn apart rather than not at all.
fn largest(rect: Rect, style: Style, text: &str) -> Option<(i32, Vec<String>)> {
    let whole =
        |size| fit(rect, style, size, text).filter(|lines| lines.iter().all(|line| !line.is_torn));
    halve(style, whole)
        .or_else(|| halve(style, |size| fit(rect, style, size, text)))
        .map(|(size, lines)| (size, lines.into_iter().map(|line| line.text).collect()))
}

fn halve<T>(style: Style, fits: impl Fn(i32) -> Option<T>) -> Option<(i32, T)> {
    let at = |size| Some((size, fits(size)?));
    if let Some(found) = at(style.size) {
        return Some(found);
    }
    let (mut fits, mut too_large) = (at(style.least)?, style.size);
    while too_large - fits.0 > 1 {
        let size = i32::midpoint(fits.0, too_large);
        match at(size) {
            Some(found) => fits = found,
            None => too_large = size,
        }
    }
    Some(fits)
}

/// The lines of `text` at `size`; `None` if they do not fit into `rect`.
fn fit(rect: Rect, style: Style, size: i32, text: &str) -> Option<Vec<Broken>> {
    let (_, height) = font::line_measures(size);
    let lines = match style.wrap {
        Wrap::Line | Wrap::Cut => vec![Broken {
            text: text.to_owned(),
            is_torn: false,
        }],
        Wrap::Lines => wrap(rect.w, style.weight, size, text),
    };
    let wide_enough = lines
        .iter()
        .all(|line| font::width(style.weight, size, &line.text) <= rect.w as f32);
    // A single line may be higher than its rectangle by the air in its line box.
    let high_enough = if lines.len() == 1 {
        rect.h >= size
    } else {
        lines.len() as i32 * height <= rect.h + height - size
    };
    (wide_enough && high_enough).then_some(lines)
}

/// Whether no line may begin with `c`, as Chinese and other typography has it.
const fn clings_to_what_precedes(c: char) -> bool {
    matches!(
        c,
        '，' | '。' | '、' | '：' | '；' | '？' | '！' | '）' | '」' | ',' | '.' | ')' | ':'
    )
}

/// Whether a line may end before or after `c`: Chinese characters and their punctuation.
const fn breaks_anywhere(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}

/// Breaks at spaces, and inside a word only if it is wider than a line by itself, as all of a Chinese sentence is.
fn wrap(width: i32, weight: Weight, size: i32, text: &str) -> Vec<Broken> {
    let fits = |line: &str| font::width(weight, size, line) <= width as f32;
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let joined = if line.is_empty() {
            word.to_owned()
        } else {
            format!("{line} {word}")
        };
        if fits(&joined) {
            line = joined;
            continue;
        }
        if !line.is_empty() && word.contains(breaks_anywhere) {
            line.push(' ');
        } else if !line.is_empty() {
            lines.push(Broken {
                text: std::mem::take(&mut line),
                is_torn: false,
            });
        }
        for c in word.chars() {
            line.push(c);
            if !fits(&line) && line.chars().count() > 1 {
                line.pop();
                let mut next = c.to_string();
                if clings_to_what_precedes(c)
                    && line.chars().count() > 1
                    && let Some(last) = line.pop()
                {
                    next.insert(0, last);
                }
                let text = std::mem::replace(&mut line, next);
                let is_torn =
                    !breaks_anywhere(c) && !text.ends_with(|c| c == ' ' || breaks_anywhere(c));
                lines.push(Broken { text, is_torn });
            }
        }
    }
    lines.push(Broken {
        text: line,
        is_torn: false,
    });
    lines
}

/// As much of `text` as fits into one line, and an ellipsis.
fn cut(rect: Rect, style: Style, text: &str) -> String {
    let mut kept: String = text.to_owned();
    loop {
        let line = format!("{}\u{2026}", kept.trim_end());
        if kept.pop().is_none() || font::width(style.weight, style.least, &line) <= rect.w as f32 {
            return line;
        }
    }
}

fn missing(style: Style, text: &str) -> Option<Flaw> {
    text.chars()
        .any(|c| !c.is_whitespace() && Letter::of(style.weight, c).is_missing())
        .then(|| Flaw::NoGlyph {
            text: text.to_owned(),
        })
}

fn place(rect: Rect, style: Style, size: i32, texts: &[String], flaw: Option<Flaw>) -> Laid {
    let (baseline, height) = font::line_measures(size);
    let all = height * texts.len() as i32;
    let top = match style.stand {
        Stand::Top => rect.y,
        Stand::Middle => rect.y + (rect.h - all) / 2,
        Stand::Bottom => rect.bottom() - all,
    };
    let mut taken: Option<Rect> = None;
    let mut lines = Vec::with_capacity(texts.len());
    for (n, text) in texts.iter().enumerate() {
        let (glyphs, width) = font::set(style.weight, size, text);
        let width = width.ceil() as i32;
        let left = match style.align {
            Align::Left => rect.x,
            Align::Center => rect.x + (rect.w - width) / 2,
            Align::Right => rect.right() - width,
        };
        let y = top + height * n as i32;
        let this = Rect::new(left, y, width, height);
        taken = Some(taken.map_or(this, |taken| taken.union(this)));
        let glyphs = glyphs
            .into_iter()
            .map(|(id, x)| (id, left * font::SUBPIXELS + x))
            .collect();
        lines.push(Line {
            baseline: y + baseline,
            glyphs,
        });
    }
    let nothing = Rect::new(rect.x, rect.y, 0, 0);
    Laid {
        rect: taken.unwrap_or(nothing),
        size,
        lines,
        flaw,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: Style = Style {
        size: 24,
        least: 14,
        weight: Weight::Regular,
        align: Align::Left,
        wrap: Wrap::Lines,
        stand: Stand::Middle,
    };

    #[test]
    fn text_that_fits_keeps_its_size() {
        let laid = lay(Rect::new(0, 0, 400, 40), STYLE, "Remote Assistance");
        assert_eq!((laid.size, laid.lines.len(), laid.flaw), (24, 1, None));
    }

    #[test]
    fn text_that_is_too_long_wraps_then_shrinks_then_is_reported() {
        let text = "a sentence of some length that has to go somewhere";
        let wrapped = lay(Rect::new(0, 0, 300, 100), STYLE, text);
        assert_eq!((wrapped.size, wrapped.lines.len()), (24, 2));
        let shrunk = lay(Rect::new(0, 0, 300, 40), STYLE, text);
        assert!(shrunk.size < 24 && shrunk.flaw.is_none());
        let clipped = lay(Rect::new(0, 0, 60, 20), STYLE, text);
        assert!(matches!(clipped.flaw, Some(Flaw::Clipped { .. })));
        let cut = lay(
            Rect::new(0, 0, 60, 20),
            Style {
                wrap: Wrap::Cut,
                ..STYLE
            },
            text,
        );
        assert_eq!((cut.flaw, cut.lines.len()), (None, 1));
    }

    #[test]
    fn a_word_wider_than_a_line_is_broken_and_nothing_leaves_the_rectangle() {
        let rect = Rect::new(10, 10, 120, 200);
        let laid = lay(rect, STYLE, "Wwwwwwwwwwwwwwwwwwwwwwwwwwww");
        assert!(laid.lines.len() > 1);
        assert_eq!(laid.rect.intersection(rect), Some(laid.rect));
    }
}
