//! `alongside-agent admin-id`: sets or forgets the system administrator's ID of this device.
//!
//! The ID comes from the terminal, without an echo, or from standard input: an argument shows in the process list.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
};

use alongside::{
    Compartment, CompartmentError,
    admin_id::{AdminIdError, AdminIdStore},
};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::{
    cli::{AdminIdArgs, AdminIdDo},
    config::{self, ConfigError, Surroundings},
    exit::{Exit, chain, fail},
};

/// Longest line that is read, in bytes: more than any ID has.
const LONGEST_LINE: u64 = 256;

/// Why the ID was not set or forgotten.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Compartment(#[from] CompartmentError),
    #[error(transparent)]
    Store(#[from] AdminIdError),
    #[error("there is no terminal to ask on: give the ID on standard input with --stdin")]
    NoTerminal(#[source] io::Error),
    #[error("the ID cannot be read")]
    Read(#[source] io::Error),
    #[error("the two are not the same: nothing was changed")]
    Differ,
}

impl Problem {
    const fn exit(&self) -> Exit {
        match self {
            Self::Config(_)
            | Self::NoTerminal(_)
            | Self::Differ
            | Self::Store(AdminIdError::Weak(_)) => Exit::Usage,
            Self::Compartment(_) | Self::Store(_) | Self::Read(_) => Exit::Failed,
        }
    }
}

/// Does what the command line asks.
pub fn run(args: &AdminIdArgs) -> Exit {
    match act(args) {
        Ok(done) => {
            eprintln!("alongside-agent: {done}");
            Exit::Done
        }
        Err(problem) => fail(problem.exit(), &chain(&problem)),
    }
}

fn act(args: &AdminIdArgs) -> Result<&'static str, Problem> {
    let state = config::device_state(
        args.state.as_deref(),
        args.config.as_deref(),
        &Surroundings::of_process(),
    )?;
    let store = AdminIdStore::open_to_set(&Compartment::open(&state)?);
    match args.what {
        AdminIdDo::Set { stdin } => {
            let id = if stdin {
                line(io::stdin().lock()).map_err(Problem::Read)?
            } else {
                ask()?
            };
            store.set(&id)?;
            Ok("the system administrator's ID is set")
        }
        AdminIdDo::Reset => {
            store.reset()?;
            Ok(
                "the system administrator's ID is forgotten: what asks for it is refused until another is set",
            )
        }
    }
}

/// Asks twice on the terminal.
fn ask() -> Result<Zeroizing<String>, Problem> {
    let terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(Problem::NoTerminal)?;
    let _silence = Silence::over(&terminal).map_err(Problem::NoTerminal)?;
    let answer = |question: &str| {
        (&terminal).write_all(question.as_bytes())?;
        let answer = line(BufReader::new(&terminal));
        (&terminal).write_all(b"\n")?;
        answer
    };
    let id = answer("New system administrator's ID (at least 8 digits or characters): ")
        .map_err(Problem::Read)?;
    let again = answer("The same once more: ").map_err(Problem::Read)?;
    if id != again {
        return Err(Problem::Differ);
    }
    Ok(id)
}

/// One line without its end.
fn line(from: impl io::BufRead) -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::with_capacity(LONGEST_LINE as usize));
    from.take(LONGEST_LINE).read_line(&mut line)?;
    while line.ends_with(['\n', '\r']) {
        line.pop();
    }
    Ok(line)
}

/// A terminal that shows nothing of what is typed, until the value is gone.
struct Silence<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn over(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_where_it_ends() {
        for text in ["48291736\n", "48291736\r\n", "48291736", "48291736\nmore\n"] {
            assert_eq!(*line(text.as_bytes()).expect("a line"), "48291736");
        }
        let long = "9".repeat(10_000);
        let read = line(long.as_bytes()).expect("a line");
        assert_eq!(read.len() as u64, LONGEST_LINE, "and the store refuses it");
    }
}
