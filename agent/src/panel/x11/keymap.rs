//! Which key types a symbol: those that the layout has, and spare ones that get it for a while.

use x11rb::{
    connection::Connection as _,
    errors::ReplyError,
    protocol::xproto::{ConnectionExt as _, KeyButMask},
    rust_connection::RustConnection,
};

use super::keysym::{Keysym, SHIFT, has_case};

/// The keyboard's layout.
#[derive(Debug, Default)]
pub(super) struct Keymap {
    first: u8,
    /// Symbols of a key.
    columns: usize,
    symbols: Vec<Keysym>,
    /// Keys without a symbol of their own, the one least recently used first.
    spares: Vec<Spare>,
}

#[derive(Clone, Copy, Debug)]
struct Spare {
    code: u8,
    /// What it types for now.
    lent: Keysym,
}

/// A key to press, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stroke {
    pub(super) code: u8,
    /// Whether the shift key must be down for it, or up; `None` where it makes no difference.
    pub(super) shift: Option<bool>,
}

/// No symbol.
const NONE: Keysym = 0;

impl Keymap {
    /// Reads the layout as it is now, and keeps what is lent.
    pub(super) fn load(&mut self, connection: &RustConnection) -> Result<(), ReplyError> {
        let setup = connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let answer = connection
            .get_keyboard_mapping(first, last - first + 1)?
            .reply()?;
        self.take(first, answer.keysyms_per_keycode.into(), answer.keysyms);
        Ok(())
    }

    fn take(&mut self, first: u8, columns: usize, symbols: Vec<Keysym>) {
        (self.first, self.columns, self.symbols) = (first, columns, symbols);
        let lent = std::mem::take(&mut self.spares);
        let is_empty = |row: &[Keysym]| row.iter().all(|symbol| *symbol == NONE);
        let fresh = self
            .rows()
            .filter(|(_, row)| is_empty(row))
            .map(|(code, _)| Spare { code, lent: NONE });
        let still = |spare: &Spare| {
            let row = self.row(spare.code);
            spare.lent != NONE
                && row.iter().all(|s| [NONE, spare.lent].contains(s))
                && !is_empty(row)
        };
        self.spares = fresh.chain(lent.iter().copied().filter(still)).collect();
    }

    fn rows(&self) -> impl Iterator<Item = (u8, &[Keysym])> {
        (self.first..=u8::MAX).zip(self.symbols.chunks(self.columns.max(1)))
    }

    /// The keys that nothing was lent to.
    fn own(&self) -> impl Iterator<Item = (u8, &[Keysym])> {
        self.rows()
            .filter(|(code, _)| self.spares.iter().all(|spare| spare.code != *code))
    }

    fn row(&self, code: u8) -> &[Keysym] {
        let at = usize::from(code.saturating_sub(self.first)) * self.columns;
        self.symbols.get(at..at + self.columns).unwrap_or_default()
    }

    /// The two symbols of a key in a group; keys with fewer groups have those of their first.
    fn pair(&self, code: u8, group: usize) -> [Keysym; 2] {
        let row = self.row(code);
        let at = |n: usize| row.get(n).copied().unwrap_or(NONE);
        let pair = [at(group * 2), at(group * 2 + 1)];
        if pair == [NONE; 2] {
            [at(0), at(1)]
        } else {
            pair
        }
    }

    /// What a key types while the modifiers are `state`.
    pub(super) fn symbol(&self, code: u8, state: KeyButMask) -> Keysym {
        let [plain, shifted] = self.pair(code, group(state));
        let is_shifted = is_set(state, KeyButMask::SHIFT)
            != (is_set(state, KeyButMask::LOCK) && has_case(plain));
        if is_shifted && shifted != NONE {
            shifted
        } else {
            plain
        }
    }

    /// Whether a key types `symbol` under some modifiers.
    pub(super) fn can_type(&self, code: u8, symbol: Keysym) -> bool {
        self.row(code).contains(&symbol)
    }

    /// Whether any key of the layout's own types `symbol`.
    pub(super) fn has(&self, symbol: Keysym) -> bool {
        self.own().any(|(_, row)| row.contains(&symbol))
    }

    /// The key of the layout that types `symbol` while the other modifiers are `state`.
    pub(super) fn find(&self, symbol: Keysym, state: KeyButMask) -> Option<Stroke> {
        let group = group(state);
        let turned = is_set(state, KeyButMask::LOCK) && has_case(symbol);
        let found = |column: usize| {
            self.own()
                .map(|(code, _)| (code, self.pair(code, group)))
                .find(|(_, pair)| pair.get(column) == Some(&symbol))
        };
        if let Some((code, [plain, shifted])) = found(0) {
            let differs = shifted != NONE && shifted != plain;
            return Some(Stroke {
                code,
                shift: differs.then_some(turned),
            });
        }
        let (code, _) = found(1)?;
        Some(Stroke {
            code,
            shift: Some(!turned),
        })
    }

    /// The shift key.
    pub(super) fn shift(&self) -> Option<u8> {
        self.rows()
            .find(|(_, row)| row.first() == Some(&SHIFT))
            .map(|(code, _)| code)
    }

    /// Keys that a symbol of any kind can be lent to.
    pub(super) fn spares(&self) -> usize {
        self.spares.len()
    }

    /// A key that types `symbol`, which the layout does not have: lent to the one that has been out of use for longest.
    pub(super) fn lend(
        &mut self,
        connection: &RustConnection,
        symbol: Keysym,
    ) -> Result<Option<Stroke>, ReplyError> {
        let at = self
            .spares
            .iter()
            .position(|spare| spare.lent == symbol)
            .unwrap_or(0);
        if at >= self.spares.len() {
            return Ok(None);
        }
        let mut spare = self.spares.remove(at);
        if spare.lent != symbol {
            spare.lent = symbol;
            connection.change_keyboard_mapping(1, spare.code, 2, &[symbol; 2])?;
        }
        self.spares.push(spare);
        Ok(Some(Stroke {
            code: spare.code,
            shift: None,
        }))
    }

    /// Takes back what was lent.
    pub(super) fn take_back(&mut self, connection: &RustConnection) -> Result<(), ReplyError> {
        for spare in &mut self.spares {
            if std::mem::take(&mut spare.lent) != NONE {
                connection.change_keyboard_mapping(1, spare.code, 1, &[NONE])?;
            }
        }
        Ok(())
    }
}

fn is_set(state: KeyButMask, bit: KeyButMask) -> bool {
    u16::from(state) & u16::from(bit) != 0
}

/// The layout's group, which the server keeps in two bits of the modifiers.
fn group(state: KeyButMask) -> usize {
    usize::from(u16::from(state) >> 13 & 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Keysym = 0x61;

    /// Keys 8 to 12: shift, `a A`, `3 #`, `q` and `ä` in the second group, nothing.
    fn keymap() -> Keymap {
        let mut keymap = Keymap::default();
        let rows = [
            [SHIFT, 0, 0, 0],
            [A, 0x41, 0, 0],
            [0x33, 0x23, 0, 0],
            [0x71, 0x51, 0xe4, 0xc4],
            [0; 4],
        ];
        keymap.take(8, 4, rows.concat());
        keymap
    }

    fn state(bits: u16) -> KeyButMask {
        KeyButMask::from(bits)
    }

    #[test]
    fn a_symbol_is_found_with_the_shift_that_it_needs() {
        let keymap = keymap();
        let find = |symbol, bits| keymap.find(symbol, state(bits));
        let stroke = |code, shift| Some(Stroke { code, shift });
        assert_eq!(find(A, 0), stroke(9, Some(false)));
        assert_eq!(find(0x41, 0), stroke(9, Some(true)));
        assert_eq!(find(A, 2), stroke(9, Some(true)), "Caps Lock");
        assert_eq!(find(0x23, 2), stroke(10, Some(true)), "has no case");
        assert_eq!(find(SHIFT, 0), stroke(8, None));
        assert_eq!(find(0xe4, 0), None, "of the other group");
        assert_eq!(find(0xe4, 1 << 13), stroke(11, Some(false)));
        assert_eq!(find(A, 1 << 13), stroke(9, Some(false)), "has but one");
        assert_eq!((keymap.shift(), keymap.spares()), (Some(8), 1));
    }

    #[test]
    fn a_key_types_what_its_modifiers_say() {
        let keymap = keymap();
        assert_eq!(keymap.symbol(10, state(0)), 0x33);
        assert_eq!(keymap.symbol(10, state(1)), 0x23);
        assert_eq!(keymap.symbol(10, state(2)), 0x33);
        assert_eq!(keymap.symbol(9, state(2)), 0x41);
        assert_eq!(keymap.symbol(9, state(3)), A);
        assert_eq!(keymap.symbol(11, state(1 << 13)), 0xe4);
        assert!(keymap.can_type(10, 0x23) && !keymap.can_type(9, 0x23));
    }

    #[test]
    fn what_is_lent_is_known_again_and_what_another_took_is_not() {
        let mut keymap = keymap();
        keymap.spares = vec![Spare {
            code: 12,
            lent: 0x20ac,
        }];
        let mut symbols = keymap.symbols.clone();
        symbols[16] = 0x20ac;
        keymap.take(8, 4, symbols.clone());
        assert_eq!(keymap.spares(), 1);
        symbols[16] = 0x7a;
        keymap.take(8, 4, symbols);
        assert_eq!(keymap.spares(), 0);
    }
}
