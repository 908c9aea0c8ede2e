//! A device whose clock is decades off: it has no battery, or somebody has set it.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    administrator::{RIGHT, WRONG, set},
    agent::Agent,
    common::is_lab,
    world::{World, meet},
};

/// Of a program that it is loaded into, the wall clock begins at the second that the environment names; every other clock
/// goes on as it is.
const CLOCK: &str = r#"
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *at) {
    static long shift;
    static int known;
    long failed = syscall(SYS_clock_gettime, id, at);
    if (failed || id != CLOCK_REALTIME) return (int)failed;
    if (!known) {
        const char *from = getenv("WALL_CLOCK");
        shift = from ? atol(from) - at->tv_sec : 0;
        known = 1;
    }
    at->tv_sec += shift;
    return 0;
}
"#;

/// What the third wrong ID costs.
const LOCK: Duration = Duration::from_secs(30);

/// 1 January 1970, and 31 December 2099 (`date -u -d 2099-12-31 +%s`).
const FAR: [u64; 2] = [0, 4_102_358_400];

#[expect(
    clippy::disallowed_methods,
    reason = "other processes live by the real clock"
)]
fn now() -> Instant {
    Instant::now()
}

fn library(world: &World) -> PathBuf {
    let (source, library) = (world.path("clock.c"), world.path("clock.so"));
    fs::write(&source, CLOCK).expect("written");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(&source)
        .status();
    assert!(built.expect("a C compiler").success());
    library
}

fn device(world: &World, library: &PathBuf, from: u64) -> Agent {
    let mut command = world.command("device", "device");
    command.args(["--serial", "SN-1"]);
    command.env("LD_PRELOAD", library);
    command.env("WALL_CLOCK", from.to_string());
    let mut device = world.start(command, "device");
    let ready = device.event("ready");
    let at = ready["t"].as_u64().expect("a time") / 1_000;
    assert!(at.abs_diff(from) < 3_600, "the clock of the test says {at}");
    device
}

#[test]
fn in_1970_and_in_2099_there_are_sessions_and_a_lock_outlives_a_clock_that_is_set() {
    if !is_lab("a clock that is decades off needs a C compiler") {
        return;
    }
    let world = World::new();
    let library = library(&world);
    assert_eq!(set(&world, RIGHT).status.code(), Some(0));
    for (from, other) in [(FAR[0], FAR[1]), (FAR[1], FAR[0])] {
        assert_eq!(set(&world, RIGHT).status.code(), Some(0));
        let (mut operator, mut there) = (world.operator(), device(&world, &library, from));
        meet(&mut operator, &mut there);
        operator.ok(json!({"do": "mode", "mode": "operator-control"}));
        there.event("asked");
        for left in [2, 1, 0] {
            let wrong = there.refused(json!({"do": "allow", "admin_id": WRONG}), "admin-id-wrong");
            assert_eq!(wrong["tries_left"], left, "{wrong}");
        }
        let locked_at = now();
        there.ok(json!({"do": "exit"}));
        operator.event("ended");
        operator.exit();
        there.close_input();
        there.exit();

        // Started again at the other end of time, it is still locked, for the right ID as well.
        let (mut operator, mut there) = (world.operator(), device(&world, &library, other));
        meet(&mut operator, &mut there);
        operator.ok(json!({"do": "mode", "mode": "operator-control"}));
        there.event("asked");
        let said = there.ask(json!({"do": "allow", "admin_id": RIGHT}));
        if locked_at.elapsed() < LOCK {
            assert_eq!(said["code"], "admin-id-locked", "{said}");
            let wait = said["wait_s"].as_u64();
            assert!(wait.is_some_and(|s| s <= LOCK.as_secs()), "{said}");
        } else {
            eprintln!("this machine took longer than the lock: {said}");
        }
        there.ok(json!({"do": "exit"}));
        operator.event("ended");
        operator.exit();
        there.close_input();
        there.exit();
    }
}
