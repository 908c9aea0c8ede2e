//! The same program with a device in it, which waits for a code: what `weigh` compares.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "says that it is up")]

use std::{error::Error, path::Path, sync::Arc, time::Duration};

use alongside::{
    Compartment, Device, DeviceConfig, Frame, Relay, Until,
    ports::{Capture, Customer, Panel, PanelError, PanelInfo},
    protocol::{PanelSize, Serial, annotation::Annotation, label::Label},
    status::Status,
};
use tokio::sync::watch;

#[derive(Debug)]
struct Screen {
    info: PanelInfo,
    changes: watch::Sender<u64>,
}

impl Panel for Screen {
    fn describe(&self) -> PanelInfo {
        self.info.clone()
    }

    fn capture(&self) -> Result<Capture, PanelError> {
        Ok(Arc::new(Frame::black(self.info.size)).into())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn annotate(&self, _drawn: &Annotation) {}
}

impl Customer for Screen {
    fn show(&self, _status: &Status) {}
}

fn main() -> Result<(), Box<dyn Error>> {
    let state = std::env::args_os()
        .nth(1)
        .ok_or("usage: weigh_device STATE")?;
    let info = PanelInfo {
        kind: Label::new("screen")?,
        size: PanelSize::new(800, 480).ok_or("no such panel")?,
    };
    let screen = Arc::new(Screen {
        info,
        changes: watch::Sender::new(0),
    });
    let config = DeviceConfig {
        relay: Relay::new("127.0.0.1")?,
        serial: Serial::new("B7-0042")?,
        model: Label::new("Boiler B7")?,
        compartment: Compartment::open(Path::new(&state))?,
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build()?.block_on(async {
        let customer = Arc::clone(&screen);
        let (device, hand, _events) = Device::new(config, screen, customer)?;
        println!("up");
        tokio::select! {
            _ = device.run(Until::Stopped) => {}
            () = tokio::time::sleep(Duration::from_secs(3_600)) => {}
        }
        drop(hand);
        Ok(())
    })
}
