//! The soft keyboard, with the one field that it fills.

use crate::{
    panel::mfd::{
        Mfd,
        canvas::{Icon, Rect},
        target::{Place, Target},
        theme::{self, Ink, SMALL, TITLE},
        view::{Look, State, View},
    },
    text::{Id, Words},
};

/// Letters by row, as on most keyboards.
pub(super) const ROWS: [&[char]; 4] = [
    &['1', '2', '3', '4', '5', '6', '7', '8', '9', '0'],
    &['q', 'w', 'e', 'r', 't', 'y', 'u', 'i', 'o', 'p'],
    &['a', 's', 'd', 'f', 'g', 'h', 'j', 'k', 'l', '-'],
    &['z', 'x', 'c', 'v', 'b', 'n', 'm', '.', '@', '_'],
];

const GAP: i32 = 8;

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    let body = super::header(view, area, Id::AddressBook, Place::Home);
    let body = Rect {
        h: body.h + theme::EDGE - GAP,
        ..body
    };
    let (field, keys) = body.cut_top(if body.h > 400 { 68 } else { 56 }, 12);
    view.sketch.fill(field, theme::ROUND, theme::SURFACE);
    view.sketch.outline(field, theme::ROUND, 2, theme::PRIMARY);
    text_field(mfd, view, field.inset_xy(18, 4));

    let [a, b, c, d, last] = keys.rows(GAP);
    for (row, letters) in [a, b, c, d].into_iter().zip(ROWS) {
        for (cell, letter) in row.columns::<10>(GAP).into_iter().zip(letters) {
            let letter = if mfd.machine.upper {
                letter.to_ascii_uppercase()
            } else {
                *letter
            };
            view.key(cell, Target::Letter(letter), &Words::data(letter));
        }
    }
    let (shift, rest) = last.cut_left(132, GAP);
    let (done, rest) = rest.cut_right(210, GAP);
    let (erase, space) = rest.cut_right(132, GAP);
    view.icon_key(shift, Target::Shift, Icon::Shift);
    let words = view.text.say(Id::KeySpace);
    view.key(space, Target::Letter(' '), &words);
    view.icon_key(erase, Target::EraseLetter, Icon::Erase);
    let words = view.text.say(Id::Done);
    let can_save = !mfd.machine.typing.trim().is_empty();
    view.button_if(
        State::when(can_save),
        done,
        Target::SaveAddress,
        Look::Primary,
        &words,
    );
}

fn text_field(mfd: &Mfd, view: &mut View, inner: Rect) {
    let typing = &mfd.machine.typing;
    let mut cursor = inner.x;
    if typing.is_empty() {
        view.say(inner.moved(10, 0), SMALL, Ink::Muted, Id::AddressPrompt);
    } else {
        // The end is what one types at: a trailing space has to show, so it is set as one that has a width.
        let shown = Words::data(typing.replace(' ', "\u{a0}"));
        cursor = view
            .sketch
            .text(inner, TITLE.one_line(), Ink::Text, &shown)
            .right()
            + 3;
    }
    view.sketch.fill(
        Rect::new(cursor, inner.y, 2, inner.h).center_box(2, 32),
        1,
        theme::PRIMARY,
    );
}
