//! Serves one session on the framebuffer; the code is typed on the terminal.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "this device's keys are a terminal")]

use std::{env, error::Error, fs, io, path::Path, sync::Arc};

use alongside::{
    Compartment, Device, DeviceConfig, Relay, Until,
    ports::Customer,
    protocol::{AccessCode, PanelSize, Serial, label::Label},
    status::Status,
};
use custom_panel::Framebuffer;

/// Reads what is printed.
#[derive(Debug)]
struct Owner;

impl Customer for Owner {
    fn show(&self, status: &Status) {
        println!("status: {status:?}");
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [host, state, pixels, input, size, ca @ ..] = &args[..] else {
        return Err("usage: custom-panel RELAY STATE FRAMEBUFFER INPUT WIDTHxHEIGHT [CA]".into());
    };
    let mut relay = Relay::new(host)?;
    if let [ca] = ca {
        relay = relay.with_ca(fs::read(ca)?);
    }
    let (width, height) = size.split_once('x').ok_or("the size is WIDTHxHEIGHT")?;
    let size = PanelSize::new(width.parse()?, height.parse()?).ok_or("no panel has that size")?;
    let panel = Framebuffer::open(Path::new(pixels), Path::new(input), size)?;
    let config = DeviceConfig {
        relay,
        serial: Serial::new("FB-0001")?,
        model: Label::new("Framebuffer device")?,
        compartment: Compartment::open(Path::new(state))?,
    };
    let (device, handle, _events) =
        Device::new(config, Arc::<Framebuffer>::clone(&panel), Arc::new(Owner))?;
    println!("Type the code that the operator reads out:");
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    handle.enter_code(AccessCode::parse(line.trim())?).await?;
    tokio::select! {
        end = device.run(Until::FirstCode) => println!("end: {end:?}"),
        () = panel.watch() => {}
    }
    Ok(())
}
