//! WebSocket frames (RFC 6455, section 5).

/// Longest packet in bytes: what Ethernet carries.
pub const MAX_PACKET: usize = 1500;

/// Longest payload of a control frame.
const MAX_CONTROL: usize = 125;

const CONTINUATION: u8 = 0x0;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// Which end of the stream this is. The client masks what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Asked for the WebSocket.
    Client,
    /// Was asked.
    Server,
}

/// One message of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A packet.
    Packet(&'a [u8]),
    /// Is to be answered with a pong of the same bytes.
    Ping(&'a [u8]),
    /// Shows that the other side is there.
    Pong,
    /// The other side ends the stream.
    Close,
}

/// Why the stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A packet longer than [`MAX_PACKET`].
    #[error("a message is longer than a packet can be")]
    TooLong,
    /// Text, or an opcode that nobody knows.
    #[error("a message is no packet")]
    NotAPacket,
    /// The frame breaks RFC 6455.
    #[error("a frame breaks the WebSocket protocol")]
    Malformed,
}

/// Takes a stream apart into messages.
#[derive(Debug)]
pub struct Decoder {
    side: Side,
    buffer: Vec<u8>,
    /// Bytes at the front of `buffer` that are done with.
    done: usize,
    /// A packet whose first fragments have come. Only what stands in between splits packets.
    partial: Option<Vec<u8>>,
    /// The last packet that came in fragments.
    whole: Vec<u8>,
}

struct Header {
    fin: bool,
    opcode: u8,
    mask: Option<[u8; 4]>,
    /// Where the payload begins, from the frame's beginning.
    start: usize,
    len: usize,
}

impl Decoder {
    /// A decoder for `side`'s end of the stream.
    pub fn new(side: Side) -> Self {
        Self {
            side,
            buffer: Vec::new(),
            done: 0,
            partial: None,
            whole: Vec::new(),
        }
    }

    /// Takes bytes of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.drop_done();
        self.buffer.extend_from_slice(bytes);
    }

    /// Lets go of what is done with, and of the room for it if nothing is left: most streams wait most of the time.
    fn drop_done(&mut self) {
        if self.done >= self.buffer.len() {
            self.buffer = Vec::new();
        } else {
            self.buffer.drain(..self.done);
        }
        self.done = 0;
    }

    /// Next message; `None` until more bytes are fed.
    ///
    /// # Errors
    ///
    /// [`FrameError`]; nothing that comes after it makes sense.
    pub fn next_message(&mut self) -> Result<Option<Message<'_>>, FrameError> {
        loop {
            let Some(header) = self.header()? else {
                self.drop_done();
                return Ok(None);
            };
            let start = self.done + header.start;
            let range = start..start + header.len;
            let Some(payload) = self.buffer.get_mut(range.clone()) else {
                return Ok(None);
            };
            if let Some(mask) = header.mask {
                apply_mask(payload, mask);
            }
            self.done = range.end;
            match (header.opcode, header.fin) {
                (BINARY, true) if self.partial.is_none() => {
                    return Ok(self.buffer.get(range).map(Message::Packet));
                }
                (BINARY, false) if self.partial.is_none() => {
                    self.partial = Some(self.buffer.get(range).unwrap_or_default().to_vec());
                }
                (CONTINUATION, fin) => {
                    let Some(mut packet) = self.partial.take() else {
                        return Err(FrameError::Malformed);
                    };
                    packet.extend_from_slice(self.buffer.get(range).unwrap_or_default());
                    if packet.len() > MAX_PACKET {
                        return Err(FrameError::TooLong);
                    }
                    if !fin {
                        self.partial = Some(packet);
                        continue;
                    }
                    self.whole = packet;
                    return Ok(Some(Message::Packet(&self.whole)));
                }
                (PING, true) => return Ok(self.buffer.get(range).map(Message::Ping)),
                (PONG, true) => return Ok(Some(Message::Pong)),
                (CLOSE, true) => return Ok(Some(Message::Close)),
                (BINARY | PING | PONG | CLOSE, _) => return Err(FrameError::Malformed),
                _ => return Err(FrameError::NotAPacket),
            }
        }
    }

    fn header(&self) -> Result<Option<Header>, FrameError> {
        let bytes = self.buffer.get(self.done..).unwrap_or_default();
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        let (fin, opcode) = (first & FIN != 0, first & 0x0f);
        let must_be_masked = self.side == Side::Server;
        if first & 0x70 != 0 || (second & MASKED != 0) != must_be_masked {
            return Err(FrameError::Malformed);
        }
        let (len, extended) = match second & 0x7f {
            126 => {
                let Some(len) = rest.first_chunk::<2>() else {
                    return Ok(None);
                };
                let len = usize::from(u16::from_be_bytes(*len));
                if len < 126 {
                    return Err(FrameError::Malformed);
                }
                (len, 2)
            }
            127 => return Err(FrameError::TooLong),
            len => (usize::from(len), 0),
        };
        let max = if opcode & 0x8 == 0 {
            MAX_PACKET
        } else {
            MAX_CONTROL
        };
        if len > max {
            return Err(FrameError::TooLong);
        }
        let mask = rest.get(extended..).and_then(<[u8]>::first_chunk);
        if must_be_masked && mask.is_none() {
            return Ok(None);
        }
        Ok(Some(Header {
            fin,
            opcode,
            mask: mask.filter(|_| must_be_masked).copied(),
            start: 2 + extended + if must_be_masked { 4 } else { 0 },
            len,
        }))
    }
}

/// Writes `message` behind `out`, masked if there is a mask.
pub(crate) fn encode(out: &mut Vec<u8>, message: Message<'_>, mask: Option<[u8; 4]>) {
    let (opcode, payload) = match message {
        Message::Packet(packet) => (BINARY, packet),
        Message::Ping(bytes) => (PING, bytes),
        Message::Pong => (PONG, &[][..]),
        Message::Close => (CLOSE, &1000_u16.to_be_bytes()[..]),
    };
    encode_frame(out, opcode, payload, mask);
}

/// Writes the answer to a ping.
pub(super) fn encode_pong(out: &mut Vec<u8>, payload: &[u8], mask: Option<[u8; 4]>) {
    encode_frame(out, PONG, payload, mask);
}

fn encode_frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8], mask: Option<[u8; 4]>) {
    let masked = if mask.is_some() { MASKED } else { 0 };
    out.push(FIN | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(len @ 0..=125), _) => out.push(masked | len),
        (_, Ok(len)) => {
            out.push(masked | 126);
            out.extend_from_slice(&len.to_be_bytes());
        }
        (_, Err(_)) => {
            debug_assert!(false, "packets are shorter than 64 KiB");
            out.pop();
            return;
        }
    }
    let start = out.len() + if mask.is_some() { 4 } else { 0 };
    out.extend(mask.into_iter().flatten());
    out.extend_from_slice(payload);
    if let (Some(mask), Some(written)) = (mask, out.get_mut(start..)) {
        apply_mask(written, mask);
    }
}

fn apply_mask(bytes: &mut [u8], mask: [u8; 4]) {
    // Four at a time, which the compiler turns into as many as the processor takes.
    let mut chunks = bytes.chunks_exact_mut(mask.len());
    for chunk in &mut chunks {
        for (byte, mask) in chunk.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(mask) {
        *byte ^= mask;
    }
}
