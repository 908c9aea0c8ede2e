//! The two pages, with a made-up agent behind them: who may speak to them, and what a person can do in a real browser.
#![allow(missing_docs, reason = "tests")]

mod common;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use alongside::{
    Frame,
    protocol::{
        PanelPoint, PanelSize, PublicKey, SessionId,
        annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
        ids::ModeId,
        input::{KeyMotion, PointerPhase},
        label::Label,
        reason::{EndReason, ModePhase, Party, Refusal},
        units::{Color, Pressure},
    },
};
use alongside_agent::{
    api::{
        Commands, Done, ErrorCode, Event, Failure, Reply, device,
        event::{self, PathKind, Role},
        operator,
    },
    fan::Fan,
    pages::{Page, Pictures},
    stdio::Executor,
};
use common::chromium::{Browser, Hand, Tab, pixel};
use serde_json::json;
use tokio::sync::mpsc;

/// Far longer than any of it takes.
const LIMIT: Duration = Duration::from_secs(30);
const SIZE: PanelSize = match PanelSize::new(1024, 600) {
    Some(size) => size,
    None => unreachable!(),
};

/// An agent that says yes and tells the test what it was asked.
#[derive(Debug)]
struct Recorder<C>(mpsc::UnboundedSender<C>);

impl<C: Commands + std::fmt::Debug + Send> Executor<C> for Recorder<C> {
    async fn execute(&self, command: C) -> Reply {
        let _ = self.0.send(command);
        Ok(Done::Accepted)
    }
}

/// A picture that the test draws.
#[derive(Debug)]
struct Board(Mutex<Frame>);

impl Pictures for Board {
    fn with(&self, look: &mut dyn FnMut(&Frame)) {
        look(&self.0.lock().expect("no panic"));
    }
}

/// A served page and everything around it.
struct Scene<C> {
    page: Page,
    events: Fan<Event>,
    board: Arc<Board>,
    asked: mpsc::UnboundedReceiver<C>,
}

impl<C: Commands + std::fmt::Debug + Send + 'static> Scene<C> {
    async fn start(role: Role) -> Self {
        let events = Fan::default();
        let board = Arc::new(Board(Mutex::new(drawing())));
        let (sender, asked) = mpsc::unbounded_channel();
        let page = Page::start(
            role,
            Arc::new(Recorder(sender)),
            &events,
            Arc::clone(&board) as Arc<dyn Pictures>,
        )
        .await
        .expect("a page");
        let panel = Some(event::PanelCard::new(
            Label::new("mfd").expect("a label"),
            SIZE,
        ));
        let (serial, panel) = match role {
            Role::Operator => (None, None),
            Role::Device => ("SN-0042-7781".parse().ok(), panel),
        };
        events.send(Event::Ready(event::Ready {
            role,
            serial,
            panel,
            listens: None,
        }));
        Self {
            page,
            events,
            board,
            asked,
        }
    }

    /// The next command.
    async fn next(&mut self) -> C {
        tokio::time::timeout(LIMIT, self.asked.recv())
            .await
            .expect("a command in time")
            .expect("the page lives")
    }
}

/// Runs what blocks, the browser, beside the page.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("no panic")
}

/// Something like the panel of a machine.
fn drawing() -> Frame {
    let mut frame = Frame::black(SIZE);
    let mut fill = |x: usize, y: usize, width: usize, height: usize, color: u32| {
        for row in y..y + height {
            frame.pixels_mut()[row * 1024 + x..row * 1024 + x + width].fill(color);
        }
    };
    fill(0, 0, 1024, 600, 0xf0_f3f7);
    fill(0, 0, 1024, 64, 0x22_3a5e);
    fill(24, 22, 220, 20, 0xc9_d8ec);
    fill(900, 22, 100, 20, 0x5c_d08a);
    for column in 0..4 {
        let x = 24 + column * 248;
        fill(x, 96, 232, 220, 0xff_ffff);
        fill(
            x,
            96,
            232,
            6,
            [0x2f_6fe0, 0x18_a058, 0xf5_a300, 0xa1_2bd6][column],
        );
        fill(
            x + 76,
            136,
            80,
            80,
            [0xda_e6fb, 0xd5_f0e0, 0xfd_ecca, 0xee_dbf8][column],
        );
        fill(x + 40, 250, 152, 18, 0x3a_4757);
    }
    fill(24, 348, 728, 220, 0xff_ffff);
    for line in 0..4 {
        fill(48, 376 + line * 46, 420, 14, 0xb8_c4d2);
        fill(620, 372 + line * 46, 100, 22, 0xe3_e9f0);
    }
    fill(776, 348, 224, 220, 0x2f_6fe0);
    fill(836, 446, 104, 24, 0xff_ffff);
    frame
}

fn connected() -> Event {
    Event::Connected(event::Connected::Operator {
        session: SessionId([0x5e; 16]),
        serial: "SN-0042-7781".parse().expect("a serial"),
        model: Label::new("Alongside MFD 7").expect("a label"),
        panel: event::PanelCard::new(Label::new("mfd").expect("a label"), SIZE),
    })
}

fn mode(mode: &str, state: ModePhase, reason: Option<Refusal>, expires_in_s: Option<u16>) -> Event {
    Event::Mode(event::Mode {
        mode: ModeId::new(mode).expect("a mode"),
        state,
        reason,
        expires_in_s,
    })
}

fn code(expires_in_s: u64) -> Event {
    Event::Code(event::Code {
        code: "482019375564".into(),
        expires_in_s,
    })
}

// The door, without a browser.

/// Status line of the answer to a request of these lines, all headers but the first line given.
fn ask(address: SocketAddr, path: &str, headers: &[&str]) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    let request = format!(
        "GET {path} HTTP/1.1\r\n{}\r\nConnection: close\r\n\r\n",
        headers.join("\r\n")
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

/// Status of an attempt to open the socket.
fn knock(address: SocketAddr, origin: Option<&str>, protocols: &str) -> String {
    let mut headers = vec![
        format!("Host: {address}"),
        "Upgrade: websocket".to_owned(),
        "Sec-WebSocket-Version: 13".to_owned(),
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
        format!("Sec-WebSocket-Protocol: {protocols}"),
    ];
    headers.extend(origin.map(|origin| format!("Origin: {origin}")));
    let headers = headers.join("\r\n");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    let request = format!("GET /ws HTTP/1.1\r\n{headers}\r\nConnection: Upgrade\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = vec![0; 1024];
    let read = stream.read(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer[..read])
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn the_door_opens_to_its_own_page_alone() {
    let scene = Scene::<operator::Command>::start(Role::Operator).await;
    let address = scene.page.address();
    let url = scene.page.url().to_owned();
    blocking(move || {
        let host = format!("Host: {address}");
        for (what, want, headers) in [
            ("a person", "200", vec![host.as_str()]),
            (
                "the page itself",
                "200",
                vec![&host, "Sec-Fetch-Site: same-origin"],
            ),
            ("a rebound name", "403", vec!["Host: evil.example"]),
            ("another port", "403", vec!["Host: 127.0.0.1:1"]),
            (
                "a foreign origin",
                "403",
                vec![&host, "Origin: https://evil.example"],
            ),
            (
                "another program's page",
                "403",
                vec![&host, "Origin: http://127.0.0.1:1"],
            ),
            (
                "a cross-site load",
                "403",
                vec![&host, "Sec-Fetch-Site: cross-site"],
            ),
            (
                "a same-site load",
                "403",
                vec![&host, "Sec-Fetch-Site: same-site"],
            ),
        ] {
            let answer = ask(address, "/", &headers);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {want}")),
                "{what}: {answer}"
            );
            for header in [
                "content-security-policy: default-src 'none'",
                "x-content-type-options: nosniff",
                "cache-control: no-store",
            ] {
                assert!(answer.contains(header), "{what} lacks {header}: {answer}");
            }
        }
        assert!(ask(address, "/../Cargo.toml", &[&host]).starts_with("HTTP/1.1 404"));
        assert!(ask(address, "/favicon.ico", &[&host]).starts_with("HTTP/1.1 200"));

        let origin = format!("http://{address}");
        let ticket = url.split_once('#').expect("a ticket").1;
        let with = format!("alongside.1, ticket.{ticket}");
        for (what, want, origin, protocols) in [
            ("no ticket", "401", Some(origin.as_str()), "alongside.1"),
            (
                "a wrong ticket",
                "401",
                Some(&origin),
                "alongside.1, ticket.00",
            ),
            (
                "an empty session",
                "401",
                Some(&origin),
                "alongside.1, session.",
            ),
            ("no origin", "403", None, with.as_str()),
            (
                "a foreign origin",
                "403",
                Some("https://evil.example"),
                &with,
            ),
            ("an opaque origin", "403", Some("null"), &with),
            ("the ticket", "101", Some(&origin), &with),
            ("the ticket again", "401", Some(&origin), &with),
        ] {
            let answer = knock(address, origin, protocols);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {want}")),
                "{what}: {answer}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_listens_beyond_loopback_and_nothing_after_the_end() {
    let scene = Scene::<device::Command>::start(Role::Device).await;
    let address = scene.page.address();
    assert!(address.ip().is_loopback());
    scene.events.close();
    scene.page.finish().await;
    let gone = tokio::time::timeout(LIMIT, async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    gone.await.expect("no longer served");
}

// The console in a real browser.

/// Skips, or starts a browser with the page of `scene` in it.
async fn browse<C>(scene: &Scene<C>, width: u32, height: u32) -> Option<(Arc<Browser>, Arc<Tab>)> {
    if !common::is_lab("a page in a real browser needs chromium") {
        return None;
    }
    let url = scene.page.url().to_owned();
    Some(
        blocking(move || {
            let browser = Browser::start();
            let tab = browser.tab(&url, width, height);
            (Arc::new(browser), Arc::new(tab))
        })
        .await,
    )
}

/// Does something in the tab, where blocking is allowed.
async fn with<T: Send + 'static>(
    tab: &Arc<Tab>,
    work: impl FnOnce(&Tab) -> T + Send + 'static,
) -> T {
    let tab = Arc::clone(tab);
    blocking(move || work(&tab)).await
}

#[tokio::test]
async fn the_console_gets_a_code_and_says_what_becomes_of_it() {
    let mut scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1280, 800).await else {
        return;
    };
    with(&tab, |tab| {
        tab.prefer("light");
        tab.until("!document.querySelector('#get-code').disabled");
        tab.shot("operator-invite.png");
        tab.click("#ticket");
        tab.type_text("INC-20417");
        tab.click("#get-code");
    })
    .await;
    let operator::Command::Code(wanted) = scene.next().await else {
        panic!("a code is wanted")
    };
    assert_eq!(wanted.ttl, Duration::from_secs(600));
    assert_eq!(wanted.ticket.as_ref().map(Label::as_str), Some("INC-20417"));

    scene.events.send(code(543));
    with(&tab, |tab| {
        tab.until("document.querySelector('.digits').textContent === '482019375564'");
        tab.until("/^9:0[0-3] left$/.test(document.querySelector('.time span').textContent)");
        let named = |tree: &[(String, String)]| {
            tree.iter()
                .any(|(_, name)| name == "Code 4 8 2 0, 1 9 3 7, 5 5 6 4")
        };
        assert!(named(&tab.accessible()), "{:?}", tab.accessible());
        tab.shot("operator-code-light.png");
        tab.prefer("dark");
        tab.shot("operator-code-dark.png");
    })
    .await;

    scene.events.send(
        Failure::new(ErrorCode::CodeWrong, "wrong")
            .with_tries_left(2)
            .into(),
    );
    with(&tab, |tab| {
        tab.until("document.querySelector('.says').textContent.includes('2 attempts are left')");
        tab.shot("operator-code-wrong.png");
        // A reload comes back with what holds, the ticket spent long ago.
        assert_eq!(tab.eval("location.hash"), json!(""));
        tab.reload();
        tab.until("document.querySelector('.says').textContent.includes('2 attempts are left')");
        tab.until("document.querySelector('.digits').textContent === '482019375564'");
    })
    .await;

    scene
        .events
        .send(Failure::new(ErrorCode::CodeBurnt, "burnt").into());
    with(&tab, |tab| {
        tab.until(
            "document.querySelector('.says').textContent.includes('typed wrong three times')",
        );
        tab.until("document.querySelector('.digits').dataset.state === 'dead'");
        tab.shot("operator-code-burnt.png");
    })
    .await;

    scene.events.send(code(1));
    with(&tab, |tab| {
        tab.until("document.querySelector('.says').textContent.includes('Nobody typed this code in time')");
        assert_eq!(tab.complaints(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_ticket_opens_one_window_and_no_second() {
    let scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((browser, tab)) = browse(&scene, 1000, 700).await else {
        return;
    };
    let url = scene.page.url().to_owned();
    with(&tab, |tab| {
        tab.until("!document.querySelector('#get-code').disabled")
    })
    .await;
    let fresh = scene.page.fresh_url().expect("a ticket");
    blocking(move || {
        let second = browser.tab(&url, 1000, 700);
        second.until("document.querySelector('al-notice').textContent.includes('used before')");
        // An address that only differs behind the hash does not load a page.
        second.navigate("about:blank");
        second.navigate(&fresh);
        second.until("!document.querySelector('#get-code').disabled");
    })
    .await;
}

/// Brings the console into a session and waits for the picture.
async fn in_session(scene: &Scene<operator::Command>, tab: &Arc<Tab>) {
    with(tab, |tab| {
        tab.until("!document.querySelector('#get-code').disabled");
    })
    .await;
    scene.events.send(connected());
    scene
        .events
        .send(mode(ModeId::USER_GUIDE, ModePhase::Active, None, None));
    for (rtt_ms, kbps_in) in [(43.1, 12), (40.2, 96), (41.0, 143), (44.8, 88), (41.3, 38)] {
        scene.events.send(Event::Path(event::Path {
            kind: PathKind::RelayQuic,
            rtt_ms,
            kbps_in,
            kbps_out: 4,
            closed: vec![event::ClosedWay {
                kind: PathKind::Direct,
                reason: "no-direct",
                message: "no direct way was found".to_owned(),
                ask: "network",
            }],
        }));
    }
    scene.events.send(Event::Panel(event::Panel {
        frame: 7,
        bytes: 900,
        captured_at: 0,
        exact: false,
        visible: true,
        soft: vec![[640, 160, 240, 96]],
    }));
    scene.events.send(Event::Latency(event::Latency {
        capture_ms: 1.4,
        encode_ms: 0.8,
        network_ms: 27.5,
        decode_ms: 0.6,
    }));
    with(tab, |tab| {
        tab.until("!document.querySelector('al-session').hidden && document.querySelector('al-screen').width === 1024");
        tab.until(&shows(4, 4, 0x22_3a5e));
        tab.until("document.querySelector('al-session').textContent.includes('Not directno direct way was found (whoever runs your network)')");
    })
    .await;
}

/// Expression that is true once the picture has `color` at a pixel.
fn shows(x: u32, y: u32, color: u32) -> String {
    let [_, r, g, b] = color.to_be_bytes();
    format!("{} === '{r},{g},{b},255'", pixel("al-screen canvas", x, y))
}

/// Expression for what is drawn over a pixel of the picture; the ink has twice its resolution.
fn ink(x: u32, y: u32) -> String {
    pixel("al-screen canvas.ink", x * 2, y * 2)
}

#[tokio::test]
async fn the_console_paints_what_changes_and_acknowledges() {
    let scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    in_session(&scene, &tab).await;
    // Each picture waits for the acknowledgement of the one before; a lost one would stop the row.
    for n in 0..20_u32 {
        let color = 0x10_2030 + n;
        scene.board.0.lock().expect("no panic").pixels_mut()[599 * 1024 + 1023] = color;
        scene.page.changed();
        with(&tab, move |tab| tab.until(&shows(1023, 599, color))).await;
    }
    // What changes meanwhile is merged: the page ends at the newest picture.
    for n in 0..200_usize {
        scene.board.0.lock().expect("no panic").pixels_mut()[n * 1024 + n] = 0xff_00ff;
        scene.page.changed();
    }
    with(&tab, |tab| {
        tab.until(&shows(199, 199, 0xff_00ff));
        tab.until(&shows(0, 0, 0xff_00ff));
        assert_eq!(tab.complaints(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_pen_stroke_becomes_commands_in_panel_coordinates() {
    let mut scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    in_session(&scene, &tab).await;
    with(&tab, |tab| {
        tab.click("al-tools [aria-label='Pen']");
        tab.click("al-tools [aria-label='Green']");
        tab.click("al-tools [aria-label='Broad']");
        let place = |n: u32| tab.at("al-panel al-screen", 0.25 + f64::from(n) * 0.05, 0.5);
        tab.pointer(Hand::Pen(0.25), "mousePressed", place(0), true);
        for n in 1..=10 {
            tab.pointer(
                Hand::Pen(0.25 + f64::from(n) * 0.05),
                "mouseMoved",
                place(n),
                true,
            );
        }
        tab.pointer(Hand::Pen(0.75), "mouseReleased", place(10), false);
    })
    .await;
    let mut stroke: Vec<StrokePoint> = Vec::new();
    let mut ids = Vec::new();
    loop {
        let operator::Command::Stroke(part) = scene.next().await else {
            continue;
        };
        assert_eq!(
            (part.color.to_string().as_str(), part.width.pixels()),
            ("#18a058", 12)
        );
        ids.push(part.id);
        stroke.extend(part.points);
        if part.done {
            break;
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "one stroke");
    let near = |point: &StrokePoint, x: f64, pressure: f64| {
        let (at_x, at_y) = point.at.to_decimal();
        assert!(
            (at_x - x).abs() < 1.5 && (at_y - 300.0).abs() < 1.5,
            "({at_x}, {at_y}) is not ({x}, 300)"
        );
        assert!(
            (point.pressure.to_unit() - pressure).abs() < 0.02,
            "{point:?}"
        );
    };
    near(&stroke[0], 256.0, 0.25);
    near(stroke.last().expect("points"), 768.0, 0.75);
    assert!(stroke.is_sorted_by_key(|point| point.at.x), "{stroke:?}");

    // It stands on the console at once, and goes with undo.
    let there = ink(512, 300);
    with(&tab, move |tab| {
        tab.until(&format!("{there} === '24,160,88,255'"));
        tab.click("#undo");
        tab.until(&format!("{there} === '0,0,0,0'"));
    })
    .await;
    assert!(matches!(scene.next().await, operator::Command::Undo));
    with(&tab, |tab| tab.click("#clear")).await;
    assert!(matches!(scene.next().await, operator::Command::Clear));
}

#[tokio::test]
async fn the_pointer_hovers_presses_and_leaves() {
    let mut scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    in_session(&scene, &tab).await;
    with(&tab, |tab| {
        tab.pointer(
            Hand::Mouse,
            "mouseMoved",
            tab.at("al-panel al-screen", 0.75, 0.25),
            false,
        );
    })
    .await;
    let operator::Command::Pointer(hover) = scene.next().await else {
        panic!("a pointer")
    };
    let (x, y) = hover.at().to_decimal();
    assert_eq!(hover.event().phase, PointerPhase::Hover);
    assert!(
        (x - 768.0).abs() < 1.5 && (y - 150.0).abs() < 1.5,
        "({x}, {y})"
    );
    with(&tab, |tab| {
        tab.click("al-panel al-screen");
        tab.pointer(Hand::Mouse, "mouseMoved", tab.middle("#end"), false);
    })
    .await;
    let mut phases = Vec::new();
    while phases.last() != Some(&PointerPhase::Leave) {
        let operator::Command::Pointer(pointer) = scene.next().await else {
            panic!("a pointer")
        };
        phases.push(pointer.event().phase);
    }
    phases.dedup();
    assert_eq!(
        phases,
        [
            PointerPhase::Hover,
            PointerPhase::Down,
            PointerPhase::Up,
            PointerPhase::Leave
        ]
    );
}

#[tokio::test]
async fn everything_on_the_console_can_be_done_with_the_keyboard() {
    let mut scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    in_session(&scene, &tab).await;
    // The panel has the focus when a session begins.
    with(&tab, |tab| {
        tab.press("ArrowRight");
        tab.press("d");
        tab.press("3");
        tab.press(" ");
        tab.press("ArrowDown");
        tab.press(" ");
    })
    .await;
    let operator::Command::Pointer(pointer) = scene.next().await else {
        panic!("a pointer")
    };
    assert_eq!(pointer.at(), PanelPoint::from_pixels(520, 300));
    let mut points = Vec::new();
    loop {
        let operator::Command::Stroke(part) = scene.next().await else {
            panic!("a stroke")
        };
        assert_eq!(part.color, Color::rgb(0x18, 0xa0, 0x58));
        points.extend(part.points.iter().map(|point| point.at));
        if part.done {
            break;
        }
    }
    assert_eq!(
        points,
        [
            PanelPoint::from_pixels(520, 300),
            PanelPoint::from_pixels(520, 308)
        ]
    );
    // Tab reaches every control and comes round: no trap.
    let reached = with(&tab, |tab| {
        let mut reached = Vec::new();
        for _ in 0..30 {
            tab.press("Tab");
            let name = tab.eval(
                "(document.activeElement.ariaLabel ?? document.activeElement.textContent).trim() || document.activeElement.tagName",
            );
            reached.push(name.as_str().unwrap_or_default().to_owned());
        }
        reached
    })
    .await;
    for name in [
        "Guide on",
        "Control ask first",
        "Engineer ask first",
        "End session",
        "Pen",
        "Green",
        "Medium",
        "Undo",
        "Clear all",
        "Customer's panel, live",
        "Fit",
        "1:1",
        "Keys",
    ] {
        assert!(
            reached.iter().any(|reached| reached == name),
            "{name} is not among {reached:?}"
        );
    }
}

#[tokio::test]
async fn modes_say_in_words_how_they_stand() {
    let mut scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    in_session(&scene, &tab).await;
    with(&tab, |tab| tab.click("[data-mode='operator-control']")).await;
    let operator::Command::Mode(wanted) = scene.next().await else {
        panic!("a mode")
    };
    assert_eq!(wanted.mode.as_str(), "operator-control");
    scene
        .events
        .send(mode("operator-control", ModePhase::Asked, None, Some(60)));
    with(&tab, |tab| tab.until("document.querySelector('[data-mode=operator-control]').textContent.includes('waiting 60 s')")).await;
    scene.events.send(mode(
        "operator-control",
        ModePhase::Refused,
        Some(Refusal::Policy),
        None,
    ));
    with(&tab, |tab| {
        tab.until("document.querySelector('[data-mode=operator-control]').textContent.includes('not available yet')");
        tab.until("document.querySelector('al-notice').textContent.includes('Control is not available yet on this device')");
        assert_eq!(tab.eval("document.querySelector('[data-mode=operator-control]').ariaDisabled"), json!("true"));
    })
    .await;
    scene.events.send(Event::Link(event::Link {
        state: event::LinkState::Missing,
        silent_ms: 15_000,
        ends_in_ms: None,
    }));
    with(&tab, |tab| {
        tab.until("document.querySelector('.stale').textContent.includes('15 s') && !document.querySelector('.stale').hidden");
        tab.shot("operator-missing.png");
    })
    .await;
}

#[tokio::test]
async fn the_console_looks_right_by_day_and_by_night_and_ends_with_the_reason() {
    let mut scene = Scene::<operator::Command>::start(Role::Operator).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    in_session(&scene, &tab).await;
    with(&tab, |tab| {
        tab.prefer("light");
        tab.click("al-tools [aria-label='Pen']");
        let at = |angle: f64| {
            tab.at(
                "al-panel al-screen",
                0.867 + 0.125 * angle.sin(),
                0.765 - 0.2 * angle.cos(),
            )
        };
        tab.pointer(Hand::Pen(0.3), "mousePressed", at(-0.4), true);
        for n in 0..=40_u32 {
            let turn = f64::from(n) / 40.0;
            tab.pointer(
                Hand::Pen(0.3 + 0.6 * turn),
                "mouseMoved",
                at(-0.4 + turn * 6.6),
                true,
            );
        }
        tab.pointer(Hand::Pen(0.9), "mouseReleased", at(6.2), false);
        tab.click("al-tools [aria-label='Pointer']");
        tab.click("al-tools [aria-label='Blue']");
        tab.pointer(
            Hand::Mouse,
            "mouseMoved",
            tab.at("al-panel al-screen", 0.39, 0.3),
            false,
        );
        tab.eval("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))");
        tab.shot("operator-session-light.png");
        tab.prefer("dark");
        tab.shot("operator-session-dark.png");
        tab.resize(1024, 700);
        tab.until("document.querySelector('al-screen').getBoundingClientRect().width < 720");
        tab.shot("operator-session-small.png");
        tab.resize(1440, 860);
        let unnamed: Vec<_> = tab
            .accessible()
            .into_iter()
            .filter(|(role, name)| {
                [
                    "button",
                    "radio",
                    "application",
                    "toolbar",
                    "radiogroup",
                    "group",
                    "log",
                    "textbox",
                    "combobox",
                ]
                .contains(&role.as_str())
                    && name.is_empty()
            })
            .collect();
        assert_eq!(unnamed, []);
        tab.click("#end");
        tab.until("document.querySelector('#confirm').open");
        tab.shot("operator-confirm.png");
        tab.click("#end-now");
    })
    .await;
    loop {
        if matches!(scene.next().await, operator::Command::End) {
            break;
        }
    }
    scene.events.send(Event::Ended {
        by: Party::Customer,
        reason: EndReason::StopKey,
    });
    with(&tab, |tab| {
        tab.until("document.querySelector('.ended p').textContent === 'The customer ended it by holding the stop key.'");
        tab.prefer("light");
        tab.shot("operator-ended.png");
    })
    .await;
    // The agent goes: the page has heard everything, and says so.
    scene.events.close();
    scene.page.finish().await;
    with(&tab, |tab| {
        tab.until("document.querySelector('al-notice').textContent.includes('has finished')");
        assert_eq!(tab.complaints(), Vec::<String>::new());
    })
    .await;
}

// The front panel in a real browser.

#[tokio::test]
async fn the_front_panel_is_touched_pressed_and_held() {
    let mut scene = Scene::<device::Command>::start(Role::Device).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    with(&tab, |tab| {
        tab.until(&shows(4, 4, 0x22_3a5e));
        let at = tab.at("al-screen", 0.5, 0.25);
        tab.pointer(Hand::Mouse, "mousePressed", at, true);
        tab.pointer(Hand::Mouse, "mouseReleased", at, false);
    })
    .await;
    for want in [device::TouchPhase::Down, device::TouchPhase::Up] {
        let device::Command::Touch(touch) = scene.next().await else {
            panic!("a touch")
        };
        assert_eq!(touch.phase, want);
        let (x, y) = touch.at().to_decimal();
        assert!(
            (x - 512.0).abs() < 1.5 && (y - 150.0).abs() < 1.5,
            "({x}, {y})"
        );
    }
    with(&tab, |tab| {
        let at = tab.middle("[data-key='#']");
        tab.pointer(Hand::Mouse, "mousePressed", at, true);
    })
    .await;
    key(&mut scene, "#", KeyMotion::Down).await;
    with(&tab, |tab| {
        tab.shot("device-hold.png");
        // A hand that slides off the key lets go of it where it lifts.
        let away = tab.middle("al-screen");
        tab.pointer(Hand::Mouse, "mouseMoved", away, true);
        tab.pointer(Hand::Mouse, "mouseReleased", away, false);
    })
    .await;
    key(&mut scene, "#", KeyMotion::Up).await;
    // The same with the keyboard: its own digits, and a key that has the focus.
    with(&tab, |tab| tab.press("7")).await;
    key(&mut scene, "7", KeyMotion::Down).await;
    key(&mut scene, "7", KeyMotion::Up).await;
    with(&tab, |tab| {
        tab.eval("document.querySelector('[data-key=Start]').focus()");
        tab.key("keyDown", "Enter");
        // The window loses the focus: nobody holds the key any more.
        tab.eval("dispatchEvent(new Event('blur'))");
    })
    .await;
    key(&mut scene, "Start", KeyMotion::Down).await;
    key(&mut scene, "Start", KeyMotion::Up).await;
    with(&tab, |tab| {
        tab.eval("document.querySelector('al-screen').focus()");
        tab.press("ArrowRight");
        tab.press("Enter");
    })
    .await;
    let device::Command::Touch(touch) = scene.next().await else {
        panic!("a touch")
    };
    assert_eq!(
        (touch.phase, touch.at()),
        (device::TouchPhase::Tap, PanelPoint::from_pixels(520, 300))
    );
    with(&tab, |tab| {
        let names: Vec<_> = tab
            .accessible()
            .into_iter()
            .filter(|(role, _)| role == "button")
            .map(|(_, name)| name)
            .collect();
        let want = [
            "1",
            "2",
            "3",
            "4",
            "5",
            "6",
            "7",
            "8",
            "9",
            "star",
            "0",
            "number sign",
            "Reset",
            "Clear",
            "Stop",
            "Start",
        ];
        assert_eq!(names, want);
        assert_eq!(tab.complaints(), Vec::<String>::new());
    })
    .await;
}

async fn key(scene: &mut Scene<device::Command>, name: &str, motion: KeyMotion) {
    let device::Command::Key(key) = scene.next().await else {
        panic!("a key")
    };
    let event = key.event();
    assert_eq!((event.key.as_str(), event.motion), (name, motion));
}

#[tokio::test]
async fn ink_lies_on_the_front_panel_where_it_was_drawn_and_goes_with_the_session() {
    let scene = Scene::<device::Command>::start(Role::Device).await;
    let Some((_browser, tab)) = browse(&scene, 1440, 860).await else {
        return;
    };
    let operator = event::OperatorCard {
        name: Some(Label::new("Ada").expect("a name")),
        organisation: None,
        confirmed: false,
        confirmed_by: None,
        key: PublicKey([7; 32]),
    };
    scene
        .events
        .send(Event::Connected(event::Connected::Device {
            session: SessionId([1; 16]),
            operator,
        }));
    let points = (0..=60)
        .map(|n| {
            let turn = f64::from(n) / 60.0 * 6.6 - 0.4;
            let at =
                PanelPoint::from_decimal(888.0 + 128.0 * turn.sin(), 459.0 - 120.0 * turn.cos())
                    .expect("a point");
            let pressure = Pressure::from_unit(0.3 + f64::from(n) / 100.0).expect("a pressure");
            StrokePoint { at, pressure }
        })
        .collect();
    let stroke = Stroke {
        id: StrokeId(1),
        color: Color::rgb(0xe5, 0x34, 0x2b),
        width: StrokeWidth::new(8).expect("a width"),
        points,
        done: true,
    };
    let dot = Stroke {
        id: StrokeId(2),
        points: vec![StrokePoint {
            at: PanelPoint::from_pixels(300, 200),
            pressure: Pressure::FULL,
        }],
        ..stroke.clone()
    };
    let pointer = Annotation::Pointer {
        at: PanelPoint::from_pixels(140, 176),
        color: Color::rgb(0x14, 0x73, 0xe6),
    };
    for annotation in [Annotation::Stroke(stroke), Annotation::Stroke(dot), pointer] {
        scene.events.send(Event::Annotation((&annotation).into()));
    }
    let (there, left, above) = (ink(300, 200), ink(292, 200), ink(300, 192));
    with(&tab, move |tab| {
        tab.until(&shows(4, 4, 0x22_3a5e));
        tab.until(&format!("{there} === '229,52,43,255'"));
        tab.until(&format!("{left} === '0,0,0,0' && {above} === '0,0,0,0'"));
        tab.prefer("light");
        tab.shot("device-light.png");
        tab.prefer("dark");
        tab.shot("device-dark.png");
        tab.resize(800, 1000);
        tab.until("document.querySelector('al-screen').getBoundingClientRect().width < 760");
        tab.shot("device-small.png");
        tab.resize(1440, 860);
        // Both canvases lie on each other to the pixel.
        let same = "(() => { const [a, b] = [...document.querySelectorAll('al-screen canvas')].map(c => c.getBoundingClientRect()); \
            return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height; })()";
        assert_eq!(tab.eval(same), json!(true));
    })
    .await;
    scene.events.send(Event::Ended {
        by: Party::Operator,
        reason: EndReason::OperatorEnded,
    });
    let there = ink(300, 200);
    with(&tab, move |tab| {
        tab.until(&format!("{there} === '0,0,0,0'"));
        assert_eq!(tab.complaints(), Vec::<String>::new());
    })
    .await;
}
