//! `alongside-agent device`: the device's side.

use std::{
    fs,
    io::{self, BufRead as _, Read as _, Write as _},
    path::Path,
    sync::Arc,
};

use alongside::{
    Claim, Compartment, CompartmentError, Device, DeviceConfig, DeviceEnd, DeviceHandle, Until,
    admin_id::{AdminIdError, AdminIdStore},
    device::DeviceEvents,
    ports::{AdminId, Customer, Panel, PanelInfo},
    protocol::{
        AccessCode, Serial,
        code::CodeError,
        label::Label,
        reason::{EndReason, Party},
    },
    settings::Settings,
};
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::{
    api::{Event, Failure, event},
    cli::{DeviceArgs, PanelKind},
    config::{self, DeviceSettings, Surroundings},
    exit::{Exit, chain, fail},
    fan::Fan,
    mode::places::Places,
    pages,
    panel::{
        self, StopKey,
        mfd::{HardKey, MfdPanel, Preferences, Route},
        x11::X11Panel,
    },
    policy::SleepPolicy,
    preferences, signal, stdio,
};

pub mod commands;
pub mod refusal;
pub mod upkeep;

use commands::Front;
use upkeep::DeviceUpkeep;

/// Runs the device's side as the command line asks.
pub async fn run(args: DeviceArgs) -> Exit {
    let settings = match DeviceSettings::resolve(&args, &Surroundings::of_process()) {
        Ok(settings) => settings,
        Err(error) => return fail(Exit::Usage, &chain(&error)),
    };
    let code = match args.code_file.as_deref().map(read_code) {
        None => None,
        Some(Ok(code)) => Some(code),
        Some(Err(NoCode::Unread(message))) => return fail(Exit::Usage, &message),
        Some(Err(NoCode::Malformed(error))) => {
            let failure = Failure::from(error);
            let exit = fail(Exit::WrongCode, &failure.message);
            if args.stdio {
                write_lines(&[failure.into(), NO_SESSION]);
            }
            return exit;
        }
    };
    let _claim = match claim(&settings.shared.state) {
        Ok(claim) => claim,
        Err(error) => return fail(Exit::Failed, &chain(&error)),
    };
    let admin_id = match administrator(&settings) {
        Ok(admin_id) => admin_id,
        Err(error) => return fail(Exit::Failed, &chain(&error)),
    };
    let offered = match settings.settings.open(&settings.shared.state) {
        Ok(offered) => offered,
        Err(error) => return fail(Exit::Usage, &chain(&error)),
    };
    let shared = args.shared.clone();
    let upkeep = DeviceUpkeep::new(
        settings.shared.state.clone(),
        offered.as_ref().map(|offered| offered.schema()),
        move |route| config::device_relay(&shared, &Surroundings::of_process(), route),
    );
    let upkeep = Arc::new(upkeep);
    let screen = match Screen::open(&settings, Arc::clone(&admin_id), Arc::clone(&upkeep)) {
        Ok(screen) => screen,
        Err(message) => return fail(Exit::Failed, &message),
    };
    let modes = match Places::resolve(&args.shared.modes, &Surroundings::of_process()) {
        Ok(places) => places.modes(),
        Err(error) => return fail(Exit::Usage, &chain(&error)),
    };
    let built = Compartment::open(&settings.shared.state).and_then(|compartment| {
        let config = DeviceConfig {
            relay: settings.shared.relay.clone(),
            serial: settings.serial.clone(),
            model: screen.model(),
            compartment,
        };
        Device::new(config, screen.panel(), screen.customer())
    });
    let (device, handle, events) = match built {
        Ok((device, handle, events)) => {
            let device = device.with_admin_id(admin_id).with_modes(modes);
            let device = match settings.operator {
                Some(operator) => device.calling(operator),
                None => device,
            };
            (device, handle, events)
        }
        Err(error) => return fail(Exit::Failed, &chain(&error)),
    };
    let device = match offer(device, offered, &settings.shared.state) {
        Ok(device) => device,
        Err(exit) => return exit,
    };
    let fan = Fan::default();
    let front = Front::new(handle.clone(), screen.panel(), screen.hand())
        .stopped_by(settings.stop_key.clone());
    let wants_page = !args.stdio && screen.hand().is_some();
    let page = match (wants_page, screen.hand()) {
        (true, Some(mfd)) => {
            match pages::device::start(front.clone().for_customers(), mfd, fan.clone()).await {
                Ok(page) => Some(page),
                Err(error) => return fail(Exit::Failed, &chain(&error)),
            }
        }
        _ => None,
    };
    match &page {
        Some(page) => announce(page.url()),
        None if !args.stdio => announce_screen(),
        None => {}
    }
    let spoken = args.stdio.then(|| fan.subscribe());
    fan.send(ready(&settings.serial, screen.panel().describe()));
    let until = if code.is_some() {
        Until::FirstCode
    } else {
        Until::Stopped
    };
    let side = async {
        let exit = drive(device, events, &fan, until).await;
        fan.close();
        exit
    };
    let hands = async {
        let keep = preferences::keep(
            screen.preferences(),
            screen.route(),
            &settings.screen.facts,
            &settings.shared.state,
            |is_kept| screen.set_kept(is_kept),
        );
        tokio::select! {
            () = screen.serve(&handle) => {}
            () = keep => {}
            () = take_route(screen.route(), &upkeep, &handle) => {}
        }
        std::future::pending::<()>().await;
    };
    let enter = async {
        if let Some(code) = code {
            // What came of it is told as an event, and by the exit code.
            let _ = handle.enter_code(code).await;
        }
    };
    let talk = async {
        let Some(spoken) = spoken else { return Ok(()) };
        let at_eof = async {
            // The customer leaves the session, if there is one; nobody is left to enter another code.
            let _ = handle.exit().await;
            let _ = handle.stop().await;
        };
        stdio::serve(
            &front,
            tokio::io::stdin(),
            tokio::io::stdout(),
            stdio::unread(io::stdout()),
            spoken,
            at_eof,
        )
        .await
    };
    let stop = async {
        signal::terminated().await;
        let _ = handle.stop().await;
        std::future::pending::<()>().await;
    };
    let reopened = async {
        match &page {
            Some(page) => page.told_anew(announce).await,
            None => std::future::pending().await,
        }
    };
    let (exit, talked, ()) = tokio::select! {
        done = async { tokio::join!(side, talk, enter) } => done,
        never = reopened => match never {},
        // These live as long as the device.
        ((), ()) = async { tokio::join!(hands, stop) } => return Exit::Failed,
    };
    if let Some(page) = page {
        page.finish().await;
    }
    match talked {
        Ok(()) => exit,
        Err(error) => fail(
            Exit::Failed,
            &format!("standard output cannot be written: {error}"),
        ),
    }
}

/// Makes `device` ask the relay that is chosen on its panel, whenever that changes.
async fn take_route(
    mut route: watch::Receiver<Route>,
    upkeep: &DeviceUpkeep,
    device: &DeviceHandle,
) {
    while route.changed().await.is_ok() {
        let now = route.borrow_and_update().clone();
        match upkeep.relay(&now) {
            Ok(relay) => device.use_relay(relay),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the way that was chosen cannot be used");
            }
        }
    }
    std::future::pending().await
}

/// The device with the settings that it offers, and with what its owner lets operators do in sleep.
fn offer(device: Device, offered: Option<Arc<dyn Settings>>, state: &Path) -> Result<Device, Exit> {
    let policy = SleepPolicy::new(state);
    // What is wrong with it is said before anybody relies on it.
    if let Err(error) = policy.load() {
        return Err(fail(Exit::Usage, &chain(&error)));
    }
    let device = device.with_policy(Arc::new(policy));
    match offered {
        None => Ok(device),
        Some(offered) => device
            .with_settings(offered)
            .map_err(|error| fail(Exit::Failed, &chain(&error))),
    }
}

/// The folder, for this process alone.
fn claim(state: &Path) -> Result<Claim, CompartmentError> {
    Compartment::open(state)?.claim()
}

/// The check of the system administrator's ID; until one is set it refuses what wants it.
fn administrator(settings: &DeviceSettings) -> Result<Arc<dyn AdminId>, AdminIdError> {
    let store = AdminIdStore::open(&Compartment::open(&settings.shared.state)?)?;
    Ok(Arc::new(store))
}

/// Runs the device and tells what happens.
pub async fn drive(
    device: Device,
    mut events: DeviceEvents,
    fan: &Fan<Event>,
    until: Until,
) -> Exit {
    let tell = async {
        while let Some(event) = events.recv().await {
            if let Some(event) = commands::told(event) {
                fan.send(event);
            }
        }
    };
    let (end, ()) = tokio::join!(device.run(until), tell);
    match end {
        DeviceEnd::Refused(refusal) => {
            let failure = refusal::failure(&refusal);
            fail(refusal::exit(&refusal), &failure.message);
            if !refusal::comes_after_the_claim(&refusal) {
                fan.send(failure.into());
            }
            fan.send(NO_SESSION);
            refusal::exit(&refusal)
        }
        DeviceEnd::Session { .. } | DeviceEnd::Stopped | _ => Exit::Done,
    }
}

/// What a device that was started for one code says last when the code led to no session.
const NO_SESSION: Event = Event::Ended {
    by: Party::Device,
    reason: EndReason::CodeNotProved,
};

/// What a device says first.
pub fn ready(serial: &Serial, info: PanelInfo) -> Event {
    let panel = Some(event::PanelCard::new(info.kind, info.size));
    Event::Ready(event::Ready {
        role: event::Role::Device,
        serial: Some(serial.clone()),
        panel,
        listens: None,
    })
}

/// Why there is no code in `--code-file`.
enum NoCode {
    /// It cannot be read, as a sentence.
    Unread(String),
    /// What is in it is no code.
    Malformed(CodeError),
}

/// The code of `--code-file`; never an argument, as those show in the process list.
fn read_code(path: &Path) -> Result<AccessCode, NoCode> {
    /// Far more than a code with any spacing.
    const MOST: u64 = 256;
    let mut text = Zeroizing::new(String::with_capacity(256));
    let read = if path == Path::new("-") {
        // One line: a person presses Enter after the code, and a program's commands follow it.
        io::stdin().lock().take(MOST).read_line(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(MOST).read_to_string(&mut text))
    };
    read.map_err(|error| {
        NoCode::Unread(format!(
            "cannot read the code from {}: {error}",
            path.display()
        ))
    })?;
    AccessCode::parse(&text).map_err(NoCode::Malformed)
}

/// Tells events before anything runs that could.
fn write_lines(events: &[Event]) {
    let now = alongside::unix_ms();
    for event in events {
        // Nobody who reads it is no reason to end otherwise.
        let _ = writeln!(io::stdout(), "{}", event.line(now));
    }
}

/// The panel that was asked for.
enum Screen {
    Mfd(MfdPanel),
    X11(Arc<X11Panel>),
}

impl Screen {
    fn open(
        settings: &DeviceSettings,
        admin_id: Arc<dyn AdminId>,
        upkeep: Arc<DeviceUpkeep>,
    ) -> Result<Self, String> {
        let screen = &settings.screen;
        let stop = &settings.stop_key;
        if let Some(font) = &screen.font {
            panel::mfd::use_font(font.clone())
                .map_err(|error| format!("the font cannot be used: {error}"))?;
        }
        let (facts, route) = (screen.facts.clone(), screen.route.clone());
        match settings.panel {
            PanelKind::Mfd => {
                if let StopKey::Key(key) = stop
                    && HardKey::from_name(key).is_none()
                {
                    return Err(format!(
                        "the panel has no key `{stop}` to hold against a session: name another with --stop-key"
                    ));
                }
                let mfd = MfdPanel::with_preferences(screen.preferences)
                    .behind(admin_id)
                    .kept_by(upkeep, route)
                    .stopped_by(stop.clone());
                mfd.set_facts(facts);
                Ok(Self::Mfd(mfd))
            }
            PanelKind::X11 => {
                let display = settings.x11_display.as_deref();
                let x11 = X11Panel::open_with(display, screen.preferences, stop)
                    .map_err(|error| chain(&error))?
                    .behind(admin_id)
                    .kept_by(upkeep, route);
                x11.set_facts(facts);
                Ok(Self::X11(Arc::new(x11)))
            }
        }
    }

    /// Shows the customer what there is to see, and tells `device` what they do.
    async fn serve(&self, device: &DeviceHandle) {
        match self {
            Self::Mfd(mfd) => mfd.serve(device).await,
            Self::X11(x11) => x11.serve(device).await,
        }
    }

    fn preferences(&self) -> watch::Receiver<Preferences> {
        match self {
            Self::Mfd(mfd) => mfd.preferences(),
            Self::X11(x11) => x11.preferences(),
        }
    }

    fn route(&self) -> watch::Receiver<Route> {
        match self {
            Self::Mfd(mfd) => mfd.route(),
            Self::X11(x11) => x11.route(),
        }
    }

    fn set_kept(&self, is_kept: bool) {
        match self {
            Self::Mfd(mfd) => mfd.set_kept(is_kept),
            Self::X11(x11) => x11.set_kept(is_kept),
        }
    }

    fn panel(&self) -> Arc<dyn Panel> {
        match self {
            Self::Mfd(mfd) => Arc::new(mfd.clone()),
            Self::X11(x11) => Arc::clone(x11) as Arc<dyn Panel>,
        }
    }

    fn customer(&self) -> Arc<dyn Customer> {
        match self {
            Self::Mfd(mfd) => Arc::new(mfd.clone()),
            Self::X11(x11) => Arc::clone(x11) as Arc<dyn Customer>,
        }
    }

    fn hand(&self) -> Option<MfdPanel> {
        match self {
            Self::Mfd(mfd) => Some(mfd.clone()),
            Self::X11(_) => None,
        }
    }

    fn model(&self) -> Label<64> {
        let model = match self {
            Self::Mfd(_) => "Alongside MFD 7",
            Self::X11(_) => "X11 screen",
        };
        #[expect(clippy::expect_used, reason = "both are short and plain")]
        Label::new(model).expect("a label")
    }
}

/// Prints where the page is.
fn announce(url: &str) {
    // Nobody who reads it is no reason to stop.
    let _ = writeln!(io::stdout(), "Open the front panel: {url}");
}

/// Says that the panel is up, where it has no page.
fn announce_screen() {
    let _ = writeln!(
        io::stdout(),
        "The panel is the X screen: touch the icon in its corner for Remote Assistance. Ctrl-C stops the device."
    );
}
