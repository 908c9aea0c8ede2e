//! Tiles that were shown before, under the ids that both sides give them.
//!
//! Both sides enter the same tiles in the same order, so an id says the same to both. The device needs to know of a tile
//! only that it is the same: it keeps hashes. The operator's side keeps the pixels, in memory only, and wipes them when
//! the epoch or the session is over.

use std::hash::{BuildHasher as _, RandomState};

use alongside_protocol::units::PanelRect;
use twox_hash::XxHash3_128;
use zeroize::Zeroize as _;

use crate::{
    frame::{Frame, RGB},
    tiles::{self, TILE, TileGrid},
};

/// Number of a tile in the cache.
pub(crate) type Id = u16;

/// What no tile has: the largest cache ends below it.
const NONE: Id = Id::MAX;

/// How many tiles each place of the picture remembers (the codec study's choice).
pub(crate) const RANKS: usize = 8;

const AREA: usize = (TILE * TILE) as usize;

/// Which tiles were shown before.
pub(crate) struct TileCache {
    log: u8,
    seed: u64,
    grid: TileGrid,
    index: Index,
    /// By id: what it is known by, the tile entered after it the last time, and whether it was entered again since the
    /// hand passed.
    hashes: Vec<u128>,
    next: Vec<Id>,
    is_used: Vec<bool>,
    /// The next entry that is looked at when room is needed.
    hand: usize,
    /// What each place of the picture showed, newest first.
    history: Vec<[Id; RANKS]>,
    /// Pixels by id; `None` on the device.
    pixels: Option<Vec<Pixels>>,
    buffer: Vec<u8>,
}

/// Finds ids by hashes: twice as many slots as ids, of which each id takes the first that was free from where its hash
/// belongs. Where that is, no device can know, so that none can make many hashes belong together.
struct Index {
    slots: Vec<Id>,
    keys: [u64; 2],
    shift: u32,
}

impl Index {
    fn new(log: u8) -> Self {
        let count = if log == 0 { 0 } else { 2 << log };
        Self {
            slots: vec![NONE; count],
            keys: [0, 1].map(|key: u8| RandomState::new().hash_one(key) | 1),
            shift: 63 - u32::from(log),
        }
    }

    fn home(&self, hash: u128) -> usize {
        let [low, high] = self.keys;
        let mixed = (hash as u64)
            .wrapping_mul(low)
            .wrapping_add(((hash >> 64) as u64).wrapping_mul(high));
        (mixed >> self.shift) as usize
    }

    fn after(&self, slot: usize) -> usize {
        (slot + 1) % self.slots.len()
    }

    /// The slot that has what `is_it`, or the first free one.
    fn slot(&self, hash: u128, is_it: impl Fn(Id) -> bool) -> usize {
        let mut at = self.home(hash);
        while self.slots[at] != NONE && !is_it(self.slots[at]) {
            at = self.after(at);
        }
        at
    }

    fn find(&self, hash: u128, hashes: &[u128]) -> Option<Id> {
        if self.slots.is_empty() {
            return None;
        }
        let id = self.slots[self.slot(hash, |id| hashes[usize::from(id)] == hash)];
        (id != NONE).then_some(id)
    }

    fn insert(&mut self, hash: u128, id: Id) {
        let at = self.slot(hash, |_| false);
        self.slots[at] = id;
    }

    /// Takes an id out, and closes the gap with those behind that do not belong there.
    fn remove(&mut self, id: Id, hashes: &[u128]) {
        let mut gap = self.slot(hashes[usize::from(id)], |other| other == id);
        let mut at = self.after(gap);
        let count = self.slots.len();
        while self.slots[at] != NONE {
            let home = self.home(hashes[usize::from(self.slots[at])]);
            let (way, back) = ((at + count - home) % count, (at + count - gap) % count);
            if way >= back {
                self.slots[gap] = self.slots[at];
                gap = at;
            }
            at = self.after(at);
        }
        self.slots[gap] = NONE;
    }
}

/// The pixels of a tile, in rows of its width.
struct Pixels {
    width: u16,
    height: u16,
    rows: Box<[u32; AREA]>,
}

impl Drop for Pixels {
    fn drop(&mut self) {
        self.rows.zeroize();
    }
}

impl TileCache {
    /// An empty cache of `1 << log` tiles, or none at all with 0.
    pub(crate) fn new(grid: TileGrid, log: u8, seed: u64, keeps_pixels: bool) -> Self {
        let (places, most) = if log == 0 {
            (0, 0)
        } else {
            (grid.count(), 1 << log)
        };
        Self {
            log,
            seed,
            grid,
            index: Index::new(log),
            // Of memory that is not used yet, there is none.
            hashes: Vec::with_capacity(most),
            next: Vec::with_capacity(most),
            is_used: Vec::with_capacity(most),
            hand: 0,
            history: vec![[NONE; RANKS]; places],
            pixels: keeps_pixels.then(Vec::new),
            buffer: Vec::with_capacity(2 + 4 * AREA),
        }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.log == 0
    }

    /// Bits of an id.
    pub(crate) fn id_bits(&self) -> u32 {
        self.log.into()
    }

    /// What the tile at `place` of `frame` is known by; 0 beyond the last.
    pub(crate) fn hash_of(&mut self, frame: &Frame, place: usize) -> u128 {
        let rect = self.grid.rect(place);
        rect.map_or(0, |rect| self.hash(frame, rect))
    }

    /// The id of the tile with this hash.
    pub(crate) fn find(&self, hash: u128) -> Option<Id> {
        self.index.find(hash, &self.hashes)
    }

    /// The id entered after `id`, if there is one.
    pub(crate) fn successor(&self, id: Option<Id>) -> Option<Id> {
        let next = *self.next.get(usize::from(id?))?;
        (next != NONE).then_some(next)
    }

    /// The id that `place` showed `rank` changes ago.
    pub(crate) fn shown_at(&self, place: usize, rank: usize) -> Option<Id> {
        let id = *self.history.get(place)?.get(rank)?;
        (id != NONE).then_some(id)
    }

    /// How many changes ago `place` showed `id`.
    pub(crate) fn rank(&self, place: usize, id: Id) -> Option<usize> {
        self.history
            .get(place)?
            .iter()
            .position(|shown| *shown == id)
    }

    /// Draws `id` at `place`; `None` if there is no such tile or it has another size.
    pub(crate) fn draw(&self, id: Id, place: usize, to: &mut Frame) -> Option<()> {
        let tile = self.pixels.as_ref()?.get(usize::from(id))?;
        let rect = self.grid.rect(place)?;
        if (tile.width, tile.height) != (rect.width, rect.height) {
            return None;
        }
        let rows = tile.rows.chunks_exact(rect.width.into());
        for (to, from) in tiles::rows_mut(to, rect).zip(rows) {
            to.copy_from_slice(from);
        }
        Some(())
    }

    /// Enters what `frame` shows at `places`, in this order; `known` says by what it is known, or 0.
    pub(crate) fn enter(&mut self, frame: &Frame, places: &[usize], known: impl Fn(usize) -> u128) {
        if self.is_off() {
            return;
        }
        let mut last = None;
        for &place in places {
            let Some(rect) = self.grid.rect(place) else {
                continue;
            };
            let hash = match known(place) {
                0 => self.hash(frame, rect),
                hash => hash,
            };
            let id = match self.find(hash) {
                Some(id) => id,
                None => self.insert(hash, frame, rect),
            };
            if let Some(is_used) = self.is_used.get_mut(usize::from(id)) {
                *is_used = true;
            }
            if let Some(next) = last.and_then(|last: Id| self.next.get_mut(usize::from(last))) {
                *next = id;
            }
            last = Some(id);
            if let Some(history) = self.history.get_mut(place) {
                let rank = history.iter().position(|shown| *shown == id);
                history.copy_within(..rank.unwrap_or(RANKS - 1), 1);
                history[0] = id;
            }
        }
    }

    fn insert(&mut self, hash: u128, frame: &Frame, rect: PanelRect) -> Id {
        let at = if self.hashes.len() < 1 << self.log {
            self.hashes.push(hash);
            self.next.push(NONE);
            self.is_used.push(false);
            self.hashes.len() - 1
        } else {
            let at = self.victim();
            self.index.remove(at as Id, &self.hashes);
            self.hashes[at] = hash;
            self.next[at] = NONE;
            at
        };
        let id = at as Id;
        self.index.insert(hash, id);
        if let Some(pixels) = &mut self.pixels {
            if pixels.len() == at {
                pixels.push(Pixels {
                    width: 0,
                    height: 0,
                    rows: Box::new([0; AREA]),
                });
            }
            let tile = &mut pixels[at];
            (tile.width, tile.height) = (rect.width, rect.height);
            let rows = tile.rows.chunks_exact_mut(rect.width.into());
            for (to, from) in rows.zip(tiles::rows(frame, rect)) {
                to.copy_from_slice(from);
            }
        }
        id
    }

    /// The next entry that was not used since the hand came by.
    fn victim(&mut self) -> usize {
        loop {
            let at = self.hand;
            self.hand = (at + 1) % self.is_used.len();
            if !std::mem::take(&mut self.is_used[at]) {
                return at;
            }
        }
    }

    /// XXH3-128 of the size and the pixels, with a seed that no picture can know beforehand.
    fn hash(&mut self, frame: &Frame, rect: PanelRect) -> u128 {
        let area = usize::from(rect.width) * usize::from(rect.height);
        self.buffer.resize(2 + 4 * area, 0);
        let (size, mut pixels) = self.buffer.split_at_mut(2);
        size.copy_from_slice(&[rect.width as u8, rect.height as u8]);
        for row in tiles::rows(frame, rect) {
            let (bytes, rest) = pixels.split_at_mut(4 * row.len());
            for (bytes, pixel) in bytes.as_chunks_mut().0.iter_mut().zip(row) {
                *bytes = (pixel & RGB).to_le_bytes(); // as they lie in most memories
            }
            pixels = rest;
        }
        XxHash3_128::oneshot_with_seed(self.seed, &self.buffer)
    }
}

#[cfg(test)]
mod tests {
    use alongside_protocol::PanelSize;

    use super::*;

    fn plain(colour: u32) -> Frame {
        let size = PanelSize::new(20, 16).unwrap();
        Frame::new(size, vec![colour; size.pixels()]).unwrap()
    }

    fn cache(log: u8) -> TileCache {
        TileCache::new(TileGrid::new(plain(0).size()), log, 1, true)
    }

    fn enter(cache: &mut TileCache, colour: u32, places: &[usize]) {
        cache.enter(&plain(colour), places, |_| 0);
    }

    fn find(cache: &mut TileCache, colour: u32, place: usize) -> Option<Id> {
        let hash = cache.hash_of(&plain(colour), place);
        cache.find(hash)
    }

    #[test]
    fn what_was_entered_is_found_and_drawn() {
        let mut cache = cache(8);
        assert_eq!(find(&mut cache, 7, 0), None);
        enter(&mut cache, 7, &[0, 1]);
        enter(&mut cache, 8, &[0]);
        assert_eq!(find(&mut cache, 7, 0), Some(0));
        assert_eq!(find(&mut cache, 7, 1), Some(1), "another size");
        assert_eq!(cache.successor(Some(0)), Some(1));
        assert_eq!(cache.successor(Some(1)), None);
        assert_eq!(cache.shown_at(0, 0), Some(2));
        assert_eq!(cache.rank(0, 0), Some(1));
        let mut shown = plain(0);
        assert_eq!(cache.draw(1, 1, &mut shown), Some(()));
        assert_eq!(cache.draw(1, 0, &mut shown), None, "another size");
        assert_eq!(cache.draw(3, 0, &mut shown), None);
        assert_eq!(shown.pixels()[15..17], [0, 7]);
    }

    #[test]
    fn a_full_cache_forgets_what_was_not_shown_lately() {
        let mut cache = cache(8);
        for colour in 0..256 {
            enter(&mut cache, colour, &[0]);
        }
        enter(&mut cache, 256, &[0]); // passes all, and takes the first
        assert_eq!(find(&mut cache, 0, 0), None);
        enter(&mut cache, 1, &[0]);
        enter(&mut cache, 257, &[0]);
        assert!(find(&mut cache, 1, 0).is_some());
        assert_eq!(find(&mut cache, 2, 0), None);
        assert_eq!(cache.hashes.len(), 256);
    }

    #[test]
    fn an_index_finds_what_is_in_it_and_nothing_else() {
        let mut index = Index::new(8);
        index.keys = [1 << 60, 1]; // whatever is alike in its lowest bits belongs together
        let hash = |id: usize, round: usize| (round << 32 | id << 8 | (3 + 3 * (id % 5))) as u128;
        let mut hashes: Vec<u128> = (0..256).map(|id| hash(id, 0)).collect();
        for (id, hash) in hashes.iter().enumerate() {
            index.insert(*hash, id as Id);
        }
        for round in 1..4 {
            for id in (0..256).map(|n| n * 37 % 256) {
                index.remove(id as Id, &hashes);
                assert_eq!(index.find(hashes[id], &hashes), None);
                hashes[id] = hash(id, round);
                index.insert(hashes[id], id as Id);
                for (other, hash) in hashes.iter().enumerate() {
                    assert_eq!(index.find(*hash, &hashes), Some(other as Id));
                }
            }
        }
    }
}
