//! Colours, letter sizes and distances of the panel; all of them.

use super::canvas::{Align, Stand, Style, Wrap, font::Weight};

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) [u8; 3]);

const fn rgb(hex: u32) -> Rgb {
    let [_, r, g, b] = hex.to_be_bytes();
    Rgb([r, g, b])
}

pub(super) const BACKGROUND: Rgb = rgb(0xeef2f6);
pub(super) const SURFACE: Rgb = rgb(0xffffff);
pub(super) const PRESSED: Rgb = rgb(0xd9e6f2);
pub(super) const LINE: Rgb = rgb(0xc9d3dc);
pub(super) const SHADE: Rgb = rgb(0x0c1f30);
pub(super) const PRIMARY: Rgb = rgb(0x0b5cad);
pub(super) const PRIMARY_PRESSED: Rgb = rgb(0x084580);
pub(super) const PRIMARY_SOFT: Rgb = rgb(0xe1edf9);
pub(super) const DANGER: Rgb = rgb(0xb31f1a);
pub(super) const DANGER_PRESSED: Rgb = rgb(0x881511);
pub(super) const WARNING: Rgb = rgb(0xffd666);
pub(super) const WARNING_SOFT: Rgb = rgb(0xfff3d1);
pub(super) const GOOD: Rgb = rgb(0x176b3a);
pub(super) const GOOD_SOFT: Rgb = rgb(0xe0f2e6);
pub(super) const DISABLED: Rgb = rgb(0xdde4ea);
pub(super) const BANNER: Rgb = rgb(0x102a43);

/// What text is written with: a colour on the ground that it is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Text on the background, a surface or a pressed surface.
    Text,
    /// Secondary text on the same.
    Muted,
    /// Text in the primary colour on a light ground.
    Accent,
    /// On the primary colour, on danger and on the banner.
    Light,
    /// Secondary text on the banner.
    LightMuted,
    /// On either warning colour.
    Warning,
    /// A warning on a light ground.
    Danger,
    /// Good news on its soft ground or on a surface.
    Good,
    /// A word on a button that cannot be pressed.
    Disabled,
}

impl Ink {
    /// Every ink.
    #[cfg(test)]
    pub(super) const ALL: [Self; 9] = [
        Self::Text,
        Self::Muted,
        Self::Accent,
        Self::Light,
        Self::LightMuted,
        Self::Warning,
        Self::Danger,
        Self::Good,
        Self::Disabled,
    ];

    /// The colour.
    pub(super) const fn color(self) -> Rgb {
        match self {
            Self::Text => rgb(0x132030),
            Self::Muted => rgb(0x475869),
            Self::Accent => rgb(0x0a5299),
            Self::Light => rgb(0xffffff),
            Self::LightMuted => rgb(0xc6d6e5),
            Self::Warning => rgb(0x3d2a00),
            Self::Danger => rgb(0xa11a15),
            Self::Good => rgb(0x145e33),
            Self::Disabled => rgb(0x4f5e6c),
        }
    }

    /// Every ground that this ink may stand on.
    #[cfg(test)]
    pub(super) const fn grounds(self) -> &'static [Rgb] {
        match self {
            Self::Text | Self::Muted => &[BACKGROUND, SURFACE, PRESSED, PRIMARY_SOFT, WARNING_SOFT],
            Self::Accent => &[BACKGROUND, SURFACE, PRESSED, PRIMARY_SOFT],
            Self::Light => &[
                PRIMARY,
                PRIMARY_PRESSED,
                DANGER,
                DANGER_PRESSED,
                BANNER,
                GOOD,
            ],
            Self::LightMuted => &[BANNER, PRIMARY_PRESSED],
            Self::Warning => &[WARNING, WARNING_SOFT],
            Self::Danger => &[BACKGROUND, SURFACE, WARNING_SOFT],
            Self::Good => &[BACKGROUND, SURFACE, GOOD_SOFT],
            Self::Disabled => &[DISABLED],
        }
    }
}

/// Least side of anything to touch, in pixels: 9 mm on a 10-inch panel of 1024 pixels are 44.
pub(super) const TOUCH: i32 = 48;
/// Distance between things, and from the edge of the screen.
pub(super) const GAP: i32 = 16;
/// Distance from the edge of the screen.
pub(super) const EDGE: i32 = 24;
/// Corners of cards and buttons.
pub(super) const ROUND: i32 = 14;

const fn style(size: i32, least: i32, weight: Weight, wrap: Wrap) -> Style {
    Style {
        size,
        least,
        weight,
        align: Align::Left,
        wrap,
        stand: Stand::Middle,
    }
}

/// A heading of a screen.
pub(super) const HEADING: Style = style(28, 20, Weight::Bold, Wrap::Line);
/// The largest words: what a full-screen message says.
pub(super) const MESSAGE: Style = style(34, 22, Weight::Bold, Wrap::Lines);
/// A title of a card or a tile.
pub(super) const TITLE: Style = style(24, 17, Weight::Bold, Wrap::Lines);
/// Running text.
pub(super) const BODY: Style = style(21, 16, Weight::Regular, Wrap::Lines);
/// Small running text.
pub(super) const SMALL: Style = style(18, 15, Weight::Regular, Wrap::Lines);
/// A word on a button.
pub(super) const BUTTON: Style = Style {
    align: Align::Center,
    ..style(22, 15, Weight::Bold, Wrap::Lines)
};
/// A digit or letter on a key.
pub(super) const KEY: Style = Style {
    align: Align::Center,
    ..style(30, 16, Weight::Regular, Wrap::Line)
};

/// How large text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scale {
    /// As the screens were drawn.
    #[default]
    Normal,
    /// 150 %, where there is room.
    Large,
    /// 200 %, where there is room.
    Double,
}

impl Scale {
    /// Every scale.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Large, Self::Double];

    /// In percent.
    pub const fn percent(self) -> u8 {
        match self {
            Self::Normal => 100,
            Self::Large => 150,
            Self::Double => 200,
        }
    }

    /// The scale of this many percent.
    pub fn from_percent(percent: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|scale| scale.percent() == percent)
    }
}

impl Style {
    /// As large as the scale says where there is room for it, and never smaller than it would be without one.
    pub(super) const fn scaled(self, scale: Scale) -> Self {
        Self {
            size: self.size * scale.percent() as i32 / 100,
            ..self
        }
    }

    /// The same where there is little room: at least three fifths as large.
    pub(super) const fn denser(self) -> Self {
        Self {
            least: self.least * 3 / 5,
            ..self
        }
    }

    pub(super) const fn centered(self) -> Self {
        Self {
            align: Align::Center,
            ..self
        }
    }

    pub(super) const fn right(self) -> Self {
        Self {
            align: Align::Right,
            ..self
        }
    }

    pub(super) const fn at_top(self) -> Self {
        Self {
            stand: Stand::Top,
            ..self
        }
    }

    pub(super) const fn at_bottom(self) -> Self {
        Self {
            stand: Stand::Bottom,
            ..self
        }
    }

    pub(super) const fn bold(self) -> Self {
        Self {
            weight: Weight::Bold,
            ..self
        }
    }

    pub(super) const fn one_line(self) -> Self {
        Self {
            wrap: Wrap::Line,
            ..self
        }
    }

    /// One line that may be cut: only for names that others chose and that another screen shows whole.
    pub(super) const fn cut(self) -> Self {
        Self {
            wrap: Wrap::Cut,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.2).
    fn luminance(rgb: Rgb) -> f64 {
        let [r, g, b] = rgb.0.map(|v| {
            let v = f64::from(v) / 255.0;
            if v <= 0.040_45 {
                v / 12.92
            } else {
                ((v + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn every_ink_stands_out_from_every_ground_by_4_5_to_1() {
        for ink in Ink::ALL {
            for ground in ink.grounds() {
                let (a, b) = (luminance(ink.color()), luminance(*ground));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{ink:?} on {ground:?}: {contrast:.2}");
            }
        }
    }
}
