//! How the agent ends: documented exit codes, and one line that says why.

use std::{error::Error, process::ExitCode};

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
    /// The code was wrong, unknown, expired or burnt.
    WrongCode = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
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
