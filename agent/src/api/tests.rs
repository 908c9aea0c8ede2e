//! The table of commands and events, row by row.

use alongside::protocol::{
    PanelPoint, PanelSize,
    annotation::{Annotation, MAX_POINTS, StrokeId},
    code::CodeError,
    ids::{ModeId, PublicKey, SessionId},
    input::{Buttons, KeyMotion, PointerPhase},
    label::Label,
    reason::{EndReason, ModePhase, Party, Refusal},
    units::{Color, Pressure},
};
use serde_json::{Value, json};

use super::{
    device, event,
    event::{Connected, OperatorCard, PathKind},
    operator, *,
};

fn operator(value: Value) -> Result<operator::Command, String> {
    parse(value.to_string().as_bytes())
        .map(|r| r.command)
        .map_err(|r| r.failure.message)
}

fn device(value: Value) -> Result<device::Command, String> {
    parse(value.to_string().as_bytes())
        .map(|r| r.command)
        .map_err(|r| r.failure.message)
}

#[test]
fn every_command_of_the_operator_is_understood() {
    for line in [
        json!({"do": "code"}),
        json!({"do": "code", "ttl_s": 120, "ticket": "INC-4711"}),
        json!({"do": "mode", "mode": "operator-control"}),
        json!({"do": "mode", "mode": "example.acme-label"}),
        json!({"do": "pointer", "x": 1.5, "y": 2, "phase": "hover", "buttons": 0}),
        json!({"do": "pointer", "x": 1.5, "y": 2, "phase": "down", "buttons": 1, "pressure": 0.5}),
        json!({"do": "stroke", "id": 1, "color": "#ff3b30", "width": 4, "points": [[1, 2, 0.5]], "done": true}),
        json!({"do": "undo"}),
        json!({"do": "clear"}),
        json!({"do": "key", "key": "Start", "down": true}),
        json!({"do": "text", "text": "Straße"}),
        json!({"do": "settings-get", "path": ""}),
        json!({"do": "settings-schema"}),
        json!({"do": "settings-undo"}),
        json!({"do": "settings-apply", "changes": [{"path": "sleep.after", "value": 5, "if_version": 7}]}),
        json!({"do": "snapshot", "file": "panel.png"}),
        json!({"do": "exact"}),
        json!({"do": "exact", "x": 16, "y": 0, "width": 64, "height": 48}),
        json!({"do": "still-here"}),
        json!({"do": "end"}),
    ] {
        operator(line.clone()).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn every_command_of_the_device_is_understood() {
    for line in [
        json!({"do": "enter-code", "code": "1234 5678 9012"}),
        json!({"do": "touch", "x": 1.5, "y": 2}),
        json!({"do": "touch", "x": 1.5, "y": 2, "phase": "move"}),
        json!({"do": "key", "key": "#", "down": false}),
        json!({"do": "hold", "key": "#", "ms": 5000}),
        json!({"do": "allow"}),
        json!({"do": "allow", "admin_id": "1111"}),
        json!({"do": "refuse"}),
        json!({"do": "exit"}),
        json!({"do": "snapshot", "file": "panel.png"}),
    ] {
        device(line.clone()).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn a_bad_command_is_told_which_field_is_wrong() {
    for (line, want) in [
        (json!({"id": 1}), "missing field `do`"),
        (json!({"do": 5}), "`do`"),
        (json!({"do": "fly"}), "expected one of code, mode, pointer"),
        (json!({"do": "end", "id": "x"}), "`id`"),
        (json!({"do": "end", "id": -1}), "`id`"),
        (json!({"do": "end", "why": "x"}), "unknown field `why`"),
        (
            json!({"do": "code", "ttl_s": 119}),
            "`ttl_s`: must be 120 to 3600",
        ),
        (json!({"do": "code", "ttl_s": 3601}), "`ttl_s`"),
        (
            json!({"do": "code", "ticket": "x".repeat(65)}),
            "`ticket`: text of 65 bytes where at most 64",
        ),
        (json!({"do": "code", "ticket": "\u{1b}[2J"}), "`ticket`"),
        (json!({"do": "mode"}), "missing field `mode`"),
        (
            json!({"do": "mode", "mode": "sleep"}),
            "`mode`: must be one of user-guide",
        ),
        (json!({"do": "mode", "mode": "User.Guide"}), "`mode`"),
        (
            json!({"do": "pointer", "x": "1", "y": 2, "phase": "hover"}),
            "`x`: invalid type: string",
        ),
        (
            json!({"do": "pointer", "x": 1e9, "y": 2, "phase": "hover"}),
            "`x`",
        ),
        (
            json!({"do": "pointer", "x": 1, "y": 2, "phase": "jump"}),
            "`phase`: unknown variant `jump`",
        ),
        (
            json!({"do": "pointer", "x": 1, "y": 2, "phase": "down", "buttons": 8}),
            "`buttons`",
        ),
        (
            json!({"do": "pointer", "x": 1, "y": 2, "phase": "down", "pressure": 1.1}),
            "`pressure`",
        ),
        (
            json!({"do": "stroke", "id": 1, "color": "red", "width": 4, "points": []}),
            "`color`",
        ),
        (
            json!({"do": "stroke", "id": 1, "color": "#ff3b30", "width": 33, "points": []}),
            "`width`: must be 1 to 32",
        ),
        (
            json!({"do": "stroke", "id": 1, "color": "#ff3b30", "width": 4, "points": [[1, 2], [1]]}),
            "`points[1]`",
        ),
        (
            json!({"do": "stroke", "id": 1, "color": "#ff3b30", "width": 4, "points": [[1, 2, 3]]}),
            "`points[0]`",
        ),
        (
            json!({"do": "key", "key": "", "down": true}),
            "`key`: text is empty",
        ),
        (json!({"do": "key", "key": "1", "down": 1}), "`down`"),
        (
            json!({"do": "text", "text": "x".repeat(257)}),
            "`text`: 257 bytes where at most 256",
        ),
        (
            json!({"do": "settings-apply", "changes": [{"path": "a"}]}),
            "`changes[0]`: missing field `value`",
        ),
    ] {
        let error = operator(line.clone()).expect_err(&line.to_string());
        assert!(error.contains(want), "{line}: {error}");
    }
    let error = device(json!({"do": "hold", "key": "#", "ms": 0})).expect_err("no time");
    assert!(error.contains("`ms`: must be 1 to 60000"), "{error}");
}

#[test]
fn a_line_that_is_no_object_is_refused_and_keeps_its_id() {
    let refused = |line: &[u8]| parse::<operator::Command>(line).expect_err("refused");
    assert_eq!(refused(b"[1]").failure.code, ErrorCode::BadRequest);
    assert!(refused(b"{\"do\":").failure.message.starts_with("not JSON"));
    assert!(
        refused(b"{\"do\":\"\xff\"}")
            .failure
            .message
            .starts_with("not UTF-8 from byte 7")
    );
    assert!(
        refused(&vec![b' '; MAX_LINE + 1])
            .failure
            .message
            .starts_with("line of 65537 bytes")
    );
    assert_eq!(refused(br#"{"do":"fly","id":7}"#).id, Some(7));
    assert_eq!(
        parse::<operator::Command>(br#"{"do":"end","id":7}"#)
            .expect("fine")
            .id,
        Some(7)
    );
    let stroke = br##"{"do":"stroke","id":8,"color":"#ff3b30","width":4,"points":[]}"##;
    assert_eq!(
        parse::<operator::Command>(stroke).expect("a stroke").id,
        Some(8)
    );
}

#[test]
fn coordinates_become_sixteenths_and_pressure_steps() {
    let command = operator(
        json!({"do": "pointer", "x": 10.03, "y": 20.97, "phase": "down", "pressure": 0.5}),
    );
    let Ok(operator::Command::Pointer(pointer)) = command else {
        panic!("{command:?}")
    };
    let event = pointer.event();
    assert_eq!(event.at, PanelPoint { x: 160, y: 336 });
    assert_eq!(event.phase, PointerPhase::Down);
    assert_eq!(event.buttons, Buttons::LEFT);
    assert_eq!(event.pressure, Pressure::new(512).expect("in range"));
}

#[test]
fn a_long_stroke_is_cut_into_operations_that_fit() {
    let points: Vec<_> = (0..MAX_POINTS + 1)
        .map(|n| json!([n % 1000, 5, 1]))
        .collect();
    let line = json!({"do": "stroke", "id": 3, "color": "#30d158", "width": 6, "points": points, "done": true});
    let Ok(operator::Command::Stroke(stroke)) = operator(line) else {
        panic!("a stroke")
    };
    let pieces: Vec<_> = stroke
        .operations()
        .into_iter()
        .map(|operation| {
            let Annotation::Stroke(piece) = operation else {
                panic!("{operation:?}")
            };
            (piece.id, piece.color, piece.points.len(), piece.done)
        })
        .collect();
    let color = Color::rgb(0x30, 0xd1, 0x58);
    assert_eq!(
        pieces,
        [
            (StrokeId(3), color, MAX_POINTS, false),
            (StrokeId(3), color, 1, true)
        ]
    );
}

#[test]
fn outside_of_the_panel_is_a_bad_request() {
    let size = PanelSize::new(1024, 600).expect("a size");
    let pointer = |x: f64, phase: &str| {
        operator(json!({"do": "pointer", "x": x, "y": 0, "phase": phase})).expect("one")
    };
    assert_eq!(pointer(1023.9, "hover").check(size), Ok(()));
    assert_eq!(
        pointer(1024.0, "hover")
            .check(size)
            .expect_err("outside")
            .code,
        ErrorCode::BadRequest
    );
    assert_eq!(
        pointer(-1.0, "down").check(size).expect_err("outside").code,
        ErrorCode::BadRequest
    );
    assert_eq!(pointer(-1.0, "leave").check(size), Ok(()));
    let touch = device(json!({"do": "touch", "x": 0, "y": 600})).expect("one");
    assert!(
        touch
            .check(size)
            .expect_err("outside")
            .message
            .contains("(0, 600) is outside of the panel, which is 1024x600")
    );
}

#[test]
fn what_is_typed_shows_in_no_debug() {
    let lines = [
        json!({"do": "enter-code", "code": "314159265358"}),
        json!({"do": "allow", "admin_id": "314159265358"}),
        json!({"do": "key", "key": "314159265358", "down": true}),
    ];
    for line in lines {
        assert!(!format!("{:?}", device(line)).contains("3141"));
    }
    assert!(
        !format!(
            "{:?}",
            operator(json!({"do": "text", "text": "314159265358"}))
        )
        .contains("3141")
    );
    let event = Event::Code(event::Code {
        code: "314159265358".into(),
        expires_in_s: 9,
    });
    assert!(!format!("{event:?}").contains("3141"));
}

#[test]
fn a_mistyped_code_says_where_to_look() {
    let Ok(device::Command::EnterCode(entered)) =
        device(json!({"do": "enter-code", "code": "1234 5x78 9012"}))
    else {
        panic!("a command")
    };
    let failure = entered.code().expect_err("no code");
    assert_eq!(
        (failure.code, failure.part),
        (ErrorCode::CodeMalformed, Some("second"))
    );
    assert_eq!(
        Failure::from(CodeError::CheckDigit).code,
        ErrorCode::CodeCheckDigit
    );
}

#[test]
fn key_commands_carry_their_motion() {
    let Ok(device::Command::Key(key)) = device(json!({"do": "key", "key": "#", "down": true}))
    else {
        panic!("a key")
    };
    assert_eq!(
        (key.event().key.as_str(), key.event().motion),
        ("#", KeyMotion::Down)
    );
}

#[test]
fn events_are_lines_with_the_time() {
    let panel = event::PanelCard::new(
        Label::new("mfd").expect("a label"),
        PanelSize::new(1024, 600).expect("a size"),
    );
    let key = "07".repeat(32);
    for (event, want) in [
        (
            Event::Ready(event::Ready {
                role: event::Role::Device,
                serial: "SN-1".parse().ok(),
                panel: Some(panel.clone()),
                listens: None,
            }),
            json!({"event": "ready", "role": "device", "serial": "SN-1", "panel": {"kind": "mfd", "width": 1024, "height": 600}}),
        ),
        (
            Event::reply(Some(3), Ok(Done::Accepted)),
            json!({"event": "ok", "id": 3}),
        ),
        (
            Event::reply(
                Some(4),
                Ok(Done::Snapshot(event::Snapshot {
                    width: 2,
                    height: 1,
                    frame: 9,
                    exact: true,
                    sha256: "ab".into(),
                })),
            ),
            json!({"event": "ok", "id": 4, "width": 2, "height": 1, "frame": 9, "exact": true, "sha256": "ab"}),
        ),
        (
            Event::reply(
                None,
                Err(Failure::new(ErrorCode::CodeWrong, "no").with_tries_left(2)),
            ),
            json!({"event": "error", "code": "code-wrong", "message": "no", "tries_left": 2}),
        ),
        (
            Event::Code(event::Code {
                code: "123456789012".into(),
                expires_in_s: 600,
            }),
            json!({"event": "code", "code": "123456789012", "expires_in_s": 600}),
        ),
        (
            Event::Connected(Connected::Operator {
                session: SessionId([1; 16]),
                serial: "SN-1".parse().expect("a serial"),
                model: Label::new("Model 5").expect("a label"),
                panel,
            }),
            json!({"event": "connected", "session": "01".repeat(16), "serial": "SN-1", "model": "Model 5",
                "panel": {"kind": "mfd", "width": 1024, "height": 600}}),
        ),
        (
            Event::Connected(Connected::Device {
                session: SessionId([1; 16]),
                operator: OperatorCard {
                    name: Some(Label::new("Ada").expect("a name")),
                    organisation: None,
                    confirmed: false,
                    confirmed_by: None,
                    key: PublicKey([7; 32]),
                },
            }),
            json!({"event": "connected", "session": "01".repeat(16),
                "operator": {"name": "Ada", "confirmed": false, "key": key}}),
        ),
        (
            Event::Mode(event::Mode {
                mode: ModeId::user_guide(),
                state: ModePhase::Refused,
                reason: Some(Refusal::NoAdminId),
                expires_in_s: None,
            }),
            json!({"event": "mode", "mode": "user-guide", "state": "refused", "reason": "no-admin-id"}),
        ),
        (
            Event::Panel(event::Panel {
                frame: 7,
                bytes: 900,
                captured_at: 5,
                exact: false,
                visible: true,
                soft: vec![[16, 32, 48, 16]],
            }),
            json!({"event": "panel", "frame": 7, "bytes": 900, "captured_at": 5, "exact": false, "visible": true, "soft": [[16, 32, 48, 16]]}),
        ),
        (
            Event::Latency(event::Latency {
                capture_ms: 1.4,
                encode_ms: 0.8,
                network_ms: 31.5,
                decode_ms: 0.6,
            }),
            json!({"event": "latency", "capture_ms": 1.4, "encode_ms": 0.8, "network_ms": 31.5, "decode_ms": 0.6}),
        ),
        (
            Event::Path(event::Path {
                kind: PathKind::RelayQuic,
                rtt_ms: 41.5,
                kbps_in: 38,
                kbps_out: 4,
                closed: Vec::new(),
            }),
            json!({"event": "path", "kind": "relay-quic", "rtt_ms": 41.5, "kbps_in": 38, "kbps_out": 4}),
        ),
        (
            Event::Path(event::Path {
                kind: PathKind::RelayTls,
                rtt_ms: 41.5,
                kbps_in: 38,
                kbps_out: 4,
                closed: vec![event::ClosedWay {
                    kind: PathKind::RelayQuic,
                    reason: "udp-blocked",
                    message: "UDP is blocked".to_owned(),
                    ask: "network",
                }],
            }),
            json!({
                "event": "path", "kind": "relay-tls", "rtt_ms": 41.5, "kbps_in": 38, "kbps_out": 4,
                "closed": [{"kind": "relay-quic", "reason": "udp-blocked", "message": "UDP is blocked", "ask": "network"}],
            }),
        ),
        (
            Event::Link(event::Link {
                state: event::LinkState::Missing,
                silent_ms: 15_000,
                ends_in_ms: None,
            }),
            json!({"event": "link", "state": "missing", "silent_ms": 15000}),
        ),
        (
            Event::Link(event::Link {
                state: event::LinkState::Lost,
                silent_ms: 0,
                ends_in_ms: Some(600_000),
            }),
            json!({"event": "link", "state": "lost", "silent_ms": 0, "ends_in_ms": 600000}),
        ),
        (
            Event::Annotation(event::Ink::from(&Annotation::Undo(None))),
            json!({"event": "annotation", "op": "undo", "points": []}),
        ),
        (
            Event::Ended {
                by: Party::Customer,
                reason: EndReason::StopKey,
            },
            json!({"event": "ended", "by": "customer", "reason": "stop-key"}),
        ),
    ] {
        let mut want = want;
        want["t"] = json!(1_700_000_000_000_u64);
        let line = event.line(1_700_000_000_000);
        assert_eq!(serde_json::from_str::<Value>(&line).expect("JSON"), want);
        assert!(!line.contains('\n'));
    }
}

#[test]
fn error_words_are_distinct_and_spelled_alike() {
    let words: std::collections::BTreeSet<_> =
        ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), ErrorCode::ALL.len());
    assert!(
        words
            .iter()
            .all(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
    );
}

#[test]
fn random_lines_never_panic() {
    let seed =
        br##"{"do":"stroke","id":1,"color":"#ff3b30","width":4,"points":[[1,2,0.5]],"done":true}"##;
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..10_000 {
        let mut line = seed.to_vec();
        for _ in 0..3 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = (state >> 8) as usize % line.len();
            line[at] = state as u8;
        }
        let _ = parse::<operator::Command>(&line);
        let _ = parse::<device::Command>(&line);
    }
}
