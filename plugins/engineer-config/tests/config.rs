//! The mode's promises, through the table that a session calls.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use alongside_engineer_config::{Ask, EngineerConfig, SETTLE, Surface, Tell};
use alongside_mode::{
    Capabilities, MAX_PART_LEN, SettingsAnswer, SettingsCall, SettingsPart, SettingsWish, Side,
    harness::Pair,
    protocol::setting::{
        ChangeRefusal, ChangeStage, Fault, Problem, SettingChange, SettingPath, SettingValue,
        SettingsVersion, Shown, pieces,
    },
};

const ALL: Capabilities = Capabilities::VIEW
    .with(Capabilities::SETTINGS_READ)
    .with(Capabilities::SETTINGS_WRITE);

fn pair() -> Pair<EngineerConfig> {
    Pair::started(ALL)
}

fn path(text: &str) -> SettingPath {
    SettingPath::new(text).unwrap()
}

fn ask(pair: &mut Pair<EngineerConfig>, ask: &Ask) -> Vec<SettingsCall> {
    pair.from_console(&serde_json::to_value(ask).unwrap());
    pair.take_settings()
}

fn told(pair: &mut Pair<EngineerConfig>) -> Vec<Tell> {
    pair.take_console()
        .into_iter()
        .map(|json| serde_json::from_value(json).unwrap())
        .collect()
}

fn stage(pair: &mut Pair<EngineerConfig>, request: u32, stage: ChangeStage) -> Vec<Tell> {
    let part = SettingsPart::Stage(stage);
    pair.answer(SettingsAnswer { request, part });
    told(pair)
}

fn state(told: &[Tell]) -> Vec<&str> {
    let state = |tell: &Tell| match tell {
        Tell::Result { state, .. } => Some(state.as_str().to_owned()),
        Tell::Schema { .. }
        | Tell::Values { .. }
        | Tell::Unreadable { .. }
        | Tell::Surface { .. } => None,
    };
    told.iter()
        .filter_map(state)
        .map(|state| &*state.leak())
        .collect()
}

#[test]
fn a_large_change_is_proposed_as_one() {
    let mut pair = pair();
    let change = |n: u32| SettingChange {
        path: path(&format!("address-book.{n}.name")),
        value: SettingValue::text(&"x".repeat(300)),
    };
    let changes: Vec<_> = (0..50).map(change).collect();
    let if_version = Some(SettingsVersion::from_bits(7));
    let wish = Ask::Apply {
        if_version,
        changes: changes.clone(),
    };
    let wants = SettingsWish::Propose {
        if_version,
        changes,
    };
    assert_eq!(ask(&mut pair, &wish), [SettingsCall { request: 1, wants }]);
}

#[test]
fn the_schema_arrives_whole_whatever_it_is_cut_into() {
    let mut pair = pair();
    let text = format!("{{\"title\":\"{}\"}}", "Fächer ".repeat(5_000));
    let calls = ask(&mut pair, &Ask::Schema);
    assert_eq!(calls.len(), 1);
    let chunks: Vec<_> = text.as_bytes().chunks(MAX_PART_LEN).collect();
    for (n, chunk) in chunks.iter().enumerate() {
        let json = chunk.to_vec();
        let is_last = n + 1 == chunks.len();
        let part = SettingsPart::Schema { json, is_last };
        pair.answer(SettingsAnswer { request: 1, part });
    }
    let mut whole = String::new();
    let mut ends = Vec::new();
    for tell in told(&mut pair) {
        if let Tell::Schema { text, is_last } = tell {
            whole.push_str(&text);
            ends.push(is_last);
        }
    }
    assert_eq!(whole, text);
    assert_eq!(ends.iter().filter(|is_last| **is_last).count(), 1);
}

#[test]
fn values_arrive_and_secrets_stay() {
    let mut pair = pair();
    let group = Some(path("mail"));
    let calls = ask(
        &mut pair,
        &Ask::Get {
            group: group.clone(),
        },
    );
    assert_eq!(calls[0].wants, SettingsWish::Read(group));
    let version = SettingsVersion::from_bits(9);
    let text = |n: u32| Shown::Value(SettingValue::text(&"\u{1}".repeat(40 * n as usize)).unwrap());
    let values = (0..20).map(|n| (path(&format!("mail.s{n}")), text(n)));
    let values = values.chain([(path("mail.password"), Shown::Secret)]);
    let pieces = pieces(values, MAX_PART_LEN - 32);
    let count = pieces.len();
    for (n, values) in pieces.into_iter().enumerate() {
        let is_last = n + 1 == count;
        let part = SettingsPart::Values {
            version,
            values,
            is_last,
        };
        pair.answer(SettingsAnswer { request: 1, part });
    }
    let mut all = std::collections::BTreeMap::new();
    let mut lasts = Vec::new();
    for tell in told(&mut pair) {
        if let Tell::Values {
            version: seen,
            values,
            is_last,
        } = tell
        {
            assert_eq!(seen, version);
            all.extend(values);
            lasts.push(is_last);
        }
    }
    assert_eq!(all.len(), 21);
    assert_eq!(all[&path("mail.password")], None);
    assert_eq!(lasts.pop(), Some(true));
    assert!(!lasts.contains(&true));
}

#[test]
fn a_change_that_holds_is_confirmed_by_itself_and_one_that_is_taken_back_is_not() {
    let mut pair = pair();
    let wish = Ask::Apply {
        if_version: None,
        changes: Vec::new(),
    };
    ask(&mut pair, &wish);
    let applied = ChangeStage::Applied { within_s: 60 };
    assert_eq!(state(&stage(&mut pair, 1, applied.clone())), ["applied"]);
    pair.wait(SETTLE - Duration::from_millis(1));
    assert_eq!(pair.take_settings(), []);
    pair.wait(Duration::from_millis(1));
    let confirm = SettingsCall {
        request: 1,
        wants: SettingsWish::Confirm,
    };
    assert_eq!(pair.take_settings(), [confirm]);

    ask(&mut pair, &Ask::Undo);
    stage(&mut pair, 2, applied);
    let back = ChangeStage::RolledBack(alongside_mode::protocol::setting::RollBack::Withdrawn);
    assert_eq!(state(&stage(&mut pair, 2, back)), ["rolled-back"]);
    pair.wait(SETTLE * 2);
    assert_eq!(pair.take_settings(), []);
}

#[test]
fn what_is_wrong_is_told_by_path() {
    let mut pair = pair();
    let problem = Problem::new(
        &path("mail.port"),
        Fault::Above(SettingValue::Integer(65_535)),
    );
    let told = stage(&mut pair, 1, ChangeStage::Invalid(vec![problem]));
    let [
        Tell::Result {
            state,
            reason,
            errors,
            ..
        },
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!(
        (state.as_str(), reason.as_deref()),
        ("refused", Some("invalid"))
    );
    assert_eq!(errors["mail.port"], "must be at most 65535");
    let told = stage(&mut pair, 1, ChangeStage::Refused(ChangeRefusal::Timeout));
    assert!(matches!(&told[..], [Tell::Result { reason: Some(why), .. }] if why == "timeout"));
}

#[test]
fn without_a_grant_nothing_is_asked_of_the_device() {
    let mut pair =
        Pair::<EngineerConfig>::started(Capabilities::VIEW | Capabilities::SETTINGS_READ);
    assert_eq!(ask(&mut pair, &Ask::Undo), []);
    assert_eq!(state(&told(&mut pair)), ["refused"]);
    assert_eq!(pair.denied(), 1);
}

#[test]
fn in_sleep_without_a_service_surface_the_operator_is_told_so() {
    let silent = ALL.without(Capabilities::VIEW) | Capabilities::SILENT;
    let mut pair = Pair::<EngineerConfig>::started(silent);
    let surface = Surface::None;
    assert_eq!(told(&mut pair), [Tell::Surface { surface }]);
    let mut pair = Pair::<EngineerConfig>::started(silent | Capabilities::VIEW);
    assert_eq!(told(&mut pair), []);
}

#[test]
fn nonsense_from_the_console_or_the_other_side_ends_nothing() {
    let mut pair = pair();
    for json in [
        serde_json::json!({"settings": "format-disk"}),
        serde_json::json!(7),
        serde_json::json!({"settings": "get", "group": "a..b"}),
    ] {
        pair.from_console(&json);
    }
    pair.forge(Side::Device, &[0xff; 40]);
    pair.forge(Side::Operator, &[0xff; 40]);
    assert_eq!(pair.take_settings(), []);
    assert!(!pair.failure(Side::Device).unwrap().is_final());
    assert_eq!(ask(&mut pair, &Ask::Undo).len(), 1);
}
