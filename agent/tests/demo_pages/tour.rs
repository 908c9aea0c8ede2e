//! A tour through the panel's screens, in which both sides show the same picture after every step.

use std::collections::BTreeSet;

use alongside::protocol::input::PointerPhase;
use alongside_agent::panel::mfd::{Choice, Mfd, Place, Step, Target};
use serde_json::Value;

use super::{Browser, Demo, Tab, common, connected, in_session, invite, touch, type_code};

/// Where the card of an ended session says why: left, top, width and height.
pub(super) const WHY: (u32, u32, u32, u32) = (180, 190, 660, 70);

/// Tries until a picture that moves was taken on both sides between two moves.
const TRIES: usize = 500;

/// The steps: what is touched, and whether the screen looks another way after it.
const STEPS: [Target; 21] = [
    Target::Go(Place::Copy),
    Target::Step(Step::CopiesUp),
    Target::Choose(Choice::TwoSided),
    Target::Choose(Choice::PaperA3),
    Target::Go(Place::Home),
    Target::Go(Place::Scan),
    Target::Choose(Choice::FileJpeg),
    Target::Go(Place::Address),
    Target::Letter('A'),
    Target::Letter('b'),
    Target::Shift,
    Target::Letter('C'),
    Target::EraseLetter,
    Target::Go(Place::Home),
    Target::Go(Place::Settings),
    Target::Choose(Choice::SoundOff),
    Target::Step(Step::SaverUp),
    Target::Go(Place::Home),
    Target::Go(Place::Notice),
    Target::Go(Place::Home),
    Target::Go(Place::Jobs),
];

#[test]
fn both_sides_show_the_same_picture_after_every_step() {
    if !common::is_lab("the tour in a real browser needs chromium") {
        return;
    }
    let demo = Demo::start();
    let browser = Browser::start();
    let front = browser.tab(&demo.device, 1440, 860);
    let console = browser.tab(&demo.operator, 1440, 860);
    front.until("document.querySelector('al-screen').width === 1024");
    let code = invite(&console, &front);
    type_code(&front, &code);
    connected(&console);

    let folder = tempfile::tempdir().expect("a folder");
    let same = || same_picture(&console, &front, folder.path());
    let mut mirror = in_session();
    let mut pictures = BTreeSet::from([same()]);
    for target in STEPS {
        let at = mirror
            .find(target)
            .unwrap_or_else(|| panic!("{target:?} is not on the screen"));
        tap(&mut mirror, at);
        touch(&front, at);
        pictures.insert(same());
    }
    assert!(pictures.len() >= 15, "{} pictures", pictures.len());

    // A job of many pages, whose bar and ring move all the time.
    for target in [Target::Go(Place::Home), Target::Go(Place::Copy)] {
        let at = mirror.find(target).expect("a control on the way");
        tap(&mut mirror, at);
        touch(&front, at);
    }
    for key in ["9", "9"] {
        front.press(key);
    }
    front.click("[data-key='Start']");
    let running = same();
    let later = (0..TRIES).map(|_| same()).find(|later| *later != running);
    assert!(later.is_some(), "the job goes on");
    front.click("[data-key='Stop']");
    same();
    for tab in [&front, &console] {
        assert_eq!(tab.complaints(), Vec::<String>::new());
    }
}

fn tap(mirror: &mut Mfd, at: alongside::protocol::PanelPoint) {
    mirror.touch(at, PointerPhase::Down);
    mirror.touch(at, PointerPhase::Up);
}

/// Takes both sides' pictures through their pages until they are the same; their hash.
fn same_picture(console: &Tab, front: &Tab, folder: &std::path::Path) -> String {
    let begin = |tab: &Tab, name: &str| {
        let file = folder.join(name);
        tab.eval(&format!(
            "(async () => {{ window.own ??= await import('/shared/link.js').then(({{ Link }}) => new Promise(open => {{ \
               const link = new Link(); link.on('open', () => open(link)); link.open(); }})); \
               window.taken = window.own.send({{ do: 'snapshot', file: {:?} }}); return true; }})()",
            file.display().to_string()
        ));
    };
    let end = |tab: &Tab| tab.eval("window.taken");
    for _ in 0..TRIES {
        begin(console, "operator.png");
        begin(front, "device.png");
        let (seen, shown): (Value, Value) = (end(console), end(front));
        assert_eq!(seen["event"], "ok", "{seen}");
        assert_eq!(shown["event"], "ok", "{shown}");
        assert_eq!(
            (&shown["width"], &shown["height"]),
            (&1024.into(), &600.into())
        );
        if seen["sha256"] == shown["sha256"] && seen["exact"] == true {
            return shown["sha256"].as_str().expect("a hash").to_owned();
        }
    }
    panic!("both sides never showed the same picture");
}
