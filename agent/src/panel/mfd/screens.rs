//! Which screen is drawn, and what stands over it.

mod address;
mod changes;
mod copy;
mod dialog;
mod edit;
mod ended;
mod entry;
mod home;
mod id_pad;
mod jobs;
mod notice;
mod overlay;
mod progress;
mod remote;
mod scan;
mod session;
mod sessions;
mod settings;
mod trial;

use super::{
    Mfd,
    assistance::Stage,
    banner::{self, Told, WayOut},
    canvas::{Icon, Rect},
    skin::Skin,
    target::{Place, Target},
    theme::{self, HEADING, Ink, SMALL},
    view::{State, View},
};
use crate::text::{Page, Sentence, Slot};

/// Height of the line with the way back and the title.
const HEADER: i32 = 72;

/// Draws the panel as it stands.
pub(super) fn draw(mfd: &Mfd, view: &mut View) {
    let whole = mfd.whole();
    if mfd.skin == Skin::Overlay {
        overlay::draw(mfd, view, whole);
        return;
    }
    match mfd.assistance.stage() {
        Stage::Connecting(operator) => {
            progress::connecting(view, whole, operator.as_ref(), mfd.now)
        }
        Stage::Refused(refused) => progress::refused(view, whole, refused, mfd.now),
        Stage::Idle => place(mfd, view, whole),
        Stage::Live(active) => {
            // The screen gets only what the banner leaves, so nothing can be drawn over it.
            let below = banner::draw(view, whole, active, &way_out(mfd), &told(mfd), mfd.edge);
            place(mfd, view, below);
            if let Some(ask) = &active.ask {
                let name = banner::name(view.text, &active.operator);
                dialog::ask(view, below, ask, &mfd.assistance.asking, &name, mfd.now);
            }
        }
    }
    if let Some(ended) = mfd.assistance.ended() {
        ended::draw(view, whole, ended, &mfd.stop);
    }
}

/// The way out of a session that is not the button.
fn way_out(mfd: &Mfd) -> WayOut<'_> {
    WayOut {
        stop: &mfd.stop,
        held: mfd.assistance.stop_held(mfd.now),
    }
}

fn told(mfd: &Mfd) -> Told {
    mfd.assistance.told_at(mfd.now)
}

fn place(mfd: &Mfd, view: &mut View, area: Rect) {
    match mfd.place {
        Place::Home => home::draw(mfd, view, area),
        Place::Copy => copy::draw(mfd, view, area),
        Place::Scan => scan::draw(mfd, view, area),
        Place::Address => address::draw(mfd, view, area),
        Place::Jobs => jobs::draw(mfd, view, area),
        Place::Settings => settings::draw(mfd, view, area),
        Place::Notice => notice::draw(mfd, view, area),
        Place::Entry => entry::draw(mfd, view, area),
        Place::Session => session::draw(mfd, view, area),
        Place::Remote
        | Place::RemoteId
        | Place::RemoteEdit
        | Place::RemoteTest
        | Place::RemoteSessions => remote::draw(mfd, view, area),
    }
}

/// At the bottom of `area` who was connected last, if anybody was; answers what is left above.
fn last_session(mfd: &Mfd, view: &mut View, area: Rect) -> Rect {
    let Some(past) = mfd.assistance.past.front() else {
        return area;
    };
    let (line, rest) = area.cut_bottom(26, 6);
    let words = view.text.fill(
        Page::LastSession,
        &[
            (Slot::Name, &banner::name(view.text, &past.operator)),
            (Slot::Time, &past.span(view.text)),
        ],
    );
    view.sketch.text(line, SMALL.cut(), Ink::Muted, &words);
    rest
}

/// The way back and the title; answers what is left below, with the usual edges.
fn header(view: &mut View, area: Rect, title: impl Sentence, back: Place) -> Rect {
    let (bar, below) = area.cut_top(HEADER, 0);
    let (button, rest) = bar.inset_xy(theme::EDGE, 10).cut_left(52, theme::GAP);
    let down = view.spot(button, Target::Go(back), State::Enabled);
    view.card(button, if down { theme::PRESSED } else { theme::SURFACE });
    view.sketch
        .icon(button.center_box(28, 28), Icon::Back, Ink::Accent.color());
    view.say(rest, HEADING, Ink::Text, title);
    let below = below.inset_xy(theme::EDGE, 0);
    Rect {
        h: below.h - theme::EDGE,
        ..below
    }
}
