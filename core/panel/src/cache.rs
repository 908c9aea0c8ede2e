//! Tiles that were shown before, under the ids that both sides give them.
//!
//! Both sides enter the same tiles in the same order, so an id says the same to both. The device needs to know of a tile
//! only that it is the same: it keeps hashes. The operator's side keeps the pixels, in memory only, and wipes them when
//! the epoch or the session is over.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

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
    ids: HashMap<u128, Id, BuildHasherDefault<Folded>>,
    entries: Vec<Entry>,
    /// The next entry that is looked at when room is needed.
    hand: usize,
    /// What each place of the picture showed, newest first.
    history: Vec<[Id; RANKS]>,
    /// Pixels by id; `None` on the device.
    pixels: Option<Vec<Pixels>>,
    buffer: Vec<u8>,
}

/// The keys are hashes already, by a seed that no picture can know.
#[derive(Default)]
struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.0 ^= u64::from_ne_bytes(word);
        }
    }
}

struct Entry {
    hash: u128,
    /// The tile entered after this one, the last time.
    next: Id,
    /// Whether it was entered again since the hand passed.
    is_used: bool,
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
        let places = if log == 0 { 0 } else { grid.count() };
        Self {
            log,
            seed,
            grid,
            ids: HashMap::default(),
            entries: Vec::new(),
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
        self.ids.get(&hash).copied()
    }

    /// The id entered after `id`, if there is one.
    pub(crate) fn successor(&self, id: Option<Id>) -> Option<Id> {
        let next = self.entries.get(usize::from(id?))?.next;
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
            let id = match self.ids.get(&hash) {
                Some(id) => *id,
                None => self.insert(hash, frame, rect),
            };
            if let Some(entry) = self.entries.get_mut(usize::from(id)) {
                entry.is_used = true;
            }
            if let Some(entry) = last.and_then(|last: Id| self.entries.get_mut(usize::from(last))) {
                entry.next = id;
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
        let entry = Entry {
            hash,
            next: NONE,
            is_used: false,
        };
        let at = if self.entries.len() < 1 << self.log {
            self.entries.push(entry);
            self.entries.len() - 1
        } else {
            let at = self.victim();
            let old = std::mem::replace(&mut self.entries[at], entry);
            self.ids.remove(&old.hash);
            at
        };
        let id = at as Id;
        self.ids.insert(hash, id);
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
            self.hand = (at + 1) % self.entries.len();
            if !std::mem::take(&mut self.entries[at].is_used) {
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
                *bytes = (pixel & RGB).to_be_bytes();
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
        assert_eq!(cache.entries.len(), 256);
    }
}
