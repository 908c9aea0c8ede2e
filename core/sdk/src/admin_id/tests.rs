use std::{fs, os::unix::fs::PermissionsExt as _};

use super::*;

const RIGHT: &str = "48291736";
const WRONG: &str = "48291737";

struct Lab {
    folder: tempfile::TempDir,
    now: BootTime,
}

impl Lab {
    fn new() -> Self {
        let now = BootTime {
            boot: [1; 16],
            since: Duration::from_secs(1_000),
        };
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            now,
        }
    }

    fn with_id() -> Self {
        let lab = Self::new();
        lab.store().set(RIGHT).expect("set");
        lab
    }

    /// The store as a process that has just started sees it.
    fn store(&self) -> AdminIdStore {
        let compartment =
            Compartment::open(&self.folder.path().join("own")).expect("a compartment");
        AdminIdStore::open_at(&compartment, self.now).expect("a store")
    }

    fn verify(&self, id: &str) -> AdminVerdict {
        self.store().verify_at(id, self.now).expect("checked")
    }

    fn wait(&mut self, secs: u64) {
        self.now.since += Duration::from_secs(secs);
    }

    fn reboot(&mut self) {
        self.now.boot[0] += 1;
        self.now.since = Duration::ZERO;
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("own").join(name)
    }
}

const fn wrong(tries_left: u8, secs: u64) -> AdminVerdict {
    AdminVerdict::Wrong {
        tries_left,
        wait: Duration::from_secs(secs),
    }
}

const fn locked(secs: u64) -> AdminVerdict {
    AdminVerdict::Locked {
        wait: Duration::from_secs(secs),
    }
}

#[test]
fn the_right_id_is_right_and_forgives_the_wrong_ones() {
    let lab = Lab::with_id();
    for _ in 0..3 {
        assert_eq!(lab.verify(WRONG), wrong(2, 0));
        assert_eq!(lab.verify(WRONG), wrong(1, 0));
        assert_eq!(lab.verify(RIGHT), AdminVerdict::Ok);
    }
    assert_eq!(lab.verify(""), wrong(2, 0));
    assert_eq!(lab.verify(&"9".repeat(4_000)), wrong(1, 0));
}

#[test]
fn a_wait_is_not_shortened_by_a_restart_or_a_boot_and_a_right_id_has_to_wait_as_well() {
    let mut lab = Lab::with_id();
    assert_eq!([(); 3].map(|()| lab.verify(WRONG))[2], wrong(0, 30));
    lab.wait(10);
    assert_eq!(lab.verify(RIGHT), locked(20));
    lab.reboot();
    assert_eq!(lab.verify(RIGHT), locked(30));
    lab.wait(29);
    assert_eq!(lab.verify(RIGHT), locked(1));
    lab.wait(1);
    assert_eq!(lab.verify(WRONG), wrong(0, 60));
    lab.wait(60);
    assert_eq!(lab.verify(RIGHT), AdminVerdict::Ok);
}

#[test]
fn the_tenth_wrong_one_locks_until_a_new_id_is_set() {
    let mut lab = Lab::with_id();
    let last = (0..10)
        .map(|_| {
            let verdict = lab.verify(WRONG);
            lab.wait(3_600);
            verdict
        })
        .last();
    assert_eq!(last, Some(locked(UNTIL_RESET.as_secs())));
    lab.reboot();
    lab.wait(1_000_000);
    assert_eq!(lab.verify(RIGHT), locked(UNTIL_RESET.as_secs()));
    lab.store().set("59201847").expect("set");
    assert_eq!(lab.verify("59201847"), AdminVerdict::Ok);
}

#[test]
fn a_try_is_counted_before_it_is_looked_at() {
    let lab = Lab::with_id();
    // A folder in the way of the file that is written first: nothing can be counted, so nothing is looked at.
    fs::create_dir(lab.file("admin-tries.new")).expect("a folder");
    assert!(lab.store().verify_at(RIGHT, lab.now).is_err());
    assert_eq!(
        AdminId::verify(&lab.store(), RIGHT),
        AdminVerdict::Unavailable
    );
    fs::remove_dir(lab.file("admin-tries.new")).expect("removed");
    assert_eq!(lab.verify(RIGHT), AdminVerdict::Ok);
}

#[test]
fn without_an_id_none_is_right_and_none_is_counted() {
    let lab = Lab::new();
    assert!(!lab.store().is_set().expect("read"));
    for _ in 0..20 {
        assert_eq!(lab.verify(RIGHT), AdminVerdict::Unavailable);
    }
    lab.store().set(RIGHT).expect("set");
    lab.store().reset().expect("reset");
    assert_eq!(lab.verify(RIGHT), AdminVerdict::Unavailable);
    assert!(!lab.file("admin-pepper").exists() && !lab.file("admin-tries").exists());
}

#[test]
fn the_id_is_nowhere_in_the_compartment_and_nobody_else_can_read_what_is() {
    let lab = Lab::with_id();
    assert_eq!(lab.verify(WRONG), wrong(2, 0));
    let hash = fs::read_to_string(lab.file("admin-id")).expect("a hash");
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    for entry in fs::read_dir(lab.folder.path().join("own")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        assert!(
            !bytes
                .windows(RIGHT.len())
                .any(|part| part == RIGHT.as_bytes())
        );
        assert_eq!(
            fs::metadata(&path).expect("there").permissions().mode() & 0o777,
            0o600
        );
    }
    assert!(!format!("{:?}", lab.store()).contains(RIGHT));
}

#[test]
fn another_devices_secret_makes_the_hash_worthless() {
    let lab = Lab::with_id();
    fs::write(lab.file("admin-pepper"), [7; PEPPER_LEN]).expect("written");
    assert_eq!(lab.verify(RIGHT), wrong(2, 0));
}

#[test]
fn damage_is_an_error_and_resets_nothing() {
    let lab = Lab::with_id();
    let store = lab.store();
    assert_eq!(lab.verify(WRONG), wrong(2, 0));
    for name in ["admin-id", "admin-pepper", "admin-tries"] {
        let whole = fs::read(lab.file(name)).expect("a file");
        fs::write(lab.file(name), &whole[..whole.len() / 2]).expect("written");
        let error = store.verify_at(RIGHT, lab.now).expect_err(name);
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(AdminId::verify(&store, RIGHT), AdminVerdict::Unavailable);
        fs::write(lab.file(name), whole).expect("written");
    }
    assert_eq!(lab.verify(WRONG), wrong(1, 0));
}

#[test]
fn setting_an_id_repairs_what_is_damaged() {
    let lab = Lab::with_id();
    for name in ["admin-id", "admin-pepper", "admin-tries"] {
        fs::write(lab.file(name), b"torn").expect("written");
    }
    let compartment = Compartment::open(&lab.folder.path().join("own")).expect("a compartment");
    assert!(AdminIdStore::open(&compartment).is_err());
    AdminIdStore::open_to_set(&compartment)
        .set(RIGHT)
        .expect("set");
    assert_eq!(lab.verify(RIGHT), AdminVerdict::Ok);
}

#[test]
fn a_weak_id_changes_nothing() {
    let lab = Lab::with_id();
    for weak in ["1234", "12345678", "password"] {
        assert!(lab.store().set(weak).is_err());
    }
    assert_eq!(lab.verify(RIGHT), AdminVerdict::Ok);
}

#[test]
fn checks_from_many_threads_are_counted_one_by_one() {
    let lab = Lab::with_id();
    let store = lab.store();
    let verdicts: Vec<_> = std::thread::scope(|scope| {
        let checks: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| store.verify_at(WRONG, lab.now).expect("checked")))
            .collect();
        checks
            .into_iter()
            .map(|check| check.join().expect("ran"))
            .collect()
    });
    let looked_at = verdicts
        .iter()
        .filter(|verdict| matches!(verdict, AdminVerdict::Wrong { .. }))
        .count();
    assert_eq!(looked_at, 3, "{verdicts:?}");
}

#[test]
fn the_first_id_needs_no_other_and_the_next_one_the_old_one() {
    let lab = Lab::new();
    let change = |old, new| {
        lab.store()
            .change_at(old, new, lab.now)
            .expect("the compartment works")
    };
    assert_eq!(
        change(None, "12345678"),
        AdminChange::Weak(Weakness::TooCommon)
    );
    assert_eq!(
        change(Some(WRONG), RIGHT),
        AdminChange::Old(AdminVerdict::Unavailable)
    );
    assert_eq!(change(None, RIGHT), AdminChange::Done);
    assert_eq!(change(None, "59201847"), AdminChange::Failed, "one is set");
    assert_eq!(
        change(Some(WRONG), "59201847"),
        AdminChange::Old(wrong(2, 0))
    );
    assert_eq!(
        change(Some(RIGHT), "1234567"),
        AdminChange::Weak(Weakness::TooShort)
    );
    assert_eq!(lab.verify(WRONG), wrong(1, 0), "a change is a try");
    assert_eq!(change(Some(RIGHT), "59201847"), AdminChange::Done);
    assert_eq!(lab.verify(RIGHT), wrong(2, 0));
    assert_eq!(lab.verify("59201847"), AdminVerdict::Ok);
}

#[test]
fn a_change_waits_like_any_other_try() {
    let lab = Lab::with_id();
    for _ in 0..3 {
        let _tried = lab.store().change_at(Some(WRONG), "59201847", lab.now);
    }
    let change = lab.store().change_at(Some(RIGHT), "59201847", lab.now);
    assert_eq!(change.expect("it works"), AdminChange::Old(locked(30)));
}
