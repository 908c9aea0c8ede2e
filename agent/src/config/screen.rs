//! How the panel that the agent draws begins, and what of it is laid down outside the panel.

use std::{fs, path::Path};

use super::{ConfigError, File, Link, Meeting, Surroundings};
use crate::{
    cli::{DeviceArgs, LinkArgs},
    panel::mfd::{Allowed, Facts, Field, Preferences, Route, Scale},
    preferences,
    text::Locale,
};

/// How the panel that the agent draws begins.
#[derive(Clone, Debug)]
pub struct ScreenSettings {
    /// What the panel's own settings page can change.
    pub preferences: Preferences,
    /// The way to the service as it was chosen there.
    pub route: Route,
    /// What that page shows besides.
    pub facts: Facts,
    /// Bytes of a font of the device's own.
    pub font: Option<Vec<u8>>,
}

impl ScreenSettings {
    pub(super) fn resolve(
        args: &DeviceArgs,
        file: &File,
        around: &Surroundings,
        (state, meeting): (&Path, Meeting),
    ) -> Result<Self, ConfigError> {
        let kept = preferences::load(state);
        let device = &file.device;
        let refused = |key, value: String, why: &str| ConfigError::Value {
            key,
            value,
            why: why.to_owned(),
        };
        let in_file = |tag: &String| {
            Locale::from_tag(tag).ok_or_else(|| {
                refused("language", tag.clone(), "the panel speaks en, de and zh-TW")
            })
        };
        let locale = match (args.language, &device.language) {
            (Some(locale), _) => locale,
            (None, Some(tag)) => in_file(tag)?,
            (None, None) => kept.preferences.locale,
        };
        let scale = match (args.text_size, device.text_size) {
            (Some(scale), _) => scale,
            (None, Some(percent)) => Scale::from_percent(percent)
                .ok_or_else(|| refused("text-size", percent.to_string(), "100, 150 or 200"))?,
            (None, None) => kept.preferences.scale,
        };
        let font = args.font.as_ref().or(device.font.as_ref()).map(|path| {
            fs::read(path).map_err(|source| ConfigError::Read {
                path: path.clone(),
                source,
            })
        });
        let allowed = args.remote_assistance.or(device.remote_assistance);
        Ok(Self {
            preferences: Preferences {
                allowed: allowed.map_or(kept.preferences.allowed, Allowed::from),
                locale,
                scale,
            },
            facts: Facts {
                fixed: fixed(args, file, meeting),
                can_test: meeting == Meeting::AtRelay,
                ..facts(&args.shared.link, file, around, (meeting, &kept.route))?
            },
            route: kept.route,
            font: font.transpose()?,
        })
    }
}

/// What the command line, the environment or the file lays down.
fn fixed(args: &DeviceArgs, file: &File, meeting: Meeting) -> Vec<Field> {
    // Without a relay there is no way to choose.
    let is_alone = meeting == Meeting::Alone;
    let (device, link) = (&file.device, &args.shared.link);
    let laid_down = [
        (
            Field::Allowed,
            args.remote_assistance.is_some() || device.remote_assistance.is_some(),
        ),
        (
            Field::Language,
            args.language.is_some() || device.language.is_some(),
        ),
        (
            Field::TextSize,
            args.text_size.is_some() || device.text_size.is_some(),
        ),
        (
            Field::Relay,
            is_alone || link.relay.is_some() || file.relay.is_some(),
        ),
        (
            Field::Interface,
            is_alone || link.interface.is_some() || file.interface.is_some(),
        ),
        (
            Field::Proxy,
            is_alone || link.proxy.is_some() || file.proxy.is_some(),
        ),
    ];
    let laid_down = laid_down.into_iter().filter(|(_, is_fixed)| *is_fixed);
    laid_down.map(|(field, _)| field).collect()
}

/// The way to the service where the panel chooses none of it but the relay.
fn facts(
    args: &LinkArgs,
    file: &File,
    around: &Surroundings,
    (meeting, kept): (Meeting, &Route),
) -> Result<Facts, ConfigError> {
    let route = Route {
        relay: kept.relay.clone(),
        ..Route::default()
    };
    let link = Link::resolve(args, file, around, (meeting, &route))?;
    let credentials = args
        .proxy_credentials_file
        .as_ref()
        .or(file.proxy_credentials_file.as_ref());
    Ok(Facts {
        route: Route {
            relay: link.relay.host().map(str::to_owned),
            interface: link.interface,
            proxy: link.relay.proxy().map(ToString::to_string),
        },
        has_credentials: credentials.is_some(),
        ..Facts::default()
    })
}
