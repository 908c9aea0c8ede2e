//! E0: packed tiles through one zstd stream.
//!
//! A zstd stream cannot take back what it has been given, so nothing goes in whose worst case does not fit into
//! the message: tiles are handed over in groups, each flushed, each no larger than what an incompressible group
//! may cost of the room left.

use zstd::{
    stream::raw::{self, CParameter, DParameter, InBuffer, Operation, OutBuffer},
    zstd_safe::compress_bound,
};

use super::{MAX_TILES, StageError, pack};
use crate::{
    bits::{Reader, put_varint},
    frame::Frame,
    tiles::{self, TileGrid},
};

/// Compression level. The study's choice: level 12 saves about a third and costs three times the CPU.
const LEVEL: i32 = 3;

/// What a flush may cost beyond the bound of its input: the header of the zstd frame and that of an empty block.
const FLUSH: usize = 32;

/// Most bytes for the place of a tile, and for its share of a group's count.
const PLACE: usize = 4;

/// Longest payload of one message before compression.
const MAX_PAYLOAD: usize = MAX_TILES * (PLACE + pack::MAX_TILE);

pub(crate) struct Packer {
    stream: raw::Encoder<'static>,
    packed: pack::Packed,
    places: Vec<u8>,
    group: Vec<u8>,
}

impl Packer {
    pub(crate) fn new(window_log: u8) -> Result<Self, StageError> {
        let mut stream = raw::Encoder::new(LEVEL).map_err(|_| StageError)?;
        stream
            .set_parameter(CParameter::WindowLog(window_log.into()))
            .map_err(|_| StageError)?;
        Ok(Self {
            stream,
            packed: pack::Packed::default(),
            places: Vec::new(),
            group: Vec::new(),
        })
    }

    pub(crate) fn pack(
        &mut self,
        shown: &mut Frame,
        target: &Frame,
        changed: &[usize],
        room: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize, StageError> {
        let grid = TileGrid::new(target.size());
        let changed = changed.get(..MAX_TILES).unwrap_or(changed);
        let end = out.len() + room;
        let head = out.len();
        out.push(0);
        let mut done = 0;
        let mut next = 0; // tile after the last one written
        loop {
            self.group.clear();
            self.places.clear();
            let first = done;
            while let Some(&tile) = changed.get(done) {
                let rect = grid.rect(tile).ok_or(StageError)?;
                self.packed.pack(target, rect);
                let size =
                    1 + self.places.len() + PLACE + self.group.len() + self.packed.bytes().len();
                if out.len() + compress_bound(size) + FLUSH > end {
                    break;
                }
                put_varint(&mut self.places, (tile - next) as u64);
                self.group.extend_from_slice(self.packed.bytes());
                next = tile + 1;
                done += 1;
                tiles::copy(shown, target, rect);
            }
            if done == first {
                break;
            }
            let count = u8::try_from(done - first).map_err(|_| StageError)?;
            self.places.insert(0, count);
            self.flush(out, end)?;
        }
        let count = u8::try_from(done).map_err(|_| StageError)?;
        if let Some(head) = out.get_mut(head) {
            *head = count;
        }
        Ok(done)
    }

    /// Compresses the group onto `out`, completely.
    fn flush(&mut self, out: &mut Vec<u8>, end: usize) -> Result<(), StageError> {
        let start = out.len();
        out.resize(end, 0);
        let mut output = OutBuffer::around_pos(out.as_mut_slice(), start);
        for part in [&self.places, &self.group] {
            let mut input = InBuffer::around(part);
            while input.pos() < part.len() {
                self.stream
                    .run(&mut input, &mut output)
                    .map_err(|_| StageError)?;
            }
        }
        let left = self.stream.flush(&mut output).map_err(|_| StageError)?;
        let end = output.pos();
        out.truncate(end);
        if left == 0 { Ok(()) } else { Err(StageError) }
    }
}

pub(crate) struct Unpacker {
    stream: raw::Decoder<'static>,
    payload: Vec<u8>,
}

impl Unpacker {
    pub(crate) fn new(window_log: u8) -> Result<Self, StageError> {
        let mut stream = raw::Decoder::new().map_err(|_| StageError)?;
        stream
            .set_parameter(DParameter::WindowLogMax(window_log.into()))
            .map_err(|_| StageError)?;
        Ok(Self {
            stream,
            payload: vec![0; MAX_PAYLOAD + 1],
        })
    }

    pub(crate) fn unpack(
        &mut self,
        shown: &mut Frame,
        body: &[u8],
    ) -> Result<Vec<usize>, StageError> {
        let (&count, body) = body.split_first().ok_or(StageError)?;
        let count = usize::from(count);
        if count == 0 || count > MAX_TILES {
            return Err(StageError);
        }
        let len = self.inflate(body, count * (PLACE + pack::MAX_TILE))?;
        let mut reader = Reader::new(self.payload.get(..len).ok_or(StageError)?);
        apply(&mut reader, shown, count).ok_or(StageError)
    }

    /// Decompresses `body` completely into `payload`, which takes at most `limit` bytes.
    fn inflate(&mut self, body: &[u8], limit: usize) -> Result<usize, StageError> {
        // One byte more than allowed, so that a payload that runs on is told from one that fits exactly.
        let payload = self.payload.get_mut(..=limit).ok_or(StageError)?;
        let mut output = OutBuffer::around(payload);
        let mut input = InBuffer::around(body);
        loop {
            let before = (input.pos(), output.pos());
            let hint = self
                .stream
                .run(&mut input, &mut output)
                .map_err(|_| StageError)?;
            // The stream lasts as long as the epoch: a frame that ends (0) would let another begin.
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

fn apply(reader: &mut Reader<'_>, shown: &mut Frame, count: usize) -> Option<Vec<usize>> {
    let grid = TileGrid::new(shown.size());
    let mut done = Vec::with_capacity(count);
    let mut next = 0_usize;
    while !reader.is_empty() {
        let first = done.len();
        for _ in 0..reader.u8()? {
            let tile = next.checked_add(usize::try_from(reader.varint()?).ok()?)?;
            if done.len() == count || tile >= grid.count() {
                return None;
            }
            done.push(tile);
            next = tile + 1;
        }
        for &tile in done.get(first..)? {
            pack::unpack(reader, shown, grid.rect(tile)?)?;
        }
    }
    (done.len() == count).then_some(done)
}
