//! Reading the root window's pixels.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

use alongside::{Frame, protocol::PanelSize};
use rustix::fs::MemfdFlags;
use x11rb::{
    connection::Connection,
    errors::ReplyError,
    protocol::{
        shm::{self, ConnectionExt as _},
        xproto::{ConnectionExt as _, ImageFormat, ImageOrder, Window},
    },
    rust_connection::RustConnection,
};

use super::Screen;

/// All planes of a pixel.
const ALL_PLANES: u32 = !0;

/// Reads one screen again and again.
#[derive(Debug)]
pub(super) struct Grabber {
    connection: Arc<RustConnection>,
    root: Window,
    size: PanelSize,
    order: ImageOrder,
    /// Memory that the server writes pictures into; `None` where pictures travel over the connection.
    shared: Option<SharedMemory>,
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct SharedMemory {
    segment: shm::Seg,
    file: File,
}

impl Grabber {
    pub(super) fn new(connection: Arc<RustConnection>, screen: &Screen) -> Self {
        let bytes = vec![0; screen.size.pixels() * 4];
        let shared = match share(&connection, bytes.len()) {
            Ok(shared) => Some(shared),
            Err(error) => {
                tracing::debug!(%error, "no memory shared with the X server: pictures travel over the connection");
                None
            }
        };
        Self {
            connection,
            root: screen.root,
            size: screen.size,
            order: screen.order,
            shared,
            bytes,
        }
    }

    /// The picture now.
    pub(super) fn grab(&mut self) -> Result<Frame, ReplyError> {
        let (width, height) = (self.size.width(), self.size.height());
        if let Some(SharedMemory { segment, file }) = &self.shared {
            let format = ImageFormat::Z_PIXMAP.into();
            self.connection
                .shm_get_image(
                    self.root, 0, 0, width, height, ALL_PLANES, format, *segment, 0,
                )?
                .reply()?;
            file.read_exact_at(&mut self.bytes, 0)
                .map_err(x11rb::errors::ConnectionError::from)?;
        } else {
            let picture = self
                .connection
                .get_image(
                    ImageFormat::Z_PIXMAP,
                    self.root,
                    0,
                    0,
                    width,
                    height,
                    ALL_PLANES,
                )?
                .reply()?;
            self.bytes.clone_from(&picture.data);
        }
        self.frame().ok_or_else(|| {
            x11rb::errors::ConnectionError::from(io::Error::from(io::ErrorKind::UnexpectedEof))
                .into()
        })
    }

    fn frame(&self) -> Option<Frame> {
        let (pixels, _) = self.bytes.as_chunks::<4>();
        let read = if self.order == ImageOrder::MSB_FIRST {
            u32::from_be_bytes
        } else {
            u32::from_le_bytes
        };
        Frame::new(self.size, pixels.iter().map(|pixel| read(*pixel)).collect())
    }
}

/// Memory of our own that the server may write to (MIT-SHM 1.2, by file descriptor).
fn share(
    connection: &RustConnection,
    length: usize,
) -> Result<SharedMemory, Box<dyn std::error::Error>> {
    let version = connection.shm_query_version()?.reply()?;
    if (version.major_version, version.minor_version) < (1, 2) {
        return Err("the X server's MIT-SHM is older than 1.2".into());
    }
    let file = File::from(rustix::fs::memfd_create("panel", MemfdFlags::CLOEXEC)?);
    file.set_len(length as u64)?;
    let segment = connection.generate_id()?;
    connection
        .shm_attach_fd(segment, file.try_clone()?, false)?
        .check()?;
    Ok(SharedMemory { segment, file })
}
