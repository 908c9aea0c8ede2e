//! Which of the tiles that differ come next.

use alongside_protocol::units::{Millis, PanelRect};

use crate::{
    cache::{Id, TileCache},
    frame::Frame,
    looks::Looks,
    message::MAX_MESSAGE,
    stage::{Coarseness, MAX_TILES},
    terms::{Lifts, Refines, Terms},
    tiles::{TILE, TileGrid},
};

/// Tiles of a region that was asked for, and fewest of any, that one message makes exact (our choice: something newer
/// waits no longer).
const REFINED: usize = 24;
const FEWEST: usize = 8;

/// What part of what may come exactly is little.
const LITTLE: usize = 8;

/// How far from the touch the animations are shown as they come, in pixels.
const TOUCHED: u16 = 96;

/// What exact tiles cost, by the last of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Costs {
    /// Bytes of a cheap tile, of 16.
    cheap: usize,
    /// How many times what its pixels look like a dear tile costs, of 256.
    dear: usize,
}

impl Costs {
    /// What the recordings cost, about.
    pub(super) const START: Self = Self {
        cheap: 16 * 30,
        dear: 256,
    };

    /// Learns from a message of so many tiles, of which it was thought that they cost so much.
    pub(super) fn learn(&mut self, group: Group, tiles: usize, expected: usize, bytes: usize) {
        let (cost, each) = match group {
            Group::Cheap => (&mut self.cheap, (16 * bytes).checked_div(tiles)),
            Group::Dear | Group::Refined => (&mut self.dear, (256 * bytes).checked_div(expected)),
            Group::Mixed | Group::Soft => return,
        };
        if let Some(each) = each {
            *cost = (7 * *cost + each) / 8;
        }
    }
}

/// What kind of tiles a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// Drawings and text, exactly.
    Cheap,
    /// Photographs and the like, exactly.
    Dear,
    /// Both, exactly.
    Mixed,
    /// Whatever would take too long, softly.
    Soft,
    /// What was shown softly, exactly.
    Refined,
}

/// What a picture asks for.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Tiles that the operator's side knows, in order.
    pub(super) known: Vec<(usize, Id)>,
    cheap: Vec<usize>,
    dear: Vec<usize>,
    /// What those cost, by their looks.
    dear_bytes: usize,
    soft: Vec<usize>,
    /// The same of what is shown softly.
    soft_bytes: usize,
    held: usize,
}

/// The tiles of the next message.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) group: Group,
    /// In order.
    pub(super) tiles: Vec<usize>,
    /// The least urgent of them.
    pub(super) last: usize,
    pub(super) softly: Option<Coarseness>,
}

/// What there is to choose by.
pub(super) struct Chooser<'a> {
    pub(super) grid: TileGrid,
    pub(super) terms: &'a Terms,
    pub(super) at: Millis,
    /// Whether animations wait.
    pub(super) holds: bool,
    pub(super) cursor: usize,
    pub(super) costs: Costs,
    /// Whether the stage can tell soft tiles.
    pub(super) softens: bool,
}

impl Chooser<'_> {
    /// Sorts `changed`, all of which have been looked at.
    pub(super) fn sort(
        &self,
        looks: &mut Looks,
        cache: &TileCache,
        frame: &Frame,
        changed: &[usize],
    ) -> Found {
        let mut found = Found::default();
        let mut new = Vec::with_capacity(changed.len());
        for &tile in changed {
            if self.holds && self.is_animated(looks, tile) && !self.is_near_touch(tile) {
                found.held += 1;
            } else if let Some(id) = cache.find(looks.hash(tile)) {
                found.known.push((tile, id));
            } else if looks.is_soft(tile) {
                found.soft.push(tile);
                found.soft_bytes += looks.cost(tile);
            } else {
                new.push(tile);
            }
        }
        for tile in new.iter().copied() {
            // Without a bound nothing is dear.
            let is_dear = self.terms.dear != usize::MAX && looks.is_rich(frame, tile, new.len());
            if is_dear {
                found.dear.push(tile);
                found.dear_bytes += looks.cost(tile);
            } else {
                found.cheap.push(tile);
            }
        }
        found
    }

    /// What comes next of the tiles that are not known.
    pub(super) fn choose(&self, found: &Found) -> Option<Choice> {
        let Found {
            cheap, dear, soft, ..
        } = found;
        let takes_long = |bytes: usize, most: usize| self.softens && bytes > most;
        if let Some(choice) = self.choose_first(found) {
            return Some(choice);
        }
        let (group, tiles) = if takes_long(cheap.len() * self.costs.cheap / 16, self.terms.cheap) {
            (Group::Soft, [cheap.as_slice(), dear].concat())
        } else if self.is_dear(found) {
            if cheap.is_empty() {
                (Group::Soft, dear.clone())
            } else {
                (Group::Cheap, cheap.clone())
            }
        } else if !cheap.is_empty() && !dear.is_empty() {
            (Group::Mixed, [cheap.as_slice(), dear].concat())
        } else if !cheap.is_empty() {
            (Group::Cheap, cheap.clone())
        } else if !dear.is_empty() {
            (Group::Dear, dear.clone())
        } else if self.terms.refines == Refines::Yes {
            (Group::Refined, soft.clone())
        } else {
            return None;
        };
        let most = match group {
            Group::Refined => self.refined(found),
            Group::Cheap | Group::Dear | Group::Mixed | Group::Soft => MAX_TILES,
        };
        self.take(group, tiles, most)
    }

    /// How many soft tiles one message makes exact, about. Tiles side by side are told line by line, so that of too many
    /// none would be finished.
    fn refined(&self, found: &Found) -> usize {
        let all = (found.soft_bytes * self.costs.dear / 256).max(1);
        let fit = self
            .terms
            .enough
            .min(MAX_MESSAGE)
            .saturating_mul(found.soft.len())
            / all;
        fit.clamp(FEWEST, MAX_TILES)
    }

    /// Whether the dear tiles take long, with those that were shown softly before them: what began softly ends so, but for
    /// a little that changes later.
    fn is_dear(&self, found: &Found) -> bool {
        let cost = |bytes: usize| bytes * self.costs.dear / 256;
        let all = cost(found.dear_bytes + found.soft_bytes);
        self.softens && all > self.terms.dear && cost(found.dear_bytes) > self.terms.dear / LITTLE
    }

    /// What was asked for before anything else.
    fn choose_first(&self, found: &Found) -> Option<Choice> {
        let first = self.terms.first?;
        let all = [found.cheap.as_slice(), &found.dear, &found.soft].concat();
        let within = all.into_iter().filter(|tile| {
            self.grid
                .rect(*tile)
                .is_some_and(|rect| overlap(rect, first))
        });
        self.take(Group::Refined, within.collect(), REFINED)
    }

    /// The first of `tiles`, from where it is most urgent.
    fn take(&self, group: Group, mut tiles: Vec<usize>, most: usize) -> Option<Choice> {
        match self.terms.touch {
            Some(touch) if tiles.len() > most => {
                tiles.sort_by_key(|tile| self.distance(*tile, touch));
            }
            _ => {
                tiles.sort_unstable();
                let start = tiles.partition_point(|tile| *tile < self.cursor);
                tiles.rotate_left(start);
            }
        }
        tiles.truncate(most);
        let last = *tiles.last()?;
        tiles.sort_unstable();
        let softly = (group == Group::Soft)
            .then(|| Coarseness::new(self.terms.coarseness))
            .flatten();
        Some(Choice {
            group,
            tiles,
            last,
            softly,
        })
    }

    /// Bytes after which a message of these tiles is long enough. An animation would never be shown whole if it were cut
    /// off: its next picture is another.
    pub(super) fn enough(&self, looks: &mut Looks, tiles: &[usize], enough: usize) -> usize {
        let mut tiles = tiles.iter();
        if !self.holds && tiles.any(|tile| self.is_animated(looks, *tile)) {
            enough.max(self.terms.animated)
        } else {
            enough
        }
    }

    /// Whether the terms have the tile shown less often than it changes.
    pub(super) fn is_animated(&self, looks: &mut Looks, tile: usize) -> bool {
        looks.is_animated(tile, self.at, self.terms.animation)
    }

    fn is_near_touch(&self, tile: usize) -> bool {
        let is_lifted = self.terms.lifts == Lifts::NearTouch;
        self.terms
            .touch
            .filter(|_| is_lifted)
            .is_some_and(|touch| self.distance(tile, touch) <= TOUCHED)
    }

    /// The longer way, right or down, from the touch to the middle of a tile.
    fn distance(&self, tile: usize, (x, y): (u16, u16)) -> u16 {
        self.grid.rect(tile).map_or(u16::MAX, |rect| {
            let half = TILE / 2;
            (rect.x + half).abs_diff(x).max((rect.y + half).abs_diff(y))
        })
    }
}

impl Found {
    /// Tiles that are not known.
    pub(super) fn unknown(&self) -> usize {
        self.cheap.len() + self.dear.len()
    }

    /// Tiles that are told later, as they are of an animation.
    pub(super) const fn held(&self) -> usize {
        self.held
    }
}

fn overlap(a: PanelRect, b: PanelRect) -> bool {
    let meet = |a: u16, a_len: u16, b: u16, b_len: u16| {
        u32::from(a) < u32::from(b) + u32::from(b_len)
            && u32::from(b) < u32::from(a) + u32::from(a_len)
    };
    meet(a.x, a.width, b.x, b.width) && meet(a.y, a.height, b.y, b.height)
}
