//! Messages of the panel channel. The crate's documentation describes the bytes.

use std::fmt;

use alongside_protocol::{
    PanelSize,
    frame::{HEADER_LEN, to_frame},
    units::{Millis, PanelRect},
    wire::DecodeError,
};

use crate::{
    bits::{Reader, put_varint, unzigzag, zigzag},
    profile::Profile,
};

/// Longest message of the picture in bytes, header included: the debt that the budget allows.
pub const MAX_MESSAGE: usize = 16 * 1024;

/// Longest body.
pub(crate) const MAX_BODY: usize = MAX_MESSAGE - HEADER_LEN;

/// Version of the format, in every OPEN.
const VERSION: u8 = 3;

/// Added to the state of an UPDATE that has a front.
const HAS_FRONT: u8 = 4;

/// Device to operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToOperator<'a> {
    /// Forget everything; the picture is now black and of this size.
    Open(Open),
    /// Some tiles change.
    Update(Update<'a>),
    /// What the operator should be showing.
    Check(Check),
    /// How long the device took over a picture.
    Timing(Timing),
}

/// Begins an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// Number of the message, which goes on from epoch to epoch.
    pub seq: u64,
    /// Names the epoch.
    pub epoch: u64,
    /// When the picture that is to come was taken.
    pub captured_at: Millis,
    /// Size of the picture.
    pub size: PanelSize,
    /// What the stream uses.
    pub profile: Profile,
}

/// Changes some tiles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Update<'a> {
    /// Number of the message: one more than that of the OPEN or UPDATE before it.
    pub seq: u64,
    /// Milliseconds from the `captured_at` of the OPEN or UPDATE before it.
    pub elapsed: i64,
    /// How much of the device's picture the operator has after it.
    pub state: State,
    /// What moved, and tiles that were shown before; empty if there is nothing of that.
    pub front: &'a [u8],
    /// Which tiles are new, and their pixels; the entropy stage's business. Empty if there are none.
    pub tiles: &'a [u8],
}

impl fmt::Debug for Update<'_> {
    /// Lengths only: pixels never reach a log, not even packed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update")
            .field("seq", &self.seq)
            .field("elapsed", &self.elapsed)
            .field("state", &self.state)
            .field("front", &format_args!("{} bytes", self.front.len()))
            .field("tiles", &format_args!("{} bytes", self.tiles.len()))
            .finish()
    }
}

/// How the picture stands after an UPDATE, against the one that was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Some tiles still show something older.
    Partial,
    /// Every tile shows what was captured, some of them not yet exactly.
    Visible,
    /// Equal, pixel by pixel.
    Exact,
}

/// Lets the operator's side find out that it shows something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Number of the OPEN or UPDATE after which the picture had this hash.
    pub seq: u64,
    /// XXH3-64 of the picture's pixels, each as four bytes: 0, red, green, blue.
    pub hash: u64,
}

/// How long the device took over the picture of the last UPDATE, in tenths of a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// To take it.
    pub capture: u32,
    /// To find out what changed and to write the message.
    pub encode: u32,
}

/// Operator to device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToDevice {
    /// Everything up to this message has been applied.
    Ack {
        /// Number of the last OPEN or UPDATE applied.
        seq: u64,
    },
    /// Begin again.
    Reset(Reset),
    /// Send something before anything else.
    Want(Want),
}

/// Asks for a new epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reset {
    /// Number of the OPEN whose epoch is given up. If a later one is on its way, nothing needs to be done.
    pub seq: u64,
    /// The most that the new epoch may use.
    pub accepts: Profile,
}

/// What the operator wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// This part of the picture is to be exact before anything else is sent; what of it lies outside means nothing.
    pub exactly: PanelRect,
}

impl<'a> ToOperator<'a> {
    /// Type bytes of this direction.
    pub const KINDS: &'static [u8] = &[0x30, 0x31, 0x32, 0x33];

    /// Encodes the message as one whole frame.
    pub fn to_frame(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let kind = match self {
            Self::Open(open) => {
                body.push(VERSION);
                put_varint(&mut body, open.seq);
                body.extend_from_slice(&open.epoch.to_be_bytes());
                put_varint(&mut body, open.captured_at.as_u64());
                body.extend_from_slice(&open.size.width().to_be_bytes());
                body.extend_from_slice(&open.size.height().to_be_bytes());
                put_profile(&mut body, open.profile);
                0x30
            }
            Self::Update(update) => {
                put_varint(&mut body, update.seq);
                put_varint(&mut body, zigzag(update.elapsed));
                let state = match update.state {
                    State::Partial => 0,
                    State::Visible => 1,
                    State::Exact => 3,
                };
                if update.front.is_empty() {
                    body.push(state);
                } else {
                    body.push(state | HAS_FRONT);
                    put_varint(&mut body, update.front.len() as u64);
                    body.extend_from_slice(update.front);
                }
                body.extend_from_slice(update.tiles);
                0x31
            }
            Self::Check(check) => {
                put_varint(&mut body, check.seq);
                body.extend_from_slice(&check.hash.to_be_bytes());
                0x32
            }
            Self::Timing(timing) => {
                put_varint(&mut body, timing.capture.into());
                put_varint(&mut body, timing.encode.into());
                0x33
            }
        };
        to_frame(kind, &body)
    }

    /// Reads the message that a frame carried.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for an unknown type byte, a body above [`MAX_MESSAGE`], or one that is truncated, has
    /// bytes left over or holds a value outside its bounds. The tiles of an UPDATE are not looked at.
    pub fn from_frame(kind: u8, body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = bounded(body)?;
        match kind {
            0x30 => complete(open(&mut reader), &reader).map(Self::Open),
            0x31 => update(reader).map(Self::Update),
            0x32 => complete(check(&mut reader), &reader).map(Self::Check),
            0x33 => complete(timing(&mut reader), &reader).map(Self::Timing),
            other => return Err(DecodeError::UnknownType(other)),
        }
        .ok_or(DecodeError::Malformed { kind })
    }
}

impl ToDevice {
    /// Type bytes of this direction.
    pub const KINDS: &'static [u8] = &[0x38, 0x39, 0x3a];

    /// Encodes the message as one whole frame.
    pub fn to_frame(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let kind = match self {
            Self::Ack { seq } => {
                put_varint(&mut body, *seq);
                0x38
            }
            Self::Reset(reset) => {
                put_varint(&mut body, reset.seq);
                put_profile(&mut body, reset.accepts);
                0x39
            }
            Self::Want(want) => {
                let PanelRect {
                    x,
                    y,
                    width,
                    height,
                } = want.exactly;
                for side in [x, y, width, height] {
                    body.extend_from_slice(&side.to_be_bytes());
                }
                0x3a
            }
        };
        to_frame(kind, &body)
    }

    /// Reads the message that a frame carried.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for an unknown type byte, or for a body that is truncated, has bytes left over or holds
    /// a value outside its bounds.
    pub fn from_frame(kind: u8, body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = bounded(body)?;
        match kind {
            0x38 => complete(reader.varint(), &reader).map(|seq| Self::Ack { seq }),
            0x39 => complete(reset(&mut reader), &reader).map(Self::Reset),
            0x3a => complete(want(&mut reader), &reader).map(Self::Want),
            other => return Err(DecodeError::UnknownType(other)),
        }
        .ok_or(DecodeError::Malformed { kind })
    }
}

fn bounded(body: &[u8]) -> Result<Reader<'_>, DecodeError> {
    if body.len() > MAX_BODY {
        return Err(DecodeError::TooLong {
            got: body.len(),
            max: MAX_BODY,
        });
    }
    Ok(Reader::new(body))
}

fn complete<T>(value: Option<T>, reader: &Reader<'_>) -> Option<T> {
    value.filter(|_| reader.is_empty())
}

fn open(reader: &mut Reader<'_>) -> Option<Open> {
    if reader.u8()? != VERSION {
        return None;
    }
    Some(Open {
        seq: reader.varint()?,
        epoch: reader.u64()?,
        captured_at: Millis::new(reader.varint()?),
        size: PanelSize::new(reader.u16()?, reader.u16()?)?,
        profile: profile(reader)?,
    })
}

fn update(mut reader: Reader<'_>) -> Option<Update<'_>> {
    let seq = reader.varint()?;
    let elapsed = unzigzag(reader.varint()?);
    let flags = reader.u8()?;
    let state = match flags & !HAS_FRONT {
        0 => State::Partial,
        1 => State::Visible,
        3 => State::Exact,
        _ => return None,
    };
    let front = if flags & HAS_FRONT == 0 {
        &[]
    } else {
        let len = usize::try_from(reader.varint()?).ok()?;
        reader.bytes(len).filter(|front| !front.is_empty())?
    };
    Some(Update {
        seq,
        elapsed,
        state,
        front,
        tiles: reader.rest(),
    })
}

fn timing(reader: &mut Reader<'_>) -> Option<Timing> {
    Some(Timing {
        capture: u32::try_from(reader.varint()?).ok()?,
        encode: u32::try_from(reader.varint()?).ok()?,
    })
}

fn reset(reader: &mut Reader<'_>) -> Option<Reset> {
    Some(Reset {
        seq: reader.varint()?,
        accepts: profile(reader)?,
    })
}

fn want(reader: &mut Reader<'_>) -> Option<Want> {
    let exactly = PanelRect {
        x: reader.u16()?,
        y: reader.u16()?,
        width: reader.u16()?,
        height: reader.u16()?,
    };
    (exactly.width > 0 && exactly.height > 0).then_some(Want { exactly })
}

fn check(reader: &mut Reader<'_>) -> Option<Check> {
    Some(Check {
        seq: reader.varint()?,
        hash: reader.u64()?,
    })
}

fn put_profile(out: &mut Vec<u8>, profile: Profile) {
    out.extend_from_slice(&profile.to_bytes());
}

fn profile(reader: &mut Reader<'_>) -> Option<Profile> {
    Profile::from_bytes(reader.array()?)
}
