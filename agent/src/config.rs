//! Settings of the agent: command line over environment over file over default.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use alongside::{
    Relay,
    protocol::{
        Serial,
        label::{LabelError, Name},
    },
    settings::SchemaError,
    transport::ProxySettingError,
};
use serde::{Deserialize, Deserializer};

use crate::{
    cli::{AssistArgs, DeviceArgs, LinkArgs, LogFormat, PanelKind, ProxyText, SharedArgs, Way},
    panel::{StopKey, mfd::Route},
    preferences::{self, Switch},
};

mod link;
mod screen;
mod settings;

pub use link::{Link, Meeting, ProxyVariables};
pub use screen::ScreenSettings;
use settings::SettingsSection;
pub use settings::{SettingsSource, SourceError};

/// Name of the file in which a device remembers that its proxy has refused the credentials.
const REFUSALS: &str = "proxy-refused";

/// Why the settings cannot be used. All are usage errors: exit code 2.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file named in the settings cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The settings file is not TOML, or has a key or value that does not exist.
    #[error("{} is not a valid settings file: line {line}: {message}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The key and what is wrong with it.
        message: String,
    },
    /// A schema of settings is not in order.
    #[error("the schema {} is not in order", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: SchemaError,
    },
    /// No relay was named anywhere.
    #[error(
        "no relay given: name its host with --relay, ALONGSIDE_RELAY or `relay = \"...\"` in the settings file; without one, `assist --listen` and `device --operator` meet at an address"
    )]
    NoRelay,
    /// A value does not fit.
    #[error("{key} = {value:?} is not valid: {why}")]
    Value {
        /// Which setting.
        key: &'static str,
        /// What was given.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// The proxy or its credentials cannot be used.
    #[error("the proxy cannot be used (its credentials go into --proxy-credentials-file)")]
    Proxy(#[from] ProxySettingError),
    /// No way is left.
    #[error(
        "`paths` leaves no way to the relay: it must name relay-quic or relay-tls, or relay-proxy where a proxy is set"
    )]
    Paths,
    /// There is no place for the state.
    #[error("no folder for the state: give one with --state, or set HOME")]
    NoState,
}

/// The file, every key optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    relay: Option<String>,
    state: Option<PathBuf>,
    interface: Option<String>,
    relay_ca: Option<PathBuf>,
    relay_pin: Option<String>,
    proxy: Option<ProxyText>,
    proxy_credentials_file: Option<PathBuf>,
    paths: Option<Vec<Way>>,
    danger_relay_port: Option<u16>,
    log: Option<LogFormat>,
    settings: Option<SettingsSection>,
    #[serde(default)]
    device: DeviceFile,
    #[serde(default)]
    assist: AssistFile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct DeviceFile {
    panel: Option<PanelKind>,
    x11_display: Option<String>,
    #[serde(default, deserialize_with = "checked")]
    serial: Option<Serial>,
    remote_assistance: Option<Switch>,
    language: Option<String>,
    text_size: Option<u8>,
    font: Option<PathBuf>,
    operator: Option<SocketAddr>,
    #[serde(default, deserialize_with = "checked")]
    stop_key: Option<StopKey>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AssistFile {
    #[serde(default, deserialize_with = "checked")]
    name: Option<Name>,
    listen: Option<SocketAddr>,
}

/// Reads a value that has a text form, so that the file's error says what is wrong with it.
fn checked<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err = LabelError>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// What device and operator have in common.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The relay, and how it is trusted; none where the two sides meet at the operator's address.
    pub relay: Relay,
    /// The network interface, where one is named.
    pub interface: Option<String>,
    /// Folder of the state.
    pub state: PathBuf,
    /// Format of the log.
    pub log: LogFormat,
}

/// Settings of `device`.
#[derive(Clone, Debug)]
pub struct DeviceSettings {
    /// What it has in common with the operator.
    pub shared: Shared,
    /// Kind of panel.
    pub panel: PanelKind,
    /// X display, where one is named.
    pub x11_display: Option<String>,
    /// The settings that it offers.
    pub settings: SettingsSource,
    /// Serial number.
    pub serial: Serial,
    /// Where the operator's side listens, if codes are tried there and at no relay.
    pub operator: Option<SocketAddr>,
    /// What the customer holds to end a session.
    pub stop_key: StopKey,
    /// The panel that the agent draws.
    pub screen: ScreenSettings,
}

/// Settings of `assist`.
#[derive(Clone, Debug)]
pub struct AssistSettings {
    /// What it has in common with the device.
    pub shared: Shared,
    /// The operator's name.
    pub name: Option<Name>,
    /// Where to listen, if no relay is asked.
    pub listen: Option<SocketAddr>,
}

/// What the process finds around itself; an argument, so that tests need no environment.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// `STATE_DIRECTORY`, set by a service manager.
    pub state_directory: Option<PathBuf>,
    /// `XDG_STATE_HOME`.
    pub xdg_state_home: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// The host's name.
    pub host_name: String,
    /// `HTTPS_PROXY` and its kin.
    pub proxy: ProxyVariables,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        let path = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Self {
            state_directory: path("STATE_DIRECTORY"),
            xdg_state_home: path("XDG_STATE_HOME"),
            home: path("HOME"),
            proxy: ProxyVariables::read(|name| std::env::var(name).ok()),
            host_name: rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned(),
        }
    }

    /// Folder of the state of `role`, where there is a home.
    pub fn state_of(&self, role: &str) -> Option<PathBuf> {
        if let Some(directory) = &self.state_directory {
            return Some(directory.join(role));
        }
        let base = self
            .xdg_state_home
            .clone()
            .or_else(|| Some(self.home.as_ref()?.join(".local/state")))?;
        Some(base.join("alongside").join(role))
    }
}

impl DeviceSettings {
    /// Joins command line, environment (which clap has read into `args`), file and defaults.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the file, key or value that is wrong.
    pub fn resolve(args: &DeviceArgs, around: &Surroundings) -> Result<Self, ConfigError> {
        let file = File::load(args.shared.link.config.as_deref())?;
        let serial = match args.serial.clone().or_else(|| file.device.serial.clone()) {
            Some(serial) => serial,
            None => Serial::new(&around.host_name).map_err(|why| ConfigError::Value {
                key: "serial",
                value: around.host_name.clone(),
                why: format!("the host's name is no serial number ({why}): give one with --serial"),
            })?,
        };
        let operator = args.operator.or(file.device.operator);
        let meeting = Meeting::at(operator);
        let state = state(&args.shared, &file, around, "device")?;
        let kept = preferences::load(&state).route;
        let shared = Shared::resolve(&args.shared, &file, around, state, (meeting, &kept))?;
        let panel = args.panel.or(file.device.panel).unwrap_or_default();
        Ok(Self {
            screen: ScreenSettings::resolve(args, &file, around, (&shared.state, meeting))?,
            shared,
            x11_display: args
                .x11_display
                .clone()
                .or_else(|| file.device.x11_display.clone()),
            settings: SettingsSource::resolve(file.settings, panel)?,
            panel,
            serial,
            operator,
            stop_key: args
                .stop_key
                .clone()
                .or(file.device.stop_key)
                .unwrap_or_default(),
        })
    }
}

/// The way to the relay that a device whose state is in `state` would take, and what of it was chosen on its panel.
///
/// # Errors
///
/// [`ConfigError`] naming the file, key or value that is wrong.
pub fn device_link(
    args: &LinkArgs,
    state: Option<&Path>,
    around: &Surroundings,
) -> Result<(Link, Route), ConfigError> {
    let file = File::load(args.config.as_deref())?;
    // Whoever has no state has chosen nothing either.
    let state = device_state(state, args.config.as_deref(), around).ok();
    let kept = state.as_deref().map(|state| preferences::load(state).route);
    let kept = kept.unwrap_or_default();
    let mut link = Link::resolve(args, &file, around, (Meeting::AtRelay, &kept))?;
    let refusals = state.map(|state| state.join(REFUSALS));
    // Where the device has met a refusal, its proxy is not asked again before the credentials change.
    if let Some(refusals) = refusals.filter(|refusals| refusals.exists()) {
        link.relay = link.relay.remembering_refusals_in(&refusals);
    }
    let counts = |named: bool, chosen: Option<String>| chosen.filter(|_| !named);
    let chosen = Route {
        relay: counts(args.relay.is_some() || file.relay.is_some(), kept.relay),
        interface: counts(
            args.interface.is_some() || file.interface.is_some(),
            kept.interface,
        ),
        proxy: counts(args.proxy.is_some() || file.proxy.is_some(), kept.proxy),
    };
    Ok((link, chosen))
}

/// Folder of a device's state, for what needs nothing else.
///
/// # Errors
///
/// [`ConfigError`] if the file cannot be used or there is no place for the state.
pub fn device_state(
    state: Option<&Path>,
    config: Option<&Path>,
    around: &Surroundings,
) -> Result<PathBuf, ConfigError> {
    let file = File::load(config)?;
    state
        .map(Path::to_owned)
        .or(file.state)
        .or_else(|| around.state_of("device"))
        .ok_or(ConfigError::NoState)
}

impl AssistSettings {
    /// Joins command line, environment (which clap has read into `args`), file and defaults.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the file, key or value that is wrong.
    pub fn resolve(args: &AssistArgs, around: &Surroundings) -> Result<Self, ConfigError> {
        let file = File::load(args.shared.link.config.as_deref())?;
        let listen = args.listen.or(file.assist.listen);
        let state = state(&args.shared, &file, around, "operator")?;
        let way = (Meeting::at(listen), &Route::default());
        Ok(Self {
            shared: Shared::resolve(&args.shared, &file, around, state, way)?,
            listen,
            name: args.name.clone().or_else(|| file.assist.name.clone()),
        })
    }
}

/// The relay that `route`, as it is chosen on the device's panel, leads to under what the command line, the
/// environment and the file lay down.
///
/// # Errors
///
/// [`ConfigError`] naming the file, key or value that is wrong.
pub fn device_relay(
    args: &SharedArgs,
    around: &Surroundings,
    route: &Route,
) -> Result<Relay, ConfigError> {
    let file = File::load(args.link.config.as_deref())?;
    let state = state(args, &file, around, "device")?;
    let way = (Meeting::AtRelay, route);
    Ok(Shared::resolve(args, &file, around, state, way)?.relay)
}

/// Folder of the state of `role`.
fn state(
    args: &SharedArgs,
    file: &File,
    around: &Surroundings,
    role: &str,
) -> Result<PathBuf, ConfigError> {
    args.state
        .clone()
        .or_else(|| file.state.clone())
        .or_else(|| around.state_of(role))
        .ok_or(ConfigError::NoState)
}

impl Shared {
    fn resolve(
        args: &SharedArgs,
        file: &File,
        around: &Surroundings,
        state: PathBuf,
        (meeting, kept): (Meeting, &Route),
    ) -> Result<Self, ConfigError> {
        let Link {
            relay,
            interface,
            log,
        } = Link::resolve(&args.link, file, around, (meeting, kept))?;
        Ok(Self {
            relay: relay.remembering_refusals_in(&state.join(REFUSALS)),
            interface,
            state,
            log,
        })
    }
}

impl File {
    fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let wrong = |error: &toml::de::Error, key: Option<String>| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or_default();
            let message = error.message().trim_end().replace('\n', ", ");
            ConfigError::File {
                path: path.to_owned(),
                line: before.matches('\n').count() + 1,
                message: match key {
                    Some(key) => format!("`{key}`: {message}"),
                    None => message,
                },
            }
        };
        let file = toml::Deserializer::parse(&text).map_err(|error| wrong(&error, None))?;
        serde_path_to_error::deserialize(file).map_err(|error| {
            // At the top is an unknown key, which the message names.
            let key = Some(error.path().to_string()).filter(|key| key != ".");
            wrong(error.inner(), key)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::LinkArgs;

    fn around() -> Surroundings {
        Surroundings {
            home: Some("/home/kim".into()),
            host_name: "printer-7".into(),
            ..Surroundings::default()
        }
    }

    fn with_file(
        text: &str,
        change: impl FnOnce(&mut DeviceArgs),
    ) -> Result<DeviceSettings, ConfigError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.toml");
        fs::write(&path, text).expect("written");
        let mut args = DeviceArgs {
            shared: SharedArgs {
                link: LinkArgs {
                    config: Some(path),
                    ..LinkArgs::default()
                },
                ..SharedArgs::default()
            },
            ..DeviceArgs::default()
        };
        change(&mut args);
        DeviceSettings::resolve(&args, &around())
    }

    #[test]
    fn command_line_wins_over_file_and_file_over_default() {
        let from_file = "relay = 'file.example'\nstate = '/var/lib/file'\n[device]\nserial = 'FILE-1'\npanel = 'x11'\n";
        let set = |args: &mut DeviceArgs| {
            args.shared.link.relay = Some("flag.example".into());
            args.serial = Some(Serial::new("FLAG-1").expect("a serial"));
        };
        type Case = (
            &'static str,
            fn(&mut DeviceArgs),
            [&'static str; 3],
            PanelKind,
        );
        let cases: [Case; 3] = [
            (
                "relay = 'file.example'",
                |_| {},
                [
                    "file.example",
                    "printer-7",
                    "/home/kim/.local/state/alongside/device",
                ],
                PanelKind::Mfd,
            ),
            (
                from_file,
                |_| {},
                ["file.example", "FILE-1", "/var/lib/file"],
                PanelKind::X11,
            ),
            (
                from_file,
                set,
                ["flag.example", "FLAG-1", "/var/lib/file"],
                PanelKind::X11,
            ),
        ];
        for (file, change, [relay, serial, state], panel) in cases {
            let settings = with_file(file, change).expect("valid");
            assert_eq!(settings.shared.relay.host(), Some(relay));
            assert_eq!(settings.serial.as_str(), serial);
            assert_eq!(settings.shared.state, Path::new(state));
            assert_eq!(settings.panel, panel);
        }
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = with_file("relay = 'a.example'\nrelya-pin = 'ff'\n", |_| {})
            .expect_err("refused")
            .to_string();
        assert!(
            error.contains("relya-pin") && error.contains("line 2"),
            "{error}"
        );
    }

    #[test]
    fn without_a_relay_the_error_says_where_to_name_one() {
        let error = with_file("", |_| {}).expect_err("refused").to_string();
        assert!(
            error.contains("--relay") && error.contains("ALONGSIDE_RELAY"),
            "{error}"
        );
    }

    #[test]
    fn an_operators_address_makes_a_relay_unnecessary() {
        let settings = with_file("[device]\noperator = '192.0.2.7:7443'", |_| {}).expect("valid");
        let at = Some("192.0.2.7:7443".parse().expect("an address"));
        assert_eq!(
            (settings.operator, settings.shared.relay.host()),
            (at, None)
        );
        let other = "[2001:db8::7]:7443".parse().ok();
        let settings = with_file("[device]\noperator = '192.0.2.7:7443'", |args| {
            args.operator = other;
        });
        assert_eq!(settings.expect("valid").operator, other);
    }

    #[test]
    fn a_hostile_name_in_the_file_is_refused_by_name() {
        let long = "x".repeat(10_000);
        let error = with_file(
            &format!("relay = 'a.example'\n[device]\nserial = '{long}'"),
            |_| {},
        )
        .expect_err("refused")
        .to_string();
        assert!(
            error.contains("line 3: `device.serial`: text of 10000 bytes") && error.len() < 200,
            "{error}"
        );
    }
}
