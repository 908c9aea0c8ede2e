//! How the agent ends: documented exit codes, and one line that says why.

use std::{error::Error, fmt::Write as _, process::ExitCode};

use alongside::protocol::label::Label;

/// Exit codes of every subcommand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed in a way that no other code names.
    Failed = 1,
    /// The command line, the environment or the settings file is wrong.
    Usage = 2,
    /// There is no path to the relay.
    NoPath = 3,
    /// The other side refused: the relay does not know this operator, or the customer said no.
    Refused = 4,
    /// The code was malformed, wrong, unknown, expired or burnt.
    WrongCode = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Says why the program ends, and answers how.
pub fn fail(exit: Exit, message: &str) -> Exit {
    eprintln!("alongside-agent: {}", inert(message));
    exit
}

/// What a terminal may show of `text`: whoever wrote it, it neither moves the cursor nor turns the sentence around,
/// and a line of it fits on a screen.
pub fn inert(text: &str) -> String {
    /// Characters of a line before and after what is left out (our choice: three lines of a terminal each).
    const ENDS: usize = 240;
    let mut shown = String::with_capacity(text.len().min(4 * ENDS));
    for (n, line) in text.split('\n').enumerate() {
        if n > 0 {
            shown.push('\n');
        }
        let count = line.chars().count();
        let left_out = count.saturating_sub(2 * ENDS);
        for (at, c) in line.chars().enumerate() {
            if left_out > 0 && at == ENDS {
                // Writing to a String cannot fail.
                let _ = write!(shown, "[{left_out} characters left out]");
            }
            if left_out > 0 && (ENDS..ENDS + left_out).contains(&at) {
                continue;
            }
            if is_plain(c) {
                shown.push(c);
            } else {
                shown.extend(c.escape_unicode());
            }
        }
    }
    shown
}

fn is_plain(c: char) -> bool {
    c == ' ' || Label::<4>::new(c.encode_utf8(&mut [0; 4])).is_ok()
}

/// An error and its causes on one line: `cannot do this: because of that`.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_anywhere_is_shown_and_does_nothing() {
        assert_eq!(
            inert("cannot read 'a b':\n  not found"),
            "cannot read 'a b':\n  not found"
        );
        assert_eq!(inert("\u{1b}[2J\u{202e}eman"), "\\u{1b}[2J\\u{202e}eman");
        let long = inert(&format!("{}{}", "a".repeat(5_000), "b".repeat(5_000)));
        assert!(long.starts_with("aaa") && long.ends_with("bbb"), "{long}");
        assert!(
            long.contains("[9520 characters left out]") && long.len() < 600,
            "{long}"
        );
    }
}
