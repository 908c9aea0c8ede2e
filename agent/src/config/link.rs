//! Which relay to use, and which ways lead there.

use std::{fmt, fs, net::SocketAddr};

use alongside::{
    Relay,
    transport::{Credentials, Proxy, ProxySettingError},
};
use zeroize::Zeroizing;

use super::{ConfigError, File, Surroundings};
use crate::{
    cli::{LinkArgs, LogFormat, Way},
    panel::mfd::{NO_PROXY, Route},
};

/// Where device and operator meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// At a relay.
    AtRelay,
    /// At the operator's own address.
    Alone,
}

impl Meeting {
    /// At the operator's own address, if there is one.
    pub(super) const fn at(address: Option<SocketAddr>) -> Self {
        match address {
            Some(_) => Self::Alone,
            None => Self::AtRelay,
        }
    }
}

/// The way to the relay.
#[derive(Clone, Debug)]
pub struct Link {
    /// The relay, how it is trusted, and the ways that lead there.
    pub relay: Relay,
    /// The network interface, where one is named.
    pub interface: Option<String>,
    /// Format of the log.
    pub log: LogFormat,
}

/// What the environment says of proxies, for every program of this machine. The values show nowhere.
#[derive(Clone, Default)]
pub struct ProxyVariables(Vec<(&'static str, Zeroizing<String>)>);

impl ProxyVariables {
    /// The variables that are set, of those that `variable` looks up.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &&'static str| Some((*name, Zeroizing::new(variable(name)?)));
        Self(Proxy::VARIABLES.iter().filter_map(set).collect())
    }

    fn get(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == name)?;
        Some(value.to_string())
    }
}

impl fmt::Debug for ProxyVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Link {
    /// Joins command line, environment (which clap has read into `args`), file, what was chosen on the panel and
    /// defaults.
    pub(super) fn resolve(
        args: &LinkArgs,
        file: &File,
        around: &Surroundings,
        (meeting, kept): (Meeting, &Route),
    ) -> Result<Self, ConfigError> {
        if meeting == Meeting::Alone {
            return Ok(Self::alone(args, file));
        }
        let host = args.relay.as_ref().or(file.relay.as_ref());
        let host = host.or(kept.relay.as_ref());
        let host = host.ok_or(ConfigError::NoRelay)?;
        let mut relay = Relay::new(host).map_err(|why| ConfigError::Value {
            key: "relay",
            value: host.clone(),
            why: why.to_string(),
        })?;
        if let Some(path) = args.relay_ca.as_ref().or(file.relay_ca.as_ref()) {
            let pem = fs::read(path).map_err(|source| ConfigError::Read {
                path: path.clone(),
                source,
            })?;
            relay = relay.with_ca(pem);
        }
        if let Some(pin) = args.relay_pin.as_ref().or(file.relay_pin.as_ref()) {
            relay = relay.with_pin(pin).map_err(|why| ConfigError::Value {
                key: "relay-pin",
                value: pin.clone(),
                why: why.to_string(),
            })?;
        }
        let interface = args.interface.as_ref().or(file.interface.as_ref());
        let interface = interface.or(kept.interface.as_ref());
        if let Some(interface) = interface {
            relay = relay.with_interface(interface);
        }
        if let Some(port) = args.danger_relay_port.or(file.danger_relay_port) {
            relay = relay.danger_with_port(port);
        }
        if let Some(proxy) = proxy(args, file, &relay, &around.proxy, kept)? {
            relay = relay.with_proxy(proxy);
        }
        if let Some(ways) = args.paths.as_ref().or(file.paths.as_ref()) {
            let paths = Way::only(ways);
            let leads_there = paths.relay_quic
                || paths.relay_tls
                || (paths.relay_proxy && relay.proxy().is_some());
            if !leads_there {
                return Err(ConfigError::Paths);
            }
            relay = relay.with_paths(paths);
        }
        Ok(Self {
            relay,
            interface: interface.cloned(),
            log: args.log.or(file.log).unwrap_or_default(),
        })
    }

    /// No relay is asked, whatever is said of one.
    fn alone(args: &LinkArgs, file: &File) -> Self {
        let interface = args.interface.as_ref().or(file.interface.as_ref());
        let relay = interface.map(|interface| Relay::none().with_interface(interface));
        Self {
            relay: relay.unwrap_or_else(Relay::none),
            interface: interface.cloned(),
            log: args.log.or(file.log).unwrap_or_default(),
        }
    }
}

/// The proxy that is named here, else the one that was chosen on the panel, else the one that is named for every program
/// of this machine.
fn proxy(
    args: &LinkArgs,
    file: &File,
    relay: &Relay,
    variables: &ProxyVariables,
    kept: &Route,
) -> Result<Option<Proxy>, ConfigError> {
    let named = args.proxy.as_ref().or(file.proxy.as_ref());
    let named = named.map(|text| text.as_str());
    let proxy = match named.or(kept.proxy.as_deref()) {
        Some(NO_PROXY) => None,
        Some(url) => Some(Proxy::from_argument(url)?),
        None => relay.proxy_of_environment(|name| variables.get(name))?,
    };
    let credentials = args
        .proxy_credentials_file
        .as_deref()
        .or(file.proxy_credentials_file.as_deref());
    // Read even where no proxy needs them today: a file that others may read is told at once.
    let credentials = credentials.map(Credentials::from_file).transpose();
    let credentials = credentials.map_err(ProxySettingError::from)?;
    Ok(match (proxy, credentials) {
        (Some(proxy), Some(credentials)) => Some(proxy.with_credentials(credentials)),
        (proxy, _) => proxy,
    })
}

#[cfg(test)]
mod tests;
