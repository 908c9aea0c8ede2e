//! The device's side: what the operator shows, and the next step towards the newest picture.

mod choice;
mod commotion;
mod meant;

use std::fmt;

use alongside_protocol::{
    PanelSize,
    units::{Millis, PanelRect},
    wire::DecodeError,
};

use self::{
    choice::{Chooser, Costs},
    commotion::Commotion,
    meant::Meant,
};
use crate::{
    frame::Frame,
    front::{Front, Memory},
    looks::Looks,
    message::{Check, MAX_BODY, MAX_MESSAGE, Open, State, ToDevice, ToOperator, Update},
    moves::{self, Search},
    profile::{Entropy, Profile},
    sent::{Position, Resumed, Sent},
    stage::{Drawn, MIN_ROOM, Order, Packer, StageError},
    terms::{Progress, Sameness, Terms},
    tiles::{self, TileGrid},
};

/// Longest head of an UPDATE: two numbers of 10 bytes, the state, and the length of the front.
const UPDATE_HEAD: usize = 24;

/// Fewest tiles, and fewest of the rectangle around them, for which it is worth looking for moves.
const MIN_MOVED: usize = 12;
const MIN_MOVED_AREA: usize = 24;

/// Most of a picture that animations may take up and still be held back: this part of its tiles.
const SMALL: usize = 8;

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
    /// What is meant by the tiles that are shown softly, and what is shown of all others; only while some are soft.
    meant: Option<Meant>,
    parts: Option<Parts>,
    search: Search,
    looks: Looks,
    /// Whether what is known of tiles is of this epoch, and of the picture that was handed in last.
    has_looked: bool,
    commotion: Commotion,
    costs: Costs,
    /// When animations were shown last.
    animated_at: Millis,
    progress: Progress,
    /// What the operator wants exactly before anything else.
    wish: Option<PanelRect>,
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
    /// Whether the operator then shows all of it, though some of it softly.
    pub visible: bool,
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
            meant: None,
            parts: None,
            search: Search::default(),
            looks: Looks::new(TileGrid::new(size)),
            has_looked: false,
            commotion: Commotion::default(),
            costs: Costs::START,
            animated_at: Millis::default(),
            progress: Progress::Partial,
            wish: None,
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
        self.step_within(frame, captured_at, &Terms::default())
    }

    /// One [`step`](Self::step) that keeps to `terms`. `None` when they leave nothing to send;
    /// [`progress`](Self::progress) says why.
    pub fn step_within(
        &mut self,
        frame: &Frame,
        captured_at: Millis,
        terms: &Terms,
    ) -> Option<Step> {
        let at = match terms.now {
            Some(now) => Millis::new(u64::try_from(now.as_millis()).unwrap_or(u64::MAX)),
            None => captured_at,
        };
        if self.parts.is_none() || self.shown.size() != frame.size() {
            return self.reopen(frame, captured_at, at);
        }
        if terms.sameness == Sameness::Unknown {
            // What comes before anything new, such as a CHECK, looks at no tile.
            self.has_looked = false;
        }
        if let Some(lost) = self.sent.repeat() {
            let is_last = self.sent.again() == 0;
            self.progress = Progress::Partial;
            return Some(self.other(lost, is_last && self.shows(frame)));
        }
        if self.is_check_due(at) {
            let check = self.check(at);
            let exact = self.shows(frame);
            return Some(self.other(check, exact));
        }
        let changed = TileGrid::new(frame.size()).changed(&self.shown, frame);
        if changed.is_empty() {
            self.progress = Progress::Exact;
            return None;
        }
        let Ok(message) = self.compose(frame, at, changed, terms) else {
            // The stage is of no use any more; the operator's half never saw what it took in.
            return self.reopen(frame, captured_at, at);
        };
        let message = message?;
        let elapsed = captured_at
            .as_u64()
            .wrapping_sub(self.captured_at.as_u64())
            .cast_signed();
        let state = match self.progress {
            Progress::Exact => State::Exact,
            Progress::Visible => State::Visible,
            Progress::Partial | Progress::Held(_) => State::Partial,
        };
        let message_frame = ToOperator::Update(Update {
            seq: self.seq + 1,
            elapsed,
            state,
            front: &message.front,
            tiles: &message.tiles,
        })
        .to_frame();
        if message_frame.len() > MAX_MESSAGE {
            return self.reopen(frame, captured_at, at);
        }
        self.captured_at = captured_at;
        self.seq += 1;
        self.unchecked += 1;
        self.sent.push(self.seq, &message_frame);
        Some(Step {
            frame: message_frame,
            exact: self.progress == Progress::Exact,
            visible: matches!(self.progress, Progress::Exact | Progress::Visible),
            tiles: message.drawn,
        })
    }

    /// How far the last step came.
    pub const fn progress(&self) -> Progress {
        self.progress
    }

    /// Whether messages have to be sent again before anything new.
    pub fn is_mending(&self) -> bool {
        self.sent.again() > 0
    }

    /// The part of the picture that the operator wants exactly before anything else, once.
    pub const fn take_wish(&mut self) -> Option<PanelRect> {
        self.wish.take()
    }

    /// Writes as much as the terms allow of what makes `changed` equal to `frame`, and applies it. `None` if they
    /// leave nothing.
    fn compose(
        &mut self,
        frame: &Frame,
        at: Millis,
        mut changed: Vec<usize>,
        terms: &Terms,
    ) -> Result<Option<Message>, StageError> {
        let grid = TileGrid::new(frame.size());
        let parts = self.parts.as_mut().ok_or(StageError)?;
        let news = if self.has_looked {
            0
        } else {
            parts.look(&mut self.looks, frame, &changed, at)
        };
        self.has_looked = true;
        let animated = changed
            .iter()
            .filter(|tile| self.looks.is_animated(**tile, at, terms.animation));
        let is_small = animated.count() <= grid.count() / SMALL;
        let age = at.as_u64().saturating_sub(self.animated_at.as_u64());
        let chooser = Chooser {
            grid,
            terms,
            at,
            holds: is_small && age < terms.animation,
            cursor: self.cursor,
            costs: self.costs,
            softens: self.profile.entropy() == Entropy::Model,
        };
        let rest = self.commotion.at(at, news, grid.count(), terms.rest);
        if let Some(wait) = rest {
            self.progress = Progress::Held(wait);
            return Ok(None);
        }
        let mut found = chooser.sort(&mut self.looks, &parts.memory.cache, frame, &changed);
        let mut front = Front::default();
        let mut touched = Vec::new();
        // What differed, and by moves does no more.
        let mut settled = Vec::new();
        if news > 0
            && let Some(area) = worth_searching(grid, &changed, found.unknown())
        {
            // What is shown softly moves as what it stands for.
            front.moves = match &self.meant {
                Some(meant) => self.search.find(meant, frame, area),
                None => self.search.find(&self.shown, frame, area),
            };
            moves::apply(&mut self.shown, &front.moves, &mut touched).ok_or(StageError)?;
            if let Some(meant) = &mut self.meant {
                moves::apply(meant, &front.moves, &mut Vec::new()).ok_or(StageError)?;
            }
            if !front.moves.is_empty() {
                settled = std::mem::replace(&mut changed, grid.changed(&self.shown, frame));
                let mut fresh = changed.clone();
                fresh.retain(|tile| settled.binary_search(tile).is_err());
                settled.retain(|tile| changed.binary_search(tile).is_err());
                parts.look(&mut self.looks, frame, &fresh, at);
                let moved = changed.iter().copied();
                for tile in moved.filter(|tile| touched.binary_search(tile).is_ok()) {
                    let meant = self.meant.as_ref().zip(grid.rect(tile));
                    if meant.is_some_and(|(meant, rect)| meant.is_same(frame, rect)) {
                        self.looks.shows_softly(tile);
                    } else {
                        self.looks.shows_other(tile);
                    }
                }
                found = chooser.sort(&mut self.looks, &parts.memory.cache, frame, &changed);
            }
        }
        front.known = std::mem::take(&mut found.known);
        let mut message = Message::default();
        let room = MAX_BODY - UPDATE_HEAD;
        if !front.is_empty() {
            message.front = parts.memory.write(&mut front, room);
            parts
                .memory
                .copy_known(&front, &mut self.shown, frame, &mut touched);
        }
        let room = room.saturating_sub(message.front.len());
        let enough = terms.enough.saturating_sub(message.front.len());
        let mut drawn = Drawn::default();
        if (message.front.is_empty() || enough > 0)
            && room >= MIN_ROOM
            && let Some(choice) = chooser.choose(&found)
        {
            let order = Order {
                tiles: &choice.tiles,
                room,
                enough: chooser.enough(&mut self.looks, &choice.tiles, enough),
                softly: choice.softly,
            };
            drawn = parts
                .packer
                .pack(&mut self.shown, frame, &order, &mut message.tiles)?;
            let expected = drawn.tiles.iter().map(|tile| self.looks.cost(*tile)).sum();
            let bytes = message.tiles.len();
            self.costs
                .learn(choice.group, drawn.tiles.len(), expected, bytes);
            self.cursor = match choice.tiles.get(drawn.whole) {
                Some(cut) => *cut,
                None => choice.last + 1,
            };
        }
        if message.front.is_empty() && message.tiles.is_empty() {
            self.progress = if found.held() > 0 {
                Progress::Held(terms.animation.saturating_sub(age).max(1))
            } else {
                Progress::Visible
            };
            return Ok(None);
        }
        message.drawn = drawn.tiles.len();
        let is_soft = drawn.is_soft;
        // Even if the link never gets to show all of it: else it would show nothing but the animation.
        let looks = &mut self.looks;
        let animates = drawn
            .tiles
            .iter()
            .any(|tile| chooser.is_animated(looks, *tile));
        let unfinished = drawn.take_unfinished();
        let is_finished = |tile: usize| {
            drawn.tiles.binary_search(&tile).is_ok()
                || front
                    .known
                    .binary_search_by_key(&tile, |(known, _)| *known)
                    .is_ok()
        };
        touched.extend_from_slice(&drawn.tiles);
        parts
            .memory
            .enter(&self.shown, &mut touched, &unfinished, |tile| {
                if is_finished(tile) || settled.binary_search(&tile).is_ok() {
                    self.looks.hash(tile)
                } else {
                    0
                }
            });
        if is_soft || self.meant.is_some() {
            let meant = self.meant.get_or_insert_with(|| Meant::of(&self.shown));
            let known = front.known.iter().map(|(place, _)| place);
            for rect in drawn
                .tiles
                .iter()
                .chain(known)
                .filter_map(|tile| grid.rect(*tile))
            {
                meant.copy(frame, rect);
            }
        }
        for tile in unfinished {
            // One that was soft and is exact in part is no worse than before.
            let is_near = is_soft || self.looks.is_soft(tile);
            if is_near {
                self.looks.shows_softly(tile);
            } else {
                self.looks.shows_other(tile);
            }
            if let (Some(meant), Some(rect)) = (&mut self.meant, grid.rect(tile)) {
                meant.copy(if is_near { frame } else { &self.shown }, rect);
            }
        }
        let left = changed.iter().filter(|tile| !is_finished(**tile));
        let (mut is_exact, mut is_visible) = (true, true);
        for tile in left {
            is_exact = false;
            is_visible &= self.looks.is_soft(*tile);
        }
        let finished = changed.iter().filter(|tile| is_finished(**tile));
        for tile in finished.chain(&settled) {
            self.looks.shows_exactly(*tile);
        }
        self.progress = if is_exact {
            Progress::Exact
        } else if is_visible {
            Progress::Visible
        } else {
            Progress::Partial
        };
        if is_exact {
            self.cursor = 0;
            self.meant = None;
        }
        if (is_visible || animates) && !chooser.holds {
            self.animated_at = at;
        }
        self.commotion.sent(at);
        Ok(Some(message))
    }

    /// Takes in a message of the operator: ACK, RESET or WANT.
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
            ToDevice::Want(wanted) => self.wish = Some(wanted.exactly),
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
    fn reopen(&mut self, frame: &Frame, captured_at: Millis, at: Millis) -> Option<Step> {
        if self.open.is_some() {
            self.epoch = self.epoch.wrapping_add(1);
        }
        (self.parts, self.meant) = (None, None); // frees the old ones before the new ones are made
        self.shown.blacken(frame.size());
        self.sent.close_epoch();
        let grid = TileGrid::new(frame.size());
        self.parts = Some(Parts {
            memory: Memory::new(grid, self.profile, self.epoch, false),
            packer: Packer::new(self.profile).ok()?,
        });
        self.looks = Looks::new(grid);
        self.has_looked = false;
        self.progress = Progress::Partial;
        self.seq += 1;
        self.open = Some(self.seq);
        self.cursor = 0;
        self.captured_at = captured_at;
        self.checked_at = at;
        self.unchecked = 0;
        let open = Open {
            seq: self.seq,
            epoch: self.epoch,
            captured_at,
            size: frame.size(),
            profile: self.profile,
        };
        let exact = self.shows(frame);
        let bytes = ToOperator::Open(open).to_frame();
        self.sent.push(self.seq, &bytes);
        Some(self.other(bytes, exact))
    }

    fn is_check_due(&self, now: Millis) -> bool {
        let age = now.as_u64().saturating_sub(self.checked_at.as_u64());
        self.unchecked >= CHECK_UPDATES || (self.unchecked > 0 && age >= CHECK_MILLIS)
    }

    fn check(&mut self, now: Millis) -> Vec<u8> {
        self.unchecked = 0;
        self.checked_at = now;
        let check = Check {
            seq: self.seq,
            hash: tiles::hash(&self.shown),
        };
        ToOperator::Check(check).to_frame()
    }

    /// A message that draws nothing new.
    fn other(&mut self, frame: Vec<u8>, exact: bool) -> Step {
        if exact {
            self.progress = Progress::Exact;
        }
        Step {
            frame,
            exact,
            // Nobody looked whether what was nearly right is so still.
            visible: exact,
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
}

impl Parts {
    /// Looks at all of `changed`; tells how many of them are not as they were.
    fn look(&mut self, looks: &mut Looks, frame: &Frame, changed: &[usize], at: Millis) -> usize {
        let cache = &mut self.memory.cache;
        looks.begin(at);
        let look = |tile: &&usize| looks.look(**tile, cache.hash_of(frame, **tile), at);
        changed.iter().filter(look).count()
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
            .field("visible", &self.visible)
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
