//! E1: adaptive models of pixels, in front of an arithmetic coder.
//!
//! A pixel is guessed from what is around it, and from what the place showed before, by tables that remember which
//! colour followed last time. Mostly one of the first guesses is right, and then it costs a fraction of a bit.

mod band;
mod flat;
mod residual;
mod soft;

pub(crate) use self::soft::Coarseness;
use self::{
    band::Band,
    flat::{Flat, Trail},
    residual::Residuals,
    soft::Soft,
};
use super::{Drawn, MAX_TILES, Order, StageError};
use crate::{
    bits,
    coder::{Bit, Coder, Number, Reader, Writer},
    frame::Frame,
    tiles::TileGrid,
};

/// More bytes than a segment of pixels can cost: 16 pixels of 72 decisions, each less than 12 bits.
const SEGMENT: usize = 16 * 108;

/// Room for a soft tile: several times what noise costs at the finest. Should one be larger still, the encoder begins
/// an epoch rather than send a message that is too long.
const SOFT: usize = 4 * 1024;

/// Longest head: where it ends, and how coarse it is.
const HEAD: usize = 4;

/// Both directions: what was learnt since the epoch began.
pub(crate) struct Model {
    area: [Number; 3],
    is_changed: [Bit; 16],
    has_row: Bit,
    /// By the class of the tile before.
    class: [Bit; 2],
    flat: Flat,
    residuals: Residuals,
    soft: Soft,
    band: Band,
}

/// How the pixels of a tile are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// By guesses: drawings, text, dithered gradients.
    Flat,
    /// By what they differ from a prediction.
    Photo,
}

/// A tile under way.
#[derive(Clone, Copy, Debug)]
struct Tile {
    index: usize,
    x: usize,
    width: usize,
    class: Class,
    /// How the segment above was told.
    above: Trail,
}

impl Model {
    pub(crate) fn new(table_log: u8) -> Self {
        Self {
            area: [const { Number::NEW }; 3],
            is_changed: [Bit::NEW; 16],
            has_row: Bit::NEW,
            class: [Bit::NEW; 2],
            flat: Flat::new(table_log),
            residuals: Residuals::new(),
            soft: Soft::new(),
            band: Band::default(),
        }
    }

    pub(crate) fn pack(
        &mut self,
        shown: &mut Frame,
        target: &Frame,
        order: &Order<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Drawn, StageError> {
        let tiles = order.tiles.get(..MAX_TILES).unwrap_or(order.tiles);
        let largest = if order.softly.is_some() {
            SOFT
        } else {
            SEGMENT
        };
        let room = order.room.saturating_sub(HEAD + largest);
        let mut writer = Writer::new(room.min(order.enough));
        let (drawn, cut) = match order.softly {
            Some(coarseness) => {
                self.code_softly(&mut writer, shown, Some(target), tiles.to_vec(), coarseness)
            }
            None => self.code(&mut writer, shown, Some(target), tiles.to_vec()),
        }
        .ok_or(StageError)?;
        let end = (cut.unwrap_or(0) as u64) << 1;
        bits::put_varint(out, end | u64::from(order.softly.is_some()));
        out.extend(order.softly.map(Coarseness::get));
        out.extend(writer.finish());
        Ok(drawn)
    }

    pub(crate) fn unpack(&mut self, shown: &mut Frame, body: &[u8]) -> Result<Drawn, StageError> {
        let mut body = bits::Reader::new(body);
        let (end, softly) = head(&mut body).ok_or(StageError)?;
        let mut reader = Reader::new(body.rest(), (end > 0).then_some(end));
        let (drawn, cut) = match softly {
            Some(coarseness) => self.code_softly(&mut reader, shown, None, Vec::new(), coarseness),
            None => self.code(&mut reader, shown, None, Vec::new()),
        }
        .ok_or(StageError)?;
        if reader.is_sound() && cut.unwrap_or(0) == end {
            Ok(drawn)
        } else {
            Err(StageError)
        }
    }

    /// Codes `tiles` softly. Returns what it drew, and the number of tiles after which it was cut off.
    fn code_softly<C: Coder>(
        &mut self,
        coder: &mut C,
        shown: &mut Frame,
        target: Option<&Frame>,
        tiles: Vec<usize>,
        coarseness: Coarseness,
    ) -> Option<(Drawn, Option<usize>)> {
        let grid = TileGrid::new(shown.size());
        let stride = usize::from(shown.size().width());
        let tiles = self.code_places(coder, grid, tiles)?;
        let mut drawn = Drawn {
            is_soft: true,
            ..Drawn::default()
        };
        for row in tiles.chunk_by(|a, b| a / grid.columns() == b / grid.columns()) {
            let (first, last) = (grid.rect(*row.first()?)?, grid.rect(*row.last()?)?);
            let columns = usize::from(first.x)..usize::from(last.x + last.width);
            self.band.load(shown, first.y.into(), columns);
            for &index in row {
                let done = drawn.tiles.len();
                if coder.is_lost() {
                    return None;
                }
                if done > 0 && coder.ends_after(done) {
                    return Some((drawn, Some(done)));
                }
                let rect = grid.rect(index)?;
                let (x, y) = (usize::from(rect.x), usize::from(rect.y));
                let pixel = target.map(|target| {
                    move |right: usize, down: usize| {
                        let at = (y + down) * stride + x + right;
                        target.pixels().get(at).copied().unwrap_or(0)
                    }
                });
                let start = self.band.at(x, 0);
                self.soft.tile(
                    coder,
                    &mut self.band,
                    start..start + usize::from(rect.width),
                    rect.height.into(),
                    coarseness,
                    pixel
                        .as_ref()
                        .map(|pixel| pixel as &dyn Fn(usize, usize) -> u32),
                );
                self.band.store(shown, rect);
                drawn.tiles.push(index);
                drawn.whole += 1;
            }
        }
        Some((drawn, None))
    }

    /// Codes the pixels of `tiles`. Returns what it drew, and the number of segments after which it was cut off.
    fn code<C: Coder>(
        &mut self,
        coder: &mut C,
        shown: &mut Frame,
        target: Option<&Frame>,
        tiles: Vec<usize>,
    ) -> Option<(Drawn, Option<usize>)> {
        let grid = TileGrid::new(shown.size());
        let tiles = self.code_places(coder, grid, tiles)?;
        let mut tiles = self.code_classes(coder, grid, target, &tiles)?;
        let mut drawn = Drawn::default();
        let mut segments = 0;
        for row in tiles.chunk_by_mut(|a, b| a.index / grid.columns() == b.index / grid.columns()) {
            let first = grid.rect(row.first()?.index)?;
            let columns = row.first()?.x..row.last().map(|last| last.x + last.width)?;
            self.band.load(shown, first.y.into(), columns);
            let mut cut = None;
            'lines: for line in 0..usize::from(first.height) {
                let mut left = Trail::Pixels;
                let mut misses = 0;
                if coder.is_lost() {
                    return None;
                }
                for (at, tile) in row.iter_mut().enumerate() {
                    if segments > 0 && coder.ends_after(segments) {
                        cut = Some((line, at));
                        break 'lines;
                    }
                    segments += 1;
                    let pixels = target.and_then(|target| {
                        segment(target, tile.x, usize::from(first.y) + line, tile.width)
                    });
                    let start = self.band.at(tile.x, line);
                    match tile.class {
                        Class::Flat => {
                            left = self.flat.code(
                                coder,
                                &mut self.residuals,
                                &mut self.band,
                                start..start + tile.width,
                                pixels.unwrap_or(&[]),
                                (left, tile.above),
                                &mut misses,
                            );
                            tile.above = left;
                        }
                        Class::Photo => self.residuals.segment(
                            coder,
                            &mut self.band,
                            start..start + tile.width,
                            pixels.unwrap_or(&[]),
                        ),
                    }
                }
            }
            for tile in &*row {
                self.band.store(shown, grid.rect(tile.index)?);
                drawn.tiles.push(tile.index);
            }
            match cut {
                None => drawn.whole = drawn.tiles.len(),
                Some((line, at)) => {
                    if line + 1 == usize::from(first.height) {
                        drawn.whole += at;
                    }
                    return Some((drawn, Some(segments)));
                }
            }
        }
        Some((drawn, None))
    }

    /// Codes which tiles are changed: 1 to 96 of them, row by row of the columns between the outermost.
    fn code_places<C: Coder>(
        &mut self,
        coder: &mut C,
        grid: TileGrid,
        mut tiles: Vec<usize>,
    ) -> Option<Vec<usize>> {
        let columns = grid.columns();
        let left = tiles.iter().map(|tile| tile % columns).min().unwrap_or(0);
        let right = tiles.iter().map(|tile| tile % columns).max().unwrap_or(0);
        let top = tiles.first().map_or(0, |tile| tile / columns);
        let width = self.area[0].code(coder, (right - left) as u32) as usize + 1;
        let left = self.area[1].code(coder, left as u32) as usize;
        let mut row = self.area[2].code(coder, top as u32) as usize;
        if left + width > columns {
            return None;
        }
        let mut above = vec![false; width];
        let mut done = 0;
        loop {
            if row >= grid.rows() || coder.is_lost() {
                return None;
            }
            let mut upper_left = false;
            for at in 0..width {
                let tile = row * columns + left + at;
                let context = usize::from(at > 0 && above[at - 1])
                    | usize::from(above[at]) << 1
                    | usize::from(upper_left) << 2
                    | usize::from(above.get(at + 1) == Some(&true)) << 3;
                upper_left = above[at];
                let is_changed = !C::DECODES && tiles.get(done) == Some(&tile);
                above[at] = coder.bit(is_changed, &mut self.is_changed[context]);
                if above[at] {
                    if C::DECODES {
                        tiles.push(tile);
                    }
                    done += 1;
                    if done > MAX_TILES {
                        return None;
                    }
                }
            }
            if !coder.bit(done < tiles.len(), &mut self.has_row) {
                return (done > 0).then_some(tiles);
            }
            row += 1;
        }
    }

    fn code_classes<C: Coder>(
        &mut self,
        coder: &mut C,
        grid: TileGrid,
        target: Option<&Frame>,
        tiles: &[usize],
    ) -> Option<Vec<Tile>> {
        let mut before = 0;
        let mut classed = Vec::with_capacity(tiles.len());
        for &index in tiles {
            let rect = grid.rect(index)?;
            let is_photo = target.is_some_and(|target| oddness(target, rect).strange > PHOTO);
            let is_photo = coder.bit(is_photo, &mut self.class[before]);
            before = usize::from(is_photo);
            classed.push(Tile {
                index,
                x: rect.x.into(),
                width: rect.width.into(),
                class: if is_photo { Class::Photo } else { Class::Flat },
                above: Trail::Pixels,
            });
        }
        Some(classed)
    }
}

/// Where the block ends, 0 if where all is told, and how coarse its tiles are, if they are soft.
fn head(body: &mut bits::Reader<'_>) -> Option<(usize, Option<Coarseness>)> {
    let head = body.varint()?;
    let softly = match head & 1 {
        0 => None,
        _ => Some(Coarseness::new(body.u8()?)?),
    };
    Some((usize::try_from(head >> 1).ok()?, softly))
}

/// `width` pixels of `frame`.
fn segment(frame: &Frame, x: usize, y: usize, width: usize) -> Option<&[u32]> {
    let start = y * usize::from(frame.size().width()) + x;
    frame.pixels().get(start..start + width)
}

/// How many pixels of a tile, of 100, equal none of those around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Oddness {
    pub(crate) all: usize,
    /// Without those that a dither would repeat.
    pub(crate) strange: usize,
}

pub(crate) fn oddness(frame: &Frame, rect: alongside_protocol::units::PanelRect) -> Oddness {
    /// Period of the ordered dither that browsers draw gradients with.
    const PERIOD: usize = 8;
    let width = usize::from(frame.size().width());
    let pixels = frame.pixels();
    let (mut all, mut strange) = (0, 0);
    for y in usize::from(rect.y) + 1..usize::from(rect.y + rect.height) {
        for x in usize::from(rect.x) + 1..usize::from(rect.x + rect.width) {
            let at = y * width + x;
            let pixel = pixels[at];
            let around = [at - 1, at - width, at - width - 1];
            if around.iter().any(|other| pixels[*other] == pixel) {
                continue;
            }
            all += 1;
            let repeats = x >= PERIOD && pixel == pixels[at - PERIOD]
                || y >= PERIOD && pixel == pixels[at - PERIOD * width];
            strange += usize::from(!repeats);
        }
    }
    let area = (usize::from(rect.width) - 1) * (usize::from(rect.height) - 1);
    let share = |odd: usize| (100 * odd).checked_div(area).unwrap_or(0);
    Oddness {
        all: share(all),
        strange: share(strange),
    }
}

/// Share of odd pixels, of 100, above which a tile is coded like a photograph.
const PHOTO: usize = 50;

#[cfg(test)]
mod tests;
