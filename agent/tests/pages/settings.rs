//! The settings page: read, found, changed, proposed, and what becomes of a proposal.

use std::{collections::BTreeMap, sync::Arc};

use alongside::protocol::{ids::ModeId, reason::ModePhase};
use alongside_agent::api::{Event, event::Role, operator};
use serde_json::{Value, json};

use crate::{
    common::chromium::Tab,
    scene::{Scene, browse, in_session, mode, with},
};

const CONFIG: &str = ModeId::ENGINEER_CONFIG;

fn schema() -> Value {
    json!({
        "title": "Machine",
        "groups": [
            {"path": "tray", "title": "Tray <b>1</b>"},
            {"path": "timers", "title": "Timers", "description": "When the machine rests"},
            {"path": "mail", "title": "Mail"},
        ],
        "settings": [
            {"path": "tray.size", "type": "string", "max": 64, "title": "Paper size", "is_required": true, "choices": ["A3", "A4", "A5"]},
            {"path": "tray.auto", "type": "boolean", "title": "Takes over", "is_required": true},
            {"path": "timers.sleep", "type": "integer", "min": 1, "max": 240, "unit": "min", "title": "Sleep after", "is_required": true},
            {"path": "mail.host", "type": "string", "max": 10, "title": "Server"},
            {"path": "mail.password", "type": "string", "max": 64, "title": "Password", "is_secret": true},
        ],
    })
}

fn values() -> Value {
    json!({"tray.size": "A4", "tray.auto": true, "timers.sleep": 30, "mail.password": null})
}

fn result(
    state: &str,
    reason: Option<&str>,
    errors: &[(&str, &str)],
    seconds: Option<u16>,
) -> Event {
    let owned = |(path, words): &(&str, &str)| ((*path).to_owned(), (*words).to_owned());
    Event::SettingsResult {
        state: state.to_owned(),
        reason: reason.map(str::to_owned),
        errors: errors.iter().map(owned).collect::<BTreeMap<_, _>>(),
        expires_in_s: seconds,
    }
}

/// Something that is to be seen, and nothing while the rows are still on their way.
fn card(says: &str) -> String {
    format!(
        "!document.querySelector('al-change').hidden && document.querySelector('al-change').textContent.includes({says:?})"
    )
}

fn input(path: &str) -> String {
    format!("al-setting[data-path='{path}'] :is(input:not([hidden]), select)")
}

fn open(tab: &Tab, group: &str) {
    tab.eval(&format!(
        "document.querySelector('details[data-group={group}]').open = true"
    ));
}

/// Chooses among what there is, as a person does with the keyboard.
fn choose(tab: &Tab, path: &str, text: &str) {
    tab.until(&format!("document.querySelector({:?})", input(path)));
    tab.eval(&format!(
        "(() => {{ const select = document.querySelector({:?}); \
           select.value = [...select.options].find(option => option.textContent === {text:?}).value; \
           select.dispatchEvent(new Event('change')); }})()",
        input(path)
    ));
}

/// Types a text into an input in the place of what was there.
fn retype(tab: &Tab, path: &str, text: &str) {
    tab.until(&format!("document.querySelector({:?})", input(path)));
    tab.eval(&format!(
        "(() => {{ const input = document.querySelector({:?}); input.focus(); input.select(); }})()",
        input(path)
    ));
    tab.type_text(text);
}

struct Page {
    scene: Scene<operator::Command>,
    tab: Arc<Tab>,
    version: u64,
}

impl Page {
    async fn until(&self, expression: String) {
        with(&self.tab, move |tab| tab.until(&expression)).await;
    }

    fn tell(&self, event: Event) {
        self.scene.events.send(event);
    }

    /// The next command about settings.
    async fn next(&mut self) -> operator::Command {
        loop {
            let command = self.scene.next().await;
            if !matches!(command, operator::Command::Pointer(_)) {
                return command;
            }
        }
    }

    /// Answers the page's wish to read.
    async fn read(&mut self, values: Value) {
        let command = self.next().await;
        let operator::Command::SettingsGet(get) = command else {
            panic!("{command:?} is no reading")
        };
        assert_eq!(get.path, None);
        self.tell(Event::Settings {
            version: self.version,
            values,
            more: false,
        });
    }

    /// What the page proposes, as path and value.
    async fn proposed(&mut self) -> Vec<(String, Value)> {
        let command = self.next().await;
        let operator::Command::SettingsApply(apply) = command else {
            panic!("{command:?} is no proposal")
        };
        let version = self.version;
        let seen = |change: &operator::SettingChange| {
            change.if_version.map(|version| version.number()) == Some(version)
        };
        assert!(apply.changes.iter().all(seen), "{apply:?}");
        let change = |change: operator::SettingChange| {
            let value = serde_json::to_value(change.value).expect("JSON");
            (change.path.to_string(), value)
        };
        apply.changes.into_iter().map(change).collect()
    }

    async fn apply(&mut self) -> Vec<(String, Value)> {
        with(&self.tab, |tab| {
            tab.until("!document.querySelector('al-change [data-does=apply]').disabled");
            tab.click("al-change [data-does=apply]");
        })
        .await;
        self.proposed().await
    }
}

/// A console in engineer config, with its settings read.
async fn engineer() -> Option<(Arc<crate::common::chromium::Browser>, Page)> {
    let scene = Scene::<operator::Command>::start(Role::Operator).await;
    let (browser, tab) = browse(&scene, 1280, 800).await?;
    in_session(&scene, &tab).await;
    let mut page = Page {
        scene,
        tab,
        version: 7,
    };
    page.tell(mode(CONFIG, ModePhase::Asked, None, Some(60)));
    page.tell(mode(CONFIG, ModePhase::Active, None, None));
    let command = page.next().await;
    assert!(
        matches!(command, operator::Command::SettingsSchema),
        "{command:?}"
    );
    // In two lines, as a large one comes.
    let (mut first, mut second) = (schema(), schema());
    first["settings"] = json!([schema()["settings"][0], schema()["settings"][1]]);
    second["groups"] = json!([]);
    second["settings"] = json!([
        schema()["settings"][2],
        schema()["settings"][3],
        schema()["settings"][4]
    ]);
    for (schema, more) in [(first, true), (second, false)] {
        page.tell(Event::SettingsSchema { schema, more });
    }
    page.read(values()).await;
    page.until(
        "document.querySelector('al-settings .read').textContent.startsWith('5 settings')"
            .to_owned(),
    )
    .await;
    Some((browser, page))
}

#[tokio::test]
async fn settings_are_read_found_changed_and_shown_as_a_difference() {
    let Some((_browser, mut page)) = engineer().await else {
        return;
    };
    with(&page.tab, |tab| {
        tab.prefer("light");
        // The device's words are text, never markup.
        tab.until("document.querySelector('details[data-group=tray] summary').textContent.includes('Tray <b>1</b>')");
        assert_eq!(tab.eval("document.querySelectorAll('al-settings b').length"), json!(0));

        // Each kind has the input that fits it.
        for group in ["timers", "mail"] {
            open(tab, group);
        }
        for (path, kind) in [("tray.size", "select-one"), ("tray.auto", "checkbox"), ("timers.sleep", "number"), ("mail.host", "text"), ("mail.password", "password")] {
            tab.until(&format!("document.querySelector({:?}).type === {kind:?}", input(path)));
        }
        let sleep = tab.eval(&format!("(() => {{ const {{ min, max, value }} = document.querySelector({:?}); return [min, max, value]; }})()", input("timers.sleep")));
        assert_eq!(sleep, json!(["1", "240", "30"]));
        // A secret is set and never shown.
        let secret = tab.eval(&format!("(() => {{ const {{ value, placeholder }} = document.querySelector({:?}); return [value, placeholder]; }})()", input("mail.password")));
        assert_eq!(secret, json!(["", "set; type to replace it"]));

        // Search by any of a setting's names; `/` goes there.
        tab.eval("document.querySelector('details[data-group=tray] summary').focus()");
        tab.press("/");
        tab.until("document.activeElement.id === 'find-setting'");
        tab.type_text("timers sle");
        tab.until("document.querySelector('.found al-setting').dataset.path === 'timers.sleep' && document.querySelectorAll('.found al-setting').length === 1");
        tab.eval("(() => { const search = document.querySelector('#find-setting'); search.value = ''; search.dispatchEvent(new Event('input')); })()");

        choose(tab, "tray.size", "A3");
        retype(tab, "timers.sleep", "900");
        tab.until("document.querySelector('al-setting[data-path=\"timers.sleep\"]').dataset.state === 'faulty'");
        tab.until("document.querySelector('al-setting[data-path=\"timers.sleep\"] .fault').textContent === 'must be at most 240'");
        tab.until("document.querySelector('al-change [data-does=apply]').disabled");
        retype(tab, "timers.sleep", "45");
        retype(tab, "mail.password", "a secret of the machine");
        tab.until("document.querySelector('al-setting[data-path=\"tray.size\"]').dataset.state === 'changed'");
        tab.until("document.querySelector('details[data-group=mail] .mark').textContent === '1 change'");
        for says in ["3 changes", "A4 →  becomes A3", "30 min →  becomes 45 min", "set, not shown →  becomes new, not shown"] {
            tab.until(&card(says));
        }
        tab.shot("operator-settings-light.png");
        tab.prefer("dark");
        tab.shot("operator-settings-dark.png");
        tab.resize(390, 800);
        tab.until("document.documentElement.scrollWidth <= 390");
        tab.shot("operator-settings-narrow.png");
        tab.resize(1280, 800);
        let unnamed: Vec<_> = tab
            .accessible()
            .into_iter()
            .filter(|(role, name)| ["button", "tab", "tabpanel", "textbox", "spinbutton", "combobox", "checkbox", "searchbox", "region"].contains(&role.as_str()) && name.is_empty())
            .collect();
        assert_eq!(unnamed, []);
    })
    .await;
    assert_eq!(
        page.apply().await,
        [
            ("tray.size".to_owned(), json!("A3")),
            ("timers.sleep".to_owned(), json!(45)),
            ("mail.password".to_owned(), json!("a secret of the machine")),
        ]
    );
    page.tell(result("asked", None, &[], Some(600)));
    page.until(card("The customer is asked on the panel")).await;
    page.until(
        "/^(10:00|9:[0-5][0-9])$/.test(document.querySelector('al-change .left').textContent)"
            .to_owned(),
    )
    .await;
    // While it is under way nothing else can be wanted.
    page.until(format!(
        "document.querySelector({:?}).disabled",
        input("tray.size")
    ))
    .await;
    page.tell(result("applied", None, &[], Some(60)));
    page.until(card("Allowed, and made")).await;
    page.version = 8;
    page.tell(result("confirmed", None, &[], None));
    page.read(
        json!({"tray.size": "A3", "tray.auto": true, "timers.sleep": 45, "mail.password": null}),
    )
    .await;
    page.until(card("Confirmed: it stays")).await;
    page.until(format!(
        "document.querySelector({:?}).value === '45'",
        input("timers.sleep")
    ))
    .await;
    // The secret stands nowhere any more.
    with(&page.tab, |tab| {
        let left = "[...document.querySelectorAll('input')].some(({ value }) => value.includes('a secret')) || document.body.textContent.includes('a secret') || JSON.stringify(sessionStorage).includes('a secret')";
        assert_eq!(tab.eval(left), json!(false));
        // Undo of the last change, by the customer's word again.
        tab.until("!document.querySelector('al-settings .undo').disabled");
        tab.click("al-settings .undo");
    })
    .await;
    let command = page.next().await;
    assert!(
        matches!(command, operator::Command::SettingsUndo),
        "{command:?}"
    );
    for event in [
        result("asked", None, &[], Some(60)),
        result("applied", None, &[], Some(60)),
        result("confirmed", None, &[], None),
    ] {
        page.tell(event);
    }
    page.version = 9;
    page.read(values()).await;
    page.until(card("Undo of the last change")).await;
    page.until(card("45 min →  becomes 30 min")).await;
    page.until("[...document.querySelectorAll('al-timeline li span')].some(span => span.textContent.startsWith('Change allowed and made: Tray <b>1</b> › Paper size, A4 → A3; '))".to_owned())
        .await;
    with(&page.tab, |tab| {
        assert_eq!(tab.complaints(), Vec::<String>::new())
    })
    .await;
}

#[tokio::test]
async fn a_proposal_that_does_not_come_through_says_why_and_what_can_be_done() {
    let Some((_browser, mut page)) = engineer().await else {
        return;
    };
    with(&page.tab, |tab| choose(tab, "tray.size", "A3")).await;
    let wanted = [("tray.size".to_owned(), json!("A3"))];
    for (event, says) in [
        (
            result("refused", Some("customer"), &[], None),
            "The customer does not allow it",
        ),
        (
            result("refused", Some("timeout"), &[], None),
            "Nobody at the panel answered",
        ),
        (
            result("refused", Some("busy"), &[], None),
            "Another change or question is under way",
        ),
        (
            result(
                "refused",
                Some("failed"),
                &[("", "no room on the disk")],
                None,
            ),
            "no room on the disk",
        ),
    ] {
        assert_eq!(page.apply().await, wanted);
        page.tell(result("asked", None, &[], Some(60)));
        page.tell(event);
        page.until(card(says)).await;
        page.until(card("Nothing was changed")).await;
    }
    // The device finds something wrong: said at its row, and gone with the next change of it.
    assert_eq!(page.apply().await, wanted);
    page.tell(result(
        "refused",
        Some("invalid"),
        &[("tray.size", "this tray takes no A3")],
        None,
    ));
    page.until("document.querySelector('al-setting[data-path=\"tray.size\"] .fault').textContent === 'this tray takes no A3'".to_owned())
        .await;
    page.until("document.querySelector('al-change [data-does=apply]').disabled".to_owned())
        .await;
    with(&page.tab, |tab| {
        choose(tab, "tray.size", "A4");
        choose(tab, "tray.size", "A3");
    })
    .await;

    // Somebody changed things meanwhile: what, and a way on.
    assert_eq!(page.apply().await, wanted);
    page.tell(result("conflict", None, &[], None));
    page.version = 8;
    page.read(
        json!({"tray.size": "A5", "tray.auto": false, "timers.sleep": 30, "mail.password": null}),
    )
    .await;
    page.until(card("was A4 when you read it, is A5 now, you want A3"))
        .await;
    page.until(card("Takes over was on, is off now")).await;
    page.until(
        "document.querySelector('al-setting[data-path=\"tray.auto\"]').dataset.state === 'other'"
            .to_owned(),
    )
    .await;
    with(&page.tab, |tab| {
        tab.shot("operator-settings-conflict.png");
        tab.click("al-change [data-does=keep]");
        tab.until(&card("A5 →  becomes A3"));
    })
    .await;

    // Made and taken back, and why.
    assert_eq!(page.apply().await, wanted);
    for event in [
        result("asked", None, &[], Some(60)),
        result("applied", None, &[], Some(60)),
        result(
            "rolled-back",
            Some("failed"),
            &[("", "the lamp does not answer")],
            None,
        ),
    ] {
        page.tell(event);
    }
    page.read(
        json!({"tray.size": "A5", "tray.auto": false, "timers.sleep": 30, "mail.password": null}),
    )
    .await;
    page.until(card(
        "It failed half way: the lamp does not answer. The device took it back",
    ))
    .await;
    with(&page.tab, |tab| {
        tab.click("al-change [data-does=discard]");
        tab.until("document.querySelector('al-change').hidden");
        tab.until(&format!(
            "document.querySelector({:?}).selectedOptions[0].textContent === 'A5'",
            input("tray.size")
        ));
    })
    .await;

    // The grant ends: nothing of the settings stays on the page.
    page.tell(mode(CONFIG, ModePhase::Ended, None, None));
    page.until("document.querySelector('al-settings .page').hidden && !document.querySelector('al-setting')".to_owned())
        .await;

    // In sleep nobody is asked, and there is nothing to see.
    page.tell(mode(CONFIG, ModePhase::Active, None, None));
    page.tell(Event::Surface { surface: "none" });
    page.until(
        "document.querySelector('al-settings .sleep').textContent.includes('this device has none')"
            .to_owned(),
    )
    .await;
    page.until(
        "document.querySelector('[data-mode=engineer-config]').textContent.includes('by policy')"
            .to_owned(),
    )
    .await;
    page.until(
        "document.querySelector('.stale').textContent.includes('no service surface')".to_owned(),
    )
    .await;
    with(&page.tab, |tab| {
        assert_eq!(tab.complaints(), Vec::<String>::new())
    })
    .await;
}
