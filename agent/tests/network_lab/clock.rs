//! A device whose clock says 1970: it has no battery, and no time server yet.

use std::{fs, process::Command};

use serde_json::json;

use crate::{
    house::{House, rung, still_works, takes},
    is_lab,
    world::meet,
};

/// The wall clock of a program that it is loaded into begins at 1970; every other clock goes on as it is.
const CLOCK: &str = r#"
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *at) {
    static long began;
    long failed = syscall(SYS_clock_gettime, id, at);
    if (failed || id != CLOCK_REALTIME) return (int)failed;
    if (!began) began = at->tv_sec;
    at->tv_sec -= began;
    return 0;
}
"#;

#[test]
fn a_device_in_1970_believes_the_relays_clock_and_says_so() {
    if !is_lab() {
        return;
    }
    let house = House::new();
    let (source, library) = (house.path("clock.c"), house.path("clock.so"));
    fs::write(&source, CLOCK).expect("written");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(&source)
        .status();
    assert!(built.expect("a C compiler").success());

    let (mut operator, mut device) = (
        house.operator(|_| ()),
        house.device(|command| {
            command.env("LD_PRELOAD", &library);
        }),
    );
    assert!(
        device.told[0]["t"].as_u64().is_some_and(|t| t < 3_600_000),
        "{}",
        device.told[0]
    );
    meet(&mut operator, &mut device);
    takes(&mut device, "direct");
    still_works(&mut operator, &mut device, 100);
    assert!(
        device
            .log()
            .contains("clock of this machine cannot be right"),
        "{}",
        device.log()
    );

    let (said, exit) = house.doctor(|command| {
        command.env("LD_PRELOAD", &library);
    });
    assert_eq!(
        (exit, &rung(&said, "relay-tls")["works"]),
        (Some(0), &json!(true)),
        "{said}"
    );
    assert_eq!(said["remarks"][0]["reason"], "clock", "{said}");
}
