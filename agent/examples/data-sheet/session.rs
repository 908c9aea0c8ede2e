//! One session of a mode, and what it moved.

use std::{sync::Arc, time::Duration};

use alongside::{
    Volume,
    protocol::{frame::Channel, ids::ModeId},
    transport::sim::{Host, Traffic},
};
use alongside_agent::panel::mfd::MfdPanel;
use tokio::time::Instant;

use super::{
    mode::{self, Mode},
    noise::Noise,
    row::Row,
    trace::{STEP, Trace},
    world::{Stage, World, line, narrow},
};

/// How long a person is helped.
const HELP: Duration = Duration::from_secs(60);
/// How long both sides do as much as they can.
const STRESS: Duration = Duration::from_secs(40);
/// Rate of the slow line.
const SLOW_KBPS: u64 = 20;

const PANEL_PROMISE: &str = "mean 150, most 380, usable from 20 kbps";
/// What is there to be read is to be there in a moment.
const ANSWERS_PROMISE: &str = "on demand: never above 4,100 kbps";
const INPUT_PROMISE: &str = "on demand: mean 100, never above 250 kbps";

/// What crosses while something goes on: the session's messages, and all of it.
#[derive(Default)]
struct Flow {
    to_device: Trace,
    to_operator: Trace,
    /// What the device's half of the mode says, which is no panel data.
    answers: Trace,
    to_device_all: Trace,
    to_operator_all: Trace,
}

impl Flow {
    fn read(&mut self, volume: &Volume, device: Traffic) {
        let sum = |count: fn(&Volume, Channel) -> u64| -> u64 {
            Channel::ALL
                .into_iter()
                .map(|channel| count(volume, channel))
                .sum()
        };
        let answers = volume.received(Channel::Mode);
        self.to_device.push(sum(Volume::sent));
        self.to_operator.push(sum(Volume::received) - answers);
        self.answers.push(answers);
        self.to_device_all.push(device.received);
        self.to_operator_all.push(device.sent);
    }

    /// Reads for ever.
    async fn watch(&mut self, volume: &Volume, host: &Host) {
        let mut at = Instant::now();
        loop {
            self.read(volume, host.traffic());
            at += STEP;
            tokio::time::sleep_until(at).await;
        }
    }

    /// What crosses within `time` while `work` is done.
    async fn during(time: Duration, stage: &Stage, work: impl Future<Output = ()>) -> Self {
        let mut flow = Self::default();
        let (volume, host) = (stage.operator.volume().clone(), stage.device_host.clone());
        tokio::select! {
            () = flow.watch(&volume, &host) => {}
            () = work => {}
            () = tokio::time::sleep(time) => {}
        }
        flow
    }

    fn input(&self, activity: String, data: &'static str) -> Row {
        let (rates, all) = (self.to_device.rates(), self.to_device_all.rates());
        Row {
            activity,
            data,
            from: "operator",
            to: "device",
            promised: INPUT_PROMISE,
            measured: format!("{rates}; with all below mean {:.1}", all.mean),
            is_kept: rates.most <= 250.0,
        }
    }

    /// What a mode that is asked for much answers; with all that the device sends below it.
    fn answers(&self, activity: String, data: &'static str) -> Row {
        let (rates, all) = (self.answers.rates(), self.to_operator_all.rates());
        Row {
            activity,
            data,
            from: "device",
            to: "operator",
            promised: ANSWERS_PROMISE,
            measured: format!(
                "{rates}; panel and answers, with all below, mean {:.1}",
                all.mean
            ),
            is_kept: rates.most <= 4_100.0,
        }
    }

    fn panel(&self, activity: String) -> Row {
        let (rates, all) = (self.to_operator.rates(), self.to_operator_all.rates());
        Row {
            activity,
            data: "panel data",
            from: "device",
            to: "operator",
            promised: PANEL_PROMISE,
            measured: format!("{rates}; with all below mean {:.1}", all.mean),
            is_kept: rates.most <= 380.0 && self.to_operator.most() < 475_000,
        }
    }
}

/// The rows of one mode: a person is helped, and then both sides do as much as they can.
pub(crate) async fn rows(mode: &Mode) -> Vec<Row> {
    let panel = MfdPanel::new();
    let world = World::new(line(15));
    let mut stage = world
        .session(Arc::new(panel.clone()), Arc::new(panel.clone()))
        .await;
    let served = tokio::spawn({
        let (panel, device) = (panel.clone(), stage.device.clone());
        async move { panel.serve(&device).await }
    });
    stage.enter(mode.id).await;
    // The first picture is through.
    tokio::time::sleep(HELP / 6).await;
    let help = Flow::during(HELP, &stage, (mode.help)(&stage, &panel)).await;
    served.abort();
    drop(stage);

    let noise = Noise::new();
    let mut stage = World::new(line(15))
        .session(noise.clone(), noise.clone())
        .await;
    stage.enter(mode.id).await;
    let stress = async {
        tokio::join!(noise.flicker(), (mode.stress)(&stage));
    };
    let stress = Flow::during(STRESS, &stage, stress).await;

    let name = mode.name;
    let mean_is_kept = |row: Row, mean: f64, limit: f64| Row {
        is_kept: row.is_kept && mean <= limit,
        ..row
    };
    let mut rows = vec![
        mean_is_kept(
            help.input(format!("{name}: a customer is helped"), mode.data),
            help.to_device.rates().mean,
            100.0,
        ),
        mean_is_kept(
            help.panel(format!("{name}: a customer is helped")),
            help.to_operator.rates().mean,
            150.0,
        ),
        Row {
            promised: "never above 250 kbps",
            ..stress.input(format!("{name}: as much as the operator can"), mode.data)
        },
        Row {
            promised: "never above 380 kbps",
            ..stress.panel(format!("{name}: a screen of noise, 30 pictures a second"))
        },
    ];
    if mode.id == ModeId::ENGINEER_CONFIG {
        let helped = format!("{name}: a customer is helped");
        let asked = format!("{name}: as much as the operator can");
        rows.push(help.answers(helped, mode.data));
        rows.push(stress.answers(asked, mode.data));
    }
    rows
}

/// The panel at the lowest rate at which it has to be usable.
pub(crate) async fn rows_of_a_slow_line() -> Vec<Row> {
    let panel = MfdPanel::new();
    let world = World::new(narrow(100, SLOW_KBPS));
    let mut stage = world
        .session(Arc::new(panel.clone()), Arc::new(panel.clone()))
        .await;
    let volume = stage.operator.volume().clone();
    let host = stage.device_host.clone();
    let before = Instant::now();
    let mut flow = Flow::default();
    tokio::select! {
        () = flow.watch(&volume, &host) => {}
        () = stage.see() => {}
    }
    let exact = before.elapsed();
    // The next screen, as a customer goes on.
    mode::go_on(&panel);
    let before = Instant::now();
    stage.see().await;
    let next = before.elapsed();
    vec![Row {
        activity: format!("any mode, over a line of {SLOW_KBPS} kbps"),
        data: "panel data",
        from: "device",
        to: "operator",
        promised: PANEL_PROMISE,
        measured: format!(
            "first screen exact after {:.1} s, the next after {:.1} s",
            exact.as_secs_f64(),
            next.as_secs_f64()
        ),
        is_kept: exact < Duration::from_secs(60) && next < Duration::from_secs(30),
    }]
}
