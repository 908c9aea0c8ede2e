//! Plays recorded panels through other programs side by side with this codec, and prints what each of them sends.
//!
//! `ALONGSIDE_LAB=1 cargo bench -p alongside-panel --bench peers` plays the recordings of `benches/traces`, or every
//! `*.ptr.zst` of the folder that `ALONGSIDE_TRACES` names; words behind `--` choose among them by name. It needs a
//! TigerVNC server (Debian: tigervnc-standalone-server) and ffmpeg (Debian: ffmpeg); without `ALONGSIDE_LAB=1` it says so
//! and ends.
//!
//! Every program gets the same pictures, each once it has sent the one before, on an unlimited link. The VNC server shows
//! them on a screen of its own, drawn as the recorded program drew them, with all the damage that it reported; the
//! client here asks as a viewer does, and checks that each picture arrives exactly. Thousands of bytes, all of what is
//! sent for pictures; in brackets how many times as many as this codec. Then lossy video with 4:2:0 colours, in the
//! encoders' modes for live screens; with how like the pictures it is, in decibels.
#![expect(clippy::print_stdout, reason = "prints its table")]

#[cfg(unix)]
mod lab;
#[cfg(unix)]
mod rfb;
#[cfg(unix)]
mod server;
#[cfg(unix)]
#[path = "../codec/trace.rs"]
mod trace;
#[cfg(unix)]
mod video;

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::var_os("ALONGSIDE_LAB").is_some_and(|value| value == "1") {
        return lab::run();
    }
    println!("skipped: what TigerVNC and video encoders send of the same; set ALONGSIDE_LAB=1");
    Ok(())
}

#[cfg(not(unix))]
fn main() {
    println!("skipped: other programs are measured on Unix only");
}
