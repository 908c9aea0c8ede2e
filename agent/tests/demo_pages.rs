//! The demo as a person sees it: two pages in a real browser, a code read from one and typed into the other, a stroke
//! drawn on one and standing on the other, and the customer's ways to end it.
#![allow(missing_docs, reason = "tests")]

mod common;
#[path = "demo_pages/tour.rs"]
mod tour;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use alongside::{
    protocol::{
        AccessCode, PanelPoint, PublicKey, SessionId,
        code::CodeSecret,
        ids::ModeId,
        input::PointerPhase,
        label::Label,
        reason::{EndReason, ModePhase, Party},
    },
    status::{Active, Banner, Link, OperatorIdentity, Status},
};
use alongside_agent::{
    panel::mfd::{Mfd, Place, Target},
    text::{Locale, Text},
};
use common::chromium::{Browser, Hand, Tab, pixel};
use serde_json::Value;

/// The demo, ended with the test.
struct Demo {
    child: Child,
    operator: String,
    device: String,
}

impl Demo {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_alongside-agent"))
            .args(["demo", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the agent");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        output.read_line(&mut line).expect("a line");
        let pages: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(pages["event"], "pages");
        let page = |role: &str| pages[role].as_str().expect("an address").to_owned();
        Self {
            child,
            operator: page("operator"),
            device: page("device"),
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where on the window a place of the panel is, in a tab that shows it.
fn on_panel(tab: &Tab, at: PanelPoint) -> (f64, f64) {
    let (x, y) = at.to_decimal();
    tab.at("al-screen", x / 1024.0, y / 600.0)
}

fn touch(tab: &Tab, at: PanelPoint) {
    let at = on_panel(tab, at);
    tab.pointer(Hand::Mouse, "mousePressed", at, true);
    tab.pointer(Hand::Mouse, "mouseReleased", at, false);
}

/// A panel of our own tells where its controls are; `path` is touched on the way.
fn find(mut mfd: Mfd, path: &[Target], target: Target) -> PanelPoint {
    for step in path {
        let at = mfd.find(*step).expect("a control on the way");
        mfd.touch(at, PointerPhase::Down);
        mfd.touch(at, PointerPhase::Up);
    }
    mfd.find(target).expect("the control")
}

fn at_home() -> Mfd {
    Mfd::new(Text::new(Locale::English))
}

/// A panel in a session with the demo's operator.
fn in_session() -> Mfd {
    let name = |text| Some(Label::new(text).expect("a name"));
    let operator = OperatorIdentity {
        key: PublicKey([0; 32]),
        name: name("Dana Reyes"),
        organisation: name("Example Support"),
        confirmed_by: Label::new("the demo's relay").ok(),
    };
    let mut mfd = at_home();
    mfd.show(&Status::Active(Active {
        session: SessionId([0; 16]),
        operator,
        mode: ModeId::user_guide(),
        phase: ModePhase::Active,
        link: Link::Ok,
        ask: None,
        refused: None,
        banner: Banner::Shown,
        idle_ends_in: None,
    }));
    mfd
}

/// Gets a code on the console and opens code entry on the device.
fn invite(console: &Tab, front: &Tab) -> String {
    console.until("!document.querySelector('#get-code').disabled");
    console.click("#get-code");
    console.until("document.querySelector('.digits').dataset.state === 'open'");
    let notice = Target::Go(Place::Notice);
    touch(front, find(at_home(), &[], notice));
    touch(front, find(at_home(), &[notice], Target::Go(Place::Entry)));
    let code = console.eval("document.querySelector('.digits').textContent");
    code.as_str().expect("digits").to_owned()
}

/// Types a code on the machine's own keys.
fn type_code(front: &Tab, code: &str) {
    for digit in code.chars() {
        front.press(&digit.to_string());
    }
    front.click("[data-key='Start']");
}

/// A code of the same nameplate with another secret, and a check digit that is right.
fn wrong(code: &str) -> String {
    let right = AccessCode::parse(code).expect("a code");
    let wrong = |seed| {
        AccessCode::new(
            right.nameplate(),
            CodeSecret::draw(&[seed; 3]).expect("a secret"),
        )
    };
    let [one, other] = [1, 2].map(wrong);
    if one == right { other } else { one }.reveal()
}

/// Until the console is in a session that shows the panel as it is.
fn connected(console: &Tab) {
    console.until("!document.querySelector('al-session').hidden");
    console.until("document.querySelector('[data-mode=user-guide]').dataset.state === 'active'");
    console.until("document.querySelector('.figures').textContent.includes('exact')");
}

fn ended(console: &Tab, sentence: &str) {
    console.until(&format!(
        "document.querySelector('.ended p')?.textContent === {sentence:?}"
    ));
    console.click(".ended .primary");
}

/// Holds the stop key in the page for so many milliseconds; answers for how many it was, by the page's clock.
fn hold(front: &Tab, ms: u32) -> f64 {
    front.eval(
        "document.querySelector('al-keypad').addEventListener('key', \
           () => { window.wentDown = performance.now(); }, { once: true })",
    );
    let key = front.middle("[data-key='#']");
    front.pointer(Hand::Mouse, "mousePressed", key, true);
    let held = front.eval(&format!(
        "new Promise(up => setTimeout(() => {{ document.querySelector('al-keypad').release(); \
           up(performance.now() - window.wentDown); }}, {ms} - (performance.now() - window.wentDown)))"
    ));
    front.pointer(Hand::Mouse, "mouseReleased", key, false);
    held.as_f64().expect("milliseconds")
}

/// Waits until the device's page shows the card that says why, in the picture of the panel itself.
fn says_why(front: &Tab, reason: EndReason) {
    front.until("document.body.dataset.stands === 'ended'");
    let mut mfd = in_session();
    mfd.show(&Status::Ended {
        by: Party::Customer,
        reason,
    });
    let frame = mfd.render();
    let (left, top, width, height) = tour::WHY;
    let sum = (top..top + height)
        .flat_map(|y| (left..left + width).map(move |x| y * 1024 + x))
        .fold(0_u32, |sum, at| {
            sum.wrapping_mul(31)
                .wrapping_add(frame.pixels()[at as usize])
        });
    front.until(&format!(
        "(() => {{ const copy = new OffscreenCanvas({width}, {height}).getContext('2d'); \
           copy.drawImage(document.querySelector('al-screen canvas'), {left}, {top}, {width}, {height}, 0, 0, {width}, {height}); \
           const {{ data }} = copy.getImageData(0, 0, {width}, {height}); let sum = 0; \
           for (let at = 0; at < data.length; at += 4) \
             sum = (Math.imul(sum, 31) + (data[at] << 16 | data[at + 1] << 8 | data[at + 2])) >>> 0; \
           return sum === {sum}; }})()"
    ));
}

#[test]
fn a_customer_is_helped_and_ends_it() {
    if !common::is_lab("the demo in a real browser needs chromium") {
        return;
    }
    let demo = Demo::start();
    let browser = Browser::start();
    let front = browser.tab(&demo.device, 1440, 860);
    let console = browser.tab(&demo.operator, 1440, 860);
    for tab in [&front, &console] {
        tab.prefer("light");
    }
    front.until("document.querySelector('al-screen').width === 1024");

    // A wrong secret is told on the console and costs an attempt; the right code still works.
    let code = invite(&console, &front);
    type_code(&front, &wrong(&code));
    console.until("document.querySelector('.says').textContent.includes('2 attempts are left')");
    console.shot("demo-wrong-code.png");
    front.until("document.body.dataset.stands === 'code-wrong'");
    front.shot("demo-device-refused.png");
    front.click("[data-key='Start']");
    type_code(&front, &code);
    connected(&console);

    // A stroke stands on the panel where it was drawn, and is taken back.
    console.click("al-tools [aria-label='Pen']");
    console.click("al-tools [aria-label='Broad']");
    // Round a tile, with the pen pressed harder towards the end.
    let at = |n: u32| {
        let turn = f64::from(n) / 40.0 * std::f64::consts::TAU - 0.3;
        console.at(
            "al-screen",
            0.5 + 0.18 * turn.sin(),
            0.42 - 0.22 * turn.cos(),
        )
    };
    let hand = |n: u32| Hand::Pen(0.4 + f64::from(n) / 42.0 * 0.6);
    console.pointer(hand(0), "mousePressed", at(0), true);
    for n in 1..=41 {
        console.pointer(hand(n), "mouseMoved", at(n), true);
    }
    console.pointer(hand(42), "mouseReleased", at(42), false);
    // Its lowest point, on the ink's canvas of twice the panel's size.
    let lowest = pixel("al-screen canvas.ink", 1024, 768);
    front.until(&format!("{lowest} === '229,52,43,255'"));
    console.shot("demo-operator.png");
    front.shot("demo-device.png");
    console.click("#undo");
    front.until(&format!("{lowest} === '0,0,0,0'"));

    // The stop key, held not quite long enough, as the page itself measures it: the session goes on.
    let held = hold(&front, 4_900);
    assert!(
        held < 4_990.0,
        "held for {held} ms: too slow a machine to tell"
    );
    let at = |n: u32| console.at("al-screen", 0.3 + f64::from(n) / 50.0, 0.4);
    console.pointer(hand(40), "mousePressed", at(0), true);
    console.pointer(hand(40), "mouseMoved", at(9), true);
    console.pointer(hand(40), "mouseReleased", at(9), false);
    let drawn = pixel("al-screen canvas.ink", 800, 480);
    front.until(&format!("{drawn} === '229,52,43,255'"));
    assert_eq!(front.eval("document.body.dataset.stands"), "connected");

    // The stop key, held.
    let key = front.middle("[data-key='#']");
    front.pointer(Hand::Mouse, "mousePressed", key, true);
    ended(&console, "The customer ended it by holding the stop key.");
    front.pointer(Hand::Mouse, "mouseReleased", key, false);
    says_why(&front, EndReason::StopKey);

    // EXIT. The first key closes the card that says how it ended, the second goes home.
    for _ in 0..2 {
        front.click("[data-key='Reset']");
    }
    let code = invite(&console, &front);
    type_code(&front, &code);
    connected(&console);
    touch(&front, find(in_session(), &[], Target::Exit));
    ended(&console, "The customer ended it with EXIT.");
    says_why(&front, EndReason::Exit);

    // The operator.
    for _ in 0..2 {
        front.click("[data-key='Reset']");
    }
    let code = invite(&console, &front);
    type_code(&front, &code);
    connected(&console);
    console.click("#end");
    console.click("#end-now");
    ended(&console, "You ended it.");
    for tab in [&front, &console] {
        assert_eq!(tab.complaints(), Vec::<String>::new());
    }
}
