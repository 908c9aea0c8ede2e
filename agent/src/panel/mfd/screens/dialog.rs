//! A card over a screen: a question of the operator's.

use std::time::Duration;

use alongside::status::Ask;

use super::{
    changes,
    id_pad::{self, For},
};
use crate::{
    panel::mfd::{
        assistance::{Asking, Step},
        canvas::{Icon, Rect},
        skin::{SHEET, Skin},
        target::Target,
        theme::{self, BODY, Ink, MESSAGE, SMALL},
        view::{Look, View},
    },
    text::{Id, Slot, Words},
};

/// A question to the customer; where it wants the administrator's ID, the operator sees nothing of the card.
pub(super) fn ask(
    view: &mut View,
    below: Rect,
    ask: &Ask,
    asking: &Asking,
    name: &Words,
    now: Duration,
) {
    if let Some(differences) = &ask.differences {
        changes::draw(view, below, ask, differences, asking.page, name);
        return;
    }
    let words = view.text.may_they(ask, name, &view.names);
    let left = view.text.fill(
        if ask.is_renewal {
            Id::AskExpiresAgain
        } else {
            Id::AskExpires
        },
        &[(Slot::Time, &view.text.time(ask.expires_in))],
    );
    if ask.wants_admin_id {
        // One size for both steps: which of them it is at shows in nothing that the operator sees.
        let card = raise(
            view,
            below,
            below.w - 2 * theme::EDGE,
            below.h - theme::EDGE,
        );
        view.mask(card.inset_xy(-32, -24));
        if asking.step == Step::Id {
            let purpose = For {
                what: words,
                note: Some(left),
                said: asking.pad.message(view.text, now),
                no: (Target::Refuse, Id::Refuse),
                yes: view.text.say(Id::Allow),
            };
            id_pad::draw(view, card, &purpose, &asking.pad, now);
            return;
        }
        let id = Id::AskAdmin;
        question(
            view,
            card,
            &words,
            &left,
            id,
            (Target::EnterId, Id::AllowWithId),
        );
        return;
    }
    let card = raise(view, below, 760, 384);
    question(
        view,
        card,
        &words,
        &left,
        Id::AskText,
        (Target::Allow, Id::Allow),
    );
}

fn question(view: &mut View, card: Rect, words: &Words, left: &Words, more: Id, yes: (Target, Id)) {
    let (buttons, inner) = card.cut_bottom(72, theme::GAP);
    let (head, rest) = inner.cut_top(inner.h / 2, 4);
    let (mark, head) = head.cut_left(72, 24);
    view.sketch
        .icon(mark.center_box(64, 64), Icon::Question, Ink::Accent.color());
    view.sketch.text(head, MESSAGE, Ink::Text, words);
    let [text, below] = rest.rows(0);
    view.say(text, BODY, Ink::Muted, more);
    view.sketch.text(below, SMALL, Ink::Muted, left);
    let [no, go_on] = buttons.columns(theme::GAP);
    let refuse = view.text.say(Id::Refuse);
    view.button(no, Target::Refuse, Look::Plain, &refuse);
    let words = view.text.say(yes.1);
    view.button(go_on, yes.0, Look::Primary, &words);
}

/// Dims `area` and raises a card in its middle; answers the inside of the card.
pub(super) fn raise(view: &mut View, area: Rect, width: i32, height: i32) -> Rect {
    let (width, height) = (width.min(area.w), height.min(area.h - 24));
    let card = match view.skin {
        Skin::Machine => {
            view.cover(area);
            view.sketch.tint(area, 0, theme::SHADE, 150);
            area.center_box(width, height)
        }
        // What other programs draw cannot be dimmed.
        Skin::Overlay => {
            let (width, height) = (width.min(SHEET.0), height.min(SHEET.1));
            let card = area.center_box(width, height);
            view.cover(card);
            view.island(card);
            card
        }
    };
    view.sketch.fill(card, theme::ROUND + 6, theme::SURFACE);
    card.inset_xy(32, 24)
}
