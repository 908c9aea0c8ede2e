//! The operator's side: the picture, message by message.

use std::fmt;

use alongside_protocol::{
    PanelSize,
    units::{Millis, PanelRect},
    wire::DecodeError,
};

use crate::{
    frame::Frame,
    front::Memory,
    message::{Open, Reset, State, Timing, ToDevice, ToOperator, Update},
    moves::Move,
    profile::Profile,
    sent::Position,
    stage::{StageError, Unpacker},
    tiles::{self, TileGrid},
};

/// Most pixels a decoder makes room for unless told otherwise: a 4K panel (4096x2160), 35 MB.
pub const MAX_PIXELS: usize = 4096 * 2160;

/// Bytes of UPDATEs for each OPEN that nobody asked for: reading them takes as long as making room for a picture.
const OPEN_COST: usize = 64 * 1024;

/// OPENs that may come together: a panel that is turned, and turned back, begins an epoch each time.
const OPENS: usize = 16;

/// Keeps the picture that a device's messages draw.
///
/// It trusts none of them. Its memory is at most the picture of [`MAX_PIXELS`] (or what
/// [`with_max_pixels`](Self::with_max_pixels) says), a second one while parts of it move, what its profile says of
/// window, tables and tile cache, and less than 3 MiB beside. The tile cache is wiped when its epoch ends.
pub struct Decoder {
    max: Profile,
    max_pixels: usize,
    /// Bytes that the device has to its credit for OPENs that nobody asked for.
    credit: usize,
    live: Option<Live>,
}

/// An epoch under way.
struct Live {
    epoch: u64,
    /// Number of the last message applied.
    seq: u64,
    open: u64,
    captured_at: Millis,
    state: State,
    /// Whether a CHECK has come since; a second one would only cost time.
    is_checked: bool,
    picture: Frame,
    /// Which tiles are only nearly what the device shows, and how many.
    soft: Vec<bool>,
    softs: usize,
    /// `None` once the epoch is given up: nothing of it is applied any more.
    parts: Option<Parts>,
}

/// What the messages of an epoch are read with.
struct Parts {
    memory: Memory,
    unpacker: Unpacker,
}

/// What a message did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Number of the last message applied, this one or one before it.
    pub seq: u64,
    /// What kind of message it was.
    pub what: What,
    /// The pixels that may have changed.
    pub damage: Vec<PanelRect>,
    /// Whether the picture is now exactly what the device captured at `captured_at`.
    pub exact: bool,
    /// Whether it is so at least nearly.
    pub visible: bool,
    /// Where it is only nearly right.
    pub soft: Vec<PanelRect>,
    /// When the newest picture that went into this one was captured, by the device's clock.
    pub captured_at: Millis,
    /// A whole frame to send back, ACK or RESET.
    pub reply: Option<Vec<u8>>,
}

/// What kind of message was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The picture is black now and may have another size.
    Opened,
    /// Some tiles changed.
    Updated,
    /// The picture is what the device thinks it is.
    Confirmed,
    /// Nothing was drawn; this is how long the device took over the last UPDATE.
    Timed(Timing),
    /// The picture is not what the device thinks it is, or the OPEN wanted more than this side accepts; the reply
    /// asks for a new epoch.
    GivenUp,
    /// Nothing: it belongs to an epoch that was given up.
    Skipped,
}

/// Why a message of the device cannot be applied. The channel is useless after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PanelError {
    /// The message is not one.
    Decode(DecodeError),
    /// The panel has more pixels than this side makes room for.
    TooLarge {
        /// The size that the OPEN announces.
        got: PanelSize,
        /// Most pixels.
        max: usize,
    },
    /// An UPDATE or CHECK before any OPEN, or one that does not follow the message before it.
    OutOfOrder {
        /// Number the message has.
        got: u64,
        /// Number of the last message applied.
        last: u64,
    },
    /// There is no memory for the picture stream.
    NoMemory,
    /// One OPEN after the other, where nobody asked for any.
    TooOften,
}

impl Decoder {
    /// A decoder that accepts streams within `max`.
    pub fn new(max: Profile) -> Self {
        Self {
            max,
            max_pixels: MAX_PIXELS,
            credit: OPENS * OPEN_COST,
            live: None,
        }
    }

    /// Sets the most pixels that a panel may have (default [`MAX_PIXELS`]).
    #[must_use]
    pub fn with_max_pixels(mut self, pixels: usize) -> Self {
        self.max_pixels = pixels;
        self
    }

    /// Applies one message of the device.
    ///
    /// # Errors
    ///
    /// [`PanelError`] if it is malformed, out of order, or asks for more than this side gives. The picture stays
    /// readable; it may have part of the message in it.
    pub fn apply(&mut self, kind: u8, body: &[u8]) -> Result<Applied, PanelError> {
        let applied = self.try_apply(kind, body);
        // Part of it may be drawn already, or learnt from.
        if matches!(applied, Err(PanelError::Decode(_)))
            && let Some(live) = &mut self.live
        {
            live.parts = None;
            live.state = State::Partial;
        }
        applied
    }

    /// As [`apply`](Self::apply), but goes on after an error, with whatever it left.
    pub(crate) fn try_apply(&mut self, kind: u8, body: &[u8]) -> Result<Applied, PanelError> {
        let message = ToOperator::from_frame(kind, body)?;
        self.credit = (self.credit + body.len()).min(OPENS * OPEN_COST);
        match message {
            ToOperator::Timing(timing) => Ok(self.live(0)?.applied(What::Timed(timing))),
            ToOperator::Open(open) => self.open(&open),
            ToOperator::Update(update) => self.live(update.seq)?.update(kind, &update),
            ToOperator::Check(check) => {
                let max = self.max;
                let live = self.live(check.seq)?;
                if live.parts.is_none() {
                    return Ok(live.applied(What::Skipped));
                }
                if check.seq != live.seq || live.is_checked {
                    return Err(PanelError::OutOfOrder {
                        got: check.seq,
                        last: live.seq,
                    });
                }
                live.is_checked = true;
                if tiles::hash(&live.picture) == check.hash {
                    return Ok(live.applied(What::Confirmed));
                }
                Ok(live.give_up(max))
            }
        }
    }

    /// The picture, once there is one.
    pub fn picture(&self) -> Option<&Frame> {
        self.live.as_ref().map(|live| &live.picture)
    }

    /// How far the stream has come, for a device that [goes on](crate::Encoder::resume) over a new connection.
    ///
    /// `None` if there is nothing to go on from. A decoder to which an [error](PanelError) has happened is of no use
    /// for it.
    pub fn position(&self) -> Option<Position> {
        let live = self.live.as_ref().filter(|live| live.parts.is_some())?;
        Some(Position {
            epoch: live.epoch,
            seq: live.seq,
        })
    }

    fn live(&mut self, got: u64) -> Result<&mut Live, PanelError> {
        self.live
            .as_mut()
            .ok_or(PanelError::OutOfOrder { got, last: 0 })
    }

    fn open(&mut self, open: &Open) -> Result<Applied, PanelError> {
        if open.size.pixels() > self.max_pixels {
            return Err(PanelError::TooLarge {
                got: open.size,
                max: self.max_pixels,
            });
        }
        if let Some(live) = &self.live
            && open.seq <= live.seq
        {
            return Err(PanelError::OutOfOrder {
                got: open.seq,
                last: live.seq,
            });
        }
        // One that answers our RESET is free.
        if self.live.as_ref().is_none_or(|live| live.parts.is_some()) {
            let left = self.credit.checked_sub(OPEN_COST);
            self.credit = left.ok_or(PanelError::TooOften)?;
        }
        let fits = open.profile.fits(self.max);
        self.live = None; // frees the old epoch before the new one is made
        let parts = if fits {
            let grid = TileGrid::new(open.size);
            Some(Parts {
                memory: Memory::new(grid, open.profile, open.epoch, true),
                unpacker: Unpacker::new(open.profile).map_err(|_| PanelError::NoMemory)?,
            })
        } else {
            None
        };
        let live = self.live.insert(Live {
            epoch: open.epoch,
            seq: open.seq,
            open: open.seq,
            captured_at: open.captured_at,
            state: State::Partial,
            is_checked: false,
            picture: Frame::black(open.size),
            soft: vec![false; TileGrid::new(open.size).count()],
            softs: 0,
            parts,
        });
        if !fits {
            return Ok(live.give_up(self.max));
        }
        let damage = vec![PanelRect {
            x: 0,
            y: 0,
            width: open.size.width(),
            height: open.size.height(),
        }];
        Ok(Applied {
            damage,
            reply: Some(live.ack()),
            ..live.applied(What::Opened)
        })
    }
}

impl Parts {
    /// Draws what `update` says.
    fn draw(&mut self, picture: &mut Frame, update: &Update<'_>) -> Result<Changed, StageError> {
        let mut touched = Vec::new();
        let mut changed = Changed::default();
        if !update.front.is_empty() {
            let front = self.memory.read(update.front).ok_or(StageError)?;
            self.memory
                .draw(&front, picture, &mut touched)
                .ok_or(StageError)?;
            changed.moves = front.moves;
            changed
                .exact
                .extend(front.known.iter().map(|(place, _)| *place));
        }
        let mut cut = Vec::new();
        if !update.tiles.is_empty() {
            let mut drawn = self.unpacker.unpack(picture, update.tiles)?;
            cut = drawn.take_unfinished();
            changed.exact.extend_from_slice(&drawn.tiles);
            if drawn.is_soft {
                changed.soft = cut.clone();
            }
            touched.append(&mut drawn.tiles);
        }
        if touched.is_empty() && cut.is_empty() {
            return Err(StageError);
        }
        self.memory.enter(picture, &mut touched, &cut, |_| 0);
        touched.append(&mut cut);
        touched.sort_unstable();
        touched.dedup();
        changed.all = touched;
        Ok(changed)
    }
}

/// What an UPDATE did to the tiles.
#[derive(Default)]
struct Changed {
    /// All that it changed, in order.
    all: Vec<usize>,
    moves: Vec<Move>,
    exact: Vec<usize>,
    soft: Vec<usize>,
}

impl Live {
    fn update(&mut self, kind: u8, update: &Update<'_>) -> Result<Applied, PanelError> {
        let Some(parts) = &mut self.parts else {
            return Ok(self.applied(What::Skipped));
        };
        if Some(update.seq) != self.seq.checked_add(1) {
            return Err(PanelError::OutOfOrder {
                got: update.seq,
                last: self.seq,
            });
        }
        let Ok(changed) = parts.draw(&mut self.picture, update) else {
            return Err(DecodeError::Malformed { kind }.into());
        };
        self.seq = update.seq;
        self.is_checked = false;
        self.state = update.state;
        self.captured_at = Millis::new(
            self.captured_at
                .as_u64()
                .wrapping_add_signed(update.elapsed),
        );
        let damage = TileGrid::new(self.picture.size()).cover(&changed.all);
        self.soften(&changed);
        Ok(Applied {
            damage,
            reply: Some(self.ack()),
            ..self.applied(What::Updated)
        })
    }

    /// Notes which tiles are soft now.
    fn soften(&mut self, changed: &Changed) {
        if self.softs == 0 && changed.soft.is_empty() {
            return;
        }
        if self.state == State::Exact {
            self.soft.fill(false);
            self.softs = 0;
            return;
        }
        let columns = TileGrid::new(self.picture.size()).columns();
        // What is soft stays so where it is moved to.
        let mut moved = Vec::new();
        for it in &changed.moves {
            if it
                .source_tiles(columns)
                .any(|tile| self.soft.get(tile) == Some(&true))
            {
                moved.extend(it.tiles(columns));
            }
        }
        let soft = moved.iter().chain(&changed.soft).map(|tile| (*tile, true));
        let exact = changed.exact.iter().map(|tile| (*tile, false));
        for (tile, is_soft) in soft.chain(exact) {
            if let Some(soft) = self.soft.get_mut(tile) {
                *soft = is_soft;
            }
        }
        self.softs = self.soft.iter().filter(|soft| **soft).count();
    }

    fn give_up(&mut self, accepts: Profile) -> Applied {
        self.parts = None;
        self.state = State::Partial;
        let reset = ToDevice::Reset(Reset {
            seq: self.open,
            accepts,
        })
        .to_frame();
        Applied {
            reply: Some(reset),
            ..self.applied(What::GivenUp)
        }
    }

    fn soft_rects(&self) -> Vec<PanelRect> {
        if self.softs == 0 {
            return Vec::new();
        }
        let tiles = self.soft.iter().enumerate().filter(|(_, soft)| **soft);
        let tiles: Vec<usize> = tiles.map(|(tile, _)| tile).collect();
        TileGrid::new(self.picture.size()).cover(&tiles)
    }

    fn ack(&self) -> Vec<u8> {
        ToDevice::Ack { seq: self.seq }.to_frame()
    }

    fn applied(&self, what: What) -> Applied {
        Applied {
            seq: self.seq,
            what,
            damage: Vec::new(),
            exact: self.state == State::Exact,
            visible: self.state != State::Partial,
            soft: self.soft_rects(),
            captured_at: self.captured_at,
            reply: None,
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = self.live.as_ref().map(|live| live.seq);
        f.debug_struct("Decoder")
            .field("max", &self.max)
            .field("seq", &seq)
            .finish_non_exhaustive()
    }
}

impl From<DecodeError> for PanelError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl fmt::Display for PanelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(_) => write!(f, "not a message of the panel channel"),
            Self::TooLarge { got, max } => {
                write!(
                    f,
                    "panel of {}x{} pixels where at most {max} are allowed",
                    got.width(),
                    got.height()
                )
            }
            Self::OutOfOrder { got, last } => write!(f, "picture message {got} after {last}"),
            Self::TooOften => write!(f, "one picture stream begun after the other"),
            Self::NoMemory => write!(f, "no memory for the picture stream"),
        }
    }
}

impl std::error::Error for PanelError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Decode(error) => Some(error),
            Self::TooLarge { .. } | Self::OutOfOrder { .. } | Self::NoMemory | Self::TooOften => {
                None
            }
        }
    }
}
