//! How the console says how things stand, and how it looks.

use alongside::protocol::reason::{EndReason, Party};
use alongside_agent::api::{Event, event::Role, operator};

use crate::{
    common::chromium::Hand,
    scene::{Scene, browse, in_session, with},
};

#[tokio::test]
async fn the_console_looks_right_by_day_and_by_night_and_ends_with_the_reason() {
    let mut scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    in_session(&scene, &tab).await;
    with(&tab, |tab| {
        tab.prefer("light");
        tab.click("al-tools [aria-label='Pen']");
        let at = |angle: f64| {
            tab.at(
                "al-panel al-screen",
                0.867 + 0.125 * angle.sin(),
                0.765 - 0.2 * angle.cos(),
            )
        };
        tab.pointer(Hand::Pen(0.3), "mousePressed", at(-0.4), true);
        for n in 0..=40_u32 {
            let turn = f64::from(n) / 40.0;
            tab.pointer(
                Hand::Pen(0.3 + 0.6 * turn),
                "mouseMoved",
                at(-0.4 + turn * 6.6),
                true,
            );
        }
        tab.pointer(Hand::Pen(0.9), "mouseReleased", at(6.2), false);
        tab.click("al-tools [aria-label='Pointer']");
        tab.click("al-tools [aria-label='Blue']");
        tab.pointer(
            Hand::Mouse,
            "mouseMoved",
            tab.at("al-panel al-screen", 0.39, 0.3),
            false,
        );
        tab.eval("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))");
        tab.shot("operator-session-light.png");
        tab.prefer("dark");
        tab.shot("operator-session-dark.png");
        tab.resize(1024, 700);
        tab.until("document.querySelector('al-screen').getBoundingClientRect().width < 720");
        tab.shot("operator-session-small.png");
        tab.resize(1440, 860);
        let unnamed: Vec<_> = tab
            .accessible()
            .into_iter()
            .filter(|(role, name)| {
                [
                    "button",
                    "radio",
                    "application",
                    "toolbar",
                    "radiogroup",
                    "group",
                    "log",
                    "textbox",
                    "combobox",
                ]
                .contains(&role.as_str())
                    && name.is_empty()
            })
            .collect();
        assert_eq!(unnamed, []);
        tab.click("#end");
        tab.until("document.querySelector('#confirm').open");
        tab.shot("operator-confirm.png");
        tab.click("#end-now");
    })
    .await;
    loop {
        if matches!(scene.next().await, operator::Command::End) {
            break;
        }
    }
    scene.events.send(Event::Ended {
        by: Party::Customer,
        reason: EndReason::StopKey,
    });
    with(&tab, |tab| {
        tab.until("document.querySelector('.ended p').textContent === 'The customer ended it by holding the stop key.'");
        tab.prefer("light");
        tab.shot("operator-ended.png");
    })
    .await;
    // The agent goes: the page has heard everything, and says so.
    scene.events.close();
    scene.page.finish().await;
    with(&tab, |tab| {
        tab.until("document.querySelector('al-notice').textContent.includes('has finished')");
        assert_eq!(tab.complaints(), Vec::<String>::new());
    })
    .await;
}
