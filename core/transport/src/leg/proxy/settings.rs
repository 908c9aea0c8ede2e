//! Where a proxy is said to be: an argument, a file, or the environment.

use zeroize::Zeroizing;

use super::{Bypass, Credentials, CredentialsError, Proxy, Scheme};
use crate::leg::RelayAddress;

/// Variables of the environment that name a proxy, the first one that is set counts.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Variables that say where none is needed.
const BYPASS_VARIABLES: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Why a proxy's setting is refused. Never shows the setting, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxySettingError {
    /// A password in an argument, where every process of the machine can read it.
    #[error(
        "a proxy's URL may hold no user name or password here, where others can see it: put user:password into a file of mode 0600"
    )]
    PasswordInArgument,
    /// It is no URL of a proxy.
    #[error("the proxy must be http://HOST:PORT or https://HOST:PORT")]
    NotAUrl,
    /// It is a proxy of a kind that is not spoken.
    #[error("the proxy must be an HTTP proxy, http:// or https://; SOCKS is not spoken")]
    Scheme,
    /// It is a file that says which proxy to use, and not a proxy.
    #[error(
        "a file for automatic proxy configuration (PAC, WPAD) is not read: name the proxy that it leads to, http://HOST:PORT"
    )]
    Automatic,
    /// The credentials are of no use.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

impl Proxy {
    /// Variables of the environment that [`Proxy::from_environment`] looks up.
    pub const VARIABLES: [&str; 6] = {
        let ([https, https_small, all, all_small], [no, no_small]) =
            (PROXY_VARIABLES, BYPASS_VARIABLES);
        [https, https_small, all, all_small, no, no_small]
    };

    /// A proxy as a command line or a configuration file names it: `http://host:port`, `https://host:port` or
    /// `host:port`; ports 80 and 443 may be left out.
    ///
    /// # Errors
    ///
    /// [`ProxySettingError`]; also if it holds a user name or password.
    pub fn from_argument(url: &str) -> Result<Self, ProxySettingError> {
        let (proxy, user_info) = parse(url)?;
        match user_info {
            Some(_) => Err(ProxySettingError::PasswordInArgument),
            None => Ok(proxy),
        }
    }

    /// The proxy that the environment names for `relay`: `HTTPS_PROXY` or `ALL_PROXY`, unless `NO_PROXY` covers
    /// it. `variable` looks a variable up. The URL may hold `user:password`, percent-encoded.
    ///
    /// # Errors
    ///
    /// [`ProxySettingError`].
    pub fn from_environment(
        relay: &RelayAddress,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ProxySettingError> {
        let first = |names: &[&str]| {
            let mut set = names.iter().filter_map(|name| variable(name));
            set.find(|value| !value.trim().is_empty())
                .map(Zeroizing::new)
        };
        let bypass = first(&BYPASS_VARIABLES);
        if bypass.is_some_and(|list| Bypass::parse(&list).covers(relay)) {
            return Ok(None);
        }
        let Some(url) = first(&PROXY_VARIABLES) else {
            return Ok(None);
        };
        let (proxy, user_info) = parse(url.trim())?;
        let Some(user_info) = user_info else {
            return Ok(Some(proxy));
        };
        let credentials = Credentials::new(&user_info)?;
        Ok(Some(proxy.with_credentials(credentials)))
    }
}

/// A proxy and its `user:password`, decoded, if the URL has one.
fn parse(url: &str) -> Result<(Proxy, Option<Zeroizing<String>>), ProxySettingError> {
    if is_automatic(url) {
        return Err(ProxySettingError::Automatic);
    }
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
        Some(_) => return Err(ProxySettingError::Scheme),
        None => (Scheme::Http, url),
    };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if !matches!(path, "" | "/") {
        return Err(ProxySettingError::NotAUrl);
    }
    let (user_info, host_port) = match authority.rsplit_once('@') {
        Some((user_info, host_port)) => (Some(user_info), host_port),
        None => (None, authority),
    };
    let (host, port) = host_and_port(host_port, scheme).ok_or(ProxySettingError::NotAUrl)?;
    let user_info = user_info
        .map(|text| decode_pair(text).ok_or(ProxySettingError::NotAUrl))
        .transpose()?;
    let proxy = Proxy {
        scheme,
        host,
        port,
        credentials: None,
    };
    Ok((proxy, user_info))
}

/// Whether it is the address of a PAC file: `pac+http://`, or a path that ends as those do.
fn is_automatic(url: &str) -> bool {
    let url = url.to_ascii_lowercase();
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let is_file = |name| path.contains("://") && path.ends_with(name);
    url.starts_with("pac+") || is_file(".pac") || is_file("/wpad.dat")
}

fn host_and_port(text: &str, scheme: Scheme) -> Option<(String, u16)> {
    let default = match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, after)
        }
        None => match text.find(':') {
            Some(colon) => text.split_at(colon),
            None => (text, ""),
        },
    };
    let port = match port.strip_prefix(':') {
        Some("") => default,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
        Some(_) => return None,
        None if port.is_empty() => default,
        None => return None,
    };
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':');
    let is_host = !host.is_empty() && host.len() <= 253 && host.bytes().all(is_plain);
    (is_host && port != 0).then(|| (host.to_owned(), port))
}

/// `user:password` of a URL; the colon between the two is the one that is not encoded.
fn decode_pair(text: &str) -> Option<Zeroizing<String>> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let (user, password) = (percent_decode(user)?, percent_decode(password)?);
    if user.contains(':') {
        return None; // could not be told from the password (RFC 7617, section 2)
    }
    Some(Zeroizing::new(format!("{}:{}", *user, *password)))
}

/// RFC 3986, section 2.1; what is not encoded stays, and a `%` that encodes nothing is an error.
fn percent_decode(text: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    Some(Zeroizing::new(std::str::from_utf8(&bytes).ok()?.to_owned()))
}
