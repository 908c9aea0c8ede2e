//! The device's side: what the operator shows, and the next step towards the newest picture.

use std::{collections::VecDeque, fmt};

use alongside_protocol::{PanelSize, units::Millis, wire::DecodeError};

use crate::{
    frame::Frame,
    message::{Check, MAX_BODY, Open, State, ToDevice, ToOperator, Update},
    profile::Profile,
    stage::{MAX_TILES, Packer},
    tiles::{self, TileGrid},
};

/// Longest head of an UPDATE: two numbers of 10 bytes and the state.
const UPDATE_HEAD: usize = 21;

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
    packer: Option<Packer>,
    /// Tile from which the next step goes looking, so that no tile waits for ever behind busier ones.
    cursor: usize,
    unchecked: u32,
    checked_at: Millis,
    unacked: VecDeque<(u64, usize)>,
    in_flight: usize,
}

/// One message towards the newest picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// A whole protocol frame, at most [`MAX_MESSAGE`](crate::message::MAX_MESSAGE) bytes.
    pub frame: Vec<u8>,
    /// Whether the operator shows the given picture exactly once this has arrived.
    pub exact: bool,
    /// Number of tiles in it.
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
            packer: None,
            cursor: 0,
            unchecked: 0,
            checked_at: Millis::default(),
            unacked: VecDeque::new(),
            in_flight: 0,
        }
    }

    /// One step towards `frame`, taken at `captured_at`: at most 96 tiles, in one message of at most 16 KiB.
    ///
    /// `None` when the operator shows, or will show once everything sent has arrived, exactly this picture. A frame
    /// of another size begins a new epoch.
    pub fn step(&mut self, frame: &Frame, captured_at: Millis) -> Option<Step> {
        if self.packer.is_none() || self.shown.size() != frame.size() {
            return self.reopen(frame, captured_at);
        }
        if self.is_check_due(captured_at) {
            return Some(self.check(frame, captured_at));
        }
        // One more than goes into a message, to know whether it is the last.
        let grid = TileGrid::new(frame.size());
        let mut changed = grid.changed_from(&self.shown, frame, self.cursor, MAX_TILES + 1);
        if changed.is_empty() {
            return None;
        }
        let fits = changed.len() <= MAX_TILES;
        changed.truncate(MAX_TILES);
        let last = changed.last().copied();
        changed.sort_unstable();
        let mut body = Vec::new();
        let packer = self.packer.as_mut()?;
        let Ok(tiles) = packer.pack(
            &mut self.shown,
            frame,
            &changed,
            MAX_BODY - UPDATE_HEAD,
            &mut body,
        ) else {
            // The stage is of no use any more; the operator's half never saw what it took in.
            return self.reopen(frame, captured_at);
        };
        let all = tiles == changed.len();
        let exact = fits && all;
        self.cursor = match (exact, all) {
            (true, _) => 0,
            (false, true) => last.map_or(0, |last| last + 1),
            (false, false) => changed.get(tiles).copied().unwrap_or(0),
        };
        let elapsed = captured_at
            .as_u64()
            .wrapping_sub(self.captured_at.as_u64())
            .cast_signed();
        self.captured_at = captured_at;
        self.seq += 1;
        self.unchecked += 1;
        let state = if exact { State::Exact } else { State::Partial };
        let frame = ToOperator::Update(Update {
            seq: self.seq,
            elapsed,
            state,
            tiles: &body,
        })
        .to_frame();
        self.sent(frame.len());
        Some(Step {
            frame,
            exact,
            tiles,
        })
    }

    /// Takes in a message of the operator: ACK or RESET.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if it is none of them, malformed, or speaks of a message that was never sent.
    pub fn handle(&mut self, kind: u8, body: &[u8]) -> Result<(), DecodeError> {
        match ToDevice::from_frame(kind, body)? {
            ToDevice::Ack { seq } if seq > self.seq => return Err(DecodeError::Malformed { kind }),
            ToDevice::Ack { seq } => {
                while let Some(&(sent, bytes)) = self.unacked.front()
                    && sent <= seq
                {
                    self.unacked.pop_front();
                    self.in_flight -= bytes;
                }
            }
            ToDevice::Reset(reset) if Some(reset.seq) > self.open => {
                return Err(DecodeError::Malformed { kind });
            }
            ToDevice::Reset(reset) if Some(reset.seq) == self.open => {
                self.profile = self.profile.within(reset.accepts);
                self.packer = None;
            }
            ToDevice::Reset(_) => {} // of an epoch that is over already
        }
        Ok(())
    }

    /// Bytes sent that the operator has not acknowledged.
    pub fn in_flight(&self) -> usize {
        self.in_flight
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
        self.packer = Packer::new(self.profile).ok();
        self.packer.as_ref()?;
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
        self.sent(frame.len());
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

    fn sent(&mut self, bytes: usize) {
        self.unacked.push_back((self.seq, bytes));
        self.in_flight += bytes;
    }
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
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}
