//! Cards over a screen: a question of the operator's, and the end of a session.

use alongside::status::Ask;

use crate::{
    panel::mfd::{
        assistance::Ended,
        banner,
        canvas::{Icon, Rect},
        target::Target,
        theme::{self, BODY, Ink, MESSAGE, SMALL},
        view::{Look, View},
    },
    text::{Id, Slot, Words},
};

/// A question to the customer.
pub(super) fn ask(view: &mut View, below: Rect, ask: &Ask, name: &Words) {
    let card = raise(view, below, 384);
    let (buttons, inner) = card.cut_bottom(72, theme::GAP);
    let (head, rest) = inner.cut_top(inner.h / 2, 4);
    let (mark, head) = head.cut_left(72, 24);
    view.sketch
        .icon(mark.center_box(64, 64), Icon::Question, Ink::Accent.color());
    let words = view.text.may_they(&ask.mode, name);
    view.sketch.text(head, MESSAGE, Ink::Text, &words);
    let [text, left] = rest.rows(0);
    view.say(
        text,
        BODY,
        Ink::Muted,
        if ask.wants_admin_id {
            Id::AskAdmin
        } else {
            Id::AskText
        },
    );
    let words = view.text.fill(
        Id::AskExpires,
        &[(Slot::Time, &view.text.time(ask.expires_in))],
    );
    view.sketch.text(left, SMALL, Ink::Muted, &words);

    let refuse = view.text.say(Id::Refuse);
    if ask.wants_admin_id {
        view.button(buttons, Target::Refuse, Look::Primary, &refuse);
        return;
    }
    let [no, yes] = buttons.columns(theme::GAP);
    view.button(no, Target::Refuse, Look::Plain, &refuse);
    let words = view.text.say(Id::Allow);
    view.button(yes, Target::Allow, Look::Primary, &words);
}

/// The end of a session.
pub(super) fn ended(view: &mut View, area: Rect, ended: &Ended) {
    let card = raise(view, area, 400);
    let (button, inner) = card.cut_bottom(72, theme::GAP);
    let words = view.text.say(Id::Ok);
    view.button(button, Target::CloseEnded, Look::Primary, &words);
    let (head, rest) = inner.cut_top(inner.h * 2 / 5, 4);
    let (mark, head) = head.cut_left(72, 24);
    view.sketch.icon(
        mark.center_box(64, 64),
        Icon::Assistance,
        Ink::Accent.color(),
    );
    view.say(head, MESSAGE, Ink::Text, Id::EndedTitle);
    let [reason, who, nobody] = rest.rows(0);
    let words = view.text.ended(ended.reason);
    view.sketch.text(reason, BODY.bold(), Ink::Text, &words);
    if let Some(operator) = &ended.operator {
        let name = banner::name(view.text, operator);
        let words = view.text.fill(Id::EndedWith, &[(Slot::Name, &name)]);
        view.sketch.text(who, BODY.cut(), Ink::Muted, &words);
    }
    view.say(nobody, BODY, Ink::Muted, Id::EndedNobody);
}

/// Dims `area` and raises a card in its middle; answers the inside of the card.
fn raise(view: &mut View, area: Rect, height: i32) -> Rect {
    view.cover(area);
    view.sketch.tint(area, 0, theme::SHADE, 150);
    let card = area.center_box(area.w.min(760), height.min(area.h - 24));
    view.sketch.fill(card, theme::ROUND + 6, theme::SURFACE);
    card.inset_xy(32, 24)
}
