#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::future::poll_fn;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustls::{
    ClientConfig, ConnectionTrafficSecrets, RootCertStore,
    pki_types::{PrivateKeyDer, ServerName},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;

/// Both ends of a stream that have shaken hands.
async fn pair() -> (TlsStream<DuplexStream>, Wire<DuplexStream>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["relay.test".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let certificate = certificate.der().clone();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls13 = &[&rustls::version::TLS13];
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(tls13)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(tls13)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.enable_secret_extraction = true;
    let (near, far) = duplex(64 * 1024);
    let name = ServerName::try_from("relay.test").unwrap();
    let connector = TlsConnector::from(Arc::new(client));
    let (client, wire) = tokio::join!(
        connector.connect(name, near),
        Wire::accept(far, Arc::new(server))
    );
    (client.unwrap(), wire.unwrap())
}

#[tokio::test]
async fn bytes_pass_both_ways_and_the_end_is_seen() {
    let (mut client, mut wire) = pair().await;
    let sent: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let mut got = vec![0; sent.len()];
    let write = async {
        client.write_all(&sent).await.unwrap();
        client.flush().await.unwrap();
    };
    tokio::join!(write, async { wire.read_exact(&mut got).await.unwrap() });
    assert!(got == sent);
    got.fill(0);
    let write = async {
        wire.write_all(&sent).await.unwrap();
        wire.shutdown().await.unwrap();
    };
    tokio::join!(write, async { client.read_exact(&mut got).await.unwrap() });
    assert!(got == sent);
    assert_eq!(client.read(&mut got).await.unwrap(), 0);
    client.shutdown().await.unwrap();
    assert_eq!(wire.read(&mut got).await.unwrap(), 0);
    assert_eq!((wire.incoming.capacity(), wire.outgoing.capacity()), (0, 0));
}

#[tokio::test]
async fn who_takes_a_little_at_a_time_and_never_all_makes_nothing_grow() {
    const WAITS: usize = 48 * 1024;
    let (client, mut wire) = pair().await;
    let (mut io, _) = client.into_inner();
    let mut got = vec![0; 4096];
    for _ in 0..300 {
        while wire.waiting() < WAITS {
            wire.seal(&[7; 1000]).unwrap();
        }
        let is_pending = poll_fn(|cx| Poll::Ready(wire.poll_write_out(cx).is_pending())).await;
        if is_pending {
            io.read_exact(&mut got).await.unwrap();
        }
        assert!(
            wire.outgoing.len() < WAITS + 2 * CHUNK,
            "{}",
            wire.outgoing.len()
        );
    }
    assert!(wire.taken() > 1_000_000, "{}", wire.taken());
}

/// Records as this side would write them, of whatever kind.
struct Forger {
    io: DuplexStream,
    key: LessSafeKey,
    iv: [u8; 12],
    count: u64,
}

impl Forger {
    fn of(client: TlsStream<DuplexStream>) -> Self {
        let (io, tls) = client.into_inner();
        let (count, secrets) = tls.dangerous_extract_secrets().unwrap().tx;
        let (algorithm, key, iv) = match secrets {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&AES_128_GCM, key, iv),
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&AES_256_GCM, key, iv),
            ConnectionTrafficSecrets::Chacha20Poly1305 { .. } | _ => panic!("not preferred"),
        };
        Self {
            io,
            key: LessSafeKey::new(UnboundKey::new(algorithm, key.as_ref()).unwrap()),
            iv: iv.as_ref().try_into().unwrap(),
            count,
        }
    }

    fn record(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut nonce = self.iv;
        for (byte, count) in nonce[4..].iter_mut().zip(self.count.to_be_bytes()) {
            *byte ^= count;
        }
        self.count += 1;
        let mut sealed = [content, &[kind]].concat();
        let len = u16::try_from(sealed.len() + 16).unwrap().to_be_bytes();
        let header = [23, 3, 3, len[0], len[1]];
        let nonce = Nonce::assume_unique_for_key(nonce);
        (self.key)
            .seal_in_place_append_tag(nonce, Aad::from(header), &mut sealed)
            .unwrap();
        [&header[..], &sealed].concat()
    }
}

const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;

#[tokio::test]
async fn a_record_in_pieces_does_not_hold_up_what_goes_out() {
    let (client, mut wire) = pair().await;
    let mut forger = Forger::of(client);
    let record = forger.record(DATA, b"hello");
    for byte in &record {
        assert_eq!(wire.plain(), b"");
        forger.io.write_all(&[*byte]).await.unwrap();
        assert!(poll_fn(|cx| wire.poll_fill(cx)).await.unwrap());
        wire.seal(b"meanwhile").unwrap();
        poll_fn(|cx| wire.poll_write_out(cx)).await.unwrap();
    }
    assert_eq!(wire.plain(), b"hello");
}

#[tokio::test]
async fn a_message_of_tls_that_never_comes_whole_ends_at_most_its_own_stream() {
    for len in 1..5 {
        let (client, mut wire) = pair().await;
        let mut forger = Forger::of(client);
        // The beginning of a key update.
        let part = forger.record(HANDSHAKE, &[24, 0, 0, 1][..len]);
        forger.io.write_all(&part).await.unwrap();
        let _either = poll_fn(|cx| wire.poll_fill(cx)).await;
        let _either = wire.seal(b"to it all the same");
        let _either = poll_fn(|cx| wire.poll_write_out(cx)).await;
        let record = forger.record(DATA, b"and on");
        forger.io.write_all(&record).await.unwrap();
        let _either = poll_fn(|cx| wire.poll_fill(cx)).await;
        let _either = wire.seal(b"again");
        let _either = wire.shutdown().await;
    }
}

#[tokio::test]
async fn whatever_records_say_nothing_worse_than_an_error_comes_of_them() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state = (state.wrapping_mul(6_364_136_223_846_793_005)).wrapping_add(1);
        usize::try_from(state >> 40).unwrap() % below
    };
    for _ in 0..100 {
        let (client, mut wire) = pair().await;
        let mut forger = Forger::of(client);
        let mut stream = Vec::new();
        for _ in 0..1 + random(8) {
            let kind = [HANDSHAKE, HANDSHAKE, DATA, DATA, 20, 21, 99][random(7)];
            let key_update = [24, 0, 0, 1, u8::try_from(random(3)).unwrap()];
            let content = match random(4) {
                0 => key_update[..random(6)].to_vec(),
                1 => key_update.repeat(1 + random(3)),
                2 => vec![u8::try_from(random(256)).unwrap(); random(2000)],
                _ => [1, 0, 24, 22][..random(5)].to_vec(),
            };
            stream.extend(forger.record(kind, &content));
        }
        if random(4) == 0 {
            let at = random(stream.len());
            stream[at] ^= 1;
        }
        let mut rest = &stream[..];
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(1 + random(rest.len()));
            rest = behind;
            forger.io.write_all(piece).await.unwrap();
            let _either = poll_fn(|cx| wire.poll_fill(cx)).await;
            let _either = wire.seal(b"something");
            let _either = poll_fn(|cx| wire.poll_write_out(cx)).await;
        }
        let _either = wire.shutdown().await;
    }
}

#[tokio::test]
async fn a_key_update_is_followed() {
    let (mut client, mut wire) = pair().await;
    for _ in 0..3 {
        client.get_mut().1.refresh_traffic_keys().unwrap();
        client.write_all(b"ping").await.unwrap();
        client.flush().await.unwrap();
        let mut got = [0; 4];
        wire.read_exact(&mut got).await.unwrap();
        wire.write_all(b"pong").await.unwrap();
        client.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"pong");
    }
}

#[tokio::test]
async fn nonsense_ends_the_stream() {
    let (client, mut wire) = pair().await;
    let (mut io, _) = client.into_inner();
    io.write_all(&[0x17, 3, 3, 0, 30]).await.unwrap();
    io.write_all(&[7; 30]).await.unwrap();
    assert!(wire.read(&mut [0; 10]).await.is_err());
}
