//! A page with a made-up agent behind it, which says yes and tells the test what it was asked.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alongside::{
    Frame,
    protocol::{
        PanelSize, SessionId,
        ids::ModeId,
        label::Label,
        reason::{ModePhase, Refusal},
        units::PanelRect,
    },
};
use alongside_agent::{
    api::{
        Commands, Done, Event, Reply, event,
        event::{PathKind, Role},
        operator,
    },
    fan::Fan,
    pages::{Page, Pictures},
    stdio::Executor,
};
use tokio::sync::mpsc;

use crate::{
    common,
    common::chromium::{Browser, Tab, pixel},
};

/// Far longer than any of it takes.
pub const LIMIT: Duration = Duration::from_secs(30);
pub const SIZE: PanelSize = match PanelSize::new(1024, 600) {
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

/// A picture that the test draws, and where no annotation lies on it.
#[derive(Debug)]
pub struct Board(pub Mutex<Frame>, pub Mutex<Vec<PanelRect>>);

impl Pictures for Board {
    fn with(&self, look: &mut dyn FnMut(&Frame, &[PanelRect])) {
        let clear = self.1.lock().expect("no panic");
        look(&self.0.lock().expect("no panic"), &clear);
    }
}

/// A served page and everything around it.
pub struct Scene<C> {
    pub page: Page,
    pub events: Fan<Event>,
    pub board: Arc<Board>,
    pub asked: mpsc::UnboundedReceiver<C>,
}

impl<C: Commands + std::fmt::Debug + Send + 'static> Scene<C> {
    pub async fn start(role: Role) -> Self {
        let events = Fan::default();
        let board = Arc::new(Board(Mutex::new(drawing()), Mutex::default()));
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
    pub async fn next(&mut self) -> C {
        tokio::time::timeout(LIMIT, self.asked.recv())
            .await
            .expect("a command in time")
            .expect("the page lives")
    }
}

/// Runs what blocks, the browser, beside the page.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("no panic")
}

/// Something like the panel of a machine.
pub fn drawing() -> Frame {
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

pub fn connected() -> Event {
    Event::Connected(event::Connected::Operator {
        session: SessionId([0x5e; 16]),
        serial: "SN-0042-7781".parse().expect("a serial"),
        model: Label::new("Alongside MFD 7").expect("a label"),
        panel: event::PanelCard::new(Label::new("mfd").expect("a label"), SIZE),
    })
}

pub fn mode(
    mode: &str,
    state: ModePhase,
    reason: Option<Refusal>,
    expires_in_s: Option<u16>,
) -> Event {
    Event::Mode(event::Mode {
        mode: ModeId::new(mode).expect("a mode"),
        state,
        reason,
        expires_in_s,
    })
}

pub fn code(expires_in_s: u64) -> Event {
    Event::Code(event::Code {
        code: "482019375564".into(),
        expires_in_s,
    })
}
/// Skips, or starts a browser with the page of `scene` in it.
pub async fn browse<C>(
    scene: &Scene<C>,
    width: u32,
    height: u32,
) -> Option<(Arc<Browser>, Arc<Tab>)> {
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
pub async fn with<T: Send + 'static>(
    tab: &Arc<Tab>,
    work: impl FnOnce(&Tab) -> T + Send + 'static,
) -> T {
    let tab = Arc::clone(tab);
    blocking(move || work(&tab)).await
}
/// Brings the console into a session and waits for the picture.
pub async fn in_session(scene: &Scene<operator::Command>, tab: &Arc<Tab>) {
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
pub fn shows(x: u32, y: u32, color: u32) -> String {
    let [_, r, g, b] = color.to_be_bytes();
    format!("{} === '{r},{g},{b},255'", pixel("al-screen canvas", x, y))
}

/// Expression for what is drawn over a pixel of the picture; the ink has twice its resolution.
pub fn ink(x: u32, y: u32) -> String {
    pixel("al-screen canvas.ink", x * 2, y * 2)
}
