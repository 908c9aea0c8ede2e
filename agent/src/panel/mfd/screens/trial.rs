//! The test of the way to the service: each way with what came of it, and what that means.

use crate::{
    panel::mfd::{
        Mfd,
        canvas::{Icon, Rect},
        target::{Place, Target},
        theme::{self, BODY, Ink, SMALL},
        trial::{Outcome, Trial, TrialWay, is_unused},
        view::{Look, State, View},
    },
    text::{Page, Slot},
};

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect, trial: &Trial) {
    let body = super::header(view, area, Page::TestTitle, Place::Remote);
    let (button, body) = body.cut_bottom(60, 12);
    let state = State::when(trial.is_over());
    let words = view.text.say(Page::TestAgain);
    view.button_if(state, button, Target::Test, Look::Plain, &words);
    let (ways, said) = body.cut_top(body.h / 2, 12);
    for (row, (way, outcome)) in ways.rows::<3>(8).into_iter().zip(trial.ways()) {
        line(view, row, way, outcome);
    }
    if trial.is_over() {
        verdict(view, said, trial);
    } else {
        // One third for each way that is done.
        let done = trial.ways().filter(|(_, it)| **it != Outcome::Running);
        let thousandths = (done.count() * 1000 / 3) as u16;
        let bar = said.center_box(said.w, 16);
        view.progress(bar, thousandths.max(sweep(mfd)));
    }
}

/// Something that moves while nothing is known yet.
fn sweep(mfd: &Mfd) -> u16 {
    (mfd.now.as_millis() / 100 % 32) as u16 * 10
}

fn line(view: &mut View, row: Rect, way: TrialWay, outcome: &Outcome) {
    view.card(row, theme::SURFACE);
    let (left, right) = row.inset_xy(18, 4).cut_left(row.w / 2, 12);
    let name = match way {
        TrialWay::Udp => Page::TestUdp,
        TrialWay::Tls => Page::TestTls,
        TrialWay::Proxy => Page::TestProxy,
    };
    view.say(left, BODY, Ink::Text, name);
    let style = BODY.bold().right();
    match outcome {
        Outcome::Running => view.say(right, style, Ink::Muted, Page::TestRunning),
        Outcome::Works(time) => {
            let ms = time.as_millis().max(1);
            let words = view.text.fill(Page::TestWorks, &[(Slot::Count, &ms)]);
            view.sketch.text(right, style, Ink::Good, &words)
        }
        Outcome::Fails(obstacle) if is_unused(obstacle) => {
            view.say(right, style, Ink::Muted, Page::TestUnused)
        }
        Outcome::Fails(_) => view.say(right, style, Ink::Danger, Page::TestFails),
    };
}

/// What all of it comes to, and what to do.
fn verdict(view: &mut View, rect: Rect, trial: &Trial) {
    let is_good = trial.is_good();
    let (ground, ink, icon) = if is_good {
        (theme::GOOD_SOFT, Ink::Good, Icon::Assistance)
    } else {
        (theme::WARNING_SOFT, Ink::Warning, Icon::Warning)
    };
    view.sketch.fill(rect, theme::ROUND, ground);
    let (mark, words) = rect.inset_xy(18, 8).cut_left(44, 18);
    view.sketch.icon(mark.center_box(40, 40), icon, ink.color());
    if is_good {
        view.say(words, BODY.bold(), ink, Page::TestGood);
        return;
    }
    let Some(obstacle) = trial.obstacle() else {
        view.say(words, BODY.bold(), ink, Page::TestBroke);
        return;
    };
    let (what, next) = view.text.obstacle(obstacle);
    let [upper, lower] = words.rows(4);
    view.sketch.text(upper, BODY.bold().at_bottom(), ink, &what);
    view.sketch.text(lower, SMALL.at_top(), ink, &next);
}
