//! The operator's page between real processes: a person at the console, a person at the panel.

use std::{fs, path::PathBuf};

use alongside::{
    protocol::{
        ids::ModeId,
        input::{KeyMotion, KeyName, PointerPhase},
    },
    status::{Active, Status},
};
use alongside_agent::panel::mfd::{Place, Target};
use serde_json::{Value, json};

use crate::{
    administrator::{RIGHT, WRONG, asked, covered, live, set},
    agent::Agent,
    common::{
        self,
        chromium::{Browser, Hand, Tab},
    },
    front,
    world::{World, meet},
};

const CONTROL: &str = ModeId::OPERATOR_CONTROL;
const CONFIG: &str = ModeId::ENGINEER_CONFIG;

/// An operator with a page, in a session with a device.
struct Stage {
    operator: Agent,
    device: Agent,
    tab: Tab,
    _browser: Browser,
}

impl Stage {
    fn new(world: &World, mut device: Agent) -> Self {
        let mut command = world.command("assist", "operator");
        command.args(["--name", "Dana", "--console"]);
        let mut operator = world.start(command, "operator");
        let pages = operator.event("pages");
        let browser = Browser::start();
        let tab = browser.tab(pages["operator"].as_str().expect("an address"), 1280, 800);
        tab.until("document.body.dataset.view === 'invite'");
        meet(&mut operator, &mut device);
        tab.until("document.body.dataset.view === 'session'");
        Self {
            operator,
            device,
            tab,
            _browser: browser,
        }
    }

    /// What a mode's button says.
    fn says(&self, mode: &str, word: &str) {
        self.tab.until(&format!(
            "document.querySelector('[data-mode={mode}]').textContent.includes({word:?})"
        ));
    }

    /// Asks for a mode on the page; the customer is at the question.
    fn ask(&mut self, mode: &str) {
        self.tab.click(&format!("[data-mode='{mode}']"));
        let asked = self.device.event("asked");
        assert_eq!(asked["mode"], mode);
        self.tab.until(&format!(
            "/waiting [01]:[0-9][0-9]/.test(document.querySelector('[data-mode={mode}]').textContent)"
        ));
        self.tab.until(
            "/time to answer: [01]:[0-9][0-9]/.test(document.querySelector('.below').textContent)",
        );
    }

    fn allow(&mut self, mode: &str) {
        self.device
            .refused(json!({"do": "allow", "admin_id": WRONG}), "admin-id-wrong");
        self.device.ok(json!({"do": "allow", "admin_id": RIGHT}));
        self.says(mode, "on");
        self.tab.until(&format!(
            "document.querySelector('[data-mode={mode}]').dataset.state === 'active'"
        ));
    }

    fn card(&self, says: &str) {
        self.tab.until(&format!(
            "document.querySelector('al-change').textContent.includes({says:?})"
        ));
    }

    /// Proposes what is drafted, and waits until the customer is asked.
    fn propose(&mut self) -> Value {
        self.tab
            .until("!document.querySelector('al-change [data-does=apply]').disabled");
        self.tab.click("al-change [data-does=apply]");
        let asked = self.device.event("asked");
        self.card("The customer is asked on the panel");
        asked["differences"].clone()
    }

    fn tells(&self, line: &str) {
        self.tab.until(&format!(
            "[...document.querySelectorAll('al-timeline li span')].some(span => span.textContent === {line:?})"
        ));
    }

    fn end(mut self) {
        self.device.ok(json!({"do": "exit"}));
        self.tab
            .until("document.querySelector('.ended p')?.textContent === 'The customer ended it with EXIT.'");
        assert_eq!(self.tab.complaints(), Vec::<String>::new());
        drop(self.operator);
    }
}

#[test]
fn control_is_refused_then_allowed_and_drives_the_panel_until_the_customer_does() {
    if !common::is_lab("the console in a real browser needs chromium") {
        return;
    }
    let world = World::new();
    assert_eq!(set(&world, RIGHT).status.code(), Some(0));
    let device = world.device();
    let mut stage = Stage::new(&world, device);
    stage.says(CONTROL, "ask first, with ID");
    stage.ask(CONTROL);
    stage.device.ok(json!({"do": "refuse"}));
    stage.says(CONTROL, "customer said no");
    stage.ask(CONTROL);
    stage.allow(CONTROL);

    // The operator's hand is off the panel until the last covered picture is history.
    while covered(&world, &mut stage.operator) > 0 {
        stage.operator.event("panel");
    }
    // Clicks on the picture and keys of the console do on the device what they do on a panel like it.
    let mut mirror = asked();
    mirror.show(&Status::Active(Active {
        mode: ModeId::new(CONTROL).expect("a mode"),
        ..live()
    }));
    let at = mirror
        .find(Target::Go(Place::Copy))
        .expect("a control on the screen");
    let (x, y) = at.to_decimal();
    let place = stage.tab.at("al-panel al-screen", x / 1024.0, y / 600.0);
    for (kind, down) in [
        ("mouseMoved", false),
        ("mousePressed", true),
        ("mouseReleased", false),
    ] {
        stage.tab.pointer(Hand::Mouse, kind, place, down);
    }
    for phase in [PointerPhase::Down, PointerPhase::Up] {
        mirror.touch(at, phase);
    }
    front::looks_like(&world, &mut stage.device, &mut mirror);
    for key in ["4", "2"] {
        stage.tab.click(&format!("al-control [data-key='{key}']"));
        let name = KeyName::new(key).expect("a key");
        for motion in [KeyMotion::Down, KeyMotion::Up] {
            mirror.key(&name, motion);
        }
    }
    front::looks_like(&world, &mut stage.device, &mut mirror);
    // In one line, unless the connection had something to say in between.
    for counted in ["1 press on the panel", "pressed"] {
        stage.tab.until(&format!(
            "document.querySelector('al-timeline').textContent.includes({counted:?})"
        ));
    }

    // The person at the panel wins.
    stage
        .device
        .ok(json!({"do": "touch", "x": 1000.0, "y": 560.0, "phase": "down"}));
    stage
        .device
        .ok(json!({"do": "touch", "x": 1000.0, "y": 560.0, "phase": "up"}));
    for line in [
        "Connected to SN-1",
        "Guide is on",
        "Asked for Control",
        "The customer does not allow Control.",
        "Control allowed",
        "Control paused: the person at the panel is using it",
        "Control goes on",
    ] {
        stage.tells(line);
    }
    stage.end();
}

/// A lamp whose settings are in a file; its reload fails once wherever there is a file `fail`.
fn lamp(world: &World) -> Agent {
    let schema = json!({"type": "object", "title": "Lamp", "properties": {
        "lamp": {"type": "object", "title": "The <i>lamp</i>", "properties": {
            "level": {"type": "integer", "title": "Level", "minimum": 0, "maximum": 10, "x-unit": "lm"},
            "colour": {"type": "string", "title": "Colour", "enum": ["white", "warm"]},
            "key": {"type": "string", "title": "Radio key", "x-secret": true},
        }},
    }});
    fs::write(world.path("schema.json"), schema.to_string()).expect("written");
    write(world, 3);
    let fail = world.path("fail").display().to_string();
    let reload = format!("if [ -e '{fail}' ]; then rm '{fail}'; exit 1; fi");
    let config = format!(
        "[settings]\nschema = {:?}\nreload = [\"/bin/sh\", \"-c\", {reload:?}]\n\n\
         [[settings.files]]\npath = {:?}\nformat = \"toml\"\ngroup = \"lamp\"\n",
        world.path("schema.json").display().to_string(),
        file(world).display().to_string(),
    );
    fs::write(world.path("device.toml"), config).expect("written");
    let mut command = world.command("device", "device");
    command
        .args(["--serial", "SN-1", "--config"])
        .arg(world.path("device.toml"));
    command.env("PATH", "/usr/bin:/bin");
    let mut device = world.start(command, "device");
    device.event("ready");
    device
}

fn file(world: &World) -> PathBuf {
    world.path("lamp.toml")
}

/// The file as somebody edits it by hand.
fn write(world: &World, level: u32) {
    let text = format!(
        "# how bright\nlevel = {level}\ncolour = \"white\"\nkey = \"not for the operator\"\n"
    );
    fs::write(file(world), text).expect("written");
}

fn holds(world: &World, text: &str) {
    let is = fs::read_to_string(file(world)).expect("there");
    assert!(is.contains(text), "{text:?} is not in {is:?}");
}

/// Types a level, once the row is there and may be written.
fn level(tab: &Tab, text: &str) {
    let input = "al-setting[data-path='lamp.level'] input";
    tab.until(&format!("!document.querySelector({input:?}).disabled"));
    tab.eval(&format!(
        "(() => {{ const input = document.querySelector({input:?}); input.focus(); input.select(); }})()"
    ));
    tab.type_text(text);
}

#[test]
fn settings_are_changed_on_the_page_with_the_customers_word_on_each_change() {
    if !common::is_lab("the console in a real browser needs chromium") {
        return;
    }
    let world = World::new();
    assert_eq!(set(&world, RIGHT).status.code(), Some(0));
    let device = lamp(&world);
    let mut stage = Stage::new(&world, device);
    stage.tab.click("#tab-settings");
    stage
        .tab
        .until("!document.querySelector('al-settings .off').hidden");
    stage.ask(CONFIG);
    stage.allow(CONFIG);
    let shown = "document.querySelector('al-setting[data-path=\"lamp.level\"] input').value";
    stage.tab.until(&format!("{shown} === '3'"));
    stage
        .tab
        .until("document.querySelector('al-settings-tree summary').textContent.includes('The <i>lamp</i>')");
    // The device's secret is nowhere on this side.
    stage.tab.until("document.querySelector('al-setting[data-path=\"lamp.key\"] input[type=password]').placeholder.startsWith('set')");
    let page = "document.documentElement.outerHTML + JSON.stringify(sessionStorage)";
    let page = stage.tab.eval(page);
    assert!(
        !page
            .as_str()
            .expect("text")
            .contains("not for the operator")
    );

    // No.
    level(&stage.tab, "7");
    stage.card("3 lm →  becomes 7 lm");
    let differences = stage.propose();
    assert_eq!(
        (&differences[0]["before"], &differences[0]["after"]),
        (&json!(3), &json!(7))
    );
    stage.device.ok(json!({"do": "refuse"}));
    stage.card("The customer does not allow it. Nothing was changed.");
    holds(&world, "level = 3");

    // Somebody edits the file meanwhile.
    write(&world, 5);
    stage.tab.click("al-change [data-does=apply]");
    stage.card("was 3 lm when you read it, is 5 lm now, you want 7 lm");
    stage.tab.click("al-change [data-does=keep]");
    stage.card("5 lm →  becomes 7 lm");

    // Yes.
    stage.propose();
    stage.device.ok(json!({"do": "allow"}));
    stage.card("Confirmed: it stays.");
    stage.tab.until(&format!("{shown} === '7'"));
    holds(&world, "# how bright\nlevel = 7");

    // It fails half way and is taken back.
    level(&stage.tab, "9");
    stage.propose();
    fs::write(world.path("fail"), "").expect("written");
    stage.device.ok(json!({"do": "allow"}));
    stage.card("It failed half way");
    holds(&world, "level = 7");
    stage.tab.click("al-change [data-does=discard]");
    stage.tab.until(&format!("{shown} === '7'"));

    // Undo of what stayed.
    stage
        .tab
        .until("!document.querySelector('al-settings .undo').disabled");
    stage.tab.click("al-settings .undo");
    stage.device.event("asked");
    stage.device.ok(json!({"do": "allow"}));
    stage.card("7 lm →  becomes 5 lm");
    holds(&world, "level = 5");
    for line in [
        "Asked for Engineer",
        "Engineer allowed",
        "Change refused: The customer does not allow it. Nothing was changed.",
        "Change: conflict, nothing was changed",
        "Change allowed and made: The <i>lamp</i> › Level, 5 lm → 7 lm",
        "Change confirmed",
        "Undo confirmed",
    ] {
        stage.tells(line);
    }
    stage.end();
}
