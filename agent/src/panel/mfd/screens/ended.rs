//! The end of a session: who was connected, when, what they did, and each setting that was changed.

use super::dialog::raise;
use crate::{
    panel::{
        StopKey,
        mfd::{
            assistance::{Ended, Past, SETTINGS},
            banner,
            canvas::{Icon, Rect},
            target::Target,
            theme::{self, BODY, Ink, MESSAGE, SMALL},
            view::{Look, View},
        },
    },
    text::{Id, Page, Slot, Words},
};

pub(super) fn draw(view: &mut View, area: Rect, ended: &Ended, stop: &StopKey) {
    let height = if ended.past.is_some() { 540 } else { 400 };
    let card = raise(view, area, 760, height);
    let (button, inner) = card.cut_bottom(64, 10);
    let target = ended.on();
    let words = view.text.say(if target == Target::MoreEnded {
        Id::MoreChanges
    } else {
        Id::Ok
    });
    view.button(button, target, Look::Primary, &words);
    let (head, rest) = inner.cut_top(inner.h / 5, 8);
    let (mark, head) = head.cut_left(72, 24);
    view.sketch.icon(
        mark.center_box(64, 64),
        Icon::Assistance,
        Ink::Accent.color(),
    );
    view.say(head, MESSAGE, Ink::Text, Id::EndedTitle);
    let reason = view.text.ended(ended.reason, stop);
    let Some(past) = &ended.past else {
        let [what, nobody] = rest.rows(0);
        view.sketch.text(what, BODY.bold(), Ink::Text, &reason);
        view.say(nobody, BODY, Ink::Muted, Id::EndedNobody);
        return;
    };
    let (rest, settings) = if past.settings.is_empty() {
        (rest, None)
    } else {
        let (settings, rest) = rest.cut_bottom(rest.h / 3, 4);
        (rest, Some(settings))
    };
    let (what, rest) = rest.cut_top(rest.h / 5, 2);
    view.sketch.text(what, BODY.bold(), Ink::Text, &reason);
    let (who, rest) = rest.cut_top(rest.h / 5, 2);
    let name = banner::name(view.text, &past.operator);
    let words = view.text.fill(Id::EndedWith, &[(Slot::Name, &name)]);
    view.sketch.text(who, BODY.cut(), Ink::Text, &words);
    let (when, rest) = rest.cut_top(rest.h / 4, 2);
    view.sketch
        .text(when, BODY, Ink::Text, &past.span(view.text));
    let (did, nobody) = rest.cut_top(rest.h * 2 / 3, 2);
    let words = past.did(view.text, &view.names);
    view.sketch.text(did, BODY, Ink::Text, &words);
    view.say(nobody, SMALL, Ink::Muted, Id::EndedNobody);
    if let Some(rect) = settings {
        changed(view, rect, past, ended.page);
    }
}

/// The settings that were changed, a page of them.
fn changed(view: &mut View, rect: Rect, past: &Past, page: usize) {
    view.sketch.fill(rect, theme::ROUND, theme::BACKGROUND);
    let rows = rect.inset_xy(14, 4).rows::<SETTINGS>(0);
    let shown = past.settings.iter().skip(page * SETTINGS);
    for (row, setting) in rows.into_iter().zip(shown) {
        let name = Words::data(super::changes::inert(setting));
        let words = view.text.fill(Page::EndedChanged, &[(Slot::Name, &name)]);
        view.sketch.text(row, SMALL.cut(), Ink::Text, &words);
    }
}
