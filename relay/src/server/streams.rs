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
    websocket::{self, StreamEnd},
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc, watch},
    time::{sleep, timeout},
};
use tracing::debug;

use super::{
    Shared,
    admission::{Admission, Pending},
};
use crate::{
    clock,
    config::seconds,
    forward::{Outlet, Streams},
    random,
    source::Source,
};

mod pipe;
mod wire;

use pipe::Pipe;
use wire::Wire;

/// How often a stream is looked at whose leg is known.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// Checks in a row without a leg after which a stream is closed: the leg has moved, and did not come back.
const MAX_UNUSED: u32 = 12;

/// Pause after the system could not give a connection: it has run out of something.
const EXHAUSTED: Duration = Duration::from_millis(100);

const HEALTHY: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const UPGRADE: &str = "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: alongside-leg/1\r\nContent-Length: 0\r\n\r\n";

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
    tls: Arc<ServerConfig>,
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
                let (shared, tls) = (Arc::clone(&shared), Arc::clone(&tls));
                let work = async move { serve(&shared, stream, from, tls, pending).await };
                tokio::spawn(super::until(stopped.clone(), work));
            }
            Err(why) => debug!(%from, %why, "connection refused"),
        }
    }
}

async fn serve(
    shared: &Shared,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    from: SocketAddr,
    tls: Arc<ServerConfig>,
    pending: Pending,
) {
    let within = seconds(shared.limits.auth_timeout_s);
    let known_by = clock::now().checked_add(seconds(shared.limits.unauthenticated_total_s));
    let left = || known_by.map_or(within, |at| at.saturating_duration_since(clock::now()));
    // Boxed, so that a stream that lives for years does not hold the room of what is over.
    let wire = match timeout(within.min(left()), Box::pin(Wire::accept(stream, tls))).await {
        Ok(Ok(wire)) => wire,
        Ok(Err(error)) => return debug!(%from, %error, "no TLS"),
        Err(_) => return debug!(%from, "TLS took too long"),
    };
    let Ok(Some((wire, rest))) = timeout(within.min(left()), Box::pin(greet(wire))).await else {
        return debug!(%from, "no leg came over the stream");
    };
    let pipe = Arc::new(Pipe::new(clock::now(), wire));
    let outlet = Arc::clone(&pipe) as Arc<dyn Outlet>;
    let (address, in_use) = shared.socket.streams().open(from, outlet);
    let _open = Open {
        streams: shared.socket.streams(),
        address,
    };
    let end = tokio::select! {
        end = pipe.carry(rest, &shared.socket, address) => end,
        end = watch(shared, &pipe, address, &in_use, pending, left()) => end,
    };
    debug!(%from, %end, "a leg's stream is over");
}

/// A stream that packets find; dropping it ends that, also where a bug ended its task.
struct Open<'a> {
    streams: &'a Streams,
    address: SocketAddr,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.streams.close(self.address);
    }
}

/// Reads the request and answers it; gives the stream back if it is a leg's now.
async fn greet<S>(mut stream: Wire<S>) -> Option<(Wire<S>, Vec<u8>)>
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

/// Returns when the stream is of no use: no leg authenticated over it in time, or it moved and did not come back, or
/// the other side is not there.
async fn watch<S>(
    shared: &Shared,
    pipe: &Pipe<S>,
    address: SocketAddr,
    in_use: &Notify,
    pending: Pending,
    within: Duration,
) -> StreamEnd
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    if timeout(within, in_use.notified()).await.is_err() {
        debug!("no leg authenticated over the stream");
        return StreamEnd::ClosedHere;
    }
    pending.authenticated();
    let mut unused = 0_u32;
    while unused < MAX_UNUSED {
        sleep(CHECK_EVERY).await;
        if let Some(end) = pipe.check(clock::now()) {
            return end;
        }
        unused = if shared.table.is_leg_at(address) {
            0
        } else {
            unused.saturating_add(1)
        };
    }
    StreamEnd::ClosedHere
}
