//! Until when a certificate is valid.

use std::time::Duration;

const DAY_S: i64 = 86_400;

// Tags of DER.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Whole days from `now`, since 1970, to the end of a certificate; below zero once it is over. `None` for what is no
/// certificate.
pub(super) fn days_left(certificate: &[u8], now: Duration) -> Option<i64> {
    let (_, certificate, _) = element(certificate)?;
    let (_, signed, _) = element(certificate)?;
    let (tag, _, behind_version) = element(signed)?;
    let serial = if tag == VERSION {
        behind_version
    } else {
        signed
    };
    // Serial, algorithm and issuer stand before it.
    let mut rest = serial;
    for _ in 0..3 {
        (_, _, rest) = element(rest)?;
    }
    let (tag, validity, _) = element(rest)?;
    let (_, _, rest) = element(validity)?;
    let (kind, end, _) = element(rest)?;
    let end = (tag == SEQUENCE).then(|| seconds(kind, end))??;
    let now = i64::try_from(now.as_secs()).ok()?;
    Some(end.checked_sub(now)?.div_euclid(DAY_S))
}

/// The first element's tag and content, and what is behind it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&len, rest) = rest.split_first()?;
    let (len, rest) = match len {
        0..=0x7f => (usize::from(len), rest),
        0x81..=0x84 => {
            let (long, rest) = rest.split_at_checked(usize::from(len & 0x7f))?;
            let len = long
                .iter()
                .fold(0, |len, byte| (len << 8) | usize::from(*byte));
            (len, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}

/// Seconds since 1970 of `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ` (RFC 5280, section 4.1.2.5).
fn seconds(kind: u8, time: &[u8]) -> Option<i64> {
    let (year, rest) = match kind {
        UTC_TIME => {
            let (year, rest) = number(time, 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => number(time, 4)?,
        _ => return None,
    };
    let (month, rest) = number(rest, 2)?;
    let (day, rest) = number(rest, 2)?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest, 2)?;
    let (second, rest) = number(rest, 2)?;
    let is_one = rest == b"Z" && (1..=12).contains(&month) && (1..=31).contains(&day);
    // Counted in years that begin in March, so that a leap day is the last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = year * 365 + leap_days + (153 * month + 2) / 5 + day - 1;
    // 1 January 1970, counted so.
    let since_1970 = days - 719_468;
    is_one.then_some(since_1970 * DAY_S + hour * 3600 + minute * 60 + second)
}

/// The number in the first `digits` bytes.
fn number(text: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let number = std::str::from_utf8(number).ok()?;
    let is_one = number.bytes().all(|byte| byte.is_ascii_digit());
    Some((is_one.then(|| number.parse().ok())??, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(year: i32, month: u8, day: u8) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["relay.test".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(1999, 12, 31);
        params.not_after = rcgen::date_time_ymd(year, month, day);
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_of_a_certificate_is_found() {
        let march_2024 = Duration::from_secs(1_709_251_200);
        for (end, days) in [
            ((2024, 3, 1), 0),
            ((2024, 2, 29), -1),
            ((2024, 3, 31), 30),
            ((2025, 3, 1), 365),
            ((2000, 3, 1), -8766),
            ((2051, 3, 1), 9861), // not in two digits any more
        ] {
            let certificate = until(end.0, end.1, end.2);
            assert_eq!(days_left(&certificate, march_2024), Some(days), "{end:?}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let certificate = until(2030, 1, 1);
        for len in 0..certificate.len() {
            let cut = certificate.get(..len).unwrap();
            assert_eq!(days_left(cut, Duration::ZERO), None);
        }
        for byte in 0..certificate.len() {
            let mut damaged = certificate.clone();
            damaged[byte] ^= 0xff;
            let _total = days_left(&damaged, Duration::ZERO);
        }
    }
}
