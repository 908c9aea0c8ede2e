use super::*;
use crate::{
    congestion::PathGeneration,
    identity::Identity,
    leg::{
        tls::{e2e_client_config, e2e_server_config, quic_client, quic_server},
        tuning,
    },
};

/// Two ends over UDP on this machine, and what keeps them alive.
async fn pair() -> (
    QuicConnection,
    QuicConnection,
    (watch::Sender<PathKind>, [quinn::Endpoint; 2]),
) {
    let operator = Arc::new(Identity::generate().unwrap());
    let device = Arc::new(Identity::generate().unwrap());
    let transport = || tuning::e2e(&PathGeneration::default(), Duration::ZERO);
    let here = "127.0.0.1:0".parse().unwrap();

    let server = e2e_server_config(&device, operator.public_key()).unwrap();
    let listening =
        quinn::Endpoint::server(quic_server(server, transport()).unwrap(), here).unwrap();
    let dialling = quinn::Endpoint::client(here).unwrap();
    let client = quic_client(
        e2e_client_config(&operator, device.public_key()).unwrap(),
        transport(),
    )
    .unwrap();

    let dial = dialling
        .connect_with(client, listening.local_addr().unwrap(), "peer")
        .unwrap();
    let (dialled, accepted) = tokio::join!(dial, async { listening.accept().await.unwrap().await });
    let (way, kind) = watch::channel(PathKind::RelayQuic);
    let dialled =
        QuicConnection::new(dialled.unwrap(), operator.public_key(), kind.clone()).unwrap();
    let accepted = QuicConnection::new(accepted.unwrap(), device.public_key(), kind).unwrap();
    (dialled, accepted, (way, [dialling, listening]))
}

crate::connection_conformance!(pair());

#[tokio::test]
async fn a_new_way_is_reported_at_once_and_makes_the_peer_answer() {
    let (dialled, accepted, (way, _endpoints)) = pair().await;
    let mut path = dialled.path();
    assert_eq!(path.borrow_and_update().kind, PathKind::RelayQuic);
    way.send(PathKind::Direct).unwrap();
    let shown = path
        .wait_for(|report| report.kind == PathKind::Direct)
        .await
        .map(|report| *report);
    assert!(shown.unwrap().sent > 0);

    // The kicks arrived, and are not handed to the session.
    dialled
        .send_datagram(Bytes::from_static(b"session"))
        .unwrap();
    assert_eq!(accepted.recv_datagram().await.unwrap(), "session");
}

#[tokio::test]
async fn a_connection_that_is_over_has_no_way() {
    let (dialled, accepted, _alive) = pair().await;
    let mut path = accepted.path();
    dialled.close(0, "");
    path.wait_for(|report| report.kind == PathKind::None)
        .await
        .unwrap();
}
