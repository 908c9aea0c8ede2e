//! What screens are made of: cards, buttons, tiles, keys; drawn and remembered as things to touch.

use std::sync::Arc;

use super::{
    canvas::{Icon, Point, Rect, Sketch},
    skin::Skin,
    target::Target,
    theme::{self, Ink, Rgb, Scale},
};
use crate::text::{Id, ModeNames, Sentence, Text, Words};

/// Something to touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) rect: Rect,
    pub(super) target: Target,
    pub(super) state: State,
}

/// Whether something can be touched now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Enabled,
    Disabled,
}

impl State {
    pub(super) const fn when(possible: bool) -> Self {
        if possible {
            Self::Enabled
        } else {
            Self::Disabled
        }
    }
}

/// How a button looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// The one thing to do next.
    Primary,
    /// Anything else.
    Plain,
    /// What ends or stops something.
    Danger,
}

/// A screen being drawn.
#[derive(Debug)]
pub(super) struct View {
    pub(super) text: Text,
    pub(super) names: Arc<ModeNames>,
    pub(super) sketch: Sketch,
    spots: Vec<Spot>,
    pressed: Option<Target>,
    masked: Option<Rect>,
    pub(super) skin: Skin,
    islands: Vec<Rect>,
}

/// A screen that has been drawn.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) sketch: Sketch,
    pub(super) spots: Vec<Spot>,
    /// What of it the operator must not see.
    pub(super) masked: Option<Rect>,
    /// What of it lies over a screen of other programs.
    pub(super) islands: Vec<Rect>,
}

impl View {
    pub(super) fn new(
        text: Text,
        names: Arc<ModeNames>,
        scale: Scale,
        pressed: Option<Target>,
    ) -> Self {
        Self {
            text,
            names,
            sketch: Sketch::new(scale),
            spots: Vec::new(),
            pressed,
            masked: None,
            skin: Skin::Machine,
            islands: Vec::new(),
        }
    }

    /// The picture, and what is known of it.
    pub(super) fn into_parts(self) -> Drawn {
        Drawn {
            sketch: self.sketch,
            spots: self.spots,
            masked: self.masked,
            islands: self.islands,
        }
    }

    /// Shows `rect`, all of it, on a screen that other programs draw.
    pub(super) fn island(&mut self, rect: Rect) {
        self.islands.push(rect);
    }

    /// Hides `rect` from the operator.
    pub(super) fn mask(&mut self, rect: Rect) {
        self.masked = Some(self.masked.map_or(rect, |masked| masked.union(rect)));
    }

    /// Sets a sentence of the catalogue.
    pub(super) fn say(
        &mut self,
        rect: Rect,
        style: super::canvas::Style,
        ink: Ink,
        id: impl Sentence,
    ) -> Rect {
        let words = self.text.say(id);
        self.sketch.text(rect, style, ink, &words)
    }

    /// Makes `rect` touchable and answers whether a finger is on it.
    pub(super) fn spot(&mut self, rect: Rect, target: Target, state: State) -> bool {
        self.spots.push(Spot {
            rect,
            target,
            state,
        });
        state == State::Enabled && self.pressed == Some(target)
    }

    /// Takes the touch away from everything drawn so far that `rect` covers.
    pub(super) fn cover(&mut self, rect: Rect) {
        self.spots
            .retain(|spot| spot.rect.intersection(rect).is_none());
    }

    /// A raised surface.
    pub(super) fn card(&mut self, rect: Rect, color: Rgb) {
        self.sketch.tint(
            rect.inset(-1).moved(0, 2),
            theme::ROUND + 1,
            theme::SHADE,
            16,
        );
        self.sketch.fill(rect, theme::ROUND, color);
    }

    /// A button with a word.
    pub(super) fn button(&mut self, rect: Rect, target: Target, look: Look, words: &Words) {
        self.button_if(State::Enabled, rect, target, look, words);
    }

    /// A button that may be out of use.
    pub(super) fn button_if(
        &mut self,
        state: State,
        rect: Rect,
        target: Target,
        look: Look,
        words: &Words,
    ) {
        let down = self.spot(rect, target, state);
        let (ground, ink) = match (state, look) {
            (State::Disabled, _) => (theme::DISABLED, Ink::Disabled),
            (State::Enabled, Look::Primary) => (
                if down {
                    theme::PRIMARY_PRESSED
                } else {
                    theme::PRIMARY
                },
                Ink::Light,
            ),
            (State::Enabled, Look::Plain) => (
                if down { theme::PRESSED } else { theme::SURFACE },
                Ink::Accent,
            ),
            (State::Enabled, Look::Danger) => (
                if down {
                    theme::DANGER_PRESSED
                } else {
                    theme::DANGER
                },
                Ink::Light,
            ),
        };
        self.sketch.fill(rect, theme::ROUND, ground);
        if look == Look::Plain && state == State::Enabled {
            self.sketch.outline(rect, theme::ROUND, 2, theme::LINE);
        }
        self.sketch
            .text(rect.inset_xy(12, 4), theme::BUTTON, ink, words);
    }

    /// A key of a keypad or keyboard with a word, digit or letter.
    pub(super) fn key(&mut self, rect: Rect, target: Target, words: &Words) {
        self.key_ground(rect, target);
        self.sketch
            .text(rect.inset_xy(4, 2), theme::KEY, Ink::Text, words);
    }

    /// A key with an icon.
    pub(super) fn icon_key(&mut self, rect: Rect, target: Target, icon: Icon) {
        self.key_ground(rect, target);
        self.sketch
            .icon(rect.center_box(30, 30), icon, Ink::Text.color());
    }

    fn key_ground(&mut self, rect: Rect, target: Target) {
        let down = self.spot(rect, target, State::Enabled);
        self.card(rect, if down { theme::PRESSED } else { theme::SURFACE });
    }

    /// A large thing to choose from: icon, title and a line about it.
    pub(super) fn tile(
        &mut self,
        rect: Rect,
        target: Target,
        icon: Icon,
        title: Id,
        hint: Id,
        look: Look,
    ) {
        let down = self.spot(rect, target, State::Enabled);
        let (ground, badge, mark, ink, muted) = if look == Look::Primary {
            let ground = if down {
                theme::PRIMARY_PRESSED
            } else {
                theme::PRIMARY
            };
            (
                ground,
                theme::PRIMARY_PRESSED,
                Ink::Light,
                Ink::Light,
                Ink::Light,
            )
        } else {
            (
                if down { theme::PRESSED } else { theme::SURFACE },
                theme::PRIMARY_SOFT,
                Ink::Accent,
                Ink::Text,
                Ink::Muted,
            )
        };
        self.card(rect, ground);
        let inner = rect.inset_xy(20, 18);
        let side = (inner.h * 2 / 5).clamp(44, 72);
        let (top, below) = inner.cut_top(side, 8);
        let circle = Rect::new(top.x, top.y, side, side);
        self.sketch.fill(circle, side / 2, badge);
        self.sketch.icon(
            circle.center_box(side * 5 / 9, side * 5 / 9),
            icon,
            mark.color(),
        );
        let (title_box, hint_box) = below.cut_top((below.h * 2 / 5).max(28), 0);
        self.say(title_box, theme::TITLE.one_line(), ink, title);
        self.say(hint_box, theme::SMALL.at_top(), muted, hint);
    }

    /// A row of options of which one is chosen.
    pub(super) fn options<const N: usize>(&mut self, rect: Rect, options: [(Target, Id, bool); N]) {
        let text = self.text;
        let options = options.map(|(target, id, chosen)| (target, text.say(id), chosen));
        self.choices(rect, options);
    }

    /// The same with words that are data.
    pub(super) fn choices<const N: usize>(
        &mut self,
        rect: Rect,
        options: [(Target, Words, bool); N],
    ) {
        self.sketch.fill(rect, theme::ROUND, theme::SURFACE);
        self.sketch.outline(rect, theme::ROUND, 2, theme::LINE);
        for (cell, (target, words, chosen)) in rect.columns::<N>(0).into_iter().zip(options) {
            let down = self.spot(cell, target, State::Enabled);
            let ink = if chosen {
                self.sketch
                    .fill(cell.inset(4), theme::ROUND - 4, theme::PRIMARY);
                Ink::Light
            } else {
                if down {
                    self.sketch
                        .fill(cell.inset(4), theme::ROUND - 4, theme::PRESSED);
                }
                Ink::Text
            };
            self.sketch
                .text(cell.inset_xy(10, 4), theme::BUTTON, ink, &words);
        }
    }

    /// A bar of how far something has come.
    pub(super) fn progress(&mut self, rect: Rect, thousandths: u16) {
        self.sketch.fill(rect, rect.h / 2, theme::DISABLED);
        let done = rect.w * i32::from(thousandths.min(1000)) / 1000;
        if done > 0 {
            self.sketch.fill(
                Rect {
                    w: done.max(rect.h),
                    ..rect
                },
                rect.h / 2,
                theme::PRIMARY,
            );
        }
    }
}

/// What is at `at` and can be touched.
pub(super) fn hit(spots: &[Spot], at: Point) -> Option<Target> {
    let spot = spots.iter().rev().find(|spot| spot.rect.contains(at))?;
    (spot.state == State::Enabled).then_some(spot.target)
}
