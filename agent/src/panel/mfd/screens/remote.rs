//! Remote Assistance on this device: on or off, through what, in which language, and who was connected.

use super::id_pad::{self, For};
use crate::{
    panel::mfd::{
        Mfd,
        canvas::Rect,
        new_id::NewId,
        remote::{Administrator, Allowed, Gate},
        target::{Place, Target},
        theme::{self, BODY, Ink, SMALL, Scale},
        view::{Look, View},
    },
    text::{Id, Locale, Page, Words},
};

const GAP: i32 = 10;

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    if pad(mfd, view, area) {
        return;
    }
    let body = super::header(view, area, Id::Assistance, Place::Settings);
    let (left, right) = body.cut_left(body.w * 11 / 20, theme::GAP);
    let left = Rect {
        h: left.h.min(420),
        ..left
    };
    let [allowed, language, size] = left.rows(GAP);
    let preferences = mfd.preferences;

    let inner = choice(view, allowed, Page::RemoteEnabled);
    let is_on = preferences.allowed == Allowed::On;
    view.options(
        inner,
        [
            (Target::Allowed(Allowed::On), Id::On, is_on),
            (Target::Allowed(Allowed::Off), Id::Off, !is_on),
        ],
    );
    let inner = choice(view, language, Page::RemoteLanguage);
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
    let inner = choice(view, size, Page::RemoteTextSize);
    view.choices(
        inner,
        Scale::ALL.map(|scale| {
            (
                Target::TextSize(scale),
                Words::data(format_args!("{} %", scale.percent())),
                preferences.scale == scale,
            )
        }),
    );

    let (way, last) = right.cut_top((right.h * 2 / 5).min(180), GAP);
    let can_change = mfd.administrator == Administrator::Set { can_change: true };
    let last = if can_change {
        let (button, last) = last.cut_bottom(56, GAP);
        let words = view.text.say(Page::RemoteId);
        view.button(button, Target::Go(Place::RemoteId), Look::Plain, &words);
        last
    } else {
        last
    };
    facts(mfd, view, way);
    sessions(mfd, view, last);
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

/// The way to the service, as it is set.
fn facts(mfd: &Mfd, view: &mut View, rect: Rect) {
    view.card(rect, theme::SURFACE);
    let facts = &mfd.facts;
    let or = |view: &View, value: &Option<String>, none: Page| {
        value
            .as_ref()
            .map_or_else(|| view.text.say(none), Words::data)
    };
    let rows = [
        (
            Page::RemoteService,
            or(view, &facts.relay, Page::RemoteProxyNone),
        ),
        (
            Page::RemoteNetwork,
            or(view, &facts.interface, Page::RemoteNetworkAny),
        ),
        (
            Page::RemoteProxy,
            or(view, &facts.proxy, Page::RemoteProxyNone),
        ),
    ];
    for (row, (label, value)) in rect.inset_xy(18, 10).rows::<3>(2).into_iter().zip(rows) {
        let (left, right) = row.cut_left(row.w * 2 / 5, 10);
        view.say(left, SMALL.bold(), Ink::Text, label);
        view.sketch
            .text(right, SMALL.cut().right(), Ink::Muted, &value);
    }
}

/// Who was connected, newest first, as many as there is room for.
fn sessions(mfd: &Mfd, view: &mut View, rect: Rect) {
    /// Height of a session's two lines.
    const ROW: i32 = 50;
    view.card(rect, theme::SURFACE);
    let (title, rest) = rect.inset_xy(18, 10).cut_top(30, 4);
    view.say(title, SMALL.bold().one_line(), Ink::Text, Page::RemoteLast);
    if mfd.assistance.past.is_empty() {
        view.say(rest, SMALL.at_top(), Ink::Muted, Page::RemoteNever);
        return;
    }
    let fit = (rest.h / ROW).max(1) as usize;
    let mut rest = rest;
    for past in mfd.assistance.past.iter().take(fit) {
        let (row, below) = rest.cut_top(ROW, 0);
        rest = below;
        let [who, when] = row.inset_xy(0, 1).rows(0);
        let name = crate::panel::mfd::banner::name(view.text, &past.operator);
        view.sketch.text(who, SMALL.bold().cut(), Ink::Text, &name);
        let words = view.text.span(past.from_ms, past.until_ms);
        view.sketch.text(when, SMALL.one_line(), Ink::Muted, &words);
    }
}

/// A card with a label above what sets it; answers the place of that.
fn choice(view: &mut View, rect: Rect, label: Page) -> Rect {
    view.card(rect, theme::SURFACE);
    let (label_box, value) = rect.inset_xy(18, 8).cut_top((rect.h - 16) * 2 / 5, 4);
    view.say(label_box, BODY.bold().one_line(), Ink::Text, label);
    value
}
