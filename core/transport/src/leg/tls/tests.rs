//! Honest handshakes succeed; each kind of attacker is refused, with no second way in.

use std::net::SocketAddr;

use quinn::ConnectionError;
use rcgen::{CertifiedKey, KeyPair, PKCS_ED25519};
use rustls::pki_types::pem::PemObject as _;

use super::*;

/// TLS alerts (RFC 8446, section 6).
mod alert {
    pub(super) const HANDSHAKE_FAILURE: u8 = 40;
    pub(super) const NO_APPLICATION_PROTOCOL: u8 = 120;
}

fn identity() -> Arc<Identity> {
    Arc::new(Identity::generate().unwrap())
}

fn transport() -> TransportConfig {
    TransportConfig::default()
}

/// Both sides' view of one handshake over UDP on this machine. The server's also shows that it heard of the
/// client's refusal: a TLS 1.3 client is done before the server has checked its key.
async fn handshake(
    client: ClientConfig,
    server: ServerConfig,
    name: &str,
) -> (
    Result<quinn::Connection, ConnectionError>,
    Result<quinn::Connection, ConnectionError>,
) {
    let here: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let listening =
        quinn::Endpoint::server(quic_server(server, transport()).unwrap(), here).unwrap();
    let dialling = quinn::Endpoint::client(here).unwrap();
    let client = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(client).unwrap()));
    let dial = dialling
        .connect_with(client, listening.local_addr().unwrap(), name)
        .unwrap();
    tokio::join!(
        async {
            let connection = dial.await?;
            // Confirmed by a stream that the server opens only after its own checks.
            match connection.accept_uni().await {
                Ok(_) => Ok(connection),
                Err(error) => Err(error),
            }
        },
        async {
            let connection = listening.accept().await.unwrap().await?;
            let mut confirm = connection.open_uni().await?;
            confirm.write_all(b"!").await.unwrap();
            Ok(connection)
        }
    )
}

/// The alert that ended a handshake, whichever side sent it.
fn alert_of<T: fmt::Debug>(result: Result<T, ConnectionError>) -> u8 {
    let lost = crate::Lost::from(result.unwrap_err());
    let crate::Lost::Refused { alert } = lost else {
        panic!("{lost:?} is not a refusal")
    };
    alert
}

#[tokio::test]
async fn two_that_expect_each_other_connect_with_the_same_exporter() {
    let (operator, device) = (identity(), identity());
    let client = e2e_client_config(&operator, device.public_key()).unwrap();
    let server = e2e_server_config(&device, operator.public_key()).unwrap();
    let (dialled, accepted) = handshake(client, server, "peer").await;
    let (dialled, accepted) = (dialled.unwrap(), accepted.unwrap());
    assert_eq!(peer_key(&dialled), Some(device.public_key()));
    assert_eq!(peer_key(&accepted), Some(operator.public_key()));
}

#[tokio::test]
async fn a_device_with_another_key_is_refused() {
    let (operator, device) = (identity(), identity());
    let client = e2e_client_config(&operator, identity().public_key()).unwrap();
    let server = e2e_server_config(&device, operator.public_key()).unwrap();
    let (dialled, accepted) = handshake(client, server, "peer").await;
    assert_eq!(alert_of(dialled), alert_of(accepted));
}

#[tokio::test]
async fn an_operator_with_another_key_is_refused() {
    let (operator, device) = (identity(), identity());
    let client = e2e_client_config(&operator, device.public_key()).unwrap();
    let server = e2e_server_config(&device, identity().public_key()).unwrap();
    let (dialled, accepted) = handshake(client, server, "peer").await;
    assert_eq!(alert_of(dialled), alert_of(accepted));
}

#[tokio::test]
async fn a_peer_without_post_quantum_key_exchange_is_refused_by_either_side() {
    let (operator, device) = (identity(), identity());
    let mut classical = Arc::unwrap_or_clone(provider());
    classical.kx_groups = vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1];
    let classical = Arc::new(classical);

    let mut client = ClientConfig::builder_with_provider(Arc::clone(&classical))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(raw_key::ExpectKey::new(device.public_key())))
        .with_client_cert_resolver(Arc::new(raw_key::ShowKey::new(&operator)));
    client.alpn_protocols = vec![E2E_ALPN.to_vec()];
    let server = e2e_server_config(&device, operator.public_key()).unwrap();
    let (dialled, accepted) = handshake(client, server, "peer").await;
    assert_eq!(alert_of(dialled), alert::HANDSHAKE_FAILURE);
    assert!(accepted.is_err());

    let mut server = ServerConfig::builder_with_provider(classical)
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_client_cert_verifier(Arc::new(raw_key::ExpectKey::new(operator.public_key())))
        .with_cert_resolver(Arc::new(raw_key::ShowKey::new(&device)));
    server.alpn_protocols = vec![E2E_ALPN.to_vec()];
    let client = e2e_client_config(&operator, device.public_key()).unwrap();
    let (dialled, accepted) = handshake(client, server, "peer").await;
    assert_eq!(alert_of(dialled), alert::HANDSHAKE_FAILURE);
    assert!(accepted.is_err());
}

#[tokio::test]
async fn a_certificate_is_refused_where_a_raw_key_belongs() {
    let (operator, device) = (identity(), identity());
    // The same Ed25519 key, but inside a certificate.
    let certified = |identity: &Identity| {
        let der = identity.to_pkcs8().unwrap();
        let key =
            KeyPair::from_pkcs8_der_and_sign_algo(&der.as_slice().into(), &PKCS_ED25519).unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["peer".into()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        (
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
    };

    let (chain, key) = certified(&operator);
    let mut client = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(raw_key::ExpectKey::new(device.public_key())))
        .with_client_auth_cert(chain, key)
        .unwrap();
    client.alpn_protocols = vec![E2E_ALPN.to_vec()];
    let server = e2e_server_config(&device, operator.public_key()).unwrap();
    let (dialled, accepted) = handshake(client, server, "peer").await;
    assert!(dialled.is_err() && accepted.is_err());

    let (chain, key) = certified(&device);
    let mut server = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_client_cert_verifier(Arc::new(raw_key::ExpectKey::new(operator.public_key())))
        .with_single_cert(chain, key)
        .unwrap();
    server.alpn_protocols = vec![E2E_ALPN.to_vec()];
    let client = e2e_client_config(&operator, device.public_key()).unwrap();
    let (dialled, accepted) = handshake(client, server, "peer").await;
    assert!(dialled.is_err() && accepted.is_err());
}

#[tokio::test]
async fn a_client_that_shows_no_key_is_refused() {
    let (operator, device) = (identity(), identity());
    let mut client = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(raw_key::ExpectKey::new(device.public_key())))
        .with_no_client_auth();
    client.alpn_protocols = vec![E2E_ALPN.to_vec()];
    let server = e2e_server_config(&device, operator.public_key()).unwrap();
    let (dialled, accepted) = handshake(client, server, "peer").await;
    assert!(dialled.is_err() && accepted.is_err());
}

#[tokio::test]
async fn another_protocol_is_refused() {
    let (operator, device) = (identity(), identity());
    for alpn in [&b"alongside-e2e/2"[..], relay::ALPN, b"h3"] {
        let mut client = e2e_client_config(&operator, device.public_key()).unwrap();
        client.alpn_protocols = vec![alpn.to_vec()];
        let server = e2e_server_config(&device, operator.public_key()).unwrap();
        let (dialled, _) = handshake(client, server, "peer").await;
        assert_eq!(alert_of(dialled), alert::NO_APPLICATION_PROTOCOL);
    }
}

/// A relay with a certificate for `relay.test`, and the PEM of that certificate.
fn relay() -> (ServerConfig, Vec<u8>) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["relay.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    (
        relay_server_config(vec![cert.der().clone()], key).unwrap(),
        cert.pem().into_bytes(),
    )
}

fn pin(pem: &[u8]) -> [u8; 32] {
    use ::aws_lc_rs::digest::{SHA256, digest};
    let certificate = CertificateDer::from_pem_slice(pem).unwrap();
    let spki = rustls::server::ParsedCertificate::try_from(&certificate)
        .unwrap()
        .subject_public_key_info();
    digest(&SHA256, &spki).as_ref().try_into().unwrap()
}

async fn meet_relay(
    trust: Trust,
    name: &str,
    server: ServerConfig,
) -> Result<(), Option<CertificateFault>> {
    let (client, verdict) = relay_client_config(&trust).unwrap();
    let (dialled, _) = handshake(client, server, name).await;
    dialled.map(drop).map_err(|_| verdict.fault())
}

#[tokio::test]
async fn a_relay_is_trusted_by_its_ca_file_and_name() {
    let (server, pem) = relay();
    assert_eq!(
        meet_relay(Trust::CaFile(pem.clone()), "relay.test", server.clone()).await,
        Ok(())
    );
    let wrong_name = meet_relay(Trust::CaFile(pem), "other.test", server.clone()).await;
    assert_eq!(wrong_name, Err(Some(CertificateFault::WrongName)));
    let (_, other_ca) = relay();
    let untrusted = meet_relay(Trust::CaFile(other_ca), "relay.test", server).await;
    assert_eq!(untrusted, Err(Some(CertificateFault::Untrusted)));
}

#[tokio::test]
async fn a_relay_is_trusted_by_its_pin_whatever_its_name() {
    let (server, pem) = relay();
    assert_eq!(
        meet_relay(Trust::Pin(pin(&pem)), "other.test", server.clone()).await,
        Ok(())
    );
    let wrong = meet_relay(Trust::Pin([0; 32]), "relay.test", server).await;
    assert_eq!(wrong, Err(Some(CertificateFault::WrongPin)));
}

#[tokio::test]
async fn a_self_made_certificate_is_not_trusted_by_this_system() {
    let (server, _) = relay();
    match relay_client_config(&Trust::Platform) {
        Err(TrustError::NoPlatformRoots) => {} // as in a container without ca-certificates
        Err(error) => panic!("{error}"),
        Ok(_) => {
            let met = meet_relay(Trust::Platform, "relay.test", server).await;
            assert_eq!(met, Err(Some(CertificateFault::Untrusted)));
        }
    }
}

#[test]
fn a_ca_file_without_a_certificate_is_named() {
    let refused = |pem: &[u8]| {
        relay_client_config(&Trust::CaFile(pem.to_vec()))
            .map(drop)
            .unwrap_err()
    };
    assert!(matches!(refused(b""), TrustError::NoCertificate));
    assert!(matches!(refused(b"relay.test"), TrustError::NoCertificate));
    assert!(matches!(
        refused(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"),
        TrustError::NotPem
    ));
}

/// A clock that stands still.
#[derive(Debug)]
struct Clock(u64);

impl rustls::time_provider::TimeProvider for Clock {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let since = std::time::Duration::from_secs(self.0);
        Some(rustls::pki_types::UnixTime::since_unix_epoch(since))
    }
}

/// 1 July of a year, in seconds since 1970.
fn july(year: i32) -> u64 {
    let date = rcgen::date_time_ymd(year, 7, 1);
    u64::try_from(date.unix_timestamp()).unwrap()
}

/// Meets, with the clock at `now`, a relay whose certificate is of these two years.
async fn meet_at(now: u64, years: (i32, i32)) -> (Verdict, Result<(), Option<CertificateFault>>) {
    let mut params = rcgen::CertificateParams::new(vec!["relay.test".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.1, 12, 31);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let (chain, key) = (certificate.der().clone(), key.serialize_der().into());
    let server = relay_server_config(vec![chain], PrivateKeyDer::Pkcs8(key)).unwrap();
    let trust = Trust::CaFile(certificate.pem().into_bytes());
    let (mut client, verdict) = relay_client_config(&trust).unwrap();
    client.time_provider = Arc::new(Clock(now));
    let (dialled, _) = handshake(client, server, "relay.test").await;
    let outcome = dialled.map(drop).map_err(|_| verdict.fault());
    (verdict, outcome)
}

#[tokio::test]
async fn a_machine_whose_clock_cannot_be_right_judges_by_the_relays() {
    for now in [0, july(2099)] {
        let (verdict, met) = meet_at(now, (2026, 2027)).await;
        assert_eq!((met, verdict.is_undated()), (Ok(()), true));
        assert_eq!(verdict.settle(july(2027)), Ok(()));
        assert_eq!(verdict.settle(july(2028)), Err(CertificateFault::OutOfDate));
        assert_eq!(verdict.settle(0), Err(CertificateFault::NoClock));
        // One that is still to come is taken, and then it is the relay's clock that counts.
        let (verdict, met) = meet_at(now, (2030, 2031)).await;
        assert_eq!(met, Ok(()));
        assert_eq!(verdict.settle(july(2029)), Err(CertificateFault::OutOfDate));
        // One that was over before this program was made needs no clock.
        let (_, met) = meet_at(now, (2020, 2021)).await;
        assert_eq!(met, Err(Some(CertificateFault::OutOfDate)));
    }
}

#[tokio::test]
async fn a_clock_that_may_be_right_is_believed() {
    let (verdict, met) = meet_at(july(2027), (2026, 2027)).await;
    assert_eq!((met, verdict.is_undated()), (Ok(()), false));
    assert_eq!(verdict.settle(0), Ok(()));
    for now in [july(2026), july(2029)] {
        let (_, met) = meet_at(now, (2027, 2028)).await;
        assert_eq!(met, Err(Some(CertificateFault::OutOfDate)));
    }
}

#[cfg(feature = "bundled-roots")]
#[tokio::test]
async fn a_machine_that_trusts_nobody_has_the_bundled_list() {
    let (server, _) = relay();
    // Whichever list it is, a self-made certificate is on neither.
    let met = meet_relay(Trust::Platform, "relay.test", server).await;
    assert_eq!(met, Err(Some(CertificateFault::Untrusted)));
}
