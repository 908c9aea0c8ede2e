//! The network's figures, printed: median and worst of 20, on the simulated network, in virtual time.
//!
//! `cargo test -p alongside --test sessions figures -- --nocapture` is the command; `ALONGSIDE_FIGURES` says of how many.

use std::{collections::BTreeMap, time::Duration};

use alongside::{
    DeviceEvent, PathKind,
    transport::{
        Paths,
        sim::{Dependence, Nat, Quality, Rate, Reach},
    },
};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    watched::Watched,
    world::{World, line, secs},
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The four rungs as a network brings them about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rung {
    Direct,
    Udp,
    Tls,
    Proxy,
}

const RUNGS: [Rung; 4] = [Rung::Direct, Rung::Udp, Rung::Tls, Rung::Proxy];

/// 60 ms between device and operator.
fn world(seed: u64, rung: Rung, quality: Quality) -> World {
    let nats = match rung {
        Rung::Direct => [Nat::Cone, Nat::Cone],
        Rung::Udp | Rung::Tls | Rung::Proxy => [Nat::Cone, Nat::Symmetric],
    };
    let mut world = World::seeded(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), [quality; 2], nats);
    world.paths = Paths::default();
    match rung {
        Rung::Direct | Rung::Udp => {}
        Rung::Tls => {
            world.device_host.set_udp(Reach::Blocked);
            world.operator_host.set_udp(Reach::Blocked);
        }
        Rung::Proxy => {
            world.start_proxy();
            world.set_reach(&world.device_host, Reach::Blocked);
        }
    }
    world
}

/// Median and worst of some durations or counts.
#[derive(Default)]
struct Table(BTreeMap<String, (Vec<f64>, &'static str, f64)>);

impl Table {
    fn add(&mut self, what: impl Into<String>, value: f64, unit: &'static str, aim: f64) {
        let row = self.0.entry(what.into()).or_insert((Vec::new(), unit, aim));
        row.0.push(value);
    }

    fn lines(&mut self) -> Vec<String> {
        let head = ["what", "median", "worst", "aim", "of"];
        let [what, median, worst, aim, of] = head;
        let mut lines = vec![format!(
            "{what:<62} {median:>9} {worst:>9} {aim:>9} {of:>4}"
        )];
        for (what, (values, unit, aim)) in &mut self.0 {
            values.sort_by(f64::total_cmp);
            let (median, worst) = (values[values.len() / 2], values[values.len() - 1]);
            let missed = if worst > *aim { " missed" } else { "" };
            lines.push(format!(
                "{what:<62} {median:>9.2} {worst:>9.2} {aim:>9.2} {:>4} {unit}{missed}",
                values.len()
            ));
        }
        lines
    }
}

/// End-to-end round trips from the code's acceptance until the session is there on both sides.
async fn proof(seed: u64, rung: Rung, table: &mut Table) {
    let world = world(seed, rung, line(15));
    let (mut device, mut operator) = (world.device(), world.operator());
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    let start = Instant::now();
    device.connected().await;
    operator.connected().await;
    let trips = start.elapsed().as_secs_f64() / 0.06;
    match rung {
        Rung::Direct => {}
        Rung::Udp => table.add("proved, both legs up, over UDP", trips, "round trips", 3.0),
        Rung::Tls => table.add("proved, both legs up, over TLS", trips, "round trips", 4.0),
        Rung::Proxy => table.add("proved, device through a proxy", trips, "round trips", 4.0),
    }
    if rung != Rung::Direct {
        return;
    }
    let start = Instant::now();
    device
        .event(|event| match event {
            DeviceEvent::Path(path) if path.kind == PathKind::Direct => Some(()),
            _ => None,
        })
        .await;
    table.add(
        "direct after the session's start",
        start.elapsed().as_secs_f64(),
        "s",
        0.3,
    );
}

/// How many of 100 sessions between NATs that map alike for everybody go direct within 0.3 s: five for each `seed`, with
/// every kind of filter on either side.
async fn direct(seed: u64, table: &mut Table) -> usize {
    let mut in_time = 0;
    for n in 0..DIRECT_EACH {
        let seed = seed * DIRECT_EACH + n;
        let nat = |n: u64| Nat::Of {
            mapping: Dependence::Nothing,
            filtering: Dependence::ALL[(n % 3) as usize],
        };
        let chances = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut world = World::seeded(chances, [line(15); 2], [nat(seed), nat(seed / 3)]);
        world.paths = Paths::default();
        let (mut device, operator) = (world.device(), world.operator());
        let code = operator.code().await;
        device.enter(&code).await.unwrap();
        device.connected().await;
        let start = Instant::now();
        let is_direct = device.event(|event| match event {
            DeviceEvent::Path(path) if path.kind == PathKind::Direct => Some(()),
            _ => None,
        });
        if timeout(secs(10), is_direct).await.is_ok() {
            let took = start.elapsed().as_secs_f64();
            in_time += usize::from(took <= 0.3);
            table.add("direct, endpoint-independent NATs", took, "s", 0.3);
        }
    }
    in_time
}

/// Sessions of [`direct`] for each seed.
const DIRECT_EACH: u64 = 5;

/// The gap that a move makes in a stroke every 20 ms.
async fn gap(seed: u64, rung: Rung, table: &mut Table) {
    for what in [
        "its path dies",
        "all UDP dies",
        "the address changes",
        "the relay is killed",
    ] {
        if (what, rung) == ("all UDP dies", Rung::Tls)
            || (what, rung) == ("all UDP dies", Rung::Proxy)
        {
            continue;
        }
        let mut session = Watched::start(world(seed, rung, line(15))).await.unwrap();
        draw(&mut session, secs(4)).await;
        // Not always at the same moment of its timers.
        draw(&mut session, ms(seed * 37 % 1000)).await;
        let (device, operator) = (
            session.world.device_host.clone(),
            session.world.operator_host.clone(),
        );
        let start = Instant::now();
        match (what, rung) {
            ("its path dies", Rung::Direct) => device.set_reachable(&operator, Reach::Blocked),
            ("its path dies", Rung::Udp) => device.set_udp(Reach::Blocked),
            ("its path dies", Rung::Tls) => device.break_streams(),
            ("its path dies", Rung::Proxy) => session
                .world
                .proxy
                .iter()
                .for_each(|proxy| proxy.break_streams()),
            ("all UDP dies", _) => [&device, &operator]
                .iter()
                .for_each(|host| host.set_udp(Reach::Blocked)),
            ("the address changes", _) => {
                device.forget_mappings();
                device.break_streams();
            }
            _ => {
                drop(session.world.relay.take());
                session.world.relay_host.break_streams();
                session.world.start_relay();
            }
        }
        draw(&mut session, secs(5)).await;
        let gap = session.longest_gap(start).as_secs_f64();
        let aim = match (what, rung) {
            ("the relay is killed", Rung::Direct) => 0.05,
            ("the relay is killed", _) => 2.0,
            ("its path dies" | "the address changes", Rung::Direct) => 0.6,
            _ => 1.0,
        };
        table.add(format!("gap on {rung:?} when {what}"), gap, "s", aim);
    }
}

async fn draw(session: &mut Watched, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        session.draw().await;
        sleep(ms(20)).await;
    }
}

/// How long strokes take at 5 % loss: the slowest of a hundred.
async fn input(seed: u64, rung: Rung, table: &mut Table) {
    let lossy = Quality {
        loss_permille: 25,
        ..line(15)
    };
    let mut session = Watched::start(world(seed, rung, lossy)).await.unwrap();
    session.draw_for(secs(3)).await;
    let mut took = Vec::new();
    for _ in 0..100 {
        let start = Instant::now();
        let before = session.drawn.len();
        session.draw().await;
        sleep(ms(100)).await;
        if session.drawn.len() > before {
            took.push((session.drawn.len(), start));
        }
    }
    assert!(session.settles_within(secs(30)).await);
    let told = session.of_device.lock().unwrap();
    let mut times: Vec<f64> = took
        .iter()
        .filter_map(|(n, start)| Some((told.strokes.get(n - 1)?.0 - *start).as_secs_f64() * 1000.0))
        .collect();
    drop(told);
    times.sort_by(f64::total_cmp);
    let p99 = times[times.len() * 99 / 100 - 1];
    table.add(
        format!("input p99 at 5 % loss on {rung:?}"),
        p99,
        "ms",
        250.0,
    );
}

/// Bytes of a minute at rest, and what they are of a link of 20 kbit/s.
async fn rest(seed: u64, rung: Rung, table: &mut Table) {
    let narrow = Quality {
        rate: Some(Rate {
            bits_per_second: 20_000,
            queue: 8 * 1024,
        }),
        ..line(15)
    };
    for (what, quality) in [
        ("a minute at rest", line(15)),
        ("at rest on 20 kbit/s", narrow),
    ] {
        let session = Watched::start(world(seed, rung, quality)).await;
        let Some(session) = session else {
            // It does not come about at all.
            table.add(format!("{what}: {rung:?}"), f64::INFINITY, "s", 0.0);
            continue;
        };
        session.settles_within(secs(90)).await;
        sleep(secs(60)).await;
        let device = &session.world.device_host;
        let count = || {
            let (udp, streams) = (device.traffic(), device.stream_traffic());
            (udp.sent + streams.sent).max(udp.received + streams.received) as f64
        };
        let before = count();
        sleep(secs(120)).await;
        let minute = (count() - before) / 2.0;
        if what == "a minute at rest" {
            table.add(
                format!("{what} on {rung:?}, the busier way"),
                minute / 1000.0,
                "kB",
                24.0,
            );
        } else {
            let share = minute * 8.0 / 60.0 / 20_000.0 * 100.0;
            table.add(format!("{what}: share of it on {rung:?}"), share, "%", 5.0);
        }
    }
}

/// How long a leg takes where UDP is blocked, beyond two round trips to the relay.
async fn blocked(seed: u64, table: &mut Table) {
    let world = world(seed, Rung::Tls, line(15));
    let operator = world.operator();
    let start = Instant::now();
    operator.code().await;
    // And one round trip for the code.
    let took = start.elapsed().as_secs_f64() - 0.03;
    table.add(
        "UDP blocked: the relay is usable",
        took,
        "s",
        0.4 + 2.0 * 0.03,
    );
}

#[test]
fn the_network_s_figures() {
    let of = std::env::var("ALONGSIDE_FIGURES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2);
    let mut table = Table::default();
    let mut in_time = 0;
    for seed in 0..of {
        let run = async {
            blocked(seed, &mut table).await;
            in_time += direct(seed, &mut table).await;
            for rung in RUNGS {
                proof(seed, rung, &mut table).await;
                gap(seed, rung, &mut table).await;
                input(seed, rung, &mut table).await;
                if seed < 2 {
                    rest(seed, rung, &mut table).await;
                }
            }
        };
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(run);
        runtime.shutdown_background();
    }
    for line in table.lines() {
        println!("{line}");
    }
    let sessions = (of * DIRECT_EACH) as usize;
    println!("direct within 0.3 s of the session's start: {in_time} of {sessions}");
    assert!(in_time * 100 >= sessions * 99, "{in_time} of {sessions}");
}
