//! The code on the console, and whose window it is.

use std::time::Duration;

use alongside::protocol::label::Label;
use alongside_agent::api::{ErrorCode, Failure, event::Role, operator};
use serde_json::json;

use crate::scene::{Scene, blocking, browse, code, with};

#[tokio::test]
async fn the_console_gets_a_code_and_says_what_becomes_of_it() {
    let mut scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1280, 800).await else {
        return;
    };
    with(&tab, |tab| {
        tab.prefer("light");
        tab.until("!document.querySelector('#get-code').disabled");
        tab.shot("operator-invite.png");
        tab.click("#ticket");
        tab.type_text("INC-20417");
        tab.click("#get-code");
    })
    .await;
    let operator::Command::Code(wanted) = scene.next().await else {
        panic!("a code is wanted")
    };
    assert_eq!(wanted.ttl, Duration::from_secs(600));
    assert_eq!(wanted.ticket.as_ref().map(Label::as_str), Some("INC-20417"));

    scene.events.send(code(543));
    with(&tab, |tab| {
        tab.until("document.querySelector('.digits').textContent === '482019375564'");
        tab.until("/^9:0[0-3] left$/.test(document.querySelector('.time span').textContent)");
        let named = |tree: &[(String, String)]| {
            tree.iter()
                .any(|(_, name)| name == "Code 4 8 2 0, 1 9 3 7, 5 5 6 4")
        };
        assert!(named(&tab.accessible()), "{:?}", tab.accessible());
        tab.shot("operator-code-light.png");
        tab.prefer("dark");
        tab.shot("operator-code-dark.png");
    })
    .await;

    scene.events.send(
        Failure::new(ErrorCode::CodeWrong, "wrong")
            .with_tries_left(2)
            .into(),
    );
    with(&tab, |tab| {
        tab.until("document.querySelector('.says').textContent.includes('2 attempts are left')");
        tab.shot("operator-code-wrong.png");
        // A reload comes back with what holds, the ticket spent long ago.
        assert_eq!(tab.eval("location.hash"), json!(""));
        tab.reload();
        tab.until("document.querySelector('.says').textContent.includes('2 attempts are left')");
        tab.until("document.querySelector('.digits').textContent === '482019375564'");
    })
    .await;

    scene
        .events
        .send(Failure::new(ErrorCode::CodeBurnt, "burnt").into());
    with(&tab, |tab| {
        tab.until(
            "document.querySelector('.says').textContent.includes('typed wrong three times')",
        );
        tab.until("document.querySelector('.digits').dataset.state === 'dead'");
        tab.shot("operator-code-burnt.png");
    })
    .await;

    scene.events.send(code(1));
    with(&tab, |tab| {
        tab.until("document.querySelector('.says').textContent.includes('Nobody typed this code in time')");
        assert_eq!(tab.complaints(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_ticket_opens_one_window_and_no_second() {
    let scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((browser, tab)) = browse(&scene, 1000, 700).await else {
        return;
    };
    let url = scene.page.url().to_owned();
    with(&tab, |tab| {
        tab.until("!document.querySelector('#get-code').disabled")
    })
    .await;
    let fresh = scene.page.fresh_url().expect("a ticket");
    blocking(move || {
        let second = browser.tab(&url, 1000, 700);
        second.until("document.querySelector('al-notice').textContent.includes('used before')");
        // An address that only differs behind the hash does not load a page.
        second.navigate("about:blank");
        second.navigate(&fresh);
        second.until("!document.querySelector('#get-code').disabled");
    })
    .await;
}
