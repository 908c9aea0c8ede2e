//! Many sessions at once, each as a console that is watched and typed at.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use alongside_protocol::LegToken;
use serde_json::{Value, json};

use crate::{
    Failure, Load,
    leg::{Opener, meet},
    pace::Timer,
    process::{self, RelayProcess},
    seen::{STAMP_AT, Seen},
    way::{MARK, Way},
};

/// Device to operator: 150 kbit/s; operator to device: 100 kbit/s.
const SIZES: [usize; 2] = [1200, 400];
const EVERY_NS: [u64; 2] = [64_000_000, 32_000_000];

/// Meetings opened at once: the relay lets one source have 16 connections that have not authenticated.
const AT_ONCE: usize = 8;

/// Packets sent in a row before receivers get their turn.
const BURST: u32 = 8;

/// One direction of a session.
struct Flow {
    way: Arc<Way>,
    packet: Vec<u8>,
}

pub(crate) async fn run(load: &Load) -> Result<Value, Failure> {
    let relay = RelayProcess::start(load)?;
    let seen = Seen::new();
    let opener = Arc::new(Opener::new(&relay, load.tls, seen.clone())?);
    let before_kib = relay.resident_kib()?;
    let mut legs = Vec::new();
    let mut next = 0;
    let mut opening = tokio::task::JoinSet::new();
    while legs.len() < load.n {
        while opening.len() < AT_ONCE && next < load.n {
            let opener = Arc::clone(&opener);
            opening.spawn(async move { meet(&opener, next).await });
            next += 1;
        }
        legs.push(opening.join_next().await.ok_or("nothing to open")???);
    }
    let mut flows = [Vec::new(), Vec::new()];
    let mut checks = Vec::new();
    for (n, [operator, device]) in legs.into_iter().enumerate() {
        flows[0].push(flow(&device.way, operator.token, SIZES[0]));
        flows[1].push(flow(&operator.way, device.token, SIZES[1]));
        checks.push(operator.stay(2 * n, 2 * load.n));
        checks.push(device.stay(2 * n + 1, 2 * load.n));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let sent = send(load, &relay, &seen, flows).await?;
    let resident_kib = relay.resident_kib()?;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let (got, [p50, p90, p99, max]) = seen.result();
    let lost = sent.packets.saturating_sub(got);
    let wanted =
        load.n as f64 * load.secs * EVERY_NS.iter().map(|ns| 1e9 / *ns as f64).sum::<f64>();
    let percent = |cpu: Duration| tenths(100.0 * cpu.as_secs_f64() / sent.took.as_secs_f64());
    Ok(json!({
        "sessions": load.n,
        "tls": load.tls,
        "lost_percent": (1e5 * lost as f64 / sent.packets.max(1) as f64).round() / 1e3,
        "delay_us": { "p50": p50, "p90": p90, "p99": p99, "max": max },
        "relay_cpu_percent": percent(sent.relay_cpu),
        "relay_us_per_packet": tenths(1e6 * sent.relay_cpu.as_secs_f64() / sent.packets.max(1) as f64),
        "relay_kib_per_session": tenths(resident_kib.saturating_sub(before_kib) as f64 / load.n as f64),
        "load_cpu_percent": percent(sent.own_cpu),
        "rate_percent": tenths(100.0 * sent.packets as f64 / wanted),
        "no_room": sent.no_room,
    }))
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn flow(way: &Arc<Way>, to: LegToken, size: usize) -> Flow {
    let mut packet = vec![0x40];
    packet.extend_from_slice(&to.0);
    packet.extend_from_slice(&MARK);
    packet.resize(size.max(STAMP_AT + 8), 0x45);
    Flow {
        way: Arc::clone(way),
        packet,
    }
}

struct Sent {
    packets: usize,
    no_room: usize,
    took: Duration,
    relay_cpu: Duration,
    own_cpu: Duration,
}

/// What is measured of the processes when the counted stretch begins.
struct Meter {
    at: Instant,
    relay: Duration,
    own: Duration,
}

impl Meter {
    fn read(relay: &RelayProcess) -> Result<Self, Failure> {
        Ok(Self {
            at: tokio::time::Instant::now().into_std(),
            relay: relay.cpu()?,
            own: process::own_cpu()?,
        })
    }
}

/// Sends on all flows, each packet in its time.
async fn send(
    load: &Load,
    relay: &RelayProcess,
    seen: &Seen,
    mut flows: [Vec<Flow>; 2],
) -> Result<Sent, Failure> {
    let start = seen.clock() + 5_000_000;
    // One queue for each direction: all of its flows have the same period, so it stays sorted.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut due: [VecDeque<(u64, usize)>; 2] = [0, 1].map(|way| {
        let mut due: Vec<_> = (0..flows[way].len())
            .map(|flow| {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (start + (random >> 33) % EVERY_NS[way], flow)
            })
            .collect();
        due.sort_unstable();
        due.into()
    });
    let from = start + (load.warm * 1e9) as u64;
    let to = from + (load.secs * 1e9) as u64;
    seen.count(from, to, (load.n as f64 * load.secs * 50.0) as usize);
    let timer = Timer::new()?;
    let mut meter = None;
    let (mut packets, mut no_room, mut in_a_row) = (0, 0, 0);
    loop {
        let way = usize::from(due[0].front() > due[1].front());
        let &(when, flow) = due[way].front().ok_or("no flows")?;
        let now = seen.clock();
        if meter.is_none() && now >= from {
            meter = Some(Meter::read(relay)?);
        }
        if now >= to {
            break;
        }
        if when > now {
            in_a_row = 0;
            timer.wait(Duration::from_nanos(when - now)).await?;
            continue;
        }
        due[way].pop_front();
        due[way].push_back((when + EVERY_NS[way], flow));
        let Flow { way, packet } = &mut flows[way][flow];
        Seen::stamp(packet, now);
        let fits = way.send(packet);
        if now >= from {
            packets += 1;
            no_room += usize::from(!fits);
        }
        in_a_row += 1;
        if in_a_row % BURST == 0 {
            tokio::task::yield_now().await;
        }
    }
    let (start, end) = (meter.ok_or("nothing was measured")?, Meter::read(relay)?);
    Ok(Sent {
        packets,
        no_room,
        took: end.at.saturating_duration_since(start.at),
        relay_cpu: end.relay.saturating_sub(start.relay),
        own_cpu: end.own.saturating_sub(start.own),
    })
}
