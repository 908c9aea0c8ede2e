//! A whole X11 screen as a panel: what any program of the device draws is what the operator sees.
//!
//! The picture is read from the root window, through memory shared with the server where it can be. A change is
//! noticed by the DAMAGE extension. This panel shows nothing of its own yet: neither annotations nor who is connected.

mod grab;
mod watch;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use alongside::{
    ports::{Capture, Customer, Panel, PanelError, PanelInfo},
    protocol::{PanelSize, annotation::Annotation, label::Label},
    status::Status,
};
use x11rb::{
    connection::Connection,
    errors::{ConnectError, ConnectionError, ReplyError, ReplyOrIdError},
    protocol::xproto::{self, ImageOrder, VisualClass},
    rust_connection::RustConnection,
};

use grab::Grabber;
use watch::Watcher;

/// An X11 screen.
pub struct X11Panel {
    size: PanelSize,
    grabber: Mutex<Grabber>,
    watcher: Watcher,
}

/// Why an X11 screen cannot be a panel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum X11Error {
    /// There is no X server there, or it does not want us.
    #[error("cannot connect to the X server at {display}")]
    Connect {
        /// The display that was asked for.
        display: String,
        /// Why not.
        source: ConnectError,
    },
    /// The server has no screen of that number.
    #[error("the X server has no screen {0}")]
    NoScreen(usize),
    /// The screen's pixels are not 32 bits with 8 bits for each colour.
    #[error("the screen has {depth} bits a pixel in a layout that is not 8 bits for each colour")]
    Layout {
        /// Bits of colour in a pixel.
        depth: u8,
    },
    /// The screen is larger than a panel may be.
    #[error("the screen has {width} by {height} pixels, more than a panel may have")]
    Size {
        /// Width in pixels.
        width: u16,
        /// Height in pixels.
        height: u16,
    },
    /// The server did not take a request.
    #[error("the X server refused while {doing}")]
    Request {
        /// What was being done.
        doing: &'static str,
        /// What it answered.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl X11Panel {
    /// Opens the screen of `display`, or of `$DISPLAY`.
    ///
    /// # Errors
    ///
    /// [`X11Error`] if there is no such screen or its pixels cannot be read.
    pub fn open(display: Option<&str>) -> Result<Self, X11Error> {
        let (connection, number) =
            RustConnection::connect(display).map_err(|source| X11Error::Connect {
                display: display
                    .map(str::to_owned)
                    .or_else(|| std::env::var("DISPLAY").ok())
                    .unwrap_or_default(),
                source,
            })?;
        let screen = Screen::find(&connection, number)?;
        let connection = Arc::new(connection);
        let watcher = Watcher::start(Arc::clone(&connection), screen.root)?;
        let grabber = Grabber::new(connection, &screen);
        Ok(Self {
            size: screen.size,
            grabber: Mutex::new(grabber),
            watcher,
        })
    }
}

impl fmt::Debug for X11Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("X11Panel")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Panel for X11Panel {
    fn describe(&self) -> PanelInfo {
        #[expect(
            clippy::unwrap_used,
            reason = "a short plain word, and the lab test describes the panel"
        )]
        let kind = Label::new("x11").unwrap();
        PanelInfo {
            kind,
            size: self.size,
        }
    }

    fn capture(&self) -> Result<Capture, PanelError> {
        // What changes from here on is told again, so no change falls between two pictures.
        self.watcher
            .rearm()
            .map_err(|error| PanelError::Gone(error.into()))?;
        let mut grabber = self.grabber.lock().unwrap_or_else(PoisonError::into_inner);
        grabber
            .grab()
            .map(|frame| Arc::new(frame).into())
            .map_err(|error| PanelError::Gone(error.into()))
    }

    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.watcher.changes()
    }

    fn annotate(&self, annotation: &Annotation) {
        let _ = annotation;
    }
}

impl Customer for X11Panel {
    fn show(&self, status: &Status) {
        tracing::debug!(?status, "not shown: the x11 panel has no banner yet");
    }
}

/// The screen of a connection, as far as reading it needs.
#[derive(Clone, Copy, Debug)]
struct Screen {
    root: xproto::Window,
    size: PanelSize,
    /// Order of the four bytes of a pixel.
    order: ImageOrder,
}

impl Screen {
    fn find(connection: &RustConnection, number: usize) -> Result<Self, X11Error> {
        let setup = connection.setup();
        let screen = setup.roots.get(number).ok_or(X11Error::NoScreen(number))?;
        let depth = screen.root_depth;
        let is_32_bits = setup
            .pixmap_formats
            .iter()
            .any(|format| format.depth == depth && format.bits_per_pixel == 32);
        let visual = screen
            .allowed_depths
            .iter()
            .flat_map(|depth| &depth.visuals)
            .find(|visual| visual.visual_id == screen.root_visual);
        let is_rgb = visual.is_some_and(|visual| {
            let masks = (visual.red_mask, visual.green_mask, visual.blue_mask);
            visual.class == VisualClass::TRUE_COLOR
                && masks == (0x00ff_0000, 0x0000_ff00, 0x0000_00ff)
        });
        if !is_32_bits || !is_rgb {
            return Err(X11Error::Layout { depth });
        }
        // The root's size now; the setup has that of the server's start.
        let answer = xproto::get_geometry(connection, screen.root)
            .map_err(ReplyError::from)
            .and_then(|cookie| cookie.reply());
        let geometry =
            answer.map_err(|error| request("asking for the size of the screen", error))?;
        let (width, height) = (geometry.width, geometry.height);
        let size = PanelSize::new(width, height).ok_or(X11Error::Size { width, height })?;
        Ok(Self {
            root: screen.root,
            size,
            order: setup.image_byte_order,
        })
    }
}

fn request(doing: &'static str, source: impl Into<Failure>) -> X11Error {
    X11Error::Request {
        doing,
        source: source.into().0,
    }
}

/// Any of the ways in which a request can fail.
struct Failure(Box<dyn std::error::Error + Send + Sync>);

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Self {
        Self(error.into())
    }
}

impl From<ReplyError> for Failure {
    fn from(error: ReplyError) -> Self {
        Self(error.into())
    }
}

impl From<ReplyOrIdError> for Failure {
    fn from(error: ReplyOrIdError) -> Self {
        Self(error.into())
    }
}
