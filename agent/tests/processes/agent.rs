//! One side as a process, over `--stdio`.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Far longer than anything here takes, on a machine that does other things besides.
pub const LIMIT: Duration = Duration::from_secs(45);

/// A running `alongside-agent`; killed when it is dropped.
pub struct Agent {
    child: Child,
    input: Option<ChildStdin>,
    output: mpsc::Receiver<String>,
    reader: Option<thread::JoinHandle<()>>,
    /// Every line that came, parsed; `t` is its time.
    pub told: Vec<Value>,
    /// Up to where [`Agent::event`] has looked.
    looked: usize,
    asked: u64,
    log: PathBuf,
}

impl Agent {
    /// Starts `command`; its standard error goes to the file `log`.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let file = fs::File::create(log).expect("a file for the log");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .expect("the agent's program");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, output) = mpsc::channel();
        let reader = thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            output,
            reader: Some(reader),
            told: Vec::new(),
            looked: 0,
            asked: 1_000_000,
            log: log.to_owned(),
        }
    }

    /// Writes a line of input as it is.
    pub fn write(&mut self, line: &[u8]) {
        let input = self.input.as_mut().expect("its input is open");
        input
            .write_all(line)
            .and_then(|()| input.write_all(b"\n"))
            .expect("it reads");
    }

    /// Writes lines of input, if it still reads.
    pub fn try_write(&mut self, lines: &[u8]) -> std::io::Result<()> {
        let input = self.input.as_mut().expect("its input is open");
        input.write_all(lines)?;
        input.write_all(b"\n")
    }

    /// Gives a command without waiting for its reply; answers its number.
    pub fn say(&mut self, mut command: Value) -> u64 {
        if command.get("id").is_none() {
            self.asked += 1;
            command["id"] = json!(self.asked);
        }
        let id = command["id"].as_u64().expect("a number");
        self.write(command.to_string().as_bytes());
        id
    }

    /// The reply to the command that had this number.
    pub fn reply(&mut self, id: u64) -> Value {
        self.find(0, &format!("the reply to {id}"), |line| {
            line["id"] == id && is_reply(line)
        })
        .1
    }

    /// Gives a command and takes its reply.
    pub fn ask(&mut self, command: Value) -> Value {
        let id = self.say(command);
        self.reply(id)
    }

    /// Gives a command that is accepted.
    pub fn ok(&mut self, command: Value) -> Value {
        let reply = self.ask(command.clone());
        assert_eq!(reply["event"], "ok", "{command}: {reply}");
        reply
    }

    /// Gives a command that is refused with `code`, in words.
    pub fn refused(&mut self, command: Value, code: &str) -> Value {
        let reply = self.ask(command.clone());
        assert_eq!(reply["code"], code, "{command}: {reply}");
        in_words(&reply);
        reply
    }

    /// The next event of this name.
    pub fn event(&mut self, name: &str) -> Value {
        self.until(name, |line| line["event"] == name)
    }

    /// The next event that nobody's command caused and that says what is wrong, with `code`.
    pub fn problem(&mut self, code: &str) -> Value {
        let problem = self.until(code, |line| {
            line["event"] == "error" && line.get("id").is_none()
        });
        assert_eq!(problem["code"], code, "{problem}");
        in_words(&problem);
        problem
    }

    /// The next line for which this holds.
    pub fn until(&mut self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let (at, line) = self.find(self.looked, what, holds);
        self.looked = at + 1;
        line
    }

    /// The first line from `from` on for which `holds`, waited for if need be.
    fn find(&mut self, from: usize, what: &str, holds: impl Fn(&Value) -> bool) -> (usize, Value) {
        let deadline = Deadline::new();
        let mut at = from;
        loop {
            while let Some(line) = self.told.get(at) {
                if holds(line) {
                    return (at, line.clone());
                }
                at += 1;
            }
            match self.output.recv_timeout(deadline.left()) {
                Ok(line) => self.take(&line),
                Err(error) => panic!("{what}: {error}; {}", self.says()),
            }
        }
    }

    fn take(&mut self, line: &str) {
        let line = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("{error} in {line:?}; {}", self.says()));
        self.told.push(line);
    }

    /// Closes its input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Closes the reading end of its output.
    pub fn close_output(&mut self) {
        self.output = mpsc::channel().1;
        // The answer is one line more than the reader takes.
        self.write(b"{}");
        let reader = self.reader.take().expect("open until now");
        reader.join().expect("no panic");
    }

    /// Waits until it has ended by itself and answers its exit code; all that it told is in `told`.
    pub fn exit(&mut self) -> i32 {
        let deadline = Deadline::new();
        loop {
            match self.output.recv_timeout(deadline.left()) {
                Ok(line) => self.take(&line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("does not end: {error}; {}", self.says()),
            }
        }
        let status = self.child.wait().expect("it ends");
        status
            .code()
            .unwrap_or_else(|| panic!("ended by a signal: {status}; {}", self.says()))
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it was killed");
    }

    /// Tells it to stop.
    pub fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    }

    /// Id of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it wrote to standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("its log")
    }

    /// The last things that it said, for a test that fails.
    fn says(&self) -> String {
        let lines: Vec<_> = self
            .told
            .iter()
            .rev()
            .take(8)
            .rev()
            .map(Value::to_string)
            .collect();
        let log = self.log();
        let tail = log.char_indices().rev().nth(2_000).map_or(0, |(at, _)| at);
        format!(
            "it told:\n{}\nand logged:\n{}",
            lines.join("\n"),
            &log[tail..]
        )
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long a test waits for one thing.
struct Deadline(Instant);

impl Deadline {
    #[expect(
        clippy::disallowed_methods,
        reason = "other processes live by the real clock"
    )]
    fn new() -> Self {
        Self(Instant::now() + LIMIT)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "other processes live by the real clock"
    )]
    fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

fn is_reply(line: &Value) -> bool {
    line["event"] == "ok" || line["event"] == "error"
}

/// Every problem is told in a sentence, not only in a code.
fn in_words(problem: &Value) {
    let words = problem["message"].as_str().unwrap_or_default();
    assert!(words.split(' ').count() > 3, "{problem}");
}
