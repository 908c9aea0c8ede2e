use super::*;

/// Codes across the whole range, the ends included.
fn samples() -> Vec<String> {
    let mut codes = Vec::new();
    for n in (0..Nameplate::COUNT).step_by(9_973).chain([0, 99_999]) {
        for secret in [0, 1, 417_203, 500_000, 999_999] {
            let nameplate = Nameplate::new(n).expect("nameplate");
            codes.push(AccessCode::new(nameplate, CodeSecret(to_digits(secret))).reveal());
        }
    }
    codes
}

fn nameplate(number: u32) -> Nameplate {
    Nameplate::new(number).expect("nameplate")
}

#[test]
fn the_check_digit_is_the_one_of_damms_paper() {
    // The example that descriptions of the algorithm use: 572 has the check digit 4.
    assert_eq!(damm(&[5, 7, 2]), 4);
    assert_eq!(damm(&[5, 7, 2, 4]), 0);
}

#[test]
fn a_code_reads_back_as_nameplate_secret_and_check_digit() {
    let code = AccessCode::new(nameplate(417), CodeSecret([2, 0, 3, 9, 9, 1]));
    let spoken = code.reveal();
    assert_eq!(spoken.len(), CODE_DIGITS);
    assert!(spoken.starts_with("00417203991"), "{spoken}");
    let read = AccessCode::parse(&spoken).expect("valid");
    assert_eq!(read.nameplate(), nameplate(417));
    assert_eq!(read.secret().as_password(), *b"203991");
    assert!(read == code);
}

#[test]
fn spaces_dashes_and_line_ends_do_not_count() {
    let spoken = AccessCode::new(nameplate(12_345), CodeSecret([6, 7, 8, 9, 0, 1])).reveal();
    let (a, rest) = spoken.split_at(4);
    let (b, c) = rest.split_at(4);
    for text in [
        format!("{a} {b} {c}"),
        format!(" {a}-{b}-{c}\r\n"),
        format!("{a}\u{2013}{b}\u{a0}{c}"),
    ] {
        assert!(AccessCode::parse(&text).is_ok(), "{text:?}");
    }
}

#[test]
fn every_single_wrong_digit_is_caught() {
    for code in samples() {
        for at in 0..CODE_DIGITS {
            for digit in '0'..='9' {
                let mut wrong = code.clone();
                wrong.replace_range(at..=at, &digit.to_string());
                let expected = if wrong == code {
                    None
                } else {
                    Some(CodeError::CheckDigit)
                };
                assert_eq!(
                    AccessCode::parse(&wrong).err(),
                    expected,
                    "{code} became {wrong}"
                );
            }
        }
    }
}

#[test]
fn every_swap_of_neighbours_is_caught() {
    for code in samples() {
        for at in 0..CODE_DIGITS - 1 {
            let mut digits: Vec<char> = code.chars().collect();
            digits.swap(at, at + 1);
            let swapped: String = digits.into_iter().collect();
            let expected = if swapped == code {
                None
            } else {
                Some(CodeError::CheckDigit)
            };
            assert_eq!(
                AccessCode::parse(&swapped).err(),
                expected,
                "{code} became {swapped}"
            );
        }
    }
}

#[test]
fn errors_name_the_group_to_look_at() {
    use CodePart::{First, Second, Third};
    let error = |text: &str| AccessCode::parse(text).expect_err("malformed");
    assert_eq!(error(""), CodeError::TooShort(First));
    assert_eq!(error("123"), CodeError::TooShort(First));
    assert_eq!(error("1234"), CodeError::TooShort(Second));
    assert_eq!(error("1234 567"), CodeError::TooShort(Second));
    assert_eq!(error("1234 5678 901"), CodeError::TooShort(Third));
    assert_eq!(error("12x4 5678 9012"), CodeError::NotADigit(First));
    assert_eq!(error("1234 56#8 9012"), CodeError::NotADigit(Second));
    assert_eq!(error("1234 5678 90l2"), CodeError::NotADigit(Third));
    assert_eq!(error("1234 5678 9012 3"), CodeError::TooLong);
    // Digits of other scripts are not what a keypad types.
    assert_eq!(error("\u{661}234 5678 9012"), CodeError::NotADigit(First));
    assert_eq!(error(&"7".repeat(10_000)), CodeError::TooLong);
    assert_eq!(error("1234").part(), Some(Second));
    assert_eq!(error("1234 5678 9012 3").part(), Some(Third));
    assert_eq!(CodeError::CheckDigit.part(), None);
    assert_eq!(
        error("1234").to_string(),
        "the second group of the code is not complete: a code has 12 digits"
    );
}

#[test]
fn nothing_printed_by_accident_shows_the_secret() {
    let code = AccessCode::new(nameplate(417), CodeSecret([2, 0, 3, 9, 9, 1]));
    assert_eq!(
        format!("{code:?} {:?}", code.secret()),
        "AccessCode(00417 ......) CodeSecret(......)"
    );
    let wrong = format!("{}0", &code.reveal()[..11]);
    let error = AccessCode::parse(&wrong).expect_err("check digit");
    assert!(!format!("{error} {error:?}").contains("203"), "{error}");
}

#[test]
fn a_draw_rejects_what_would_favour_some_secrets() {
    let draw = |bytes: &[u8]| CodeSecret::draw(bytes).map(|secret| secret.as_password());
    let bytes = |number: u32| number.to_be_bytes()[1..].to_vec();
    assert_eq!(draw(&bytes(0)), Some(*b"000000"));
    assert_eq!(draw(&bytes(1_000_001)), Some(*b"000001"));
    assert_eq!(draw(&bytes(15_999_999)), Some(*b"999999"));
    assert_eq!(draw(&bytes(16_000_000)), None);
    assert_eq!(draw(&bytes(0xff_ffff)), None);
    assert_eq!(
        draw(&[bytes(16_000_000), bytes(7)].concat()),
        Some(*b"000007"),
        "the next three bytes count"
    );
    assert_eq!(draw(&[]), None);
    assert_eq!(draw(&[1, 2]), None);
}

#[test]
fn every_secret_is_drawn_by_as_many_numbers() {
    // 2^24 numbers hold 16 whole rounds of a million, and a rest that must not count.
    for secret in [0u32, 1, 215, 777_215, 777_216, 999_999] {
        let draws = (0..17u32)
            .map(|round| round * 1_000_000 + secret)
            .filter(|number| number >> 24 == 0);
        let hits = draws
            .filter(|number| CodeSecret::draw(&number.to_be_bytes()[1..]).is_some())
            .count();
        assert_eq!(hits, 16, "secret {secret}");
    }
}
