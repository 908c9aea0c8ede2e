//! Options that say which relay to use, and which ways lead there.

use std::{convert::Infallible, fmt, path::PathBuf, str::FromStr};

use alongside::transport::Paths;
use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use super::LogFormat;

/// Options of everything that goes to a relay.
#[derive(Args, Clone, Debug, Default)]
pub struct LinkArgs {
    /// Host name of the relay; its port is 443.
    #[arg(long, env = "ALONGSIDE_RELAY", value_name = "HOST")]
    pub relay: Option<String>,
    /// File with more settings, in TOML.
    #[arg(long, env = "ALONGSIDE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Network interface to use, such as `eth0` [default: any].
    #[arg(long, env = "ALONGSIDE_INTERFACE", value_name = "IF")]
    pub interface: Option<String>,
    /// PEM file with the certificate authority of the relay [default: those that this machine trusts].
    #[arg(long, env = "ALONGSIDE_RELAY_CA", value_name = "FILE")]
    pub relay_ca: Option<PathBuf>,
    /// SHA-256 of the relay's public key (SubjectPublicKeyInfo), 64 hexadecimal digits: trust this key alone.
    #[arg(long, env = "ALONGSIDE_RELAY_PIN", value_name = "HEX")]
    pub relay_pin: Option<String>,
    /// HTTP proxy of this network, `http://HOST:PORT` or `https://HOST:PORT`, or `none` [default: that of
    /// `HTTPS_PROXY` or `ALL_PROXY`, unless `NO_PROXY` names the relay]. A password in it is refused.
    #[arg(
        long,
        env = "ALONGSIDE_PROXY",
        value_name = "URL",
        hide_env_values = true
    )]
    pub proxy: Option<ProxyText>,
    /// File with `user:password` for the proxy, of mode 0600. A file, because arguments show in the process list.
    #[arg(long, env = "ALONGSIDE_PROXY_CREDENTIALS_FILE", value_name = "FILE")]
    pub proxy_credentials_file: Option<PathBuf>,
    /// Ways that packets may take, of direct, relay-quic, relay-tls and relay-proxy [default: all four].
    #[arg(
        long,
        env = "ALONGSIDE_PATHS",
        value_name = "WAY,...",
        value_delimiter = ','
    )]
    pub paths: Option<Vec<Way>>,
    /// Another port than 443, for tests and labs only.
    #[arg(long, env = "ALONGSIDE_DANGER_RELAY_PORT", value_name = "N")]
    pub danger_relay_port: Option<u16>,
    /// Format of the log on standard error [default: text].
    #[arg(long, env = "ALONGSIDE_LOG", value_name = "FORMAT")]
    pub log: Option<LogFormat>,
}

/// What was given for a proxy. Somebody may have put a password into it, so that it shows nowhere.
#[derive(Clone)]
pub struct ProxyText(Zeroizing<String>);

impl ProxyText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProxyText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for ProxyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyText(..)")
    }
}

impl<'de> serde::Deserialize<'de> for ProxyText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// A way that packets may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// UDP between the two machines.
    Direct,
    /// UDP through the relay.
    RelayQuic,
    /// TLS to the relay.
    RelayTls,
    /// TLS to the relay through the proxy.
    RelayProxy,
}

impl Way {
    /// These ways and no others.
    pub fn only(ways: &[Self]) -> Paths {
        Paths {
            direct: ways.contains(&Self::Direct),
            relay_quic: ways.contains(&Self::RelayQuic),
            relay_tls: ways.contains(&Self::RelayTls),
            relay_proxy: ways.contains(&Self::RelayProxy),
        }
    }
}
