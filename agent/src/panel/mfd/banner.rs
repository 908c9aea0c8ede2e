//! What stands over every screen while somebody is connected: who, what they may do, and the way out.

use std::time::Duration;

use alongside::{
    protocol::{ids::ModeId, input::KeyName, reason::ModePhase},
    status::{Active, Link, OperatorIdentity},
};

use super::{
    assistance::HOLD,
    canvas::{Icon, Rect},
    skin::{Edge, Skin},
    target::Target,
    theme::{self, BODY, Ink, SMALL, TITLE},
    view::{Look, State, View},
};
use crate::{
    panel::StopKey,
    text::{Id, ModeNames, Naming, Slot, Text, Words},
};

/// Height of the banner in pixels.
pub(super) const BANNER: i32 = 84;
/// Width below which what the operator may do stands in a second row.
const NARROW: i32 = 1000;
/// Height of that row.
const SECOND: i32 = 52;
/// Height of the strip below it, when there is something to say.
const STRIP: i32 = 60;

/// Draws banner and strip over `screen`; answers what is left for the screen below.
pub(super) fn draw(
    view: &mut View,
    screen: Rect,
    active: &Active,
    way_out: &WayOut<'_>,
    told: &Told,
    edge: Edge,
) -> Rect {
    let is_narrow = screen.w < NARROW;
    let height = if is_narrow { BANNER + SECOND } else { BANNER };
    let (bar, below) = edge.cut(screen, height);
    view.island(bar);
    let is_confirmed = active.operator.confirmed_by.is_some();
    let (ground, ink, muted) = if is_confirmed {
        (theme::BANNER, Ink::Light, Ink::LightMuted)
    } else {
        (theme::WARNING, Ink::Warning, Ink::Warning)
    };
    view.sketch.fill(bar, 0, ground);

    let (first, second) = bar.cut_top(BANNER, 0);
    let (exit, inner) = first.inset_xy(theme::EDGE, 12).cut_right(140, 16);
    let (hold_box, inner, may) = if is_narrow {
        let second = Rect {
            h: second.h - 8,
            ..second.inset_xy(theme::EDGE, 0)
        };
        let (may, hold_box) = second.cut_left(second.w * 11 / 20, 20);
        (hold_box, inner, Some(may))
    } else {
        // The name of a corner is longer than that of a key.
        let width = match way_out.stop {
            StopKey::Key(_) => 150,
            StopKey::Corner(_) => 190,
        };
        let (hold_box, inner) = inner.cut_right(width, 16);
        (hold_box, inner, None)
    };
    let words = view.text.say(Id::Exit);
    view.button(exit, Target::Exit, Look::Danger, &words);
    hold(view, hold_box, way_out, ink);

    let (badge, inner) = inner.cut_left(48, 14);
    if view.skin == Skin::Overlay {
        view.spot(badge, Target::MoveBanner, State::Enabled);
    }
    view.sketch.icon(
        badge.center_box(40, 40),
        if is_confirmed {
            Icon::Person
        } else {
            Icon::Warning
        },
        ink.color(),
    );
    let (who, may) = match may {
        Some(may) => (inner, may),
        None if matches!(way_out.stop, StopKey::Corner(_)) => inner.cut_left(inner.w * 3 / 5, 20),
        None => inner.cut_left(inner.w * 11 / 20, 20),
    };
    let [name_box, trust_box] = who.rows(0);
    view.sketch.text(
        name_box,
        BODY.bold().cut(),
        ink,
        &full_name(view.text, &active.operator),
    );
    // The name of the relay may be cut; that nobody confirms the name may not.
    let style = if is_confirmed {
        SMALL.cut()
    } else {
        SMALL.one_line()
    };
    view.sketch
        .text(trust_box, style, muted, &trust(view.text, &active.operator));
    let words = view.text.may(&active.mode, &view.names);
    view.sketch.text(may, SMALL, ink, &words);

    match news(view.text, &view.names, active, told) {
        Some(news) => strip(view, below, edge, &news),
        None => below,
    }
}

/// How long the stop key must still be held, or that it can be.
fn hold(view: &mut View, rect: Rect, way_out: &WayOut<'_>, ink: Ink) {
    let stop = view.text.stop_key(way_out.stop, Naming::Short);
    let Some(held) = way_out.held else {
        let words = view.text.fill(Id::HoldToEnd, &[(Slot::Key, &stop)]);
        view.sketch.text(rect, SMALL.right(), ink, &words);
        return;
    };
    let side = rect.h.min(54);
    let (ring, words) = rect.cut_left(side, 10);
    let ring = ring.center_box(side, side);
    let thousandths = (held.as_millis() * 1000 / HOLD.as_millis()) as u16;
    view.sketch.ring(ring, 6, 1000, theme::LINE);
    view.sketch.ring(ring, 6, thousandths, theme::DANGER);
    let left = HOLD.saturating_sub(held).as_millis().div_ceil(1000);
    view.sketch
        .text(ring, TITLE.centered(), ink, &Words::data(left));
    // Whoever holds a finger in a corner knows which one.
    let key = match way_out.stop {
        StopKey::Key(_) => stop,
        StopKey::Corner(_) => Words::data(""),
    };
    let keep = view.text.fill(Id::KeepHolding, &[(Slot::Key, &key)]);
    view.sketch.text(words, SMALL.bold(), ink, &keep);
}

/// The way out besides EXIT.
#[derive(Debug)]
pub(super) struct WayOut<'a> {
    pub(super) stop: &'a StopKey,
    /// How long it has been held.
    pub(super) held: Option<Duration>,
}

/// What the panel itself knows besides the session's status.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// How long no administrator's ID is looked at.
    pub(super) locked: Option<Duration>,
    /// What the operator has just done with a key.
    pub(super) act: Option<Act>,
}

/// Something that the operator did and that does not show by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Pressed(KeyName),
    Typed,
}

/// The one thing that the customer should know now besides who is connected.
struct News {
    icon: Icon,
    words: Words,
    more: Option<Id>,
    button: Option<(Target, Id)>,
}

fn news(text: Text, names: &ModeNames, active: &Active, told: &Told) -> Option<News> {
    // Whatever else there is to say: what was allowed can be taken back.
    let take_back = is_raised(active).then_some((Target::TakeBack, Id::TakeBack));
    if let Link::Missing { silent } = active.link {
        let words = text.fill(Id::LinkMissing, &[(Slot::Time, &text.time(silent))]);
        return Some(News {
            icon: Icon::NoLink,
            words,
            more: Some(Id::LinkMissingText),
            button: take_back,
        });
    }
    if let Link::Lost { ends_in } = active.link {
        let words = text.fill(Id::LinkLost, &[(Slot::Time, &text.time(ends_in))]);
        return Some(News {
            icon: Icon::NoLink,
            words,
            more: None,
            button: take_back,
        });
    }
    if let Some(left) = active.idle_ends_in {
        let words = text.fill(Id::IdleWarning, &[(Slot::Time, &text.time(left))]);
        return Some(News {
            icon: Icon::Clock,
            words,
            more: None,
            button: Some((Target::StayConnected, Id::StayConnected)),
        });
    }
    if let Some(refusal) = active.refused {
        return Some(News {
            icon: Icon::Cross,
            words: text.mode_refused(refusal, told.locked),
            more: None,
            button: take_back,
        });
    }
    let (icon, words) = if active.phase == ModePhase::Paused {
        (Icon::Hand, text.say(Id::Paused))
    } else if let Some(act) = &told.act {
        let words = match act {
            Act::Pressed(key) => text.fill(Id::PressedKey, &[(Slot::Key, &key.as_str())]),
            Act::Typed => text.say(Id::TypedText),
        };
        (Icon::Hand, words)
    } else if is_raised(active) {
        (Icon::Hand, text.raised(&active.mode, names))
    } else {
        return None;
    };
    Some(News {
        icon,
        words,
        more: None,
        button: take_back,
    })
}

/// Whether the operator may do more than guide.
pub(super) fn is_raised(active: &Active) -> bool {
    active.mode.as_str() != ModeId::USER_GUIDE
}

fn strip(view: &mut View, below: Rect, edge: Edge, news: &News) -> Rect {
    let (bar, below) = edge.cut(below, STRIP);
    view.island(bar);
    view.sketch.fill(bar, 0, theme::WARNING_SOFT);
    view.sketch.fill(bar.cut_bottom(1, 0).0, 0, theme::LINE);
    let mut inner = bar.inset_xy(theme::EDGE, 5);
    if let Some((target, id)) = news.button {
        let (button, rest) = inner.cut_right(230, 16);
        let words = view.text.say(id);
        view.button(button, target, Look::Primary, &words);
        inner = rest;
    }
    let (mark, inner) = inner.cut_left(30, 14);
    view.sketch.icon(mark, news.icon, Ink::Warning.color());
    let Some(more) = news.more else {
        view.sketch
            .text(inner, SMALL.bold(), Ink::Warning, &news.words);
        return below;
    };
    let [first, second] = inner.rows(0);
    view.sketch
        .text(first, SMALL.bold().one_line(), Ink::Warning, &news.words);
    view.say(second, SMALL.one_line(), Ink::Warning, more);
    below
}

/// The operator's name, or that there is none.
pub(super) fn name(text: Text, operator: &OperatorIdentity) -> Words {
    operator
        .name
        .as_ref()
        .map_or_else(|| text.say(Id::Unnamed), Words::data)
}

/// Name and organisation.
fn full_name(text: Text, operator: &OperatorIdentity) -> Words {
    let name = name(text, operator);
    match &operator.organisation {
        Some(organisation) => Words::data(format_args!("{name} \u{b7} {organisation}")),
        None => name,
    }
}

fn trust(text: Text, operator: &OperatorIdentity) -> Words {
    match &operator.confirmed_by {
        Some(relay) => text.fill(Id::BannerConfirmed, &[(Slot::Relay, relay)]),
        None => text.say(Id::BannerUnverified),
    }
}
