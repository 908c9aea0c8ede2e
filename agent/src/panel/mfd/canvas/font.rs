//! The two cuts of Noto Sans that the panel uses, and their measures.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, ScaleFont};

/// How heavy the letters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::panel::mfd) enum Weight {
    Regular,
    Bold,
}

impl Weight {
    /// The face of this weight.
    pub(super) fn face(self) -> &'static FontRef<'static> {
        static FACES: LazyLock<[FontRef<'static>; 2]> = LazyLock::new(|| {
            [notosans::REGULAR_TTF, notosans::BOLD_TTF].map(|bytes| {
                #[expect(
                    clippy::unwrap_used,
                    reason = "the font is part of the program, and a test opens it"
                )]
                FontRef::try_from_slice(bytes).unwrap()
            })
        });
        let [regular, bold] = &*FACES;
        match self {
            Self::Regular => regular,
            Self::Bold => bold,
        }
    }
}

/// Steps in a pixel at which a glyph may stand from the left; finer shows no more.
pub(super) const SUBPIXELS: i32 = 4;

/// The glyphs of a text without line breaks, each with its distance from the first in quarter pixels, and the
/// whole width in pixels.
pub(super) fn set(weight: Weight, size: i32, text: &str) -> (Vec<(GlyphId, i32)>, f32) {
    let face = weight.face().as_scaled(scale(weight, size));
    let mut at = 0.0_f32;
    let mut last = None;
    let mut glyphs = Vec::with_capacity(text.len());
    for c in text.chars() {
        let id = face.glyph_id(c);
        if let Some(last) = last {
            at += face.kern(last, id);
        }
        glyphs.push((id, (at * SUBPIXELS as f32).round() as i32));
        at += face.h_advance(id);
        last = Some(id);
    }
    (glyphs, at)
}

/// Width of a text in pixels.
pub(super) fn width(weight: Weight, size: i32, text: &str) -> f32 {
    set(weight, size, text).1
}

/// Distance from the top of a line to its base line, and height of a line, in pixels: 1.3 em, the letters in the
/// middle.
pub(super) fn line_measures(size: i32) -> (i32, i32) {
    let height = (size * 13 + 5) / 10;
    // Capitals are 0.714 em high in Noto Sans, so this centres them.
    let baseline = (height * 1000 + size * 714) / 2000;
    (baseline, height)
}

/// ab_glyph scales by the height of ascender and descender; sizes here are of the em square, as everywhere else.
pub(super) fn scale(weight: Weight, size: i32) -> f32 {
    let face = weight.face();
    size as f32 * face.height_unscaled() / face.units_per_em().unwrap_or(1000.0)
}
