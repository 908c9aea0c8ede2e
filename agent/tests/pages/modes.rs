//! The mode switcher, the hand in control, and the timeline that tells of them.

use std::sync::Arc;

use alongside::protocol::{
    ids::ModeId,
    input::KeyMotion,
    reason::{EndReason, ModePhase, Party, Refusal},
};
use alongside_agent::api::{
    Event,
    event::{self, LinkState, PathKind, Role},
    operator,
};
use serde_json::json;

use crate::{
    common::chromium::{Hand, Tab},
    scene::{Scene, browse, in_session, mode, with},
};

const CONTROL: &str = ModeId::OPERATOR_CONTROL;

fn button(says: &str) -> String {
    format!("document.querySelector('[data-mode={CONTROL}]').textContent.includes({says:?})")
}

fn stands(says: &str) -> String {
    format!("document.querySelector('.below').textContent.includes({says:?})")
}

fn tells(line: &str) -> String {
    format!(
        "[...document.querySelectorAll('al-timeline li span')].some(span => span.textContent === {line:?})"
    )
}

async fn until(tab: &Arc<Tab>, expressions: Vec<String>) {
    with(tab, move |tab| {
        for expression in &expressions {
            tab.until(expression);
        }
    })
    .await;
}

#[tokio::test]
async fn modes_say_in_words_whose_consent_they_take_and_how_they_stand() {
    let mut scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    in_session(&scene, &tab).await;
    until(&tab, vec![button("ask first, with ID")]).await;
    with(&tab, |tab| tab.click("[data-mode='operator-control']")).await;
    let operator::Command::Mode(wanted) = scene.next().await else {
        panic!("a mode")
    };
    assert_eq!(wanted.mode.as_str(), CONTROL);
    let control = |state, reason, seconds| {
        scene.events.send(mode(CONTROL, state, reason, seconds));
    };

    // A question with its countdown, and more time while the customer types.
    control(ModePhase::Asked, None, Some(600));
    let counts = "/waiting (10:00|9:[0-5][0-9])/.test(document.querySelector('[data-mode=operator-control]').textContent)";
    let time =
        "/time to answer: (10:00|9:[0-5][0-9])/.test(document.querySelector('.below').textContent)";
    until(
        &tab,
        vec![
            counts.to_owned(),
            time.to_owned(),
            stands("types the system administrator"),
            stands("Silence counts as a no"),
        ],
    )
    .await;
    control(ModePhase::Asked, None, Some(300));
    until(&tab, vec![button("more time"), stands("more time: 4:")]).await;
    // Asked for once more meanwhile: that is told, and the question stands.
    control(ModePhase::Refused, Some(Refusal::Busy), None);
    let notice =
        "document.querySelector('al-notice').textContent.includes('being asked something else')";
    until(&tab, vec![notice.to_owned(), button("more time")]).await;

    // Each reason in words.
    for (reason, word, sentence) in [
        (
            Refusal::Customer,
            "customer said no",
            "does not allow Control",
        ),
        (
            Refusal::Timeout,
            "no answer",
            "Nobody at the panel answered",
        ),
        (
            Refusal::NoAdminId,
            "no administrator ID",
            "has none to check against",
        ),
        (Refusal::Locked, "ID locked", "takes none for a while"),
        (Refusal::Busy, "still asking", "being asked something else"),
        (
            Refusal::Interrupted,
            "connection lost",
            "before there was an answer",
        ),
        (
            Refusal::Versions,
            "versions differ",
            "no version of Control in common",
        ),
        (
            Refusal::Policy,
            "not on this device",
            "its owner does not allow it",
        ),
    ] {
        // With another question open, this one was never asked.
        if reason != Refusal::Busy {
            control(ModePhase::Asked, None, Some(60));
        }
        control(ModePhase::Refused, Some(reason), None);
        let notice =
            format!("document.querySelector('al-notice').textContent.includes({sentence:?})");
        until(&tab, vec![button(word), notice]).await;
    }
    with(&tab, |tab| {
        assert_eq!(
            tab.eval("document.querySelector('[data-mode=operator-control]').ariaDisabled"),
            json!("true")
        );
    })
    .await;
}

#[tokio::test]
async fn control_gives_the_hand_keys_and_text_and_says_who_wins() {
    let mut scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    in_session(&scene, &tab).await;
    let hidden = "document.querySelector('al-control').hidden";
    until(&tab, vec![hidden.to_owned()]).await;
    let control = |state, seconds| scene.events.send(mode(CONTROL, state, None, seconds));
    control(ModePhase::Asked, Some(60));
    control(ModePhase::Active, None);
    until(
        &tab,
        vec![
            format!("!{hidden}"),
            stands("asked again in"),
            "document.querySelector('al-tools [aria-label=Pen]').disabled".to_owned(),
        ],
    )
    .await;

    // A key is down for as long as it is held, whatever holds it.
    with(&tab, |tab| {
        let at = tab.middle("al-control [data-key='Start']");
        tab.pointer(Hand::Mouse, "mousePressed", at, true);
    })
    .await;
    key(&mut scene, "Start", KeyMotion::Down).await;
    with(&tab, |tab| {
        let at = tab.middle("al-control [data-key='Start']");
        tab.pointer(Hand::Mouse, "mouseReleased", at, false);
    })
    .await;
    key(&mut scene, "Start", KeyMotion::Up).await;
    with(&tab, |tab| {
        tab.eval("document.querySelector('al-panel al-screen').focus()");
        tab.press("7");
    })
    .await;
    key(&mut scene, "7", KeyMotion::Down).await;
    key(&mut scene, "7", KeyMotion::Up).await;
    with(&tab, |tab| {
        tab.click("al-control input");
        tab.type_text("two words");
        tab.click("al-control form button");
    })
    .await;
    let text = loop {
        if let operator::Command::Text(text) = scene.next().await {
            break text;
        }
    };
    assert_eq!(text.text.as_str(), "two words");
    with(&tab, |tab| tab.click("al-panel al-screen")).await;
    let counted = tells("2 keys pressed, 1 text typed, 1 press on the panel");
    until(&tab, vec![counted]).await;

    // The person at the panel wins, and the page says so; then the question whether it goes on.
    scene
        .events
        .send(mode(CONTROL, ModePhase::Paused, None, None));
    until(
        &tab,
        vec![button("paused by the customer"), stands("always wins")],
    )
    .await;
    for (state, seconds) in [(ModePhase::Active, None), (ModePhase::Asked, Some(60))] {
        scene.events.send(mode(CONTROL, state, None, seconds));
    }
    until(
        &tab,
        vec![
            button("asked again"),
            stands("asked whether Control goes on"),
            format!("!{hidden}"),
        ],
    )
    .await;
    scene.events.send(Event::Console {
        message: json!({"input": "late"}),
    });

    // The connection moves, goes and comes back.
    scene.events.send(Event::Path(event::Path {
        kind: PathKind::Direct,
        rtt_ms: 9.0,
        kbps_in: 20,
        kbps_out: 4,
        closed: Vec::new(),
    }));
    for (state, silent_ms, ends_in_ms) in [
        (LinkState::Missing, 15_000, None),
        (LinkState::Lost, 20_000, Some(100_000)),
        (LinkState::Ok, 0, None),
    ] {
        scene.events.send(Event::Link(event::Link {
            state,
            silent_ms,
            ends_in_ms,
        }));
    }
    scene
        .events
        .send(mode(CONTROL, ModePhase::Ended, None, None));
    let lines = [
        "Connected to SN-0042-7781",
        "Guide is on",
        "Path: UDP through the relay",
        "Asked for Control",
        "Control allowed",
        "2 keys pressed, 1 text typed, 1 press on the panel",
        "Control paused: the person at the panel is using it",
        "Control goes on",
        "The customer is asked whether Control goes on",
        "What you did took too long to arrive and was dropped. It is not done later.",
        "Path: UDP between the two machines",
        "Nothing is heard from the device",
        "Connection lost; trying again",
        "Control is off",
    ];
    let expected = lines.map(tells).to_vec();
    until(&tab, expected.clone()).await;
    let in_order = format!(
        "(() => {{ const told = [...document.querySelectorAll('al-timeline li')].map(li => li.lastChild.textContent); \
           const at = {}.map(line => told.indexOf(line)); return at.every((n, i) => n >= 0 && (i === 0 || n > at[i - 1])); }})()",
        json!(lines)
    );
    let back = "[...document.querySelectorAll('al-timeline li span')].some(span => /^The device is back after [0-9]+ s$/.test(span.textContent))";
    until(&tab, vec![in_order.clone(), back.to_owned()]).await;

    // A reload keeps what was told, once.
    with(&tab, |tab| tab.reload()).await;
    until(&tab, vec![in_order]).await;
    with(&tab, |tab| {
        let twice = tab.eval(
            "(() => { const lines = [...document.querySelectorAll('al-timeline li')].map(li => li.textContent); \
               return lines.length - new Set(lines).size; })()",
        );
        assert_eq!(twice, json!(0));
        tab.click("#tab-timeline");
        tab.shot("operator-timeline.png");
    })
    .await;
    scene.events.send(Event::Ended {
        by: Party::Customer,
        reason: EndReason::Exit,
    });
    until(
        &tab,
        vec!["document.querySelector('.past').textContent.includes('Control allowed')".to_owned()],
    )
    .await;
    with(&tab, |tab| {
        assert_eq!(tab.complaints(), Vec::<String>::new())
    })
    .await;
}

async fn key(scene: &mut Scene<operator::Command>, name: &str, motion: KeyMotion) {
    loop {
        if let operator::Command::Key(key) = scene.next().await {
            let event = key.event();
            assert_eq!((event.key.as_str(), event.motion), (name, motion));
            return;
        }
    }
}
