//! What a leg needs of the machine it runs on, or of a simulated one.

use std::{future::Future, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use quinn::AsyncUdpSocket;

use super::tunnel::{Dialling, StreamDialer, TcpDialer};

mod socket;

/// What [`Network::resolve`] will have come to.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

/// A network as one host sees it.
pub trait Network: StreamDialer {
    /// Addresses of `host`.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a>;

    /// A socket from which `relay` can be reached.
    ///
    /// # Errors
    ///
    /// Whatever the system says.
    fn udp(&self, relay: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>>;

    /// A socket on an address of this machine, for an operator that listens.
    ///
    /// # Errors
    ///
    /// Whatever the system says; [`io::ErrorKind::Unsupported`] on a network that knows no listening.
    fn udp_at(&self, at: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let _nowhere = at;
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Longest look for an announced proxy: a person waits for the sentence that it may change.
const ANNOUNCED: Duration = Duration::from_secs(1);

/// Whether `network` announces its proxy by a file, as many companies' do: by the name `wpad`, which leads to one.
/// Nothing is fetched from there.
pub async fn announces_proxy(network: &dyn Network) -> bool {
    let found = tokio::time::timeout(ANNOUNCED, network.resolve("wpad", 80)).await;
    matches!(found, Ok(Ok(addresses)) if !addresses.is_empty())
}

/// The network of this machine.
#[derive(Clone, Debug, Default)]
pub struct SystemNetwork {
    interface: Option<String>,
    streams: TcpDialer,
}

impl SystemNetwork {
    /// The network behind `interface`; behind any if it is `None`. Linux only.
    pub fn new(interface: Option<String>) -> Self {
        Self {
            streams: TcpDialer::new(interface.clone()),
            interface,
        }
    }
}

impl StreamDialer for SystemNetwork {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialling<'a> {
        self.streams.dial(host, port)
    }
}

impl Network for SystemNetwork {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }

    fn udp(&self, relay: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        socket::open(relay, self.interface.as_deref())
    }

    fn udp_at(&self, at: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        socket::open_at(at, self.interface.as_deref())
    }
}
