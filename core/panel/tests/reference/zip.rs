//! Entropy stage E0.

use std::{collections::HashMap, io::Cursor};

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation as _, OutBuffer};

use super::{Picture, byte, bytes, varint};

pub(crate) struct Zip {
    stream: Decoder<'static>,
}

impl Zip {
    pub(crate) fn new(window: u8) -> Self {
        let mut stream = Decoder::new().expect("memory");
        let window = DParameter::WindowLogMax(window.into());
        stream.set_parameter(window).expect("a window");
        Self { stream }
    }

    pub(crate) fn apply(&mut self, body: &[u8], picture: &mut Picture) -> Option<Vec<usize>> {
        let (count, body) = body.split_first()?;
        let count = usize::from(*count);
        if count == 0 || count > 96 {
            return None;
        }
        let payload = self.inflate(body, 774 * count)?;
        let mut payload = Cursor::new(payload.as_slice());
        let mut colours = HashMap::new();
        let mut places: Vec<usize> = Vec::new();
        while (payload.position() as usize) < payload.get_ref().len() {
            let first = places.len();
            for _ in 0..byte(&mut payload)? {
                let between = varint(&mut payload)?;
                let last = places.last().map_or(0, |last| *last as u64 + 1);
                let place = last.checked_add(between)?;
                let place = usize::try_from(place).ok()?;
                picture.tile(place)?;
                if places.len() == count {
                    return None;
                }
                places.push(place);
            }
            for place in places.clone().into_iter().skip(first) {
                tile(&mut payload, picture, place, &mut colours)?;
            }
        }
        (places.len() == count).then_some(places)
    }

    fn inflate(&mut self, body: &[u8], most: usize) -> Option<Vec<u8>> {
        let mut out = vec![0; most + 1];
        let mut input = InBuffer::around(body);
        let mut output = OutBuffer::around(out.as_mut_slice());
        loop {
            let before = (input.pos(), output.pos());
            let hint = self.stream.run(&mut input, &mut output).ok()?;
            if hint == 0 || output.pos() > most {
                return None;
            }
            if before == (input.pos(), output.pos()) {
                break;
            }
        }
        let (read, written) = (input.pos(), output.pos());
        out.truncate(written);
        (read == body.len()).then_some(out)
    }
}

fn colour(payload: &mut Cursor<&[u8]>) -> Option<u32> {
    let (green, red, blue) = (byte(payload)?, byte(payload)?, byte(payload)?);
    Some(u32::from_be_bytes([
        0,
        red.wrapping_add(green),
        green,
        blue.wrapping_add(green),
    ]))
}

fn tile(
    payload: &mut Cursor<&[u8]>,
    picture: &mut Picture,
    place: usize,
    colours: &mut HashMap<u32, u32>,
) -> Option<()> {
    let [left, top, width, height] = picture.tile(place)?;
    let area = width * height;
    let pixels: Vec<u32> = match byte(payload)? {
        0 => (0..area).map(|_| colour(payload)).collect::<Option<_>>()?,
        count @ 1..=16 => palette(payload, count.into(), area)?,
        17 => residuals(payload, width, area)?,
        18 => {
            let mut list = (0..byte(payload)?)
                .map(|_| colour(payload))
                .collect::<Option<Vec<u32>>>()?
                .into_iter();
            let mut pixels = Vec::new();
            for n in 0..area {
                let old = picture.get((left + n % width) as i64, (top + n / width) as i64);
                if !colours.contains_key(&old) {
                    colours.insert(old, list.next()?);
                }
                pixels.push(colours[&old]);
            }
            if list.next().is_some() {
                return None;
            }
            pixels
        }
        19 => dithered(payload, area)?,
        _ => return None,
    };
    for (n, pixel) in pixels.into_iter().enumerate() {
        picture.set(left + n % width, top + n / width, pixel);
    }
    Some(())
}

fn palette(payload: &mut Cursor<&[u8]>, count: usize, area: usize) -> Option<Vec<u32>> {
    let palette: Vec<u32> = (0..count).map(|_| colour(payload)).collect::<Option<_>>()?;
    let bits = match count {
        1 => 0,
        2 => 1,
        3 | 4 => 2,
        _ => 4,
    };
    let packed = bytes(payload, (area * bits).div_ceil(8) as u64)?;
    let index = |n: usize| match bits {
        0 => 0,
        _ => usize::from(packed[n * bits / 8] >> (n * bits % 8)) & ((1 << bits) - 1),
    };
    let used = (area * bits) % 8;
    if used > 0 && packed.last()? >> used != 0 {
        return None;
    }
    (0..area).map(|n| palette.get(index(n)).copied()).collect()
}

fn residuals(payload: &mut Cursor<&[u8]>, width: usize, area: usize) -> Option<Vec<u32>> {
    let planes = bytes(payload, 3 * area as u64)?;
    let mut pixels: Vec<[u8; 3]> = Vec::new();
    for n in 0..area {
        let (has_left, has_upper) = (n % width > 0, n >= width);
        let predicted = [0, 1, 2].map(|channel: usize| {
            let get = |back: usize| i64::from(pixels[n - back][channel]);
            match (has_left, has_upper) {
                (false, false) => 0,
                (true, false) => get(1) as u8,
                (false, true) => get(width) as u8,
                (true, true) => {
                    let mut three = [get(1), get(width), get(1) + get(width) - get(width + 1)];
                    three.sort_unstable();
                    three[1] as u8
                }
            }
        });
        let [green, red, blue] = [0, 1, 2].map(|plane: usize| planes[plane * area + n]);
        pixels.push([
            predicted[0].wrapping_add(red).wrapping_add(green),
            predicted[1].wrapping_add(green),
            predicted[2].wrapping_add(blue).wrapping_add(green),
        ]);
    }
    let join = |[r, g, b]: [u8; 3]| u32::from_be_bytes([0, r, g, b]);
    Some(pixels.into_iter().map(join).collect())
}

fn dithered(payload: &mut Cursor<&[u8]>, area: usize) -> Option<Vec<u32>> {
    let counts = [byte(payload)?, byte(payload)?, byte(payload)?];
    let sum: u32 = counts.iter().map(|count| u32::from(*count)).sum();
    if counts.contains(&0) || sum > 9 {
        return None;
    }
    let mut levels = Vec::new();
    for count in counts {
        levels.push(bytes(payload, count.into())?);
    }
    let mut pixels = vec![0; area];
    for levels in levels {
        let mut numbers = vec![0; area];
        for _ in 1..levels.len() {
            let plane = bytes(payload, area.div_ceil(8) as u64)?;
            if !area.is_multiple_of(8) && plane.last()? >> (area % 8) != 0 {
                return None;
            }
            for (n, number) in numbers.iter_mut().enumerate() {
                *number += usize::from(plane[n / 8] >> (n % 8) & 1);
            }
        }
        for (pixel, number) in pixels.iter_mut().zip(numbers) {
            *pixel = *pixel << 8 | u32::from(levels[number]);
        }
    }
    Some(pixels)
}
