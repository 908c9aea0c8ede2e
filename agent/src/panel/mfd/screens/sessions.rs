//! Who was connected to this device, newest first.

use crate::{
    panel::mfd::{
        Mfd, Past, banner,
        canvas::Rect,
        target::{Place, Target},
        theme::{self, Ink, SMALL},
        view::{Look, View},
    },
    text::{Id, Page, Words},
};

/// Height of a session's lines.
const ROW: i32 = 82;

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    let body = super::header(view, area, Page::RemoteLast, Place::Remote);
    let past = &mfd.assistance.past;
    if past.is_empty() {
        view.say(body, theme::BODY.at_top(), Ink::Muted, Page::RemoteNever);
        return;
    }
    let rows = (body.h / (ROW + 8)).max(1) as usize;
    let is_all = past.len() <= 2 * rows;
    let (rows, body) = if is_all {
        (rows, body)
    } else {
        let (button, rest) = body.cut_bottom(52, 8);
        let words = view.text.say(Id::MoreChanges);
        view.button(button, Target::MoreSessions, Look::Plain, &words);
        ((rest.h / (ROW + 8)).max(1) as usize, rest)
    };
    let pages = past.len().div_ceil(2 * rows).max(1);
    let shown = past.iter().skip(mfd.page % pages * 2 * rows).take(2 * rows);
    let [left, right] = body.columns(theme::GAP);
    let height = (body.h - (rows as i32 - 1) * 8) / rows as i32;
    for (n, past) in shown.enumerate() {
        let column = if n < rows { left } else { right };
        let y = column.y + (n % rows) as i32 * (height + 8);
        let card = Rect::new(column.x, y, column.w, height.min(ROW + 8));
        view.card(card, theme::SURFACE);
        session(view, card.inset_xy(16, 6), past);
    }
}

/// Who, when, and in which modes.
pub(super) fn session(view: &mut View, rect: Rect, past: &Past) {
    let [who, when, how] = rect.rows(0);
    let name = banner::name(view.text, &past.operator);
    view.sketch.text(who, SMALL.bold().cut(), Ink::Text, &name);
    let words = past.span(view.text);
    view.sketch.text(when, SMALL.one_line(), Ink::Muted, &words);
    let words = modes(view, past);
    view.sketch.text(how, SMALL.cut(), Ink::Muted, &words);
}

fn modes(view: &View, past: &Past) -> Words {
    let mut words: Vec<_> = past
        .modes
        .iter()
        .map(|mode| view.text.mode(mode, &view.names).to_string())
        .collect();
    if past.was_silent {
        words.push(view.text.say(Page::SessionsSleep).to_string());
    }
    Words::data(words.join(" \u{b7} "))
}
