//! `alongside-agent audit`: shows, verifies and exports what happened.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use alongside::{
    audit::{self, Agreement, Bad, Disagreement, Expect, Line, Lines, Missing, Summary},
    protocol::PublicKey,
};

use crate::{
    cli::{AuditArgs, AuditDo},
    exit::{Exit, chain, fail, inert},
};

/// Why there is nothing good to show.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("there is no audit in {}", .0.display())]
    None(PathBuf),
    #[error("cannot write the audit")]
    Write(#[source] io::Error),
    #[error("the audit is not as it was written ({})", .0.reason.as_str())]
    Bad(#[source] Bad),
    #[error("the two audits do not agree")]
    Disagree(#[source] Disagreement),
    #[error("--key takes the 64 hexadecimal digits of a public key")]
    Key,
}

impl Problem {
    const fn exit(&self) -> Exit {
        match self {
            Self::Key => Exit::Usage,
            Self::Read { .. }
            | Self::None(_)
            | Self::Write(_)
            | Self::Bad(_)
            | Self::Disagree(_) => Exit::Failed,
        }
    }
}

/// Does what the command line asks.
pub fn run(args: &AuditArgs) -> Exit {
    match act(args, &mut io::stdout().lock()) {
        Ok(()) => Exit::Done,
        // Whoever reads no further has seen enough.
        Err(Problem::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(problem) => fail(problem.exit(), &chain(&problem)),
    }
}

fn act(args: &AuditArgs, out: &mut impl Write) -> Result<(), Problem> {
    match &args.what {
        AuditDo::Show { file } => {
            let bytes = read(file)?;
            let mut lines = Lines::new(&bytes, Expect::default());
            for line in &mut lines {
                show(out, &line.map_err(Problem::Bad)?).map_err(Problem::Write)?;
            }
            let summary = lines.summary().map_err(Problem::Bad)?;
            list_missing(out, &summary.missing).map_err(Problem::Write)
        }
        AuditDo::Verify {
            file,
            key,
            head,
            with,
        } => {
            let key = match key {
                Some(hex) => Some(PublicKey::from_hex(hex).ok_or(Problem::Key)?),
                None => None,
            };
            let expect = Expect { key, head: *head };
            let bytes = read(file)?;
            let summary = audit::verify(&bytes, &expect).map_err(Problem::Bad)?;
            if let Some(with) = with {
                let agreed = audit::agree(&bytes, &read(with)?).map_err(Problem::Disagree)?;
                tell_agreement(out, agreed).map_err(Problem::Write)?;
            }
            summarise(out, &summary).map_err(Problem::Write)
        }
        AuditDo::Export { file } => {
            let bytes = read(file)?;
            audit::verify(&bytes, &Expect::default()).map_err(Problem::Bad)?;
            out.write_all(&bytes)
                .and_then(|()| out.flush())
                .map_err(Problem::Write)
        }
    }
}

/// A file, or all files of the audit in a folder, one after the other.
fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let cannot = |path: &Path| {
        let path = path.to_owned();
        move |source| Problem::Read { path, source }
    };
    if !path.is_dir() {
        return fs::read(path).map_err(cannot(path));
    }
    let files = audit::files(path).map_err(cannot(path))?;
    if files.is_empty() {
        return Err(Problem::None(path.to_owned()));
    }
    let mut bytes = Vec::new();
    for file in files {
        bytes.extend(fs::read(&file).map_err(cannot(&file))?);
    }
    Ok(bytes)
}

/// One line for people: index, time, session, what happened.
fn show(out: &mut impl Write, line: &Line<'_>) -> io::Result<()> {
    let session = line
        .session
        .as_deref()
        .and_then(|session| session.get(..8))
        .unwrap_or("-");
    let mut text = format!(
        "{:>6}  {}  {session:<8}  {}",
        line.index,
        utc(line.at),
        line.record
    );
    for (name, value) in &line.fields {
        let is_proof = match line.record.as_str() {
            "checkpoint" => name == "sig" || name == "head",
            "countersigned" => name == "countersig",
            "device-record" => matches!(name.as_str(), "sig" | "countersig" | "previous"),
            _ => false,
        };
        if !is_proof {
            text.push_str(&format!("  {name}={value}"));
        }
    }
    writeln!(out, "{}", inert(&text))
}

fn summarise(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    writeln!(
        out,
        "good: records {} to {}",
        summary.first,
        summary.head.count.saturating_sub(1)
    )?;
    writeln!(out, "signed by {}", summary.key)?;
    writeln!(
        out,
        "sessions {}, signatures {}, records after the last signature {}, repairs {}",
        summary.sessions, summary.signatures, summary.unsigned, summary.repairs
    )?;
    if summary.kept > 0 {
        writeln!(
            out,
            "records of devices {}, each with the device's signature and this side's",
            summary.kept
        )?;
    }
    if summary.countersigned > 0 || !summary.missing.is_empty() {
        writeln!(
            out,
            "countersigned by the operator {}, not countersigned {}",
            summary.countersigned,
            summary.missing.len()
        )?;
    }
    list_missing(out, &summary.missing)?;
    if let Some(session) = &summary.open_session {
        writeln!(
            out,
            "note: session {} has no end: it is live, broke off with the power, or was cut off",
            inert(session)
        )?;
    }
    writeln!(out, "head {}", summary.head)
}

/// The records that lack the operator's signature.
fn list_missing(out: &mut impl Write, missing: &[Missing]) -> io::Result<()> {
    for missing in missing {
        let session = missing.session.get(..8).unwrap_or(&missing.session);
        writeln!(
            out,
            "note: record {} ({} in session {}) lacks the operator's signature",
            missing.index,
            inert(&missing.record),
            inert(session)
        )?;
    }
    Ok(())
}

fn tell_agreement(out: &mut impl Write, agreed: Agreement) -> io::Result<()> {
    write!(
        out,
        "the operator's audit agrees: {} records in both",
        agreed.records
    )?;
    match agreed.older {
        0 => writeln!(out),
        older => writeln!(out, ", {older} older than this audit"),
    }
}

/// A time of day in the calendar, such as `2026-03-01T12:00:00.000Z` (RFC 3339).
fn utc(unix_ms: u64) -> String {
    let (days, ms) = (unix_ms / 86_400_000, unix_ms % 86_400_000);
    let (year, month, day) = date(days);
    let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
    let (second, ms) = (ms / 1000 % 60, ms % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// The date of a day, counted from 1 January 1970.
fn date(mut day: u64) -> (u64, u64, u64) {
    const CYCLE: u64 = 146_097; // days of 400 years
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970 + day / CYCLE * 400;
    day %= CYCLE;
    loop {
        let days = if is_leap(year) { 366 } else { 365 };
        if day < days {
            break;
        }
        day -= days;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    (year, month, day + 1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use alongside::{
        Identity,
        audit::{AuditLog, AuditStore as _, Entry, What},
        protocol::{Serial, SessionId, label::Label},
    };

    use super::*;

    /// A folder with an audit of `count` entries that are not all in one file.
    fn folder(count: u64) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let identity = Arc::new(Identity::generate().expect("a key"));
        let log = AuditLog::new(folder.path(), identity).with_cap(64 * 1024);
        for at in 0..count {
            let entry = Entry {
                at,
                session: Some(SessionId([0x5a; 16])),
                what: What::Device {
                    serial: Serial::new("B7-0042").expect("a serial"),
                    model: Label::new("Example B7").expect("a model"),
                },
            };
            log.append(&[entry]).expect("kept");
        }
        folder
    }

    fn done(what: AuditDo) -> (String, Result<(), String>) {
        let mut out = Vec::new();
        let done = act(&AuditArgs { what }, &mut out).map_err(|problem| chain(&problem));
        (String::from_utf8(out).expect("text"), done)
    }

    fn verify(file: &Path, head: Option<audit::Head>) -> (String, Result<(), String>) {
        done(AuditDo::Verify {
            file: file.to_owned(),
            key: None,
            head,
            with: None,
        })
    }

    #[test]
    fn what_is_exported_from_a_folder_is_one_good_audit() {
        let folder = folder(100);
        let (exported, result) = done(AuditDo::Export {
            file: folder.path().to_owned(),
        });
        assert_eq!(result, Ok(()));
        let file = folder.path().join("exported");
        fs::write(&file, exported).expect("written");
        let (said, result) = verify(&file, None);
        assert_eq!(result, Ok(()), "{said}");
        assert_eq!(said, verify(folder.path(), None).0);
    }

    #[test]
    fn the_head_that_verify_prints_finds_a_cut_later() {
        let folder = folder(3);
        let (said, _) = verify(folder.path(), None);
        let head = said
            .lines()
            .last()
            .and_then(|line| line.strip_prefix("head "));
        let head: audit::Head = head.expect("a head").parse().expect("one that is taken");
        assert_eq!(verify(folder.path(), Some(head)).1, Ok(()));
        let file = folder.path().join("audit.jsonl");
        let text = fs::read_to_string(&file).expect("read");
        let cut = text.trim_end().rfind('\n').expect("lines") + 1;
        fs::write(&file, &text[..cut]).expect("written");
        assert_eq!(
            verify(&file, Some(head)).1,
            Err("the audit is not as it was written (cut-off): record 3: records are missing at the end".into())
        );
    }

    #[test]
    fn a_changed_record_is_named_and_what_is_before_it_is_shown() {
        let folder = folder(4);
        let file = folder.path().join("audit.jsonl");
        let text = fs::read_to_string(&file).expect("read");
        let changed = text.replacen("\"t\":2", "\"t\":9", 1);
        fs::write(&file, changed).expect("written");
        let bad = "the audit is not as it was written (changed): record 3: the line was changed";
        assert_eq!(verify(&file, None).1, Err(bad.into()));
        let (shown, result) = done(AuditDo::Show { file });
        assert_eq!(result, Err(bad.into()));
        let last = shown.lines().last().expect("a line");
        assert_eq!(
            last,
            "     2  1970-01-01T00:00:00.001Z  5a5a5a5a  device  model=\"Example B7\"  serial=\"B7-0042\""
        );
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        // Checked against `date -u -d @SECONDS`.
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000Z"),
            (4_102_444_799, "2099-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(utc(seconds * 1000), text);
        }
    }
}
