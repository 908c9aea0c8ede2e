//! The access lines: one JSON object for each meeting, in `access.jsonl`.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

use alongside_protocol::relay::{ReleaseReason, Role};
use serde::Serialize;
use tracing::{error, info};

use crate::{
    clock,
    forward::Traffic,
    state::{StateDir, StateError, write_whole},
    switchboard::{EndReason, MeetingEnd},
};

/// Name of the file in the state directory.
pub const FILE_NAME: &str = "access.jsonl";

/// Name of the file in the state directory that holds what operators' meetings have sent this month.
pub(crate) const TRAFFIC_FILE: &str = "traffic.json";

/// Lines that may wait for a slow disk (our choice); beyond, a line is lost and said at ERROR.
const WAITING: usize = 1024;

/// One meeting of a device and an operator that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessLine {
    /// The meeting, as both sides name it.
    pub meeting: String,
    /// The device's serial number, as the device says.
    pub serial: String,
    /// The device's key.
    pub device: String,
    /// The operator's key.
    pub operator: String,
    /// The operator's name in `operators.toml`.
    pub name: Option<String>,
    /// The operator's organisation in `operators.toml`.
    pub organisation: Option<String>,
    /// What the operator's side calls the matter.
    pub ticket: Option<String>,
    /// When the device claimed the code, in milliseconds since 1970.
    pub start: u64,
    /// When the meeting ended, in milliseconds since 1970.
    pub end: u64,
    /// Bytes forwarded from the operator to the device, in UDP payload.
    pub bytes_to_device: u64,
    /// Bytes forwarded from the device to the operator, in UDP payload.
    pub bytes_to_operator: u64,
    /// Who ended it.
    pub by: &'static str,
    /// Why it ended.
    pub reason: &'static str,
}

impl AccessLine {
    /// The line for a meeting that is over.
    pub(crate) fn new(end: &MeetingEnd, traffic: Traffic) -> Self {
        let (by, reason) = words(end.why);
        Self {
            meeting: end.rendezvous.to_string(),
            serial: end.serial.to_string(),
            device: end.device_key.to_string(),
            operator: end.operator_key.to_string(),
            name: end.name.as_ref().map(ToString::to_string),
            organisation: end.organisation.as_ref().map(ToString::to_string),
            ticket: end.ticket.as_ref().map(ToString::to_string),
            start: clock::unix_ms(end.start),
            end: clock::unix_ms(end.end),
            bytes_to_device: traffic.to_device,
            bytes_to_operator: traffic.to_operator,
            by,
            reason,
        }
    }
}

/// Who ended a meeting, and why, in words that scripts can rely on.
fn words(why: EndReason) -> (&'static str, &'static str) {
    let side = |role| match role {
        Role::Device => "device",
        Role::Operator => "operator",
    };
    match why {
        EndReason::Released { by, reason } => (side(by), release_word(reason)),
        EndReason::LegLost(role) => (side(role), "connection-lost"),
        EndReason::Reallocated => ("operator", "new-code"),
        EndReason::Expired => ("relay", "expired"),
        EndReason::Revoked => ("relay", "operator-removed"),
        EndReason::Shutdown => ("relay", "shutdown"),
    }
}

fn release_word(reason: ReleaseReason) -> &'static str {
    match reason {
        ReleaseReason::WrongCode => "wrong-code",
        ReleaseReason::CodeDead => "code-dead",
        ReleaseReason::SessionEnded => "session-ended",
        _ => "other",
    }
}

/// What is to be written.
#[derive(Debug)]
enum Entry {
    Line(Box<AccessLine>),
    /// The whole file of this month's traffic.
    Traffic(Vec<u8>),
}

/// Appends access lines, on a thread of its own so that a slow disk holds nobody up.
#[derive(Debug)]
pub(crate) struct AccessLog {
    lines: Option<mpsc::SyncSender<Entry>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl AccessLog {
    /// Opens the file for appending, and makes it if it is not there (mode 0600).
    pub(crate) fn open(state: &StateDir) -> Result<Self, StateError> {
        let path = state.file(FILE_NAME);
        let failed = |doing| {
            let path = path.clone();
            move |source| StateError::Io {
                doing,
                path,
                source,
            }
        };
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("append to"))?;
        let (lines, waiting) = mpsc::sync_channel(WAITING);
        let thread = thread::Builder::new().name("access-log".into());
        let write_to = state.path().to_owned();
        let thread = thread
            .spawn(move || write_all(file, &write_to, &waiting))
            .map_err(failed("write"))?;
        Ok(Self {
            lines: Some(lines),
            thread: Some(thread),
        })
    }

    /// Has `line` written, and says it in the log.
    pub(crate) fn write(&self, line: AccessLine) {
        info!(
            serial = line.serial,
            operator = line.operator,
            name = line.name,
            ticket = line.ticket,
            seconds = line.end.saturating_sub(line.start) / 1000,
            bytes = line.bytes_to_device.saturating_add(line.bytes_to_operator),
            by = line.by,
            reason = line.reason,
            "meeting over"
        );
        let sent = self
            .lines
            .as_ref()
            .is_some_and(|lines| lines.try_send(Entry::Line(Box::new(line))).is_ok());
        if !sent {
            error!("access line lost: the disk is too slow");
        }
    }

    /// Has this month's traffic written, in the place of what was; `false` if the disk is too slow for it now.
    pub(crate) fn keep_traffic(&self, json: Vec<u8>) -> bool {
        let lines = self.lines.as_ref();
        lines.is_some_and(|lines| lines.try_send(Entry::Traffic(json)).is_ok())
    }
}

/// Waits until the last line is on the disk.
impl Drop for AccessLog {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_all(mut file: File, dir: &Path, entries: &mpsc::Receiver<Entry>) {
    for entry in entries {
        match entry {
            Entry::Line(line) => {
                if let Err(error) = append(&mut file, &line) {
                    error!(file = %dir.join(FILE_NAME).display(), %error, "access line lost");
                }
            }
            Entry::Traffic(json) => {
                if let Err(error) = write_whole(dir, TRAFFIC_FILE, &json) {
                    error!(%error, "this month's traffic was not written down");
                }
            }
        }
    }
}

/// One write for each line, so that a line is there whole or not at all.
fn append(file: &mut File, line: &AccessLine) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    file.write_all(&bytes)
}

/// Where the access lines of `state` are.
pub fn path(state: &StateDir) -> PathBuf {
    state.file(FILE_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    fn line(serial: &str) -> AccessLine {
        AccessLine {
            meeting: "0".repeat(32),
            serial: serial.into(),
            device: "1".repeat(64),
            operator: "2".repeat(64),
            name: Some("Ana \"A\" Silva".into()),
            organisation: None,
            ticket: Some("T-1".into()),
            start: 1000,
            end: 2000,
            bytes_to_device: 1,
            bytes_to_operator: 2,
            by: "device",
            reason: "session-ended",
        }
    }

    #[test]
    fn lines_are_appended_across_restarts_and_each_is_one_object() {
        let dir = TempDir::new();
        for serial in ["A", "B"] {
            let state = StateDir::open(dir.path()).unwrap();
            AccessLog::open(&state).unwrap().write(line(serial));
        }
        let text = std::fs::read_to_string(dir.path().join(FILE_NAME)).unwrap();
        let objects: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(objects.len(), 2);
        assert_eq!(
            (&objects[0]["serial"], &objects[1]["serial"]),
            (&"A".into(), &"B".into())
        );
        assert_eq!(objects[0]["name"], "Ana \"A\" Silva");
        assert_eq!(objects[0]["organisation"], serde_json::Value::Null);
    }
}
