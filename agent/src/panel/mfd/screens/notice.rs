//! What to know before entering a code.

use crate::{
    panel::mfd::{
        canvas::{Icon, Rect},
        target::{Place, Target},
        theme::{self, BODY, Ink, SMALL, TITLE},
        view::{Look, View},
    },
    text::Id,
};

pub(super) fn draw(view: &mut View, area: Rect) {
    let body = super::header(view, area, Id::Assistance, Place::Home);

    // The caution comes first: it is for the person whom somebody talks into this.
    let (caution, body) = body.cut_top(96, theme::GAP);
    view.card(caution, theme::WARNING);
    let (mark, words) = caution.inset_xy(20, 8).cut_left(52, 20);
    view.sketch
        .icon(mark.center_box(48, 48), Icon::Warning, Ink::Warning.color());
    let (title, more) = words.cut_top(words.h / 2, 0);
    view.say(title, TITLE.one_line(), Ink::Warning, Id::NoticeCaution);
    view.say(more, SMALL, Ink::Warning, Id::NoticeCautionMore);

    let (buttons, body) = body.cut_bottom(72, theme::GAP);
    let (go_on, rest) = buttons.cut_right(buttons.w * 3 / 5, theme::GAP);
    let words = view.text.say(Id::NoticeContinue);
    view.button(go_on, Target::Go(Place::Entry), Look::Primary, &words);
    let words = view.text.say(Id::Cancel);
    view.button(rest, Target::Go(Place::Home), Look::Plain, &words);

    let [upper, lower] = body.rows(12);
    let [who, see] = upper.columns(12);
    let [stop, kept] = lower.columns(12);
    fact(view, who, Icon::Person, Id::NoticeWho, Id::NoticeWhoText);
    fact(view, see, Icon::Eye, Id::NoticeSee, Id::NoticeSeeText);
    fact(view, stop, Icon::Hand, Id::NoticeStop, Id::NoticeStopText);
    fact(view, kept, Icon::Note, Id::NoticeKept, Id::NoticeKeptText);
}

fn fact(view: &mut View, rect: Rect, icon: Icon, title: Id, words: Id) {
    view.card(rect, theme::SURFACE);
    let (mark, inner) = rect.inset_xy(18, 10).cut_left(40, 16);
    view.sketch.icon(
        Rect { h: 40, ..mark }.moved(0, 4),
        icon,
        Ink::Accent.color(),
    );
    let (title_box, text_box) = inner.cut_top(30, 2);
    view.say(title_box, BODY.bold().one_line(), Ink::Text, title);
    view.say(text_box, SMALL.at_top(), Ink::Muted, words);
}
