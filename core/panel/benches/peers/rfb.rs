//! A client of the remote framebuffer protocol (RFC 6143) that counts bytes: enough of one to see what a VNC server
//! sends, and whether the picture arrives exactly.
//!
//! Tight is described by the community's RFB specification, ZRLE by RFC 6143, section 7.7.6.

#[path = "rfb/tight.rs"]
mod tight;
#[path = "rfb/zrle.rs"]
mod zrle;

use std::io::{self, Read, Write};

use alongside_panel::Frame;
use alongside_protocol::{PanelSize, units::PanelRect};
use flate2::{Decompress, FlushDecompress};

use self::tight::Tight;

const RAW: i32 = 0;
const COPY: i32 = 1;
const TIGHT: i32 = 7;
const ZRLE: i32 = 16;
/// Zlib at level 9, the best.
const LEVEL_9: i32 = -247;
/// An update says where it ends.
const LAST: i32 = -224;
/// The pointer's shape comes apart from the picture.
const CURSOR: i32 = -239;

/// What a server is asked to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Tight with zlib at level 9, and no JPEG.
    Tight,
    /// Runs and palettes of tiles of 64x64.
    Zrle,
}

impl Encoding {
    fn wanted(self) -> &'static [i32] {
        match self {
            Self::Tight => &[TIGHT, COPY, RAW, LEVEL_9, LAST, CURSOR],
            Self::Zrle => &[ZRLE, COPY, RAW, LAST, CURSOR],
        }
    }
}

/// A connection to a server.
pub(crate) struct Client<S> {
    stream: Counted<S>,
    picture: Frame,
    tight: Tight,
    zrle: Decompress,
    /// Bytes that were not of the picture: the greeting, the pointer's shape.
    aside: u64,
}

struct Counted<S> {
    inner: S,
    bytes: u64,
}

impl<S: Read + Write> Client<S> {
    /// Greets the server, without a password, and asks for the whole picture.
    pub(crate) fn greet(inner: S, encoding: Encoding) -> io::Result<Self> {
        let mut stream = Counted { inner, bytes: 0 };
        let version: [u8; 12] = stream.array()?;
        if !version.starts_with(b"RFB 003.00") {
            return Err(broken("not an RFB server"));
        }
        stream.inner.write_all(b"RFB 003.008\n")?;
        let count = stream.u8()?;
        if !stream.bytes(count.into())?.contains(&1) {
            return Err(broken("the server wants a password"));
        }
        stream.inner.write_all(&[1])?;
        if stream.u32()? != 0 {
            return Err(broken("the server refuses"));
        }
        stream.inner.write_all(&[1])?;
        let size = PanelSize::new(stream.u16()?, stream.u16()?);
        let size = size.ok_or_else(|| broken("no size"))?;
        let _format: [u8; 16] = stream.array()?;
        let name = stream.u32()?;
        stream.bytes(name as usize)?;
        // 32 bits, 24 of them used, little endian, true colour, red 16, green 8, blue 0.
        let format = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
        stream.inner.write_all(&[0, 0, 0, 0])?;
        stream.inner.write_all(&format)?;
        let wanted = encoding.wanted();
        let mut encodings = vec![2, 0, 0, wanted.len() as u8];
        for encoding in wanted {
            encodings.extend(encoding.to_be_bytes());
        }
        stream.inner.write_all(&encodings)?;
        let mut client = Self {
            aside: stream.bytes,
            stream,
            picture: Frame::black(size),
            tight: Tight::default(),
            zrle: Decompress::new(true),
        };
        client.ask(0)?;
        Ok(client)
    }

    /// What the server shows, as far as it came.
    pub(crate) fn picture(&self) -> &Frame {
        &self.picture
    }

    /// Bytes of the picture that came so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.stream.bytes - self.aside
    }

    /// Takes in messages up to the end of an update, and asks for the next.
    pub(crate) fn update(&mut self) -> io::Result<()> {
        loop {
            match self.stream.u8()? {
                0 => break,
                2 => {}
                3 => {
                    let _padding: [u8; 3] = self.stream.array()?;
                    let length = self.stream.u32()?;
                    self.stream.bytes(length as usize)?;
                }
                _ => return Err(broken("unknown message")),
            }
        }
        self.stream.u8()?;
        for _ in 0..self.stream.u16()? {
            if self.rectangle()? == LAST {
                break;
            }
        }
        self.ask(1)
    }

    /// Asks for the whole picture, or with 1 for what changes.
    fn ask(&mut self, incremental: u8) -> io::Result<()> {
        let size = self.picture.size();
        let mut request = vec![3, incremental, 0, 0, 0, 0];
        request.extend(size.width().to_be_bytes());
        request.extend(size.height().to_be_bytes());
        self.stream.inner.write_all(&request)
    }

    fn rectangle(&mut self) -> io::Result<i32> {
        let start = self.stream.bytes;
        let rect = PanelRect {
            x: self.stream.u16()?,
            y: self.stream.u16()?,
            width: self.stream.u16()?,
            height: self.stream.u16()?,
        };
        let encoding = self.stream.u32()?.cast_signed();
        let area = usize::from(rect.width) * usize::from(rect.height);
        match encoding {
            RAW => {
                let bytes = self.stream.bytes(4 * area)?;
                let colour = |it: &[u8; 4]| u32::from_le_bytes(*it);
                let pixels: Vec<u32> = bytes.as_chunks().0.iter().map(colour).collect();
                self.draw(rect, &pixels)?;
            }
            COPY => {
                let (x, y) = (self.stream.u16()?, self.stream.u16()?);
                let pixels = self.pixels(PanelRect { x, y, ..rect })?;
                self.draw(rect, &pixels)?;
            }
            TIGHT => {
                let pixels = self.tight.read(&mut self.stream, rect)?;
                self.draw(rect, &pixels)?;
            }
            ZRLE => {
                let length = self.stream.u32()?;
                let bytes = self.stream.bytes(length as usize)?;
                let bytes = inflate(&mut self.zrle, &bytes)?;
                let pixels = zrle::read(&bytes, rect)?;
                self.draw(rect, &pixels)?;
            }
            CURSOR => {
                let mask = usize::from(rect.width).div_ceil(8) * usize::from(rect.height);
                self.stream.bytes(4 * area + mask)?;
                self.aside += self.stream.bytes - start;
            }
            LAST => {}
            _ => return Err(broken("an encoding that nobody asked for")),
        }
        Ok(encoding)
    }

    fn pixels(&self, rect: PanelRect) -> io::Result<Vec<u32>> {
        let width = usize::from(self.picture.size().width());
        let mut pixels = Vec::new();
        for y in rect.y..rect.y.saturating_add(rect.height) {
            let start = usize::from(y) * width + usize::from(rect.x);
            let row = self.picture.pixels();
            let row = row.get(start..start + usize::from(rect.width));
            pixels.extend_from_slice(row.ok_or_else(|| broken("from outside the picture"))?);
        }
        Ok(pixels)
    }

    fn draw(&mut self, rect: PanelRect, pixels: &[u32]) -> io::Result<()> {
        let (width, wide) = (
            usize::from(self.picture.size().width()),
            usize::from(rect.width),
        );
        if usize::from(rect.x) + wide > width {
            return Err(broken("outside the picture"));
        }
        for (y, from) in pixels.chunks(wide.max(1)).enumerate() {
            let start = (usize::from(rect.y) + y) * width + usize::from(rect.x);
            let to = self.picture.pixels_mut().get_mut(start..start + wide);
            let to = to.ok_or_else(|| broken("outside the picture"))?;
            for (to, from) in to.iter_mut().zip(from) {
                *to = from & 0x00ff_ffff;
            }
        }
        Ok(())
    }
}

/// Numbers of a stream, or of bytes that were packed in one.
trait Numbers {
    fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>>;

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let bytes = self.bytes(N)?;
        bytes.try_into().map_err(|_| broken("too short"))
    }

    fn u8(&mut self) -> io::Result<u8> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> io::Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> io::Result<u32> {
        self.array().map(u32::from_be_bytes)
    }
}

impl<S: Read> Numbers for Counted<S> {
    fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.inner
            .by_ref()
            .take(count as u64)
            .read_to_end(&mut bytes)?;
        if bytes.len() < count {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.bytes += count as u64;
        Ok(bytes)
    }
}

impl Numbers for &[u8] {
    fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let (bytes, rest) = self
            .split_at_checked(count)
            .ok_or_else(|| broken("too short"))?;
        *self = rest;
        Ok(bytes.to_vec())
    }
}

/// What `bytes` add to a zlib stream that goes on from message to message.
fn inflate(stream: &mut Decompress, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let start = stream.total_in();
    loop {
        out.reserve(64 * 1024);
        let done = (stream.total_in() - start) as usize;
        let rest = bytes.get(done..).unwrap_or_default();
        stream.decompress_vec(rest, &mut out, FlushDecompress::Sync)?;
        let is_read = (stream.total_in() - start) as usize == bytes.len();
        if is_read && out.len() < out.capacity() {
            return Ok(out);
        }
    }
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
