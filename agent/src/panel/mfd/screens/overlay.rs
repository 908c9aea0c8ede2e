//! What lies over a screen of other programs: an icon in a corner, and what comes of touching it.

use super::{dialog, ended, entry, notice, progress, remote, session, told, way_out};
use crate::panel::mfd::{
    Mfd,
    assistance::Stage,
    banner,
    canvas::{Icon, Rect},
    skin::SHEET,
    target::{Place, Target},
    theme::{self, Ink},
    view::{State, View},
};
use alongside::status::Banner;

/// Side of the icon in pixels.
const ICON: i32 = 56;

pub(super) fn draw(mfd: &Mfd, view: &mut View, whole: Rect) {
    match mfd.assistance.stage() {
        Stage::Connecting(operator) => {
            let sheet = sheet(view, whole);
            progress::connecting(view, sheet, operator.as_ref(), mfd.now);
        }
        Stage::Refused(refused) => {
            let sheet = sheet(view, whole);
            progress::refused(view, sheet, refused, mfd.now);
        }
        Stage::Idle => place(mfd, view, whole),
        Stage::Live(active) => {
            // In sleep there is the icon and nothing else, until it is touched.
            let is_seen = active.banner == Banner::Shown || mfd.place != Place::Home;
            let below = if is_seen {
                let bar = whole.center_box(whole.w.min(SHEET.0), whole.h);
                banner::draw(view, bar, active, &way_out(mfd), &told(mfd), mfd.edge)
            } else {
                whole
            };
            place(
                mfd,
                view,
                Rect {
                    x: whole.x,
                    w: whole.w,
                    ..below
                },
            );
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

fn place(mfd: &Mfd, view: &mut View, area: Rect) {
    match mfd.place {
        Place::Notice => {
            let sheet = sheet(view, area);
            notice::draw(mfd, view, sheet);
        }
        Place::Entry => {
            let sheet = sheet(view, area);
            entry::draw(mfd, view, sheet);
        }
        Place::Session => {
            let sheet = sheet(view, area);
            session::draw(mfd, view, sheet);
        }
        Place::Remote
        | Place::RemoteId
        | Place::RemoteEdit
        | Place::RemoteTest
        | Place::RemoteSessions => {
            let sheet = sheet(view, area);
            remote::draw(mfd, view, sheet);
        }
        Place::Home
        | Place::Copy
        | Place::Scan
        | Place::Address
        | Place::Jobs
        | Place::Settings => icon(view, area),
    }
}

/// The icon that starts it all, or shows who is connected.
fn icon(view: &mut View, area: Rect) {
    let rect = Rect::new(
        area.right() - ICON - theme::GAP,
        area.bottom() - ICON - theme::GAP,
        ICON,
        ICON,
    );
    view.island(rect);
    let down = view.spot(rect, Target::Go(Place::Notice), State::Enabled);
    let ground = if down {
        theme::PRIMARY_PRESSED
    } else {
        theme::PRIMARY
    };
    view.sketch.fill(rect, 0, ground);
    view.sketch.icon(
        rect.center_box(36, 36),
        Icon::Assistance,
        Ink::Light.color(),
    );
}

/// A page in the middle of `area`; answers its inside.
fn sheet(view: &mut View, area: Rect) -> Rect {
    let sheet = area.center_box(area.w.min(SHEET.0), area.h.min(SHEET.1));
    view.island(sheet);
    view.sketch.fill(sheet, 0, theme::BACKGROUND);
    view.sketch.outline(sheet, 0, 2, theme::PRIMARY);
    sheet
}
