//! What the doctor found, for a person.

use std::fmt::Write as _;

use alongside::PathKind;

use super::{Found, Rung};

/// The table: one line a way, and below it what to do where it does not work.
pub(super) fn of(found: &Found) -> String {
    // Writing to a String cannot fail.
    let mut out = String::new();
    let chosen = |name: &str| {
        if found.on_panel.contains(&name) {
            ", as chosen on the device's panel"
        } else {
            ""
        }
    };
    let _ = writeln!(out, "Relay: {}{}", found.relay, chosen("relay"));
    if let Some(interface) = &found.interface {
        let _ = writeln!(out, "Interface: {interface}{}", chosen("interface"));
    }
    let proxy = found.proxy.as_deref();
    if proxy.is_some() || !chosen("proxy").is_empty() {
        let proxy = proxy.unwrap_or("none");
        let _ = writeln!(out, "Proxy: {proxy}{}", chosen("proxy"));
    }
    let (way, needs, works, time) = ("way", "what it takes", "works", "time");
    let _ = writeln!(out, "\n{way:<13}{needs:<36}{works:<7}{time:>8}  why not");
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
        let (way, takes) = (rung.rung, takes(rung.kind));
        let line = format!("{way:<13}{takes:<36}{works:<7}{time:>8}  {}", why(rung));
        let _ = writeln!(out, "{}", line.trim_end());
        if let Some(why) = &rung.why {
            let _ = writeln!(out, "{:<66}ask {}", "", why.whom);
        }
    }
    for remark in &found.remarks {
        let _ = writeln!(out, "\nNote: {}", remark.message);
    }
    out.truncate(out.trim_end().len());
    out
}

/// What a network has to let pass.
const fn takes(kind: PathKind) -> &'static str {
    match kind {
        PathKind::None => "",
        PathKind::Direct => "UDP straight to the other side",
        PathKind::RelayQuic => "UDP to port 443 of the relay",
        PathKind::RelayTls => "TCP (TLS) to port 443 of the relay",
        PathKind::RelayProxy => "the HTTP proxy",
    }
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
        let rung = |kind: PathKind, works, ms, why: Option<ObstacleKind>| Rung {
            kind,
            rung: kind.as_str(),
            works,
            ms,
            why: why.map(Why::plain),
        };
        let found = Found {
            relay: "relay.example".to_owned(),
            interface: Some("eth0".to_owned()),
            proxy: None,
            on_panel: vec!["relay", "proxy"],
            rungs: vec![
                rung(PathKind::Direct, None, None, None),
                rung(
                    PathKind::RelayQuic,
                    Some(false),
                    Some(3_044),
                    Some(ObstacleKind::UdpBlocked),
                ),
                rung(PathKind::RelayTls, Some(true), Some(81), None),
            ],
            remarks: vec![Why::plain(ObstacleKind::Clock)],
        };
        let lines = of(&found);
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(
            lines[..4],
            [
                "Relay: relay.example, as chosen on the device's panel",
                "Interface: eth0",
                "Proxy: none, as chosen on the device's panel",
                ""
            ]
        );
        assert_eq!(
            lines[5],
            "direct       UDP straight to the other side      ?             -  found in a session, by both sides together"
        );
        assert!(
            lines[6].starts_with(
                "relay-quic   UDP to port 443 of the relay        no        3.0 s  the relay does not answer on UDP"
            ),
            "{}",
            lines[6]
        );
        assert_eq!(lines[7].trim_start(), "ask whoever runs this network");
        assert_eq!(
            lines[8],
            "relay-tls    TCP (TLS) to port 443 of the relay  yes       81 ms"
        );
        assert!(lines[10].starts_with("Note: the clock of this machine"));
    }
}
