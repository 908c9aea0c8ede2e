//! Recordings of a panel, format PTR1.
//!
//! A zstd stream (window up to 128 MiB) of `"PTR1" | width u16 | height u16`, then records; all numbers are little
//! endian. Each record is a type byte, the time in milliseconds (u32), and:
//!
//! - 1 or 5, a picture: the number of damaged rectangles (u16) and four u16 for each, x, y, width, height; the
//!   number of changed tiles (u32); for each its column and row (u16 each), in type 5 a filter byte, and three bytes
//!   for each pixel of the 16x16 tile, clipped at the edges. Filter 0 is red, green, blue for each pixel. Filter 1 is
//!   three planes of residuals: green, red less green's, blue less green's, against the median predictor inside the
//!   tile.
//! - 3, a label: length (u16) and that much UTF-8, what the driver of the recording did.
//! - 2, the end.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use alongside_panel::{Frame, tiles::TileGrid};
use alongside_protocol::{PanelSize, units::PanelRect};

/// Plays a recording.
pub(crate) struct Trace {
    records: BufReader<zstd::Decoder<'static, BufReader<File>>>,
    picture: Frame,
    damage: Vec<PanelRect>,
}

impl Trace {
    /// Opens a recording; the picture is black until the first one is read.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut stream = zstd::Decoder::new(File::open(path)?)?;
        stream.window_log_max(27)?;
        let mut records = BufReader::new(stream);
        let magic: [u8; 4] = read(&mut records)?;
        let size = PanelSize::new(u16(&mut records)?, u16(&mut records)?);
        let (b"PTR1", Some(size)) = (&magic, size) else {
            return Err(broken("not a PTR1 recording"));
        };
        Ok(Self {
            records,
            picture: Frame::black(size),
            damage: Vec::new(),
        })
    }

    /// The picture that was read last.
    pub(crate) fn picture(&self) -> &Frame {
        &self.picture
    }

    /// What the program reported to have drawn since the picture before; may be more than what changed.
    #[allow(dead_code, reason = "of use to some of those that include this file")]
    pub(crate) fn damage(&self) -> &[PanelRect] {
        &self.damage
    }

    /// Reads on to the next picture; returns its time in milliseconds, `None` at the end.
    pub(crate) fn advance(&mut self) -> io::Result<Option<u32>> {
        loop {
            let [kind] = read(&mut self.records)?;
            let at = u32(&mut self.records)?;
            match kind {
                1 | 5 => {
                    self.tiles(kind == 5)?;
                    return Ok(Some(at));
                }
                2 => return Ok(None),
                3 => {
                    let length = u16(&mut self.records)?;
                    io::copy(
                        &mut self.records.by_ref().take(length.into()),
                        &mut io::sink(),
                    )?;
                }
                _ => return Err(broken("unknown record")),
            }
        }
    }

    fn tiles(&mut self, is_filtered: bool) -> io::Result<()> {
        self.damage.clear();
        for _ in 0..u16(&mut self.records)? {
            self.damage.push(PanelRect {
                x: u16(&mut self.records)?,
                y: u16(&mut self.records)?,
                width: u16(&mut self.records)?,
                height: u16(&mut self.records)?,
            });
        }
        let grid = TileGrid::new(self.picture.size());
        for _ in 0..u32(&mut self.records)? {
            let (column, row) = (u16(&mut self.records)?, u16(&mut self.records)?);
            let tile = usize::from(row) * grid.columns() + usize::from(column);
            let rect = grid
                .rect(tile)
                .ok_or_else(|| broken("tile outside the panel"))?;
            let filter = if is_filtered {
                read::<1>(&mut self.records)?[0]
            } else {
                0
            };
            let mut bytes = vec![0; 3 * usize::from(rect.width) * usize::from(rect.height)];
            self.records.read_exact(&mut bytes)?;
            let pixels = if filter == 0 {
                interleaved(&bytes)
            } else {
                residuals(&bytes, rect.width.into())
            };
            self.draw(rect, &pixels);
        }
        Ok(())
    }

    fn draw(&mut self, rect: PanelRect, pixels: &[[u8; 3]]) {
        let width = usize::from(self.picture.size().width());
        let rows = self
            .picture
            .pixels_mut()
            .chunks_mut(width)
            .skip(rect.y.into());
        for (row, new) in rows.zip(pixels.chunks(rect.width.into())) {
            for (pixel, [r, g, b]) in row[rect.x.into()..].iter_mut().zip(new) {
                *pixel = u32::from_be_bytes([0, *r, *g, *b]);
            }
        }
    }
}

fn interleaved(bytes: &[u8]) -> Vec<[u8; 3]> {
    bytes.as_chunks().0.to_vec()
}

fn residuals(bytes: &[u8], width: usize) -> Vec<[u8; 3]> {
    let area = bytes.len() / 3;
    let mut pixels: Vec<[u8; 3]> = Vec::with_capacity(area);
    for at in 0..area {
        let (has_left, has_upper) = (at % width != 0, at >= width);
        let [r, g, b] = [0, 1, 2].map(|channel| match (has_left, has_upper) {
            (false, false) => 0,
            (true, false) => pixels[at - 1][channel],
            (false, true) => pixels[at - width][channel],
            (true, true) => {
                let (left, up) = (pixels[at - 1][channel], pixels[at - width][channel]);
                let sum =
                    i16::from(left) + i16::from(up) - i16::from(pixels[at - width - 1][channel]);
                sum.clamp(left.min(up).into(), left.max(up).into()) as u8
            }
        });
        let green = bytes[at];
        pixels.push([
            r.wrapping_add(bytes[area + at]).wrapping_add(green),
            g.wrapping_add(green),
            b.wrapping_add(bytes[2 * area + at]).wrapping_add(green),
        ]);
    }
    pixels
}

fn read<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn u16(from: &mut impl Read) -> io::Result<u16> {
    read(from).map(u16::from_le_bytes)
}

fn u32(from: &mut impl Read) -> io::Result<u32> {
    read(from).map(u32::from_le_bytes)
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
