//! Moves packets between a queue and a stream until one of them ends.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    time::{sleep, timeout},
};

use super::{
    Decoder, FrameError, Message, PacketQueue, Side,
    frame::{encode, encode_pong},
};
use crate::random::random;

/// Pause after which an idle stream shows that it lives. Proxies cut idle tunnels after 60 s, few after 30 s.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Silence after which a stream is given up: three keep-alives.
const SILENCE: Duration = Duration::from_secs(60);

/// Longest that the other side may take nothing.
const STALL: Duration = Duration::from_secs(10);

/// Packets written at once: more would only wait below, where nobody can overtake them.
const BATCH: usize = 4;

/// Bytes read at once: the longest record of TLS.
const CHUNK: usize = 16 * 1024;

/// Why a stream is over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamEnd {
    /// This side closed its queue.
    #[error("closed here")]
    ClosedHere,
    /// The other side closed the stream.
    #[error("closed by the other side")]
    Closed,
    /// Nothing came for too long.
    #[error("nothing was heard for too long")]
    Silent,
    /// The other side took nothing for too long.
    #[error("nothing was taken for too long")]
    Stalled,
    /// What came is no WebSocket of ours.
    #[error("the stream makes no sense")]
    Frame(#[from] FrameError),
    /// The stream broke.
    #[error("the stream broke")]
    Io(#[from] io::Error),
}

/// Gives packets that come to `deliver` and writes those of `queue`, until one side ends it. `rest` is what has
/// been read already. Closes the queue at the end.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn carry<S: AsyncRead + AsyncWrite>(
    stream: S,
    side: Side,
    rest: Vec<u8>,
    queue: &PacketQueue,
    deliver: impl FnMut(&[u8]),
) -> StreamEnd {
    let (reader, writer) = tokio::io::split(stream);
    let end = tokio::select! {
        end = read(reader, side, &rest, queue, deliver) => end,
        end = write(writer, side, queue) => end,
    };
    queue.close();
    match end {
        Ok(()) => StreamEnd::ClosedHere,
        Err(end) => end,
    }
}

async fn read(
    mut stream: impl AsyncRead + Unpin,
    side: Side,
    rest: &[u8],
    queue: &PacketQueue,
    mut deliver: impl FnMut(&[u8]),
) -> Result<(), StreamEnd> {
    let mut decoder = Decoder::new(side);
    decoder.feed(rest);
    loop {
        while let Some(message) = decoder.next_message()? {
            match message {
                Message::Packet(packet) => deliver(packet),
                Message::Ping(payload) => queue.push_pong(payload),
                Message::Pong => {}
                Message::Close => return Err(StreamEnd::Closed),
            }
        }
        let read = timeout(SILENCE, fill(&mut decoder, &mut stream))
            .await
            .map_err(|_| StreamEnd::Silent)??;
        if read == 0 {
            return Err(StreamEnd::Closed);
        }
    }
}

/// Reads what is there; how many bytes that are. The room for them is on the stack, so that a stream that waits
/// holds none.
async fn fill(decoder: &mut Decoder, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
    poll_fn(|cx| {
        let mut room = [MaybeUninit::uninit(); CHUNK];
        let mut buffer = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
        decoder.feed(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    })
    .await
}

async fn write(
    mut stream: impl AsyncWrite + Unpin,
    side: Side,
    queue: &PacketQueue,
) -> Result<(), StreamEnd> {
    let mask = || match side {
        Side::Client => Some(random()),
        Side::Server => None,
    };
    loop {
        // Made anew each time, as most of the time there is nothing to write.
        let mut bytes = Vec::new();
        tokio::select! {
            batch = queue.next(BATCH) => {
                let Some(batch) = batch else {
                    encode(&mut bytes, Message::Close, mask());
                    let farewell = async {
                        stream.write_all(&bytes).await?;
                        stream.shutdown().await
                    };
                    // Whoever does not take it sees the connection end.
                    let _untaken = timeout(Duration::from_millis(500), farewell).await;
                    return Ok(());
                };
                for payload in &batch.pongs {
                    encode_pong(&mut bytes, payload, mask());
                }
                for packet in &batch.packets {
                    encode(&mut bytes, Message::Packet(packet), mask());
                }
            }
            () = sleep(KEEP_ALIVE) => encode(&mut bytes, Message::Ping(&[]), mask()),
        }
        let write = async {
            stream.write_all(&bytes).await?;
            // TLS would keep it otherwise, and hide that the other side takes nothing.
            stream.flush().await
        };
        timeout(STALL, write)
            .await
            .map_err(|_| StreamEnd::Stalled)??;
    }
}
