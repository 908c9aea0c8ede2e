//! Packets over a byte stream: a WebSocket (RFC 6455) in which one binary message is one packet, verbatim.
//!
//! Nothing else goes through it: the leg's control connection is QUIC here as well, its packets among the others.
//! So there is one way to prove a leg's key, one function that forwards, and a leg that changes between UDP and
//! the stream is one that moved to another address, which QUIC and the relay know how to follow. What stands in
//! between, a load balancer or an inspecting proxy, carries sealed packets and can at most drop them.
//!
//! A WebSocket rather than bare frames, because such boxes let it pass.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

mod carry;
mod frame;
mod queue;
#[cfg(test)]
mod tests;

pub use carry::{StreamEnd, carry};
pub use frame::{Decoder, FrameError, MAX_PACKET, Message, Side};
pub use queue::PacketQueue;

use super::http::{Head, HeadError};
use crate::random::random;

/// Path at which a relay takes legs.
pub const PATH: &str = "/leg";

/// The subprotocol: packets, and nothing but packets.
pub const PROTOCOL: &str = "alongside-leg/1";

/// RFC 6455, section 1.3.
const ACCEPT_SALT: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a stream did not become a WebSocket.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// The answer is another than 101.
    #[error("the WebSocket was refused (status {status})")]
    Refused {
        /// The status code.
        status: u16,
    },
    /// The answer is 101, but for something else.
    #[error("the answer is not that of an Alongside relay")]
    NotOurs,
    /// There is no answer that can be read.
    #[error("no answer to the WebSocket")]
    Head(#[from] HeadError),
}

/// Asks for a WebSocket at `authority` on `stream`; returns what came after the answer.
///
/// # Errors
///
/// [`UpgradeError`].
pub async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    authority: &str,
) -> Result<Vec<u8>, UpgradeError> {
    let key = STANDARD.encode(random::<16>());
    let request = format!(
        "GET {PATH} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: alongside\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\
         Sec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n"
    );
    let write = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await
    };
    write.await.map_err(HeadError::Io)?;
    let (head, rest) = Head::read(stream, b"HTTP/1.").await?;
    let status = head.status().ok_or(HeadError::NotHttp)?.code;
    if status != 101 {
        return Err(UpgradeError::Refused { status });
    }
    let accepts = head
        .fields("sec-websocket-accept")
        .eq([accept(&key).as_str()]);
    let upgrades = head.lists("upgrade", "websocket") && head.lists("connection", "upgrade");
    let is_ours = head.fields("sec-websocket-protocol").eq([PROTOCOL]);
    if accepts && upgrades && is_ours {
        Ok(rest)
    } else {
        Err(UpgradeError::NotOurs)
    }
}

/// The answer to `head` that makes its stream a WebSocket; `None` if it does not ask for one of ours.
pub fn answer(head: &Head) -> Option<String> {
    let (method, path) = head.request()?;
    let mut keys = head.fields("sec-websocket-key");
    let key = keys.next().filter(|key| key.len() == 24)?;
    let asks = method == "GET"
        && path == PATH
        && keys.next().is_none()
        && head.lists("upgrade", "websocket")
        && head.lists("connection", "upgrade")
        && head.lists("sec-websocket-version", "13")
        && head.lists("sec-websocket-protocol", PROTOCOL);
    asks.then(|| {
        let accept = accept(key);
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n"
        )
    })
}

fn accept(key: &str) -> String {
    let salted = format!("{key}{ACCEPT_SALT}");
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, salted.as_bytes()))
}
