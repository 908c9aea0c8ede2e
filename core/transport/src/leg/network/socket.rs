//! The one UDP socket of a leg, and that of an operator who listens.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use quinn::{AsyncUdpSocket, Runtime as _, TokioRuntime};
use socket2::{Domain, Protocol, Socket, Type};

/// Receive and send buffer in bytes. With Linux's default of 212 kB a burst loses 160 to 1000 packets in some
/// MiB, with 4 MiB none (measured).
const BUFFER: usize = 4 * 1024 * 1024;

/// Opens a socket, of the family that `relay` needs, on any free port.
pub(super) fn open(
    relay: SocketAddr,
    interface: Option<&str>,
) -> io::Result<Arc<dyn AsyncUdpSocket>> {
    let any: IpAddr = match relay {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    open_at(SocketAddr::new(any, 0), interface)
}

/// Opens a socket on `at`.
pub(super) fn open_at(
    at: SocketAddr,
    interface: Option<&str>,
) -> io::Result<Arc<dyn AsyncUdpSocket>> {
    open_std(at, interface).and_then(|socket| TokioRuntime.wrap_udp_socket(socket))
}

fn open_std(at: SocketAddr, interface: Option<&str>) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
    // The kernel gives what it allows, and less still works.
    for granted in [
        socket.set_recv_buffer_size(BUFFER),
        socket.set_send_buffer_size(BUFFER),
    ] {
        if let Err(error) = granted {
            tracing::debug!(%error, "smaller socket buffers than wanted");
        }
    }
    if let Some(interface) = interface {
        bind_to(&socket, interface)?;
    }
    socket.bind(&at.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

#[cfg(target_os = "linux")]
fn bind_to(socket: &Socket, interface: &str) -> io::Result<()> {
    socket.bind_device(Some(interface.as_bytes()))
}

#[cfg(not(target_os = "linux"))]
fn bind_to(_socket: &Socket, _interface: &str) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "binding to an interface needs Linux",
    ))
}
