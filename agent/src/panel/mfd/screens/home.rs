//! The tiles.

use crate::{
    panel::mfd::{
        Mfd,
        canvas::{Icon, Rect},
        machine::Progress,
        remote::Allowed,
        target::{Place, Target},
        theme::{self, HEADING, Ink, SMALL},
        view::{Look, View},
    },
    text::{Id, Slot},
};

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    let (bar, below) = area.cut_top(super::HEADER, 0);
    let (status, title) = bar.inset_xy(theme::EDGE, 10).cut_right(320, theme::GAP);
    view.say(title, HEADING, Ink::Text, Id::DeviceName);
    let busy = mfd
        .machine
        .job()
        .map(|job| (job.progress(mfd.now), job.pages));
    let words = match busy {
        Some((Progress::Running { page, .. }, pages)) => view
            .text
            .fill(Id::JobPage, &[(Slot::Number, &page), (Slot::Count, &pages)]),
        Some((Progress::Finished | Progress::Stopped { .. }, _)) | None => view.text.say(Id::Ready),
    };
    let words_at = view
        .sketch
        .text(status, SMALL.bold().one_line().right(), Ink::Good, &words);
    let dot = Rect::new(words_at.x - 22, status.y, 12, status.h).center_box(12, 12);
    view.sketch.fill(dot, 6, theme::GOOD);

    let below = below.inset_xy(theme::EDGE, 0);
    let below = Rect {
        h: below.h - theme::EDGE,
        ..below
    };
    let below = super::last_session(mfd, view, below);
    let [upper, lower] = below.rows(theme::GAP);
    let [copy, scan, address] = upper.columns(theme::GAP);
    let [jobs, settings, assistance] = lower.columns(theme::GAP);
    let mut tile = |rect, place, icon, title, hint| {
        view.tile(rect, Target::Go(place), icon, title, hint, Look::Plain)
    };
    tile(copy, Place::Copy, Icon::Copy, Id::Copy, Id::CopyHint);
    tile(scan, Place::Scan, Icon::Scan, Id::Scan, Id::ScanHint);
    tile(
        address,
        Place::Address,
        Icon::Address,
        Id::AddressBook,
        Id::AddressHint,
    );
    tile(jobs, Place::Jobs, Icon::Jobs, Id::Jobs, Id::JobsHint);
    tile(
        settings,
        Place::Settings,
        Icon::Settings,
        Id::Settings,
        Id::SettingsHint,
    );
    let hint = if mfd.assistance.is_live() {
        Id::AssistanceLive
    } else if mfd.preferences.allowed == Allowed::Off {
        Id::AssistanceOff
    } else {
        Id::AssistanceHint
    };
    view.tile(
        assistance,
        Target::Go(Place::Notice),
        Icon::Assistance,
        Id::Assistance,
        hint,
        Look::Primary,
    );
}
