//! Moves, and known tiles.

use super::{
    Picture,
    cache::Cache,
    coder::{Bit, Decoder, Number},
};

pub(crate) struct Front {
    moves: Number,
    fields: [Number; 6],
    places: Places,
    kinds: [[Bit; 2]; 3],
    ranks: [[Bit; 8]; 8],
}

/// Which tiles of a rectangle are meant.
pub(crate) struct Places {
    pub(crate) area: [Number; 3],
    pub(crate) is_one: [Bit; 16],
    pub(crate) has_row: Bit,
}

impl Places {
    pub(crate) fn new() -> Self {
        Self {
            area: [Number::new(), Number::new(), Number::new()],
            is_one: [Bit::new(); 16],
            has_row: Bit::new(),
        }
    }

    /// Calls `each` for every tile that is meant, in order. `width` of them stand side by side, from `left` on.
    pub(crate) fn walk(
        &mut self,
        decoder: &mut Decoder<'_>,
        picture: &Picture,
        width: usize,
        mut each: impl FnMut(&mut Decoder<'_>, usize) -> Option<()>,
    ) -> Option<()> {
        let left = decoder.number(&mut self.area[1]) as usize;
        let mut row = decoder.number(&mut self.area[2]) as usize;
        if left + width > picture.columns() {
            return None;
        }
        let mut above = vec![false; width + 2];
        loop {
            if row >= picture.rows() {
                return None;
            }
            let mut now = vec![false; width + 2];
            // Both rows begin one to the left of the first column.
            for at in 1..=width {
                let model = usize::from(now[at - 1])
                    + 2 * usize::from(above[at])
                    + 4 * usize::from(above[at - 1])
                    + 8 * usize::from(above[at + 1]);
                now[at] = decoder.bit(&mut self.is_one[model]);
                if now[at] {
                    each(decoder, row * picture.columns() + left + at - 1)?;
                }
            }
            if !decoder.bit(&mut self.has_row) {
                return Some(());
            }
            above = now;
            row += 1;
        }
    }
}

impl Front {
    pub(crate) fn new() -> Self {
        Self {
            moves: Number::new(),
            fields: std::array::from_fn(|_| Number::new()),
            places: Places::new(),
            kinds: [[Bit::new(); 2]; 3],
            ranks: [[Bit::new(); 8]; 8],
        }
    }

    pub(crate) fn apply(
        &mut self,
        bytes: &[u8],
        picture: &mut Picture,
        cache: &Cache,
        touched: &mut Vec<usize>,
    ) -> Option<()> {
        let mut decoder = Decoder::new(bytes);
        let count = decoder.number(&mut self.moves);
        if count > 30 {
            return None;
        }
        let mut moves = Vec::new();
        for _ in 0..count {
            let mut fields = [0; 6];
            for (field, model) in fields.iter_mut().zip(&mut self.fields) {
                *field = i64::from(u16::try_from(decoder.number(model)).ok()?);
            }
            for field in &mut fields[4..] {
                *field = if *field % 2 == 0 {
                    *field / 2
                } else {
                    -(*field + 1) / 2
                };
            }
            moves.push(fields);
        }
        let mut known = Vec::new();
        if cache.log > 0 {
            self.known(&mut decoder, picture, cache, &mut known)?;
        }
        if !decoder.is_whole() || (moves.is_empty() && known.is_empty()) {
            return None;
        }
        shift(&moves, picture, touched)?;
        for (place, id) in known {
            cache.draw(id, place, picture)?;
            touched.push(place);
        }
        Some(())
    }

    fn known(
        &mut self,
        decoder: &mut Decoder<'_>,
        picture: &Picture,
        cache: &Cache,
        known: &mut Vec<(usize, usize)>,
    ) -> Option<()> {
        let width = decoder.number(&mut self.places.area[0]) as usize;
        if width == 0 {
            return Some(());
        }
        let (mut id, mut kind, mut rank) = (None, 0, 0);
        let (kinds, ranks) = (&mut self.kinds, &mut self.ranks);
        self.places.walk(decoder, picture, width, |decoder, place| {
            let way = &mut kinds[kind];
            id = Some(if decoder.bit(&mut way[0]) {
                kind = 2;
                decoder.even(cache.log.into()) as usize
            } else if decoder.bit(&mut way[1]) {
                kind = 1;
                let mut at = 1;
                for _ in 0..3 {
                    at = 2 * at + usize::from(decoder.bit(&mut ranks[rank][at]));
                }
                rank = at - 8;
                cache.rank(place, rank)?
            } else {
                kind = 0;
                cache.successor(id)?
            });
            known.push((place, id?));
            Some(())
        })
    }
}

fn shift(moves: &[[i64; 6]], picture: &mut Picture, touched: &mut Vec<usize>) -> Option<()> {
    let before = picture.clone();
    let area: i64 = moves
        .iter()
        .map(|[_, _, width, height, ..]| width * height)
        .sum();
    if area > before.pixels.len() as i64 {
        return None;
    }
    let is_inside = |x: i64, y: i64, width: i64, height: i64| {
        x >= 0 && y >= 0 && x + width <= before.width as i64 && y + height <= before.height as i64
    };
    for &[x, y, width, height, right, down] in moves {
        if width == 0
            || height == 0
            || !is_inside(x, y, width, height)
            || !is_inside(x - right, y - down, width, height)
        {
            return None;
        }
    }
    for &[x, y, width, height, right, down] in moves {
        for to_y in y..y + height {
            for to_x in x..x + width {
                let pixel = before.get(to_x - right, to_y - down);
                picture.set(to_x as usize, to_y as usize, pixel);
                touched.push(to_y as usize / 16 * picture.columns() + to_x as usize / 16);
            }
        }
    }
    Some(())
}
