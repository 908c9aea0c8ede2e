//! What the maker of the boiler brings: its display, and what its owner is shown.
#![expect(clippy::print_stdout, reason = "this owner looks at a terminal")]

use std::sync::Arc;

use alongside::{
    Frame,
    ports::{Capture, Customer, Panel, PanelError, PanelInfo},
    protocol::annotation::Annotation,
    status::Status,
};
use tokio::sync::watch;

/// A column of mercury, one pixel for each degree.
#[derive(Debug)]
pub(crate) struct Thermometer {
    pub(crate) info: PanelInfo,
    pub(crate) degrees: watch::Sender<u64>,
}

impl Panel for Thermometer {
    fn describe(&self) -> PanelInfo {
        self.info.clone()
    }

    fn capture(&self) -> Result<Capture, PanelError> {
        let (width, degrees) = (usize::from(self.info.size.width()), *self.degrees.borrow());
        let mut frame = Frame::black(self.info.size);
        for (row, pixels) in (0..).zip(frame.pixels_mut().chunks_mut(width).rev()) {
            pixels.fill(if row < degrees {
                0x00c0_2020
            } else {
                0x00f0_f0f0
            });
        }
        Ok(Arc::new(frame).into())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.degrees.subscribe()
    }

    fn annotate(&self, annotation: &Annotation) {
        println!("drawn: {annotation:?}");
    }
}

/// The boiler's owner reads what is printed.
#[derive(Debug)]
pub(crate) struct Owner;

impl Customer for Owner {
    fn show(&self, status: &Status) {
        println!("status: {status:?}");
    }
}
