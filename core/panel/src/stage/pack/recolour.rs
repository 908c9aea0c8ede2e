//! Tiles that keep their shapes and change their colours, as in a fade.

use std::collections::BTreeMap;

/// Which colour became which, as far as one message has told; the next message begins with none.
#[derive(Default)]
pub(crate) struct Recolour {
    became: BTreeMap<u32, u32>,
    listed: Vec<u32>,
}

/// Most colours that one tile may add.
const MAX_ADDED: usize = 255;

impl Recolour {
    /// Forgets everything: a message begins.
    pub(crate) fn clear(&mut self) {
        self.became.clear();
    }

    /// The colours that a tile must add so that `old` becomes `new`, at most `limit` of them, and remembers them.
    ///
    /// `None` if no mapping of colours does it, or none that agrees with what the message has told before. A tile of
    /// one colour is no reason to add one.
    pub(super) fn find(
        &mut self,
        old: impl Iterator<Item = u32>,
        new: &[u32],
        limit: usize,
    ) -> Option<&[u32]> {
        self.listed.clear();
        let mut added: Vec<u32> = Vec::new();
        let mut last = None;
        let mut is_one_colour = true;
        for (old, &new) in old.zip(new) {
            let pair = Some((old, new));
            if last == pair {
                continue;
            }
            is_one_colour &= last.is_none_or(|(last, _)| last == old);
            last = pair;
            let fits = match self.became.get(&old) {
                Some(became) => *became == new,
                None if added.len() < limit.min(MAX_ADDED) => {
                    self.became.insert(old, new);
                    added.push(old);
                    self.listed.push(new);
                    true
                }
                None => false,
            };
            if !fits {
                self.forget(&added);
                return None;
            }
        }
        if is_one_colour && !added.is_empty() {
            self.forget(&added);
            return None;
        }
        Some(&self.listed)
    }

    fn forget(&mut self, added: &[u32]) {
        for old in added {
            self.became.remove(old);
        }
    }

    /// Gives each of `pixels` the colour that its own became: one told before, else the next of `added`, all of
    /// which must be used. `None` if they do not fit.
    pub(super) fn apply<'a>(
        &mut self,
        pixels: impl Iterator<Item = &'a mut u32>,
        mut added: impl Iterator<Item = u32>,
    ) -> Option<()> {
        let mut last = None;
        for pixel in pixels {
            let new = match last {
                Some((old, new)) if old == *pixel => new,
                Some(_) | None => match self.became.get(pixel) {
                    Some(new) => *new,
                    None => {
                        let new = added.next()?;
                        self.became.insert(*pixel, new);
                        new
                    }
                },
            };
            last = Some((*pixel, new));
            *pixel = new;
        }
        added.next().is_none().then_some(())
    }
}
