//! Entering the access code: three groups of four, a keypad, and what is wrong with it.

use alongside::protocol::code::{CODE_DIGITS, CodePart};

use crate::{
    panel::mfd::{
        Mfd,
        canvas::{Icon, Rect, Style},
        entry::{CodeEntry, GROUP, Verdict},
        target::{Place, Target},
        theme::{self, BODY, Ink, KEY, Rgb},
        view::{Look, State, View},
    },
    text::{Id, Words},
};

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    let body = super::header(view, area, Id::EntryTitle, Place::Notice);
    let (keypad, left) = body.cut_right(340, 32);
    let entry = &mfd.assistance.entry;
    let verdict = entry.verdict();

    let (groups, left) = left.cut_top(120, theme::GAP);
    let wrong = match verdict {
        Verdict::Wrong(error) => Some(error.part()),
        Verdict::Unfinished | Verdict::Ready => None,
    };
    for (n, rect) in groups.columns::<3>(20).into_iter().enumerate() {
        let is_wrong = wrong.is_some_and(|part| part.is_none_or(|part| n == index(part)));
        group(view, rect, entry, n, is_wrong);
    }

    let (connect, left) = left.cut_bottom(72, theme::GAP);
    let words = view.text.say(Id::Connect);
    view.button_if(
        State::when(verdict == Verdict::Ready),
        connect,
        Target::Connect,
        Look::Primary,
        &words,
    );
    let (ground, icon, ink, words) = match verdict {
        Verdict::Unfinished => (
            theme::BACKGROUND,
            Icon::Question,
            Ink::Muted,
            view.text.say(Id::EntryHint),
        ),
        Verdict::Ready => (
            theme::GOOD_SOFT,
            Icon::Check,
            Ink::Good,
            view.text.say(Id::EntryReady),
        ),
        Verdict::Wrong(error) => (
            theme::WARNING_SOFT,
            Icon::Warning,
            Ink::Warning,
            view.text.code_error(error),
        ),
    };
    message(
        view,
        left.cut_top(left.h.min(140), 0).0,
        ground,
        icon,
        ink,
        &words,
    );

    let [a, b, c, d] = keypad.rows(12);
    for (row, first) in [(a, 1), (b, 4), (c, 7)] {
        for (cell, digit) in row.columns::<3>(12).into_iter().zip(first..) {
            view.key(cell, Target::Digit(digit), &Words::data(digit));
        }
    }
    let [clear, zero, erase] = d.columns(12);
    let words = view.text.say(Id::Clear);
    view.button(clear, Target::ClearCode, Look::Plain, &words);
    view.key(zero, Target::Digit(0), &Words::data(0));
    view.icon_key(erase, Target::EraseDigit, Icon::Erase);
}

const fn index(part: CodePart) -> usize {
    match part {
        CodePart::First => 0,
        CodePart::Second => 1,
        CodePart::Third => 2,
    }
}

/// Four boxes, and a line below that says at a glance how the group stands.
fn group(view: &mut View, rect: Rect, entry: &CodeEntry, n: usize, is_wrong: bool) {
    let digits = entry.group(n);
    let is_whole = digits.iter().all(Option::is_some);
    view.spot(
        rect,
        Target::Group(n as u8),
        State::when(digits.iter().any(Option::is_some)),
    );
    let (boxes, below) = rect.cut_top(80, 14);
    let cursor = entry.cursor().min(CODE_DIGITS);
    for ((place, cell), digit) in (n * GROUP..).zip(boxes.columns::<GROUP>(6)).zip(digits) {
        let edge = if is_wrong {
            theme::DANGER
        } else if place == cursor {
            theme::PRIMARY
        } else {
            theme::LINE
        };
        view.sketch.fill(cell, 10, theme::SURFACE);
        view.sketch.outline(
            cell,
            10,
            if place == cursor || is_wrong { 3 } else { 2 },
            edge,
        );
        if let Some(digit) = digit {
            let style = Style {
                size: 38,
                ..KEY.bold()
            };
            view.sketch
                .text(cell, style, Ink::Text, &Words::data(digit));
        }
    }
    let bar: Rgb = if is_wrong {
        theme::DANGER
    } else if is_whole {
        theme::GOOD
    } else {
        theme::LINE
    };
    let (line, _) = below.cut_top(6, 0);
    view.sketch.fill(line, 3, bar);
    if is_whole {
        let mark = Rect::new(rect.x, line.y, rect.w, line.h).center_box(28, 28);
        view.sketch.fill(mark, 14, bar);
        let icon = if is_wrong { Icon::Cross } else { Icon::Check };
        view.sketch
            .icon(mark.center_box(18, 18), icon, Ink::Light.color());
    }
}

fn message(view: &mut View, rect: Rect, ground: Rgb, icon: Icon, ink: Ink, words: &Words) {
    view.sketch.fill(rect, theme::ROUND, ground);
    let (mark, words_box) = rect.inset_xy(16, 10).cut_left(36, 16);
    view.sketch.icon(mark, icon, ink.color());
    view.sketch.text(words_box, BODY, ink, words);
}
