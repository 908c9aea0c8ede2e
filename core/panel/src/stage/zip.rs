//! E0: packed tiles through one zstd stream.
//!
//! A zstd stream cannot take back what it has been given, so nothing goes in whose worst case does not fit into
//! the message: tiles are handed over in groups, each flushed, each no larger than what an incompressible group
//! may cost of the room left.

use zstd::{
    stream::raw::{self, CParameter, DParameter, InBuffer, Operation, OutBuffer},
    zstd_safe::compress_bound,
};

use super::{Drawn, MAX_TILES, StageError, pack};
use crate::{
    bits::{Reader, put_varint},
    frame::Frame,
    tiles::{self, TileGrid},
};

/// Compression level: 17 to 35 % smaller than level 3 over the recordings, for a third more time; higher ones cost memory.
const LEVEL: i32 = 8;

/// What a flush may cost beyond the bound of its input: the header of the zstd frame and that of an empty block.
const FLUSH: usize = 32;

/// Most bytes for the place of a tile.
const PLACE: usize = 4;

/// Smallest room that another group is begun in, in bytes: a group of a few tiles compresses badly (measured).
const MIN_GROUP: usize = 2 * 1024;

/// Longest payload for each tile: it may be a group of its own.
const MAX_PAYLOAD: usize = 1 + PLACE + pack::MAX_TILE;

pub(crate) struct Packer {
    stream: raw::Encoder<'static>,
    tile: pack::TilePacker,
    recolour: pack::Recolour,
    group: Group,
}

/// Tiles that are flushed together: their number, their places, and then they themselves.
#[derive(Default)]
struct Group {
    count: u8,
    places: Vec<u8>,
    tiles: Vec<u8>,
}

impl Packer {
    pub(crate) fn new(window_log: u8) -> Result<Self, StageError> {
        let mut stream = raw::Encoder::new(LEVEL)?;
        stream.set_parameter(CParameter::WindowLog(window_log.into()))?;
        // Four bytes for each eighth byte of the window: 4 MiB for the largest, which is the level's own choice.
        stream.set_parameter(CParameter::HashLog(u32::from(window_log) - 3))?;
        Ok(Self {
            stream,
            tile: pack::TilePacker::default(),
            recolour: pack::Recolour::default(),
            group: Group::default(),
        })
    }

    pub(crate) fn pack(
        &mut self,
        shown: &mut Frame,
        target: &Frame,
        changed: &[usize],
        room: usize,
        out: &mut Vec<u8>,
    ) -> Result<Drawn, StageError> {
        let grid = TileGrid::new(target.size());
        let head = out.len();
        let end = head + room;
        out.push(0);
        self.recolour.clear();
        self.group.clear();
        let mut done = 0;
        let mut next = 0; // the tile after the last one written
        for &tile in changed.iter().take(MAX_TILES) {
            let rect = grid.rect(tile).ok_or(StageError)?;
            let bytes = self.tile.pack(shown, target, rect, &mut self.recolour);
            if !self.group.takes(bytes, end - out.len()) {
                flush(&mut self.stream, &mut self.group, out, end)?;
                let left = end - out.len();
                if left < MIN_GROUP || !self.group.takes(bytes, left) {
                    break;
                }
            }
            self.group.push(tile - next, bytes);
            tiles::copy(shown, target, rect);
            next = tile + 1;
            done += 1;
        }
        flush(&mut self.stream, &mut self.group, out, end)?;
        *out.get_mut(head).ok_or(StageError)? = u8::try_from(done).map_err(|_| StageError)?;
        Ok(whole(changed.get(..done).ok_or(StageError)?.to_vec()))
    }
}

/// No tile of this stage is cut off.
fn whole(tiles: Vec<usize>) -> Drawn {
    let whole = tiles.len();
    Drawn {
        tiles,
        whole,
        is_soft: false,
    }
}

impl Group {
    fn clear(&mut self) {
        self.count = 0;
        self.places.clear();
        self.tiles.clear();
    }

    /// Whether the group with one more tile fits into `room`, however badly it compresses.
    fn takes(&self, tile: &[u8], room: usize) -> bool {
        let size = 1 + self.places.len() + PLACE + self.tiles.len() + tile.len();
        compress_bound(size) + FLUSH <= room
    }

    fn push(&mut self, skipped: usize, tile: &[u8]) {
        self.count += 1;
        put_varint(&mut self.places, skipped as u64);
        self.tiles.extend_from_slice(tile);
    }
}

/// Compresses `group` onto `out`, completely, and empties it. `out` grows to `end` at most.
fn flush(
    stream: &mut raw::Encoder<'static>,
    group: &mut Group,
    out: &mut Vec<u8>,
    end: usize,
) -> Result<(), StageError> {
    if group.count == 0 {
        return Ok(());
    }
    let start = out.len();
    out.resize(end, 0);
    let mut output = OutBuffer::around_pos(out.as_mut_slice(), start);
    for part in [
        &[group.count],
        group.places.as_slice(),
        group.tiles.as_slice(),
    ] {
        let mut input = InBuffer::around(part);
        while input.pos() < part.len() {
            stream.run(&mut input, &mut output)?;
        }
    }
    let left = stream.flush(&mut output)?;
    let end = output.pos();
    out.truncate(end);
    group.clear();
    if left == 0 { Ok(()) } else { Err(StageError) }
}

pub(crate) struct Unpacker {
    stream: raw::Decoder<'static>,
    payload: Vec<u8>,
}

impl Unpacker {
    pub(crate) fn new(window_log: u8) -> Result<Self, StageError> {
        let mut stream = raw::Decoder::new()?;
        stream.set_parameter(DParameter::WindowLogMax(window_log.into()))?;
        Ok(Self {
            stream,
            payload: vec![0; MAX_TILES * MAX_PAYLOAD + 1],
        })
    }

    pub(crate) fn unpack(&mut self, shown: &mut Frame, body: &[u8]) -> Result<Drawn, StageError> {
        let (&count, body) = body.split_first().ok_or(StageError)?;
        let count = usize::from(count);
        if count == 0 || count > MAX_TILES {
            return Err(StageError);
        }
        let len = self.inflate(body, count * MAX_PAYLOAD)?;
        let payload = self.payload.get(..len).ok_or(StageError)?;
        unpack_payload(payload, count, shown)
            .map(whole)
            .ok_or(StageError)
    }

    /// Decompresses all of `body` into `payload`, of which it may fill `limit` bytes.
    fn inflate(&mut self, body: &[u8], limit: usize) -> Result<usize, StageError> {
        // One byte more than allowed, so that a payload that runs on is told from one that fits exactly.
        let payload = self.payload.get_mut(..=limit).ok_or(StageError)?;
        let mut output = OutBuffer::around(payload);
        let mut input = InBuffer::around(body);
        loop {
            let before = (input.pos(), output.pos());
            let hint = self.stream.run(&mut input, &mut output)?;
            // The stream lasts as long as the epoch: a zstd frame that ends (0) would let another begin.
            if hint == 0 || output.pos() > limit {
                return Err(StageError);
            }
            if before == (input.pos(), output.pos()) {
                break;
            }
        }
        if input.pos() == body.len() {
            Ok(output.pos())
        } else {
            Err(StageError)
        }
    }
}

/// Draws a payload of exactly `count` tiles; returns them.
pub(crate) fn unpack_payload(
    payload: &[u8],
    count: usize,
    shown: &mut Frame,
) -> Option<Vec<usize>> {
    let grid = TileGrid::new(shown.size());
    let mut payload = Reader::new(payload);
    let mut recolour = pack::Recolour::default();
    let mut drawn = Vec::with_capacity(count);
    let mut next = 0_usize;
    while !payload.is_empty() {
        let first = drawn.len();
        for _ in 0..payload.u8()? {
            let tile = next.checked_add(usize::try_from(payload.varint()?).ok()?)?;
            if drawn.len() == count || tile >= grid.count() {
                return None;
            }
            drawn.push(tile);
            next = tile + 1;
        }
        for &tile in drawn.get(first..)? {
            pack::unpack(&mut payload, shown, grid.rect(tile)?, &mut recolour)?;
        }
    }
    (drawn.len() == count).then_some(drawn)
}
