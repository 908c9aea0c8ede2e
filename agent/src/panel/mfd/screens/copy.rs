//! Copying: how many, and how.

use crate::{
    panel::mfd::{
        Mfd,
        canvas::{Icon, Rect, Style},
        machine::{Choice, Step},
        target::{Place, Target},
        theme::{self, BODY, BUTTON, Ink, SMALL},
        view::{Look, State, View},
    },
    text::{Id, Words},
};

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    let body = super::header(view, area, Id::Copy, Place::Home);
    let (left, right) = body.cut_left(body.w * 2 / 5, theme::GAP);

    view.card(left, theme::SURFACE);
    let inner = left.inset(20);
    let (label, inner) = inner.cut_top(30, 0);
    view.say(label, BODY.bold(), Ink::Text, Id::Copies);
    let (hint, inner) = inner.cut_bottom(48, 8);
    view.say(hint, SMALL.centered(), Ink::Muted, Id::CopiesHint);
    let row = inner.center_box(inner.w, inner.h.min(120));
    let side = 64;
    let (less, rest) = row.cut_left(side, 8);
    let (more, number) = rest.cut_right(side, 8);
    view.icon_key(
        less.center_box(side, side),
        Target::Step(Step::CopiesDown),
        Icon::Minus,
    );
    view.icon_key(
        more.center_box(side, side),
        Target::Step(Step::CopiesUp),
        Icon::Plus,
    );
    let large = Style {
        size: 88,
        least: 40,
        ..BUTTON.one_line()
    };
    view.sketch
        .text(number, large, Ink::Text, &Words::data(mfd.machine.copies()));

    let (start, options) = right.cut_bottom(72, theme::GAP);
    let words = view.text.say(Id::Start);
    view.button_if(
        State::when(!mfd.machine.is_working(mfd.now)),
        start,
        Target::Start,
        Look::Primary,
        &words,
    );
    let machine = &mfd.machine;
    let [colour, sides, paper] = options.rows(12);
    row_of(
        view,
        colour,
        Id::Colour,
        [
            (Choice::ColourAuto, Id::ColourAuto, machine.colour),
            (Choice::ColourBlack, Id::ColourBlack, machine.colour),
        ],
    );
    row_of(
        view,
        sides,
        Id::Sides,
        [
            (Choice::OneSided, Id::OneSided, machine.sides),
            (Choice::TwoSided, Id::TwoSided, machine.sides),
        ],
    );
    row_of(
        view,
        paper,
        Id::Paper,
        [
            (Choice::PaperA4, Id::PaperA4, machine.paper),
            (Choice::PaperA3, Id::PaperA3, machine.paper),
        ],
    );
}

/// A label and its two options, each with what is chosen now.
pub(super) fn row_of(view: &mut View, rect: Rect, label: Id, options: [(Choice, Id, Choice); 2]) {
    let (label_box, options_box) = rect.cut_left(rect.w * 3 / 10, theme::GAP);
    view.say(label_box, BODY.bold(), Ink::Text, label);
    let options_box = options_box.center_box(options_box.w, options_box.h.min(64));
    view.options(
        options_box,
        options.map(|(choice, id, chosen)| (Target::Choose(choice), id, choice == chosen)),
    );
}
