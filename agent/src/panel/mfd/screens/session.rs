//! Who is connected, whole: what the Remote Assistance icon shows during a session.

use crate::{
    panel::mfd::{
        Mfd,
        canvas::Rect,
        target::Place,
        theme::{self, BODY, Ink},
        view::View,
    },
    text::Id,
};

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    let body = super::header(view, area, Id::SessionTitle, Place::Home);
    let Some(active) = mfd.assistance.live() else {
        return;
    };
    let (card, below) = body.cut_top((body.h * 3 / 5).min(230), theme::GAP);
    super::progress::identity(view, card, &active.operator);
    let [may, end] = Rect {
        h: below.h.min(110),
        ..below
    }
    .rows(4);
    let words = view.text.may(&active.mode, &view.names);
    view.sketch.text(may, BODY.bold(), Ink::Text, &words);
    view.say(end, BODY, Ink::Muted, Id::SessionEndHint);
}
