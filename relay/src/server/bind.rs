//! The relay's one UDP socket.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::Arc,
};

use quinn::{AsyncUdpSocket, Runtime as _};
use socket2::{Domain, Type};
use tracing::warn;

use crate::config::{Config, PORT};

/// Why the relay's port cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on UDP {address}: {}", hint(source, *address))]
pub struct BindError {
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

/// Binds the socket that `config` asks for.
pub(super) fn bind(config: &Config) -> Result<Arc<dyn AsyncUdpSocket>, BindError> {
    let port = config.port();
    if port != PORT {
        warn!(
            port,
            "not on port {PORT}: customers' firewalls will not let this out"
        );
    }
    let at = |ip: IpAddr| SocketAddr::new(ip, port);
    let open = |address| open(config, address).map_err(|source| BindError { address, source });
    let socket = match config.listen {
        Some(ip) => open(at(ip))?,
        // All addresses of both families; of IPv4 alone where the kernel has no IPv6.
        None => match open(at(Ipv6Addr::UNSPECIFIED.into())) {
            Err(BindError { source, .. }) if is_without_ipv6(&source) => {
                open(at(Ipv4Addr::UNSPECIFIED.into()))?
            }
            other => other?,
        },
    };
    let address = socket
        .local_addr()
        .unwrap_or_else(|_| at(Ipv6Addr::UNSPECIFIED.into()));
    quinn::TokioRuntime
        .wrap_udp_socket(socket)
        .map_err(|source| BindError { address, source })
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
        let error = bind(&config).unwrap_err();
        assert!(
            error.to_string().contains("another program has the port"),
            "{error}"
        );
    }
}
