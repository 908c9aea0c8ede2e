//! The running or last job.

use crate::{
    panel::mfd::{
        Mfd,
        canvas::{Icon, Rect},
        machine::{Progress, Work},
        target::{Place, Target},
        theme::{self, BODY, Ink, TITLE},
        view::{Look, View},
    },
    text::{Id, Slot},
};

pub(super) fn draw(mfd: &Mfd, view: &mut View, area: Rect) {
    let body = super::header(view, area, Id::Jobs, Place::Home);
    let Some(job) = mfd.machine.job() else {
        let middle = body.center_box(body.w.min(640), body.h.min(240));
        let (icon, below) = middle.cut_top(96, 16);
        view.sketch
            .icon(icon.center_box(80, 80), Icon::Jobs, theme::LINE);
        let [title, hint] = below.cut_top(100, 0).0.rows(8);
        view.say(title, TITLE.centered(), Ink::Text, Id::JobNone);
        view.say(hint, BODY.centered(), Ink::Muted, Id::JobNoneHint);
        return;
    };
    let card = body.cut_top(body.h.min(164), 0).0;
    view.card(card, theme::SURFACE);
    let (badge, inner) = card.inset(24).cut_left(80, 24);
    let circle = Rect::new(badge.x, badge.y, 80, 80);
    let progress = job.progress(mfd.now);
    let (ground, icon, ink) = match (progress, job.work) {
        (Progress::Finished, _) => (theme::GOOD_SOFT, Icon::Check, Ink::Good),
        (Progress::Stopped { .. }, _) => (theme::WARNING_SOFT, Icon::Stop, Ink::Warning),
        (Progress::Running { .. }, Work::Copying) => (theme::PRIMARY_SOFT, Icon::Copy, Ink::Accent),
        (Progress::Running { .. }, Work::Scanning) => {
            (theme::PRIMARY_SOFT, Icon::Scan, Ink::Accent)
        }
    };
    view.sketch.fill(circle, 40, ground);
    view.sketch
        .icon(circle.center_box(44, 44), icon, ink.color());

    let (top, below) = inner.cut_top(80, 16);
    let mut words_box = top;
    if let Progress::Running { .. } = progress {
        let (stop, rest) = top.cut_right(190, 20);
        let words = view.text.say(Id::StopJob);
        view.button(
            stop.center_box(190, 60),
            Target::StopJob,
            Look::Danger,
            &words,
        );
        words_box = rest;
    }
    let [title, state] = words_box.rows(0);
    view.say(
        title,
        TITLE.one_line(),
        Ink::Text,
        match job.work {
            Work::Copying => Id::Copying,
            Work::Scanning => Id::Scanning,
        },
    );
    let (words, ink, thousandths) = match progress {
        Progress::Running { page, thousandths } => (
            view.text.fill(
                Id::JobPage,
                &[(Slot::Number, &page), (Slot::Count, &job.pages)],
            ),
            Ink::Muted,
            thousandths,
        ),
        Progress::Finished => (view.text.say(Id::JobDone), Ink::Good, 1000),
        Progress::Stopped { thousandths, .. } => {
            (view.text.say(Id::JobStopped), Ink::Danger, thousandths)
        }
    };
    view.sketch.text(state, BODY, ink, &words);
    view.progress(below.cut_top(16, 0).0, thousandths);
}
