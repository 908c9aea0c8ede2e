//! Which relays are reached without the proxy: `NO_PROXY`.

use std::net::IpAddr;

use crate::leg::RelayAddress;

/// Hosts, suffixes and networks to which no proxy is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bypass(Vec<Rule>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    All,
    /// The host itself and everything below it.
    Name {
        name: String,
        port: Option<u16>,
    },
    Address {
        network: IpAddr,
        bits: u32,
        port: Option<u16>,
    },
}

impl Bypass {
    /// Reads a list as programs know it from `NO_PROXY`: `*`, `example.com` and `.example.com` (which mean the
    /// same, and all below), addresses, networks like `10.0.0.0/8`, each with `:port` where it is for one alone.
    ///
    /// Leaves out what makes no sense, since the variable is for all programs of a machine.
    pub fn parse(list: &str) -> Self {
        let items = list.split([',', ' ', '\t']).filter(|item| !item.is_empty());
        Self(items.filter_map(Rule::parse).collect())
    }

    /// Whether `relay` is reached without the proxy.
    pub fn covers(&self, relay: &RelayAddress) -> bool {
        let address = relay.host.parse::<IpAddr>().ok();
        let host = relay.host.trim_end_matches('.').to_ascii_lowercase();
        self.0.iter().any(|rule| match rule {
            Rule::All => true,
            Rule::Name { name, port } => {
                let is_below = host
                    .strip_suffix(name.as_str())
                    .is_some_and(|before| before.is_empty() || before.ends_with('.'));
                address.is_none() && is_below && port.is_none_or(|port| port == relay.port)
            }
            Rule::Address {
                network,
                bits,
                port,
            } => {
                address.is_some_and(|address| contains(*network, *bits, address))
                    && port.is_none_or(|port| port == relay.port)
            }
        })
    }
}

impl Rule {
    fn parse(item: &str) -> Option<Self> {
        if item == "*" {
            return Some(Self::All);
        }
        if let Some((network, bits)) = item.split_once('/') {
            let (network, bits) = (bare(network).parse().ok()?, bits.parse().ok()?);
            return (bits <= width(network)).then_some(Self::Address {
                network,
                bits,
                port: None,
            });
        }
        let (host, port) = split_port(item)?;
        if let Ok(network) = bare(host).parse::<IpAddr>() {
            let bits = width(network);
            return Some(Self::Address {
                network,
                bits,
                port,
            });
        }
        let name = host.strip_prefix('*').unwrap_or(host);
        let name = name.trim_matches('.').to_ascii_lowercase();
        (!name.is_empty()).then_some(Self::Name { name, port })
    }
}

/// `host:port`, `[v6]:port`, or either alone; an address with several colons is one without a port.
fn split_port(item: &str) -> Option<(&str, Option<u16>)> {
    match item.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            Some((host, Some(port.parse().ok()?)))
        }
        Some(_) | None => Some((item, None)),
    }
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn contains(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    let differ = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            u128::from(network.to_bits() ^ address.to_bits())
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => network.to_bits() ^ address.to_bits(),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    let rest = width(network).saturating_sub(bits);
    differ.checked_shr(rest).is_none_or(|differ| differ == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_cover_what_other_programs_take_them_to_cover() {
        let covers = |list: &str, host: &str| Bypass::parse(list).covers(&RelayAddress::new(host));
        for (list, host, expected) in [
            ("", "relay.example", false),
            ("*", "relay.example", true),
            ("example", "relay.example", true),
            (".example", "relay.example", true),
            ("*.example", "relay.example", true),
            (".example", "example", true),
            ("ample", "relay.example", false),
            ("RELAY.Example", "relay.example", true),
            ("relay.example.", "relay.example", true),
            ("relay.example:443", "relay.example", true),
            ("relay.example:444", "relay.example", false),
            ("localhost, 10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3:443", "10.1.2.3", true),
            ("10.0.0.0/33,0.0.0.0/0", "192.0.2.1", true),
            ("10.0.0.0/33", "10.0.0.1", false),
            ("fd00::/8", "fd12::1", true),
            ("[fd12::1]:443", "fd12::1", true),
            ("fd12::1", "fd12::1", true),
            ("::/0", "192.0.2.1", false),
            ("1", "192.0.2.1", false),
            ("/8,:,..,[", "relay.example", false),
        ] {
            assert_eq!(covers(list, host), expected, "{list:?} {host:?}");
        }
    }
}
