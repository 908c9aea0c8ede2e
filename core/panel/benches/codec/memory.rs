//! What either side of the codec takes of memory: the peak of a process of its own, less what it had before.
//!
//! The bench starts itself again for each side. What the sides are given comes through pipes, so that reading a
//! recording is not counted; the picture that the device captured is not either, as it is the panel's. Linux only.

use std::{
    env,
    error::Error,
    fs,
    io::{self, Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use alongside_panel::{
    Decoder, Encoder, Frame, Profile, Terms,
    message::{ToDevice, ToOperator},
};
use alongside_protocol::{PanelSize, frame::HEADER_LEN, units::Millis};

use crate::trace::Trace;

/// Names the side that this process is to be, and its profile.
const SIDE: &str = "ALONGSIDE_BENCH_SIDE";

/// What a link of 360 kbit/s lets a sender send, so that much comes softly first.
const ENOUGH: usize = 2_250;
const DEAR: usize = 11_250;

/// Is one of the sides, if that is what this process was started for.
pub(crate) fn is_side() -> Result<bool, Box<dyn Error>> {
    let Ok(side) = env::var(SIDE) else {
        return Ok(false);
    };
    let (side, profile) = side.split_once(' ').ok_or("no profile")?;
    let profile = match profile {
        "small" => Profile::SMALL,
        _ => Profile::default(),
    };
    match side {
        "device" => device(profile)?,
        _ => operator(profile)?,
    }
    Ok(true)
}

/// Plays a recording through both sides; gives the peaks of the device and of the operator's side, in bytes.
pub(crate) fn measure(path: &Path, profile: &str) -> Result<(u64, u64), Box<dyn Error>> {
    let mut trace = Trace::open(path)?;
    let size = trace.picture().size();
    let mut device = start("device", profile, Stdio::piped())?;
    let messages = device.stdout.take().ok_or("no way out")?;
    let operator = start("operator", profile, messages.into())?;
    let mut pictures = device.stdin.take().ok_or("no way in")?;
    pictures.write_all(&size.width().to_le_bytes())?;
    pictures.write_all(&size.height().to_le_bytes())?;
    let mut bytes = Vec::new();
    while let Some(at) = trace.advance()? {
        bytes.clear();
        bytes.extend(at.to_le_bytes());
        for pixel in trace.picture().pixels() {
            bytes.extend(pixel.to_le_bytes());
        }
        pictures.write_all(&bytes)?;
    }
    drop(pictures);
    Ok((told(device)?, told(operator)?))
}

fn start(side: &str, profile: &str, input: Stdio) -> io::Result<Child> {
    Command::new(env::current_exe()?)
        .env(SIDE, format!("{side} {profile}"))
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// What a side said at its end: bytes, in decimal digits.
fn told(side: Child) -> Result<u64, Box<dyn Error>> {
    let said = side.wait_with_output()?.stderr;
    Ok(String::from_utf8(said)?.trim().parse()?)
}

/// Most of this process that ever was in memory.
fn peak() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line
        .ok_or("no VmHWM")?
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    Ok(1024 * kib)
}

fn tell(before: u64) -> Result<(), Box<dyn Error>> {
    write!(io::stderr(), "{}", peak()? - before)?;
    Ok(())
}

fn device(profile: Profile) -> Result<(), Box<dyn Error>> {
    let (mut pictures, mut messages) = (io::stdin().lock(), io::stdout().lock());
    let mut head = [0; 4];
    pictures.read_exact(&mut head)?;
    let [a, b, c, d] = head;
    let size = PanelSize::new(u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
    let size = size.ok_or("no size")?;
    let mut picture = Frame::new(size, vec![0x00ff_ffff; size.pixels()]).ok_or("no picture")?;
    let mut row = vec![0; 4 * usize::from(size.width())];
    let before = peak()?;
    let mut encoder = Encoder::new(size, 1, profile);
    let terms = Terms {
        enough: ENOUGH,
        dear: DEAR,
        ..Terms::default()
    };
    let mut at = [0; 4];
    while pictures.read_exact(&mut at).is_ok() {
        for pixels in picture.pixels_mut().chunks_mut(size.width().into()) {
            pictures.read_exact(&mut row)?;
            for (pixel, bytes) in pixels.iter_mut().zip(row.as_chunks().0) {
                *pixel = u32::from_le_bytes(*bytes);
            }
        }
        let now = Millis::new(u32::from_le_bytes(at).into());
        while let Some(step) = encoder.step_within(&picture, now, &terms) {
            messages.write_all(&step.frame)?;
            let (header, body) = step.frame.split_at(HEADER_LEN);
            let seq = match ToOperator::from_frame(header[3], body)? {
                ToOperator::Open(open) => open.seq,
                ToOperator::Update(update) => update.seq,
                ToOperator::Check(_) | ToOperator::Timing(_) => continue,
            };
            let ack = ToDevice::Ack { seq }.to_frame();
            encoder.handle(ack[3], &ack[HEADER_LEN..])?;
        }
    }
    tell(before)
}

fn operator(profile: Profile) -> Result<(), Box<dyn Error>> {
    let mut messages = io::stdin().lock();
    let before = peak()?;
    let mut decoder = Decoder::new(profile);
    let mut header = [0; HEADER_LEN];
    let mut body = Vec::new();
    while messages.read_exact(&mut header).is_ok() {
        let [a, b, c, kind] = header;
        body.resize(u32::from_be_bytes([0, a, b, c]) as usize, 0);
        messages.read_exact(&mut body)?;
        decoder.apply(kind, &body)?;
    }
    tell(before)
}
