//! Pictures of the panel as files: an 8-bit RGB PNG, and the SHA-256 by which two of them are compared.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use alongside::Frame;
use aws_lc_rs::rand;
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
    let (part, file) = part(path).map_err(fail)?;
    let written = encode(frame, &rows, file).and_then(|()| fs::rename(&part, path));
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

/// A new file beside `path`. Its name cannot be known before, and whatever stands there already is left alone: others
/// may write to the folder too.
fn part(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut random = [0; 8];
    rand::fill(&mut random).map_err(|_| io::Error::other("the system gave no random bytes"))?;
    let mut name = path
        .file_name()
        .ok_or(io::ErrorKind::InvalidFilename)?
        .to_owned();
    name.push(format!(".{:016x}.part", u64::from_le_bytes(random)));
    let part = path.with_file_name(name);
    let file = File::create_new(&part)?;
    Ok((part, file))
}

fn encode(frame: &Frame, rows: &[u8], file: File) -> io::Result<()> {
    let size = frame.size();
    let mut file = BufWriter::new(file);
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_others_put_into_the_folder_is_not_written_through() {
        let folder = tempfile::tempdir().expect("a folder");
        let (picture, theirs) = (folder.path().join("a.png"), folder.path().join("theirs"));
        fs::write(&theirs, "theirs").expect("written");
        for name in ["a.png", "a.png.part"] {
            symlink(&theirs, folder.path().join(name)).expect("a link");
        }
        let frame = Frame::black(crate::panel::mfd::SIZE);
        write(&frame, &picture).expect("written");
        assert_eq!(fs::read(&theirs).expect("there"), b"theirs");
        assert!(!picture.is_symlink());
        let names = fs::read_dir(folder.path()).expect("there").count();
        assert_eq!(names, 3, "nothing is left behind");
    }

    #[test]
    fn two_parts_of_one_picture_are_two_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let picture = folder.path().join("a.png");
        let (one, _) = part(&picture).expect("a file");
        let (other, _) = part(&picture).expect("a file");
        assert_ne!(one, other);
    }
}
