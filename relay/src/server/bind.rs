//! The relay's one UDP socket, and the TCP listener on the same port.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::Arc,
};

use quinn::{AsyncUdpSocket, Runtime as _};
use socket2::{Domain, Type};
use tokio::net::TcpListener;
use tracing::warn;

use crate::config::{Config, PORT};

/// Why the relay's port cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {protocol} {address}: {}", hint(source, *address))]
pub struct BindError {
    /// UDP or TCP.
    pub protocol: &'static str,
    /// Where.
    pub address: SocketAddr,
    /// Why not.
    pub source: io::Error,
}

/// What to do about it.
fn hint(error: &io::Error, address: SocketAddr) -> &'static str {
    if error.kind() == io::ErrorKind::PermissionDenied {
        "give the relay the capability CAP_NET_BIND_SERVICE (the systemd unit does), or try --danger-port in a lab"
    } else if error.kind() == io::ErrorKind::AddrInUse {
        "another program has the port; stop it, or choose another address with --listen"
    } else if error.kind() == io::ErrorKind::AddrNotAvailable {
        "this host does not have that address; check --listen"
    } else if address.is_ipv6() {
        "try --listen with an IPv4 address if this host has no IPv6"
    } else {
        "check --listen"
    }
}

/// Times that another free port is tried when TCP does not have the one that UDP got.
const TRIES: u32 = 16;

/// What the relay listens on.
pub(super) struct Bound {
    pub(super) udp: Arc<dyn AsyncUdpSocket>,
    pub(super) tcp: TcpListener,
}

/// Binds what `config` asks for: one port, UDP and TCP.
pub(super) fn bind(config: &Config) -> Result<Bound, BindError> {
    let port = config.port();
    if port != PORT {
        warn!(
            port,
            "not on port {PORT}: customers' firewalls will not let this out"
        );
    }
    let mut tries_left = if port == 0 { TRIES } else { 1 };
    loop {
        tries_left = tries_left.saturating_sub(1);
        match bind_both(config) {
            Err(error) if tries_left > 0 && error.source.kind() == io::ErrorKind::AddrInUse => {}
            other => return other,
        }
    }
}

fn bind_both(config: &Config) -> Result<Bound, BindError> {
    let udp = bind_udp(config)?;
    let failed = |address| {
        move |source| BindError {
            protocol: "UDP",
            address,
            source,
        }
    };
    let any = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), config.port());
    let address = udp.local_addr().map_err(failed(any))?;
    let tcp = open_tcp(address).map_err(|source| BindError {
        protocol: "TCP",
        address,
        source,
    })?;
    let udp = quinn::TokioRuntime.wrap_udp_socket(udp);
    Ok(Bound {
        udp: udp.map_err(failed(address))?,
        tcp,
    })
}

fn bind_udp(config: &Config) -> Result<UdpSocket, BindError> {
    let at = |ip: IpAddr| SocketAddr::new(ip, config.port());
    let open = |address| {
        open(config, address).map_err(|source| BindError {
            protocol: "UDP",
            address,
            source,
        })
    };
    match config.listen {
        Some(ip) => open(at(ip)),
        // All addresses of both families; of IPv4 alone where the kernel has no IPv6.
        None => match open(at(Ipv6Addr::UNSPECIFIED.into())) {
            Err(BindError { source, .. }) if is_without_ipv6(&source) => {
                open(at(Ipv4Addr::UNSPECIFIED.into()))
            }
            other => other,
        },
    }
}

/// Connections that the kernel completes before we take them (its own default limit is as much).
const BACKLOG: i32 = 4096;

fn open_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking(),
        None,
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // A restarted relay must not wait for connections of the last one.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn is_without_ipv6(error: &io::Error) -> bool {
    let none = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
    error.raw_os_error() == Some(none) || error.kind() == io::ErrorKind::AddrNotAvailable
}

fn open(config: &Config, address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = socket2::Socket::new(
        Domain::for_address(address),
        Type::DGRAM.nonblocking(),
        None,
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    let bytes = usize::try_from(config.limits.socket_buffer_bytes).unwrap_or(usize::MAX);
    socket.set_recv_buffer_size(bytes)?;
    socket.set_send_buffer_size(bytes)?;
    socket.bind(&address.into())?;
    if let Ok(got) = socket.recv_buffer_size()
        && got < bytes
    {
        warn!(
            asked = bytes,
            got,
            "the kernel gives smaller socket buffers than asked: raise net.core.rmem_max and net.core.wmem_max"
        );
    }
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_says_so_and_what_to_do() {
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let config = Config {
            listen: Some(Ipv4Addr::LOCALHOST.into()),
            danger_port: Some(taken.local_addr().unwrap().port()),
            ..Config::default()
        };
        let error = bind(&config).err().unwrap();
        let text = error.to_string();
        assert!(text.contains("another program has the port"), "{text}");
        assert!(text.contains("UDP"), "{text}");

        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let config = Config {
            danger_port: Some(taken.local_addr().unwrap().port()),
            ..config
        };
        let error = bind(&config).err().unwrap();
        assert!(error.to_string().contains("TCP"), "{error}");
    }
}
