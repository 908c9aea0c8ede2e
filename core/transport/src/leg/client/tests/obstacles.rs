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
