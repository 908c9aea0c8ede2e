//! The tile cache.

use super::Picture;

struct Entry {
    key: u128,
    successor: Option<usize>,
    mark: bool,
    width: usize,
    pixels: Vec<u32>,
}

pub(crate) struct Cache {
    pub(crate) log: u8,
    seed: u64,
    entries: Vec<Entry>,
    hand: usize,
    history: Vec<Vec<usize>>,
}

impl Cache {
    pub(crate) fn new(log: u8, seed: u64, places: usize) -> Self {
        Self {
            log,
            seed,
            entries: Vec::new(),
            hand: 0,
            history: vec![Vec::new(); places],
        }
    }

    pub(crate) fn successor(&self, id: Option<usize>) -> Option<usize> {
        self.entries.get(id?)?.successor
    }

    pub(crate) fn rank(&self, place: usize, rank: usize) -> Option<usize> {
        self.history[place].get(rank).copied()
    }

    pub(crate) fn draw(&self, id: usize, place: usize, picture: &mut Picture) -> Option<()> {
        let entry = self.entries.get(id)?;
        let [left, top, width, height] = picture.tile(place)?;
        if entry.width != width || entry.pixels.len() != width * height {
            return None;
        }
        for (n, pixel) in entry.pixels.iter().enumerate() {
            picture.set(left + n % width, top + n / width, *pixel);
        }
        Some(())
    }

    pub(crate) fn enter(&mut self, picture: &Picture, places: &[usize]) {
        if self.log == 0 {
            return;
        }
        let mut before: Option<usize> = None;
        for &place in places {
            let Some([left, top, width, height]) = picture.tile(place) else {
                continue;
            };
            let mut pixels = Vec::new();
            for y in top..top + height {
                for x in left..left + width {
                    pixels.push(picture.get(x as i64, y as i64));
                }
            }
            let mut bytes = vec![width as u8, height as u8];
            bytes.extend(pixels.iter().flat_map(|pixel| pixel.to_be_bytes()));
            let key = twox_hash::XxHash3_128::oneshot_with_seed(self.seed, &bytes);
            let found = self.entries.iter().position(|entry| entry.key == key);
            let id = found.unwrap_or_else(|| {
                self.add(Entry {
                    key,
                    successor: None,
                    mark: false,
                    width,
                    pixels,
                })
            });
            self.entries[id].mark = true;
            if let Some(before) = before {
                self.entries[before].successor = Some(id);
            }
            before = Some(id);
            let history = &mut self.history[place];
            history.retain(|shown| *shown != id);
            history.insert(0, id);
            history.truncate(8);
        }
    }

    fn add(&mut self, entry: Entry) -> usize {
        if self.entries.len() < 1 << self.log {
            self.entries.push(entry);
            return self.entries.len() - 1;
        }
        loop {
            let at = self.hand;
            self.hand = (self.hand + 1) % self.entries.len();
            if !self.entries[at].mark {
                self.entries[at] = entry;
                return at;
            }
            self.entries[at].mark = false;
        }
    }
}
