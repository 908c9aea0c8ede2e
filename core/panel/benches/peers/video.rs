//! Lossy video of the same pictures, by ffmpeg's encoders.

use std::{
    error::Error,
    fs,
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use crate::trace::Trace;

/// An encoder, set for a screen that is watched live, at about 40 dB of ordinary panels.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Codec {
    X264,
    Vp9,
    Av1,
}

impl Codec {
    pub(crate) const ALL: [Self; 3] = [Self::X264, Self::Vp9, Self::Av1];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::X264 => "x264 crf 26",
            Self::Vp9 => "VP9 crf 36",
            Self::Av1 => "AV1 crf 32",
        }
    }

    fn options(self) -> &'static str {
        match self {
            Self::X264 => "-c:v libx264 -preset veryfast -tune zerolatency -crf 26 -g 9999 -f h264",
            Self::Vp9 => {
                "-c:v libvpx-vp9 -deadline realtime -cpu-used 5 -tune-content screen -crf 36 -b:v 0 -lag-in-frames 0 -g 9999 -f ivf"
            }
            Self::Av1 => {
                "-c:v libaom-av1 -usage realtime -cpu-used 8 -aom-params tune-content=screen -crf 32 -b:v 0 -lag-in-frames 0 -g 9999 -f ivf"
            }
        }
    }
}

/// What the encoder sends of a recording, and how like it is, in decibels over all channels of all pictures.
pub(crate) fn encode(path: &Path, codec: Codec) -> Result<(u64, f64), Box<dyn Error>> {
    let name = format!("alongside-peers-{}.video", std::process::id());
    let file = std::env::temp_dir().join(name);
    let coded = write(path, codec, &file).and_then(|()| {
        let bytes = fs::metadata(&file)?.len();
        Ok((bytes, likeness(path, &file)?))
    });
    let _ = fs::remove_file(&file);
    coded
}

fn write(path: &Path, codec: Codec, file: &Path) -> Result<(), Box<dyn Error>> {
    let mut trace = Trace::open(path)?;
    let size = trace.picture().size();
    let mut process = Command::new("ffmpeg")
        .args("-v error -y -f rawvideo -pix_fmt rgb24 -r 30 -s".split(' '))
        .arg(format!("{}x{}", size.width(), size.height()))
        .args("-i pipe:0 -pix_fmt yuv420p -threads 1".split(' '))
        .args(codec.options().split(' '))
        .arg(file)
        .stdin(Stdio::piped())
        .spawn()?;
    let mut input = process.stdin.take().ok_or("no way in")?;
    while trace.advance()?.is_some() {
        input.write_all(&trace.picture().to_rgb8())?;
    }
    drop(input);
    if process.wait()?.success() {
        Ok(())
    } else {
        Err(format!("ffmpeg cannot do {}", codec.name()).into())
    }
}

fn likeness(path: &Path, file: &Path) -> Result<f64, Box<dyn Error>> {
    let mut trace = Trace::open(path)?;
    let mut process = Command::new("ffmpeg")
        .args("-v error -threads 1 -i".split(' '))
        .arg(file)
        .args("-f rawvideo -pix_fmt rgb24 -vsync passthrough pipe:1".split(' '))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = process.stdout.take().ok_or("no way out")?;
    let mut shown = vec![0; 3 * trace.picture().size().pixels()];
    let (mut squares, mut samples) = (0_u64, 0_u64);
    while trace.advance()?.is_some() {
        output.read_exact(&mut shown)?;
        let wanted = trace.picture().to_rgb8();
        let square = |(a, b): (&u8, &u8)| u64::from(a.abs_diff(*b)).pow(2);
        squares += shown.iter().zip(&wanted).map(square).sum::<u64>();
        samples += wanted.len() as u64;
    }
    process.wait()?;
    let mean = squares as f64 / samples.max(1) as f64;
    Ok(10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10())
}
