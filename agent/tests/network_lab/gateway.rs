//! A gateway that opens TLS to look into it, as companies have them.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{Arc, Mutex},
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::{authority::Authority, ground::Ns};

/// What it has seen of the bytes inside TLS.
pub struct Gateway(Arc<Mutex<Vec<u8>>>);

impl Gateway {
    /// Runs at `place` and port `at`: shows certificates of `authority`, goes on to the relay, which it knows by `ca`.
    pub fn start(place: &Ns, at: u16, authority: &Authority, relay: SocketAddr, ca: &Path) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let (certificate, key) = authority.for_relay();
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).expect("PEM")];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM");
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a certificate");
        let mut roots = RootCertStore::empty();
        let pem = fs::read(ca).expect("the relay's authority");
        roots
            .add(CertificateDer::from_pem_slice(&pem).expect("PEM"))
            .expect("a root");
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let ways = Ways {
            acceptor: TlsAcceptor::from(Arc::new(server)),
            connector: TlsConnector::from(Arc::new(client)),
            relay,
            seen: Arc::clone(&seen),
        };
        let listener = place.listen(&format!("0.0.0.0:{at}"));
        place.spawn_inside(move || serve(listener, &ways));
        Self(seen)
    }

    /// Whether these bytes went through in the clear, inside TLS.
    pub fn saw(&self, bytes: &[u8]) -> bool {
        let seen = self.0.lock().unwrap();
        seen.windows(bytes.len()).any(|part| part == bytes)
    }
}

#[derive(Clone)]
struct Ways {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    relay: SocketAddr,
    seen: Arc<Mutex<Vec<u8>>>,
}

fn serve(listener: TcpListener, ways: &Ways) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        listener.set_nonblocking(true).expect("set");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
        while let Ok((stream, _)) = listener.accept().await {
            let ways = ways.clone();
            tokio::spawn(async move {
                let _over = open(stream, &ways).await;
            });
        }
    });
}

async fn open(stream: TcpStream, ways: &Ways) -> std::io::Result<()> {
    let inner = ways.acceptor.accept(stream).await?;
    let onward = TcpStream::connect(ways.relay).await?;
    let name = ServerName::try_from("relay.lab").expect("a name");
    let outer = ways.connector.connect(name, onward).await?;
    let (inner, outer) = (tokio::io::split(inner), tokio::io::split(outer));
    tokio::try_join!(
        pass(inner.0, outer.1, &ways.seen),
        pass(outer.0, inner.1, &ways.seen)
    )?;
    Ok(())
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    seen: &Mutex<Vec<u8>>,
) -> std::io::Result<()> {
    let mut bytes = vec![0; 16_384];
    loop {
        let len = from.read(&mut bytes).await?;
        if len == 0 {
            return to.shutdown().await;
        }
        seen.lock().unwrap().extend_from_slice(&bytes[..len]);
        to.write_all(&bytes[..len]).await?;
        to.flush().await?;
    }
}
