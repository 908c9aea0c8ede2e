//! The frame of every reliable stream: `length u24 big-endian | type u8 | body`.
//!
//! The length counts the body alone. A stream belongs to one [`Channel`], which says how long a body may be,
//! so a receiver never allocates on the sender's word.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use crate::wire::DecodeError;

/// Bytes in front of every body: three of length, one of type.
pub const HEADER_LEN: usize = 4;

/// A reliable stream of the end-to-end connection, named by its first byte.
///
/// The operator opens all of them; the first is [`Channel::Control`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// Proof of the code, then consent, mode changes, accessible checks and the end.
    Control,
    /// What the two halves of the active mode tell each other.
    Mode,
    /// The picture of the panel, and its acknowledgements.
    Panel,
    /// Settings and whatever else may wait.
    Bulk,
}

impl Channel {
    /// Every channel, most urgent first.
    pub const ALL: [Self; 4] = [Self::Control, Self::Mode, Self::Panel, Self::Bulk];

    /// First byte of the stream, and of a datagram that belongs to the channel.
    pub const fn id(self) -> u8 {
        match self {
            Self::Control => 1,
            Self::Mode => 2,
            Self::Panel => 3,
            Self::Bulk => 4,
        }
    }

    /// The channel that `id` names.
    pub const fn from_id(id: u8) -> Option<Self> {
        match id {
            1 => Some(Self::Control),
            2 => Some(Self::Mode),
            3 => Some(Self::Panel),
            4 => Some(Self::Bulk),
            _ => None,
        }
    }

    /// Priority of the stream; a higher one is sent first.
    pub const fn priority(self) -> i32 {
        match self {
            Self::Control => 20,
            Self::Mode => 10,
            Self::Panel => 0,
            Self::Bulk => -10,
        }
    }

    /// Longest body the channel carries, in bytes.
    ///
    /// 4 KiB where a person's single act is described, 16 KiB for a step of the picture so that the
    /// budget's debt stays below half a second, 64 KiB for bulk (our choice).
    pub const fn max_body(self) -> usize {
        match self {
            Self::Control | Self::Mode => 4 * 1024,
            Self::Panel => 16 * 1024,
            Self::Bulk => 64 * 1024,
        }
    }
}

/// Encodes one frame. Bodies beyond 2^24 - 1 bytes do not occur: every channel's cap is far below.
pub fn to_frame(kind: u8, body: &[u8]) -> Vec<u8> {
    debug_assert!(body.len() < 1 << 24, "frame body of {} bytes", body.len());
    let mut out = Vec::with_capacity(HEADER_LEN + body.len());
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    out.extend_from_slice(&len[1..]);
    out.push(kind);
    out.extend_from_slice(body);
    out
}

/// Cuts a byte stream into frames.
///
/// Holds at most one frame that is not complete, so its memory is bounded by `max_body` plus what the caller
/// pushed last.
pub struct FrameReader {
    buffer: BytesMut,
    max_body: usize,
}

/// Shows how much waits, never what: bodies hold keys and pictures.
impl fmt::Debug for FrameReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "FrameReader({} of at most {} bytes)",
            self.buffer.len(),
            HEADER_LEN + self.max_body
        )
    }
}

/// One whole frame.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// Type byte.
    pub kind: u8,
    /// Body, without the header.
    pub body: Bytes,
}

/// Shows type and length, never the body: bodies hold keys and pictures.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({:#04x}, {} bytes)", self.kind, self.body.len())
    }
}

impl FrameReader {
    /// A reader that refuses bodies longer than `max_body` bytes.
    pub fn new(max_body: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            max_body,
        }
    }

    /// A reader with the cap of `channel`.
    pub fn for_channel(channel: Channel) -> Self {
        Self::new(channel.max_body())
    }

    /// Takes bodies of up to `max_body` bytes from now on: the other side has proved who it is.
    pub const fn set_max_body(&mut self, max_body: usize) {
        self.max_body = max_body;
    }

    /// Takes in bytes as they came from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Next whole frame, or `None` until more bytes come.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TooLong`] as soon as a header announces more than the cap; the stream is then useless.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, DecodeError> {
        let Some((header, _)) = self.buffer.split_first_chunk::<HEADER_LEN>() else {
            return Ok(None);
        };
        let [a, b, c, kind] = *header;
        let len = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        if len > self.max_body {
            return Err(DecodeError::TooLong {
                got: len,
                max: self.max_body,
            });
        }
        if self.buffer.len() < HEADER_LEN + len {
            return Ok(None);
        }
        self.buffer.advance(HEADER_LEN);
        let body = self.buffer.split_to(len).freeze();
        Ok(Some(Frame { kind, body }))
    }

    /// Bytes that wait for the rest of their frame.
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }
}
