use std::{sync::Arc, time::Duration};

use alongside::{
    Compartment,
    settings::{
        Desk, DeskEvent, Difference, Proposal, Reason, SettingChange, SettingPath, SettingValue,
        Settings, SettingsVersion, Shown, Stage, TransactionId,
    },
};

use crate::shelf::{Shelf, Wrong, changes, values};

struct Room {
    _folder: tempfile::TempDir,
    compartment: Compartment,
    shelf: Arc<Shelf>,
    desk: Desk,
}

fn room() -> Room {
    let folder = tempfile::tempdir().expect("a folder");
    let compartment = Compartment::open(&folder.path().join("own")).expect("a compartment");
    let shelf = Shelf::open(folder.path(), None);
    let desk = Desk::open(Arc::clone(&shelf) as Arc<dyn Settings>, &compartment).expect("a desk");
    Room {
        _folder: folder,
        compartment,
        shelf,
        desk,
    }
}

fn three() -> Vec<SettingChange> {
    changes(&[
        ("tray.paper", "a5".into()),
        ("tray.sheets", 250.into()),
        ("mail.password", "new secret".into()),
    ])
}

impl Room {
    fn propose(&mut self, changes: Vec<SettingChange>) -> TransactionId {
        self.desk.propose(Proposal {
            changes,
            if_version: None,
        })
    }

    async fn stage(&mut self) -> Stage {
        loop {
            if let DeskEvent::Stage { stage, .. } = self.desk.next().await {
                return stage;
            }
        }
    }

    /// Proposes, allows, and gives the stage after.
    async fn allowed(&mut self, changes: Vec<SettingChange>) -> (TransactionId, Stage) {
        let id = self.propose(changes);
        assert_eq!(self.stage().await, Stage::Asked);
        self.desk.allow(id);
        (id, self.stage().await)
    }

    async fn confirmed(&mut self, changes: Vec<SettingChange>) {
        let (id, stage) = self.allowed(changes).await;
        assert!(matches!(stage, Stage::Applied { .. }), "{stage:?}");
        self.desk.confirm(id);
        assert_eq!(self.stage().await, Stage::Confirmed);
    }

    fn holds(&self, paper: &str, sheets: Option<i64>, password: &str) {
        let mut all = values(&[
            ("tray.paper", paper.into()),
            ("mail.password", password.into()),
        ]);
        all.extend(sheets.map(|sheets| {
            let path = SettingPath::new("tray.sheets").expect("a path");
            (path, SettingValue::Integer(sheets))
        }));
        assert!(self.shelf.contents() == all, "{:?}", self.shelf.contents());
    }
}

#[tokio::test]
async fn a_change_is_shown_allowed_made_and_stays() {
    let mut room = room();
    let id = room.propose(three());
    let DeskEvent::Ask {
        id: asked,
        differences,
    } = room.desk.next().await
    else {
        panic!("the customer is asked first");
    };
    assert_eq!(asked, id);
    let shown: Vec<_> = differences
        .iter()
        .map(
            |Difference {
                 name,
                 before,
                 after,
                 ..
             }| (name.as_str(), before, after),
        )
        .collect();
    let text = |text| Shown::Value(SettingValue::text(text).expect("short"));
    assert_eq!(
        shown,
        [
            ("Paper", &text("a4"), &text("a5")),
            (
                "sheets",
                &Shown::Absent,
                &Shown::Value(SettingValue::Integer(250))
            ),
            ("password", &Shown::Secret, &Shown::Secret),
        ]
    );
    assert_eq!(room.stage().await, Stage::Asked);
    room.holds("a4", None, "old secret");
    room.desk.allow(id);
    assert!(matches!(room.stage().await, Stage::Applied { .. }));
    room.desk.confirm(id);
    assert_eq!(room.stage().await, Stage::Confirmed);
    room.holds("a5", Some(250), "new secret");
    let reading = room.desk.read().await.expect("read");
    let secret = SettingPath::new("mail.password").expect("a path");
    assert_eq!(reading.values.get(&secret), Some(&Shown::Secret));
    assert!(!format!("{reading:?} {differences:?}").contains("secret\""));
}

#[tokio::test]
async fn what_is_refused_or_wrong_touches_nothing() {
    let mut room = room();
    let id = room.propose(three());
    assert_eq!(room.stage().await, Stage::Asked);
    room.desk.refuse(id);
    assert_eq!(room.stage().await, Stage::Refused);

    room.propose(changes(&[
        ("tray.sheets", 501.into()),
        ("tray.colour", 1.into()),
    ]));
    match room.stage().await {
        Stage::Invalid(problems) => {
            let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(
                told,
                [
                    "tray.sheets: must be at most 500",
                    "tray.colour: there is no such setting"
                ]
            );
        }
        stage => panic!("{stage:?}"),
    }
    room.propose(changes(&[("mail.host", "localhost".into())]));
    assert!(
        matches!(room.stage().await, Stage::Invalid(_)),
        "the device's own rule"
    );
    room.propose(changes(&[("tray.paper", "a4".into())]));
    assert_eq!(room.stage().await, Stage::Unchanged);
    room.holds("a4", None, "old secret");
}

#[tokio::test(start_paused = true)]
async fn nobody_confirms_and_the_device_is_as_it_was_after_a_minute() {
    let mut room = room();
    let before = tokio::time::Instant::now();
    let (_, stage) = room.allowed(three()).await;
    let within = Duration::from_secs(60);
    assert_eq!(stage, Stage::Applied { within });
    assert_eq!(room.stage().await, Stage::RolledBack(Reason::Unconfirmed));
    assert!(before.elapsed() >= within);
    room.holds("a4", None, "old secret");
}

#[tokio::test]
async fn a_grant_that_ends_takes_an_unconfirmed_change_with_it() {
    let mut room = room();
    let _applied = room.allowed(three()).await;
    room.desk.close().await;
    room.holds("a4", None, "old secret");
    assert!(room.desk.is_idle());
}

#[tokio::test]
async fn a_change_that_fails_in_the_middle_is_taken_back() {
    let mut room = room();
    for (wrong, words) in [
        (
            Wrong::HalfApply,
            "cannot write the mail settings: disk full",
        ),
        (Wrong::Panic, "the settings broke down"),
    ] {
        *room.shelf.wrong.lock().expect("whole") = wrong;
        let (_, stage) = room.allowed(three()).await;
        assert_eq!(stage, Stage::RolledBack(Reason::Failed(words.to_owned())));
        room.holds("a4", None, "old secret");
    }
}

#[tokio::test(start_paused = true)]
async fn taking_back_is_tried_until_it_succeeds() {
    let mut room = room();
    let _applied = room.allowed(three()).await;
    *room.shelf.wrong.lock().expect("whole") = Wrong::RollBack;
    room.desk.withdraw();
    for _ in 0..3 {
        assert!(matches!(room.stage().await, Stage::Stuck(_)));
    }
    let second = room.propose(three());
    assert_eq!(room.stage().await, Stage::Busy);
    assert!(second > TransactionId(1));
    *room.shelf.wrong.lock().expect("whole") = Wrong::Nothing;
    assert_eq!(room.stage().await, Stage::RolledBack(Reason::Withdrawn));
    room.holds("a4", None, "old secret");
}

#[tokio::test]
async fn two_engineers_and_a_hand_on_the_file_are_conflicts() {
    let mut room = room();
    let seen = room.desk.read().await.expect("read").version;
    room.confirmed(changes(&[("tray.sheets", 100.into())]))
        .await;
    room.desk.propose(Proposal {
        changes: three(),
        if_version: Some(seen),
    });
    assert_eq!(room.stage().await, Stage::Conflict);

    // By hand, while the customer thinks.
    let id = room.propose(three());
    assert_eq!(room.stage().await, Stage::Asked);
    room.shelf.edit("tray.paper", "letter");
    room.desk.allow(id);
    assert_eq!(room.stage().await, Stage::Conflict);
    room.holds("letter", Some(100), "old secret");

    room.desk.propose(Proposal {
        changes: three(),
        if_version: Some(SettingsVersion::from_bits(0)),
    });
    assert_eq!(room.stage().await, Stage::Conflict);
}

#[tokio::test]
async fn a_second_change_waits_for_nobody() {
    let mut room = room();
    let _applied = room.allowed(three()).await;
    room.propose(changes(&[("tray.sheets", 1.into())]));
    assert_eq!(room.stage().await, Stage::Busy);
}

#[tokio::test]
async fn the_last_change_is_undone_and_the_undoing_too() {
    let mut room = room();
    room.desk.undo();
    assert_eq!(room.stage().await, Stage::Unchanged, "there is none yet");
    room.confirmed(three()).await;
    for (paper, sheets, password) in [("a4", None, "old secret"), ("a5", Some(250), "new secret")] {
        let id = room.desk.undo();
        assert_eq!(room.stage().await, Stage::Asked);
        room.desk.allow(id);
        assert!(matches!(room.stage().await, Stage::Applied { .. }));
        room.desk.confirm(id);
        assert_eq!(room.stage().await, Stage::Confirmed);
        room.holds(paper, sheets, password);
    }
    room.shelf.edit("tray.paper", "letter");
    room.desk.undo();
    assert_eq!(
        room.stage().await,
        Stage::Conflict,
        "somebody changed it since"
    );
}

#[tokio::test]
async fn a_compartment_that_cannot_be_written_leaves_the_device_alone() {
    let mut room = room();
    // A folder where the file goes: no rename replaces it, not even as root.
    std::fs::create_dir(room.compartment.path().join("settings")).expect("made");
    let (_, stage) = room.allowed(three()).await;
    assert!(matches!(stage, Stage::NotRecorded(_)), "{stage:?}");
    room.holds("a4", None, "old secret");
}

#[tokio::test]
async fn a_damaged_journal_is_said_and_changes_nothing() {
    let room = room();
    std::fs::write(room.compartment.path().join("settings"), b"\x01junk").expect("written");
    let shelf = Arc::clone(&room.shelf) as Arc<dyn Settings>;
    let error = Desk::open(shelf, &room.compartment).expect_err("damaged");
    assert!(error.to_string().contains("damaged"), "{error}");
}
