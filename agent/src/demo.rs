//! `alongside-agent demo`: relay, device and operator in one process, and the two pages to open.

use std::{fs, io, net::Ipv4Addr, path::Path, sync::Arc};

use alongside::{
    Compartment, CompartmentError, Device, DeviceConfig, Operator, OperatorConfig, Relay, Until,
    admin_id::{AdminIdError, AdminIdStore},
    operator,
    ports::{AdminId, Panel as _},
    protocol::{PublicKey, Serial, label::Label},
    settings::{DeskError, Settings as _},
};
use alongside_relay::{Config, Running, Socket, StateDir};

use crate::{
    api::Event,
    assist::{self, commands::Desk},
    cli::DemoArgs,
    config::Surroundings,
    device::{self, commands::Front, upkeep::DeviceUpkeep},
    exit::{Exit, chain},
    fan::Fan,
    mode::places::{PlaceError, Places},
    pages,
    panel::mfd::{Facts, Field, MfdPanel, Route},
    settings::mfd::{MfdError, MfdSettings},
    signal,
};

/// Why the demo did not come up.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("no folder for the demo's keys can be made")]
    Folder(#[source] io::Error),
    #[error("the relay's state cannot be made")]
    State(#[from] alongside_relay::state::StateError),
    #[error("the relay does not start")]
    Relay(#[from] alongside_relay::StartError),
    #[error("the relay has no certificate authority to trust")]
    NoCa,
    #[error(transparent)]
    Compartment(#[from] CompartmentError),
    #[error(transparent)]
    Page(#[from] pages::page::PageError),
    #[error(transparent)]
    Modes(#[from] PlaceError),
    #[error(transparent)]
    AdminId(#[from] AdminIdError),
    #[error(transparent)]
    Mfd(#[from] MfdError),
    #[error(transparent)]
    Desk(#[from] DeskError),
    #[error("the demo's own settings are wrong: {0}")]
    Settings(String),
}

/// The system administrator's ID of the demo's printer: one that everybody may know.
const DEMO_ID: &str = "72941086";

/// Runs the demo until Ctrl-C.
pub async fn run(args: DemoArgs) -> Exit {
    match stage(&args).await {
        Ok(()) => Exit::Done,
        Err(error) => {
            eprintln!("alongside-agent: {}", chain(&error));
            Exit::Failed
        }
    }
}

async fn stage(args: &DemoArgs) -> Result<(), DemoError> {
    let folder = tempfile::tempdir().map_err(DemoError::Folder)?;
    let compartment = Compartment::open(&folder.path().join("operator"))?;
    let identity = compartment.identity()?;
    let (relay, way) = start_relay(&folder.path().join("relay"), identity.public_key())?;

    let config = OperatorConfig {
        relay: way.clone(),
        identity,
        name: None,
    };
    let audit = compartment.audit(Arc::clone(&config.identity));
    let (operator, handle, operator_events) = Operator::new(config);
    let modes = Places::resolve(&args.modes, &Surroundings::of_process())?.modes();
    let operator = operator
        .with_audit(Arc::new(audit))
        .with_modes(modes.clone());
    let operator_told = Fan::default();
    let desk = Desk::new(handle, operator_told.clone());
    let console = pages::operator::start(desk.clone(), operator_told.clone()).await?;

    let kept = folder.path().join("device");
    let compartment = Compartment::open(&kept)?;
    let store = AdminIdStore::open_to_set(&compartment);
    store.set(DEMO_ID)?;
    let admin_id: Arc<dyn AdminId> = Arc::new(store);
    let settings = Arc::new(MfdSettings::open(&kept)?);
    let relay_of_demo = way.clone();
    let upkeep = DeviceUpkeep::new(kept, Some(settings.schema()), move |_| {
        Ok(relay_of_demo.clone())
    });
    let panel = MfdPanel::new()
        .behind(Arc::clone(&admin_id))
        .kept_by(Arc::new(upkeep), Route::default());
    panel.set_facts(Facts {
        route: Route {
            relay: way.host().map(str::to_owned),
            ..Route::default()
        },
        // The relay of the demo is the only one that it can go to.
        fixed: vec![Field::Relay, Field::Interface, Field::Proxy],
        can_test: true,
        ..Facts::default()
    });
    let serial =
        Serial::new("DEMO-0001").map_err(|error| DemoError::Settings(error.to_string()))?;
    let config = DeviceConfig {
        relay: way,
        serial: serial.clone(),
        model: Label::new("Alongside MFD 7")
            .map_err(|error| DemoError::Settings(error.to_string()))?,
        compartment,
    };
    let (device, hand, device_events) =
        Device::new(config, Arc::new(panel.clone()), Arc::new(panel.clone()))?;
    let device = device.with_admin_id(admin_id).with_modes(modes);
    let device = device.with_settings(settings)?;
    let device_told = Fan::default();
    let front =
        Front::new(hand.clone(), Arc::new(panel.clone()), Some(panel.clone())).for_customers();
    let front_panel = pages::device::start(front, panel.clone(), device_told.clone()).await?;
    device_told.send(device::ready(&serial, panel.describe()));

    announce(args.json, console.url(), front_panel.url());

    let sides = async {
        tokio::join!(
            assist::drive(
                operator,
                operator_events,
                &operator_told,
                operator::Until::Stopped,
                None
            ),
            device::drive(device, device_events, &device_told, Until::Stopped),
        )
    };
    let stop = async {
        signal::terminated().await;
        // Both are asked; whichever is gone already needs no asking.
        let _ = hand.stop().await;
        let _ = desk.handle().end().await;
        let _ = desk.handle().end().await;
    };
    let console_anew = console.told_anew(|url| announce_anew(args.json, Some(url), None));
    let front_panel_anew = front_panel.told_anew(|url| announce_anew(args.json, None, Some(url)));
    tokio::select! {
        _ = async { tokio::join!(sides, stop) } => {}
        () = panel.serve(&hand) => {}
        never = console_anew => match never {},
        never = front_panel_anew => match never {},
    }
    relay.shutdown().await;
    Ok(())
}

/// A relay on a free port of this machine that knows the demo's operator.
fn start_relay(folder: &Path, operator: PublicKey) -> Result<(Running, Relay), DemoError> {
    let state = StateDir::open(folder)?;
    let table = format!(
        "[operators.{operator}]\nname = \"Dana Reyes\"\norganisation = \"Example Support\"\n"
    );
    fs::write(folder.join("operators.toml"), table).map_err(DemoError::Folder)?;
    let mut config = Config::default();
    config.listen = Some(Ipv4Addr::LOCALHOST.into());
    config.danger_port = Some(0);
    config.name = Label::new("the demo's relay").ok();
    let running = alongside_relay::Relay::start(&config, state, Socket::Bind)?;
    let ca = fs::read(running.ca().ok_or(DemoError::NoCa)?).map_err(DemoError::Folder)?;
    let way = Relay::new("127.0.0.1").map_err(|error| DemoError::Settings(error.to_string()))?;
    let way = way.with_ca(ca).danger_with_port(running.udp().port());
    Ok((running, way))
}

/// Says which pages to open, and what to do there.
#[expect(
    clippy::print_stdout,
    reason = "the addresses are what a person starts this for"
)]
fn announce(json: bool, operator: &str, device: &str) {
    if json {
        let pages = Event::Pages {
            operator: Some(operator.to_owned()),
            device: Some(device.to_owned()),
        };
        println!("{}", pages.line(alongside::unix_ms()));
        return;
    }
    println!(
        "A relay, a printer and an operator run on this machine. Open both pages, side by side:"
    );
    println!();
    println!("  the printer's front panel   {device}");
    println!("  the operator's console      {operator}");
    println!();
    println!("1. In the console, press \"Get a code\".");
    println!(
        "2. On the printer, touch Remote Assistance and type the code that the console shows."
    );
    println!(
        "3. Point and draw in the console; it shows on the printer. EXIT there, or # held for 5 s, ends it."
    );
    println!();
    println!(
        "The system administrator's ID of this printer is {DEMO_ID}: operator control asks for it."
    );
    println!();
    println!(
        "Each address opens once, in one browser; a page that you close gets a new one here. Ctrl-C stops the demo."
    );
}

/// Says where a page is now that nobody has it open.
#[expect(
    clippy::print_stdout,
    reason = "the addresses are what a person starts this for"
)]
fn announce_anew(json: bool, operator: Option<&str>, device: Option<&str>) {
    if json {
        let pages = Event::Pages {
            operator: operator.map(str::to_owned),
            device: device.map(str::to_owned),
        };
        println!("{}", pages.line(alongside::unix_ms()));
        return;
    }
    if let Some(url) = operator {
        println!("No window shows the operator's console. Open it again: {url}");
    }
    if let Some(url) = device {
        println!("No window shows the printer's front panel. Open it again: {url}");
    }
}
