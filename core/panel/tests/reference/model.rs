//! Entropy stage E1.

use std::io::Cursor;

use super::{
    Picture, byte,
    coder::{Bit, Decoder},
    front::Places,
    rest,
    soft::Soft,
    varint,
};

/// A colour and how much it is trusted.
#[derive(Clone, Copy, Default)]
struct Guess {
    colour: u32,
    trust: usize,
}

impl Guess {
    fn learn(&mut self, colour: u32) {
        if self.colour == colour {
            self.trust = 3.min(self.trust + 1);
        } else if self.trust > 1 {
            self.trust -= 2;
        } else {
            *self = Self { colour, trust: 0 };
        }
    }

    fn follow(&mut self, colour: u32) {
        let trust = if self.colour == colour {
            3.min(self.trust + 1)
        } else {
            1
        };
        *self = Self { colour, trust };
    }
}

fn learn_pair(pair: &mut [Guess; 2], colour: u32) {
    if pair[0].colour == colour {
        pair[0].trust = 3.min(pair[0].trust + 1);
        return;
    }
    let trust = usize::from(pair[1].colour == colour);
    pair[1] = Guess {
        colour: pair[0].colour,
        trust: 0,
    };
    pair[0] = Guess { colour, trust };
}

/// A tile of the message.
struct Tile {
    place: usize,
    is_photo: bool,
    /// How the segment above was told: 0 by pixels, 1 upper, 2 old.
    above: usize,
}

pub(crate) struct Model {
    log: u32,
    places: Places,
    class: [Bit; 2],
    is_upper: [Bit; 18],
    is_old: [Bit; 18],
    near: Vec<Guess>,
    wide: Vec<Guess>,
    turned: Vec<Guess>,
    faded: Vec<Guess>,
    six: Vec<[Guess; 2]>,
    two: Vec<[Guess; 2]>,
    course: Vec<Bit>,
    accord: Vec<Bit>,
    place: Vec<Bit>,
    weights: [[[i64; 3]; 4]; 15],
    photo_is_old: [Bit; 2],
    photo_was_old: usize,
    residuals: Vec<[Bit; 272]>,
    recall: Vec<[u32; 3]>,
    is_recalled: [[Bit; 2]; 3],
    soft: Soft,
}

impl Model {
    pub(crate) fn new(log: u8) -> Self {
        let size = 1 << log;
        Self {
            log: log.into(),
            places: Places::new(),
            class: [Bit::new(); 2],
            is_upper: [Bit::new(); 18],
            is_old: [Bit::new(); 18],
            near: vec![Guess::default(); size],
            wide: vec![Guess::default(); 2 * size],
            turned: vec![Guess::default(); size],
            faded: vec![Guess::default(); size],
            six: vec![[Guess::default(); 2]; size],
            two: vec![[Guess::default(); 2]; size],
            course: vec![Bit::new(); 15 * 4 * 4 * 4 * 4],
            accord: vec![Bit::new(); 15 << 10],
            place: vec![Bit::new(); size],
            weights: [[[24_576; 3]; 4]; 15],
            photo_is_old: [Bit::new(); 2],
            photo_was_old: 0,
            residuals: vec![[Bit::new(); 272]; 3 * 2 * 4 * 56],
            recall: vec![[0; 3]; 256],
            is_recalled: [[Bit::new(); 2]; 3],
            soft: Soft::new(),
        }
    }

    /// Draws the tiles. Gives those that are finished, and those that are not.
    pub(crate) fn apply(
        &mut self,
        body: &[u8],
        picture: &mut Picture,
    ) -> Option<(Vec<usize>, Vec<usize>)> {
        let mut body = Cursor::new(body);
        let head = varint(&mut body)?;
        let coarseness = if head % 2 == 1 {
            let coarseness = byte(&mut body)?;
            if coarseness == 0 {
                return None;
            }
            Some(coarseness)
        } else {
            None
        };
        let end = head / 2;
        let block = rest(&mut body);
        let mut decoder = Decoder::new(&block);
        let width = decoder.number(&mut self.places.area[0]) as usize + 1;
        let mut places = Vec::new();
        self.places.walk(&mut decoder, picture, width, |_, place| {
            places.push(place);
            (places.len() <= 96).then_some(())
        })?;
        if places.is_empty() {
            return None;
        }
        let (drawn, told) = match coarseness {
            Some(coarseness) => {
                let count = if end == 0 { places.len() as u64 } else { end };
                let count = count.min(places.len() as u64) as usize;
                for place in &places[..count] {
                    self.soft.tile(&mut decoder, picture, *place, coarseness)?;
                }
                let is_all = count == places.len();
                places.truncate(count);
                ((Vec::new(), places), if is_all { 0 } else { end })
            }
            None => self.exactly(&mut decoder, picture, &places, end)?,
        };
        (decoder.is_whole() && told == end).then_some(drawn)
    }

    /// Gives what was drawn, and after how many segments it ended early, or 0.
    fn exactly(
        &mut self,
        decoder: &mut Decoder<'_>,
        picture: &mut Picture,
        places: &[usize],
        end: u64,
    ) -> Option<((Vec<usize>, Vec<usize>), u64)> {
        let mut before = 0;
        let mut tiles = Vec::new();
        for &place in places {
            let is_photo = decoder.bit(&mut self.class[before]);
            before = usize::from(is_photo);
            tiles.push(Tile {
                place,
                is_photo,
                above: 0,
            });
        }
        let (mut finished, mut unfinished) = (Vec::new(), Vec::new());
        let mut segments = 0;
        let columns = picture.columns();
        for row in tiles.chunk_by_mut(|a, b| a.place / columns == b.place / columns) {
            let old = picture.clone();
            let [_, top, _, height] = picture.tile(row[0].place)?;
            for y in top..top + height {
                let (mut left, mut misses) = (0, 0);
                for at in 0..row.len() {
                    if segments > 0 && segments == end {
                        let is_last = y + 1 == top + height;
                        for (n, tile) in row.iter().enumerate() {
                            if is_last && n < at {
                                finished.push(tile.place);
                            } else {
                                unfinished.push(tile.place);
                            }
                        }
                        return Some(((finished, unfinished), end));
                    }
                    segments += 1;
                    let tile = &mut row[at];
                    let [x, _, width, _] = picture.tile(tile.place)?;
                    if tile.is_photo {
                        self.photo_segment(decoder, picture, &old, x, y, width);
                    } else {
                        let around = (left, tile.above);
                        left = self.flat_segment(
                            decoder,
                            picture,
                            &old,
                            (x, y, width),
                            around,
                            &mut misses,
                        );
                        tile.above = left;
                    }
                }
            }
            finished.extend(row.iter().map(|tile| tile.place));
        }
        Some(((finished, unfinished), 0))
    }

    fn flat_segment(
        &mut self,
        decoder: &mut Decoder<'_>,
        picture: &mut Picture,
        old: &Picture,
        (x, y, width): (usize, usize, usize),
        (left, above): (usize, usize),
        misses: &mut usize,
    ) -> usize {
        let all = x as i64..(x + width) as i64;
        let line = y as i64;
        let alike = all
            .clone()
            .all(|x| picture.get(x, line - 1) == old.get(x, line));
        let model = (3 * left + above) * 2 + usize::from(alike);
        if decoder.bit(&mut self.is_upper[model]) {
            for x in all {
                picture.set(x as usize, y, picture.get(x, line - 1));
            }
            return 1;
        }
        if !alike && decoder.bit(&mut self.is_old[model]) {
            for x in all {
                picture.set(x as usize, y, old.get(x, line));
            }
            return 2;
        }
        for x in all {
            let colour = self.pixel(decoder, picture, old, x, line, misses);
            picture.set(x as usize, y, colour);
        }
        0
    }

    fn pixel(
        &mut self,
        decoder: &mut Decoder<'_>,
        picture: &Picture,
        old: &Picture,
        x: i64,
        y: i64,
        misses: &mut usize,
    ) -> u32 {
        let get = |left: i64, up: i64| picture.get(x - left, y - up);
        let (w, n, nw, ne) = (get(1, 0), get(0, 1), get(1, 1), get(-1, 1));
        let (ww, nn) = (get(2, 0), get(0, 2));
        let (was, was_w) = (old.get(x, y), old.get(x - 1, y));
        // Above the row of tiles, the picture as it stands now.
        let was_n = if (y - 1) / 16 < y / 16 {
            picture.get(x, y - 1)
        } else {
            old.get(x, y - 1)
        };
        let log = self.log;
        let near = hash(5, &[w, n, nw, ne, was], log);
        let six = hash(5, &[w, n, nw, ne, ww, nn, 1], log);
        let wide = [
            w,
            n,
            nw,
            ne,
            ww,
            nn,
            get(3, 0),
            get(4, 0),
            get(2, 1),
            get(-2, 1),
            get(1, 2),
            get(-1, 2),
            get(0, 3),
        ];
        let wide = hash(5, &wide, log + 1);
        let two = hash(5, &[w, n], log);
        let faded = hash(9, &[was], log);
        let turned = hash(9, &[was, w, was_w], log);

        let (by_near, by_wide) = (self.near[near], self.wide[wide]);
        let (first, second) = if by_wide.trust > by_near.trust {
            (by_wide, by_near)
        } else {
            (by_near, by_wide)
        };
        let (by_six, by_two) = (self.six[six], self.two[two]);
        let (by_turned, by_faded) = (self.turned[turned], self.faded[faded]);
        let both = |a: bool, b: bool| usize::from(a) + 2 * usize::from(b);
        let (w8, n8) = (get(8, 0), get(0, 8));
        let slope = {
            let part = |shift: u32| {
                let of = |colour: u32| i64::from(colour >> shift & 255);
                ((of(w) + of(n) - of(nw)).clamp(0, 255) as u32) << shift
            };
            part(16) | part(8) | part(0)
        };
        let guesses = [
            (first.colour, first.trust),
            (second.colour, second.trust),
            (by_six[0].colour, by_six[0].trust),
            (by_turned.colour, by_turned.trust),
            (w, both(w == was, n == was)),
            (n, both(n == was, nw == was)),
            (by_two[0].colour, by_two[0].trust),
            (w8, both(n == get(8, 1), nw == get(9, 1))),
            (n8, both(w == get(1, 8), ne == get(-1, 9))),
            (by_faded.colour, by_faded.trust),
            (by_six[1].colour, by_six[1].trust),
            (slope, 0),
            (ne, 0),
            (nw, 0),
            (by_two[1].colour, by_two[1].trust),
        ];
        let witnesses = [
            w,
            n,
            nw,
            ne,
            was,
            by_turned.colour,
            by_two[0].colour,
            by_six[0].colour,
        ];
        let mut tried = Vec::new();
        let mut found = None;
        for (k, (colour, speaks)) in guesses.into_iter().enumerate() {
            if tried.contains(&colour) {
                continue;
            }
            let t = tried.len().min(3);
            let shape = both(w == n, n == ne);
            let course = (((k * 4 + speaks) * 4 + t) * 4 + shape) * 4 + *misses % 4;
            let accord = witnesses.iter().fold(k, |accord, other| {
                2 * accord + usize::from(*other == colour)
            });
            let accord = 4 * accord + both(was == was_w, was == was_n);
            let place = hash(5, &[w, n, nw, k as u32], log);
            let models = [
                &mut self.course[course],
                &mut self.accord[accord],
                &mut self.place[place],
            ];
            if decoder.mixed(&mut self.weights[k][t], models) {
                found = Some(colour);
                break;
            }
            tried.push(colour);
        }
        let is_miss = found.is_none() || !tried.is_empty();
        *misses = 2 * *misses % 8 + usize::from(is_miss);
        let colour = found.unwrap_or_else(|| self.single(decoder, picture, x, y));
        self.near[near].learn(colour);
        self.turned[turned].learn(colour);
        self.faded[faded].learn(colour);
        self.wide[wide].follow(colour);
        learn_pair(&mut self.six[six], colour);
        learn_pair(&mut self.two[two], colour);
        colour
    }

    fn photo_segment(
        &mut self,
        decoder: &mut Decoder<'_>,
        picture: &mut Picture,
        old: &Picture,
        x: usize,
        y: usize,
        width: usize,
    ) {
        let is_old = decoder.bit(&mut self.photo_is_old[self.photo_was_old]);
        self.photo_was_old = usize::from(is_old);
        for x in x..x + width {
            let (left, line) = (x as i64, y as i64);
            let colour = if is_old {
                old.get(left, line)
            } else {
                let (green, above) = self.channel(decoder, picture, left, line, 0, 0, None);
                let (red, _) = self.channel(decoder, picture, left, line, 0, 1, Some(above));
                let (blue, _) = self.channel(decoder, picture, left, line, 0, 2, Some(above));
                green << 8 | red << 16 | blue
            };
            picture.set(x, y, colour);
        }
    }

    /// A colour by its residuals, with recall.
    fn single(&mut self, decoder: &mut Decoder<'_>, picture: &Picture, x: i64, y: i64) -> u32 {
        let (green, above) = self.channel(decoder, picture, x, y, 1, 0, None);
        let mut pairs = self.recall[green as usize];
        let differ = usize::from(pairs[0] != pairs[1]);
        for rank in 0..3 {
            if rank > 0 && pairs[rank] == pairs[rank - 1] {
                continue;
            }
            if decoder.bit(&mut self.is_recalled[rank][differ]) {
                let pair = pairs[rank];
                pairs.copy_within(0..rank, 1);
                pairs[0] = pair;
                self.recall[green as usize] = pairs;
                return pair | green << 8;
            }
        }
        let (red, _) = self.channel(decoder, picture, x, y, 1, 1, Some(above));
        let (blue, _) = self.channel(decoder, picture, x, y, 1, 2, Some(above));
        pairs = [red << 16 | blue, pairs[0], pairs[1]];
        self.recall[green as usize] = pairs;
        red << 16 | green << 8 | blue
    }

    /// One channel (0 green, 1 red, 2 blue), and how far it is above its median.
    fn channel(
        &mut self,
        decoder: &mut Decoder<'_>,
        picture: &Picture,
        x: i64,
        y: i64,
        purpose: usize,
        channel: usize,
        green: Option<i64>,
    ) -> (u32, i64) {
        let shift = [8, 16, 0][channel];
        let get = |x: i64, y: i64| i64::from(picture.get(x, y) >> shift & 255);
        let median_at = |x: i64, y: i64| median(get(x - 1, y), get(x, y - 1), get(x - 1, y - 1));
        let (w, n, nw, ne) = (
            get(x - 1, y),
            get(x, y - 1),
            get(x - 1, y - 1),
            get(x + 1, y - 1),
        );
        let middle = median(w, n, nw);
        let slope = (w - nw).abs() + (nw - n).abs() + (n - ne).abs();
        let surroundings = if slope <= 6 {
            let above = |x: i64, y: i64| match get(x, y) - median_at(x, y) {
                0 => 0,
                1 => 1,
                -1 => 2,
                _ => 3,
            };
            let steep = [0, 1, 1, 2, 2, 2, 2][slope as usize];
            (above(x - 8, y) * 4 + above(x, y - 8)) * 3 + steep
        } else {
            let steeps = [10, 16, 26, 44, 80, 160, 300];
            48 + steeps.iter().filter(|steep| **steep < slope).count()
        };
        let size = match green.unwrap_or(0).abs() {
            0 => 0,
            1..=2 => 1,
            3..=7 => 2,
            _ => 3,
        };
        let models = &mut self.residuals[((channel * 2 + purpose) * 4 + size) * 56 + surroundings];
        let predicted = (middle + green.unwrap_or(0)).clamp(0, 255);
        let residual = residual(decoder, models);
        let value = (predicted + residual).rem_euclid(256);
        (value as u32, value - middle)
    }
}

fn median(a: i64, b: i64, c: i64) -> i64 {
    let mut three = [a, b, a + b - c];
    three.sort_unstable();
    three[1]
}

fn residual(decoder: &mut Decoder<'_>, models: &mut [Bit; 272]) -> i64 {
    if decoder.bit(&mut models[0]) {
        return 0;
    }
    let is_negative = decoder.bit(&mut models[1]);
    let mut n = 0;
    while n < 7 && decoder.bit(&mut models[2 + n]) {
        n += 1;
    }
    let mut r = 1;
    for _ in 0..n {
        r = 2 * r + usize::from(decoder.bit(&mut models[15 + r]));
    }
    if is_negative { -(r as i64) } else { r as i64 }
}

fn hash(start: u64, values: &[u32], log: u32) -> usize {
    let mixed = values.iter().fold(start, |h, value| {
        (h ^ u64::from(*value))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(29)
    });
    (mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> (64 - log)) as usize
}
