//! The faces that the panel writes with, and their measures: Noto Sans, a cut of Noto Sans TC for what is Chinese, and a
//! font of the device's own where one is given.

use std::sync::{LazyLock, OnceLock};

use ab_glyph::{Font, FontArc, GlyphId, InvalidFont, ScaleFont};

/// How heavy the letters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::panel::mfd) enum Weight {
    Regular,
    Bold,
}

/// Where a letter is taken from; asked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Face {
    /// The font of the device's own.
    Own,
    /// Noto Sans.
    Latin,
    /// The cut of Noto Sans TC.
    Chinese,
}

/// A letter of a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Letter {
    pub(super) face: Face,
    pub(super) id: GlyphId,
}

/// The font of the device's own, in both weights.
static OWN: OnceLock<FontArc> = OnceLock::new();

/// Writes with the font in `bytes` (TTF or OTF; of a collection the first) wherever it has the letter, in this process.
///
/// # Errors
///
/// [`InvalidFont`] if it is none. Only the first font that is given counts.
pub fn use_own(bytes: Vec<u8>) -> Result<(), InvalidFont> {
    let font = FontArc::try_from_vec(bytes)?;
    let _first = OWN.get_or_init(|| font);
    Ok(())
}

type Faces = LazyLock<[FontArc; 2]>;

fn open(regular: &'static [u8], bold: &'static [u8]) -> [FontArc; 2] {
    [regular, bold].map(|bytes| {
        #[expect(
            clippy::unwrap_used,
            reason = "the font is part of the program, and a test opens it"
        )]
        FontArc::try_from_slice(bytes).unwrap()
    })
}

impl Letter {
    /// The letter for `c`; glyph 0 of Noto Sans, an empty box, where no face has one.
    pub(super) fn of(weight: Weight, c: char) -> Self {
        [Face::Own, Face::Latin, Face::Chinese]
            .into_iter()
            .filter_map(|face| {
                let id = face.font(weight)?.glyph_id(c);
                (id.0 != 0).then_some(Self { face, id })
            })
            .next()
            .unwrap_or(Self {
                face: Face::Latin,
                id: GlyphId(0),
            })
    }

    /// Whether no face has the letter.
    pub(super) const fn is_missing(self) -> bool {
        self.id.0 == 0
    }
}

impl Face {
    /// The font of this weight, if there is one.
    pub(super) fn font(self, weight: Weight) -> Option<&'static FontArc> {
        static LATIN: Faces = Faces::new(|| open(notosans::REGULAR_TTF, notosans::BOLD_TTF));
        static CHINESE: Faces = Faces::new(|| {
            open(
                include_bytes!("../../../../fonts/NotoSansTC-Regular-subset.ttf"),
                include_bytes!("../../../../fonts/NotoSansTC-Bold-subset.ttf"),
            )
        });
        let [regular, bold] = match self {
            Self::Own => return OWN.get(),
            Self::Latin => &*LATIN,
            Self::Chinese => &*CHINESE,
        };
        Some(match weight {
            Weight::Regular => regular,
            Weight::Bold => bold,
        })
    }
}

/// ab_glyph scales by the height of ascender and descender; sizes here are of the em square, as everywhere else.
pub(super) fn scale(font: &FontArc, size: i32) -> f32 {
    size as f32 * font.height_unscaled() / font.units_per_em().unwrap_or(1000.0)
}

/// Steps in a pixel at which a glyph may stand from the left; finer shows no more.
pub(super) const SUBPIXELS: i32 = 4;

/// The letters of a text without line breaks, each with its distance from the first in quarter pixels, and the
/// whole width in pixels.
pub(super) fn set(weight: Weight, size: i32, text: &str) -> (Vec<(Letter, i32)>, f32) {
    let mut at = 0.0_f32;
    let mut last: Option<Letter> = None;
    let mut letters = Vec::with_capacity(text.len());
    for c in text.chars() {
        let letter = Letter::of(weight, c);
        let Some(font) = letter.face.font(weight) else {
            continue;
        };
        let font = font.as_scaled(scale(font, size));
        if let Some(last) = last.filter(|last| last.face == letter.face) {
            at += font.kern(last.id, letter.id);
        }
        letters.push((letter, (at * SUBPIXELS as f32).round() as i32));
        at += font.h_advance(letter.id);
        last = Some(letter);
    }
    (letters, at)
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
