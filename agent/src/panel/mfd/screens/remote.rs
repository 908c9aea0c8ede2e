//! Remote Assistance on this device: on or off, through what, in which language, and who was connected.

use super::id_pad::{self, For};
use crate::{
    panel::mfd::{
        Mfd,
        canvas::Rect,
        remote::{Allowed, Gate},
        target::{Place, Target},
        theme::{self, BODY, Ink, SMALL, Scale},
        view::View,
    },
    text::{Id, Locale, Words},
};

const GAP: i32 = 10;

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    if let Gate::Shut(pad) = &mfd.gate {
        let body = super::header(view, area, Id::Assistance, Place::Settings);
        let card = Rect {
            h: body.h.min(480),
            ..body
        };
        view.card(card, theme::SURFACE);
        view.mask(card);
        let purpose = For {
            what: view.text.say(Id::AdminTitle),
            note: None,
            no: (Target::Go(Place::Settings), Id::Cancel),
            yes: Id::RemoteOpen,
        };
        id_pad::draw(view, card.inset_xy(28, 20), &purpose, pad, mfd.now);
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

    let inner = choice(view, allowed, Id::RemoteEnabled);
    let is_on = preferences.allowed == Allowed::On;
    view.options(
        inner,
        [
            (Target::Allowed(Allowed::On), Id::On, is_on),
            (Target::Allowed(Allowed::Off), Id::Off, !is_on),
        ],
    );
    let inner = choice(view, language, Id::RemoteLanguage);
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
    let inner = choice(view, size, Id::RemoteTextSize);
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
    facts(mfd, view, way);
    sessions(mfd, view, last);
}

/// The way to the service, as it is set.
fn facts(mfd: &Mfd, view: &mut View, rect: Rect) {
    view.card(rect, theme::SURFACE);
    let facts = &mfd.facts;
    let or = |view: &View, value: &Option<String>, none: Id| {
        value
            .as_ref()
            .map_or_else(|| view.text.say(none), Words::data)
    };
    let rows = [
        (
            Id::RemoteService,
            or(view, &facts.relay, Id::RemoteProxyNone),
        ),
        (
            Id::RemoteNetwork,
            or(view, &facts.interface, Id::RemoteNetworkAny),
        ),
        (Id::RemoteProxy, or(view, &facts.proxy, Id::RemoteProxyNone)),
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
    view.say(title, SMALL.bold().one_line(), Ink::Text, Id::RemoteLast);
    if mfd.assistance.past.is_empty() {
        view.say(rest, SMALL.at_top(), Ink::Muted, Id::RemoteNever);
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
fn choice(view: &mut View, rect: Rect, label: Id) -> Rect {
    view.card(rect, theme::SURFACE);
    let (label_box, value) = rect.inset_xy(18, 8).cut_top((rect.h - 16) * 2 / 5, 4);
    view.say(label_box, BODY.bold().one_line(), Ink::Text, label);
    value
}
