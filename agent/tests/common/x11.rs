//! A real X server without a screen, and what `xwd` sees of it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// A program; killed when it is dropped.
pub struct Running(pub Child);

impl Running {
    /// Starts it, without its complaints.
    pub fn start(command: &mut Command) -> Self {
        let child = command.stderr(Stdio::null()).spawn();
        Self(child.expect("a program that this test needs"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An X server with a screen of 800 by 600 pixels.
pub struct Server {
    pub display: String,
    pub process: Running,
}

impl Server {
    /// Starts one on a display number that it finds itself.
    pub fn start() -> Self {
        let mut command = Command::new("Xvfb");
        command
            .args(["-displayfd", "1", "-noreset", "-screen", "0", "800x600x24"])
            .args(["-nolisten", "tcp"])
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
/// A pixel is 0x00RRGGBB.
pub fn xwd(display: &str) -> Vec<u32> {
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
