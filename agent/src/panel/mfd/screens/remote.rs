//! Remote Assistance on this device: on or off, through what, in which language, and who was connected.

use super::{
    edit,
    id_pad::{self, For},
    sessions, trial,
};
use crate::{
    panel::mfd::{
        Mfd, banner,
        canvas::Rect,
        new_id::NewId,
        remote::{Administrator, Allowed, Field, Gate},
        target::{Place, Target},
        theme::{self, BODY, Ink, SMALL, Scale},
        view::{Look, State, View},
    },
    text::{Id, Locale, Page, Words},
};

const GAP: i32 = 10;

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    if pad(mfd, view, area) {
        return;
    }
    match (&mfd.edit, &mfd.trial) {
        (Some(edit), _) => edit::draw(mfd, view, area, edit),
        (None, Some(trial)) => trial::draw(mfd, view, area, trial),
        (None, None) if mfd.place == Place::RemoteSessions => sessions::draw(mfd, view, area),
        (None, None) => page(mfd, view, area),
    }
}

fn page(mfd: &Mfd, view: &mut View, area: Rect) {
    let body = super::header(view, area, Id::Assistance, Place::Settings);
    let (left, right) = body.cut_left(body.w * 11 / 20, theme::GAP);
    choices(mfd, view, left);
    let (buttons, right) = right.cut_bottom(56, GAP);
    let (way, last) = right.cut_top((right.h * 3 / 5).clamp(168, 270).min(right.h - 90), GAP);
    route(mfd, view, way);
    last_session(mfd, view, last);
    let can_change = mfd.administrator == Administrator::Set { can_change: true };
    let (test, change) = if can_change {
        let [test, change] = buttons.columns(GAP);
        (test, Some(change))
    } else {
        (buttons, None)
    };
    let words = view.text.say(Page::RemoteTest);
    let state = State::when(mfd.facts.can_test);
    view.button_if(state, test, Target::Test, Look::Primary, &words);
    if let Some(change) = change {
        let words = view.text.say(Page::RemoteId);
        view.button(change, Target::Go(Place::RemoteId), Look::Plain, &words);
    }
}

/// What counts at once: on or off, the language, the size of the text.
fn choices(mfd: &Mfd, view: &mut View, rect: Rect) {
    let (foot, cards) = Rect {
        h: rect.h.min(452),
        ..rect
    }
    .cut_bottom(28, 2);
    let [allowed, language, size] = cards.rows(GAP);
    let preferences = mfd.preferences;
    let is_fixed = |field| mfd.facts.fixed.contains(&field);

    let inner = choice(view, allowed, Page::RemoteEnabled);
    let is_on = preferences.allowed == Allowed::On;
    if is_fixed(Field::Allowed) {
        let words = view.text.say(if is_on { Id::On } else { Id::Off });
        fixed(view, inner, &words);
    } else {
        view.options(
            inner,
            [
                (Target::Allowed(Allowed::On), Id::On, is_on),
                (Target::Allowed(Allowed::Off), Id::Off, !is_on),
            ],
        );
    }
    let inner = choice(view, language, Page::RemoteLanguage);
    if is_fixed(Field::Language) {
        fixed(view, inner, &Words::data(preferences.locale.own_name()));
    } else {
        let locales = [Locale::English, Locale::German, Locale::Chinese];
        view.choices(
            inner,
            locales.map(|locale| {
                (
                    Target::Language(locale),
                    Words::data(locale.own_name()),
                    preferences.locale == locale,
                )
            }),
        );
    }
    let percent = |scale: Scale| Words::data(format_args!("{} %", scale.percent()));
    let inner = choice(view, size, Page::RemoteTextSize);
    if is_fixed(Field::TextSize) {
        fixed(view, inner, &percent(preferences.scale));
    } else {
        view.choices(
            inner,
            Scale::ALL.map(|scale| {
                (
                    Target::TextSize(scale),
                    percent(scale),
                    preferences.scale == scale,
                )
            }),
        );
    }
    let (ink, id) = if mfd.facts.is_not_kept {
        (Ink::Danger, Page::RemoteNotKept)
    } else {
        (Ink::Muted, Page::RemoteAtOnce)
    };
    let all = [Field::Allowed, Field::Language, Field::TextSize];
    if mfd.facts.is_not_kept || !all.into_iter().all(is_fixed) {
        view.say(foot, SMALL.denser(), ink, id);
    }
}

/// What whoever runs the device has laid down.
fn fixed(view: &mut View, rect: Rect, value: &Words) {
    let (left, right) = rect.cut_left(rect.w / 3, 12);
    view.sketch
        .text(left, BODY.bold().one_line(), Ink::Text, value);
    view.say(right, SMALL, Ink::Muted, Page::RemoteFixed);
}

/// The way to the service: each row leads to where it is changed, unless it is laid down.
fn route(mfd: &Mfd, view: &mut View, rect: Rect) {
    view.card(rect, theme::SURFACE);
    let fields = [Field::Relay, Field::Interface, Field::Proxy];
    let are_fixed = fields.iter().all(|field| mfd.facts.fixed.contains(field));
    let (foot, rows) = rect
        .inset_xy(12, 6)
        .cut_bottom(if rect.h > 200 { 46 } else { 0 }, 2);
    for (row, field) in rows.rows::<3>(4).into_iter().zip(fields) {
        let (label, none) = match field {
            Field::Interface => (Page::RemoteNetwork, Page::RemoteNetworkAny),
            Field::Proxy => (Page::RemoteProxy, Page::RemoteProxyNone),
            Field::Relay | Field::Allowed | Field::Language | Field::TextSize => {
                (Page::RemoteService, Page::RemoteProxyNone)
            }
        };
        let is_fixed = mfd.facts.fixed.contains(&field);
        if !is_fixed {
            let down = view.spot(row, Target::Edit(field), State::Enabled);
            let ground = if down { theme::PRESSED } else { theme::SURFACE };
            view.sketch.fill(row, theme::ROUND, ground);
            view.sketch.outline(row, theme::ROUND, 2, theme::LINE);
        }
        let (left, right) = row.inset_xy(12, 4).cut_left(row.w * 3 / 10, 10);
        view.say(left, SMALL.bold(), Ink::Text, label);
        let value = match mfd.route_value(field) {
            Some(value) => Words::data(value),
            None => view.text.say(none),
        };
        let ink = if is_fixed { Ink::Muted } else { Ink::Accent };
        view.sketch.text(right, SMALL.cut().right(), ink, &value);
    }
    if foot.h > 0 {
        let id = if are_fixed {
            Page::RemoteFixed
        } else {
            Page::RemoteNextCode
        };
        view.say(foot, SMALL, Ink::Muted, id);
    }
}

/// Who was connected last, and the way to all of them.
fn last_session(mfd: &Mfd, view: &mut View, rect: Rect) {
    let down = view.spot(rect, Target::Go(Place::RemoteSessions), State::Enabled);
    view.card(rect, if down { theme::PRESSED } else { theme::SURFACE });
    let (title, rest) = rect.inset_xy(18, 8).cut_top(26, 2);
    view.say(
        title,
        SMALL.bold().one_line(),
        Ink::Accent,
        Page::RemoteLast,
    );
    let Some(past) = mfd.assistance.past.front() else {
        view.say(rest, SMALL.at_top(), Ink::Muted, Page::RemoteNever);
        return;
    };
    let rest = Rect {
        h: rest.h.min(88),
        ..rest
    };
    if rest.h < 66 {
        let [who, when] = rest.rows(0);
        let name = banner::name(view.text, &past.operator);
        view.sketch.text(who, SMALL.cut(), Ink::Text, &name);
        let words = past.span(view.text);
        view.sketch.text(when, SMALL.one_line(), Ink::Muted, &words);
    } else {
        sessions::session(view, rest, past);
    }
}

/// What is typed before anything else is shown, hidden from the operator; answers whether there is such a thing.
fn pad(mfd: &Mfd, view: &mut View, area: Rect) -> bool {
    let (text, now) = (view.text, mfd.now);
    let choosing = |new: &NewId, back| For {
        what: new.what(text),
        note: None,
        said: new.message(text, now),
        no: (Target::Go(back), Id::Cancel),
        yes: text.say(new.go_on()),
    };
    let (back, pad, purpose) = match (&mfd.gate, &mfd.new_id) {
        (Gate::Shut(pad), _) => {
            let purpose = For {
                what: text.say(Page::AdminTitle),
                note: None,
                said: pad.message(text, now),
                no: (Target::Go(Place::Settings), Id::Cancel),
                yes: text.say(Page::RemoteOpen),
            };
            (Place::Settings, pad, purpose)
        }
        (Gate::First(new), _) => (Place::Settings, &new.pad, choosing(new, Place::Settings)),
        (Gate::None | Gate::Open, Some(new)) => {
            (Place::Remote, &new.pad, choosing(new, Place::Remote))
        }
        (Gate::None | Gate::Open, None) => return false,
    };
    let body = super::header(view, area, Id::Assistance, back);
    let card = Rect {
        h: body.h.min(480),
        ..body
    };
    view.card(card, theme::SURFACE);
    view.mask(card);
    id_pad::draw(view, card.inset_xy(28, 20), &purpose, pad, now);
    true
}

/// A card with a label above what sets it; answers the place of that.
fn choice(view: &mut View, rect: Rect, label: Page) -> Rect {
    view.card(rect, theme::SURFACE);
    let (label_box, value) = rect.inset_xy(18, 8).cut_top((rect.h - 16) * 2 / 5, 4);
    view.say(label_box, BODY.bold().one_line(), Ink::Text, label);
    value
}
