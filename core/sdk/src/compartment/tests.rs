use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use super::*;

/// An empty folder of a test's own, removed with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("alongside-compartment-{}-{n}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _left_over = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn compartment(&self) -> Compartment {
        Compartment::open(&self.0.join("own")).expect("a compartment")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o7777
}

#[test]
fn nobody_else_can_enter_the_folder_or_read_a_file_in_it() {
    let scratch = Scratch::new();
    let root = scratch.0.join("new/inside/new");
    let compartment = Compartment::open(&root).expect("a compartment");
    let _made = compartment.identity().expect("a key");
    compartment
        .keep_entry_guard(&EntryGuard::new())
        .expect("kept");
    assert_eq!(mode(&root), 0o700);
    assert_eq!(mode(&scratch.0.join("new")), 0o700);
    let files: Vec<_> = fs::read_dir(&root)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(files.len(), 2, "nothing half written stays: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_folder_that_others_can_enter_is_refused_and_left_as_it_is() {
    for open in [0o755, 0o750, 0o701, 0o770] {
        let scratch = Scratch::new();
        let permissions = fs::Permissions::from_mode(open);
        fs::set_permissions(&scratch.0, permissions).expect("permissions");
        let refused = Compartment::open(&scratch.0).expect_err("open to others");
        assert!(matches!(refused, CompartmentError::Open { mode, .. } if mode == open));
        assert!(refused.to_string().contains("chmod 700"), "{refused}");
        assert_eq!(mode(&scratch.0), open);
    }
}

#[test]
fn a_file_in_the_place_of_the_folder_is_named() {
    let scratch = Scratch::new();
    let path = scratch.0.join("file");
    fs::write(&path, b"").expect("written");
    let error = Compartment::open(&path).expect_err("no folder");
    assert!(error.to_string().contains("file"), "{error}");
}

#[test]
fn the_key_is_made_once() {
    let scratch = Scratch::new();
    let first = scratch.compartment().identity().expect("a key");
    let again = scratch.compartment().identity().expect("a key");
    assert_eq!(first.public_key(), again.public_key());
}

#[test]
fn a_damaged_key_is_an_error_and_never_replaced() {
    let scratch = Scratch::new();
    let compartment = scratch.compartment();
    let _made = compartment.identity().expect("a key");
    let path = compartment.path().join("identity.key");
    let whole = fs::read(&path).expect("a key");
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).expect("written");
        let error = compartment.identity().expect_err("damaged");
        assert!(matches!(error, CompartmentError::Key { .. }), "{error}");
        assert_eq!(fs::read(&path).expect("a file").len(), len);
    }
    fs::write(&path, vec![0; 10 << 20]).expect("written");
    assert!(compartment.identity().is_err(), "a huge file is no key");
}

#[test]
fn the_count_of_wrong_codes_survives_and_damage_does_not_reset_it() {
    let scratch = Scratch::new();
    let compartment = scratch.compartment();
    assert_eq!(
        compartment.entry_guard().expect("none yet"),
        EntryGuard::new()
    );
    let mut guard = EntryGuard::new();
    for _ in 0..5 {
        guard.charge(Duration::from_secs(1_700_000_000));
    }
    compartment.keep_entry_guard(&guard).expect("kept");
    assert_eq!(scratch.compartment().entry_guard().expect("kept"), guard);
    let path = compartment.path().join("entry");
    let whole = fs::read(&path).expect("a file");
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).expect("written");
        let error = compartment.entry_guard().expect_err("damaged");
        assert!(matches!(error, CompartmentError::Count { .. }), "{error}");
    }
}

#[test]
fn a_file_that_cannot_be_written_leaves_the_old_one() {
    let scratch = Scratch::new();
    let compartment = scratch.compartment();
    compartment
        .keep_entry_guard(&EntryGuard::new())
        .expect("kept");
    // A folder in the way of the file that is written first.
    fs::create_dir(compartment.path().join("entry.new")).expect("a folder");
    let mut guard = EntryGuard::new();
    guard.charge(Duration::from_secs(1));
    assert!(compartment.keep_entry_guard(&guard).is_err());
    assert_eq!(
        compartment.entry_guard().expect("the old"),
        EntryGuard::new()
    );
}
