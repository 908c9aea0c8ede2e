//! Days and times of day, as ISO 8601 writes them: the same in every language.

use super::{Id, Page, Slot, Text, Words};

/// Seconds of a day.
const DAY: u64 = 86_400;

impl Text {
    /// The day and the times between which something was, in UTC; both in milliseconds since 1970. Its end may not have
    /// been noted.
    pub fn span(self, from_ms: u64, until_ms: Option<u64>) -> Words {
        let Some(until_ms) = until_ms else {
            return self.fill(
                Page::SessionsSince,
                &[
                    (Slot::Date, &day(from_ms)),
                    (Slot::From, &time_of_day(from_ms)),
                ],
            );
        };
        self.fill(
            Id::EndedWhen,
            &[
                (Slot::Date, &day(from_ms)),
                (Slot::From, &time_of_day(from_ms)),
                (Slot::Until, &time_of_day(until_ms)),
            ],
        )
    }
}

fn time_of_day(ms: u64) -> Words {
    let minutes = ms / 1000 % DAY / 60;
    Words::data(format_args!("{:02}:{:02}", minutes / 60, minutes % 60))
}

/// The day in the Gregorian calendar.
fn day(ms: u64) -> Words {
    // Counted from the first of March in the year 0, so that the day that is sometimes there comes last.
    let days = ms / 1000 / DAY + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    Words::data(format_args!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, wanted) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_735_689_599, "2024-12-31"),
            (4_102_444_800, "2100-01-01"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(day(seconds * 1000).as_str(), wanted);
        }
        assert_eq!(time_of_day(1_735_689_599_999).as_str(), "23:59");
    }
}
