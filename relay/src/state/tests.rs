use super::*;
use crate::testing::TempDir;

#[test]
fn only_the_owner_may_enter_and_read() {
    let dir = TempDir::new();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    state.key().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(state.path()), 0o700);
    assert_eq!(mode(&state.file(KEY_FILE)), 0o600);
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
