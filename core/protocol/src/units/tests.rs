use super::*;

#[test]
fn a_kilobit_is_a_thousand_bits() {
    assert_eq!(Kbps::new(380).bytes_in(Duration::from_secs(10)), 475_000);
    assert_eq!(
        Kbps::new(1).bytes_in(Duration::from_millis(7)),
        0,
        "rounded down"
    );
    assert_eq!(Kbps::new(1).bytes_in(Duration::from_millis(8)), 1);
    assert_eq!(
        Kbps::new(u32::MAX).bytes_in(Duration::MAX),
        u64::MAX,
        "saturates"
    );
    assert_eq!(Kbps::of(475_000, Duration::from_secs(10)), Kbps::new(380));
    assert_eq!(
        Kbps::of(u64::MAX, Duration::from_micros(1)),
        Kbps::new(u32::MAX),
        "saturates"
    );
    assert_eq!(Kbps::of(1, Duration::ZERO), Kbps::new(0));
}

#[test]
fn decimals_round_to_sixteenths() {
    let point = |x, y| PanelPoint::from_decimal(x, y);
    assert_eq!(point(1.03, 2.0), Some(PanelPoint { x: 16, y: 32 }));
    assert_eq!(point(1.04, -0.5), Some(PanelPoint { x: 17, y: -8 }));
    assert_eq!(
        point(1.0625, 0.0).map(PanelPoint::to_decimal),
        Some((1.0625, 0.0))
    );
    assert_eq!(point(f64::NAN, 0.0), None);
    assert_eq!(point(0.0, f64::INFINITY), None);
    assert_eq!(point(65_536.1, 0.0), None);
    assert!(point(65_536.0, -65_536.0).is_some());
}

#[test]
fn a_point_belongs_to_the_pixel_it_lies_in() {
    assert_eq!(PanelPoint { x: 31, y: -1 }.to_pixels(), (1, -1));
    let size = PanelSize::new(1024, 600).expect("size");
    assert!(size.contains(PanelPoint::from_pixels(0, 0)));
    assert!(size.contains(PanelPoint {
        x: 1024 * 16 - 1,
        y: 600 * 16 - 1
    }));
    assert!(!size.contains(PanelPoint::from_pixels(1024, 0)));
    assert!(!size.contains(PanelPoint { x: 0, y: -1 }));
}

#[test]
fn points_from_the_network_cannot_overflow_arithmetic() {
    let edge = PanelPoint::MAX_PIXELS * PanelPoint::PER_PIXEL;
    let wire = |x: i32, y: i32| postcard::to_allocvec(&(x, y)).expect("encodes");
    assert!(postcard::from_bytes::<PanelPoint>(&wire(edge, -edge)).is_ok());
    for (x, y) in [(edge + 1, 0), (0, -edge - 1), (i32::MAX, 0), (0, i32::MIN)] {
        assert!(
            postcard::from_bytes::<PanelPoint>(&wire(x, y)).is_err(),
            "{x} {y}"
        );
    }
}

#[test]
fn a_panel_has_sides_of_one_to_4096_pixels() {
    for (width, height) in [(0, 1), (1, 0), (4097, 1), (1, 4097), (u16::MAX, u16::MAX)] {
        assert_eq!(PanelSize::new(width, height), None);
        let wire = postcard::to_allocvec(&(width, height)).expect("encodes");
        assert!(postcard::from_bytes::<PanelSize>(&wire).is_err());
    }
    assert_eq!(
        PanelSize::new(4096, 4096).map(PanelSize::pixels),
        Some(16_777_216)
    );
}

#[test]
fn colours_are_six_hexadecimal_digits() {
    assert_eq!(Color::parse("#D02021"), Some(Color::rgb(0xd0, 0x20, 0x21)));
    assert_eq!(Color::rgb(0, 0x0a, 255).to_string(), "#000aff");
    for text in [
        "",
        "#",
        "d02021",
        "#d0202",
        "#d020211",
        "#+02021",
        "#d0202g",
        "#\u{e9}0202",
    ] {
        assert_eq!(Color::parse(text), None, "{text}");
    }
}

#[test]
fn pressure_is_zero_to_one() {
    assert_eq!(Pressure::from_unit(0.5).map(Pressure::steps), Some(512));
    assert_eq!(Pressure::from_unit(1.0), Some(Pressure::FULL));
    for value in [-0.1, 1.001, f64::NAN, f64::INFINITY] {
        assert_eq!(Pressure::from_unit(value), None, "{value}");
    }
    assert_eq!(Pressure::new(1024), None);
    assert!(
        postcard::from_bytes::<Pressure>(&[0x80, 0x08]).is_err(),
        "1024 from the network"
    );
}
