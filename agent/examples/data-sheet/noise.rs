//! A screen that changes completely at every picture and cannot be compressed.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alongside::{
    Frame,
    ports::{Action, Capture, Customer, Panel, PanelError, PanelInfo},
    protocol::{PanelSize, annotation::Annotation, label::Label},
    status::Status,
};
use tokio::sync::watch;

/// Time between two pictures.
const PACE: Duration = Duration::from_millis(33);

#[derive(Debug)]
pub(crate) struct Noise {
    pictures: watch::Sender<u64>,
    seed: Mutex<u32>,
}

impl Noise {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            pictures: watch::Sender::new(0),
            seed: Mutex::new(1),
        })
    }

    /// Changes the picture for ever.
    pub(crate) async fn flicker(&self) {
        loop {
            tokio::time::sleep(PACE).await;
            self.pictures.send_modify(|n| *n += 1);
        }
    }
}

impl Panel for Noise {
    fn describe(&self) -> PanelInfo {
        PanelInfo {
            kind: Label::new("noise").unwrap(),
            size: PanelSize::new(320, 240).unwrap(),
        }
    }

    fn capture(&self) -> Result<Capture, PanelError> {
        let size = self.describe().size;
        let mut seed = self.seed.lock().unwrap();
        // Marsaglia's xorshift32 (2003).
        let pixels = (0..size.pixels()).map(|_| {
            *seed ^= *seed << 13;
            *seed ^= *seed >> 17;
            *seed ^= *seed << 5;
            *seed
        });
        let frame = Frame::new(size, pixels.collect()).unwrap();
        Ok(Arc::new(frame).into())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.pictures.subscribe()
    }

    fn annotate(&self, _annotation: &Annotation) {}

    fn inject(&self, _action: &Action) -> Result<(), PanelError> {
        Ok(())
    }
}

impl Customer for Noise {
    fn show(&self, _status: &Status) {}
}
