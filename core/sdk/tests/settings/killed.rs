//! The program is killed at every point of a change. Whatever was under way, the device then has all of it or nothing.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use alongside::{
    Compartment,
    settings::{Desk, DeskEvent, FAILPOINTS, Failpoint, Proposal, Reason, Settings, Stage},
};

use crate::shelf::{POINTS, Shelf, changes, values};

const FOLDER: &str = "ALONGSIDE_TEST_SETTINGS_FOLDER";
const POINT: &str = "ALONGSIDE_TEST_SETTINGS_POINT";
const CONFIRM: &str = "ALONGSIDE_TEST_SETTINGS_CONFIRM";
const HERE: &str = "at the point";

fn open(folder: &Path, failpoint: Option<Failpoint>) -> (Arc<Shelf>, Desk) {
    let compartment = Compartment::open(&folder.join("own")).expect("a compartment");
    let shelf = Shelf::open(folder, failpoint.clone());
    let settings = Arc::clone(&shelf) as Arc<dyn Settings>;
    let desk = Desk::with_failpoint(settings, &compartment, failpoint).expect("a desk");
    (shelf, desk)
}

/// The program that is killed: it makes a change, and stops for ever at the point it was told. Does nothing in an
/// ordinary run.
#[tokio::test]
async fn victim() {
    let (Ok(folder), Ok(point)) = (env::var(FOLDER), env::var(POINT)) else {
        return;
    };
    let failpoint: Failpoint = Arc::new(move |passed| {
        if passed == point {
            println!("\n{HERE}");
            std::io::stdout().flush().expect("told");
            loop {
                std::thread::park();
            }
        }
    });
    let (_, mut desk) = open(Path::new(&folder), Some(failpoint));
    desk.propose(Proposal {
        changes: changes(&[
            ("tray.paper", "a5".into()),
            ("mail.password", "new secret".into()),
        ]),
        if_version: None,
    });
    loop {
        match desk.next().await {
            DeskEvent::Ask { id, .. } => desk.allow(id),
            DeskEvent::Stage {
                id,
                stage: Stage::Applied { .. },
            } => {
                if env::var(CONFIRM).is_ok() {
                    desk.confirm(id);
                } else {
                    desk.withdraw();
                }
            }
            _ => {}
        }
    }
}

/// Runs the victim until it is at `point`, and kills it there (SIGKILL).
fn kill_at(folder: &Path, point: &str, confirm: bool) {
    let mut command = Command::new(env::current_exe().expect("this program"));
    command
        .args(["--exact", "killed::victim", "--nocapture"])
        .env(FOLDER, folder)
        .env(POINT, point)
        .stdout(Stdio::piped());
    if confirm {
        command.env(CONFIRM, "1");
    }
    let mut victim = command.spawn().expect("started");
    let said = BufReader::new(victim.stdout.take().expect("a pipe"));
    let is_there = said.lines().map_while(Result::ok).any(|line| line == HERE);
    victim.kill().expect("killed");
    victim.wait().expect("gone");
    assert!(is_there, "never came to {point}");
}

#[tokio::test]
async fn killed_at_any_point_the_device_has_all_or_nothing_and_says_which() {
    let points = FAILPOINTS.into_iter().chain(POINTS);
    for point in points {
        let folder = tempfile::tempdir().expect("a folder");
        let confirms = !point.starts_with("roll-back");
        kill_at(folder.path(), point, confirms);
        let (shelf, mut desk) = open(folder.path(), None);
        let is_told = desk.recovered().is_some();
        if is_told {
            let DeskEvent::Stage { stage, .. } = desk.next().await else {
                panic!("{point}: the end is told first");
            };
            assert_eq!(stage, Stage::RolledBack(Reason::Restarted), "{point}");
        }
        let stays = matches!(point, "confirm-recorded" | "confirm-done");
        let (paper, password) = if stays {
            ("a5", "new secret")
        } else {
            ("a4", "old secret")
        };
        let all = values(&[
            ("tray.paper", paper.into()),
            ("mail.password", password.into()),
        ]);
        assert!(shelf.contents() == all, "{point}: {:?}", shelf.contents());
        let is_open = matches!(
            point,
            "apply-recorded"
                | "apply-half"
                | "apply-done"
                | "confirm"
                | "roll-back"
                | "roll-back-half"
                | "roll-back-done"
        );
        assert_eq!(is_told, is_open, "{point}");
        assert!(desk.is_idle());
    }
}
