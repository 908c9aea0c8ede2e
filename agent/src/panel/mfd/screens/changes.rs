//! The question about settings that would change: every one of them is shown before it can be allowed.

use alongside::{
    protocol::setting::{Difference, SettingValue, Shown},
    status::Ask,
};

use super::dialog::raise;
use crate::{
    panel::mfd::{
        canvas::Rect,
        target::Target,
        theme::{self, BODY, Ink, SMALL, TITLE},
        view::{Look, View},
    },
    text::{Id, Slot, Text, Words},
};

/// Settings on a page.
pub(in crate::panel::mfd) const PAGE: usize = 3;

/// How many pages so many settings take.
pub(in crate::panel::mfd) const fn pages(count: usize) -> usize {
    let pages = count.div_ceil(PAGE);
    if pages == 0 { 1 } else { pages }
}

pub(super) fn draw(
    view: &mut View,
    below: Rect,
    ask: &Ask,
    differences: &[Difference],
    page: usize,
    name: &Words,
) {
    let (width, height) = (below.w - 2 * theme::EDGE, below.h - theme::EDGE);
    let card = raise(view, below, width, height);
    let (buttons, inner) = card.cut_bottom(64, 8);
    let (head, rest) = inner.cut_top(56, 8);
    let count = pages(differences.len());
    let page = page.min(count - 1);
    let head = if count > 1 {
        let (number, head) = head.cut_right(110, 12);
        let words = view.text.fill(
            Id::ChangePage,
            &[(Slot::Number, &(page + 1)), (Slot::Count, &count)],
        );
        view.sketch.text(number, SMALL.right(), Ink::Muted, &words);
        head
    } else {
        head
    };
    let words = view.text.fill(Id::AskChange, &[(Slot::Name, name)]);
    view.sketch.text(head, TITLE, Ink::Text, &words);
    let (foot, list) = rest.cut_bottom(28, 4);
    let time = view.text.time(ask.expires_in);
    let left = view.text.fill(Id::AskExpires, &[(Slot::Time, &time)]);
    view.sketch.text(foot, SMALL.cut(), Ink::Muted, &left);
    let rows: [Rect; PAGE] = list.rows(4);
    let shown = differences.iter().skip(page * PAGE);
    for (row, difference) in rows.into_iter().zip(shown) {
        let (what, values) = row.cut_left(row.w * 2 / 5, 12);
        let words = Words::data(inert(&difference.name));
        view.sketch.text(what, BODY.bold().cut(), Ink::Text, &words);
        let [before, after] = values.columns(12);
        let words = value(view.text, &difference.before, None);
        view.sketch.text(before, BODY.cut(), Ink::Muted, &words);
        let until = value(view.text, &difference.after, difference.unit.as_deref());
        let words = view.text.fill(Id::ChangeTo, &[(Slot::Until, &until)]);
        view.sketch.text(after, BODY.cut(), Ink::Text, &words);
    }
    let [no, go_on] = buttons.columns(theme::GAP);
    let refuse = view.text.say(Id::Refuse);
    view.button(no, Target::Refuse, Look::Plain, &refuse);
    let (target, id) = if page + 1 < count {
        (Target::MoreChanges, Id::MoreChanges)
    } else {
        (Target::Allow, Id::Allow)
    };
    let words = view.text.say(id);
    view.button(go_on, target, Look::Primary, &words);
}

fn value(text: Text, shown: &Shown, unit: Option<&str>) -> Words {
    let plain = match shown {
        Shown::Absent => return text.say(Id::ChangeUnset),
        Shown::Secret => return text.say(Id::ChangeSecret),
        Shown::Value(SettingValue::Bool(true)) => return text.say(Id::On),
        Shown::Value(SettingValue::Bool(false)) => return text.say(Id::Off),
        Shown::Value(value) => inert(&value.to_string()),
    };
    Words::data(match unit {
        Some(unit) => format!("{plain} {}", inert(unit)),
        None => plain,
    })
}

/// Somebody else's text, without what could turn the line around it or break it.
pub(in crate::panel::mfd) fn inert(text: &str) -> String {
    let is_plain = |c: char| alongside::protocol::label::Label::<8>::new(&format!("x{c}")).is_ok();
    text.chars()
        .map(|c| if c == ' ' || is_plain(c) { c } else { '?' })
        .collect()
}
