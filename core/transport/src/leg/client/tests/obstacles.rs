//! What stands between a leg and its relay on this machine's own network, each told by its name.

use alongside_protocol::obstacle::ObstacleKind;
use rcgen::{CertificateParams, DnType, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::leg::tls::stream_server_config;

/// An authority, and a certificate of it for this machine.
struct Authority {
    pem: Vec<u8>,
    acceptor: TlsAcceptor,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem().into_bytes();
        let issuer = Issuer::new(params, key);
        let leaf_key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(leaf_key.serialize_der().into());
        let config = stream_server_config(vec![leaf.der().clone()], key).unwrap();
        Self {
            pem,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }
}

/// Answers every connection with `answer`, in TLS if there is somebody to be.
async fn answering(tls: Option<TlsAcceptor>, answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                let mut stream: crate::leg::tunnel::Stream = match tls {
                    Some(tls) => Box::new(tls.accept(stream).await?),
                    None => Box::new(stream),
                };
                let mut asked = [0; 2048];
                let _ = stream.read(&mut asked).await?;
                stream.write_all(answer.as_bytes()).await?;
                stream.shutdown().await
            });
        }
    });
    port
}

/// Why a leg that trusts `ca` does not come up over TLS to this port.
async fn stopped_at(port: u16, ca: &[u8]) -> ConnectError {
    let mut config = config(Role::Device, ca);
    config.relay = RelayAddress::new("127.0.0.1").with_danger_port(port);
    config.paths = Paths {
        direct: false,
        relay_quic: false,
        relay_tls: true,
        relay_proxy: false,
    };
    Leg::connect(config).await.unwrap_err()
}

#[tokio::test]
async fn a_certificate_of_somebody_elses_is_told_with_its_issuer() {
    let (own, gateway) = (Authority::new("Relay CA"), Authority::new("Web Gateway CA"));
    let port = answering(Some(gateway.acceptor), "").await;
    let error = stopped_at(port, &own.pem).await;
    assert_eq!(
        error.obstacle().to_string(),
        "tls-intercepted (Web Gateway CA)"
    );
    assert!(
        error
            .to_string()
            .contains("by \u{201c}Web Gateway CA\u{201d}, who is not trusted"),
        "{error}"
    );
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("relay-untrusted", false)
    );
}

#[tokio::test]
async fn a_page_in_the_relays_place_is_a_sign_in_whether_it_speaks_tls_or_not() {
    const PAGE: &str = "HTTP/1.1 302 Found\r\nLocation: http://portal.lab/\r\n\r\n";
    let own = Authority::new("Relay CA");
    for tls in [None, Some(own.acceptor)] {
        let error = stopped_at(answering(tls, PAGE).await, &own.pem).await;
        assert_eq!(
            error.obstacle().kind,
            ObstacleKind::CaptivePortal,
            "{error}"
        );
        assert!(error.to_string().contains("sign in"), "{error}");
    }
}

#[tokio::test]
async fn a_balancer_that_takes_no_websocket_is_told_with_its_status() {
    let own = Authority::new("Relay CA");
    let port = answering(Some(own.acceptor), "HTTP/1.1 403 Forbidden\r\n\r\n").await;
    let error = stopped_at(port, &own.pem).await;
    assert_eq!(error.obstacle().to_string(), "proxy-upgrade (403)");
}

#[tokio::test]
async fn a_machine_that_refuses_connections_is_told_from_one_that_is_silent() {
    let own = Authority::new("Relay CA");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = stopped_at(port, &own.pem).await;
    assert_eq!(error.obstacle().kind, ObstacleKind::RelayDown, "{error}");
    assert!(error.is_retryable());
}

/// A name server that knows `wpad`, and nothing that answers.
#[derive(Debug)]
struct Announcing;

impl crate::leg::tunnel::StreamDialer for Announcing {
    fn dial<'a>(&'a self, _: &'a str, _: u16) -> crate::leg::tunnel::Dialling<'a> {
        Box::pin(async { Err(std::io::ErrorKind::TimedOut.into()) })
    }
}

impl Network for Announcing {
    fn resolve<'a>(&'a self, _: &'a str, port: u16) -> crate::leg::network::Resolving<'a> {
        Box::pin(async move { Ok(vec![SocketAddr::new(IpAddr::from(RELAY), port)]) })
    }

    fn udp(&self, _: SocketAddr) -> std::io::Result<Arc<dyn AsyncUdpSocket>> {
        Ok(Hosts::new(0).device.socket(0))
    }
}

#[tokio::test(start_paused = true)]
async fn where_nothing_answers_an_announced_proxy_is_told() {
    let ca = Authority::new("Relay CA").pem;
    let connect = |change: fn(&mut LegConfig)| {
        let mut config = config(Role::Device, &ca);
        change(&mut config);
        Leg::connect_on(config, Arc::new(Announcing))
    };
    let error = connect(|_| ()).await.unwrap_err();
    assert_eq!(
        error.obstacle().kind,
        ObstacleKind::ProxyAutomatic,
        "{error}"
    );
    // One that is set already is not told of, nor one that could not be used.
    let silent = connect(|config| config.paths.relay_proxy = false)
        .await
        .unwrap_err();
    assert_eq!(
        silent.obstacle().kind,
        ObstacleKind::RelayUnreachable,
        "{silent}"
    );
    let set = connect(|config| config.proxy = Proxy::from_argument("proxy.lab:1").ok());
    let set = set.await.unwrap_err();
    assert_eq!(set.obstacle().kind, ObstacleKind::ProxyUnreachable, "{set}");
}

/// Takes one connection through its tunnel: opens it, then answers `inside` in TLS of `authority`; everything that it
/// was asked, in the order in which it came.
async fn tunnelling(
    authority: Authority,
    inside: &'static str,
) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        let mut bytes = [0; 2048];
        let len = stream.read(&mut bytes).await.unwrap();
        asked.push(String::from_utf8_lossy(&bytes[..len]).into_owned());
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut stream = authority.acceptor.accept(stream).await.unwrap();
        let len = stream.read(&mut bytes).await.unwrap();
        asked.push(String::from_utf8_lossy(&bytes[..len]).into_owned());
        stream.write_all(inside.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        // Whoever would ask again would come here.
        while let Ok(Ok((mut again, _))) =
            tokio::time::timeout(Duration::from_millis(300), listener.accept()).await
        {
            let len = again.read(&mut bytes).await.unwrap();
            asked.push(String::from_utf8_lossy(&bytes[..len]).into_owned());
        }
        asked
    });
    (port, asked)
}

#[tokio::test]
async fn a_relay_or_a_second_proxy_that_asks_for_the_proxys_credentials_gets_none() {
    for asks in [
        "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"Relay\"\r\n\r\n",
        "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"Relay\"\r\n\r\n",
        "HTTP/1.1 307 Elsewhere\r\nLocation: http://second-proxy.lab/\r\n\r\n",
    ] {
        let authority = Authority::new("Relay CA");
        let ca = authority.pem.clone();
        let (port, asked) = tunnelling(authority, asks).await;
        let mut config = config(Role::Device, &ca);
        config.relay = RelayAddress::new("127.0.0.1").with_danger_port(1);
        config.paths = Paths {
            direct: false,
            relay_quic: false,
            relay_tls: false,
            relay_proxy: true,
        };
        let proxy = Proxy::from_argument(&format!("127.0.0.1:{port}")).unwrap();
        let credentials = crate::leg::proxy::Credentials::new("kim:c4n4ry").unwrap();
        config.proxy = Some(proxy.with_credentials(credentials));
        let error = Leg::connect(config).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("c4n4ry"));
        let asked = asked.await.unwrap();
        // "kim:c4n4ry" is a2ltOmM0bjRyeQ== there.
        assert!(asked[0].contains("Proxy-Authorization: Basic a2ltOmM0bjRyeQ=="));
        assert_eq!(asked.len(), 2, "{asks:?} was asked again: {asked:?}");
        let inside = &asked[1];
        assert!(inside.starts_with("GET /leg"), "{inside}");
        assert!(
            !inside.to_ascii_lowercase().contains("authorization"),
            "{inside}"
        );
    }
}
