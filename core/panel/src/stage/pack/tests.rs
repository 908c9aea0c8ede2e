use alongside_protocol::PanelSize;

use super::*;

/// A tile-sized picture from a function of column and row.
fn tile(width: u16, height: u16, colour: impl Fn(u32, u32) -> u32) -> Frame {
    let size = PanelSize::new(width, height).unwrap();
    let pixels = (0..u32::from(height)).flat_map(|y| (0..u32::from(width)).map(move |x| (x, y)));
    Frame::new(size, pixels.map(|(x, y)| colour(x, y)).collect()).unwrap()
}

fn whole(frame: &Frame) -> PanelRect {
    PanelRect {
        x: 0,
        y: 0,
        width: frame.size().width(),
        height: frame.size().height(),
    }
}

fn pack(shown: &Frame, target: &Frame) -> Vec<u8> {
    TilePacker::default()
        .pack(shown, target, whole(target), &mut Recolour::default())
        .to_vec()
}

/// Applies `bytes` to a copy of `shown`; all of them must be needed.
fn unpack_all(shown: &Frame, bytes: &[u8]) -> Option<Frame> {
    let mut frame = shown.clone();
    let mut reader = Reader::new(bytes);
    unpack(
        &mut reader,
        &mut frame,
        whole(shown),
        &mut Recolour::default(),
    )?;
    reader.is_empty().then_some(frame)
}

#[test]
fn each_kind_has_its_bytes() {
    let black = tile(4, 2, |_, _| 0);
    let one = tile(4, 2, |_, _| 0x0001_0203);
    assert_eq!(
        pack(&black, &one),
        [1, 2, 255, 1],
        "green, red less green, blue less green"
    );

    let two = tile(4, 2, |x, y| {
        if (x + y) % 2 == 0 {
            0x00ff_0000
        } else {
            0x0000_00ff
        }
    });
    assert_eq!(pack(&one, &two), [2, 0, 255, 0, 0, 0, 255, 0b0101_1010]);

    let three = tile(4, 2, |x, _| x % 3);
    assert_eq!(
        pack(&one, &three),
        [3, 0, 0, 0, 0, 0, 1, 0, 0, 2, 0b00_10_01_00, 0b00_10_01_00]
    );

    let black9 = tile(9, 1, |_, _| 0);
    let nine = tile(9, 1, |x, _| 8 - x);
    let mut bytes = vec![9];
    bytes.extend((0..9).flat_map(|x| [0, 0, 8 - x]));
    bytes.extend([0x10, 0x32, 0x54, 0x76, 0x08]);
    assert_eq!(pack(&black9, &nine), bytes);

    let black17 = tile(17, 1, |_, _| 0);
    let many = tile(17, 1, |x, _| x << 8);
    let mut bytes = vec![PIXELS];
    bytes.extend((0..17_u8).flat_map(|x| [x, x.wrapping_neg(), x.wrapping_neg()]));
    assert_eq!(pack(&black17, &many), bytes);

    // Red takes 16 and 17, green 32 alone, blue 1, 2 and 3: five colours of the six that there are.
    let dither = tile(4, 2, |x, y| {
        (16 + y) << 16 | 32 << 8 | [1, 2, 3, 2][(x as usize + y as usize) % 4]
    });
    assert_eq!(
        pack(&black, &dither),
        [
            19,
            2,
            1,
            3,
            16,
            17,
            32,
            1,
            2,
            3,
            0xf0,
            0b0111_1110,
            0b0010_0100
        ]
    );

    let checks = |even: u32, odd: u32| {
        tile(
            16,
            16,
            move |x, y| if (x + y) % 2 == 0 { even } else { odd },
        )
    };
    let (checks, new_checks) = (checks(1, 2), checks(0x0000_00ff, 0x0077_7777));
    assert_eq!(
        pack(&checks, &new_checks),
        [RECOLOURED, 2, 0, 0, 255, 0x77, 0, 0]
    );

    for (shown, target) in [
        (&black, &one),
        (&one, &two),
        (&one, &three),
        (&black9, &nine),
        (&black17, &many),
        (&black, &dither),
        (&checks, &new_checks),
    ] {
        assert_eq!(
            unpack_all(shown, &pack(shown, target)).as_ref(),
            Some(target)
        );
    }
}

#[test]
fn photographs_become_residuals() {
    let black = tile(16, 16, |_, _| 0);
    let photo = tile(16, 16, |x, y| {
        ((x * x * 7 + y * y * 13 + x * y) * 0x0001_0305) & RGB
    });
    let bytes = pack(&black, &photo);
    assert_eq!((bytes[0], bytes.len()), (RESIDUALS, MAX_TILE));
    assert_eq!(unpack_all(&black, &bytes), Some(photo));
}

#[test]
fn residuals_are_what_the_neighbours_leave() {
    // Rows (10, 12), (11, 14) in green, red one more: left predicts 10 and 12, then up 10; then 12 + 11 - 10 = 13.
    let frame = [0x000b_0a00, 0x000d_0c00, 0x000c_0b00, 0x000f_0e00];
    let mut planes = Vec::new();
    residual::put(&frame, 2, &mut planes);
    assert_eq!(planes, [10, 2, 1, 2, 1, 0, 0, 0, 246, 254, 255, 254]);
    let mut back = [0; 4];
    residual::get(&planes, 2, &mut back);
    assert_eq!(back, frame);
}

#[test]
fn a_message_tells_each_colour_once() {
    let shapes = |dim: u32| tile(16, 16, move |x, y| ((x ^ y) % 4 + 1) * 0x0010_1010 / dim);
    let (bright, dim) = (shapes(1), shapes(2));
    let (mut packer, mut recolour) = (TilePacker::default(), Recolour::default());
    let first = packer
        .pack(&bright, &dim, whole(&dim), &mut recolour)
        .to_vec();
    assert_eq!(first[..2], [RECOLOURED, 4]);
    let again = packer
        .pack(&bright, &dim, whole(&dim), &mut recolour)
        .to_vec();
    assert_eq!(again, [RECOLOURED, 0]);
    // What does not agree with it is written another way, and leaves it as it was.
    let dimmer = shapes(4);
    assert_eq!(
        packer.pack(&bright, &dimmer, whole(&dim), &mut recolour)[0],
        4
    );
    assert_eq!(
        packer.pack(&bright, &dim, whole(&dim), &mut recolour),
        [RECOLOURED, 0]
    );
}

#[test]
fn tiles_that_are_none_are_refused() {
    let black = tile(4, 2, |_, _| 0);
    for bytes in [
        &[][..],
        &[0, 1, 2],                                // pixels that end early
        &[2, 0, 0, 0, 1, 1, 1],                    // no indices
        &[3, 0, 0, 0, 1, 1, 1, 2, 2, 2, 255, 255], // an index beyond the palette
        &[RECOLOURED, 0],                          // a colour that nothing was told of
        &[RECOLOURED, 2, 0, 0, 0, 1, 1, 1],        // a colour that nothing needs
        &[RECOLOURED, 1, 0, 0],
        &[DITHERED, 1, 1, 0, 9, 9], // no level of blue
        &[DITHERED, 4, 4, 2, 1, 2, 3, 4, 1, 2, 3, 4, 1], // seven planes
        &[DITHERED, 2, 1, 1, 1, 2, 3, 4], // no plane
        &[20, 0, 0, 0],
        &[255],
    ] {
        assert_eq!(unpack_all(&black, bytes), None, "{bytes:?}");
    }
}
