//! A real X server with a real program on it: the captured picture is the one that `xwd` sees.
//!
//! Needs Xvfb, galculator and xwd, so it only runs with `ALONGSIDE_LAB=1`.
#![allow(missing_docs, reason = "tests")]

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use alongside::{Frame, ports::Panel};
use alongside_agent::panel::X11Panel;

/// Far longer than any of it takes.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_captured_screen_is_what_xwd_sees() {
    if std::env::var_os("ALONGSIDE_LAB").is_none() {
        eprintln!(
            "skipped: capture of a real X screen needs Xvfb, galculator and xwd; set ALONGSIDE_LAB=1 to run it"
        );
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
    if std::env::var_os("ALONGSIDE_LAB").is_none() {
        eprintln!("skipped: losing a real X server needs Xvfb; set ALONGSIDE_LAB=1 to run it");
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

struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(
            command
                .stderr(Stdio::null())
                .spawn()
                .expect("a program that this test needs"),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Server {
    display: String,
    process: Running,
}

impl Server {
    /// Starts an X server on a display number that it finds itself.
    fn start() -> Self {
        let mut command = Command::new("Xvfb");
        command
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "800x600x24",
                "-nolisten",
                "tcp",
            ])
            .stdout(Stdio::piped());
        let mut process = Running::start(&mut command);
        let mut number = String::new();
        let stdout = process.0.stdout.take().expect("its output");
        BufReader::new(stdout)
            .read_line(&mut number)
            .expect("its display number");
        Self {
            display: format!(":{}", number.trim()),
            process,
        }
    }
}

/// The root window as `xwd` reads it, in its file format (version 7): big-endian words, then colours, then rows.
fn xwd(display: &str) -> Vec<u32> {
    let dump = Command::new("xwd")
        .args(["-root", "-silent", "-display", display])
        .output()
        .expect("xwd")
        .stdout;
    let word =
        |n: usize| u32::from_be_bytes(dump[n * 4..n * 4 + 4].try_into().expect("a word")) as usize;
    let (header, width, height, row, colours) = (word(0), word(4), word(5), word(12), word(19));
    // A pixel is four bytes, or three where windows of several depths lie on the screen.
    let (is_big_endian, bytes) = (word(7) == 1, word(11) / 8);
    let rows = &dump[header + colours * 12..];
    rows.chunks_exact(row)
        .take(height)
        .flat_map(|row| row.chunks_exact(bytes).take(width))
        .map(|pixel| {
            let value = |bytes: &mut dyn Iterator<Item = &u8>| {
                bytes.fold(0, |value, byte| value << 8 | u32::from(*byte))
            };
            0x00ff_ffff
                & if is_big_endian {
                    value(&mut pixel.iter())
                } else {
                    value(&mut pixel.iter().rev())
                }
        })
        .collect()
}
