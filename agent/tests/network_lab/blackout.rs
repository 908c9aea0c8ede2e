//! Nothing passes for a while, on each way through the relay at the same time, and then everything does again.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use crate::{
    agent::Agent,
    ground::{Firewall, Outage, Unasked},
    house::{House, still_works, takes},
    is_lab,
    proxies::{CREDENTIALS, Proxy},
    world::meet,
};

/// The ways through the relay.
const WAYS: [&str; 3] = ["relay-quic", "relay-tls", "relay-proxy"];

/// A session on one way, and what it stands on.
struct Standing {
    operator: Agent,
    device: Agent,
    _proxy: Option<Proxy>,
    house: House,
}

impl Standing {
    fn on(way: &str) -> Self {
        let house = House::new();
        let site = &house.ground.device;
        let mut proxy = None;
        let mut arguments = Vec::new();
        match way {
            "relay-tls" => site.shield(Firewall::NoUdp, Unasked::Drop),
            "relay-proxy" => {
                site.shield(Firewall::Closed, Unasked::Drop);
                proxy = Some(Proxy::squid(&site.router, &house.path(""), 900));
                let credentials = house.secret("credentials", CREDENTIALS);
                arguments = [
                    "--proxy",
                    "http://proxy.lab:3128",
                    "--proxy-credentials-file",
                ]
                .map(Into::into)
                .to_vec();
                arguments.push(credentials.into_os_string());
            }
            _ => arguments = ["--paths", "relay-quic"].map(Into::into).to_vec(),
        }
        let mut operator = house.operator(|_| ());
        let mut device = house.device(|command| {
            command.args(arguments);
        });
        meet(&mut operator, &mut device);
        takes(&mut device, way);
        still_works(&mut operator, &mut device, 10);
        Self {
            operator,
            device,
            _proxy: proxy,
            house,
        }
    }

    fn lost(&self) -> bool {
        let is_lost = |line: &Value| line["event"] == "link" && line["state"] == "lost";
        self.device.told.iter().any(is_lost)
    }

    fn ended(&self) -> bool {
        let both = self.operator.told.iter().chain(&self.device.told);
        both.into_iter().any(|line| line["event"] == "ended")
    }
}

/// Lets nothing pass for so long; what is drawn in the dark has come after it, and before what is drawn then.
fn short(way: &str, dark: Duration) {
    let mut standing = Standing::on(way);
    let Standing {
        operator,
        device,
        house,
        ..
    } = &mut standing;
    house.ground.outage(Outage::All);
    let points = [[40, 200, 1], [48, 200, 1]];
    operator.ok(json!({"do": "stroke", "id": 40, "color": "#d02020", "width": 4, "points": points, "done": true}));
    // How long it is dark is what is tested, and nobody says that it was long enough.
    thread::sleep(dark);
    house.ground.outage(Outage::None);
    device.until("the stroke of the dark", |line| {
        line["event"] == "annotation" && line["points"][0][0] == 40.0
    });
    still_works(operator, device, 100);
    assert!(!standing.lost() && !standing.ended(), "{way}");
}

/// The same for longer than a connection lives: the session is resumed.
fn long(way: &str, dark: Duration) {
    let mut standing = Standing::on(way);
    standing.house.ground.outage(Outage::All);
    thread::sleep(dark);
    standing.house.ground.outage(Outage::None);
    let back = |line: &Value| line["event"] == "link" && line["state"] == "ok";
    let was_lost = |line: &Value| line["event"] == "link" && line["state"] == "lost";
    standing.device.until("the loss", was_lost);
    standing.device.until("the return", back);
    // What is drawn before the operator knows of the mode's new turn belongs to the old one.
    standing.operator.until("the loss", was_lost);
    let goes_on = |line: &Value| line["event"] == "mode" && line["state"] == "active";
    standing.operator.until("the mode's new turn", goes_on);
    still_works(&mut standing.operator, &mut standing.device, 100);
    assert!(!standing.ended(), "{way}");
}

fn on_every_way(of: fn(&str, Duration), dark: Duration) {
    thread::scope(|scope| {
        for way in WAYS {
            scope.spawn(move || of(way, dark));
        }
    });
}

#[test]
fn three_seconds_in_the_dark_cost_nothing_but_the_time() {
    if is_lab() {
        on_every_way(short, Duration::from_secs(3));
    }
}

#[test]
fn a_session_is_resumed_after_ninety_seconds_in_the_dark() {
    if std::env::var_os("ALONGSIDE_LAB_LONG").is_some() && is_lab() {
        on_every_way(long, Duration::from_secs(90));
    }
}
