//! TCP beside UDP: TLS, then `GET /leg` for a leg's packets or `GET /healthz` for whoever watches the relay.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use alongside_transport::leg::{
    http::Head,
    tunnel,
    websocket::{self, PacketQueue, Side, StreamEnd, carry},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc, watch},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tracing::debug;

use super::{
    Shared,
    admission::{Admission, Pending},
};
use crate::{clock, config::seconds, random, source::Source};

/// Packets that wait for a leg's stream; beyond them they are lost, and the ends slow down (Tailscale's DERP: 32).
const QUEUE: usize = 32;

/// How often a stream is looked at whose leg is known.
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// Checks in a row without a leg after which a stream is closed: the leg has moved, and did not come back.
const MAX_UNUSED: u32 = 6;

/// Pause after the system could not give a connection: it has run out of something.
const EXHAUSTED: Duration = Duration::from_millis(100);

const HEALTHY: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const UPGRADE: &str = "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: alongside-leg/1\r\nContent-Length: 0\r\n\r\n";

/// What is left of a connection once it speaks TLS.
type Stream<S> = Box<TlsStream<S>>;

/// Where connections come from.
pub(super) trait Listener: Send {
    /// What they are.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next one.
    fn next(&mut self) -> impl Future<Output = io::Result<(Self::Io, SocketAddr)>> + Send;
}

impl Listener for TcpListener {
    type Io = TcpStream;

    async fn next(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, from) = self.accept().await?;
        tunnel::tune(&stream);
        Ok((stream, from))
    }
}

/// Of a simulated network; none come any more once it is gone.
impl Listener for mpsc::Receiver<(tunnel::Stream, SocketAddr)> {
    type Io = tunnel::Stream;

    async fn next(&mut self) -> io::Result<(tunnel::Stream, SocketAddr)> {
        match self.recv().await {
            Some(taken) => Ok(taken),
            None => std::future::pending().await,
        }
    }
}

/// Takes connections until the relay stops.
pub(super) async fn accept(
    shared: Arc<Shared>,
    mut listener: impl Listener,
    tls: TlsAcceptor,
    stopped: watch::Receiver<()>,
) {
    loop {
        let (stream, from) = match listener.next().await {
            Ok(accepted) => accepted,
            Err(error) => {
                debug!(%error, "no connection could be taken");
                sleep(EXHAUSTED).await;
                continue;
            }
        };
        let source = Source::of(from.ip());
        match Admission::enter(&shared.admission, clock::now(), source, random::bytes()) {
            Ok(pending) => {
                let (shared, tls) = (Arc::clone(&shared), tls.clone());
                let work = async move { serve(&shared, stream, from, tls, pending).await };
                tokio::spawn(super::until(stopped.clone(), work));
            }
            Err(why) => debug!(%from, %why, "connection refused"),
        }
    }
}

async fn serve(
    shared: &Shared,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    from: SocketAddr,
    tls: TlsAcceptor,
    pending: Pending,
) {
    let within = seconds(shared.limits.auth_timeout_s);
    let known_by = clock::now().checked_add(seconds(shared.limits.unauthenticated_total_s));
    let left = || known_by.map_or(within, |at| at.saturating_duration_since(clock::now()));
    // Boxed, so that a stream that lives for years does not hold the room of what is over.
    let stream = match timeout(within.min(left()), Box::pin(tls.accept(stream))).await {
        Ok(Ok(stream)) => Box::new(stream),
        Ok(Err(error)) => return debug!(%from, %error, "no TLS"),
        Err(_) => return debug!(%from, "TLS took too long"),
    };
    let Ok(Some((stream, rest))) = timeout(within.min(left()), Box::pin(greet(stream))).await
    else {
        return debug!(%from, "no leg came over the stream");
    };
    let queue = Arc::new(PacketQueue::new(QUEUE));
    let (address, in_use) = shared.socket.streams().open(from, Arc::clone(&queue));
    let end = tokio::select! {
        end = carry(stream, Side::Server, rest, &queue, |packet| shared.socket.take(address, packet)) => end,
        () = watch(shared, address, &in_use, pending, left()) => StreamEnd::ClosedHere,
    };
    shared.socket.streams().close(address);
    debug!(%from, %end, "a leg's stream is over");
}

/// Reads the request and answers it; gives the stream back if it is a leg's now.
async fn greet<S>(mut stream: Stream<S>) -> Option<(Stream<S>, Vec<u8>)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (head, rest) = Head::read(&mut stream, b"").await.ok()?;
    if let Some(answer) = websocket::answer(&head) {
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
        return Some((stream, rest));
    }
    let answer = match head.request() {
        Some(("GET", "/healthz")) => HEALTHY,
        Some(("GET", websocket::PATH)) => UPGRADE,
        Some(_) | None => NOT_FOUND,
    };
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()?;
    None
}

/// Returns when no leg uses the stream: none authenticated in time, or it moved and did not come back.
async fn watch(
    shared: &Shared,
    address: SocketAddr,
    in_use: &Notify,
    pending: Pending,
    within: Duration,
) {
    if timeout(within, in_use.notified()).await.is_err() {
        return debug!("no leg authenticated over the stream");
    }
    pending.authenticated();
    let mut unused = 0_u32;
    while unused < MAX_UNUSED {
        sleep(CHECK_EVERY).await;
        unused = if shared.table.is_leg_at(address) {
            0
        } else {
            unused.saturating_add(1)
        };
    }
}
