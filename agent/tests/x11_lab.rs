//! A real X server with a real program on it: the captured picture is the one that `xwd` sees.
//!
//! Needs Xvfb, galculator and xwd, so it only runs with `ALONGSIDE_LAB=1`.
#![allow(missing_docs, reason = "tests")]

mod common;

use std::{collections::BTreeSet, process::Command, sync::Arc, time::Duration};

use alongside::{
    Frame,
    ports::{Awake, Panel},
};
use alongside_agent::panel::{X11Panel, mfd::Preferences, x11::X11Error};
use common::{
    is_lab,
    x11::{Running, Server, xwd},
};

use x11rb::{
    connection::Connection as _,
    protocol::{
        Event,
        screensaver::{self, ConnectionExt as _},
        xproto::{Blanking, ConnectionExt as _, Exposures},
    },
    rust_connection::RustConnection,
};

/// Far longer than any of it takes.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_captured_screen_is_what_xwd_sees() {
    if !is_lab("capture of a real X screen needs Xvfb, galculator and xwd") {
        return;
    }
    let server = Server::start();
    let panel = X11Panel::open(Some(&server.display)).expect("the screen");
    let size = panel.describe().size;
    assert_eq!((size.width(), size.height()), (800, 600));
    let mut changes = panel.changes();
    let empty = panel.capture().expect("a picture").frame;
    let _program = Running::start(Command::new("galculator").env("DISPLAY", &server.display));

    let compared = tokio::time::timeout(LIMIT, async {
        loop {
            changes.changed().await.expect("the panel lives");
            let before = panel.capture().expect("a picture").frame;
            if before == empty || colours(&before) < 8 {
                continue;
            }
            let seen = xwd(&server.display);
            // A picture that stood still around xwd is the one that xwd saw.
            if panel.capture().expect("a picture").frame == before {
                return (before, seen);
            }
        }
    });
    let (captured, seen) = compared.await.expect("a picture that stands still");
    assert!(
        captured.pixels() == seen,
        "{} pixels differ",
        captured
            .pixels()
            .iter()
            .zip(&seen)
            .filter(|(a, b)| a != b)
            .count()
    );
}

#[tokio::test]
async fn a_server_that_dies_is_told_and_not_waited_for() {
    if !is_lab("losing a real X server needs Xvfb") {
        return;
    }
    let mut server = Server::start();
    let panel = X11Panel::open(Some(&server.display)).expect("the screen");
    panel.capture().expect("a picture");
    let mut changes = panel.changes();
    changes.borrow_and_update();
    server.process.0.kill().expect("kill");
    server.process.0.wait().expect("wait");
    tokio::time::timeout(LIMIT, changes.changed())
        .await
        .expect("told")
        .expect("the panel lives");
    panel.capture().expect_err("nothing to capture");
}

fn colours(frame: &Arc<Frame>) -> usize {
    frame.pixels().iter().collect::<BTreeSet<_>>().len()
}

#[tokio::test]
async fn the_screen_saver_waits_for_the_agent_and_no_longer_than_it_lives() {
    if !is_lab("holding a real X screen awake needs Xvfb") {
        return;
    }
    /// The saver's timeout, which is the least that X knows.
    const TIMEOUT: i16 = 1;
    let server = Server::start();
    let panel = X11Panel::open(Some(&server.display)).expect("the screen");
    let (watcher, number) = RustConnection::connect(Some(&server.display)).expect("the server");
    let root = watcher.setup().roots[number].root;
    watcher
        .screensaver_select_input(root, screensaver::Event::NOTIFY_MASK)
        .expect("sent");
    panel.hold_awake(Awake::Hold);
    watcher
        .set_screen_saver(TIMEOUT, 0, Blanking::PREFERRED, Exposures::ALLOWED)
        .expect("sent")
        .check()
        .expect("set");
    let (sender, mut darkened) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while let Ok(event) = watcher.wait_for_event() {
            if let Event::ScreensaverNotify(event) = event
                && event.state == screensaver::State::ON
            {
                let _ = sender.send(());
            }
        }
    });
    let held = tokio::time::timeout(Duration::from_secs(3), darkened.recv()).await;
    assert!(
        held.is_err(),
        "the screen went dark while it was held awake"
    );
    // As the server sees it, this is what `kill -9` does: the connection is gone.
    drop(panel);
    tokio::time::timeout(LIMIT, darkened.recv())
        .await
        .expect("the screen goes dark again")
        .expect("the server lives");
}

#[test]
fn a_stop_key_that_the_keyboard_lacks_is_refused_and_a_corner_is_not() {
    if !is_lab("the keys of a real X screen need Xvfb") {
        return;
    }
    let server = Server::start();
    let open = |stop: &str| {
        let stop = stop.parse().expect("a stop key");
        X11Panel::open_with(Some(&server.display), Preferences::default(), &stop)
    };
    for there in ["#", "Escape", "corner-top-left"] {
        assert!(open(there).is_ok(), "{there}");
    }
    for lacking in ["\u{4e2d}", "Start"] {
        let refused = open(lacking).expect_err("refused");
        assert!(matches!(refused, X11Error::NoStopKey { .. }), "{refused}");
    }
}
