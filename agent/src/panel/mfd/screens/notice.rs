//! What to know before entering a code.

use crate::{
    panel::mfd::{
        Mfd,
        canvas::{Icon, Rect},
        remote::Allowed,
        skin::Skin,
        target::{Place, Target},
        theme::{self, BODY, Ink, MESSAGE, SMALL, TITLE},
        view::{Look, View},
    },
    text::{Id, Naming, Page, Slot, Words},
};

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    let body = super::header(view, area, Id::Assistance, Place::Home);
    if mfd.skin == Skin::Overlay {
        // The machine has no settings page that leads there.
        let corner = Rect::new(area.right() - theme::EDGE - 52, area.y + 10, 52, 52);
        view.icon_key(corner, Target::Go(Place::Remote), Icon::Settings);
    }
    if mfd.preferences.allowed == Allowed::Off {
        off(view, body);
        return;
    }

    // The home screen of the machine says it already; over other programs there is none.
    let body = if mfd.skin == Skin::Overlay {
        super::last_session(mfd, view, body)
    } else {
        body
    };
    let gap = theme::GAP.min(body.h / 30);
    // The caution comes first: it is for the person whom somebody talks into this.
    let (caution, body) = body.cut_top((body.h / 5).min(96), gap);
    view.card(caution, theme::WARNING);
    let (mark, words) = caution.inset_xy(20, 8).cut_left(52, 20);
    view.sketch
        .icon(mark.center_box(48, 48), Icon::Warning, Ink::Warning.color());
    let (title, more) = words.cut_top(words.h / 2, 0);
    view.say(title, TITLE.one_line(), Ink::Warning, Id::NoticeCaution);
    view.say(more, SMALL, Ink::Warning, Id::NoticeCautionMore);

    let (buttons, body) = body.cut_bottom((body.h / 6).clamp(theme::TOUCH, 72), gap);
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
    let key = view.text.stop_key(&mfd.stop, Naming::Whole);
    let words = view.text.fill(Id::NoticeStopText, &[(Slot::Key, &key)]);
    fact_of(view, stop, Icon::Hand, Id::NoticeStop, &words);
    fact(view, kept, Icon::Note, Id::NoticeKept, Id::NoticeKeptText);
}

/// Instead of all that, while the owner has turned it off.
fn off(view: &mut View, body: Rect) {
    let (button, body) = body.cut_bottom(72, theme::GAP);
    let words = view.text.say(Id::Close);
    view.button(button, Target::Go(Place::Home), Look::Primary, &words);
    view.card(body, theme::SURFACE);
    let (mark, words) = body.inset_xy(32, 24).cut_left(112, 32);
    view.sketch.icon(
        mark.center_box(96, 96),
        Icon::Assistance,
        Ink::Muted.color(),
    );
    let [what, next] = words.center_box(words.w, words.h.min(260)).rows(12);
    view.say(what, MESSAGE.at_bottom(), Ink::Text, Page::RemoteOff);
    view.say(next, BODY.at_top(), Ink::Muted, Page::RemoteOffNext);
}

fn fact(view: &mut View, rect: Rect, icon: Icon, title: Id, words: Id) {
    let words = view.text.say(words);
    fact_of(view, rect, icon, title, &words);
}

fn fact_of(view: &mut View, rect: Rect, icon: Icon, title: Id, words: &Words) {
    view.card(rect, theme::SURFACE);
    let (mark, inner) = rect.inset_xy(18, 10).cut_left(40, 16);
    view.sketch.icon(
        Rect { h: 40, ..mark }.moved(0, 4),
        icon,
        Ink::Accent.color(),
    );
    let (title_box, text_box) = inner.cut_top(30, 2);
    view.say(title_box, BODY.bold().one_line(), Ink::Text, title);
    view.sketch
        .text(text_box, SMALL.at_top(), Ink::Muted, words);
}
