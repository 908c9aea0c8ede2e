//! The example as a ticket system runs it: a process of its own, with a relay and a device beside it.
#![allow(missing_docs, reason = "tests")]

use std::{
    fs,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use alongside::{
    Compartment, Device, DeviceConfig, Frame, Relay, Until,
    ports::{Capture, Customer, Panel, PanelError, PanelInfo},
    protocol::{AccessCode, PanelSize, Serial, annotation::Annotation, label::Label},
    status::Status,
};
use alongside_relay::{Config, Running, Socket, StateDir};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    sync::watch,
    time::timeout,
};

/// Far longer than any of this takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A panel in one colour that remembers what was drawn.
#[derive(Debug)]
struct Blue {
    changes: watch::Sender<u64>,
    drawn: Mutex<Vec<Annotation>>,
}

impl Panel for Blue {
    fn describe(&self) -> PanelInfo {
        PanelInfo {
            kind: Label::new("blue").expect("a kind"),
            size: PanelSize::new(160, 120).expect("a size"),
        }
    }

    fn capture(&self) -> Result<Capture, PanelError> {
        let mut frame = Frame::black(self.describe().size);
        frame.pixels_mut().fill(0x0020_40c0);
        Ok(Arc::new(frame).into())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn annotate(&self, annotation: &Annotation) {
        self.drawn
            .lock()
            .expect("no panic")
            .push(annotation.clone());
    }
}

impl Customer for Blue {
    fn show(&self, _status: &Status) {}
}

#[tokio::test]
async fn a_ticket_system_takes_a_picture_draws_a_circle_and_leaves() {
    timeout(PATIENCE, help()).await.expect("in time");
}

async fn help() {
    let folder = tempfile::tempdir().expect("folder");
    let relay = start_relay(folder.path());
    let ca = relay.ca().expect("a private CA").to_owned();
    let port = relay.udp().port();
    let picture = folder.path().join("picture.ppm");
    let mut desk = Command::new(env!("CARGO_BIN_EXE_embed-operator"))
        .arg("127.0.0.1")
        .arg(folder.path().join("operator"))
        .arg(&picture)
        .arg(&ca)
        .env("ALONGSIDE_DANGER_RELAY_PORT", port.to_string())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the example starts");
    let mut lines = BufReader::new(desk.stdout.take().expect("output")).lines();
    let code = loop {
        let line = lines.next_line().await.expect("readable").expect("it runs");
        if let Some(code) = line.strip_prefix("code: ") {
            break AccessCode::parse(code).expect("a code");
        }
    };

    let panel = Arc::new(Blue {
        changes: watch::Sender::new(0),
        drawn: Mutex::default(),
    });
    let config = DeviceConfig {
        relay: Relay::new("127.0.0.1")
            .expect("host")
            .with_ca(fs::read(&ca).expect("PEM"))
            .danger_with_port(port),
        serial: Serial::new("B-1").expect("a serial"),
        model: Label::new("Blue").expect("a model"),
        compartment: Compartment::open(&folder.path().join("device")).expect("a compartment"),
    };
    let (device, customer, _events) =
        Device::new(config, Arc::clone(&panel) as _, Arc::clone(&panel) as _).expect("a device");
    let runs = tokio::spawn(device.run(Until::FirstCode));
    customer.enter_code(code).await.expect("well formed");
    runs.await.expect("the device runs");
    assert!(desk.wait().await.expect("ends").success());

    let strokes = panel.drawn.lock().expect("no panic");
    assert!(
        strokes
            .iter()
            .any(|drawn| matches!(drawn, Annotation::Stroke(stroke) if stroke.points.len() == 33))
    );
    let kept = fs::read(&picture).expect("a picture");
    let pixels = kept
        .strip_prefix(b"P6\n160 120\n255\n")
        .expect("a PPM of the panel's size");
    assert!(
        pixels.chunks(3).all(|pixel| pixel == [0x20, 0x40, 0xc0]) && pixels.len() == 160 * 120 * 3
    );
}

fn start_relay(folder: &Path) -> Running {
    let state = StateDir::open(folder.join("relay")).expect("state");
    fs::write(state.file("operators.toml"), "allow = \"any\"\n").expect("operators");
    let mut config = Config::default();
    config.listen = Some([127, 0, 0, 1].into());
    config.danger_port = Some(0);
    alongside_relay::Relay::start(&config, state, Socket::Bind).expect("relay")
}
