//! The control stream between a leg and the relay, framed.

use std::{io, marker::PhantomData};

use alongside_protocol::{
    frame::FrameReader,
    relay::{FromRelay, MAX_BODY, ToRelay},
    wire::DecodeError,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Bytes read at once: a control message is hardly ever longer, and every idle leg at the relay holds a buffer.
const READ: usize = 512;

/// A message of one direction: [`ToRelay`] or [`FromRelay`].
pub trait ControlMessage: Sized + sealed::Sealed {
    /// Reads the message that a frame carried.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if it is none of this direction.
    fn decode(kind: u8, body: &[u8]) -> Result<Self, DecodeError>;

    /// The message as one whole frame.
    fn encode(&self) -> Vec<u8>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! control_message {
    ($($name:ident),*) => {$(
        impl sealed::Sealed for $name {}
        impl ControlMessage for $name {
            fn decode(kind: u8, body: &[u8]) -> Result<Self, DecodeError> { Self::from_frame(kind, body) }
            fn encode(&self) -> Vec<u8> { self.to_frame() }
        }
    )*};
}
control_message!(ToRelay, FromRelay);

/// Why a control stream is of no more use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The connection below broke.
    #[error("the control stream broke")]
    Io(#[from] io::Error),
    /// The other side sent something that is no message.
    #[error("the other side of the control stream broke the protocol")]
    Protocol(#[from] DecodeError),
    /// The stream ended within a message.
    #[error("the control stream ended within a message")]
    Truncated,
}

/// Receiving half of a control stream.
#[derive(Debug)]
pub struct ControlReader<M, R> {
    stream: R,
    frames: FrameReader,
    messages: PhantomData<fn() -> M>,
}

impl<M: ControlMessage, R: AsyncRead + Unpin> ControlReader<M, R> {
    /// Reads messages from `stream`.
    pub fn new(stream: R) -> Self {
        Self {
            stream,
            frames: FrameReader::new(MAX_BODY),
            messages: PhantomData,
        }
    }

    /// Next message, or `None` once the other side has finished the stream.
    ///
    /// # Errors
    ///
    /// [`ControlError`]; the stream is then useless.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was read stays in the reader.
    pub async fn next(&mut self) -> Result<Option<M>, ControlError> {
        loop {
            if let Some(frame) = self.frames.next_frame()? {
                return Ok(Some(M::decode(frame.kind, &frame.body)?));
            }
            let mut buffer = [0; READ];
            let len = self.stream.read(&mut buffer).await?;
            if len == 0 {
                return if self.frames.pending() == 0 {
                    Ok(None)
                } else {
                    Err(ControlError::Truncated)
                };
            }
            self.frames.push(buffer.get(..len).unwrap_or(&[]));
        }
    }
}

/// Sending half of a control stream.
#[derive(Debug)]
pub struct ControlWriter<M, W> {
    stream: W,
    messages: PhantomData<fn(M)>,
}

impl<M: ControlMessage, W: AsyncWrite + Unpin> ControlWriter<M, W> {
    /// Writes messages to `stream`.
    pub fn new(stream: W) -> Self {
        Self {
            stream,
            messages: PhantomData,
        }
    }

    /// Hands `message` to the stream.
    ///
    /// # Errors
    ///
    /// [`ControlError::Io`] if the stream is broken.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the stream may be left within a message.
    pub async fn send(&mut self, message: impl Into<M>) -> Result<(), ControlError> {
        let frame = message.into().encode();
        self.stream.write_all(&frame).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Ends the stream once everything has been sent.
    ///
    /// # Errors
    ///
    /// [`ControlError::Io`] if the stream is broken.
    pub async fn finish(&mut self) -> Result<(), ControlError> {
        self.stream.shutdown().await?;
        Ok(())
    }

    /// The stream below, for what is particular to it.
    pub fn stream(&mut self) -> &mut W {
        &mut self.stream
    }
}

#[cfg(test)]
mod tests {
    use alongside_protocol::relay::{Closing, LegCheck};

    use super::*;

    #[tokio::test]
    async fn messages_arrive_whole_and_in_order() {
        let (ours, theirs) = tokio::io::duplex(7); // smaller than a message, so that each comes in pieces
        let mut writer = ControlWriter::<ToRelay, _>::new(ours);
        let mut reader = ControlReader::<ToRelay, _>::new(theirs);
        let send = async {
            for n in 1..=20 {
                writer.send(LegCheck { n }).await.unwrap();
            }
            writer.finish().await.unwrap();
        };
        let receive = async {
            for n in 1..=20 {
                assert_eq!(
                    reader.next().await.unwrap(),
                    Some(ToRelay::Check(LegCheck { n }))
                );
            }
            assert!(reader.next().await.unwrap().is_none());
        };
        tokio::join!(send, receive);
    }

    #[tokio::test]
    async fn a_message_of_the_other_direction_breaks_the_stream() {
        let frame = FromRelay::from(Closing {}).to_frame();
        let mut reader = ControlReader::<ToRelay, _>::new(frame.as_slice());
        assert!(matches!(
            reader.next().await,
            Err(ControlError::Protocol(DecodeError::UnknownType(0x68)))
        ));
    }

    #[tokio::test]
    async fn a_long_announcement_is_refused_before_its_bytes_come() {
        let mut reader = ControlReader::<ToRelay, _>::new([0x00, 0x10, 0x01, 0x44].as_slice());
        let refused = reader.next().await;
        assert!(matches!(
            refused,
            Err(ControlError::Protocol(DecodeError::TooLong {
                got: 4097,
                max: 4096
            }))
        ));
    }

    #[tokio::test]
    async fn a_stream_that_ends_within_a_message_says_so() {
        let frame = ToRelay::from(LegCheck { n: 1 }).to_frame();
        for len in 1..frame.len() {
            let mut reader = ControlReader::<ToRelay, _>::new(&frame[..len]);
            assert!(
                matches!(reader.next().await, Err(ControlError::Truncated)),
                "{len} bytes"
            );
        }
    }
}
