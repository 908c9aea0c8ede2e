//! A TigerVNC server of our own, without a network, and a program that draws on its screen.

use std::{
    error::Error,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use alongside_panel::Frame;
use alongside_protocol::{PanelSize, units::PanelRect};

/// Longest wait for anything that the server does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Largest request of X11, in bytes, without the extension for larger ones.
const REQUEST: usize = 4 * 65_535;
/// Head of a PutImage.
const HEAD: usize = 24;

/// A running server; ends with this.
pub(crate) struct Server {
    process: Child,
    display: String,
    socket: PathBuf,
}

impl Server {
    /// Starts `program` with a screen of `size`.
    pub(crate) fn start(program: &str, size: PanelSize) -> Result<Self, Box<dyn Error>> {
        let name = format!("alongside-peers-{}", std::process::id());
        let socket = std::env::temp_dir().join(name);
        let mut process = Command::new(program)
            .args(["-displayfd", "1", "-depth", "24", "-nolisten", "tcp"])
            .args(["-SecurityTypes", "None", "-rfbport", "-1", "-noreset"])
            .args(["-geometry", &format!("{}x{}", size.width(), size.height())])
            .arg("-rfbunixpath")
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut display = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut display)?;
        }
        let display = display.trim().to_owned();
        let server = Self {
            process,
            display,
            socket,
        };
        if server.display.is_empty() {
            return Err("the server did not start".into());
        }
        Ok(server)
    }

    /// A connection of an RFB client.
    pub(crate) fn connect(&self) -> io::Result<UnixStream> {
        let stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// A program on its screen.
    pub(crate) fn painter(&self) -> Result<Painter, Box<dyn Error>> {
        let stream = UnixStream::connect(format!("/tmp/.X11-unix/X{}", self.display))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Painter::new(stream)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Draws on the root window: the X11 protocol, version 11, as far as that takes.
pub(crate) struct Painter {
    stream: UnixStream,
    root: u32,
    context: u32,
}

impl Painter {
    fn new(mut stream: UnixStream) -> Result<Self, Box<dyn Error>> {
        stream.write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        let mut head = [0; 8];
        stream.read_exact(&mut head)?;
        let mut body = vec![0; 4 * usize::from(u16::from_le_bytes([head[6], head[7]]))];
        stream.read_exact(&mut body)?;
        if head[0] != 1 {
            return Err("the X server refuses".into());
        }
        let u32_at = |at: usize| -> Option<u32> {
            let bytes = body.get(at..)?.first_chunk()?;
            Some(u32::from_le_bytes(*bytes))
        };
        let vendor = usize::from(u16::from_le_bytes([body[16], body[17]]));
        let screen = 32 + vendor.next_multiple_of(4) + 8 * usize::from(body[21]);
        let (Some(context), Some(root)) = (u32_at(4), u32_at(screen)) else {
            return Err("an X server without a screen".into());
        };
        let mut painter = Self {
            stream,
            root,
            context,
        };
        let mut create = vec![55, 0, 4, 0];
        create.extend([context, root, 0].map(u32::to_le_bytes).as_flattened());
        painter.stream.write_all(&create)?;
        Ok(painter)
    }

    /// Draws what `frame` has inside of `rects`; returns once the server has done it.
    pub(crate) fn draw(&mut self, frame: &Frame, rects: &[PanelRect]) -> io::Result<()> {
        let width = usize::from(frame.size().width());
        let mut requests = Vec::new();
        for rect in rects.iter().filter(|rect| rect.width > 0) {
            let wide = usize::from(rect.width);
            let most = (REQUEST - HEAD) / (4 * wide);
            let (top, bottom) = (usize::from(rect.y), usize::from(rect.y + rect.height));
            for first in (top..bottom).step_by(most) {
                let high = most.min(bottom - first);
                let words = (HEAD + 4 * wide * high) / 4;
                requests.extend([72, 2]);
                requests.extend((words as u16).to_le_bytes());
                requests.extend(
                    [self.root, self.context]
                        .map(u32::to_le_bytes)
                        .as_flattened(),
                );
                let place = [rect.width, high as u16, rect.x, first as u16];
                requests.extend(place.map(u16::to_le_bytes).as_flattened());
                requests.extend([0, 24, 0, 0]);
                for y in first..first + high {
                    let start = y * width + usize::from(rect.x);
                    for pixel in &frame.pixels()[start..start + wide] {
                        requests.extend(pixel.to_le_bytes());
                    }
                }
            }
        }
        requests.extend([43, 0, 1, 0]); // GetInputFocus: its reply comes behind all that
        self.stream.write_all(&requests)?;
        let mut reply = [0; 32];
        self.stream.read_exact(&mut reply)?;
        if reply[0] == 1 {
            Ok(())
        } else {
            Err(io::Error::other("the X server reports an error"))
        }
    }
}
