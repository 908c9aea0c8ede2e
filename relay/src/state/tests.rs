use super::*;
use crate::testing::TempDir;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn only_the_owner_may_enter_and_read() {
    let dir = TempDir::new();
    let state = StateDir::open(dir.path().join("new")).unwrap();
    state.key().unwrap();
    assert_eq!(mode(state.path()), 0o700);
    assert_eq!(mode(&state.file(KEY_FILE)), 0o600);
}

#[test]
fn a_directory_that_was_there_keeps_its_mode_and_one_that_others_may_write_in_is_refused() {
    let dir = TempDir::new();
    let set = |mode| fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
    set(0o755);
    StateDir::open(dir.path()).unwrap();
    assert_eq!(mode(dir.path()), 0o755);
    for shared in [0o1777, 0o775] {
        set(shared);
        let refused = StateDir::open(dir.path()).unwrap_err();
        assert!(matches!(refused, StateError::Shared { .. }), "{refused}");
        assert_eq!(mode(dir.path()), shared & 0o777);
    }
}

#[test]
fn a_restarted_relay_finds_its_token_and_reset_key_again() {
    let dir = TempDir::new();
    let values = || {
        let key = StateDir::open(dir.path()).unwrap().key().unwrap();
        (key.token().unwrap(), key.reset_key().unwrap())
    };
    assert_eq!(values(), values());
    let other = StateDir::open(TempDir::new().path().join("x"))
        .unwrap()
        .key()
        .unwrap();
    assert_ne!(values().0, other.token().unwrap());
}

#[test]
fn two_relays_cannot_share_a_directory() {
    let dir = TempDir::new();
    let first = StateDir::open(dir.path()).unwrap();
    assert!(matches!(
        StateDir::open(dir.path()),
        Err(StateError::InUse { .. })
    ));
    drop(first);
    StateDir::open(dir.path()).unwrap();
}

#[test]
fn a_key_file_with_something_else_is_refused() {
    let dir = TempDir::new();
    let state = StateDir::open(dir.path()).unwrap();
    state.write(KEY_FILE, b"short").unwrap();
    assert!(matches!(state.key(), Err(StateError::BadKey { .. })));
}
