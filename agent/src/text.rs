//! The catalogue: every sentence that a customer can see, in every language.
//!
//! A sentence is an [`Id`], or stands in a table of its own topic ([`Sentence`]); [`Text`] turns it into [`Words`] of one [`Locale`]. Panels draw nothing but `Words`, and
//! outside this module words can only be made of data ([`Words::data`]): figures, names, keys. So a sentence that was
//! never translated does not compile.

mod catalogue;
mod day;
mod meaning;
mod names;
mod network;
mod pseudo;
mod remote;
mod sentences;

use std::fmt;

pub use catalogue::Id;
pub use meaning::Naming;
pub use names::ModeNames;
pub use network::Trouble;
pub use remote::Page;
pub use sentences::Sentence;

/// A language, or the test language that shows what does not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Locale {
    /// English.
    #[default]
    English,
    /// German.
    German,
    /// Traditional Chinese, as it is written in Taiwan.
    Chinese,
    /// English with accents, in brackets and at least 40 % longer: what still fits fits every language.
    Pseudo,
}

impl Locale {
    /// Every locale.
    pub const ALL: [Self; 4] = [Self::English, Self::German, Self::Chinese, Self::Pseudo];

    /// The language tag (RFC 5646); `qps-ploc` is the customary private-use tag of a pseudo-locale.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Chinese => "zh-TW",
            Self::Pseudo => "qps-ploc",
        }
    }

    /// What the language calls itself; the same in every language.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::Chinese => "中文",
            Self::Pseudo => "[Pseudo]",
        }
    }

    /// The locale of a language tag; `None` for a language that the catalogue does not have.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|locale| locale.tag().eq_ignore_ascii_case(tag))
    }
}

/// A place in a sentence that data fills, written `{word}` in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// Somebody's name.
    Name,
    /// Name of the relay.
    Relay,
    /// A mode's own name.
    Mode,
    /// A number of something.
    Count,
    /// A number out of [`Slot::Count`].
    Number,
    /// A time with its unit.
    Time,
    /// Which group of the code.
    Part,
    /// Name of a key.
    Key,
    /// A day.
    Date,
    /// A time of day at which something began.
    From,
    /// What it would be, or the time of day at which it ended.
    Until,
}

impl Slot {
    /// Every slot.
    pub const ALL: [Self; 11] = [
        Self::Name,
        Self::Relay,
        Self::Mode,
        Self::Count,
        Self::Number,
        Self::Time,
        Self::Part,
        Self::Key,
        Self::Date,
        Self::From,
        Self::Until,
    ];

    /// How the slot is written in a sentence.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Name => "{name}",
            Self::Relay => "{relay}",
            Self::Mode => "{mode}",
            Self::Count => "{count}",
            Self::Number => "{number}",
            Self::Time => "{time}",
            Self::Part => "{part}",
            Self::Key => "{key}",
            Self::Date => "{date}",
            Self::From => "{from}",
            Self::Until => "{until}",
        }
    }
}

/// Text that may be shown to a customer: from the catalogue, or data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// Shows a figure, a name, what somebody typed: text that is the same in every language.
    pub fn data(value: impl fmt::Display) -> Self {
        Self(value.to_string())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The catalogue in one locale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text {
    locale: Locale,
}

impl Text {
    /// The catalogue in `locale`.
    pub const fn new(locale: Locale) -> Self {
        Self { locale }
    }

    /// The locale.
    pub const fn locale(self) -> Locale {
        self.locale
    }

    /// The sentence `id`, which has no slots.
    pub fn say(self, id: impl Sentence) -> Words {
        self.fill(id, &[])
    }

    /// The sentence `id` with data in its slots. A slot without data stays visible as it is written.
    pub fn fill(self, id: impl Sentence, data: &[(Slot, &dyn fmt::Display)]) -> Words {
        let template = match self.locale {
            Locale::English => id.english().to_owned(),
            Locale::German => id.german().to_owned(),
            Locale::Chinese => id.chinese().to_owned(),
            Locale::Pseudo => pseudo::stretch(id.english()),
        };
        filled(&template, data)
    }

    /// A time as people say it: seconds below two minutes, then minutes and seconds, then minutes.
    pub fn time(self, time: std::time::Duration) -> Words {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        match seconds {
            0..120 => self.fill(Id::Seconds, &[(Slot::Count, &seconds)]),
            120..600 => self.fill(
                Id::MinutesSeconds,
                &[
                    (Slot::Number, &(seconds / 60)),
                    (Slot::Count, &(seconds % 60)),
                ],
            ),
            _ => self.fill(Id::Minutes, &[(Slot::Count, &seconds.div_ceil(60))]),
        }
    }
}

/// `template` with data in its slots.
fn filled(template: &str, data: &[(Slot, &dyn fmt::Display)]) -> Words {
    // One pass from left to right, so that data which looks like a slot stays data.
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, tail) = rest.split_at(open);
        out.push_str(before);
        let found = data
            .iter()
            .find_map(|(slot, value)| tail.strip_prefix(slot.mark()).map(|after| (value, after)));
        rest = if let Some((value, after)) = found {
            out.push_str(&value.to_string());
            after
        } else {
            out.push('{');
            tail.get(1..).unwrap_or_default()
        };
    }
    out.push_str(rest);
    Words(out)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn data_that_looks_like_a_slot_stays_data() {
        let text = Text::new(Locale::English);
        let words = text.fill(Id::ConfirmedBy, &[(Slot::Relay, &"{relay}{name}")]);
        assert!(words.as_str().contains("{relay}{name}"), "{words}");
    }

    /// Every sentence of every table: its name, and what it is in English, German and Chinese.
    fn every() -> Vec<(String, [&'static str; 3])> {
        fn rows<S: Sentence>(all: &[S]) -> impl Iterator<Item = (String, [&'static str; 3])> {
            all.iter()
                .map(|id| (format!("{id:?}"), [id.english(), id.german(), id.chinese()]))
        }
        rows(Id::ALL)
            .chain(rows(Trouble::ALL))
            .chain(rows(Page::ALL))
            .collect()
    }

    #[test]
    fn the_pseudo_locale_is_two_fifths_longer_and_keeps_every_slot() {
        for (id, [english, ..]) in every() {
            let pseudo = pseudo::stretch(english);
            let (short, long) = (english.chars().count(), pseudo.chars().count());
            assert!(long * 10 >= short * 14, "{id}: {long} letters for {short}");
            for slot in Slot::ALL {
                let count = |text: &str| text.matches(slot.mark()).count();
                assert_eq!(count(english), count(&pseudo), "{id}");
            }
            let slots = Slot::ALL.iter().map(|s| english.matches(s.mark()).count());
            assert_eq!(english.matches('{').count(), slots.sum::<usize>(), "{id}");
        }
    }

    #[test]
    fn every_translation_has_the_slots_of_the_english_sentence() {
        for (id, [english, german, chinese]) in every() {
            for translated in [german, chinese] {
                for slot in Slot::ALL {
                    let count = |text: &str| text.matches(slot.mark()).count();
                    assert_eq!(count(english), count(translated), "{id}: {translated}");
                }
                let braces = |text: &str| text.matches('{').count();
                assert_eq!(braces(english), braces(translated), "{id}: {translated}");
            }
        }
    }

    #[test]
    fn a_locale_is_found_by_its_tag() {
        for locale in Locale::ALL {
            assert_eq!(Locale::from_tag(locale.tag()), Some(locale));
        }
        assert_eq!(Locale::from_tag("xx"), None);
    }

    #[test]
    fn times_are_rounded_up_and_never_show_zero_too_early() {
        let text = Text::new(Locale::English);
        let says = |ms| text.time(Duration::from_millis(ms)).to_string();
        assert_eq!(says(4_001), "5 s");
        assert_eq!(says(119_000), "119 s");
        assert_eq!(says(125_000), "2 min 5 s");
        assert_eq!(says(601_000), "11 min");
    }
}
