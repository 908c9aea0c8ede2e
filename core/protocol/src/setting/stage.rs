//! What a change of settings would change, and how it stands.

use serde::{Deserialize, Deserializer, Serialize};

use super::{Problem, SettingPath, SettingValue};

/// What a setting is, as somebody may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shown {
    /// It is not set.
    Absent,
    /// It is set, and nobody may see to what.
    Secret,
    /// It is set to this.
    Value(SettingValue),
}

/// One setting that would be another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which setting.
    pub path: SettingPath,
    /// What people call it.
    pub name: String,
    /// What its number counts.
    pub unit: Option<String>,
    /// What it is.
    pub before: Shown,
    /// What it would be.
    pub after: Shown,
}

/// Cuts values into pieces of at most `max` bytes each; there is always one.
pub fn pieces(
    values: impl IntoIterator<Item = (SettingPath, Shown)>,
    max: usize,
) -> Vec<Vec<(SettingPath, Shown)>> {
    let (mut pieces, mut piece, mut length) = (Vec::new(), Vec::new(), 0);
    for value in values {
        let more = crate::wire::to_body(&value).len();
        if length + more > max && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            length = 0;
        }
        length += more;
        piece.push(value);
    }
    pieces.push(piece);
    pieces
}

/// How a change of settings stands, as an operator is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ChangeStage {
    /// The customer is asked.
    Asked {
        /// Seconds until silence counts as a no.
        expires_in_s: u16,
    },
    /// It is not made.
    Refused(ChangeRefusal),
    /// It is not made: something has changed since it was read.
    Conflict,
    /// It is not made: this is wrong with it. No more than fit into a message are told.
    Invalid(Vec<Problem>),
    /// It is not made: something fails, in these words. Nothing has been touched.
    Failed(Words),
    /// It is made, and waits to be confirmed.
    Applied {
        /// Seconds until it is taken back.
        within_s: u16,
    },
    /// It stays.
    Confirmed,
    /// It was made, at least in part, and is taken back.
    RolledBack(RollBack),
    /// It has to be taken back, and cannot be now, in these words. It is tried again.
    Stuck(Words),
}

/// Why a change of settings is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChangeRefusal {
    /// The customer said no.
    Customer,
    /// Nobody answered in time; silence is a no.
    Timeout,
    /// Nobody may change anything any more.
    Withdrawn,
    /// Another change, or another question to the customer, is under way.
    Busy,
    /// Everything is so already, or there is nothing to undo.
    Unchanged,
}

/// Why a change of settings is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RollBack {
    /// It failed in the middle, in these words.
    Failed(Words),
    /// Something was changed by somebody else in the same moment.
    Conflict,
    /// Nobody confirmed it in time.
    Unconfirmed,
    /// The grant ended before it was confirmed.
    Withdrawn,
    /// The program ended before it was confirmed.
    Restarted,
}

/// What a machine says about a failure: at most [`Words::MAX_LEN`] bytes, cut where it was longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Words(String);

impl Words {
    /// Longest text, in bytes.
    pub const MAX_LEN: usize = 400;

    /// The beginning of `text`, as far as it fits.
    pub fn new(text: &str) -> Self {
        let mut end = text.len().min(Self::MAX_LEN);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(text.get(..end).unwrap_or_default().to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > Self::MAX_LEN {
            return Err(serde::de::Error::custom(
                "words about a failure are too long",
            ));
        }
        Ok(Self(text))
    }
}

impl ChangeStage {
    /// The stage with as many problems as fit into `max` bytes.
    #[must_use]
    pub fn fitted(self, max: usize) -> Self {
        let Self::Invalid(problems) = self else {
            return self;
        };
        let mut left = max.saturating_sub(8);
        let fits = |problem: &Problem| {
            let length = crate::wire::to_body(problem).len();
            left = left.saturating_sub(length);
            left > 0
        };
        Self::Invalid(problems.into_iter().take_while(fits).collect())
    }

    /// Whether nothing more comes of the change.
    pub const fn is_final(&self) -> bool {
        !matches!(
            self,
            Self::Asked { .. } | Self::Applied { .. } | Self::Stuck(_)
        )
    }

    /// The word used in records and on the command line.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Asked { .. } => "asked",
            Self::Refused(_) => "refused",
            Self::Conflict => "conflict",
            Self::Invalid(_) => "invalid",
            Self::Failed(_) => "failed",
            Self::Applied { .. } => "applied",
            Self::Confirmed => "confirmed",
            Self::RolledBack(_) => "rolled-back",
            Self::Stuck(_) => "stuck",
        }
    }

    /// Why it stands so, in a word; `None` where the stage says it all.
    pub const fn why(&self) -> Option<&'static str> {
        match self {
            Self::Refused(why) => Some(why.as_str()),
            Self::RolledBack(why) => Some(why.as_str()),
            Self::Asked { .. }
            | Self::Conflict
            | Self::Invalid(_)
            | Self::Failed(_)
            | Self::Applied { .. }
            | Self::Confirmed
            | Self::Stuck(_) => None,
        }
    }

    /// What a machine says about it.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Failed(words)
            | Self::Stuck(words)
            | Self::RolledBack(RollBack::Failed(words)) => Some(words.as_str()),
            Self::Asked { .. }
            | Self::Refused(_)
            | Self::Conflict
            | Self::Invalid(_)
            | Self::Applied { .. }
            | Self::Confirmed
            | Self::RolledBack(_) => None,
        }
    }
}

impl ChangeRefusal {
    /// The word used in records and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Timeout => "timeout",
            Self::Withdrawn => "withdrawn",
            Self::Busy => "busy",
            Self::Unchanged => "unchanged",
        }
    }
}

impl RollBack {
    /// The word used in records and on the command line.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::Conflict => "conflict",
            Self::Unconfirmed => "unconfirmed",
            Self::Withdrawn => "withdrawn",
            Self::Restarted => "restarted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{setting::Fault, wire::to_body};

    #[test]
    fn stages_have_these_bytes_on_the_wire() {
        let path = SettingPath::new("a.b").expect("a path");
        let stages: [(ChangeStage, &[u8]); 5] = [
            (ChangeStage::Asked { expires_in_s: 60 }, &[0, 60]),
            (ChangeStage::Refused(ChangeRefusal::Busy), &[1, 3]),
            (
                ChangeStage::Invalid(vec![Problem::new(&path, Fault::Choice)]),
                &[3, 1, 3, b'a', b'.', b'b', 4],
            ),
            (
                ChangeStage::RolledBack(RollBack::Failed(Words::new("no"))),
                &[7, 0, 2, b'n', b'o'],
            ),
            (ChangeStage::Stuck(Words::new("")), &[8, 0]),
        ];
        for (stage, bytes) in stages {
            assert_eq!(to_body(&stage), bytes);
            assert_eq!(postcard::from_bytes::<ChangeStage>(bytes), Ok(stage));
            for cut in 0..bytes.len() {
                assert!(postcard::from_bytes::<ChangeStage>(&bytes[..cut]).is_err());
            }
        }
    }

    #[test]
    fn values_and_problems_are_cut_to_what_a_message_holds() {
        let path = |n: u32| SettingPath::new(&format!("group.setting-{n}")).expect("a path");
        let values = (0..500).map(|n| (path(n), Shown::Secret));
        let cut = pieces(values, 400);
        assert!(cut.iter().all(|piece| to_body(piece).len() <= 404));
        assert_eq!(cut.concat().len(), 500);
        assert_eq!(pieces([], 400), [Vec::new()]);
        let problems = (0..500).map(|n| Problem::new(&path(n), Fault::Unknown));
        let stage = ChangeStage::Invalid(problems.collect()).fitted(1_000);
        assert!((900..=1_000).contains(&to_body(&stage).len()));
    }

    #[test]
    fn long_words_are_cut_between_characters() {
        let words = Words::new(&"ä".repeat(300));
        assert_eq!(words.as_str().len(), Words::MAX_LEN);
        let odd = Words::new(&format!("x{}", "ä".repeat(300)));
        assert_eq!(odd.as_str().len(), Words::MAX_LEN - 1);
        let long = to_body(&"x".repeat(401));
        assert!(postcard::from_bytes::<Words>(&long).is_err());
    }
}
