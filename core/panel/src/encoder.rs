//! The device's side: what the operator shows, and the next step towards the newest picture.

use std::fmt;

use alongside_protocol::{
    PanelSize,
    units::{Millis, PanelRect},
    wire::DecodeError,
};

use crate::{
    cache::Id,
    frame::Frame,
    front::{Front, Memory},
    message::{Check, MAX_BODY, Open, State, ToDevice, ToOperator, Update},
    moves::{self, Search},
    profile::Profile,
    sent::{Position, Resumed, Sent},
    stage::{Drawn, MAX_TILES, MIN_ROOM, Packer, StageError},
    tiles::{self, TileGrid},
};

/// Longest head of an UPDATE: two numbers of 10 bytes, the state, and the length of the front.
const UPDATE_HEAD: usize = 24;

/// Fewest tiles, and fewest of the rectangle around them, for which it is worth looking for moves.
const MIN_MOVED: usize = 12;
const MIN_MOVED_AREA: usize = 24;

/// Most UPDATEs without a CHECK after them, and the longest time in milliseconds (our choice: a drift would
/// stand for a few seconds at most, for 13 bytes of traffic each time).
const CHECK_UPDATES: u32 = 256;
const CHECK_MILLIS: u64 = 5_000;

/// Turns pictures into the messages that bring one operator's picture up to date.
///
/// It never queues a picture: each [`step`](Self::step) is given the newest, and what an older one would have shown is
/// skipped. The messages must arrive whole and in order.
pub struct Encoder {
    profile: Profile,
    epoch: u64,
    /// Number of the last message sent, OPEN or UPDATE.
    seq: u64,
    /// Number of the OPEN of this epoch; `None` before the first.
    open: Option<u64>,
    captured_at: Millis,
    shown: Frame,
    parts: Option<Parts>,
    search: Search,
    /// Hash of the picture that was sent in part: what moved in it and what was known has been found already.
    partial: Option<u64>,
    /// Tile from which the next step goes looking, so that no tile waits for ever behind busier ones.
    cursor: usize,
    unchecked: u32,
    checked_at: Millis,
    sent: Sent,
}

/// What the messages of an epoch are written with.
struct Parts {
    memory: Memory,
    packer: Packer,
}

/// One message towards the newest picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// A whole protocol frame, at most [`MAX_MESSAGE`](crate::message::MAX_MESSAGE) bytes.
    pub frame: Vec<u8>,
    /// Whether the operator shows the given picture exactly once this has arrived.
    pub exact: bool,
    /// Number of tiles whose pixels are in it. Those that moved or were shown before cost next to nothing, and
    /// do not count.
    pub tiles: usize,
}

impl Encoder {
    /// An encoder for one operator. `epoch` names its first epoch; the caller draws it at random.
    pub fn new(size: PanelSize, epoch: u64, profile: Profile) -> Self {
        Self {
            profile,
            epoch,
            seq: 0,
            open: None,
            captured_at: Millis::default(),
            shown: Frame::black(size),
            parts: None,
            search: Search::default(),
            partial: None,
            cursor: 0,
            unchecked: 0,
            checked_at: Millis::default(),
            sent: Sent::default(),
        }
    }

    /// One step towards `frame`, taken at `captured_at`: the pixels of at most 96 tiles, whatever moved or was shown
    /// before, in one message of at most 16 KiB.
    ///
    /// `None` when the operator shows, or will show once everything sent has arrived, exactly this picture. A frame
    /// of another size begins a new epoch. After [`resume`](Self::resume), what was lost comes first.
    pub fn step(&mut self, frame: &Frame, captured_at: Millis) -> Option<Step> {
        if self.parts.is_none() || self.shown.size() != frame.size() {
            return self.reopen(frame, captured_at);
        }
        if let Some(lost) = self.sent.repeat() {
            return Some(Step {
                frame: lost,
                exact: self.sent.again() == 0 && self.shows(frame),
                tiles: 0,
            });
        }
        if self.is_check_due(captured_at) {
            return Some(self.check(frame, captured_at));
        }
        let changed = TileGrid::new(frame.size()).changed(&self.shown, frame);
        if changed.is_empty() {
            self.partial = None;
            return None;
        }
        let Ok(message) = self.compose(frame, changed) else {
            // The stage is of no use any more; the operator's half never saw what it took in.
            return self.reopen(frame, captured_at);
        };
        let elapsed = captured_at
            .as_u64()
            .wrapping_sub(self.captured_at.as_u64())
            .cast_signed();
        self.captured_at = captured_at;
        self.seq += 1;
        self.unchecked += 1;
        let exact = message.exact;
        let state = if exact { State::Exact } else { State::Partial };
        let frame = ToOperator::Update(Update {
            seq: self.seq,
            elapsed,
            state,
            front: &message.front,
            tiles: &message.tiles,
        })
        .to_frame();
        self.sent.push(self.seq, &frame);
        Some(Step {
            frame,
            exact,
            tiles: message.drawn,
        })
    }

    /// Writes as much as fits into one message of what makes `changed` equal to `frame`, and applies it.
    fn compose(&mut self, frame: &Frame, mut changed: Vec<usize>) -> Result<Message, StageError> {
        let parts = self.parts.as_mut().ok_or(StageError)?;
        let grid = TileGrid::new(frame.size());
        let hash = self.partial.map(|_| tiles::hash(frame));
        let is_news = hash.is_none() || hash != self.partial;
        let mut front = Front::default();
        let mut touched = Vec::new();
        let mut found = parts.sort(frame, &changed, self.cursor, is_news);
        if is_news && let Some(area) = worth_searching(grid, &changed, found.new.len()) {
            front.moves = self.search.find(&self.shown, frame, area);
            moves::apply(&mut self.shown, &front.moves, &mut touched).ok_or(StageError)?;
            if !front.moves.is_empty() {
                changed = grid.changed(&self.shown, frame);
                found = parts.sort(frame, &changed, self.cursor, true);
            }
        }
        front.known = found.known;
        let mut message = Message::default();
        let room = MAX_BODY - UPDATE_HEAD;
        if !front.is_empty() {
            message.front = parts.memory.write(&mut front, room);
            parts
                .memory
                .copy_known(&front, &mut self.shown, frame, &mut touched);
        }
        let room = room.saturating_sub(message.front.len());
        let mut drawn = Drawn::default();
        if !found.new.is_empty() && room >= MIN_ROOM {
            let mut new = found.new;
            new.truncate(MAX_TILES);
            let last = new.last().copied();
            new.sort_unstable();
            drawn = parts
                .packer
                .pack(&mut self.shown, frame, &new, room, &mut message.tiles)?;
            self.cursor = match new.get(drawn.whole) {
                Some(cut) => *cut,
                None => last.map_or(0, |last| last + 1),
            };
        }
        message.exact = front.known.len() + drawn.whole == changed.len();
        if message.exact {
            self.cursor = 0;
        }
        self.partial = (!message.exact).then(|| hash.unwrap_or_else(|| tiles::hash(frame)));
        message.drawn = drawn.tiles.len();
        let cut = drawn.tiles.split_off(drawn.whole);
        touched.append(&mut drawn.tiles);
        parts.memory.enter(&self.shown, &mut touched, &cut);
        Ok(message)
    }

    /// Takes in a message of the operator: ACK or RESET.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if it is none of them, malformed, or speaks of a message that was never sent.
    pub fn handle(&mut self, kind: u8, body: &[u8]) -> Result<(), DecodeError> {
        match ToDevice::from_frame(kind, body)? {
            ToDevice::Ack { seq } if seq > self.seq => return Err(DecodeError::Malformed { kind }),
            ToDevice::Ack { seq } => self.sent.acknowledge(seq),
            ToDevice::Reset(reset) if Some(reset.seq) > self.open => {
                return Err(DecodeError::Malformed { kind });
            }
            ToDevice::Reset(reset) if Some(reset.seq) == self.open => {
                self.profile = self.profile.within(reset.accepts);
                self.parts = None;
            }
            ToDevice::Reset(_) => {} // of an epoch that is over already
        }
        Ok(())
    }

    /// Bytes sent that the operator has not acknowledged.
    pub fn in_flight(&self) -> usize {
        self.sent.in_flight()
    }

    /// Goes on over a new connection, with a decoder that is [at](crate::Decoder::position) this position.
    ///
    /// Whatever was on its way is taken for lost. The next [steps](Self::step) bring what the decoder has not got, at most
    /// what was [in flight](Self::in_flight), and then go on; where that is not enough, they begin a new epoch.
    /// To be kept for [`RESUMABLE`](crate::RESUMABLE) without a connection.
    pub fn resume(&mut self, at: Option<Position>) -> Resumed {
        if self.parts.is_some() && self.rewind(at) {
            // A picture that was mended is worth a look.
            let again = u32::try_from(self.sent.again()).unwrap_or(u32::MAX);
            self.unchecked = self.unchecked.max(again);
            return Resumed::Here;
        }
        self.sent.clear();
        self.parts = None;
        Resumed::Anew
    }

    fn rewind(&mut self, at: Option<Position>) -> bool {
        match (at, self.open) {
            (Some(at), _) if at.epoch == self.epoch => self.sent.rewind(at.seq, self.seq),
            // It has not heard of this epoch, but can, if the OPEN is still here.
            (_, Some(open)) => self.sent.rewind(open - 1, self.seq),
            (_, None) => false,
        }
    }

    /// The picture that the operator shows once everything sent has arrived.
    pub fn shown(&self) -> &Frame {
        &self.shown
    }

    /// Begins an epoch. `None` only if there is no memory for its stage.
    fn reopen(&mut self, frame: &Frame, captured_at: Millis) -> Option<Step> {
        if self.open.is_some() {
            self.epoch = self.epoch.wrapping_add(1);
        }
        self.parts = None; // frees the old one before the new one is made
        self.sent.close_epoch();
        let grid = TileGrid::new(frame.size());
        self.parts = Some(Parts {
            memory: Memory::new(grid, self.profile, self.epoch, false),
            packer: Packer::new(self.profile).ok()?,
        });
        self.partial = None;
        self.seq += 1;
        self.open = Some(self.seq);
        self.shown = Frame::black(frame.size());
        self.cursor = 0;
        self.captured_at = captured_at;
        self.checked_at = captured_at;
        self.unchecked = 0;
        let open = Open {
            seq: self.seq,
            epoch: self.epoch,
            captured_at,
            size: frame.size(),
            profile: self.profile,
        };
        let exact = self.shows(frame);
        let frame = ToOperator::Open(open).to_frame();
        self.sent.push(self.seq, &frame);
        Some(Step {
            frame,
            exact,
            tiles: 0,
        })
    }

    fn is_check_due(&self, now: Millis) -> bool {
        let age = now.as_u64().saturating_sub(self.checked_at.as_u64());
        self.unchecked >= CHECK_UPDATES || (self.unchecked > 0 && age >= CHECK_MILLIS)
    }

    fn check(&mut self, frame: &Frame, now: Millis) -> Step {
        self.unchecked = 0;
        self.checked_at = now;
        let check = Check {
            seq: self.seq,
            hash: tiles::hash(&self.shown),
        };
        Step {
            frame: ToOperator::Check(check).to_frame(),
            exact: self.shows(frame),
            tiles: 0,
        }
    }

    fn shows(&self, frame: &Frame) -> bool {
        TileGrid::new(frame.size())
            .changed(&self.shown, frame)
            .is_empty()
    }
}

/// What a message holds, and what it brings.
#[derive(Default)]
struct Message {
    front: Vec<u8>,
    tiles: Vec<u8>,
    drawn: usize,
    exact: bool,
}

/// Tiles to be sent.
struct Found {
    /// Those that the operator's side knows, in order.
    known: Vec<(usize, Id)>,
    /// The others, as one comes across them from the cursor on.
    new: Vec<usize>,
}

impl Parts {
    /// Tells known tiles of `changed` from new ones: all of them, or as many as there are until a message is full.
    fn sort(&mut self, frame: &Frame, changed: &[usize], cursor: usize, all: bool) -> Found {
        let cache = &mut self.memory.cache;
        let start = changed.partition_point(|tile| *tile < cursor);
        let (before, after) = changed.split_at(start);
        let mut found = Found {
            known: Vec::new(),
            new: Vec::new(),
        };
        for &tile in after.iter().chain(before) {
            if !all && found.new.len() == MAX_TILES {
                break;
            }
            let id = if cache.is_off() {
                None
            } else {
                cache.find(frame, tile)
            };
            match id {
                Some(id) => found.known.push((tile, id)),
                None => found.new.push(tile),
            }
        }
        found.known.sort_unstable();
        found
    }
}

/// The rectangle of tiles around `changed`, in pixels, if it is large enough and many of its tiles are new.
fn worth_searching(grid: TileGrid, changed: &[usize], new: usize) -> Option<PanelRect> {
    let columns = grid.columns();
    let left = changed.iter().map(|tile| tile % columns).min()?;
    let right = changed.iter().map(|tile| tile % columns).max()?;
    let (top, bottom) = (changed.first()? / columns, changed.last()? / columns);
    if new < MIN_MOVED || (right - left + 1) * (bottom - top + 1) < MIN_MOVED_AREA {
        return None;
    }
    let first = grid.rect(top * columns + left)?;
    let last = grid.rect(bottom * columns + right)?;
    Some(PanelRect {
        width: last.x + last.width - first.x,
        height: last.y + last.height - first.y,
        ..first
    })
}

impl fmt::Debug for Step {
    /// The frame's length only: pixels never reach a log, not even packed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step")
            .field("frame", &format_args!("{} bytes", self.frame.len()))
            .field("exact", &self.exact)
            .field("tiles", &self.tiles)
            .finish()
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("seq", &self.seq)
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}
