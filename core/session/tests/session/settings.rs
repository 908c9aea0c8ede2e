//! Settings through a session: asked, allowed, written down, made; and nothing of it past the grant.

use std::time::Duration;

use alongside_mode::{
    Effect, HostEvent, SettingsAnswer, SettingsCall, SettingsPart, SettingsWish, Side, StopReason,
};
use alongside_protocol::{
    ids::ModeId,
    reason::{EndReason, ModePhase, Party},
    setting::{
        ChangeRefusal, ChangeStage, Difference, RollBack, SettingChange, SettingPath, SettingValue,
        SettingsVersion, Shown,
    },
};
use alongside_session::{
    Record,
    device::{CustomerAction, Event, Input, SettingsAct, SettingsNews, View},
    operator::OperatorAction,
};

use super::pair::{Pair, millis, secs};

const READ: SettingsWish = SettingsWish::Read(None);

fn path(name: &str) -> SettingPath {
    SettingPath::new(name).unwrap()
}

fn propose() -> SettingsWish {
    SettingsWish::Propose {
        if_version: None,
        changes: vec![SettingChange {
            path: path("tray.paper"),
            value: SettingValue::text("a5"),
        }],
    }
}

fn differences() -> Vec<Difference> {
    let shown = |text| Shown::Value(SettingValue::text(text).unwrap());
    vec![Difference {
        path: path("tray.paper"),
        name: "Paper".to_owned(),
        unit: None,
        before: shown("a4"),
        after: shown("a5"),
    }]
}

impl Pair {
    fn in_config(mode: &str) -> Self {
        let mut pair = Self::active();
        pair.ask_mode(mode);
        pair.run_for(millis(100));
        if mode == "example.config" {
            pair.allow();
            pair.run_for(millis(300));
        }
        pair
    }

    /// The device's half of the mode wants this.
    fn wants(&mut self, request: u32, wants: SettingsWish) {
        let seq = self.device_seq.unwrap();
        let effects = vec![Effect::Settings(SettingsCall { request, wants })];
        self.device(Input::ModeEffects { seq, effects });
    }

    /// What the device was told to do with its settings.
    fn acts(&self) -> Vec<SettingsAct> {
        let act = |(_, event): &(_, Event)| match event {
            Event::Settings { act, .. } => Some(act.clone()),
            _ => None,
        };
        self.device_events.iter().filter_map(act).collect()
    }

    fn call(&self) -> u64 {
        let call = |(_, event): &(_, Event)| match event {
            Event::Settings { call, .. } => Some(*call),
            _ => None,
        };
        self.device_events.iter().rev().find_map(call).unwrap()
    }

    fn news(&mut self, news: SettingsNews) {
        let call = self.call();
        self.device(Input::Settings { call, news });
    }

    fn looked_at(&mut self) {
        self.news(SettingsNews::Ask {
            change: 5,
            differences: differences(),
        });
    }

    /// What the device's half was told of settings.
    fn answers(&self) -> Vec<SettingsAnswer> {
        let answer = |(side, event): &(Side, HostEvent)| match event {
            HostEvent::Settings(answer) if *side == Side::Device => Some(answer.clone()),
            _ => None,
        };
        self.mode_events.iter().filter_map(answer).collect()
    }

    fn stages(&self) -> Vec<ChangeStage> {
        let stage = |answer: SettingsAnswer| match answer.part {
            SettingsPart::Stage(stage) => Some(stage),
            _ => None,
        };
        self.answers().into_iter().filter_map(stage).collect()
    }

    fn is_allowed(&self) -> bool {
        self.acts().contains(&SettingsAct::Allow)
    }
}

#[test]
fn a_change_is_made_only_after_the_customer_saw_it_and_its_record_was_written() {
    let mut pair = Pair::in_config("example.config");
    pair.wants(1, propose());
    assert!(matches!(pair.acts()[..], [SettingsAct::Propose { .. }]));
    pair.looked_at();
    let ask = pair.last_ask().unwrap();
    assert_eq!(ask.differences.as_deref(), Some(&differences()[..]));
    assert!(!ask.wants_admin_id && !pair.is_allowed());
    pair.run_for(secs(1));
    pair.allow();
    assert!(pair.is_allowed());
    let at = |what: &str| pair.device_log.iter().position(|line| line.contains(what));
    let order = [
        at("SettingsProposed"),
        at("act: Propose"),
        at("SettingsAllowed { change: 5, by_policy: false }"),
        at("SettingSet { change: 5, path: tray.paper }"),
        at("act: Allow"),
    ];
    assert!(order.is_sorted() && order[0].is_some(), "{order:?}");
    pair.news(SettingsNews::Stage(ChangeStage::Applied { within_s: 60 }));
    pair.wants(1, SettingsWish::Confirm);
    pair.news(SettingsNews::Stage(ChangeStage::Confirmed));
    let told = [
        ChangeStage::Asked { expires_in_s: 60 },
        ChangeStage::Applied { within_s: 60 },
        ChangeStage::Confirmed,
    ];
    assert_eq!(pair.stages(), told);
}

#[test]
fn silence_and_no_are_a_no() {
    for (answer, why) in [
        (None, ChangeRefusal::Timeout),
        (Some(()), ChangeRefusal::Customer),
    ] {
        let mut pair = Pair::in_config("example.config");
        pair.wants(1, propose());
        pair.looked_at();
        match answer {
            Some(()) => pair.customer(CustomerAction::Refuse(pair.ask_id())),
            None => pair.run_for(secs(61)),
        }
        assert_eq!(pair.acts().last(), Some(&SettingsAct::Refuse));
        pair.news(SettingsNews::Stage(ChangeStage::Refused(
            ChangeRefusal::Customer,
        )));
        assert_eq!(pair.stages().last(), Some(&ChangeStage::Refused(why)));
        assert!(!pair.is_allowed());
        let wants = |record: &Record| matches!(record, Record::SettingSet { .. });
        assert!(!pair.device_records.iter().any(wants));
    }
}

#[test]
fn what_the_mode_may_not_do_reaches_no_setting() {
    for mode in [ModeId::USER_GUIDE, ModeId::OPERATOR_CONTROL] {
        let mut pair = Pair::active();
        if mode == ModeId::OPERATOR_CONTROL {
            pair.raise();
        }
        for wish in [
            SettingsWish::Schema,
            READ,
            propose(),
            SettingsWish::Undo,
            SettingsWish::Confirm,
        ] {
            pair.wants(1, wish);
        }
        assert_eq!(pair.acts(), [], "{mode}");
        assert!(
            pair.device_records
                .iter()
                .any(|record| matches!(record, Record::Denied { .. }))
        );
    }
}

#[test]
fn one_change_at_a_time_and_no_confirmation_of_another() {
    let mut pair = Pair::in_config("example.config");
    pair.wants(1, propose());
    pair.run_for(secs(1));
    pair.wants(2, propose());
    pair.wants(1, SettingsWish::Confirm);
    assert_eq!(pair.acts().len(), 1);
    assert_eq!(pair.stages(), [ChangeStage::Refused(ChangeRefusal::Busy)]);
    pair.looked_at();
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.run_for(millis(200));
    assert!(pair.last_ask().unwrap().differences.is_some(), "busy");
    pair.allow();
    pair.wants(1, SettingsWish::Confirm);
    assert_eq!(
        pair.acts().last(),
        Some(&SettingsAct::Allow),
        "not made yet"
    );
    pair.news(SettingsNews::Stage(ChangeStage::Applied { within_s: 60 }));
    pair.wants(2, SettingsWish::Confirm);
    assert_eq!(pair.acts().last(), Some(&SettingsAct::Allow), "of another");
    pair.wants(1, SettingsWish::Confirm);
    assert_eq!(pair.acts().last(), Some(&SettingsAct::Confirm));
}

#[test]
fn the_end_of_the_grant_takes_a_change_back() {
    type End = fn(&mut Pair);
    let ends: [(&str, End); 5] = [
        ("taken back", |pair| pair.customer(CustomerAction::TakeBack)),
        ("exit", |pair| pair.customer(CustomerAction::Exit)),
        ("left", |pair| {
            pair.ask_mode(ModeId::USER_GUIDE);
            pair.run_for(millis(100));
        }),
        ("lost", |pair| pair.device(Input::Disconnected)),
        ("failed", |pair| {
            let seq = pair.device_seq.unwrap();
            pair.device(Input::ModeFailed { seq });
        }),
    ];
    for (name, end) in ends {
        let mut pair = Pair::in_config("example.config");
        pair.wants(1, propose());
        pair.looked_at();
        pair.allow();
        pair.news(SettingsNews::Stage(ChangeStage::Applied { within_s: 60 }));
        end(&mut pair);
        assert_eq!(pair.acts().last(), Some(&SettingsAct::Withdraw), "{name}");
        let stages = pair.stages().len();
        if !pair.device.is_over() {
            pair.wants(1, SettingsWish::Confirm);
            assert_eq!(pair.acts().last(), Some(&SettingsAct::Withdraw), "{name}");
            pair.news(SettingsNews::Stage(ChangeStage::RolledBack(
                RollBack::Withdrawn,
            )));
            let word = |record: &Record| {
                matches!(
                    record,
                    Record::SettingsStage {
                        stage: "rolled-back",
                        ..
                    }
                )
            };
            assert!(pair.device_records.iter().any(word), "{name}");
            assert_eq!(pair.stages().len(), stages, "{name}: told to another mode");
        }
    }
}

#[test]
fn a_question_that_is_open_when_the_mode_ends_is_a_no() {
    let mut pair = Pair::in_config("example.config");
    pair.wants(1, propose());
    pair.looked_at();
    let id = pair.ask_id();
    pair.ask_mode(ModeId::USER_GUIDE);
    pair.run_for(millis(100));
    assert!(pair.device.ask(pair.now).is_none());
    pair.customer(CustomerAction::Allow(id));
    assert!(!pair.is_allowed());
}

#[test]
fn an_answer_that_comes_after_the_mode_is_nobodys() {
    let mut pair = Pair::in_config("example.config");
    pair.wants(1, propose());
    let call = pair.call();
    pair.ask_mode(ModeId::USER_GUIDE);
    pair.run_for(millis(100));
    let news = SettingsNews::Ask {
        change: 5,
        differences: differences(),
    };
    let asked = pair.ask_id();
    pair.device(Input::Settings { call, news });
    assert_eq!(pair.ask_id(), asked, "nobody is asked");
    assert!(!pair.is_allowed());
}

#[test]
fn in_sleep_the_owners_word_allows_a_change_and_nothing_of_the_panel_is_seen() {
    let mut pair = Pair::in_config("example.silent");
    let views = |pair: &Pair| {
        let view = |(_, event): &(_, Event)| match event {
            Event::View(view) => Some(*view),
            _ => None,
        };
        pair.device_events
            .iter()
            .filter_map(view)
            .collect::<Vec<_>>()
    };
    assert_eq!(views(&pair), [View::Service]);
    pair.wants(1, propose());
    pair.looked_at();
    assert!(pair.last_ask().is_none() && pair.is_allowed());
    let by_owner = Record::SettingsAllowed {
        change: 5,
        by_policy: true,
    };
    assert!(pair.device_records.contains(&by_owner));
    pair.ask_mode(ModeId::USER_GUIDE);
    pair.run_for(millis(100));
    assert_eq!(views(&pair), [View::Service, View::Panel]);
}

#[test]
fn the_owners_word_lapses() {
    let mut pair = Pair::active();
    let lapses = pair.now + secs(100);
    let mut config = super::pair::device_config();
    for offer in &mut config.modes {
        offer.lapses = Some(lapses);
    }
    let issued = alongside_session::IssuedCode::new(super::pair::code(1), pair.now + secs(600));
    pair = Pair::with_config(pair.now, issued, super::pair::code(1), config);
    pair.connect();
    pair.run_for(millis(150));
    pair.ask_mode("example.silent");
    pair.run_for(secs(50));
    assert!(pair.last_ask().is_none());
    pair.run_until(lapses + millis(1));
    let ended = Record::ModeEnded {
        mode: ModeId::new("example.silent").unwrap(),
        activation: 2,
        why: StopReason::Withdrawn,
    };
    assert!(pair.device_records.contains(&ended));
    pair.ask_mode("example.silent");
    pair.run_for(secs(2));
    assert!(
        pair.last_ask().unwrap().wants_admin_id,
        "asked as anybody is"
    );
}

#[test]
fn a_tree_of_settings_arrives_in_parts_and_at_the_pace_of_the_line() {
    let mut pair = Pair::in_config("example.config");
    pair.wants(1, SettingsWish::Schema);
    pair.news(SettingsNews::Schema(vec![b' '; 300_000]));
    pair.run_for(secs(5));
    let sizes: Vec<_> = pair
        .answers()
        .iter()
        .map(|answer| match &answer.part {
            SettingsPart::Schema { json, .. } => json.len(),
            _ => 0,
        })
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), 300_000);
    assert!(
        sizes
            .iter()
            .all(|size| *size <= alongside_mode::MAX_PART_LEN)
    );
    pair.wants(2, READ);
    let version = SettingsVersion::from_bits(1);
    let values = (0..600).map(|n| (path(&format!("group.setting-{n}")), Shown::Secret));
    let values = values.collect();
    pair.news(SettingsNews::Values { version, values });
    pair.run_for(secs(1));
    let count: usize = pair
        .answers()
        .iter()
        .map(|answer| match &answer.part {
            SettingsPart::Values { values, .. } => values.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(count, 600);
}

#[test]
fn a_record_that_fails_before_a_change_leaves_it_unmade() {
    let mut pair = Pair::in_config("example.config");
    pair.wants(1, propose());
    pair.looked_at();
    let id = pair.ask_id();
    // The session has given out nothing of it yet when the store fails.
    pair.device
        .handle_input(pair.now, Input::Local(CustomerAction::Allow(id)))
        .unwrap();
    let _records = pair.device.take_records();
    pair.device(Input::Close(alongside_session::Cause::RecordFailed));
    assert!(!pair.is_allowed());
    assert_eq!(pair.acts().last(), Some(&SettingsAct::Withdraw));
    let ended = Event::Ended {
        by: Party::Device,
        reason: EndReason::RecordFailed,
    };
    assert!(pair.device_events.iter().any(|(_, event)| *event == ended));
}

#[test]
fn readings_are_bounded() {
    let mut pair = Pair::in_config("example.config");
    for request in 0..100 {
        pair.wants(request, READ);
    }
    assert_eq!(pair.acts().len(), 4);
    let read = |record: &&Record| matches!(record, Record::SettingsRead { .. });
    assert_eq!(pair.device_records.iter().filter(read).count(), 1);
}

#[test]
fn a_mode_state_of_the_question_does_not_pause_the_operator() {
    let mut pair = Pair::in_config("example.config");
    pair.wants(1, propose());
    pair.looked_at();
    pair.run_for(Duration::from_secs(1));
    let asked = |(_, event): &(_, Event)| matches!(event, Event::Mode(state) if state.phase == ModePhase::Asked && state.activation != 0);
    assert!(!pair.device_events.iter().any(asked));
    pair.ask(OperatorAction::StillHere);
}
