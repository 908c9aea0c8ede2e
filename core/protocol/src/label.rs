//! Short text from somebody else, made inert at the border.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// A line of text of at most `MAX` bytes that shows as what it is.
///
/// Holds no control character, line break, bidirectional formatting or invisible character, so that a name can
/// neither move a terminal's cursor, nor turn the sentence around it, nor look like nothing.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Label<const MAX: usize>(String);

/// Name of a person or an organisation, at most 64 bytes.
pub type Name = Label<64>;

/// A support ticket that the operator's side wants in the relay's records, at most 64 bytes.
pub type Ticket = Label<64>;

/// Why a text cannot be a [`Label`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelError {
    /// Nothing but white space.
    Empty,
    /// More bytes than allowed.
    TooLong {
        /// Length given, in bytes.
        got: usize,
        /// Most bytes allowed.
        max: usize,
    },
    /// Holds a character that could change how the text around it shows.
    Forbidden(char),
}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("text is empty"),
            Self::TooLong { got, max } => {
                write!(f, "text of {got} bytes where at most {max} are allowed")
            }
            Self::Forbidden(c) => write!(
                f,
                "text holds the control character U+{:04X}",
                u32::from(*c)
            ),
        }
    }
}

impl std::error::Error for LabelError {}

impl<const MAX: usize> Label<MAX> {
    /// Checks `text`; white space around it is dropped.
    ///
    /// # Errors
    ///
    /// [`LabelError`] if it is empty, longer than `MAX` bytes, or holds a control, bidirectional or
    /// invisible character.
    pub fn new(text: &str) -> Result<Self, LabelError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(LabelError::Empty);
        }
        if text.len() > MAX {
            return Err(LabelError::TooLong {
                got: text.len(),
                max: MAX,
            });
        }
        if let Some(c) = text.chars().find(|c| is_forbidden(*c)) {
            return Err(LabelError::Forbidden(c));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, line and paragraph separators, interlinear marks, and all that Unicode lists as
/// `Default_Ignorable_Code_Point`: bidirectional formatting (UAX 9), zero-width characters, fillers that show as
/// nothing, variation selectors and tags.
fn is_forbidden(c: char) -> bool {
    let shows_as_nothing = matches!(
        c,
        '\u{00ad}'
            | '\u{034f}'
            | '\u{061c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    c.is_control() || shows_as_nothing
}

impl<const MAX: usize> fmt::Display for Label<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for Label<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MAX: usize> std::str::FromStr for Label<MAX> {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        Self::new(text)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Label<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_people_have_are_fine() {
        for name in [
            "J. Doe",
            "Zoë Müller-Łukasz",
            "山田 太郎",
            "أحمد",
            "Ngũgĩ wa Thiong'o",
            "R&D <support>",
        ] {
            assert_eq!(Name::new(name).map(|n| n.to_string()), Ok(name.to_owned()));
        }
        assert_eq!(
            Name::new("  J. Doe\n").map(|n| n.to_string()),
            Ok("J. Doe".to_owned()),
            "trimmed"
        );
    }

    #[test]
    fn text_that_turns_its_surroundings_is_refused() {
        let hostile = [
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200f}b",
            "a\u{61c}b",
            "\u{1b}[31mred",
            "a\u{9b}31mb",
            "a\rb",
            "a\nb",
            "a\tb",
            "a\u{7}b",
            "a\0b",
            "a\u{7f}b",
            "a\u{2028}b",
            "a\u{200b}b",
            "a\u{feff}b",
            "a\u{e0041}b",
            "a\u{fff9}b",
        ];
        for text in hostile {
            assert!(
                matches!(Name::new(text), Err(LabelError::Forbidden(_))),
                "{text:?}"
            );
        }
    }

    #[test]
    fn text_that_shows_as_nothing_is_refused() {
        for text in ["", "   ", "\u{a0}", "\u{3000}"] {
            assert_eq!(Name::new(text), Err(LabelError::Empty), "{text:?}");
        }
        for text in ["\u{3164}", "\u{115f}", "\u{ffa0}", "\u{ad}", "\u{2060}"] {
            assert!(
                matches!(Name::new(text), Err(LabelError::Forbidden(_))),
                "{text:?}"
            );
        }
    }

    #[test]
    fn ten_kilobytes_are_refused_by_their_length_alone() {
        let text = format!("\u{202e}\u{1b}[2J{}", "x".repeat(10_000));
        let error = Name::new(&text).expect_err("too long");
        assert_eq!(
            error,
            LabelError::TooLong {
                got: text.len(),
                max: 64
            }
        );
        assert_eq!(
            error.to_string(),
            "text of 10007 bytes where at most 64 are allowed"
        );
    }

    #[test]
    fn errors_name_the_character_without_printing_it() {
        let error = Name::new("a\u{202e}b").expect_err("forbidden");
        assert_eq!(error.to_string(), "text holds the control character U+202E");
    }

    #[test]
    fn the_length_counts_bytes_and_the_limit_itself_is_allowed() {
        assert!(Label::<4>::new("äö").is_ok());
        assert_eq!(
            Label::<4>::new("äöx"),
            Err(LabelError::TooLong { got: 5, max: 4 })
        );
    }

    #[test]
    fn a_label_from_the_network_is_checked_as_well() {
        let wire = |text: &str| postcard::to_allocvec(text).expect("encodes");
        assert!(postcard::from_bytes::<Name>(&wire("J. Doe")).is_ok());
        assert!(postcard::from_bytes::<Name>(&wire("J.\u{202e}Doe")).is_err());
        assert!(postcard::from_bytes::<Name>(&wire(&"x".repeat(65))).is_err());
        assert!(
            postcard::from_bytes::<Name>(&[2, 0xc3, 0x28]).is_err(),
            "not UTF-8"
        );
    }
}
