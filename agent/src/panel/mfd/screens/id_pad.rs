//! The pad for the system administrator's ID: what is typed shows as dots, and all of it is hidden from the operator.

use std::time::Duration;

use super::address::ROWS;
use crate::{
    panel::mfd::{
        canvas::{Icon, Rect},
        id_pad::{IdPad, Keys},
        target::Target,
        theme::{self, BODY, Ink, TITLE},
        view::{Look, State, View},
    },
    text::{Id, Page, Words},
};

const GAP: i32 = 8;
/// Height of the two buttons.
const BUTTONS: i32 = 64;

/// What the pad is for.
pub(super) struct For {
    /// What is to be decided, above the field.
    pub(super) what: Words,
    /// A line below the message, such as how long an answer is waited for.
    pub(super) note: Option<Words>,
    /// What is said of what was typed, and whether it is bad news.
    pub(super) said: (Words, bool),
    /// Away without an ID.
    pub(super) no: (Target, Id),
    /// On with what is typed.
    pub(super) yes: Words,
}

/// Draws the pad into `card`.
pub(super) fn draw(view: &mut View, card: Rect, purpose: &For, pad: &IdPad, now: Duration) {
    let (buttons, inner) = card.cut_bottom(BUTTONS.min((card.h / 6).max(theme::TOUCH)), 12);
    let [no, yes] = buttons.columns(theme::GAP);
    let words = view.text.say(purpose.no.1);
    view.button(no, purpose.no.0, Look::Plain, &words);
    let state = State::when(pad.can_confirm(now));
    view.button_if(state, yes, Target::ConfirmId, Look::Primary, &purpose.yes);
    match pad.keys() {
        Keys::Digits => {
            let (keys, said) = inner.cut_right(312.min(inner.w / 2), 28.min(inner.w / 24));
            digits(view, keys);
            let (what, said) = said.cut_top(said.h * 3 / 10, 8);
            view.sketch.text(what, TITLE, Ink::Text, &purpose.what);
            let (field_box, said) = said.cut_top((said.h * 2 / 5).min(56), 8);
            field(view, field_box, pad, now);
            message(view, said, purpose, pad);
        }
        Keys::Letters => {
            let (top, keys) = inner.cut_top((inner.h - 4 * 52 - 3 * GAP - 12).min(72), 12);
            let (field_box, said) = top.cut_left(top.w / 2, 20);
            field(
                view,
                field_box.center_box(field_box.w, field_box.h.min(56)),
                pad,
                now,
            );
            message(view, said, purpose, pad);
            letters(view, keys, pad);
        }
    }
}

/// As many dots as there are characters.
fn field(view: &mut View, rect: Rect, pad: &IdPad, now: Duration) {
    let is_open = pad.is_open(now);
    let (ground, edge) = if is_open {
        (theme::SURFACE, theme::PRIMARY)
    } else {
        (theme::DISABLED, theme::LINE)
    };
    view.sketch.fill(rect, theme::ROUND, ground);
    view.sketch.outline(rect, theme::ROUND, 2, edge);
    let inner = rect.inset_xy(20, 8);
    // The last ones, where there are more than fit.
    let fit = ((inner.w - 8) / 22).max(0) as usize;
    let mut at = inner.x;
    for _ in 0..pad.len().min(fit) {
        let dot = Rect::new(at, inner.y, 14, inner.h).center_box(14, 14);
        view.sketch.fill(dot, 7, Ink::Text.color());
        at += 22;
    }
    if is_open {
        let cursor = Rect::new(at, inner.y, 2, inner.h).center_box(2, 32);
        view.sketch.fill(cursor, 1, theme::PRIMARY);
    }
}

fn message(view: &mut View, rect: Rect, purpose: &For, pad: &IdPad) {
    let (words, is_bad) = &purpose.said;
    let ink = if *is_bad { Ink::Danger } else { Ink::Muted };
    let style = if *is_bad { BODY.bold() } else { BODY };
    match &purpose.note {
        Some(note) if pad.keys() == Keys::Digits => {
            let (upper, lower) = rect.cut_top(rect.h * 3 / 5, 4);
            view.sketch.text(upper, style, ink, words);
            view.sketch.text(lower, theme::SMALL, Ink::Muted, note);
        }
        Some(_) | None => drop(view.sketch.text(rect, style, ink, words)),
    }
}

fn digits(view: &mut View, keys: Rect) {
    let [a, b, c, d] = keys.rows(GAP);
    for (row, first) in [(a, '1'), (b, '4'), (c, '7')] {
        for (cell, digit) in row.columns::<3>(GAP).into_iter().zip(first..) {
            view.key(cell, Target::IdLetter(digit), &Words::data(digit));
        }
    }
    let [turn, zero, erase] = d.columns(GAP);
    let words = view.text.say(Page::KeyLetters);
    view.button(turn, Target::IdKeys, Look::Plain, &words);
    view.key(zero, Target::IdLetter('0'), &Words::data('0'));
    view.icon_key(erase, Target::IdErase, Icon::Erase);
}

fn letters(view: &mut View, keys: Rect, pad: &IdPad) {
    let (side, keys) = keys.cut_right(92, GAP);
    for (row, letters) in keys.rows::<4>(GAP).into_iter().zip(ROWS) {
        for (cell, letter) in row.columns::<10>(GAP).into_iter().zip(letters) {
            let letter = if pad.is_upper() {
                letter.to_ascii_uppercase()
            } else {
                *letter
            };
            view.key(cell, Target::IdLetter(letter), &Words::data(letter));
        }
    }
    let [erase, shift, turn] = side.rows(GAP);
    view.icon_key(erase, Target::IdErase, Icon::Erase);
    view.icon_key(shift, Target::IdShift, Icon::Shift);
    let words = view.text.say(Page::KeyDigits);
    view.button(turn, Target::IdKeys, Look::Plain, &words);
}
