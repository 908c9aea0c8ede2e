//! Paints every screen of the `mfd` panel in every state into PNG files, to look at.
//!
//! `cargo run -p alongside-agent --example mfd-gallery -- DIRECTORY [LANGUAGE [PERCENT]]`

use std::{fs::File, io::BufWriter, path::PathBuf};

use alongside::Frame;
use alongside_agent::{
    panel::mfd::{Scale, gallery},
    text::{Locale, Text},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let directory = PathBuf::from(args.next().ok_or("which directory?")?);
    let locale = match args.next() {
        Some(tag) => Locale::from_tag(&tag.to_string_lossy()).ok_or("no such language")?,
        None => Locale::English,
    };
    let scale = match args.next() {
        Some(percent) => percent
            .to_str()
            .and_then(|percent| Scale::from_percent(percent.parse().ok()?))
            .ok_or("100, 150 or 200 percent")?,
        None => Scale::Normal,
    };
    std::fs::create_dir_all(&directory)?;
    for (name, mut mfd) in gallery::states(Text::new(locale), scale) {
        write(&directory.join(format!("{name}.png")), &mfd.render())?;
    }
    Ok(())
}

fn write(path: &std::path::Path, frame: &Frame) -> Result<(), Box<dyn std::error::Error>> {
    let mut encoder = png::Encoder::new(
        BufWriter::new(File::create(path)?),
        frame.size().width().into(),
        frame.size().height().into(),
    );
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&frame.to_rgb8())?;
    Ok(())
}
