//! The sealed child: a process of its own for one half of one mode.
//!
//! The order is what keeps the promise. Descriptors, environment, limits, no new privileges; files (landlock); calls
//! into the kernel (first filter); only then is the module loaded, so that its very initialisers run inside the box; and
//! when it is loaded, it can open nothing more (second filter).

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use alongside_mode::{
    Capabilities, HostEvent, abi,
    host::{Instance, ModeFailure, Vetted},
};

use super::{
    frame::{self, Answer, Order, Reason, Word},
    library::{self, NoModule},
};

pub(super) mod seal;

/// The word on the command line that asks a program to become a sealed child.
pub(super) const ARGUMENT: &str = "mode-host";

/// Becomes a sealed child if that is what this process was started for, and ends with it; else returns at once.
///
/// Call it first in `main`, before there is a thread, a runtime or a connection. A sealed mode is a second process of
/// the same program, so that there is nothing else to install:
///
/// ```no_run
/// alongside::modes::run_child_if_asked();
/// // The rest of your `main`.
/// ```
pub fn run_child_if_asked() {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == ARGUMENT) && args.next().is_none() {
        std::process::exit(run());
    }
}

/// Serves one half until the parent is gone. Gives the exit code.
fn run() -> i32 {
    // What the parent gave: standard input is the socket to it, standard output the module.
    if !seal::is_socket(io::stdin()) {
        eprintln!(
            "alongside: `{ARGUMENT}` is how a program starts its own sealed modes, and is of no other use"
        );
        return 2;
    }
    let mut line = Line::new(File::from(seal::stdin_alone()));
    match serve(&mut line) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// The socket to the parent.
struct Line {
    socket: File,
    /// What came and was not looked at yet.
    came: Vec<u8>,
    /// Where the socket writes to.
    chunk: Box<[u8]>,
    /// What is to go.
    goes: Vec<u8>,
}

/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;

impl Line {
    fn new(socket: File) -> Self {
        Self {
            socket,
            came: Vec::with_capacity(CHUNK),
            chunk: vec![0; CHUNK].into(),
            goes: Vec::with_capacity(CHUNK),
        }
    }

    /// The next order; `None` once the parent is gone. What is to go goes when there is nothing left to do.
    fn next(&mut self) -> io::Result<Option<Order>> {
        loop {
            let wrong = |_| io::Error::from(io::ErrorKind::InvalidData);
            if let Some((body, next)) = frame::split(&self.came).map_err(wrong)? {
                let order = Order::decode(body).map_err(wrong)?;
                self.came.drain(..next);
                return Ok(Some(order));
            }
            self.flush()?;
            match self.socket.read(&mut self.chunk) {
                Ok(0) => return Ok(None),
                Ok(len) => self
                    .came
                    .extend_from_slice(self.chunk.get(..len).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn say(&mut self, word: &Word) {
        word.encode(&mut self.goes);
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.write_all(&self.goes)?;
        self.goes.clear();
        Ok(())
    }
}

fn serve(line: &mut Line) -> io::Result<()> {
    let Some(Order::Start {
        side,
        granted,
        landlock,
    }) = line.next()?
    else {
        return Ok(());
    };
    let granted = Capabilities::from_bits(granted);
    let started = start(landlock).and_then(|vetted| {
        let instance = vetted.start(side, granted);
        let instance = instance.map_err(|unfit| Reason::Unfit(unfit.to_string()))?;
        Ok((vetted.manifest_text().to_vec(), instance))
    });
    let mut instance = match started {
        Ok((manifest, instance)) => {
            line.say(&Word::Ready { manifest });
            instance
        }
        Err(reason) => {
            line.say(&Word::Refused(reason));
            return line.flush();
        }
    };
    while let Some(order) = line.next()? {
        if let Order::Event { at, event } = order {
            let answer = answer(&mut instance, at, &event);
            line.say(&Word::Answer(answer));
        }
    }
    Ok(())
}

/// Builds the box, loads the module, and closes the box.
fn start(landlock: bool) -> Result<Vetted, Reason> {
    let broken = |what: &str, why: String| Reason::Box(format!("{what}: {why}"));
    seal::limits().map_err(|error| broken("limits", error.to_string()))?;
    seal::nobody().map_err(|error| broken("user", error.to_string()))?;
    if landlock {
        seal::files().map_err(|why| broken("landlock", why))?;
    }
    seal::calls_while_loading().map_err(|why| broken("first filter", why))?;
    // Standard output is the module, given by the parent, and stays open as long as this process.
    let stdout = io::stdout();
    let module: BorrowedFd<'_> = stdout.as_fd();
    let table = library::load(module).map_err(|no| match no {
        NoModule::Library(said) => Reason::Library(said),
        NoModule::NotAMode => Reason::NotAMode,
        NoModule::Abi(version) => Reason::Abi(version),
        NoModule::NoTable => Reason::NoTable,
    })?;
    seal::calls_from_now_on().map_err(|why| broken("second filter", why))?;
    Vetted::check(table).map_err(|unfit| Reason::Unfit(unfit.to_string()))
}

fn answer(instance: &mut Instance, at: Duration, event: &HostEvent) -> Answer {
    let told = instance.on_event(at, event);
    let denied = u32::try_from(instance.denied()).unwrap_or(u32::MAX);
    let log = instance.take_log();
    let (status, effects) = match told {
        Ok(effects) => (abi::OK, effects),
        Err(ModeFailure::Malformed { .. }) => (abi::E_ARGUMENT, Vec::new()),
        Err(ModeFailure::GaveUp { .. }) => (abi::E_MODE, Vec::new()),
        Err(ModeFailure::Panicked { .. }) => (abi::E_PANICKED, Vec::new()),
        Err(ModeFailure::Status(status)) => (status, Vec::new()),
        Err(_) => (abi::E_MODE, Vec::new()),
    };
    Answer {
        status,
        denied,
        effects,
        log,
    }
}
