//! What the doctor found, for a person.

use std::fmt::Write as _;

use super::{Found, Rung};

/// The table: one line a way, and below it what to do where it does not work.
pub(super) fn of(found: &Found) -> String {
    // Writing to a String cannot fail.
    let mut out = String::new();
    let _ = writeln!(out, "Ways to {}\n", found.relay);
    let _ = writeln!(out, "{:<13}{:<7}{:>8}  why not", "way", "works", "time");
    for rung in &found.rungs {
        let works = match rung.works {
            Some(true) => "yes",
            Some(false) => "no",
            None => "?",
        };
        let time = match rung.ms {
            Some(ms) if ms >= 1_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
            Some(ms) => format!("{ms} ms"),
            None => "-".to_owned(),
        };
        let line = format!("{:<13}{works:<7}{time:>8}  {}", rung.rung, why(rung));
        let _ = writeln!(out, "{}", line.trim_end());
        if let Some(why) = &rung.why {
            let _ = writeln!(out, "{:<30}ask {}", "", why.whom);
        }
    }
    for remark in &found.remarks {
        let _ = writeln!(out, "\nNote: {}", remark.message);
    }
    out.truncate(out.trim_end().len());
    out
}

fn why(rung: &Rung) -> &str {
    match (&rung.why, rung.works) {
        (Some(why), _) => &why.message,
        (None, None) => "found in a session, by both sides together",
        (None, Some(_)) => "",
    }
}

#[cfg(test)]
mod tests {
    use alongside::protocol::obstacle::ObstacleKind;

    use super::super::Why;
    use super::*;

    #[test]
    fn each_way_has_its_line_and_a_closed_one_says_whom_to_ask() {
        let rung = |rung, works, ms, why: Option<ObstacleKind>| Rung {
            kind: alongside::PathKind::Direct,
            rung,
            works,
            ms,
            why: why.map(Why::plain),
        };
        let found = Found {
            relay: "relay.example".to_owned(),
            rungs: vec![
                rung("direct", None, None, None),
                rung(
                    "relay-quic",
                    Some(false),
                    Some(3_044),
                    Some(ObstacleKind::UdpBlocked),
                ),
                rung("relay-tls", Some(true), Some(81), None),
            ],
            remarks: vec![Why::plain(ObstacleKind::Clock)],
        };
        let lines = of(&found);
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(lines[0], "Ways to relay.example");
        assert_eq!(
            lines[3],
            "direct       ?             -  found in a session, by both sides together"
        );
        assert!(
            lines[4].starts_with("relay-quic   no        3.0 s  the relay does not answer on UDP"),
            "{}",
            lines[4]
        );
        assert_eq!(lines[5].trim_start(), "ask whoever runs this network");
        assert_eq!(lines[6], "relay-tls    yes       81 ms");
        assert!(lines[8].starts_with("Note: the clock of this machine"));
    }
}
