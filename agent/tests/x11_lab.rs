//! A real X server with a real program on it: the captured picture is the one that `xwd` sees.
//!
//! Needs Xvfb, galculator and xwd, so it only runs with `ALONGSIDE_LAB=1`.
#![allow(missing_docs, reason = "tests")]

mod common;

use std::{collections::BTreeSet, process::Command, sync::Arc, time::Duration};

use alongside::{Frame, ports::Panel};
use alongside_agent::panel::X11Panel;
use common::{
    is_lab,
    x11::{Running, Server, xwd},
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
