//! What a session costs before anybody does anything, and while nobody does.

use std::time::Duration;

use alongside::protocol::{
    LegToken, Nameplate, RendezvousId, Serial,
    control::{Check, Control},
    frame::Channel,
    label::Name,
    relay::{Claim, FromRelay, LegCheck, OperatorCard, Prepare, ToRelay},
};
use alongside_agent::panel::mfd::MfdPanel;
use std::sync::Arc;

use super::{
    row::Row,
    world::{NAMES, SERIAL, Stage, World, line},
};

/// How long a session is watched at rest.
const MINUTES: u64 = 5;
/// A check goes out this often.
const PERIOD: Duration = Duration::from_secs(5);
/// Round trip from end to end on the line of this session.
const ROUND_TRIP: Duration = Duration::from_millis(4 * DELAY_MS);
const DELAY_MS: u64 = 15;

pub(crate) async fn rows() -> Vec<Row> {
    let panel = Arc::new(MfdPanel::new());
    let world = World::new(line(DELAY_MS));
    let mut stage = world.session(panel.clone(), panel).await;
    stage.see().await;
    let mut rows = messages(&stage);
    rows.push(proof(&stage));
    rows.extend(rest(&stage).await);
    rows
}

/// The messages that lead to a session, as long as they were in this one.
fn messages(stage: &Stage) -> Vec<Row> {
    let [name, organisation] = NAMES.map(|name| Name::new(name).ok());
    let prepare = FromRelay::from(Prepare {
        rendezvous: RendezvousId([0; 16]),
        operator: OperatorCard {
            key: stage.key,
            name,
            organisation,
        },
        token: LegToken([0; 8]),
        expires_in_s: 600,
    })
    .to_frame()
    .len();
    let claim = ToRelay::from(Claim {
        nameplate: Nameplate::new(99_999).unwrap(),
        serial: Serial::new(SERIAL).unwrap(),
    })
    .to_frame()
    .len();
    vec![
        Row {
            activity: "the customer enters a code".to_owned(),
            data: "what the device needs to prepare, all but the code's secret",
            from: "relay",
            to: "device",
            promised: "at most 1,000 B",
            measured: format!("{prepare} B"),
            is_kept: prepare <= 1_000,
        },
        Row {
            activity: "the device connects".to_owned(),
            data: "its serial number",
            from: "device",
            to: "relay",
            promised: "aim 125 B, never above 1,000 B",
            measured: format!("{claim} B"),
            is_kept: claim <= 125,
        },
    ]
}

/// Round trips until the code is proved.
fn proof(stage: &Stage) -> Row {
    let trips = stage.proved_in.as_secs_f64() / ROUND_TRIP.as_secs_f64();
    Row {
        activity: "the code is proved".to_owned(),
        data: "handshake and proof, end to end",
        from: "operator",
        to: "device",
        promised: "at most 3 round trips",
        measured: format!("{trips:.1} round trips"),
        is_kept: trips <= 3.0,
    }
}

/// Some minutes in which nobody does anything.
async fn rest(stage: &Stage) -> Vec<Row> {
    tokio::time::sleep(2 * PERIOD).await;
    let hosts = [&stage.device_host, &stage.operator_host];
    let before = hosts.map(|host| host.traffic());
    let mut sizes = hosts.map(|host| host.sizes());
    let told = stage.operator.volume().clone();
    let control = |volume: &alongside::Volume| {
        [
            volume.received(Channel::Control),
            volume.sent(Channel::Control),
        ]
    };
    let control_before = control(&told);
    tokio::time::sleep(Duration::from_secs(60 * MINUTES)).await;
    let control_bytes: Vec<_> = control(&told)
        .into_iter()
        .zip(control_before)
        .map(|(after, before)| after - before)
        .collect();
    let after = hosts.map(|host| host.traffic());
    let largest = sizes
        .iter_mut()
        .flat_map(|sizes| std::iter::from_fn(|| sizes.try_recv().ok()))
        .max()
        .unwrap_or(0);

    let due = u64::from(60 * u32::try_from(MINUTES).unwrap_or(1)) / PERIOD.as_secs();
    let end_to_end = Control::from(Check { n: 1 }).to_frame().len();
    let leg = ToRelay::from(LegCheck { n: 1 }).to_frame().len();
    // Control carries nothing else while nobody does anything.
    let is_every_5_s = control_bytes
        .iter()
        .all(|bytes| *bytes >= (due - 1) * end_to_end as u64);
    let promised = "every 5 s, aim 125 B, never above 1,000 B";
    let check = |data, to, bytes: usize| Row {
        activity: "accessible check".to_owned(),
        data,
        from: "device",
        to,
        promised,
        measured: format!("every 5 s, {bytes} B; with all below at most {largest} B"),
        is_kept: is_every_5_s && largest <= 125,
    };
    let mut rows = vec![
        check("sign of life and its answer", "relay, and back", leg),
        check("sign of life, each way", "operator, and back", end_to_end),
    ];
    for ((from, to), (before, after)) in [("device", "network"), ("operator", "network")]
        .into_iter()
        .zip(before.iter().zip(&after))
    {
        let [sent, received] = [
            (after.sent - before.sent) / MINUTES,
            (after.received - before.received) / MINUTES,
        ];
        rows.push(Row {
            activity: "a minute at rest".to_owned(),
            data: "everything, with all below",
            from,
            to,
            promised: "at most 24,000 B each way",
            measured: format!("{sent} B out, {received} B in"),
            is_kept: sent <= 24_000 && received <= 24_000,
        });
    }
    rows
}
