//! What operators' meetings have sent this month.

use std::{collections::BTreeMap, fmt, time::Duration};

use alongside_protocol::PublicKey;
use serde::{Deserialize, Serialize};

const DAY_S: u64 = 86_400;

/// Days of four years, one of them a leap year. Right until 2100, which is none.
const FOUR_YEARS: u64 = 4 * 365 + 1;

/// The year in which this was written: no clock is right that says an earlier one.
const EARLIEST: u64 = 2026;

/// A calendar month in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: u64,
    /// From 1.
    month: u64,
}

impl Month {
    /// The month of a time since 1970.
    pub fn of(since_1970: Duration) -> Self {
        // Counted from 1 March 1968, so that a leap day is the last of its four years.
        let day = (since_1970.as_secs() / DAY_S).saturating_add(FOUR_YEARS / 2 - 59);
        let (fours, day) = (day / FOUR_YEARS, day % FOUR_YEARS);
        let year = (day / 365).min(3);
        let day = day.saturating_sub(year.saturating_mul(365));
        // Months from March on have 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31 and the rest.
        let from_march = day.saturating_mul(5).saturating_add(2) / 153;
        let since_january = from_march.saturating_add(2);
        Self {
            year: (1968_u64)
                .saturating_add(fours.saturating_mul(4))
                .saturating_add(year)
                .saturating_add(since_january / 12),
            month: (since_january % 12).saturating_add(1),
        }
    }
}

impl Month {
    /// Whether a clock that says so has been set: a host without a battery begins at 1970, and turns no page.
    const fn is_plausible(self) -> bool {
        self.year >= EARLIEST
    }

    fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        Some(Self {
            year: year.parse().ok()?,
            month: month
                .parse()
                .ok()
                .filter(|month| (1..=12).contains(month))?,
        })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// Bytes of this month, by the operator's key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    month: Month,
    bytes: BTreeMap<PublicKey, u64>,
}

/// The ledger as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    month: String,
    bytes: BTreeMap<String, u64>,
}

impl Ledger {
    /// What was written in `month`, or in whatever month if the clock has not been set; an empty ledger if it was another
    /// month's; `None` if it makes no sense.
    pub fn read(month: Month, json: &[u8]) -> Option<Self> {
        let document = serde_json::from_slice::<Document>(json).ok()?;
        let written = Month::parse(&document.month)?;
        if written != month && month.is_plausible() {
            return Some(Self {
                month,
                bytes: BTreeMap::new(),
            });
        }
        let entries = document.bytes.into_iter();
        let bytes = entries.filter_map(|(key, bytes)| Some((PublicKey::from_hex(&key)?, bytes)));
        Some(Self {
            month: written,
            bytes: bytes.collect(),
        })
    }

    /// As [`Ledger::read`] reads it.
    pub fn to_json(&self) -> Vec<u8> {
        let entries = self.bytes.iter();
        let document = Document {
            month: self.month.to_string(),
            bytes: entries
                .map(|(key, bytes)| (key.to_string(), *bytes))
                .collect(),
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// Counts what went through an operator's meetings in `month`; its sum.
    pub(super) fn add(&mut self, month: Month, operator: PublicKey, bytes: u64) -> u64 {
        self.turn_to(month);
        let sum = self.bytes.entry(operator).or_default();
        *sum = sum.saturating_add(bytes);
        *sum
    }

    /// Begins a new month, if it is one.
    pub(super) fn turn_to(&mut self, month: Month) {
        if self.month != month && month.is_plausible() {
            self.month = month;
            self.bytes.clear();
        }
    }

    /// What an operator's meetings have sent.
    pub(super) fn of(&self, operator: PublicKey) -> u64 {
        self.bytes.get(&operator).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        for (seconds, month) in [
            (0, "1970-01"),
            (31 * DAY_S - 1, "1970-01"),
            (31 * DAY_S, "1970-02"),
            (951_782_400, "2000-02"), // the 29th
            (951_868_800, "2000-03"),
            (1_709_164_800, "2024-02"), // the 29th
            (1_709_251_200, "2024-03"),
            (1_735_689_599, "2024-12"),
            (1_735_689_600, "2025-01"),
            (1_794_000_000, "2026-11"),
            (4_070_908_799, "2098-12"),
        ] {
            assert_eq!(Month::of(Duration::from_secs(seconds)).to_string(), month);
        }
    }

    #[test]
    fn a_ledger_is_read_as_it_was_written_and_no_other_months() {
        let november = Month::of(Duration::from_secs(1_794_000_000));
        let december = Month::of(Duration::from_secs(1_797_000_000));
        let mut ledger = Ledger::default();
        let key = PublicKey([7; 32]);
        ledger.add(november, key, 40);
        assert_eq!(ledger.add(november, key, 2), 42);
        let json = ledger.to_json();
        assert_eq!(Ledger::read(november, &json), Some(ledger.clone()));
        let other = Ledger::read(december, &json).expect("an empty one");
        assert_eq!(other.of(key), 0);
        assert_eq!(Ledger::read(november, b"{\"month\":"), None);
        assert_eq!(
            Ledger::read(november, b"{\"month\":\"2026-13\",\"bytes\":{}}"),
            None
        );

        // A clock that begins at 1970 erases nothing, neither at the start nor later.
        let unset = Month::of(Duration::ZERO);
        assert_eq!(Ledger::read(unset, &json), Some(ledger.clone()));
        assert_eq!(ledger.add(unset, key, 8), 50);
        assert_eq!(ledger.add(december, key, 1), 1);
    }
}
