//! What comes in front of the pixels: parts that moved, and tiles that both sides know.

use alongside_protocol::units::PanelRect;

use crate::{
    cache::{Id, RANKS, TileCache},
    coder::{Bit, Coder, Number, Reader, Writer},
    frame::Frame,
    moves::{self, MAX_MOVES, Move},
    profile::Profile,
    tiles::{self, TileGrid},
};

/// Most bytes that the known tiles of one row of tiles may cost: 256 columns, each less than 9 bytes.
const ROW: usize = 256 * 9;

/// Moves and known tiles of one UPDATE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Front {
    pub(crate) moves: Vec<Move>,
    /// Places and the ids of what they show, in order.
    pub(crate) known: Vec<(usize, Id)>,
}

impl Front {
    pub(crate) fn is_empty(&self) -> bool {
        self.moves.is_empty() && self.known.is_empty()
    }
}

/// Both sides' knowledge of what was shown, and the models of how it comes back.
pub(crate) struct Memory {
    grid: TileGrid,
    pub(crate) cache: TileCache,
    models: Models,
}

struct Models {
    moves: Number,
    rect: [Number; 4],
    by: [Number; 2],
    area: [Number; 3],
    is_known: [Bit; 16],
    has_row: Bit,
    /// By the kind before: whether the tile is the successor or one of its place's, and which of them; else its id.
    kind: [[Bit; 2]; 3],
    rank: [[Bit; RANKS]; RANKS],
}

/// How a known tile is named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What was entered after the known tile before.
    Successor,
    /// What the place showed, so many changes ago.
    Rank(usize),
    Id,
}

impl Memory {
    pub(crate) fn new(grid: TileGrid, profile: Profile, epoch: u64, keeps_pixels: bool) -> Self {
        Self {
            grid,
            cache: TileCache::new(grid, profile.cache_log(), epoch, keeps_pixels),
            models: Models {
                moves: Number::NEW,
                rect: [const { Number::NEW }; 4],
                by: [const { Number::NEW }; 2],
                area: [const { Number::NEW }; 3],
                is_known: [Bit::NEW; 16],
                has_row: Bit::NEW,
                kind: [[Bit::NEW; 2]; 3],
                rank: [[Bit::NEW; RANKS]; RANKS],
            },
        }
    }

    /// Writes `front` in about `room` bytes; known tiles that do not fit any more are taken out of it.
    pub(crate) fn write(&mut self, front: &mut Front, room: usize) -> Vec<u8> {
        let mut writer = Writer::new(room.saturating_sub(ROW));
        // Told from what it holds, so that coding cannot fail.
        let _ = self.code(&mut writer, front);
        writer.finish()
    }

    /// Reads what [`write`](Self::write) wrote; `None` if it did not.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Option<Front> {
        let mut front = Front::default();
        let mut reader = Reader::new(bytes, None);
        self.code(&mut reader, &mut front)?;
        (reader.is_sound() && !front.is_empty()).then_some(front)
    }

    fn code<C: Coder>(&mut self, coder: &mut C, front: &mut Front) -> Option<()> {
        let count = self.models.moves.code(coder, front.moves.len() as u32) as usize;
        if count > MAX_MOVES {
            return None;
        }
        if C::DECODES {
            front.moves.resize(count, STILL);
        }
        for it in &mut front.moves {
            self.models.code_move(coder, it)?;
        }
        if !self.cache.is_off() {
            self.code_known(coder, &mut front.known)?;
        }
        Some(())
    }

    /// Codes which places show a known tile, and which one, row by row of the columns between the outermost of them.
    fn code_known<C: Coder>(&mut self, coder: &mut C, known: &mut Vec<(usize, Id)>) -> Option<()> {
        let columns = self.grid.columns();
        let column_of = |(place, _): &(usize, Id)| place % columns;
        let left = known.iter().map(column_of).min().unwrap_or(0);
        let right = known.iter().map(column_of).max().map_or(0, |last| last + 1);
        let top = known.first().map_or(0, |(place, _)| place / columns);
        let width = self.models.area[0].code(coder, (right - left) as u32) as usize;
        if width == 0 {
            return Some(());
        }
        let left = self.models.area[1].code(coder, left as u32) as usize;
        let mut row = self.models.area[2].code(coder, top as u32) as usize;
        if left + width > columns {
            return None;
        }
        let mut above = vec![false; width];
        let mut last = (None, Kind::Successor, 0); // id, kind, rank
        let mut done = 0;
        loop {
            if row >= self.grid.rows() || coder.is_lost() {
                return None;
            }
            let mut upper_left = false;
            for at in 0..width {
                let place = row * columns + left + at;
                let next = known
                    .get(done)
                    .filter(|(known, _)| !C::DECODES && *known == place);
                let context = usize::from(at > 0 && above[at - 1])
                    | usize::from(above[at]) << 1
                    | usize::from(upper_left) << 2
                    | usize::from(above.get(at + 1) == Some(&true)) << 3;
                let id = next.map(|(_, id)| *id);
                upper_left = above[at];
                above[at] = coder.bit(id.is_some(), &mut self.models.is_known[context]);
                if above[at] {
                    let id = self.code_id(coder, place, id.unwrap_or(0), &mut last)?;
                    if C::DECODES {
                        known.push((place, id));
                    }
                    done += 1;
                }
            }
            let has_more = done < known.len() && !coder.ends_after(done);
            if !coder.bit(has_more, &mut self.models.has_row) {
                known.truncate(done);
                return Some(());
            }
            row += 1;
        }
    }

    fn code_id<C: Coder>(
        &mut self,
        coder: &mut C,
        place: usize,
        id: Id,
        last: &mut (Option<Id>, Kind, usize),
    ) -> Option<Id> {
        let successor = self.cache.successor(last.0);
        let was = match last.1 {
            Kind::Successor => 0,
            Kind::Rank(_) => 1,
            Kind::Id => 2,
        };
        let kind = if C::DECODES {
            Kind::Successor
        } else {
            match self.cache.rank(place, id) {
                Some(rank) if last.1 == Kind::Rank(rank) => Kind::Rank(rank),
                _ if successor == Some(id) => Kind::Successor,
                Some(rank) => Kind::Rank(rank),
                None => Kind::Id,
            }
        };
        let models = &mut self.models.kind[was];
        let is_id = coder.bit(kind == Kind::Id, &mut models[0]);
        let (kind, id) = if is_id {
            (
                Kind::Id,
                Id::try_from(coder.even(id.into(), self.cache.id_bits())).ok()?,
            )
        } else if coder.bit(kind != Kind::Successor, &mut models[1]) {
            let rank = match kind {
                Kind::Rank(rank) => rank,
                Kind::Successor | Kind::Id => 0,
            };
            let models = &mut self.models.rank[last.2];
            let mut got = 1;
            for at in (0..3).rev() {
                got = got << 1 | usize::from(coder.bit(rank >> at & 1 == 1, &mut models[got]));
            }
            last.2 = got - RANKS;
            (Kind::Rank(last.2), self.cache.shown_at(place, last.2)?)
        } else {
            (Kind::Successor, successor?)
        };
        *last = (Some(id), kind, last.2);
        Some(id)
    }

    /// Draws `front` as the operator's side does, from the cache. `touched` gets the tiles it changes, in no order.
    pub(crate) fn draw(
        &self,
        front: &Front,
        shown: &mut Frame,
        touched: &mut Vec<usize>,
    ) -> Option<()> {
        moves::apply(shown, &front.moves, touched)?;
        for (place, id) in &front.known {
            self.cache.draw(*id, *place, shown)?;
            touched.push(*place);
        }
        Some(())
    }

    /// Draws the known tiles of `front` as the device does, from the picture that it captured.
    pub(crate) fn copy_known(
        &self,
        front: &Front,
        shown: &mut Frame,
        target: &Frame,
        touched: &mut Vec<usize>,
    ) {
        for (place, _) in &front.known {
            if let Some(rect) = self.grid.rect(*place) {
                tiles::copy(shown, target, rect);
                touched.push(*place);
            }
        }
    }

    /// Enters the tiles that a message changed, in the order of their places; not those that it left unfinished. `known`
    /// says by what a tile is known, if that is known already, or 0.
    pub(crate) fn enter(
        &mut self,
        shown: &Frame,
        touched: &mut Vec<usize>,
        unfinished: &[usize],
        known: impl Fn(usize) -> u128,
    ) {
        touched.sort_unstable();
        touched.dedup();
        touched.retain(|tile| unfinished.binary_search(tile).is_err());
        self.cache.enter(shown, touched, known);
    }
}

const STILL: Move = Move {
    to: PanelRect {
        x: 0,
        y: 0,
        width: 0,
        height: 0,
    },
    by: (0, 0),
};

impl Models {
    fn code_move(&mut self, coder: &mut impl Coder, it: &mut Move) -> Option<()> {
        let to = &mut it.to;
        let fields = [&mut to.x, &mut to.y, &mut to.width, &mut to.height];
        for (field, model) in fields.into_iter().zip(&mut self.rect) {
            *field = u16::try_from(model.code(coder, u32::from(*field))).ok()?;
        }
        for (by, model) in [&mut it.by.0, &mut it.by.1].into_iter().zip(&mut self.by) {
            let zigzag = ((*by << 1) ^ (*by >> 15)).cast_unsigned();
            let got = u16::try_from(model.code(coder, zigzag.into())).ok()?;
            *by = (got >> 1).cast_signed() ^ -(got & 1).cast_signed();
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
