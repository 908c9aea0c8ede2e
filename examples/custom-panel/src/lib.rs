//! A device whose panel is a framebuffer, with touch and keys as input events: what a Linux appliance has as `/dev/fb0`
//! and `/dev/input/event0`. Here both are plain files, so that it runs anywhere.
//!
//! The framebuffer holds rows of 32-bit pixels, `0x00RRGGBB` little-endian. Nobody tells when it changes, so the panel
//! looks a few times a second. What the operator does is appended to the other file as the kernel's input events, of
//! 24 bytes each.
//!
//! ```sh
//! cargo run -p custom-panel -- relay.example.com ./state fb0 event0 1024x600
//! ```
#![forbid(unsafe_code)]

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
    time::Duration,
};

use alongside::{
    Frame,
    ports::{Action, Capture, Panel, PanelError, PanelInfo},
    protocol::{
        PanelSize,
        annotation::Annotation,
        input::{KeyEvent, KeyMotion, PointerEvent, PointerPhase},
        label::Label,
    },
};
use tokio::sync::watch;

/// Time between two looks at a framebuffer that says nothing by itself (our choice: 10 pictures a second).
const LOOK: Duration = Duration::from_millis(100);

/// Types and codes of Linux's `input-event-codes.h`.
mod code {
    pub(crate) const EV_SYN: u16 = 0;
    pub(crate) const EV_KEY: u16 = 1;
    pub(crate) const EV_ABS: u16 = 3;
    pub(crate) const ABS_X: u16 = 0;
    pub(crate) const ABS_Y: u16 = 1;
    pub(crate) const BTN_TOUCH: u16 = 0x14a;
    pub(crate) const KEY_1: u16 = 2;
    pub(crate) const KEY_0: u16 = 11;
    pub(crate) const KEY_ENTER: u16 = 28;
}

/// A framebuffer and an input device.
#[derive(Debug)]
pub struct Framebuffer {
    size: PanelSize,
    kind: Label<16>,
    pixels: File,
    input: File,
    changes: watch::Sender<u64>,
}

impl Framebuffer {
    /// Opens both.
    ///
    /// # Errors
    ///
    /// What the system says if one of them cannot be opened.
    pub fn open(pixels: &Path, input: &Path, size: PanelSize) -> io::Result<Arc<Self>> {
        let kind = Label::new("framebuffer").map_err(io::Error::other)?;
        Ok(Arc::new(Self {
            size,
            kind,
            pixels: File::open(pixels)?,
            input: OpenOptions::new().append(true).create(true).open(input)?,
            changes: watch::Sender::new(0),
        }))
    }

    /// Looks at the clock for the framebuffer: its picture may have changed. Run it beside the device.
    pub async fn watch(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            self.changes.send_modify(|n| *n += 1);
        }
    }

    fn emit(&self, events: &[(u16, u16, i32)]) -> Result<(), PanelError> {
        let mut bytes = Vec::new();
        for (kind, code, value) in events.iter().chain(&[(code::EV_SYN, 0, 0)]) {
            // The time is the kernel's to fill in: 16 bytes.
            bytes.extend_from_slice(&[0; 16]);
            bytes.extend_from_slice(&kind.to_ne_bytes());
            bytes.extend_from_slice(&code.to_ne_bytes());
            bytes.extend_from_slice(&value.to_ne_bytes());
        }
        let written = (&self.input).write_all(&bytes);
        written.map_err(|error| PanelError::Gone(Box::new(error)))
    }

    fn point(&self, event: &PointerEvent) -> Result<(), PanelError> {
        // Positions come in sixteenths of a pixel.
        let at = [
            (code::EV_ABS, code::ABS_X, event.at.x / 16),
            (code::EV_ABS, code::ABS_Y, event.at.y / 16),
        ];
        match event.phase {
            PointerPhase::Down => self.emit(&[at[0], at[1], (code::EV_KEY, code::BTN_TOUCH, 1)]),
            PointerPhase::Move => self.emit(&at),
            PointerPhase::Up => self.emit(&[at[0], at[1], (code::EV_KEY, code::BTN_TOUCH, 0)]),
            // A touch panel does not feel a finger that hovers.
            PointerPhase::Hover | PointerPhase::Leave => Ok(()),
        }
    }

    fn press(&self, event: &KeyEvent) -> Result<(), PanelError> {
        let key = match event.key.as_str() {
            "0" => code::KEY_0,
            "Start" => code::KEY_ENTER,
            // The stop key is not among them: it speaks for the customer.
            name => match name.parse::<u16>() {
                Ok(digit @ 1..=9) if name.len() == 1 => code::KEY_1 + digit - 1,
                _ => return Err(PanelError::Unsupported),
            },
        };
        let value = i32::from(event.motion == KeyMotion::Down);
        self.emit(&[(code::EV_KEY, key, value)])
    }
}

impl Panel for Framebuffer {
    fn describe(&self) -> PanelInfo {
        PanelInfo {
            kind: self.kind.clone(),
            size: self.size,
        }
    }

    fn capture(&self) -> Result<Capture, PanelError> {
        let mut frame = Frame::black(self.size);
        let mut bytes = vec![0; frame.pixels().len() * 4];
        let read = self.pixels.read_exact_at(&mut bytes, 0);
        read.map_err(|error| PanelError::Gone(Box::new(error)))?;
        for (pixel, bytes) in frame.pixels_mut().iter_mut().zip(bytes.as_chunks::<4>().0) {
            *pixel = u32::from_le_bytes(*bytes) & 0x00ff_ffff;
        }
        Ok(Arc::new(frame).into())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// A device draws here, on a layer above its own picture.
    fn annotate(&self, _annotation: &Annotation) {}

    fn inject(&self, action: &Action) -> Result<(), PanelError> {
        match action {
            Action::Pointer(event) => self.point(event),
            Action::Key(event) => self.press(event),
            Action::Text(_) => Err(PanelError::Unsupported),
        }
    }
}
