//! A few settings of the machine.

use crate::{
    panel::mfd::{
        Mfd,
        canvas::{Icon, Rect},
        machine::{Choice, Step},
        target::{Place, Target},
        theme::{self, BODY, Ink, SMALL, TITLE},
        view::{State, View},
    },
    text::{Id, Page},
};

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    let body = super::header(view, area, Id::Settings, Place::Home);
    let body = Rect {
        h: body.h.min(452),
        ..body
    };
    let [sound, saver, tray, remote] = body.rows(10);
    let machine = &mfd.machine;

    let inner = setting(view, sound, Id::KeySound);
    view.options(
        inner,
        [
            (
                Target::Choose(Choice::SoundOn),
                Id::On,
                machine.sound == Choice::SoundOn,
            ),
            (
                Target::Choose(Choice::SoundOff),
                Id::Off,
                machine.sound == Choice::SoundOff,
            ),
        ],
    );

    let inner = setting(view, saver, Id::EnergySaver);
    let (less, rest) = inner.cut_left(inner.h, 8);
    let (more, value) = rest.cut_right(inner.h, 8);
    view.icon_key(less, Target::Step(Step::SaverDown), Icon::Minus);
    view.icon_key(more, Target::Step(Step::SaverUp), Icon::Plus);
    let words = view.text.fill(
        Id::Minutes,
        &[(crate::text::Slot::Count, &(machine.saver().as_secs() / 60))],
    );
    view.sketch
        .text(value, TITLE.centered().one_line(), Ink::Text, &words);

    let inner = setting(view, tray, Id::TrayOne);
    view.options(
        inner,
        [
            (
                Target::Choose(Choice::TrayA4),
                Id::PaperA4,
                machine.tray == Choice::TrayA4,
            ),
            (
                Target::Choose(Choice::TrayA3),
                Id::PaperA3,
                machine.tray == Choice::TrayA3,
            ),
        ],
    );
    self::remote(view, remote);
}

/// The way to Remote Assistance on this device.
fn remote(view: &mut View, rect: Rect) {
    let down = view.spot(rect, Target::Go(Place::Remote), State::Enabled);
    view.card(rect, if down { theme::PRESSED } else { theme::SURFACE });
    let (mark, inner) = rect.inset_xy(20, 8).cut_left(40, 16);
    view.sketch.icon(
        mark.center_box(36, 36),
        Icon::Assistance,
        Ink::Accent.color(),
    );
    let (title, hint) = inner.cut_left(inner.w * 2 / 5, 16);
    view.say(title, BODY.bold(), Ink::Text, Id::Assistance);
    view.say(hint, SMALL, Ink::Muted, Page::RemoteHint);
}

/// A card with a label; answers the place of what sets it.
fn setting(view: &mut View, rect: Rect, label: Id) -> Rect {
    view.card(rect, theme::SURFACE);
    let (value, label_box) = rect.inset_xy(20, 10).cut_right(380, 20);
    view.say(label_box, BODY.bold(), Ink::Text, label);
    value.center_box(value.w, value.h.min(64))
}
