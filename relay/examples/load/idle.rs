//! Memory of legs that wait.

use std::{sync::Arc, time::Duration};

use alongside_protocol::relay::Role;
use serde_json::{Value, json};

use tokio::task::{JoinHandle, JoinSet};

use crate::{
    Failure, Load,
    leg::{Leg, Opener},
    process::RelayProcess,
    seen::Seen,
};

/// Legs opened at once: the relay lets one source have 16 that have not authenticated.
const AT_ONCE: usize = 8;

/// Legs opened before the first look, so that the relay has all it needs once.
const WARM_UP: usize = 200;

pub(crate) async fn run(load: &Load) -> Result<Value, Failure> {
    let relay = RelayProcess::start(load)?;
    let opener = Arc::new(Opener::new(&relay, load.tls, Seen::new())?);
    let all = WARM_UP + load.n;
    let mut legs = open(&opener, WARM_UP, Vec::new(), all).await?;
    let before = relay.resident_kib()?;
    legs = open(&opener, all, legs, all).await?;
    let fresh = relay.resident_kib()?;
    let cpu = relay.cpu()?;
    // Until each of them has checked a few times, and what that costs is there to stay.
    tokio::time::sleep(Duration::from_secs_f64(load.secs.max(5.0))).await;
    let idle = relay.cpu()?.saturating_sub(cpu).as_secs_f64() / load.secs.max(5.0);
    let settled = relay.resident_kib()?;
    drop(legs);
    let each = |kib: u64| (kib.saturating_sub(before) as f64 / load.n as f64 * 10.0).round() / 10.0;
    Ok(json!({
        "idle_legs": load.n,
        "tls": load.tls,
        "kib_per_leg_fresh": each(fresh),
        "kib_per_leg_settled": each(settled),
        "cpu_percent_per_1000_legs": (1e6 * idle / (WARM_UP + load.n) as f64 * 10.0).round() / 100.0,
        "settled_after_s": load.secs.max(5.0),
    }))
}

/// Opens legs until there are `wanted`.
async fn open(
    opener: &Arc<Opener>,
    wanted: usize,
    mut legs: Vec<JoinHandle<Leg>>,
    all: usize,
) -> Result<Vec<JoinHandle<Leg>>, Failure> {
    let mut opening = JoinSet::new();
    while legs.len() < wanted {
        while opening.len() < AT_ONCE && legs.len() + opening.len() < wanted {
            let opener = Arc::clone(opener);
            opening.spawn(async move { opener.open(Role::Device).await });
        }
        let leg = opening.join_next().await.ok_or("nothing to open")???;
        legs.push(leg.stay(legs.len(), all));
    }
    Ok(legs)
}
