//! Five hundred settings in files: how soon they are seen, how soon fifty are changed, and what the check of the
//! administrator's ID costs.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Lab, Pair, ms};

/// The administrator's ID of the device.
pub(super) const ID: &str = "48291736";
/// Files, each a group of settings.
const GROUPS: usize = 10;
/// Settings of each.
const OF_EACH: usize = 50;
/// Settings that are changed together.
const CHANGES: usize = 50;
/// How often each is measured.
const ROUNDS: usize = 20;

/// What was measured.
struct Figures {
    /// From asking for the settings until all are there, with what they are called.
    view: Vec<Duration>,
    /// From proposing a change until the customer is asked.
    asked: Vec<Duration>,
    /// From the customer's word until all of it is made.
    applied: Vec<Duration>,
    /// Peak resident memory in kB before and after the ID was checked.
    peak: [u64; 2],
}

/// Measures, and prints its rows.
pub(super) fn print(lab: &Lab) {
    let mut figures = measure(lab);
    let settings = GROUPS * OF_EACH;
    println!(
        "| {settings} settings in {GROUPS} files: all of them seen, p50 / p99 of {ROUNDS} | {} / {} ms |",
        ms(&mut figures.view, 50),
        ms(&mut figures.view, 99)
    );
    println!(
        "| {CHANGES} of them changed: proposed until the customer is asked, p50 / p99 | {} / {} ms |",
        ms(&mut figures.asked, 50),
        ms(&mut figures.asked, 99)
    );
    println!(
        "| {CHANGES} of them changed: allowed until made, durably, p50 / p99 | {} / {} ms |",
        ms(&mut figures.applied, 50),
        ms(&mut figures.applied, 99)
    );
    let [before, after] = figures.peak.map(|kb| kb as f64 / 1000.0);
    println!(
        "| device's peak resident memory before and in a check of the administrator's ID | {before:.1} and {after:.1} MB |"
    );
}

fn measure(lab: &Lab) -> Figures {
    let config = files(lab);
    set_id(lab);
    let mut pair = lab.meet_at(&["--config", &config]);
    while pair.operator.until("panel")["exact"] != true {}
    let before = pair.device.peak_rss_kb();
    pair.operator
        .tell(json!({"do": "mode", "mode": "engineer-config"}));
    pair.device.until("asked");
    pair.device.tell(json!({"do": "allow", "admin_id": ID}));
    while pair.operator.until("mode")["state"] != "active" {}
    let after = pair.device.peak_rss_kb();
    let mut figures = Figures {
        view: Vec::new(),
        asked: Vec::new(),
        applied: Vec::new(),
        peak: [before, after],
    };
    for round in 0..ROUNDS {
        figures.view.push(view(&mut pair));
        let (asked, applied) = change(&mut pair, round);
        figures.asked.push(asked);
        figures.applied.push(applied);
    }
    pair.end();
    figures
}

/// Everything there is, with what it is called and what it is set to.
fn view(pair: &mut Pair) -> Duration {
    let sent = Instant::now();
    pair.operator.tell(json!({"do": "settings-schema"}));
    pair.operator.tell(json!({"do": "settings-get"}));
    let mut settings = 0;
    let mut values = 0;
    let count = |found: &Value| {
        let keys = found.as_object().map_or(0, serde_json::Map::len);
        found.as_array().map_or(keys, Vec::len)
    };
    loop {
        let line = pair.operator.until("settings-schema");
        settings += count(&line["schema"]["settings"]);
        if line["more"] != true {
            break;
        }
    }
    loop {
        let line = pair.operator.until("settings");
        values += count(&line["values"]);
        if line["more"] != true {
            break;
        }
    }
    let taken = sent.elapsed();
    assert_eq!((settings, values), (GROUPS * OF_EACH, GROUPS * OF_EACH));
    taken
}

/// Five in each file, at once.
fn change(pair: &mut Pair, round: usize) -> (Duration, Duration) {
    let changes: Vec<_> = (0..CHANGES)
        .map(|n| {
            let path = format!("group-{}.setting-{}", n % GROUPS, n / GROUPS);
            json!({"path": path, "value": 1_000 + round})
        })
        .collect();
    let sent = Instant::now();
    pair.operator
        .tell(json!({"do": "settings-apply", "changes": changes}));
    pair.device.until("asked");
    let asked = sent.elapsed();
    let allowed = Instant::now();
    pair.device.tell(json!({"do": "allow"}));
    while pair.operator.until("settings-result")["state"] != "applied" {}
    let applied = allowed.elapsed();
    // The operator's side leaves a change some time to show that it does no harm.
    while pair.operator.until("settings-result")["state"] != "confirmed" {}
    (asked, applied)
}

/// The files and their schema; answers the device's configuration.
fn files(lab: &Lab) -> String {
    let mut groups = serde_json::Map::new();
    let mut config = format!(
        "[settings]\nschema = {:?}\n",
        lab.folder.join("schema.json")
    );
    for group in 0..GROUPS {
        let name = format!("group-{group}");
        let mut properties = serde_json::Map::new();
        let mut text = String::from("# made for a measurement\n");
        for n in 0..OF_EACH {
            let title = format!("Setting {n} of group {group}");
            let about =
                json!({"type": "integer", "title": title, "minimum": 0, "maximum": 100_000});
            properties.insert(format!("setting-{n}"), about);
            text.push_str(&format!("setting-{n} = {n}\n"));
        }
        let path = lab.folder.join(format!("{name}.toml"));
        fs::write(&path, text).unwrap();
        config.push_str(&format!(
            "[[settings.files]]\npath = {path:?}\nformat = \"toml\"\ngroup = {name:?}\n"
        ));
        groups.insert(name, json!({"type": "object", "properties": properties}));
    }
    let schema = json!({"type": "object", "properties": groups});
    fs::write(lab.folder.join("schema.json"), schema.to_string()).unwrap();
    let path = lab.folder.join("settings-device.toml");
    fs::write(&path, config).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Sets the administrator's ID of the device.
pub(super) fn set_id(lab: &Lab) {
    let mut set = Command::new(env!("CARGO_BIN_EXE_alongside-agent"))
        .args(["admin-id", "set", "--stdin", "--state"])
        .arg(lab.folder.join("device"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(set.stdin.take().unwrap(), "{ID}").unwrap();
    set.wait().unwrap();
}
