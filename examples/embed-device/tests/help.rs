//! The example as its owner sees it: a process of its own, with a relay and an operator beside it.
#![allow(missing_docs, reason = "tests")]

use std::{fs, path::Path, process::Stdio, sync::Arc, time::Duration};

use alongside::{
    Compartment, Operator, OperatorConfig, OperatorEvent, OperatorHandle, Relay,
    operator::OperatorEvents,
    protocol::{
        PanelPoint,
        annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
        reason::{EndReason, Party},
        units::{Color, Pressure},
    },
};
use alongside_relay::{Config, Running, Socket, StateDir};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// Far longer than any of this takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_operator_sees_the_boiler_and_draws_on_it_until_its_owner_says_exit() {
    timeout(PATIENCE, help()).await.expect("in time");
}

async fn help() {
    let folder = tempfile::tempdir().expect("folder");
    let relay = start_relay(folder.path());
    let (operator, mut events) = start_operator(folder.path(), &relay);
    wait(&mut events, |event| matches!(event, OperatorEvent::Ready)).await;
    let code = operator
        .code(Duration::from_secs(600), None)
        .await
        .expect("a code");

    let mut boiler = Boiler::start(folder.path(), &relay);
    boiler.types(&code.digits).await;
    wait(&mut events, |event| matches!(event, OperatorEvent::Connected(hello) if hello.serial.as_str() == "B7-0042")).await;
    mercury_stands_at(&operator, &mut events, 20).await;

    boiler.types("+").await;
    mercury_stands_at(&operator, &mut events, 21).await;

    operator.draw(stroke()).await.expect("allowed");
    boiler.says("drawn: Stroke").await;

    boiler.types("exit").await;
    let by_customer = |event: &OperatorEvent| {
        matches!(
            event,
            OperatorEvent::Ended {
                by: Party::Customer,
                reason: EndReason::Exit
            }
        )
    };
    wait(&mut events, by_customer).await;
    boiler.says("end: Session").await;
    assert!(boiler.process.wait().await.expect("ends").success());
    relay.shutdown().await;
}

fn start_relay(folder: &Path) -> Running {
    let state = StateDir::open(folder.join("relay")).expect("state");
    fs::write(state.file("operators.toml"), "allow = \"any\"\n").expect("operators");
    let mut config = Config::default();
    config.listen = Some([127, 0, 0, 1].into());
    config.danger_port = Some(0);
    alongside_relay::Relay::start(&config, state, Socket::Bind).expect("relay")
}

fn start_operator(folder: &Path, relay: &Running) -> (OperatorHandle, OperatorEvents) {
    let ca = fs::read(relay.ca().expect("a private CA")).expect("PEM");
    let relay = Relay::new("127.0.0.1")
        .expect("host")
        .with_ca(ca)
        .danger_with_port(relay.udp().port());
    let identity = Compartment::open(&folder.join("operator"))
        .and_then(|kept| kept.identity())
        .expect("identity");
    let (operator, handle, events) = Operator::new(OperatorConfig {
        relay,
        identity: Arc::clone(&identity),
        name: None,
    });
    tokio::spawn(operator.run(alongside::operator::Until::FirstSession));
    (handle, events)
}

async fn wait(events: &mut OperatorEvents, wanted: impl Fn(&OperatorEvent) -> bool) {
    loop {
        let event = events.recv().await.expect("the operator runs");
        if wanted(&event) {
            return;
        }
    }
}

/// Waits until the operator sees exactly what the boiler shows at that temperature.
async fn mercury_stands_at(operator: &OperatorHandle, events: &mut OperatorEvents, degrees: usize) {
    wait(events, |event| {
        matches!(event, OperatorEvent::Panel(update) if update.exact)
            && operator.screen().with(|shown| {
                let frame = &shown.expect("a picture").frame;
                let height = usize::from(frame.size().height());
                let rows = frame.pixels().chunks(usize::from(frame.size().width()));
                let red = |row: &[u32]| row.iter().all(|pixel| *pixel == 0x00c0_2020);
                rows.clone().skip(height - degrees).all(red)
                    && !rows.take(height - degrees).any(red)
            })
    })
    .await;
}

fn stroke() -> Annotation {
    let at = |x, y| StrokePoint {
        at: PanelPoint::from_pixels(x, y),
        pressure: Pressure::FULL,
    };
    let width = StrokeWidth::new(3).expect("width");
    let points = vec![at(10, 10), at(40, 30)];
    Annotation::Stroke(Stroke {
        id: StrokeId(1),
        color: Color::rgb(0, 0, 255),
        width,
        points,
        done: true,
    })
}

/// The example's process.
struct Boiler {
    process: Child,
    keys: ChildStdin,
    display: Lines<BufReader<ChildStdout>>,
}

impl Boiler {
    fn start(folder: &Path, relay: &Running) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_embed-device"))
            .arg("127.0.0.1")
            .arg(folder.join("boiler"))
            .arg(relay.ca().expect("a private CA"))
            .env(
                "ALONGSIDE_DANGER_RELAY_PORT",
                relay.udp().port().to_string(),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the example starts");
        let keys = process.stdin.take().expect("keys");
        let display = BufReader::new(process.stdout.take().expect("display")).lines();
        Self {
            process,
            keys,
            display,
        }
    }

    async fn types(&mut self, line: &str) {
        self.keys
            .write_all(format!("{line}\n").as_bytes())
            .await
            .expect("it reads");
    }

    async fn says(&mut self, start: &str) {
        while !self
            .display
            .next_line()
            .await
            .expect("readable")
            .expect("it runs")
            .starts_with(start)
        {}
    }
}
