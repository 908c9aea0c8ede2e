//! Scanning to an address.

use crate::{
    panel::mfd::{
        Mfd,
        canvas::{Icon, Rect},
        machine::Choice,
        target::{Place, Target},
        theme::{self, BODY, Ink, TITLE},
        view::{Look, State, View},
    },
    text::{Id, Words},
};

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    let body = super::header(view, area, Id::Scan, Place::Home);
    let (start, body) = body.cut_bottom(72, theme::GAP);
    let (card, file) = body.cut_top(body.h / 2, theme::GAP);

    view.card(card, theme::SURFACE);
    let (badge, inner) = card.inset(20).cut_left(72, 20);
    let circle = badge.center_box(72, 72);
    view.sketch.fill(circle, 36, theme::PRIMARY_SOFT);
    view.sketch.icon(
        circle.center_box(40, 40),
        Icon::Address,
        Ink::Accent.color(),
    );
    let (choose, inner) = inner.cut_right(240, 20);
    let words = view.text.say(Id::ChooseAddress);
    view.button(
        choose.center_box(240, 64),
        Target::Go(Place::Address),
        Look::Plain,
        &words,
    );
    let [label, value] = inner.center_box(inner.w, inner.h.min(90)).rows(0);
    view.say(label, BODY, Ink::Muted, Id::SendTo);
    if let Some(address) = &mfd.machine.address {
        view.sketch
            .text(value, TITLE.cut(), Ink::Text, &Words::data(address));
    } else {
        view.say(value, TITLE.one_line(), Ink::Muted, Id::NoAddress);
    }

    let chosen = mfd.machine.file;
    super::copy::row_of(
        view,
        file.center_box(file.w, file.h.min(72)),
        Id::FileType,
        [
            (Choice::FilePdf, Id::FilePdf, chosen),
            (Choice::FileJpeg, Id::FileJpeg, chosen),
        ],
    );
    let can_start = mfd.machine.address.is_some() && !mfd.machine.is_working(mfd.now);
    let words = view.text.say(Id::Start);
    view.button_if(
        State::when(can_start),
        start,
        Target::Start,
        Look::Primary,
        &words,
    );
}
