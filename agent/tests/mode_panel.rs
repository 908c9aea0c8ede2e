//! A mode's own part of the console in a real browser: it speaks with its mode, and reaches nothing else.
#![allow(missing_docs, reason = "tests")]

mod common;

use std::{sync::Arc, time::Duration};

use alongside::{
    Frame,
    operator::ConsolePanel,
    protocol::{
        PanelSize, SessionId, ids::ModeId, label::Label, reason::ModePhase, units::PanelRect,
    },
};
use alongside_agent::{
    api::{
        Done, Event, Reply,
        event::{self, ModeCard, Role},
        operator::Command,
    },
    fan::Fan,
    pages::{Page, Pictures},
    stdio::Executor,
};
use common::chromium::Browser;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Far longer than any of it takes.
const LIMIT: Duration = Duration::from_secs(30);

/// An agent that says yes and tells the test what it was asked.
#[derive(Debug)]
struct Recorder(mpsc::UnboundedSender<Command>);

impl Executor<Command> for Recorder {
    async fn execute(&self, command: Command) -> Reply {
        let _ = self.0.send(command);
        Ok(Done::Accepted)
    }
}

#[derive(Debug)]
struct Black;

impl Pictures for Black {
    fn with(&self, look: &mut dyn FnMut(&Frame, &[PanelRect])) {
        look(&Frame::black(size()), &[]);
    }
}

fn size() -> PanelSize {
    PanelSize::new(320, 240).expect("a size")
}

/// Tries what it must not reach, tells how far it got, and echoes.
const SCRIPT: &str = r"
customElements.define('acme-probe', class extends HTMLElement {
  async connect(host) {
    const could = [];
    const tries = {
      'read the page': () => parent.document.title,
      'read the address': () => parent.location.href,
      'keep something': () => localStorage.setItem('a', 'b'),
      'keep a cookie': () => { document.cookie = 'a=b'; if (!document.cookie) throw 0; },
      'load a script': () => new Promise((good, bad) => {
        const script = Object.assign(document.createElement('script'), { src: '/console.js', onload: good, onerror: bad });
        document.head.append(script);
      }),
      'fetch': () => fetch('/'),
      'open a socket': () => new Promise((good, bad) => {
        const socket = new WebSocket(location.href.replace('http', 'ws').replace(/mode.*/, 'ws'));
        socket.onopen = good;
        socket.onerror = bad;
      }),
      'run text as code': () => eval('1'),
    };
    for (const [name, attempt] of Object.entries(tries)) {
      try { await attempt(); could.push(name); } catch {}
    }
    host.on(message => host.send({ echo: message }));
    host.send({ could, origin: self.origin });
  }
});
";

#[tokio::test]
async fn a_modes_panel_speaks_with_its_mode_and_reaches_nothing_else() {
    if !common::is_lab("a mode's panel in a real browser needs chromium") {
        return;
    }
    let events = Fan::default();
    let (sender, mut asked) = mpsc::unbounded_channel();
    let page = Page::start(
        Role::Operator,
        Arc::new(Recorder(sender)),
        &events,
        Arc::new(Black),
    )
    .await
    .expect("a page");
    events.send(Event::Ready(event::Ready {
        role: Role::Operator,
        serial: None,
        panel: None,
        listens: None,
    }));
    let url = page.url().to_owned();
    let (browser, tab) = tokio::task::spawn_blocking(move || {
        let browser = Browser::start();
        let tab = browser.tab(&url, 1280, 800);
        (browser, Arc::new(tab))
    })
    .await
    .expect("a browser");
    events.send(Event::Connected(event::Connected::Operator {
        session: SessionId([0x5e; 16]),
        serial: "SN-1".parse().expect("a serial"),
        model: Label::new("Test").expect("a label"),
        panel: event::PanelCard::new(Label::new("mfd").expect("a label"), size()),
    }));
    let id = ModeId::new("acme.probe").expect("an id");
    let panel = ConsolePanel::new(Label::new("acme-probe").expect("an element"), SCRIPT);
    events.send(Event::Modes {
        modes: vec![ModeCard {
            mode: id.clone(),
            name: Label::new("<img src=x onerror=alert(1)>").expect("a name"),
            asks: event::Asks::Customer,
            has_panel: true,
            panel: Some(Arc::new(panel)),
        }],
    });
    events.send(Event::Mode(event::Mode {
        mode: id,
        state: ModePhase::Active,
        reason: None,
        expires_in_s: None,
    }));
    let told = console(&mut asked).await;
    assert_eq!(told, json!({ "could": [], "origin": "null" }));
    events.send(Event::Console {
        message: json!({ "total": 3 }),
    });
    assert_eq!(console(&mut asked).await, json!({ "echo": { "total": 3 } }));
    // The vendor's name for it is text, never markup.
    let check = Arc::clone(&tab);
    tokio::task::spawn_blocking(move || {
        check.until("document.querySelector('al-mode-panel h2').textContent === '<img src=x onerror=alert(1)>'");
        check.until("document.querySelectorAll('img').length === 0");
        check.until("[...document.querySelectorAll('al-modes button')].some(b => b.textContent.includes('<img'))");
    })
    .await
    .expect("shown as text");
    drop((tab, browser));
}

/// What the panel says next.
async fn console(asked: &mut mpsc::UnboundedReceiver<Command>) -> Value {
    let heard = async {
        loop {
            if let Command::Console(console) = asked.recv().await.expect("the page lives") {
                return console.message;
            }
        }
    };
    tokio::time::timeout(LIMIT, heard).await.expect("in time")
}
