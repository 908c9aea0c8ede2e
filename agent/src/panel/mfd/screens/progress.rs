//! From a code to a session: looking up, connecting, and why it did not come about.

use std::time::Duration;

use alongside::status::OperatorIdentity;

use crate::{
    panel::mfd::{
        assistance::Refused,
        banner,
        canvas::{Icon, Rect},
        target::Target,
        theme::{self, BODY, HEADING, Ink, MESSAGE, TITLE},
        view::{Look, State, View},
    },
    text::{Id, Slot, Words},
};

/// Time of one turn of the ring that shows that something is going on.
const TURN: Duration = Duration::from_millis(2_000);

/// Looking up the code, or connecting to `operator`.
pub(super) fn connecting(
    view: &mut View,
    area: Rect,
    operator: Option<&OperatorIdentity>,
    now: Duration,
) {
    let body = title(view, area);
    let (cancel, body) = body.cut_bottom(72, theme::GAP);
    let words = view.text.say(Id::Cancel);
    view.button(
        cancel.center_box(360, 72),
        Target::CancelConnecting,
        Look::Plain,
        &words,
    );

    let (top, card) = body.cut_top(if operator.is_some() { 120 } else { body.h }, theme::GAP);
    let middle = top.center_box(top.w, 120.min(top.h));
    let (ring, words) = middle.cut_left(120, 28);
    let ring = ring.center_box(88, 88);
    view.sketch.ring(ring, 9, 1000, theme::LINE);
    let thousandths = now.as_millis() % TURN.as_millis() * 1000 / TURN.as_millis();
    view.sketch
        .ring(ring, 9, thousandths as u16, theme::PRIMARY);
    let [head, line] = words.center_box(words.w, 100).rows(0);
    let (head_id, line_id) = match operator {
        None => (Id::Claiming, Id::ClaimingText),
        Some(_) => (Id::Connecting, Id::ConnectingText),
    };
    view.say(head, MESSAGE, Ink::Text, head_id);
    view.say(line, BODY, Ink::Muted, line_id);
    if let Some(operator) = operator {
        identity(view, card, operator);
    }
}

/// Who the operator is, and who says so; whole, however long the names are.
pub(super) fn identity(view: &mut View, rect: Rect, operator: &OperatorIdentity) {
    let is_confirmed = operator.confirmed_by.is_some();
    view.card(rect, theme::SURFACE);
    let (trust, inner) = rect.cut_bottom(if is_confirmed { 60 } else { 84 }, 0);
    let (badge, names) = inner.inset_xy(24, 16).cut_left(84, 24);
    let circle = badge.center_box(84, 84);
    view.sketch.fill(
        circle,
        42,
        if is_confirmed {
            theme::PRIMARY_SOFT
        } else {
            theme::WARNING_SOFT
        },
    );
    let ink = if is_confirmed {
        Ink::Accent
    } else {
        Ink::Warning
    };
    view.sketch
        .icon(circle.center_box(48, 48), Icon::Person, ink.color());
    let name = banner::name(view.text, operator);
    if let Some(organisation) = &operator.organisation {
        let (upper, lower) = names.cut_top(names.h * 3 / 5, 0);
        let organisation = Words::data(organisation);
        view.sketch
            .text(upper, MESSAGE.at_bottom(), Ink::Text, &name);
        view.sketch
            .text(lower, TITLE.at_top(), Ink::Muted, &organisation);
    } else {
        view.sketch.text(names, MESSAGE, Ink::Text, &name);
    }

    let band = if is_confirmed {
        theme::GOOD_SOFT
    } else {
        theme::WARNING
    };
    view.sketch.fill(trust, theme::ROUND, band);
    view.sketch.fill(trust.cut_top(theme::ROUND, 0).0, 0, band);
    let (mark, words) = trust.inset_xy(24, 8).cut_left(36, 16);
    if let Some(relay) = &operator.confirmed_by {
        view.sketch
            .icon(mark.center_box(30, 30), Icon::Check, Ink::Good.color());
        let confirmed = view.text.fill(Id::ConfirmedBy, &[(Slot::Relay, relay)]);
        view.sketch
            .text(words, BODY.bold().cut(), Ink::Good, &confirmed);
    } else {
        view.sketch.icon(mark, Icon::Warning, Ink::Warning.color());
        let [head, more] = words.rows(0);
        view.say(head, BODY.bold().one_line(), Ink::Warning, Id::Unverified);
        view.say(more, BODY.one_line(), Ink::Warning, Id::UnverifiedText);
    }
}

/// What happened to the code, and what to do next.
pub(super) fn refused(view: &mut View, area: Rect, refused: &Refused, now: Duration) {
    let body = title(view, area);
    let (buttons, body) = body.cut_bottom(72, theme::GAP);
    let (again, close) = buttons.cut_right(buttons.w * 3 / 5, theme::GAP);
    let words = view.text.say(Id::TryAgain);
    view.button_if(
        State::when(refused.can_retry(now)),
        again,
        Target::TryAgain,
        Look::Primary,
        &words,
    );
    let words = view.text.say(Id::Close);
    view.button(close, Target::CloseRefusal, Look::Plain, &words);

    view.card(body, theme::SURFACE);
    let (badge, inner) = body.inset_xy(32, 24).cut_left(120, 32);
    let circle = badge.center_box(112, 112);
    view.sketch.fill(circle, 56, theme::WARNING_SOFT);
    view.sketch.icon(
        circle.center_box(64, 64),
        Icon::Warning,
        Ink::Warning.color(),
    );
    let (what, next) = view.text.refusal(&refused.at(now));
    let (upper, lower) = inner
        .center_box(inner.w, inner.h.min(260))
        .cut_top(inner.h.min(260) / 2, 12);
    view.sketch
        .text(upper, MESSAGE.at_bottom(), Ink::Text, &what);
    view.sketch.text(lower, BODY.at_top(), Ink::Muted, &next);
}

/// The title of a screen without a way back; answers what is left below.
fn title(view: &mut View, area: Rect) -> Rect {
    let (bar, below) = area.cut_top(super::HEADER, 0);
    let (icon, words) = bar.inset_xy(theme::EDGE, 10).cut_left(52, theme::GAP);
    view.sketch.icon(
        icon.center_box(40, 40),
        Icon::Assistance,
        Ink::Accent.color(),
    );
    view.say(words, HEADING, Ink::Text, Id::Assistance);
    let below = below.inset_xy(theme::EDGE, 0);
    Rect {
        h: below.h - theme::EDGE,
        ..below
    }
}
