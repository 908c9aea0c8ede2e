//! Which IDs are refused because anybody would try them first.

use super::MIN_LEN;
use crate::{device::AdminIdEntry, ports::Weakness};

/// Fewest different characters.
const MIN_DISTINCT: usize = 4;

/// Rows of keys and of digits as they lie on keyboards and keypads; any stretch of [`MIN_LEN`] along one, either way,
/// is refused. Digits go round.
const ROWS: &[&str] = &[
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "1qaz2wsx3edc4rfv",
    "1q2w3e4r5t6z",
    "1q2w3e4r5t6y",
    "147258369",
    "741852963",
    "159753159",
];

/// Words that start too many IDs, whatever digits follow them.
const WORDS: &[&str] = &[
    "admin",
    "administrator",
    "password",
    "passwort",
    "kennwort",
    "letmein",
    "welcome",
    "willkommen",
    "changeme",
    "service",
    "default",
    "printer",
    "drucker",
    "iloveyou",
    "superuser",
    "alongside",
];

/// Why `id` may not be an administrator's ID; `None` if it may.
pub fn weakness(id: &str) -> Option<Weakness> {
    if id.len() > AdminIdEntry::MAX_LEN {
        return Some(Weakness::TooLong);
    }
    if !id.chars().all(|c| c.is_ascii_graphic()) {
        return Some(Weakness::Unprintable);
    }
    if id.len() < MIN_LEN {
        return Some(Weakness::TooShort);
    }
    let id = id.to_ascii_lowercase();
    let is_common = has_few_distinct(&id)
        || is_along_a_row(&id)
        || is_doubled_row(&id)
        || is_repetition(&id)
        || is_date(&id)
        || is_word(&id);
    is_common.then_some(Weakness::TooCommon)
}

fn has_few_distinct(id: &str) -> bool {
    let mut seen = [false; 256];
    id.bytes().for_each(|byte| {
        if let Some(seen) = seen.get_mut(usize::from(byte)) {
            *seen = true;
        }
    });
    seen.iter().filter(|seen| **seen).count() < MIN_DISTINCT
}

/// The whole of it lies along one row.
fn is_along_a_row(id: &str) -> bool {
    let backwards: String = id.chars().rev().collect();
    ROWS.iter()
        .any(|row| row.contains(id) || row.contains(&backwards))
}

/// `11223344` and its like: each character twice, and the halves along a row.
fn is_doubled_row(id: &str) -> bool {
    let pairs = id.as_bytes().chunks_exact(2);
    let is_doubled =
        pairs.remainder().is_empty() && pairs.clone().all(|pair| pair.first() == pair.last());
    let halves: String = pairs
        .filter_map(|pair| pair.first())
        .map(|byte| char::from(*byte))
        .collect();
    is_doubled && is_along_a_row(&halves)
}

/// A shorter piece again and again, such as `12341234`.
fn is_repetition(id: &str) -> bool {
    (1..=id.len() / 2).any(|piece| {
        id.bytes()
            .zip(id.bytes().skip(piece))
            .all(|(here, there)| here == there)
    })
}

/// Eight digits that are a day between 1900 and 2099, in either order that people write.
fn is_date(id: &str) -> bool {
    let number = |range: std::ops::Range<usize>| id.get(range)?.parse::<u16>().ok();
    let is_day = |year: Option<u16>, one: Option<u16>, other: Option<u16>| {
        let (Some(year), Some(one), Some(other)) = (year, one, other) else {
            return false;
        };
        let (less, more) = (one.min(other), one.max(other));
        (1900..2100).contains(&year) && (1..=12).contains(&less) && (1..=31).contains(&more)
    };
    id.len() == 8
        && id.bytes().all(|byte| byte.is_ascii_digit())
        && (is_day(number(0..4), number(4..6), number(6..8))
            || is_day(number(4..8), number(0..2), number(2..4)))
}

/// A well-known word and at most four digits or signs.
fn is_word(id: &str) -> bool {
    let plain: String = id
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            c => c,
        })
        .collect();
    WORDS.iter().any(|word| {
        let rest = id.get(word.len()..).unwrap_or_default();
        let is_tail = rest.is_empty() || rest.len() <= 4 && !rest.chars().all(char::is_alphabetic);
        is_tail && (id.starts_with(word) || plain.starts_with(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for id in [
            "12345678",
            "87654321",
            "01234567",
            "90123456",
            "00000000",
            "11112222",
            "12121212",
            "12341234",
            "112233445566",
            "11223344",
            "147258369",
            "abcdefgh",
            "QWERTYUI",
            "1q2w3e4r",
            "1qaz2wsx",
            "19700101",
            "24122026",
            "12252026",
            "Password",
            "P@ssw0rd1",
            "administrator",
            "Admin123",
            "Passwort!",
            "abcabcabc",
        ] {
            assert_eq!(weakness(id), Some(Weakness::TooCommon), "{id}");
        }
    }

    #[test]
    fn an_id_has_eight_to_sixty_four_characters_that_have_a_key() {
        for (id, lacks) in [
            ("4829173", Weakness::TooShort),
            (&*"4829173".repeat(10), Weakness::TooLong),
            ("4829 1736", Weakness::Unprintable),
            ("schlüssel9", Weakness::Unprintable),
        ] {
            assert_eq!(weakness(id), Some(lacks), "{id}");
        }
    }

    #[test]
    fn others_are_taken() {
        for id in [
            "48291736",
            "59201847",
            "31415927",
            "correct-horse",
            "n0tAW0rd!",
            "7391826405",
        ] {
            assert_eq!(weakness(id), None, "{id}");
        }
    }
}
