//! A few settings of the machine.

use crate::{
    panel::mfd::{
        Mfd,
        canvas::{Icon, Rect},
        machine::{Choice, Step},
        target::{Place, Target},
        theme::{self, BODY, Ink, TITLE},
        view::View,
    },
    text::Id,
};

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    let body = super::header(view, area, Id::Settings, Place::Home);
    let body = Rect {
        h: body.h.min(360),
        ..body
    };
    let [sound, saver, tray] = body.rows(12);
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
}

/// A card with a label; answers the place of what sets it.
fn setting(view: &mut View, rect: Rect, label: Id) -> Rect {
    view.card(rect, theme::SURFACE);
    let (value, label_box) = rect.inset_xy(20, 10).cut_right(380, 20);
    view.say(label_box, BODY.bold(), Ink::Text, label);
    value.center_box(value.w, value.h.min(64))
}
