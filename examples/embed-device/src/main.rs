//! A boiler with a display of its own, which an operator can look at and draw on while its owner wants that.
//!
//! Type the code that the operator reads out, `+` to heat the boiler, and `exit` to end:
//!
//! ```sh
//! cargo run -p embed-device -- relay.example.com ./state
//! ```
//!
//! A private certificate authority goes behind that, as a PEM file. A real device draws its annotations instead of
//! printing them, wires `exit` and the stop key to its keys, and shows every status in the customer's language.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "this boiler's keys are a terminal")]

mod boiler;

use std::{env, error::Error, fs, io, path::Path, sync::Arc, thread};

use alongside::{
    Compartment, Device, DeviceConfig, Relay, Until,
    ports::PanelInfo,
    protocol::{AccessCode, PanelSize, Serial, label::Label},
};
use boiler::{Owner, Thermometer};
use tokio::sync::{mpsc, watch};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let (host, state) = args
        .next()
        .zip(args.next())
        .ok_or("usage: embed-device RELAY STATE [CA]")?;
    let mut relay = Relay::new(&host)?;
    if let Some(ca) = args.next() {
        relay = relay.with_ca(fs::read(ca)?);
    }
    if let Ok(port) = env::var("ALONGSIDE_DANGER_RELAY_PORT") {
        relay = relay.danger_with_port(port.parse()?); // for the example's own test
    }
    let config = DeviceConfig {
        relay,
        serial: Serial::new("B7-0042")?,
        model: Label::new("Boiler B7")?,
        compartment: Compartment::open(Path::new(&state))?,
    };
    let size = PanelSize::new(64, 120).ok_or("no such panel")?;
    let info = PanelInfo {
        kind: Label::new("boiler")?,
        size,
    };
    let panel = Arc::new(Thermometer {
        info,
        degrees: watch::Sender::new(20),
    });
    let (device, handle, _events) =
        Device::new(config, Arc::<Thermometer>::clone(&panel), Arc::new(Owner))?;

    let (press, mut pressed) = mpsc::channel(1);
    thread::spawn(move || {
        let lines = io::stdin().lines().map_while(Result::ok);
        lines.for_each(|line| drop(press.blocking_send(line)));
    });
    let keys = async {
        while let Some(line) = pressed.recv().await {
            match line.as_str() {
                "+" => panel.degrees.send_modify(|degrees| *degrees += 1),
                "exit" => handle.exit().await?,
                _ => match AccessCode::parse(&line) {
                    Ok(code) => handle
                        .enter_code(code)
                        .await
                        .unwrap_or_else(|why| println!("{why}")),
                    Err(why) => println!("{why}"),
                },
            }
        }
        Ok(())
    };
    tokio::select! {
        end = device.run(Until::FirstCode) => println!("end: {end:?}"),
        done = keys => return done,
    }
    Ok(())
}
