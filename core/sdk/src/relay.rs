//! Which relay to use, and how to know that it is the right one.

use std::{path::Path, sync::Arc};

use alongside_protocol::{ids::hex_to_bytes, relay::Role};
use alongside_transport::{
    ConnectError, Identity, Leg, LegConfig, LegEvents, Paths, Proxy, ProxySettingError,
    RelayAddress, Trust,
    leg::network::{Network, SystemNetwork, announces_proxy},
};

/// A relay: its host, how its certificate is trusted, and the interface that leads to it.
///
/// The port is 443 and no other.
#[derive(Clone, Debug)]
pub struct Relay {
    address: Option<RelayAddress>,
    trust: Trust,
    interface: Option<String>,
    paths: Paths,
    proxy: Option<Proxy>,
    /// Another network than this machine's.
    network: Option<Arc<dyn Network>>,
}

/// Why this is no relay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The host is empty, or has a character that no host name or address has.
    #[error("not a host name or an IP address: give the host alone, without scheme, port or path")]
    Host,
    /// The pin is not 64 hexadecimal digits.
    #[error("a pin is the SHA-256 of the relay's public key, 64 hexadecimal digits")]
    Pin,
}

impl Relay {
    /// A relay whose certificate this machine trusts.
    ///
    /// # Errors
    ///
    /// [`RelayError::Host`] unless `host` is a host name or an IP address.
    pub fn new(host: &str) -> Result<Self, RelayError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        let is_name = !host.is_empty() && host.len() <= 253 && host.bytes().all(plain);
        if !is_name && host.parse::<std::net::IpAddr>().is_err() {
            return Err(RelayError::Host);
        }
        Ok(Self {
            address: Some(RelayAddress::new(host)),
            ..Self::none()
        })
    }

    /// No relay: the operator [listens](crate::Operator::listening_on) and the device [calls](crate::Device::calling),
    /// or both bring a connection of their own. [`Relay::connect`] fails.
    pub const fn none() -> Self {
        Self {
            address: None,
            trust: Trust::Platform,
            interface: None,
            paths: Paths {
                direct: true,
                relay_quic: true,
                relay_tls: true,
                relay_proxy: true,
            },
            proxy: None,
            network: None,
        }
    }

    /// Trusts the certificate authorities of this PEM file, and no others.
    #[must_use]
    pub fn with_ca(mut self, pem: Vec<u8>) -> Self {
        self.trust = Trust::CaFile(pem);
        self
    }

    /// Trusts the one key whose SubjectPublicKeyInfo has this SHA-256.
    ///
    /// # Errors
    ///
    /// [`RelayError::Pin`] unless `hex` is 64 hexadecimal digits.
    pub fn with_pin(mut self, hex: &str) -> Result<Self, RelayError> {
        self.trust = Trust::Pin(hex_to_bytes(hex).ok_or(RelayError::Pin)?);
        Ok(self)
    }

    /// Uses this network interface alone, such as `eth0`.
    #[must_use]
    pub fn with_interface(mut self, interface: &str) -> Self {
        self.interface = Some(interface.to_owned());
        self
    }

    /// Allows these ways and no others, where all are allowed by default.
    #[must_use]
    pub const fn with_paths(mut self, paths: Paths) -> Self {
        self.paths = paths;
        self
    }

    /// Goes through this proxy where packets do not get out by themselves; straight and by UDP it is tried as well,
    /// unless [`with_paths`](Self::with_paths) forbids that.
    #[must_use]
    pub fn with_proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Remembers in `file` that the proxy has refused the credentials, so that no restart sends them once more before
    /// their own file has changed: accounts lock. Nothing of the credentials is written there.
    #[must_use]
    pub fn remembering_refusals_in(mut self, file: &Path) -> Self {
        self.proxy = (self.proxy).map(|proxy| proxy.remembering_refusals_in(file));
        self
    }

    /// The proxy that the environment names for this relay (`HTTPS_PROXY`, `ALL_PROXY`, unless `NO_PROXY` covers it).
    /// `variable` looks a variable up.
    ///
    /// # Errors
    ///
    /// [`ProxySettingError`], which never shows the variable's value.
    pub fn proxy_of_environment(
        &self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Proxy>, ProxySettingError> {
        match &self.address {
            Some(address) => Proxy::from_environment(address, variable),
            None => Ok(None),
        }
    }

    /// Uses another network than this machine's: a simulated one, or a stack of the embedder's own.
    #[must_use]
    pub fn over(mut self, network: Arc<dyn Network>) -> Self {
        self.network = Some(network);
        self
    }

    /// Uses another port, for tests and labs.
    #[must_use]
    pub fn danger_with_port(mut self, port: u16) -> Self {
        tracing::warn!(
            port,
            "using another relay port than 443: for tests and labs only"
        );
        self.address = (self.address).map(|address| address.with_danger_port(port));
        self
    }

    /// The relay's host, if there is a relay.
    pub fn host(&self) -> Option<&str> {
        self.address.as_ref().map(|address| address.host.as_str())
    }

    /// The network that leads to others.
    pub(crate) fn network(&self) -> Arc<dyn Network> {
        match &self.network {
            Some(network) => Arc::clone(network),
            None => Arc::new(SystemNetwork::new(self.interface.clone())),
        }
    }

    /// The proxy, if one is set.
    pub const fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// The ways that packets may take.
    pub const fn paths(&self) -> Paths {
        self.paths
    }

    /// Whether this network announces its proxy by a file (WPAD), which is not read: a person should name the proxy.
    pub async fn announces_proxy(&self) -> bool {
        announces_proxy(self.network().as_ref()).await
    }

    /// Goes there, as `role` with the key `identity`.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what to do about it.
    pub async fn connect(
        &self,
        role: Role,
        identity: Arc<Identity>,
    ) -> Result<(Leg, LegEvents), ConnectError> {
        let address = self.address.clone().ok_or(ConnectError::NoRelay)?;
        let config = LegConfig {
            interface: self.interface.clone(),
            paths: self.paths,
            proxy: self.proxy.clone(),
            ..LegConfig::new(role, identity, address, self.trust.clone())
        };
        Leg::connect_on(config, self.network()).await
    }
}
