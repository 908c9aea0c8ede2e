//! A decoder written from the description of the format alone: as plain as can be, without regard to time.
//!
//! It shares no code with the crate. Where the two differ, one of them, or the description, is wrong.

mod cache;
mod coder;
mod front;
mod model;
mod soft;
mod zip;

use std::io::Cursor;

use cache::Cache;
use front::Front;
use model::Model;
use zip::Zip;

/// A picture: rows of pixels, 24 bits each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<u32>,
}

impl Picture {
    fn get(&self, x: i64, y: i64) -> u32 {
        if x < 0 || y < 0 || x >= self.width as i64 || y >= self.height as i64 {
            return 0;
        }
        self.pixels[y as usize * self.width + x as usize]
    }

    fn set(&mut self, x: usize, y: usize, pixel: u32) {
        self.pixels[y * self.width + x] = pixel;
    }

    fn columns(&self) -> usize {
        self.width.div_ceil(16)
    }

    fn rows(&self) -> usize {
        self.height.div_ceil(16)
    }

    /// Left, top, width and height of a tile.
    fn tile(&self, place: usize) -> Option<[usize; 4]> {
        let (column, row) = (place % self.columns(), place / self.columns());
        if row >= self.rows() {
            return None;
        }
        let (x, y) = (16 * column, 16 * row);
        Some([x, y, 16.min(self.width - x), 16.min(self.height - y)])
    }
}

/// What an epoch has.
struct Epoch {
    seq: u64,
    is_checked: bool,
    is_given_up: bool,
    picture: Picture,
    front: Front,
    cache: Cache,
    stage: Stage,
}

enum Stage {
    Zip(Zip),
    Model(Box<Model>),
}

/// What a decoder does with a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Opened,
    Updated { state: u8 },
    Confirmed,
    GivenUp,
    Skipped,
    Timed,
}

/// A decoder that accepts everything within a profile of four numbers.
pub(crate) struct Reference {
    accepts: [u8; 4],
    epoch: Option<Epoch>,
}

impl Reference {
    pub(crate) fn new(accepts: [u8; 4]) -> Self {
        Self {
            accepts,
            epoch: None,
        }
    }

    pub(crate) fn picture(&self) -> Option<&Picture> {
        self.epoch.as_ref().map(|epoch| &epoch.picture)
    }

    /// `None` if the message is refused.
    pub(crate) fn apply(&mut self, kind: u8, body: &[u8]) -> Option<Done> {
        let mut body = Cursor::new(body);
        match kind {
            0x30 => self.open(&mut body),
            0x31 => self.update(&mut body),
            0x32 => self.check(&mut body),
            0x33 => {
                for _ in 0..2 {
                    u32::try_from(varint(&mut body)?).ok()?;
                }
                at_end(&body)?;
                self.epoch.as_ref()?;
                Some(Done::Timed)
            }
            _ => None,
        }
    }

    fn open(&mut self, body: &mut Cursor<&[u8]>) -> Option<Done> {
        if byte(body)? != 3 {
            return None;
        }
        let seq = varint(body)?;
        let name = number(body, 8)?;
        varint(body)?;
        let (width, height) = (number(body, 2)? as usize, number(body, 2)? as usize);
        let profile = [byte(body)?, byte(body)?, byte(body)?, byte(body)?];
        at_end(body)?;
        let [stage, window, table, cache] = profile;
        let is_valid = (1..=4096).contains(&width)
            && (1..=4096).contains(&height)
            && stage <= 1
            && (17..=23).contains(&window)
            && (13..=16).contains(&table)
            && (cache == 0 || (8..=15).contains(&cache));
        if !is_valid || self.epoch.as_ref().is_some_and(|epoch| seq <= epoch.seq) {
            return None;
        }
        let fits = profile
            .iter()
            .zip(&self.accepts)
            .all(|(is, most)| is <= most);
        let picture = Picture {
            width,
            height,
            pixels: vec![0; width * height],
        };
        self.epoch = Some(Epoch {
            seq,
            is_checked: false,
            is_given_up: !fits,
            front: Front::new(),
            cache: Cache::new(cache, name, picture.columns() * picture.rows()),
            picture,
            stage: if stage == 0 {
                Stage::Zip(Zip::new(window))
            } else {
                Stage::Model(Box::new(Model::new(table)))
            },
        });
        Some(if fits { Done::Opened } else { Done::GivenUp })
    }

    fn update(&mut self, body: &mut Cursor<&[u8]>) -> Option<Done> {
        let seq = varint(body)?;
        varint(body)?;
        let state = byte(body)?;
        if ![0, 1, 3].contains(&(state & !4)) {
            return None;
        }
        let front = if state & 4 == 0 {
            Vec::new()
        } else {
            let length = varint(body)?;
            if length == 0 {
                return None;
            }
            bytes(body, length)?
        };
        let tiles = rest(body);
        let epoch = self.epoch.as_mut()?;
        if epoch.is_given_up {
            return Some(Done::Skipped);
        }
        if seq != epoch.seq + 1 {
            return None;
        }
        epoch.draw(&front, &tiles)?;
        epoch.seq = seq;
        epoch.is_checked = false;
        Some(Done::Updated { state: state & !4 })
    }

    fn check(&mut self, body: &mut Cursor<&[u8]>) -> Option<Done> {
        let seq = varint(body)?;
        let hash = number(body, 8)?;
        at_end(body)?;
        let epoch = self.epoch.as_mut()?;
        if epoch.is_given_up {
            return Some(Done::Skipped);
        }
        if seq != epoch.seq || epoch.is_checked {
            return None;
        }
        epoch.is_checked = true;
        let bytes: Vec<u8> = epoch
            .picture
            .pixels
            .iter()
            .flat_map(|pixel| pixel.to_be_bytes())
            .collect();
        if twox_hash::XxHash3_64::oneshot(&bytes) == hash {
            return Some(Done::Confirmed);
        }
        epoch.is_given_up = true;
        Some(Done::GivenUp)
    }
}

impl Epoch {
    fn draw(&mut self, front: &[u8], tiles: &[u8]) -> Option<()> {
        let mut touched = Vec::new();
        if !front.is_empty() {
            self.front
                .apply(front, &mut self.picture, &self.cache, &mut touched)?;
        }
        let mut unfinished = Vec::new();
        if !tiles.is_empty() {
            let (done, not_done) = match &mut self.stage {
                Stage::Zip(zip) => (zip.apply(tiles, &mut self.picture)?, Vec::new()),
                Stage::Model(model) => model.apply(tiles, &mut self.picture)?,
            };
            touched.extend(done);
            unfinished = not_done;
        }
        if touched.is_empty() && unfinished.is_empty() {
            return None;
        }
        touched.retain(|tile| !unfinished.contains(tile));
        touched.sort_unstable();
        touched.dedup();
        self.cache.enter(&self.picture, &touched);
        Some(())
    }
}

fn byte(body: &mut Cursor<&[u8]>) -> Option<u8> {
    let byte = *body.get_ref().get(body.position() as usize)?;
    body.set_position(body.position() + 1);
    Some(byte)
}

fn bytes(body: &mut Cursor<&[u8]>, count: u64) -> Option<Vec<u8>> {
    if count > body.get_ref().len() as u64 {
        return None;
    }
    (0..count).map(|_| byte(body)).collect()
}

fn rest(body: &mut Cursor<&[u8]>) -> Vec<u8> {
    std::iter::from_fn(|| byte(body)).collect()
}

fn at_end(body: &Cursor<&[u8]>) -> Option<()> {
    (body.position() as usize == body.get_ref().len()).then_some(())
}

fn number(body: &mut Cursor<&[u8]>, bytes: u32) -> Option<u64> {
    (0..bytes).try_fold(0, |value, _| Some(value << 8 | u64::from(byte(body)?)))
}

fn varint(body: &mut Cursor<&[u8]>) -> Option<u64> {
    let mut value = 0_u128;
    for n in 0..10 {
        let byte = byte(body)?;
        value |= u128::from(byte & 0x7f) << (7 * n);
        if byte < 0x80 {
            let is_shortest = byte != 0 || n == 0;
            return u64::try_from(value).ok().filter(|_| is_shortest);
        }
    }
    None
}
