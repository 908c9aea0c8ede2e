//! What is known of the tiles that the operator does not show as they are.

use alongside_protocol::units::Millis;

use crate::{frame::Frame, stage, tiles::TileGrid};

/// Colours above which a tile is rich: pixels that guesses do not get (the codec study's choice).
const RICH_COLOURS: usize = 40;
/// Share of odd pixels, of 100, above which a tile is rich; a dither is not odd. The same when much of the picture is
/// new, and a dither counts: a whole screen of it takes long, and softly next to nothing.
const RICH_ODDS: u8 = 50;
const RICH_ODDS_OF_MANY: u8 = 5;
/// Tiles that are many (the codec study's choice).
const MANY: usize = 500;

/// One bit of a tile's past is so many milliseconds.
const SLOT: u64 = 33;
/// Changes within a second from which a tile is animated.
const ANIMATED: u32 = 6;
/// Bits of a second.
const SECOND: u32 = (1 << 30) - 1;
/// Where animations are shown this seldom, in milliseconds, pictures are looked at seldom too: a tile is animated there
/// after fewer changes, if they were almost all that was looked at, and so many slots ago it changed already.
const SELDOM: u64 = 500;
const SELDOM_ANIMATED: u32 = 4;
const SELDOM_SLOTS: u32 = 15;

pub(crate) struct Looks {
    /// One for each tile.
    tiles: Vec<Look>,
    /// When any was looked at.
    looked: Past,
}

/// When something happened, the newest slot lowest, and the number of that slot.
#[derive(Clone, Copy, Default)]
struct Past {
    bits: u32,
    slot: u32,
}

/// A tile that was not shown as it is when it was looked at last.
#[derive(Clone, Copy, Default)]
struct Look {
    /// Of what the device shows; 0 if it was not looked at since it was shown exactly.
    hash: u128,
    is_soft: bool,
    richness: Option<Richness>,
    changes: Past,
}

#[derive(Clone, Copy)]
struct Richness {
    odds: u8,
    strange: u8,
    has_many_colours: bool,
}

impl Looks {
    pub(crate) fn new(grid: TileGrid) -> Self {
        Self {
            tiles: vec![Look::default(); grid.count()],
            looked: Past::default(),
        }
    }

    /// A tile now is `hash`; tells whether that is news.
    pub(crate) fn look(&mut self, tile: usize, hash: u128, at: Millis) -> bool {
        let Some(look) = self.tiles.get_mut(tile).filter(|look| look.hash != hash) else {
            return false;
        };
        look.hash = hash;
        look.is_soft = false;
        look.richness = None;
        look.changes.note(at);
        true
    }

    /// A picture is looked at.
    pub(crate) fn begin(&mut self, at: Millis) {
        self.looked.note(at);
    }

    pub(crate) fn hash(&self, tile: usize) -> u128 {
        self.tiles.get(tile).map_or(0, |look| look.hash)
    }

    /// Whether the operator shows nearly what the tile is.
    pub(crate) fn is_soft(&self, tile: usize) -> bool {
        self.tiles.get(tile).is_some_and(|look| look.is_soft)
    }

    /// Whether the tile changes so often that not every change need be shown, but one `every` so many milliseconds.
    pub(crate) fn is_animated(&mut self, tile: usize, at: Millis, every: u64) -> bool {
        let looked = self.looked.within_second(at).count_ones();
        self.tiles.get_mut(tile).is_some_and(|look| {
            let changes = look.changes.within_second(at);
            let count = changes.count_ones();
            let is_so_here = || {
                every >= SELDOM
                    && count >= SELDOM_ANIMATED.max(looked.saturating_sub(1))
                    && changes >> SELDOM_SLOTS != 0
            };
            count > ANIMATED || is_so_here()
        })
    }

    /// Whether the tile's pixels are dear to tell, as in a photograph. `of` are to be told in all.
    pub(crate) fn is_rich(&mut self, frame: &Frame, tile: usize, of: usize) -> bool {
        let Some(look) = self.tiles.get_mut(tile) else {
            return false;
        };
        let richness = *look
            .richness
            .get_or_insert_with(|| Richness::of(frame, tile));
        let is_odd = if of > MANY {
            richness.odds > RICH_ODDS_OF_MANY
        } else {
            richness.strange > RICH_ODDS
        };
        richness.has_many_colours || is_odd
    }

    /// About how many bytes a rich tile takes (measured over the recordings: more, the fewer of its pixels are like
    /// those around them).
    pub(crate) fn cost(&self, tile: usize) -> usize {
        let richness = self.tiles.get(tile).and_then(|look| look.richness);
        richness.map_or(0, |richness| 24 + 5 * usize::from(richness.strange))
    }

    /// The operator shows something else there than it did.
    pub(crate) fn shows_other(&mut self, tile: usize) {
        if let Some(look) = self.tiles.get_mut(tile) {
            look.is_soft = false;
        }
    }

    pub(crate) fn shows_softly(&mut self, tile: usize) {
        if let Some(look) = self.tiles.get_mut(tile) {
            look.is_soft = true;
        }
    }

    pub(crate) fn shows_exactly(&mut self, tile: usize) {
        if let Some(look) = self.tiles.get_mut(tile) {
            look.hash = 0;
            look.is_soft = false;
        }
    }
}

impl Past {
    fn note(&mut self, at: Millis) {
        self.forget_until(at);
        self.bits |= 1;
    }

    fn within_second(&mut self, at: Millis) -> u32 {
        self.forget_until(at);
        self.bits & SECOND
    }

    fn forget_until(&mut self, at: Millis) {
        let slot = (at.as_u64() / SLOT) as u32;
        let passed = slot.wrapping_sub(self.slot);
        self.bits = self.bits.checked_shl(passed).unwrap_or(0);
        self.slot = slot;
    }
}

impl Richness {
    fn of(frame: &Frame, tile: usize) -> Self {
        let grid = TileGrid::new(frame.size());
        let Some(rect) = grid.rect(tile) else {
            return Self {
                odds: 0,
                strange: 0,
                has_many_colours: false,
            };
        };
        let mut colours = [0; RICH_COLOURS];
        let mut count = 0;
        let mut last = None;
        let has_many_colours = crate::tiles::rows(frame, rect).flatten().any(|pixel| {
            if last == Some(*pixel) || colours[..count].contains(pixel) {
                last = Some(*pixel);
                return false;
            }
            last = Some(*pixel);
            if count == RICH_COLOURS {
                return true;
            }
            colours[count] = *pixel;
            count += 1;
            false
        });
        let oddness = stage::oddness(frame, rect);
        Self {
            odds: oddness.all as u8,
            strange: oddness.strange as u8,
            has_many_colours,
        }
    }
}

#[cfg(test)]
mod tests {
    use alongside_protocol::PanelSize;

    use super::*;

    fn grid() -> TileGrid {
        TileGrid::new(PanelSize::new(64, 64).unwrap())
    }

    #[test]
    fn a_tile_that_changes_all_the_time_is_animated_until_it_rests_for_a_second() {
        let mut looks = Looks::new(grid());
        let mut at = 1_000_000;
        for change in 1..=10 {
            at += 66;
            assert!(looks.look(3, change, Millis::new(at)));
            assert_eq!(looks.is_animated(3, Millis::new(at), 100), change > 6);
        }
        assert!(!looks.look(3, 10, Millis::new(at + 500)));
        assert!(!looks.is_animated(3, Millis::new(at + 1_000), 100));
        assert!(!looks.is_animated(2, Millis::new(at), 100));
    }

    #[test]
    fn where_pictures_are_seldom_looked_at_fewer_changes_are_an_animation() {
        let mut looks = Looks::new(grid());
        let mut at = 1_000_000;
        for change in 1..=5 {
            at += 200;
            looks.begin(Millis::new(at));
            looks.look(3, change, Millis::new(at));
            looks.look(4, change / 2, Millis::new(at));
            assert_eq!(looks.is_animated(3, Millis::new(at), 500), change > 3);
            assert!(!looks.is_animated(3, Millis::new(at), 200));
            assert!(!looks.is_animated(4, Millis::new(at), 500), "as typed text");
        }
    }

    #[test]
    fn what_is_soft_is_so_until_the_tile_changes() {
        let mut looks = Looks::new(grid());
        looks.look(0, 7, Millis::new(1));
        looks.shows_softly(0);
        assert!(!looks.look(0, 7, Millis::new(2)) && looks.is_soft(0));
        assert!(looks.look(0, 8, Millis::new(3)) && !looks.is_soft(0));
    }

    #[test]
    fn photographs_are_rich_and_drawings_are_not() {
        let size = PanelSize::new(32, 16).unwrap();
        let noise = |at: u32| (at * at).wrapping_mul(0x9e37_79b1) >> 8;
        let pixels = (0..512).map(|at| if at % 32 < 16 { at % 5 / 4 } else { noise(at) });
        let frame = Frame::new(size, pixels.collect()).unwrap();
        let mut looks = Looks::new(TileGrid::new(size));
        assert!(!looks.is_rich(&frame, 0, 2));
        assert!(looks.is_rich(&frame, 1, 2));
    }
}
