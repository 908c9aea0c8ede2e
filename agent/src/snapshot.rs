//! Pictures of the panel as files: an 8-bit RGB PNG, and the SHA-256 by which two of them are compared.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use alongside::Frame;
use sha2::{Digest, Sha256};

/// What is known of a picture that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// SHA-256 of the RGB8 rows, in lower-case hexadecimal.
    pub sha256: String,
}

/// Why a picture could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the picture to {}", path.display())]
pub struct SnapshotError {
    path: PathBuf,
    source: io::Error,
}

/// Writes `frame` to `path` as a PNG; the file is there as a whole or not at all.
///
/// # Errors
///
/// [`SnapshotError`] if the file cannot be written.
pub fn write(frame: &Frame, path: &Path) -> Result<Snapshot, SnapshotError> {
    let fail = |source| SnapshotError {
        path: path.to_owned(),
        source,
    };
    let rows = frame.to_rgb8();
    let mut name = path
        .file_name()
        .ok_or_else(|| fail(io::ErrorKind::InvalidFilename.into()))?
        .to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = encode(frame, &rows, &part).and_then(|()| fs::rename(&part, path));
    if let Err(source) = written {
        let _ = fs::remove_file(&part);
        return Err(fail(source));
    }
    let size = frame.size();
    Ok(Snapshot {
        width: size.width(),
        height: size.height(),
        sha256: sha256(&rows),
    })
}

fn encode(frame: &Frame, rows: &[u8], path: &Path) -> io::Result<()> {
    let size = frame.size();
    let mut file = BufWriter::new(File::create(path)?);
    let mut encoder = png::Encoder::new(&mut file, size.width().into(), size.height().into());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rows)?;
    writer.finish()?;
    file.flush()
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
