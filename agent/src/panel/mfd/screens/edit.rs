//! The soft keyboard for one setting of the way to the service.

use super::address::ROWS;
use crate::{
    panel::mfd::{
        Mfd,
        canvas::{Icon, Rect},
        edit::Edit,
        remote::Field,
        target::{Place, Target},
        theme::{self, Ink, SMALL, TITLE},
        view::{Look, View},
    },
    text::{Page, Words},
};

const GAP: i32 = 8;

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect, edit: &Edit) {
    let (title, hint, wrong) = match edit.field {
        Field::Interface => (
            Page::EditNetwork,
            Page::EditNetworkHint,
            Page::EditNetworkWrong,
        ),
        Field::Proxy => (Page::EditProxy, Page::EditProxyHint, Page::EditProxyWrong),
        Field::Relay | Field::Allowed | Field::Language | Field::TextSize => {
            (Page::EditRelay, Page::EditRelayHint, Page::EditRelayWrong)
        }
    };
    let body = super::header(view, area, title, Place::Remote);
    let body = Rect {
        h: body.h + theme::EDGE - GAP,
        ..body
    };
    let (field, keys) = body.cut_top(if body.h > 400 { 60 } else { 50 }, 4);
    view.sketch.fill(field, theme::ROUND, theme::SURFACE);
    view.sketch.outline(field, theme::ROUND, 2, theme::PRIMARY);
    let inner = field.inset_xy(18, 4);
    let mut cursor = inner.x;
    if !edit.typed.is_empty() {
        let shown = Words::data(tail(&edit.typed));
        let style = TITLE.one_line().cut();
        cursor = view.sketch.text(inner, style, Ink::Text, &shown).right() + 3;
    }
    let cursor = Rect::new(cursor, inner.y, 2, inner.h).center_box(2, 32);
    view.sketch.fill(cursor, 1, theme::PRIMARY);
    let (said, keys) = keys.cut_top(if body.h > 400 { 52 } else { 30 }, 4);
    if edit.is_wrong {
        view.say(said, SMALL.bold(), Ink::Danger, wrong);
    } else {
        let credentials = match (edit.field, mfd.facts.has_credentials) {
            (Field::Proxy, true) => Page::RemoteCredentials,
            (Field::Proxy, false) => Page::RemoteNoCredentials,
            _ => Page::RemoteNextCode,
        };
        let [first, second] = said.rows(0);
        if body.h > 400 {
            view.say(first, SMALL, Ink::Muted, hint);
            view.say(second, SMALL, Ink::Muted, credentials);
        } else {
            view.say(said, SMALL, Ink::Muted, hint);
        }
    }
    keyboard(view, keys, edit);
}

/// The end of a long value: it is what one types at.
fn tail(typed: &str) -> &str {
    /// Characters that fit whatever the size of the text.
    const SHOWN: usize = 44;
    typed
        .char_indices()
        .rev()
        .nth(SHOWN)
        .map_or(typed, |(at, _)| typed.get(at..).unwrap_or(typed))
}

fn keyboard(view: &mut View, keys: Rect, edit: &Edit) {
    let [a, b, c, d, last] = keys.rows(GAP);
    for (row, letters) in [a, b, c, d].into_iter().zip(ROWS) {
        for (cell, letter) in row.columns::<10>(GAP).into_iter().zip(letters) {
            let letter = if edit.upper {
                letter.to_ascii_uppercase()
            } else {
                *letter
            };
            view.key(cell, Target::EditLetter(letter), &Words::data(letter));
        }
    }
    let (shift, rest) = last.cut_left(132, GAP);
    let (keep, rest) = rest.cut_right(210, GAP);
    let (erase, rest) = rest.cut_right(132, GAP);
    view.icon_key(shift, Target::EditShift, Icon::Shift);
    for (cell, letter) in rest.columns::<2>(GAP).into_iter().zip([':', '/']) {
        view.key(cell, Target::EditLetter(letter), &Words::data(letter));
    }
    view.icon_key(erase, Target::EditErase, Icon::Erase);
    let words = view.text.say(Page::Keep);
    view.button(keep, Target::EditKeep, Look::Primary, &words);
}
