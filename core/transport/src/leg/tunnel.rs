//! Byte streams to the relay or its proxy: TCP as it has to be set up to carry packets.

use std::{fmt, future::Future, io, net::SocketAddr, pin::Pin, time::Duration};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};

/// Bytes that the kernel holds unsent at most. More would be a queue that nobody can look into: beside a bulk
/// transfer a panel took 357 ms with the default, 237 ms with this (measured at 4 Mbit/s).
#[cfg(target_os = "linux")]
const UNSENT: u32 = 4 * 1024;

/// Time after which a connection is given up that does not acknowledge.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// Head start of each address before the next is tried as well (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 4;

/// A stream of bytes, whatever is below it.
pub trait ByteStream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> ByteStream for S {}

/// A stream of bytes whose kind is known at run time.
pub type Stream = Box<dyn ByteStream>;

impl fmt::Debug for dyn ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByteStream")
    }
}

/// What [`StreamDialer::dial`] will have come to.
pub type Dialling<'a> = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send + 'a>>;

/// Opens byte streams: over TCP, or over a simulated network.
pub trait StreamDialer: fmt::Debug + Send + Sync {
    /// Connects to `port` of `host`, a name or an address. A name that leads nowhere is [`io::ErrorKind::NotFound`],
    /// and nothing else is.
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialling<'a>;
}

/// Whether a dial failed because the name leads nowhere.
pub(crate) fn is_unknown_name(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Opens TCP connections from this machine.
#[derive(Clone, Debug, Default)]
pub struct TcpDialer {
    interface: Option<String>,
}

impl TcpDialer {
    /// A dialer whose connections leave through `interface`; through any if it is `None`.
    pub fn new(interface: Option<String>) -> Self {
        Self { interface }
    }

    async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let found = tokio::net::lookup_host((host, port)).await;
        let found = found.map_err(|error| io::Error::new(io::ErrorKind::NotFound, error))?;
        let mut attempts = JoinSet::new();
        for (addresses_before, address) in (0..).zip(found.take(MAX_ADDRESSES)) {
            let dialer = self.clone();
            attempts.spawn(async move {
                tokio::time::sleep(HEAD_START * addresses_before).await;
                dialer.connect_to(address).await
            });
        }
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        while let Some(attempt) = attempts.join_next().await {
            match attempt {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = error,
                Err(_) => {}
            }
        }
        Err(failure)
    }

    async fn connect_to(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        if let Some(interface) = &self.interface {
            bind_to(&socket, interface)?;
        }
        let stream = socket.connect(address).await?;
        tune(&stream);
        Ok(stream)
    }
}

impl StreamDialer for TcpDialer {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialling<'a> {
        Box::pin(async move { Ok(Box::new(self.connect(host, port).await?) as Stream) })
    }
}

/// Sets `stream` up to carry packets: nothing waits for more, little waits in the kernel, a dead one is noticed.
pub fn tune(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let mut results = vec![socket.set_tcp_nodelay(true)];
    #[cfg(target_os = "linux")]
    results.extend([
        socket.set_tcp_notsent_lowat(UNSENT),
        socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED)),
    ]);
    for error in results.into_iter().filter_map(Result::err) {
        tracing::debug!(%error, "a TCP connection without one of its options");
    }
}

#[cfg(target_os = "linux")]
fn bind_to(socket: &TcpSocket, interface: &str) -> io::Result<()> {
    SockRef::from(socket).bind_device(Some(interface.as_bytes()))
}

#[cfg(not(target_os = "linux"))]
fn bind_to(_socket: &TcpSocket, _interface: &str) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "binding to an interface needs Linux",
    ))
}
