//! The audit on disk: what it keeps, how it mends itself, and what `verify` says of every kind of tampering.

use std::os::unix::fs::PermissionsExt as _;

use alongside_mode::Capabilities;
use alongside_protocol::{
    PublicKey, SessionId,
    fuzzing::mutations,
    ids::ModeId,
    label::Name,
    proof::ProofFailure,
    reason::{EndReason, Party, Refusal},
};
use alongside_session::{Deed, OperatorIdentity, Record, device::AdminVerdict};

use super::*;
use crate::audit::{GENESIS, Hash, Head, Line, Summary, What, chain, seal::Countersigner, verify};

const SESSION: SessionId = SessionId([0xab; 16]);

fn entry(record: Record) -> Entry {
    Entry {
        at: 1_700_000_000_000,
        session: Some(SESSION),
        what: What::Record(record),
    }
}

fn started() -> Entry {
    entry(Record::SessionStarted {
        session: SESSION,
        peer: PublicKey([7; 32]),
    })
}

fn ended() -> Entry {
    entry(Record::SessionEnded {
        by: Party::Customer,
        reason: EndReason::StopKey,
    })
}

fn input(n: u64) -> Entry {
    entry(Record::Input {
        activation: 1,
        n,
        deed: Deed::Press,
    })
}

struct Place {
    folder: tempfile::TempDir,
    identity: Arc<Identity>,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            identity: Arc::new(Identity::generate().expect("a key")),
        }
    }

    fn log(&self) -> AuditLog {
        AuditLog::new(self.folder.path(), Arc::clone(&self.identity))
    }

    fn bytes(&self) -> Vec<u8> {
        files(self.folder.path())
            .expect("listed")
            .iter()
            .flat_map(|path| fs::read(path).expect("read"))
            .collect()
    }

    fn verify(&self) -> Result<Summary, Bad> {
        verify(&self.bytes(), &Expect::default())
    }

    fn append_raw(&self, tail: &[u8]) {
        let mut bytes = fs::read(self.log().path()).expect("read");
        bytes.extend_from_slice(tail);
        fs::write(self.log().path(), bytes).expect("written");
    }
}

/// A session with a line of every shape, long enough for a checkpoint by count.
fn session() -> Vec<u8> {
    let place = Place::new();
    let log = place.log();
    let mode = ModeId::new("operator-control").expect("a mode");
    let operator = Identity::generate().expect("a key");
    let mut countersigner = Countersigner::new(place.identity.public_key());
    countersigner.begin(SESSION);
    countersigner.want(&mode);
    let mut keep = |entries: &[Entry]| {
        let seals = log.append_sealed(entries, operator.public_key());
        for seal in seals.expect("kept") {
            let signed = countersigner.sign(&operator, &seal).expect("fit").signed;
            let mut countersigned = ended();
            countersigned.what = What::Countersigned {
                of: signed.index,
                key: operator.public_key(),
                signature: signed.signature,
            };
            log.append(&[countersigned]).expect("kept");
        }
    };
    let mut who = started();
    who.what = What::Operator(OperatorIdentity {
        key: operator.public_key(),
        name: None,
        organisation: None,
        confirmed_by: None,
    });
    let begins = Record::SessionStarted {
        session: SESSION,
        peer: operator.public_key(),
    };
    keep(&[entry(begins)]);
    keep(&[
        who,
        entry(Record::ModeAsked {
            mode: mode.clone(),
            wants_admin_id: true,
        }),
        entry(Record::AdminId(AdminVerdict::Wrong {
            tries_left: 2,
            wait: std::time::Duration::from_secs(30),
        })),
        entry(Record::ModeActivated {
            mode: mode.clone(),
            activation: 2,
            granted: Capabilities::VIEW | Capabilities::INPUT,
        }),
    ]);
    for n in 1..40 {
        keep(&[input(n), entry(Record::Performed { n, done: true })]);
    }
    keep(&[
        entry(Record::ModeRefused {
            mode,
            refusal: Refusal::Timeout,
        }),
        ended(),
    ]);
    place.bytes()
}

fn lines(audit: &[u8]) -> Vec<&[u8]> {
    audit.split_inclusive(|byte| *byte == b'\n').collect()
}

/// The state of the check before each line, and the bytes before it: so that each change costs one line.
fn states<'a>(audit: &'a [u8], expect: Expect) -> Vec<(usize, Lines<'a>)> {
    let mut lines = Lines::new(audit, expect);
    let mut states = Vec::new();
    loop {
        states.push((lines.good, lines.clone()));
        match lines.next() {
            Some(line) => drop(line.expect("good")),
            None => return states,
        }
    }
}

#[test]
fn what_is_kept_can_be_read_and_is_signed() {
    let audit = session();
    let summary = verify(&audit, &Expect::default()).expect("good");
    assert_eq!(summary.first, 0);
    assert_eq!(summary.head.count, lines(&audit).len() as u64);
    assert_eq!((summary.sessions, summary.open_session), (1, None));
    assert_eq!(summary.unsigned, 0);
    // Beginning, start, mode, one by count, end, and two after the operator's.
    assert_eq!(summary.signatures, 7);
    assert_eq!(summary.countersigned, 2);
    assert_eq!(summary.missing, []);
}

#[test]
fn a_line_reads_like_this() {
    let place = Place::new();
    let log = place.log();
    log.append(&[input(7)]).expect("kept");
    let audit = place.bytes();
    let text = String::from_utf8(audit.clone()).expect("text");
    let line = text.lines().nth(1).expect("a line");
    let (body, _) = line.split_once(",\"h\":").expect("a hash");
    assert_eq!(
        body,
        "{\"i\":1,\"t\":1700000000000,\"session\":\"abababababababababababababababab\",\
         \"record\":\"input\",\"activation\":1,\"n\":7,\"deed\":\"press\""
    );
    let read: Vec<Line<'_>> = Lines::new(&audit, Expect::default())
        .collect::<Result<_, _>>()
        .expect("good");
    assert_eq!(read[1].fields["deed"], "press");
}

/// Computed once with Python's hashlib from the description in `chain.rs`.
#[test]
fn the_hash_is_the_one_that_is_described() {
    assert_eq!(
        chain::hash(GENESIS, b"{\"i\":0,\"t\":0,\"record\":\"paused\"").to_string(),
        GOLDEN
    );
}

const GOLDEN: &str = "ea75069f24a351ca1de07cac0e8a269448051a52feec45e0d6a7fa86542095dd";

#[test]
fn t_audit_mutate_every_flipped_bit_is_named() {
    let audit = session();
    let mut changed = audit.clone();
    let states = states(&audit, Expect::default());
    for (index, pair) in states.windows(2).enumerate() {
        let [(start, before), (end, _)] = pair else {
            unreachable!("pairs");
        };
        for at in *start..*end {
            for bit in 0..8 {
                changed[at] ^= 1 << bit;
                let mut lines = before.on(&changed[*start..]);
                let bad = lines.next().expect("a line").expect_err("noticed");
                assert_eq!(bad.index, index as u64, "byte {at}, bit {bit}");
                changed[at] = audit[at];
            }
        }
    }
}

#[test]
fn t_audit_mutate_every_dropped_doubled_or_swapped_line_is_named() {
    let audit = session();
    let (lines, states) = (lines(&audit), states(&audit, Expect::default()));
    let bad_after = |before: usize, next: &[u8]| {
        let mut lines = states[before].1.on(next);
        lines.next().expect("a line").expect_err("noticed").index
    };
    for (at, line) in lines.iter().enumerate() {
        assert_eq!(bad_after(at + 1, line), at as u64 + 1, "doubled {at}");
        // The last line dropped is a shorter audit: see below.
        if let Some(next) = lines.get(at + 1) {
            assert_eq!(bad_after(at, next), at as u64, "dropped, or swapped {at}");
        }
    }
}

#[test]
fn t_audit_mutate_a_cut_is_named_within_a_line_and_between_lines_by_who_knows_a_later_head() {
    let audit = session();
    let head = verify(&audit, &Expect::default()).expect("good").head;
    let knows = Expect {
        key: None,
        head: Some(head),
    };
    assert!(verify(&audit, &knows).is_ok());
    let states = states(&audit, Expect::default());
    for (index, pair) in states.windows(2).enumerate() {
        let [(start, before), (end, _)] = pair else {
            unreachable!("pairs");
        };
        for len in *start..*end {
            let mut lines = before.on(&audit[*start..len]);
            match lines.find_map(Result::err) {
                Some(bad) => assert_eq!((bad.index, bad.reason), (index as u64, Flaw::Torn)),
                None => assert_eq!(len, *start, "a piece of a line"),
            }
        }
        let cut = &audit[..*start];
        let bad = verify(cut, &knows).expect_err("cut");
        assert_eq!(bad.index, index as u64);
        match verify(cut, &Expect::default()) {
            Err(bad) => assert_eq!(bad.reason, Flaw::Empty),
            // It says by itself that the session has no end, or has not begun, or has no last signature of the
            // device's or the operator's.
            Ok(summary) => assert!(
                summary.sessions == 0
                    || summary.open_session.is_some()
                    || summary.unsigned > 0
                    || !summary.missing.is_empty(),
                "cut before {index}"
            ),
        }
    }
}

#[test]
fn another_history_after_a_known_head_is_named() {
    let audit = session();
    let other = Head {
        count: 5,
        hash: Hash([1; 32]),
    };
    let expect = Expect {
        key: None,
        head: Some(other),
    };
    let bad = verify(&audit, &expect).expect_err("another history");
    assert_eq!((bad.index, bad.reason), (4, Flaw::OtherHead));
}

#[test]
fn whoever_rewrites_the_hashes_fails_at_the_next_signature() {
    let audit = session();
    let lines = lines(&audit);
    let mut head = Head {
        count: 0,
        hash: GENESIS,
    };
    let mut forged = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let text = std::str::from_utf8(line).expect("text");
        let (body, _) = text.split_once(",\"h\":").expect("a hash");
        let body = if index == 12 {
            body.replace("press", "lift")
        } else {
            body.to_owned()
        };
        head.hash = chain::hash(head.hash, body.as_bytes());
        forged.extend_from_slice(format!("{body},\"h\":\"{}\"}}\n", head.hash).as_bytes());
    }
    let next = lines
        .iter()
        .enumerate()
        .skip(12)
        .find(|(_, line)| line.windows(10).any(|part| part == b"checkpoint"))
        .map(|(index, _)| index as u64)
        .expect("a signature");
    let bad = verify(&forged, &Expect::default()).expect_err("noticed");
    assert_eq!((bad.index, bad.reason), (next, Flaw::Signature));
}

#[test]
fn another_key_is_named() {
    let audit = session();
    let expect = Expect {
        key: Some(PublicKey([9; 32])),
        head: None,
    };
    let bad = verify(&audit, &expect).expect_err("another key");
    assert_eq!((bad.index, bad.reason), (0, Flaw::OtherKey));
}

#[test]
fn a_torn_last_line_is_taken_off_and_said() {
    let place = Place::new();
    place.log().append(&[started(), input(1)]).expect("kept");
    let whole = place.verify().expect("good");
    for torn in [&b"{\"i\":4,\"t\":17"[..], b"{", &[0; 4096]] {
        place.append_raw(torn);
        let before = place.verify().expect_err("torn");
        assert_eq!(before.reason, Flaw::Torn);
        place.log().append(&[input(2)]).expect("mended");
        let after = place.verify().expect("good again");
        assert!(after.repairs > whole.repairs);
    }
    let text = String::from_utf8(place.bytes()).expect("text");
    assert!(
        text.contains("\"record\":\"repaired\",\"why\":\"torn\",\"bytes\":13"),
        "{text}"
    );
}

#[test]
fn a_damaged_end_is_kept_beside_and_said() {
    let place = Place::new();
    place.log().append(&[started(), input(1)]).expect("kept");
    place.append_raw(b"{\"i\":99}\n{\"i\":100}\n");
    place.log().append(&[input(2)]).expect("mended");
    assert_eq!(place.verify().expect("good again").repairs, 1);
    let kept = place
        .folder
        .path()
        .join(format!("audit-damaged-{:020}.bin", 4));
    assert_eq!(fs::read(kept).expect("kept"), b"{\"i\":99}\n{\"i\":100}\n");
}

#[test]
fn a_restart_goes_on_with_the_chain() {
    let place = Place::new();
    for n in 0..5 {
        place.log().append(&[input(n)]).expect("kept");
    }
    assert_eq!(place.verify().expect("good").head.count, 6);
}

#[test]
fn two_processes_write_one_chain() {
    let place = Place::new();
    let (one, two) = (
        place.log().with_cap(64 * 1024),
        place.log().with_cap(64 * 1024),
    );
    for n in 0..60 {
        one.append(&[input(n)]).expect("kept");
        two.append(&[input(n)]).expect("kept");
        one.append(&[input(n)]).expect("kept");
    }
    assert!(files(place.folder.path()).expect("listed").len() > 1);
    assert_eq!(place.verify().expect("one chain").repairs, 0);
}

#[test]
fn only_the_owner_can_read_it() {
    let place = Place::new();
    place.log().append(&[input(1)]).expect("kept");
    let mode = fs::metadata(place.log().path())
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_full_audit_drops_its_oldest_part_and_keeps_its_chain() {
    let place = Place::new();
    let cap = 64 * 1024;
    let log = place.log().with_cap(cap);
    for n in 0..600 {
        log.append(&[input(n)]).expect("kept");
    }
    let paths = files(place.folder.path()).expect("listed");
    assert_eq!(paths.len(), 8);
    assert!(place.bytes().len() as u64 <= cap);
    let summary = place.verify().expect("one chain over all files");
    assert!(summary.first > 0);
    for path in &paths {
        let alone = fs::read(path).expect("read");
        verify(&alone, &Expect::default()).expect("each file stands alone");
    }
    let mut gap = paths.clone();
    gap.remove(3);
    let bytes: Vec<u8> = gap
        .iter()
        .flat_map(|p| fs::read(p).expect("read"))
        .collect();
    assert_eq!(
        verify(&bytes, &Expect::default())
            .expect_err("a gap")
            .reason,
        Flaw::OtherIndex
    );
}

#[test]
fn a_power_cut_between_two_files_loses_nothing() {
    let place = Place::new();
    let log = place.log().with_cap(64 * 1024);
    for n in 0..40 {
        log.append(&[input(n)]).expect("kept");
    }
    drop(log);
    let before = place.verify().expect("good").head.count;
    fs::remove_file(place.log().path()).expect("removed");
    let kept = place.verify().expect("good").head.count;
    assert!(kept < before);
    place.log().append(&[input(41)]).expect("kept");
    assert_eq!(place.verify().expect("good").head.count, kept + 2);
}

#[test]
fn a_new_identity_begins_a_new_audit_and_keeps_the_old_files() {
    let mut place = Place::new();
    place.log().append(&[input(1)]).expect("kept");
    place.identity = Arc::new(Identity::generate().expect("a key"));
    place.log().append(&[input(2)]).expect("kept");
    let summary = place.verify().expect("good");
    assert_eq!((summary.first, summary.head.count), (0, 2));
    assert_eq!(summary.key, place.identity.public_key());
    let former = fs::read_dir(place.folder.path())
        .expect("listed")
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("former-"))
        .count();
    assert_eq!(former, 1);
}

#[test]
fn a_folder_that_is_gone_is_an_error_that_names_the_file_and_passes() {
    let place = Place::new();
    let missing = place.folder.path().join("not-yet");
    let log = AuditLog::new(&missing, Arc::clone(&place.identity));
    let error = log.append(&[input(1)]).expect_err("no folder");
    assert!(error.to_string().contains("audit.jsonl"), "{error}");
    fs::create_dir(&missing).expect("made");
    log.append(&[input(1)]).expect("kept");
}

#[test]
fn what_is_no_file_is_not_written() {
    let place = Place::new();
    std::os::unix::fs::symlink("/dev/null", place.log().path()).expect("linked");
    let error = place.log().append(&[input(1)]).expect_err("no file");
    assert!(matches!(error, AuditError::Io { .. }), "{error}");
}

#[test]
fn names_of_strangers_are_escaped() {
    let place = Place::new();
    let operator = OperatorIdentity {
        key: PublicKey([1; 32]),
        name: Some(Name::new("Kim \"\\ O'Neil").expect("a name")),
        organisation: None,
        confirmed_by: None,
    };
    let mut named = entry(Record::ProofFailed(ProofFailure::Burnt));
    named.what = What::Operator(operator);
    place.log().append(&[named]).expect("kept");
    let audit = place.bytes();
    let line = Lines::new(&audit, Expect::default())
        .nth(1)
        .expect("a line")
        .expect("good");
    assert_eq!(line.fields["name"], "Kim \"\\ O'Neil");
}

#[test]
fn no_bytes_make_verify_panic() {
    let audit = session();
    let seeds: Vec<Vec<u8>> = lines(&audit)
        .chunks(3)
        .take(12)
        .map(<[_]>::concat)
        .collect();
    mutations(&seeds, 10_000, |bytes| {
        let _ = verify(bytes, &Expect::default());
    });
}
