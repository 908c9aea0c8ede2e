//! JSON Lines on standard input and output: the commands of one side in, replies and events out.

use std::{
    collections::VecDeque,
    future::Future,
    io,
    os::fd::AsFd,
    pin::{Pin, pin},
    thread,
};

use futures_util::{StreamExt, stream::FuturesOrdered};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::oneshot,
};

use crate::{
    api::{self, Commands, Event, MAX_LINE, Reply, Request},
    fan::Ear,
};

/// Answers that may be open at once; the next line is read when one of them is given.
const OPEN_ANSWERS: usize = 256;

/// What carries out the commands of one side.
pub trait Executor<C>: Send + Sync {
    /// Carries out one command. Starts at once; the answers of later commands wait for this one.
    fn execute(&self, command: C) -> impl Future<Output = Reply> + Send;
}

/// Comes back once nobody can read any more what is written to `output`. Where that does not come about, as with a file,
/// never.
///
/// A thread waits for it, as for standard input, and no runtime has to wait for that thread.
pub async fn unread(output: impl AsFd + Send + 'static) {
    let (tell, told) = oneshot::channel();
    thread::spawn(move || {
        // Errors and the other end's leaving are told without being asked for.
        let mut watched = [PollFd::new(&output, PollFlags::empty())];
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        let _ = tell.send(());
    });
    if told.await.is_err() {
        std::future::pending().await
    }
}

/// Reads commands from `input` and writes replies and `events` to `output` until `input` or `events` end.
///
/// If `unread` comes back, nobody reads `output` any more, and that is noticed without anything to write.
///
/// Comes back once `events` is closed and everything is written. At the end of `input` it runs `at_eof` and goes on
/// writing events, so that the last one, `ended`, is told. Whoever does not read `output` holds up neither commands nor
/// the end of `input`.
///
/// # Errors
///
/// The output cannot be written, or nobody has read it for very long. Nobody is in control then any more, so `at_eof`
/// has run as well.
pub async fn serve<C, E, R, W>(
    executor: &E,
    input: R,
    output: W,
    unread: impl Future<Output = ()>,
    events: Ear<Event>,
    at_eof: impl Future<Output = ()>,
) -> io::Result<()>
where
    C: Commands,
    E: Executor<C>,
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut pen = Pen::new(output);
    let mut lines = Lines::new(input);
    let mut answers: FuturesOrdered<Answer<'_>> = FuturesOrdered::new();
    let mut given: VecDeque<Event> = VecDeque::new();
    let (mut at_eof, mut unread) = (pin!(at_eof), pin!(unread));
    let mut input = Ends::Open;
    let mut is_over = false;
    let written = loop {
        if pen.is_idle() {
            match given.pop_front() {
                Some(answer) => pen.take(&answer),
                None if is_over && answers.is_empty() => break Ok(()),
                None => {}
            }
        }
        tokio::select! {
            biased;
            written = pen.write(), if !pen.is_idle() => if written.is_err() {
                break written;
            },
            () = &mut unread => break Err(io::ErrorKind::BrokenPipe.into()),
            () = events.cut_off(), if !is_over => break Err(io::Error::other("nobody reads it")),
            () = &mut at_eof, if input == Ends::Ending => input = Ends::Ended,
            Some(answer) = answers.next(), if !answers.is_empty() && given.len() < OPEN_ANSWERS => given.push_back(answer),
            event = events.recv(), if !is_over && pen.is_idle() => match event {
                Some(event) => {
                    pen.take(&event);
                    // What waits goes out at once: a writer that gets its turn seldom does not fall behind.
                    while pen.has_room() && let Some(event) = events.try_recv() {
                        pen.take(&event);
                    }
                }
                None => is_over = true,
            },
            line = lines.next(), if input == Ends::Open && !is_over && answers.len() < OPEN_ANSWERS => match line {
                Line::Whole(line) if line.iter().all(u8::is_ascii_whitespace) => {}
                Line::Whole(line) => answers.push_back(answer(executor, &line)),
                Line::TooLong(length) => {
                    let failure = api::Failure::bad_request(format!("line of {length} bytes where at most {MAX_LINE} are allowed"));
                    answers.push_back(Box::pin(std::future::ready(Event::reply(None, Err(failure)))));
                }
                Line::End => input = Ends::Ending,
            },
        }
    };
    if written.is_err() && input != Ends::Ended {
        at_eof.await;
    }
    written
}

/// How the input stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// More may come.
    Open,
    /// It has ended, and what follows from that happens.
    Ending,
    /// That has happened.
    Ended,
}

/// An answer that is being worked on.
type Answer<'a> = Pin<Box<dyn Future<Output = Event> + Send + 'a>>;

fn answer<'a, C: Commands + 'a, E: Executor<C>>(executor: &'a E, line: &[u8]) -> Answer<'a> {
    match api::parse::<C>(line) {
        Ok(Request { id, command }) => {
            let reply = executor.execute(command);
            Box::pin(async move { Event::reply(id, reply.await) })
        }
        Err(rejected) => Box::pin(std::future::ready(Event::reply(
            rejected.id,
            Err(rejected.failure),
        ))),
    }
}

/// Writes lines, as many at once as wait.
struct Pen<W> {
    output: W,
    lines: Vec<u8>,
    /// How much of them is written.
    at: usize,
}

impl<W: AsyncWrite + Unpin> Pen<W> {
    const fn new(output: W) -> Self {
        Self {
            output,
            lines: Vec::new(),
            at: 0,
        }
    }

    const fn is_idle(&self) -> bool {
        self.lines.is_empty()
    }

    const fn has_room(&self) -> bool {
        self.lines.len() < MAX_LINE
    }

    /// Adds a line.
    fn take(&mut self, event: &Event) {
        self.lines
            .extend_from_slice(event.line(alongside::unix_ms()).as_bytes());
        self.lines.push(b'\n');
    }

    /// Finishes the lines. Cancel safe.
    async fn write(&mut self) -> io::Result<()> {
        while let Some(rest) = self.lines.get(self.at..).filter(|rest| !rest.is_empty()) {
            match self.output.write(rest).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => self.at += written,
            }
        }
        self.output.flush().await?;
        self.lines.clear();
        self.at = 0;
        Ok(())
    }
}

/// One line of input.
enum Line {
    Whole(Vec<u8>),
    /// It had this many bytes and is skipped.
    TooLong(usize),
    End,
}

/// Cuts input into lines without keeping more than [`MAX_LINE`] bytes of any. Cancel safe.
struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
    /// Bytes of the line that were dropped because it is too long.
    dropped: usize,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    fn new(input: R) -> Self {
        Self {
            input: BufReader::new(input),
            line: Vec::new(),
            dropped: 0,
            ended: false,
        }
    }

    async fn next(&mut self) -> Line {
        loop {
            if self.ended {
                return Line::End;
            }
            let Ok(chunk) = self.input.fill_buf().await else {
                self.ended = true;
                return self.take();
            };
            if chunk.is_empty() {
                self.ended = true;
                return self.take();
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let content = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or(chunk);
            if self.dropped == 0 && self.line.len() + content.len() <= MAX_LINE {
                self.line.extend_from_slice(content);
            } else {
                self.dropped += self.line.len() + content.len();
                self.line.clear();
            }
            let used = content.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                return self.take();
            }
        }
    }

    /// The line as it stands; the end of input where there is none.
    fn take(&mut self) -> Line {
        let line = std::mem::take(&mut self.line);
        match std::mem::take(&mut self.dropped) {
            0 if self.ended && line.is_empty() => Line::End,
            0 => Line::Whole(line),
            dropped => Line::TooLong(dropped + line.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::{
        api::{Done, device},
        fan::{Fan, MOST_WAITING},
    };

    /// Accepts everything but `refuse`.
    struct Agreeable;

    impl Executor<device::Command> for Agreeable {
        async fn execute(&self, command: device::Command) -> Reply {
            match command {
                device::Command::Refuse => Err(api::Failure::new(
                    api::ErrorCode::NotAsked,
                    "nothing was asked",
                )),
                device::Command::Exit => {
                    tokio::task::yield_now().await;
                    Ok(Done::Accepted)
                }
                device::Command::EnterCode(_)
                | device::Command::Touch(_)
                | device::Command::Key(_)
                | device::Command::Hold(_)
                | device::Command::Allow(_)
                | device::Command::Snapshot(_) => Ok(Done::Accepted),
            }
        }
    }

    async fn run(input: &[u8]) -> Vec<serde_json::Value> {
        let fan = Fan::default();
        let events = fan.subscribe();
        let mut output = Vec::new();
        let unread = std::future::pending();
        serve::<device::Command, _, _, _>(&Agreeable, input, &mut output, unread, events, async {
            fan.close();
        })
        .await
        .expect("written");
        let text = String::from_utf8(output).expect("UTF-8");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    #[tokio::test]
    async fn every_line_is_answered_once_and_in_order() {
        let lines = run(b"{\"do\":\"exit\",\"id\":1}\n{\"do\":\"refuse\",\"id\":2}\n\nnonsense\n{\"do\":\"exit\",\"id\":3}").await;
        let told: Vec<_> = lines
            .iter()
            .map(|line| {
                (
                    line["event"].as_str().expect("an event"),
                    line["id"].as_u64(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("ok", Some(1)),
                ("error", Some(2)),
                ("error", None),
                ("ok", Some(3))
            ]
        );
        assert_eq!(lines[2]["code"], "bad-request");
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_named_and_the_next_one_read() {
        let mut input = vec![b'x'; 10 * MAX_LINE];
        input.extend_from_slice(b"\n{\"do\":\"exit\",\"id\":7}\n");
        let lines = run(&input).await;
        assert_eq!(lines[0]["code"], "bad-request");
        assert!(
            lines[0]["message"]
                .as_str()
                .expect("words")
                .contains("655360 bytes")
        );
        assert_eq!(lines[1]["id"], 7);
    }

    /// Something that can always be told again.
    fn idle() -> Event {
        Event::Idle { ends_in_s: 1 }
    }

    #[tokio::test]
    async fn whoever_closes_the_output_has_left() {
        let fan = Fan::default();
        let events = fan.subscribe();
        let (input, _open) = tokio::io::duplex(64);
        let (output, closed) = tokio::io::duplex(64);
        drop(closed);
        let has_left = Cell::new(false);
        fan.send(idle());
        let unread = std::future::pending();
        let written =
            serve::<device::Command, _, _, _>(&Agreeable, input, output, unread, events, async {
                has_left.set(true);
            })
            .await;
        let error = written.expect_err("it is closed");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(has_left.get());
    }

    #[tokio::test]
    async fn whoever_closes_the_output_has_left_though_there_is_nothing_to_tell() {
        let fan = Fan::default();
        let events = fan.subscribe();
        let (input, _open) = tokio::io::duplex(64);
        let (reads, writes) = io::pipe().expect("a pipe");
        let (gone, has_left) = (unread(writes), Cell::new(false));
        let mut serving = pin!(serve::<device::Command, _, _, _>(
            &Agreeable,
            input,
            tokio::io::sink(),
            gone,
            events,
            async { has_left.set(true) },
        ));
        tokio::select! {
            biased;
            _ = &mut serving => panic!("somebody reads it"),
            () = tokio::task::yield_now() => {}
        }
        drop(reads);
        let error = serving.await.expect_err("it is closed");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(has_left.get());
    }

    #[tokio::test]
    async fn whoever_never_reads_the_output_can_still_leave() {
        let fan = Fan::default();
        let events = fan.subscribe();
        let (input, open) = tokio::io::duplex(64);
        let (output, _unread) = tokio::io::duplex(16);
        let (leaves, left) = oneshot::channel();
        fan.send(idle());
        let unread = std::future::pending();
        let serving =
            serve::<device::Command, _, _, _>(&Agreeable, input, output, unread, events, async {
                leaves.send(()).expect("waited for");
            });
        let leaving = async {
            drop(open);
            left.await.expect("left");
        };
        tokio::select! {
            _ = serving => panic!("nobody has read what it told"),
            () = leaving => {}
        }
    }

    #[tokio::test]
    async fn whoever_never_reads_the_output_is_taken_to_be_gone_at_last() {
        let fan = Fan::default();
        let events = fan.subscribe();
        let (input, _open) = tokio::io::duplex(64);
        let (output, _unread) = tokio::io::duplex(16);
        let has_left = Cell::new(false);
        let unread = std::future::pending();
        let serving =
            serve::<device::Command, _, _, _>(&Agreeable, input, output, unread, events, async {
                has_left.set(true);
            });
        let telling = async {
            for _ in 0..=MOST_WAITING {
                fan.send(idle());
            }
        };
        let (written, ()) = tokio::join!(serving, telling);
        assert_eq!(written.expect_err("unread").to_string(), "nobody reads it");
        assert!(has_left.get());
    }
}
