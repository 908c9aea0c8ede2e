//! The parent of a sealed child: starts it, tells it events, takes its answers, ends it when it does not answer.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    os::{fd::OwnedFd, unix::net},
    path::{Path, PathBuf},
    pin::Pin,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use alongside_mode::{
    Capabilities, Effect, HostEvent, Side, abi,
    host::{LogLine, ModeFailure},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::UnixStream,
};

use super::{
    Boxing, Package,
    child::ARGUMENT,
    frame::{self, Answer, BadFrame, Order, Reason, Word},
};
use crate::clock::{self, Alarm};

/// Time that a half has for one event before that is worth a word.
pub const SOFT: Duration = Duration::from_millis(5);
/// Time that a half has for one event before it is ended.
pub const HARD: Duration = Duration::from_millis(50);
/// Time that a child has to start (our choice: loading reads the disk, and a machine may be busy).
const START: Duration = Duration::from_secs(10);
/// Most time that is given on top because the machine was busy with something else.
const MAX_DELAY: Duration = Duration::from_secs(5);
/// Events that may wait for one child; a half that falls further behind is ended.
const MAX_WAITING: usize = 1_024;
/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;

/// One half of a mode in a process of its own.
#[derive(Debug)]
pub(super) struct Sealed {
    package: Arc<Package>,
    process: Process,
    stream: UnixStream,
    /// What the child has not been given yet.
    goes: Vec<u8>,
    /// What the child said and was not looked at yet.
    came: Vec<u8>,
    /// Where the socket writes to.
    chunk: Box<[u8]>,
    /// Numbers of the events that have no answer yet, oldest first.
    waiting: VecDeque<u64>,
    /// When the oldest of them could be begun with, and how long its process has waited for a processor since.
    since: Option<(Instant, Duration)>,
    /// For when that has been too long.
    alarm: Option<Alarm>,
    stage: Stage,
    pub(super) log: Vec<LogLine>,
    denied: u32,
    slow: u32,
    over: bool,
    /// How long the process had waited for a processor when that was looked at last.
    delayed: Duration,
}

/// Number of an event, and what came of it.
pub(super) type Answered = (u64, Result<Vec<Effect>, SealedFailure>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Starting,
    Running,
}

/// Why a sealed half gives no answer. It is over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealedFailure {
    /// There is no second process.
    #[error("its process cannot be started from {}", program.display())]
    Spawn {
        /// What was to be started.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The loader does not take the module.
    #[error(
        "{module} cannot be loaded ({said}): build it for this system, and link it with nothing that is not there"
    )]
    Library {
        /// The module's file.
        module: String,
        /// What the loader says.
        said: String,
    },
    /// The module is some other library.
    #[error(
        "{module} is no session mode, it exports no `alongside_mode_abi`: add `export_mode!`, or define the symbol in C"
    )]
    NotAMode {
        /// The module's file.
        module: String,
    },
    /// The module is built for another ABI than its manifest says.
    #[error(
        "{module} is built for mode ABI {major}.{minor}, and this program speaks {}.{}: rebuild the mode with version {} of alongside-mode",
        abi::MAJOR,
        abi::MINOR,
        abi::MAJOR
    )]
    Abi {
        /// The module's file.
        module: String,
        /// Major version.
        major: u32,
        /// Minor version.
        minor: u32,
    },
    /// The module has no table.
    #[error(
        "{module} has the version word of a mode and no table: export `alongside_mode_entry_v1` and return the table there"
    )]
    NoTable {
        /// The module's file.
        module: String,
    },
    /// The module's table is not in order, or it cannot make the half.
    #[error("{module} is not in order ({said}): rebuild it")]
    Unfit {
        /// The module's file.
        module: String,
        /// What is wrong.
        said: String,
    },
    /// The box cannot be built.
    #[error(
        "its box cannot be built ({said}): use a kernel with seccomp, or have the module signed by somebody whom the owner's policy lets run in process"
    )]
    Box {
        /// Which wall, and why not.
        said: String,
    },
    /// The manifest inside the module is not the file beside it.
    #[error(
        "the manifest inside {module} is not the mode.json beside it: build the module again after changing mode.json"
    )]
    Manifest {
        /// The module's file.
        module: String,
    },
    /// It did not start in time.
    #[error("it did not start within {} s: its initialisers must not wait", START.as_secs())]
    NotStarted,
    /// It did not answer in time.
    #[error("it took more than {} ms for one event and was ended: an event must be answered within {} ms", HARD.as_millis(), SOFT.as_millis())]
    Hung,
    /// It fell behind.
    #[error("it fell {MAX_WAITING} events behind and was ended: an event must be answered within {} ms", SOFT.as_millis())]
    Behind,
    /// Its process is gone.
    #[error("its process ended by itself ({}): run `alongside-agent mode check` on it", ended(*status))]
    Died {
        /// How.
        status: Option<ExitStatus>,
    },
    /// It said what cannot be said.
    #[error("it broke out of the rules of its process and was ended")]
    Broke(#[from] BadFrame),
    /// The half failed as halves do.
    #[error(transparent)]
    Mode(ModeFailure),
}

fn ended(status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match status {
        Some(status) => match (status.signal(), status.code()) {
            (Some(6), _) => "it aborted".to_owned(),
            (Some(11 | 7), _) => "it touched memory that it does not have".to_owned(),
            (Some(31), _) => "it made a call that is not allowed".to_owned(),
            (Some(24), _) => "it used up its processor time".to_owned(),
            (Some(signal), _) => format!("signal {signal}"),
            (None, Some(code)) => format!("exit code {code}"),
            (None, None) => "it is gone".to_owned(),
        },
        None => "it is gone".to_owned(),
    }
}

/// The child's process; ended with this value.
#[derive(Debug)]
struct Process(Child);

impl Process {
    /// Ends it now, and tells how it ended if it had done so by itself.
    fn end(&mut self) -> Option<ExitStatus> {
        let before = self.0.try_wait().ok().flatten();
        let _ = self.0.kill();
        before.or_else(|| self.0.wait().ok())
    }

    /// Time that it has waited for a processor; nothing where the kernel does not count it.
    fn delay(&self) -> Duration {
        let path = format!("/proc/{}/schedstat", self.0.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let field = text.split(' ').nth(1).and_then(|field| field.parse().ok());
        Duration::from_nanos(field.unwrap_or(0))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

impl Sealed {
    /// Starts a process for one half of the mode in `package`. The half is made there meanwhile.
    pub(super) fn start(
        package: Arc<Package>,
        program: Option<&Path>,
        side: Side,
        granted: Capabilities,
    ) -> Result<Self, SealedFailure> {
        // What is running, even if its file has been replaced since.
        let program = program.unwrap_or_else(|| Path::new("/proc/self/exe"));
        let failed = |source| SealedFailure::Spawn {
            program: program.to_owned(),
            source,
        };
        let spawn = || -> io::Result<(Child, UnixStream)> {
            let (ours, theirs) = net::UnixStream::pair()?;
            let module = package.module().try_clone_to_owned()?;
            let child = Command::new(program)
                .arg(ARGUMENT)
                .env_clear()
                .current_dir("/")
                .stdin(OwnedFd::from(theirs))
                .stdout(module)
                .stderr(Stdio::null())
                .spawn()?;
            ours.set_nonblocking(true)?;
            Ok((child, UnixStream::from_std(ours)?))
        };
        let (child, stream) = spawn().map_err(failed)?;
        let mut goes = Vec::new();
        Order::Start {
            side,
            granted: granted.bits(),
            landlock: package.boxing() != Boxing::SealedWithoutLandlock,
        }
        .encode(&mut goes);
        Ok(Self {
            package,
            process: Process(child),
            stream,
            goes,
            came: Vec::new(),
            chunk: vec![0; CHUNK].into(),
            waiting: VecDeque::new(),
            since: Some((clock::now(), Duration::ZERO)),
            alarm: None,
            stage: Stage::Starting,
            log: Vec::new(),
            denied: 0,
            slow: 0,
            over: false,
            delayed: Duration::ZERO,
        })
    }

    /// Tells the half of event `seq`, with the next [`Sealed::answer`].
    pub(super) fn tell(
        &mut self,
        seq: u64,
        at: Duration,
        event: &HostEvent,
    ) -> Result<(), SealedFailure> {
        if self.waiting.len() >= MAX_WAITING {
            return Err(self.fail(SealedFailure::Behind));
        }
        if self.waiting.is_empty() && self.stage == Stage::Running {
            self.since = Some((clock::now(), Duration::ZERO));
        }
        self.waiting.push_back(seq);
        Order::encode_event(at, event, &mut self.goes);
        Ok(())
    }

    /// How many effects were refused since the last time for want of a grant.
    pub(super) fn denied(&self) -> u32 {
        self.denied
    }

    /// How many events took longer than [`SOFT`].
    pub(super) fn slow(&self) -> u32 {
        self.slow
    }

    /// Whether it has made its half.
    pub(super) fn is_running(&self) -> bool {
        self.stage == Stage::Running
    }

    /// The next answer; waits for ever while nothing is asked. Cancel safe.
    pub(super) async fn answer(&mut self) -> Answered {
        poll_fn(|cx| self.poll_answer(cx)).await
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Answered> {
        if self.over {
            return Poll::Pending;
        }
        self.poll_step(cx).map(|stepped| {
            stepped.unwrap_or_else(|failure| {
                let seq = self.waiting.pop_front().unwrap_or(0);
                (seq, Err(self.fail(failure)))
            })
        })
    }

    /// Gives what goes and takes what came, until that holds an answer or the time for it is over.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answered, SealedFailure>> {
        self.flush(cx);
        loop {
            while let Some((body, next)) = frame::split(&self.came)? {
                let word = Word::decode(body)?;
                self.came.drain(..next);
                if let Some(answered) = self.hear(word)? {
                    return Poll::Ready(Ok(answered));
                }
            }
            let mut chunk = ReadBuf::new(&mut self.chunk);
            match Pin::new(&mut self.stream).poll_read(cx, &mut chunk) {
                Poll::Ready(Ok(())) if !chunk.filled().is_empty() => {
                    self.came.extend_from_slice(chunk.filled());
                }
                Poll::Ready(_) => return Poll::Ready(Err(self.gone())),
                Poll::Pending => {
                    let Some(deadline) = self.deadline() else {
                        return Poll::Pending;
                    };
                    let alarm = self.alarm.get_or_insert_with(|| Alarm::new(deadline));
                    ready!(alarm.poll_at(cx, deadline));
                    if let Some(failure) = self.overdue() {
                        return Poll::Ready(Err(failure));
                    }
                }
            }
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>) {
        while !self.goes.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.goes) {
                Poll::Ready(Ok(len)) => drop(self.goes.drain(..len)),
                Poll::Pending => break,
                // What it said before it went comes first.
                Poll::Ready(Err(_)) => self.goes.clear(),
            }
        }
    }

    fn hear(&mut self, word: Word) -> Result<Option<Answered>, SealedFailure> {
        match (self.stage, word) {
            (Stage::Starting, Word::Ready { manifest }) => {
                if manifest != self.package.manifest_text() {
                    let module = self.package.module_name().to_owned();
                    return Err(SealedFailure::Manifest { module });
                }
                self.stage = Stage::Running;
                self.begin_next();
                Ok(None)
            }
            (Stage::Starting, Word::Refused(reason)) => Err(self.refused(reason)),
            (Stage::Running, Word::Answer(answer)) => {
                let seq = self.waiting.pop_front().ok_or(BadFrame)?;
                self.note_time();
                self.begin_next();
                let answered = self.take(answer);
                Ok(Some((seq, answered)))
            }
            (Stage::Starting, Word::Answer(_))
            | (Stage::Running, Word::Ready { .. } | Word::Refused(_)) => Err(BadFrame.into()),
        }
    }

    /// What an answer means; a half that has failed is not called again.
    fn take(&mut self, answer: Answer) -> Result<Vec<Effect>, SealedFailure> {
        self.denied = answer.denied.max(self.denied);
        let said = || {
            let error = |line: &&LogLine| line.level == abi::LOG_ERROR;
            answer.log.iter().rfind(error).map(|line| line.text.clone())
        };
        let failure = match answer.status {
            abi::OK => None,
            abi::E_ARGUMENT => {
                self.log.extend(answer.log);
                return Ok(Vec::new());
            }
            abi::E_PANICKED => Some(ModeFailure::Panicked { said: said() }),
            abi::E_MODE => Some(ModeFailure::GaveUp { said: said() }),
            status => Some(ModeFailure::Status(status)),
        };
        if let Some(failure) = failure {
            self.log.extend(answer.log);
            return Err(self.fail(SealedFailure::Mode(failure)));
        }
        self.log.extend(answer.log);
        Ok(answer.effects)
    }

    /// The time of the next event begins.
    fn begin_next(&mut self) {
        self.since = (!self.waiting.is_empty()).then(|| (clock::now(), Duration::ZERO));
    }

    fn note_time(&mut self) {
        let Some((since, waited)) = self.since else {
            return;
        };
        if clock::now().saturating_duration_since(since) > SOFT + waited {
            self.slow += 1;
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let (since, waited) = self.since?;
        let limit = match self.stage {
            Stage::Starting => START,
            Stage::Running => HARD,
        };
        Some(since + limit + waited)
    }

    /// Whether the half has really had its time: what its process waited for a processor does not count.
    fn overdue(&mut self) -> Option<SealedFailure> {
        if self.stage == Stage::Starting {
            return Some(SealedFailure::NotStarted);
        }
        let (since, waited) = self.since?;
        // Counted since this was looked at last, so never less than what fell into this event.
        let delay = self.process.delay();
        let fresh = delay.saturating_sub(self.delayed);
        self.delayed = delay;
        if fresh < Duration::from_millis(1) || waited >= MAX_DELAY {
            return Some(SealedFailure::Hung);
        }
        self.since = Some((since, (waited + fresh).min(MAX_DELAY)));
        None
    }

    fn refused(&self, reason: Reason) -> SealedFailure {
        let module = self.package.module_name().to_owned();
        match reason {
            Reason::Library(said) => SealedFailure::Library { module, said },
            Reason::NotAMode => SealedFailure::NotAMode { module },
            Reason::Abi(version) => SealedFailure::Abi {
                module,
                major: version >> 16,
                minor: version & 0xffff,
            },
            Reason::NoTable => SealedFailure::NoTable { module },
            Reason::Unfit(said) => SealedFailure::Unfit { module, said },
            Reason::Box(said) => SealedFailure::Box { said },
        }
    }

    fn gone(&mut self) -> SealedFailure {
        SealedFailure::Died {
            status: self.process.end(),
        }
    }

    /// It is over: nothing more is heard, and its process ends.
    fn fail(&mut self, failure: SealedFailure) -> SealedFailure {
        self.over = true;
        self.since = None;
        self.process.end();
        failure
    }
}
