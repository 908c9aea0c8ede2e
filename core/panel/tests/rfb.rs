//! The bench's RFB client, against servers that say what is written here.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

#[path = "../benches/peers/rfb.rs"]
mod rfb;

use std::io::{self, Cursor, Read, Write};

use flate2::{Compress, Compression, FlushCompress};
use rfb::{Client, Encoding};

/// A server that has said everything already, and does not listen.
struct Canned(Cursor<Vec<u8>>);

impl Read for Canned {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.0.read(to)
    }
}

impl Write for Canned {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const WIDTH: usize = 20;
const HEIGHT: usize = 10;

/// A server of a screen of 20x10, without a password.
fn greeting() -> Vec<u8> {
    let mut said = b"RFB 003.008\n".to_vec();
    said.extend([1, 1]); // one way in: no password
    said.extend([0, 0, 0, 0]); // welcome
    said.extend([0, WIDTH as u8, 0, HEIGHT as u8]);
    said.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
    said.extend([0, 0, 0, 4, b't', b'e', b's', b't']);
    said
}

fn connect(encoding: Encoding, said: &[u8]) -> Client<Canned> {
    let said = [greeting().as_slice(), said].concat();
    Client::greet(Canned(Cursor::new(said)), encoding).unwrap()
}

fn update(rectangles: &[Vec<u8>]) -> Vec<u8> {
    let head = [0, 0, 0, rectangles.len() as u8];
    [&head[..], &rectangles.concat()].concat()
}

fn rectangle([x, y, width, height]: [u8; 4], encoding: i32, rest: &[u8]) -> Vec<u8> {
    let place = [0, x, 0, y, 0, width, 0, height];
    [&place[..], &encoding.to_be_bytes(), rest].concat()
}

fn deflate(stream: &mut Compress, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4096);
    let sync = FlushCompress::Sync;
    stream.compress_vec(bytes, &mut out, sync).unwrap();
    out
}

/// A length as Tight writes it, and the bytes.
fn compact(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    assert!(length < 1 << 14);
    [&[length as u8 | 0x80, (length >> 7) as u8], bytes].concat()
}

#[test]
fn tight_rectangles_become_the_pixels_that_they_stand_for() {
    let mut stream = Compress::new(Compression::best(), true);
    let ramp = compact(&deflate(&mut stream, &[1, 2, 3].repeat(64)));
    let two = [0b1010_1010, 0b1111_0000].repeat(4); // too short to be compressed
    let palette = [0x40, 1, 1, 1, 2, 3, 4, 5, 6];
    let said = update(&[
        rectangle([0, 0, 20, 10], 7, &[0x80, 9, 8, 7]),
        rectangle([0, 0, 12, 4], 7, &[&palette[..], &two].concat()),
        rectangle([0, 8, 1, 2], 7, &[0x00, 10, 11, 12, 13, 14, 15]),
        rectangle([12, 0, 8, 8], 7, &[&[0x40, 2][..], &ramp].concat()),
        rectangle([0, 0, 0, 0], -224, &[]),
    ]);
    let length = said.len() as u64;
    let mut client = connect(Encoding::Tight, &said);
    client.update().unwrap();
    let pixel = |x: usize, y: usize| client.picture().pixels()[y * WIDTH + x];
    assert_eq!(pixel(0, 5), 0x0009_0807);
    assert_eq!([pixel(0, 0), pixel(1, 0)], [0x0004_0506, 0x0001_0203]);
    assert_eq!([pixel(8, 3), pixel(11, 3)], [0x0004_0506; 2]);
    assert_eq!([pixel(0, 8), pixel(0, 9)], [0x000a_0b0c, 0x000d_0e0f]);
    assert_eq!([pixel(12, 0), pixel(14, 0)], [0x0001_0203, 0x0003_0609]);
    assert_eq!(
        pixel(13, 1),
        0x0004_080c,
        "left and upper, less upper left, and one"
    );
    assert_eq!(client.bytes(), length);
}

#[test]
fn zrle_tiles_become_the_pixels_that_they_stand_for() {
    let mut stream = Compress::new(Compression::best(), true);
    let mut put = |place, tile: &[u8]| {
        let packed = deflate(&mut stream, tile);
        let length = (packed.len() as u32).to_be_bytes();
        rectangle(place, 16, &[&length[..], &packed].concat())
    };
    let said = update(&[
        put([0, 0, 20, 10], &[1, 7, 8, 9]),
        put(
            [0, 0, 4, 2],
            &[3, 1, 0, 0, 2, 0, 0, 3, 0, 0, 0b00_01_10_01, 0b10_00_00_00],
        ),
        put([4, 0, 2, 1], &[0, 1, 2, 3, 4, 5, 6]),
        put([6, 0, 10, 1], &[128, 5, 5, 5, 2, 6, 6, 6, 6]),
        put([0, 4, 20, 1], &[130, 1, 1, 1, 2, 2, 2, 0, 0x81, 18]),
    ]);
    let mut client = connect(Encoding::Zrle, &said);
    client.update().unwrap();
    let row = |y: usize, xs: std::ops::Range<usize>| {
        let start = y * WIDTH;
        client.picture().pixels()[start + xs.start..start + xs.end].to_vec()
    };
    assert_eq!(row(0, 0..4), [1, 2, 3, 2]);
    assert_eq!(row(1, 0..5), [3, 1, 1, 1, 0x0009_0807]);
    assert_eq!(row(0, 4..6), [0x0003_0201, 0x0006_0504]);
    assert_eq!(
        row(0, 6..10),
        [0x0005_0505, 0x0005_0505, 0x0005_0505, 0x0006_0606]
    );
    assert_eq!(row(4, 0..2), [0x0001_0101, 0x0002_0202]);
    assert_eq!(row(4, 19..20), [0x0002_0202]);
}

#[test]
fn what_is_not_of_the_picture_is_not_counted() {
    let raw = rectangle([0, 0, 1, 1], 0, &[3, 2, 1, 0]);
    let pointer = rectangle([0, 0, 9, 1], -239, &[0; 9 * 4 + 2]);
    let copied = rectangle([5, 5, 1, 1], 1, &[0, 0, 0, 0]);
    let said = update(&[raw, pointer.clone(), copied]);
    let bell = [&[2, 3, 0, 0, 0, 0, 0, 0, 1, b'x'][..], &said].concat();
    let mut client = connect(Encoding::Tight, &bell);
    client.update().unwrap();
    assert_eq!(client.picture().pixels()[5 * WIDTH + 5], 0x0001_0203);
    assert_eq!(client.bytes(), (bell.len() - pointer.len()) as u64);
}

#[test]
fn a_server_that_says_something_else_is_an_error() {
    for said in [
        update(&[rectangle([0, 0, 1, 1], 5, &[])]),
        update(&[rectangle([0, 0, 1, 1], 7, &[0x90])]),
        update(&[rectangle([15, 5, 9, 9], 7, &[0x80, 1, 2, 3])]),
        update(&[rectangle([0, 0, 1, 1], 0, &[1, 2])]),
        vec![77],
    ] {
        assert!(
            connect(Encoding::Tight, &said).update().is_err(),
            "{said:?}"
        );
    }
    let locked = b"RFB 003.008\n\x01\x02".to_vec();
    assert!(Client::greet(Canned(Cursor::new(locked)), Encoding::Tight).is_err());
}
