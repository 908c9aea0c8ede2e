//! The way out through a customer's HTTP proxy: CONNECT (RFC 9110, section 9.3.6), Basic (RFC 7617).
//!
//! Credentials go to the configured proxy and nobody else, with the first request, for many proxies close after
//! a 407. A proxy that has refused them is not asked again with the same ones: domain accounts lock.

use std::{fmt, io, path::Path, sync::Arc, time::Duration};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

mod bypass;
mod challenge;
mod credentials;
mod error;
mod settings;
#[cfg(test)]
mod tests;

pub use bypass::Bypass;
pub use credentials::{Credentials, CredentialsError};
pub use error::ProxyError;
pub(crate) use error::{by, is_sign_in};
pub use settings::ProxySettingError;

use super::{
    RelayAddress,
    http::Head,
    inert::inert,
    tls,
    tunnel::{Stream, StreamDialer, is_unknown_name},
};
use challenge::Challenges;

/// Longest wait for the proxy to take the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for the tunnel: a proxy resolves and connects first, and squid takes 20 s to say that a name
/// does not exist.
const TUNNEL_TIMEOUT: Duration = Duration::from_secs(20);

/// Informational answers (RFC 9110, section 15.2) that are skipped before the real one.
const MAX_INTERIM: usize = 4;

/// A proxy, and what it is to be told about who comes.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    scheme: Scheme,
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    /// TLS first, so that the credentials cannot be read on the way to the proxy.
    Https,
}

impl Proxy {
    /// The same proxy, told who comes.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Remembers in `file` that it has refused the credentials; see [`Credentials::remembered_in`].
    #[must_use]
    pub fn remembering_refusals_in(mut self, file: &Path) -> Self {
        self.credentials = self
            .credentials
            .map(|credentials| credentials.remembered_in(file));
        self
    }

    /// Whether there are credentials for it.
    pub fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    /// Asks the proxy for a tunnel to `relay`; from then on the bytes of the stream are the relay's.
    ///
    /// Waits 5 s for the proxy and 20 s for its answer, of which it reads at most
    /// [`MAX_HEAD`](super::http::MAX_HEAD) bytes.
    ///
    /// # Errors
    ///
    /// [`ProxyError`], each with a sentence that says what to do.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection to the proxy.
    pub async fn tunnel(
        &self,
        dialer: &dyn StreamDialer,
        relay: &RelayAddress,
    ) -> Result<Stream, ProxyError> {
        if self
            .credentials
            .as_ref()
            .is_some_and(Credentials::are_refused)
        {
            return Err(ProxyError::CredentialsWrong {
                proxy: self.to_string(),
            });
        }
        let dialled = tokio::time::timeout(CONNECT_TIMEOUT, dialer.dial(&self.host, self.port));
        let stream = dialled
            .await
            .map_err(|_| self.too_slow())?
            .map_err(|source| self.not_reached(source))?;
        let tunnel = async {
            let mut stream = match self.scheme {
                Scheme::Http => stream,
                Scheme::Https => self.start_tls(stream).await?,
            };
            self.ask(&mut stream, relay).await?;
            Ok(stream)
        };
        tokio::time::timeout(TUNNEL_TIMEOUT, tunnel)
            .await
            .map_err(|_| self.too_slow())?
    }

    async fn start_tls(&self, stream: Stream) -> Result<Stream, ProxyError> {
        let broke = |source| ProxyError::Tls {
            proxy: self.to_string(),
            source,
        };
        let (config, verdict) =
            tls::proxy_client_config().map_err(|error| broke(io::Error::other(error)))?;
        let name = ServerName::try_from(self.host.clone())
            .map_err(|error| broke(io::Error::other(error)))?;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(_) if verdict.fault().is_some() => Err(ProxyError::Untrusted {
                proxy: self.to_string(),
                issuer: verdict.issuer(),
            }),
            Err(source) => Err(broke(source)),
        }
    }

    /// Sends the request and reads the answer. Nothing may follow the answer, as the relay waits for us.
    pub(crate) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        relay: &RelayAddress,
    ) -> Result<(), ProxyError> {
        let broke = |source| ProxyError::Unreachable {
            proxy: self.to_string(),
            source: Some(source),
        };
        let request = self.request(relay);
        stream.write_all(request.as_bytes()).await.map_err(broke)?;
        stream.flush().await.map_err(broke)?;
        let mut after = Vec::new();
        for _ in 0..=MAX_INTERIM {
            let answer = Head::read_after(stream, b"HTTP/1.", after).await;
            let (head, rest) = answer.map_err(|source| ProxyError::NotAProxy {
                proxy: self.to_string(),
                source: Some(source),
            })?;
            if head.status().is_some_and(|status| status.code < 200) {
                after = rest;
                continue;
            }
            self.check(&head)?;
            return if rest.is_empty() {
                Ok(())
            } else {
                Err(self.not_a_proxy())
            };
        }
        Err(self.not_a_proxy())
    }

    fn request(&self, relay: &RelayAddress) -> zeroize::Zeroizing<String> {
        let target = relay.authority();
        let mut request =
            format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: alongside\r\n");
        if let Some(credentials) = &self.credentials {
            request.push_str("Proxy-Authorization: ");
            request.push_str(&credentials.basic());
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        request.into()
    }

    fn check(&self, head: &Head) -> Result<(), ProxyError> {
        let status = head.status().ok_or_else(|| self.not_a_proxy())?;
        match status.code {
            200..=299 => Ok(()),
            407 => Err(self.why_not_authorised(&Challenges::of(head))),
            code => Err(ProxyError::Refused {
                proxy: self.to_string(),
                status: code,
                reason: inert(status.reason),
            }),
        }
    }

    fn why_not_authorised(&self, challenges: &Challenges) -> ProxyError {
        let proxy = self.to_string();
        if !challenges.basic {
            return ProxyError::Scheme {
                proxy,
                offered: challenges.schemes.clone(),
            };
        }
        match &self.credentials {
            Some(credentials) => {
                credentials.refuse();
                ProxyError::CredentialsWrong { proxy }
            }
            None => ProxyError::CredentialsNeeded {
                proxy,
                realm: challenges.realm.clone(),
            },
        }
    }

    fn not_reached(&self, source: io::Error) -> ProxyError {
        let proxy = self.to_string();
        if is_unknown_name(&source) {
            ProxyError::NoDns { proxy, source }
        } else {
            ProxyError::Unreachable {
                proxy,
                source: Some(source),
            }
        }
    }

    fn not_a_proxy(&self) -> ProxyError {
        ProxyError::NotAProxy {
            proxy: self.to_string(),
            source: None,
        }
    }

    fn too_slow(&self) -> ProxyError {
        ProxyError::Unreachable {
            proxy: self.to_string(),
            source: None,
        }
    }
}

/// Where the proxy is; nothing of the credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let (open, close) = if self.host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        write!(f, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}
